//! Connect applications. Each gets a client secret, so that there is one to use.

use std::sync::Arc;

use super::{
    super::format::{Document, SeedConnectApplication},
    Planting, Problem,
};
use crate::{
    api::connect::{
        applications::{self, Kind, NewApplication, OAuth, Party},
        client_secrets,
        redirect_uris::{self, RedirectUriInput},
    },
    environment::Environment,
    server::registry::Registry,
};

/// The client ids that applications of other environments have.
pub(super) fn taken_client_ids<'a>(
    document: &'a Document,
    registry: &'a Registry,
    own: &'a Arc<Environment>,
) -> impl Iterator<Item = Problem> + use<'a> {
    let applications = document.connect_applications.iter().enumerate();
    applications.filter_map(|(at, application)| {
        let client_id = application.client_id.as_deref()?;
        let owner = registry.by_client_id(client_id)?;
        let known = applications::by_client_id(&owner.state(), client_id).is_some();
        let taken = owner.id != own.id && (known || owner.client_id == client_id);
        taken.then(|| {
            let path = format!("connectApplications[{at}].client_id");
            Problem::new(path, "another environment has this client id").got(client_id)
        })
    })
}

impl Planting<'_, '_> {
    pub(super) fn connect_applications(&mut self, document: &Document) {
        for (at, application) in document.connect_applications.iter().enumerate() {
            self.connect_application(&format!("connectApplications[{at}]"), application);
        }
    }

    /// What it may ask for need not be a permission: like the rest of a seed, it is there already.
    fn connect_application(&mut self, path: &str, seed: &SeedConnectApplication) {
        let organization_id = match &seed.organization {
            None => None,
            Some(name) => match self.organizations.get(name) {
                Some(id) => Some(id.clone()),
                None => {
                    let problem =
                        Problem::new(format!("{path}.organization"), "no organization has this name");
                    self.problems.push(problem.got(name.as_str()));
                    return;
                }
            },
        };
        let kind = match (seed.is_oauth, organization_id) {
            (false, Some(organization_id)) => Kind::M2m { organization_id },
            (false, None) => return, // told when the seed was read
            (true, owner) => {
                let inputs = seed
                    .redirect_uris
                    .iter()
                    .map(|uri| RedirectUriInput::new(uri.as_str()))
                    .collect();
                let Some(redirect_uris) = self.accept(|| path.to_owned(), redirect_uris::checked(inputs))
                else {
                    return;
                };
                let third = |organization_id| Party::Third { organization_id };
                Kind::OAuth(OAuth {
                    redirect_uris,
                    uses_pkce: seed.uses_pkce,
                    party: owner.map_or(Party::First, third),
                })
            }
        };
        let new = NewApplication {
            client_id: seed.client_id.clone(),
            description: seed.description.clone(),
            scopes: seed.scopes.clone(),
            audience: seed.audience.clone(),
            ..NewApplication::named(&seed.name, kind)
        };
        let created = applications::create(self.tx, new);
        let Some(application) = self.accept(|| path.to_owned(), created) else {
            return;
        };
        self.seeded
            .add("connectApplications", &application.name, &application.client_id);
        let secret = match &seed.client_secret {
            Some(value) => client_secrets::put(self.tx, &application.id, value.expose()).map(drop),
            None => client_secrets::create(self.tx, &application.id).map(drop),
        };
        self.accept(|| format!("{path}.client_secret"), secret);
    }
}
