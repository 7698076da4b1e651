//! Users, organizations and roles of a test's set-up.

use super::{EmulatedEnvironment, EmulatorError};
use crate::{
    api::{
        authorization::{
            permissions::{self, NewPermission},
            roles::{self, NewRole},
        },
        multi_factor_auth::factors::{self, NewTotp},
        organizations::{
            self, CreateOrganization,
            domains::{DomainData, WantedState},
        },
        user_management::{
            authenticate::method::AuthenticationMethod,
            identities::{self, Account},
            memberships::{self, MembershipStatus, NewMembership},
            organization_policies::{self, DomainPolicy, OrganizationPolicy, PolicyChanges},
            providers,
            users::{self, NewUser},
        },
    },
    core::{password::PasswordHash, secret::Secret, totp::TotpSecret},
    server::{body::Patch, error::ApiError},
    store::Transaction,
};

/// A user that was created.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct User {
    /// `user_…`
    pub id: String,
    /// The e-mail address.
    pub email: String,
}

/// An organization that was created.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Organization {
    /// `org_…`
    pub id: String,
    /// The name.
    pub name: String,
}

/// A role that was created.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Role {
    /// `role_…`
    pub id: String,
    /// What tokens call it.
    pub slug: String,
}

/// A user to be created. The e-mail address is verified, unless [`email_verified`](Self::email_verified) says otherwise.
#[derive(Debug)]
#[must_use = "call create() to create the user"]
pub struct UserBuilder {
    environment: EmulatedEnvironment,
    new: NewUser,
    password: Option<Secret>,
    /// Of an authenticator app.
    totp: Option<Secret>,
    /// Organization id and role slug.
    memberships: Vec<(String, String)>,
    /// Provider and account id.
    identities: Vec<(String, String)>,
}

impl UserBuilder {
    pub(super) fn new(environment: EmulatedEnvironment, email: String) -> Self {
        Self {
            environment,
            new: NewUser {
                email,
                email_verified: true,
                ..NewUser::default()
            },
            password: None,
            totp: None,
            memberships: Vec::new(),
            identities: Vec::new(),
        }
    }

    /// The id, where it has to be a known one.
    pub fn id(mut self, id: impl Into<String>) -> Self {
        self.new.id = Some(id.into());
        self
    }

    /// The password to sign in with. It is not subject to the password policy.
    pub fn password(mut self, password: impl Into<String>) -> Self {
        self.password = Some(Secret::new(password));
        self
    }

    /// Enrolls an authenticator app with this secret, in base32: `JBSWY3DPEHPK3PXP`. Sign-ins ask for its codes then; see
    /// [`totp_code`](EmulatedEnvironment::totp_code).
    pub fn totp(mut self, secret: impl Into<String>) -> Self {
        self.totp = Some(Secret::new(secret));
        self
    }

    /// The first name.
    pub fn first_name(mut self, name: impl Into<String>) -> Self {
        self.new.first_name = Some(name.into());
        self
    }

    /// The last name.
    pub fn last_name(mut self, name: impl Into<String>) -> Self {
        self.new.last_name = Some(name.into());
        self
    }

    /// The id that your own system has for the user.
    pub fn external_id(mut self, id: impl Into<String>) -> Self {
        self.new.external_id = Some(id.into());
        self
    }

    /// Whether the e-mail address is verified. Default: yes. Who signs in with one that is not has to type a code first, which
    /// is in the [mailbox](EmulatedEnvironment::mailbox).
    pub fn email_verified(mut self, verified: bool) -> Self {
        self.new.email_verified = verified;
        self
    }

    /// Makes the user an active member of the organization with this role. Once for each organization.
    pub fn member_of(mut self, organization: &Organization, role: impl Into<String>) -> Self {
        self.memberships.push((organization.id.clone(), role.into()));
        self
    }

    /// Links the account that the user has at a provider of social login: its name as in
    /// `authentication_method` (`GoogleOAuth`, `GitHubOAuth`, …), and the account's id there.
    ///
    /// Source: <https://workos.com/docs/authkit/identity-linking>.
    pub fn identity(mut self, provider: impl Into<String>, idp_id: impl Into<String>) -> Self {
        self.identities.push((provider.into(), idp_id.into()));
        self
    }

    /// Creates the user, the memberships and the identities, all or nothing. Hashing the password takes a few milliseconds.
    ///
    /// # Errors
    /// When the e-mail address or an account is wrong or taken, there is no such role or provider, or the secret of
    /// [`totp`](Self::totp) is no base32.
    pub fn create(self) -> Result<User, EmulatorError> {
        let what = format!("creating the user {}", self.new.email);
        let environment = &self.environment.inner;
        let hash = self
            .password
            .map(|password| PasswordHash::create(password.expose(), &mut environment.randomness()))
            .transpose()
            .map_err(|error| EmulatorError::Option {
                option: "password",
                reason: error.to_string(),
            })?;
        let totp = self.totp.map(|secret| TotpSecret::parse(secret.expose()));
        let totp = totp.transpose().map_err(|error| EmulatorError::Option {
            option: "totp",
            reason: error.to_string(),
        })?;
        let new = NewUser {
            password_hash: hash,
            ..self.new
        };
        let created = environment.transact(|tx| {
            check_id_is_free(new.id.as_deref(), |id| tx.users.get(id).is_some())?;
            let user = users::create(tx, new)?;
            if let Some(secret) = totp {
                let new = NewTotp {
                    secret: Some(secret),
                    ..NewTotp::default()
                };
                factors::enroll_totp(tx, &user, new)?;
            }
            for (organization_id, role) in self.memberships {
                let membership = NewMembership {
                    id: None,
                    user_id: user.id.clone(),
                    organization_id,
                    roles: vec![role],
                    status: MembershipStatus::Active,
                    directory_id: None,
                };
                memberships::create(tx, membership)?;
            }
            for (provider, idp_id) in self.identities {
                link(tx, &user, &provider, idp_id)?;
            }
            Ok(user)
        });
        let user = created.map_err(EmulatorError::refused(what))?;
        Ok(User {
            id: user.id.clone(),
            email: user.email.clone(),
        })
    }
}

/// Links an account with the user's own address.
fn link(
    tx: &mut Transaction<'_>,
    user: &users::User,
    provider: &str,
    idp_id: String,
) -> Result<(), ApiError> {
    let provider = providers::by_slug(provider).ok_or_else(|| ApiError::not_found("Provider", provider))?;
    let usual = Account::usual(provider, &user.email);
    identities::link(tx, &user.id, Account { idp_id, ..usual })
}

/// An organization to be created.
#[derive(Debug)]
#[must_use = "call create() to create the organization"]
pub struct OrganizationBuilder {
    environment: EmulatedEnvironment,
    new: CreateOrganization,
    /// Names of methods.
    allowed_methods: Vec<String>,
    policy: OrganizationPolicy,
}

impl OrganizationBuilder {
    pub(super) fn new(environment: EmulatedEnvironment, name: String) -> Self {
        Self {
            environment,
            new: CreateOrganization {
                name,
                ..CreateOrganization::default()
            },
            allowed_methods: Vec::new(),
            policy: OrganizationPolicy::default(),
        }
    }

    /// The id, where it has to be a known one.
    pub fn id(mut self, id: impl Into<String>) -> Self {
        self.new.id = Some(id.into());
        self
    }

    /// A verified domain.
    pub fn domain(mut self, domain: impl Into<String>) -> Self {
        self.new.domain_data.push(DomainData {
            domain: domain.into(),
            state: WantedState::Verified,
        });
        self
    }

    /// A domain that waits for its DNS record, as one that the API adds.
    pub fn pending_domain(mut self, domain: impl Into<String>) -> Self {
        self.new.domain_data.push(DomainData {
            domain: domain.into(),
            state: WantedState::Pending,
        });
        self
    }

    /// The id that your own system has for the organization.
    pub fn external_id(mut self, id: impl Into<String>) -> Self {
        self.new.external_id = Some(id.into());
        self
    }

    /// The domain policy: whoever has an address at a verified [`domain`](Self::domain) of the organization signs in by one
    /// of these methods, named as in `authentication_method` (`Password`, `MagicAuth`, `SSO`, `GoogleOAuth`, …).
    ///
    /// Source: <https://workos.com/docs/authkit/organization-policies>.
    pub fn allowed_methods<S: Into<String>>(mut self, methods: impl IntoIterator<Item = S>) -> Self {
        self.allowed_methods = methods.into_iter().map(Into::into).collect();
        self
    }

    /// The organization policy: whoever signs in to the organization comes through SSO.
    pub fn require_sso(mut self) -> Self {
        self.policy.sso_required = true;
        self
    }

    /// The organization policy: whoever signs in to the organization shows a second factor, unless they come through SSO.
    pub fn require_mfa(mut self) -> Self {
        self.policy.mfa_required = true;
        self
    }

    /// Creates the organization.
    ///
    /// # Errors
    /// When the name is empty, the domain is not one, or there is no such method.
    pub fn create(self) -> Result<Organization, EmulatorError> {
        let what = format!("creating the organization {}", self.new.name);
        let new = self.new;
        let created = self.environment.inner.transact(|tx| {
            check_id_is_free(new.id.as_deref(), |id| tx.organizations.get(id).is_some())?;
            let organization = organizations::create(tx, new)?;
            let methods: Vec<_> = self
                .allowed_methods
                .iter()
                .map(|name| method(name))
                .collect::<Result<_, _>>()?;
            let changes = PolicyChanges {
                domain_policy: if methods.is_empty() {
                    Patch::Keep
                } else {
                    Patch::Set(DomainPolicy {
                        auth_methods: methods,
                    })
                },
                organization_policy: if self.policy == OrganizationPolicy::default() {
                    Patch::Keep
                } else {
                    Patch::Set(self.policy)
                },
            };
            if changes != PolicyChanges::default() {
                organization_policies::change(tx, &organization.id, changes)?;
            }
            Ok(organization)
        });
        let organization = created.map_err(EmulatorError::refused(what))?;
        Ok(Organization {
            id: organization.id.clone(),
            name: organization.name.clone(),
        })
    }
}

fn method(name: &str) -> Result<AuthenticationMethod, ApiError> {
    serde_json::from_value(name.into()).map_err(|_| ApiError::not_found("Authentication method", name))
}

/// A role to be created.
#[derive(Debug)]
#[must_use = "call create() to create the role"]
pub struct RoleBuilder {
    environment: EmulatedEnvironment,
    new: NewRole,
}

impl RoleBuilder {
    pub(super) fn new(environment: EmulatedEnvironment, slug: &str) -> Self {
        Self {
            environment,
            new: NewRole::named(slug, slug),
        }
    }

    /// The name; without it, the slug.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.new.name = name.into();
        self
    }

    /// The slugs of its permissions. Those that do not exist yet are created.
    pub fn permissions<S: Into<String>>(mut self, slugs: impl IntoIterator<Item = S>) -> Self {
        self.new.permissions = slugs.into_iter().map(Into::into).collect();
        self
    }

    /// Gives it to members for whom no role is named.
    pub fn default_role(mut self) -> Self {
        self.new.is_default = true;
        self
    }

    /// Creates the role.
    ///
    /// # Errors
    /// When a slug is not one.
    pub fn create(self) -> Result<Role, EmulatorError> {
        let what = format!("creating the role {}", self.new.name);
        let new = self.new;
        let created = self.environment.inner.transact(|tx| {
            for slug in &new.permissions {
                if permissions::find(tx, slug).is_err() {
                    let permission = NewPermission {
                        slug: slug.clone(),
                        name: slug.clone(),
                        description: None,
                        resource_type_slug: None,
                    };
                    permissions::create(tx, permission)?;
                }
            }
            roles::seed(tx, new)
        });
        let role = created.map_err(EmulatorError::refused(what))?;
        Ok(Role {
            id: role.id.clone(),
            slug: role.slug.clone(),
        })
    }
}

/// The rules take a given id as it is: only a set-up gives one.
fn check_id_is_free(id: Option<&str>, is_taken: impl Fn(&str) -> bool) -> Result<(), ApiError> {
    match id {
        Some(id) if is_taken(id) => Err(ApiError::conflict(
            "id_taken",
            format!("The id '{id}' is used already."),
        )),
        _ => Ok(()),
    }
}
