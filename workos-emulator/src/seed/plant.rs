//! Planting: what a seed names becomes rows, by the rules that the API uses, in one transaction.

mod api_keys;
mod connect_applications;
mod connections;
mod directories;
mod feature_flags;
mod groups;
mod invitations;
mod social;
mod totp;

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use super::{
    InvalidSeed, Problem, Seed,
    format::{Document, SeedMembership, SeedOrganization, SeedRole, SeedUser},
};
use crate::{
    api::{
        authorization::{
            permissions::{self, NewPermission},
            roles::{self, NewRole},
        },
        organizations::{self, CreateOrganization, domains::DomainData, entitlements},
        user_management::{
            jwt_template,
            memberships::{self, NewMembership},
            redirect_uris,
            users::{self, NewUser},
        },
        webhooks::{self, CreateWebhookEndpoint, EndpointStatus},
    },
    control::{
        hooks::{self, NewHook},
        settings,
    },
    core::{password::PasswordHash, secret::Secret},
    environment::Environment,
    server::{error::ApiError, registry::Registry},
    store::Transaction,
};

/// A seed whose passwords are hashed: the slow part, done outside of the transaction.
#[derive(Debug)]
pub(crate) struct PreparedSeed<'a> {
    document: &'a Document,
    warnings: &'a [String],
    /// By password: seeds give many users the same one.
    hashes: HashMap<&'a str, PasswordHash>,
}

/// What was created.
#[derive(Debug, Clone, Default)]
pub(crate) struct Seeded {
    created: BTreeMap<&'static str, usize>,
    /// By the names that a seed uses: e-mail address, name, slug.
    ids: BTreeMap<&'static str, BTreeMap<String, String>>,
    warnings: Vec<String>,
}

impl Seeded {
    /// How many of each.
    pub(crate) fn created(&self) -> &BTreeMap<&'static str, usize> {
        &self.created
    }

    pub(crate) fn ids(&self) -> &BTreeMap<&'static str, BTreeMap<String, String>> {
        &self.ids
    }

    pub(crate) fn warnings(&self) -> &[String] {
        &self.warnings
    }

    /// Without the ids, which are as many as the rows.
    pub(crate) fn summary(self) -> Self {
        Self {
            ids: BTreeMap::new(),
            ..self
        }
    }

    fn count(&mut self, kind: &'static str) {
        *self.created.entry(kind).or_default() += 1;
    }

    fn add(&mut self, kind: &'static str, name: &str, id: &str) {
        self.count(kind);
        let ids = self.ids.entry(kind).or_default();
        ids.insert(name.to_owned(), id.to_owned());
    }
}

impl Seed {
    /// Hashes the passwords. They are not subject to the password policy: like the rest of a seed, they are there already.
    pub(crate) fn prepare(&self, environment: &Environment) -> Result<PreparedSeed<'_>, InvalidSeed> {
        let mut randomness = environment.randomness();
        let mut hashes = HashMap::new();
        let mut problems = Vec::new();
        for (at, user) in self.document.users.iter().enumerate() {
            let Some(password) = user.password.as_ref().map(Secret::expose) else {
                continue;
            };
            if hashes.contains_key(password) {
                continue;
            }
            match PasswordHash::create(password, &mut randomness) {
                Ok(hash) => drop(hashes.insert(password, hash)),
                Err(error) => {
                    problems.push(Problem::new(format!("users[{at}].password"), error.to_string()));
                }
            }
        }
        if problems.is_empty() {
            Ok(PreparedSeed {
                document: &self.document,
                warnings: &self.warnings,
                hashes,
            })
        } else {
            Err(InvalidSeed::of(problems))
        }
    }
}

impl PreparedSeed<'_> {
    /// Refuses API keys and client ids that another environment has: its requests would come here.
    pub(crate) fn check_keys(&self, registry: &Registry, own: &Arc<Environment>) -> Result<(), InvalidSeed> {
        let taken = self.document.api_keys.iter().filter(|key| {
            let owner = key
                .value
                .as_ref()
                .and_then(|value| registry.by_api_key(value.expose()));
            owner.is_some_and(|owner| owner.id != own.id)
        });
        let problems: Vec<_> = taken
            .map(|key| Problem::new(&key.path, "another environment has this key"))
            .collect();
        let problems: Vec<_> = problems
            .into_iter()
            .chain(connect_applications::taken_client_ids(
                self.document,
                registry,
                own,
            ))
            .collect();
        if problems.is_empty() {
            Ok(())
        } else {
            Err(InvalidSeed::of(problems))
        }
    }

    /// Adds all of it to what is there.
    ///
    /// A refusal does not stop it, so that all are told together; the caller's transaction then comes to nothing.
    pub(crate) fn plant(&self, tx: &mut Transaction<'_>) -> Result<Seeded, InvalidSeed> {
        let organizations = tx
            .organizations
            .iter()
            .map(|organization| (organization.name.clone(), organization.id.clone()));
        let mut planting = Planting {
            organizations: organizations.collect(),
            tx,
            problems: Vec::new(),
            seeded: Seeded {
                warnings: self.warnings.to_vec(),
                ..Seeded::default()
            },
        };
        planting.document(self);
        if planting.problems.is_empty() {
            Ok(planting.seeded)
        } else {
            Err(InvalidSeed::of(planting.problems))
        }
    }
}

struct Planting<'a, 'tx> {
    tx: &'a mut Transaction<'tx>,
    problems: Vec<Problem>,
    seeded: Seeded,
    /// Their ids by their names, which are what a seed refers to them by.
    organizations: HashMap<String, String>,
}

impl Planting<'_, '_> {
    fn document(&mut self, seed: &PreparedSeed<'_>) {
        let document = seed.document;
        self.settings(document);
        for (at, permission) in document.permissions.iter().enumerate() {
            let new = NewPermission {
                slug: permission.slug.clone(),
                name: permission.name.clone(),
                description: permission.description.clone(),
                resource_type_slug: None,
            };
            let created = permissions::create(self.tx, new);
            if let Some(permission) = self.accept(|| format!("permissions[{at}]"), created) {
                self.seeded.add("permissions", &permission.slug, &permission.id);
            }
        }
        // Memberships name the environment's roles; an organization's own roles name the organization.
        self.roles(document, |role| role.organization_id.is_none());
        for (at, user) in document.users.iter().enumerate() {
            self.user(at, user, &seed.hashes);
        }
        let organizations: Vec<_> = document
            .organizations
            .iter()
            .enumerate()
            .map(|(at, organization)| self.organization(at, organization))
            .collect();
        self.roles(document, |role| role.organization_id.is_some());
        for (at, (organization, id)) in document.organizations.iter().zip(organizations).enumerate() {
            let Some(organization_id) = id else { continue };
            for (nth, membership) in organization.memberships.iter().enumerate() {
                self.membership(
                    &format!("organizations[{at}].memberships[{nth}]"),
                    &organization_id,
                    membership,
                );
            }
            for (nth, group) in organization.groups.iter().enumerate() {
                self.group(
                    &format!("organizations[{at}].groups[{nth}]"),
                    &organization_id,
                    group,
                );
            }
        }
        self.connections(document);
        self.directories(document);
        self.feature_flags(document);
        self.invitations(document);
        self.connect_applications(document);
        if let Some(content) = &document.jwt_template {
            let set = jwt_template::set(self.tx, content.clone());
            self.accept(|| "jwtTemplate.content".to_owned(), set);
        }
        self.api_keys(&document.api_keys);
        self.hooks(document);
        for (at, uri) in document.redirect_uris.iter().enumerate() {
            let created = redirect_uris::create(self.tx, uri);
            if let Some(redirect) = self.accept(|| format!("redirectUris[{at}]"), created) {
                self.seeded.add("redirectUris", &redirect.uri, &redirect.id);
            }
        }
        // Last: endpoints are not told of what the seed itself creates.
        self.webhook_endpoints(document);
    }

    /// The outcome of a rule, or its refusal as a problem of this place.
    fn accept<T>(&mut self, path: impl FnOnce() -> String, outcome: Result<T, ApiError>) -> Option<T> {
        match outcome {
            Ok(value) => Some(value),
            Err(refusal) => {
                self.problems.push(Problem::new(path(), refusal.explanation()));
                None
            }
        }
    }

    fn settings(&mut self, document: &Document) {
        let Some(changes) = &document.settings else {
            return;
        };
        let changed = settings::change(self.tx, changes);
        if let Some(Err(problem)) = self.accept(|| "settings".to_owned(), changed) {
            let path = format!("settings.{}", problem.path);
            self.problems.push(Problem::new(path, problem.message));
        }
    }

    fn roles(&mut self, document: &Document, wanted: impl Fn(&SeedRole) -> bool) {
        for (at, role) in document.roles.iter().enumerate().filter(|(_, role)| wanted(role)) {
            let path = || format!("roles[{at}]");
            if let Some(id) = &role.organization_id
                && self.tx.organizations.get(id).is_none()
            {
                let problem = Problem::new(
                    format!("{}.organization_id", path()),
                    "no organization has this id; pin it with organizations[].id",
                );
                self.problems.push(problem.got(id.as_str()));
                continue;
            }
            let new = NewRole {
                slug: Some(role.slug.clone()),
                name: role.name.clone(),
                description: role.description.clone(),
                resource_type_slug: None,
                organization_id: role.organization_id.clone(),
                permissions: role.permissions.clone(),
                is_default: role.is_default,
                priority: role.priority,
            };
            let created = roles::seed(self.tx, new);
            if let Some(role) = self.accept(path, created) {
                self.seeded.add("roles", &role.slug, &role.id);
            }
        }
    }

    fn user(&mut self, at: usize, user: &SeedUser, hashes: &HashMap<&str, PasswordHash>) {
        let path = || format!("users[{at}]");
        if let Some(id) = &user.id
            && self.tx.users.get(id).is_some()
        {
            self.taken(format!("{}.id", path()), id);
            return;
        }
        let hash = user
            .password
            .as_ref()
            .and_then(|password| hashes.get(password.expose()));
        let new = NewUser {
            id: user.id.clone(),
            email: user.email.clone(),
            email_verified: user.email_verified,
            first_name: user.first_name.clone(),
            last_name: user.last_name.clone(),
            name: user.name.clone(),
            external_id: user.external_id.clone(),
            metadata: user.metadata.clone(),
            password_hash: hash.cloned(),
            ..NewUser::default()
        };
        let created = users::create(self.tx, new);
        let Some(created) = self.accept(path, created) else {
            return;
        };
        self.seeded.add("users", &created.email, &created.id);
        self.identity(path, user, &created);
        if let Some(secret) = &user.totp {
            self.totp(&path(), &created, secret);
        }
    }

    fn organization(&mut self, at: usize, organization: &SeedOrganization) -> Option<String> {
        let path = || format!("organizations[{at}]");
        let seeded = organization;
        let entitlements = &organization.entitlements;
        if let Some(id) = &organization.id
            && self.tx.organizations.get(id).is_some()
        {
            self.taken(format!("{}.id", path()), id);
            return None;
        }
        if self.organizations.contains_key(&organization.name) {
            self.taken(format!("{}.name", path()), &organization.name);
            return None;
        }
        let domain_data = organization.domains.iter().map(|domain| DomainData {
            domain: domain.domain.clone(),
            state: domain.state,
        });
        let new = CreateOrganization {
            id: organization.id.clone(),
            name: organization.name.clone(),
            allow_profiles_outside_organization: organization.allow_profiles_outside_organization,
            domain_data: domain_data.collect(),
            metadata: organization.metadata.clone(),
            external_id: organization.external_id.clone(),
            ..CreateOrganization::default()
        };
        let created = organizations::create(self.tx, new);
        let organization = self.accept(path, created)?;
        self.organizations
            .insert(organization.name.clone(), organization.id.clone());
        self.seeded
            .add("organizations", &organization.name, &organization.id);
        if !entitlements.is_empty() {
            let set = entitlements::set(self.tx, &organization.id, entitlements.clone());
            self.accept(path, set);
        }
        self.policies(path, seeded, &organization.id);
        Some(organization.id.clone())
    }

    fn membership(&mut self, path: &str, organization_id: &str, membership: &SeedMembership) {
        let Some(user_id) = self.user_id(|| format!("{path}.email"), &membership.email) else {
            return;
        };
        if let Some(role) = &membership.role
            && roles::find(self.tx, organization_id, role).is_none()
        {
            let problem = Problem::new(format!("{path}.role"), "no role has this slug");
            self.problems.push(problem.got(role.as_str()));
            return;
        }
        let new = NewMembership {
            id: None,
            user_id,
            organization_id: organization_id.to_owned(),
            roles: membership.role.iter().cloned().collect(),
            status: membership.status,
            directory_id: None,
        };
        let created = memberships::create(self.tx, new);
        if self.accept(|| path.to_owned(), created).is_some() {
            self.seeded.count("memberships");
        }
    }

    /// The user with this e-mail address, or a problem of this place.
    fn user_id(&mut self, path: impl FnOnce() -> String, email: &str) -> Option<String> {
        let found = users::find_by_email(self.tx, email).map(|user| user.id.clone());
        if found.is_none() {
            let problem = Problem::new(path(), "no user has this e-mail address");
            self.problems.push(problem.got(email));
        }
        found
    }

    fn hooks(&mut self, document: &Document) {
        for (at, hook) in document.error_hooks.iter().enumerate() {
            let new = NewHook {
                method: hook.method.clone(),
                path: hook.path.clone(),
                status: hook.status,
                body: hook.body.clone(),
                count: hook.count,
            };
            let created = hooks::create(self.tx, new);
            if self.accept(|| format!("errorHooks[{at}]"), created).is_some() {
                self.seeded.count("errorHooks");
            }
        }
    }

    fn webhook_endpoints(&mut self, document: &Document) {
        for (at, endpoint) in document.webhook_endpoints.iter().enumerate() {
            let new = CreateWebhookEndpoint {
                endpoint_url: endpoint.endpoint_url.clone(),
                events: endpoint.events.clone(),
                status: if endpoint.enabled {
                    EndpointStatus::Enabled
                } else {
                    EndpointStatus::Disabled
                },
                secret: endpoint.secret.clone(),
            };
            let created = webhooks::create(self.tx, new);
            if let Some(endpoint) = self.accept(|| format!("webhookEndpoints[{at}]"), created) {
                self.seeded
                    .add("webhookEndpoints", &endpoint.endpoint_url, &endpoint.id);
            }
        }
    }

    fn taken(&mut self, path: String, name: &str) {
        self.problems
            .push(Problem::new(path, "is used already").got(name));
    }
}
