//! Keys of the environment, and of organizations and their users.

use super::{super::format::SeedApiKey, Planting, Problem};
use crate::{
    api::api_keys::{self, NewApiKey, Owner},
    server::{api_key::SecretKey, error::ApiError},
};

impl Planting<'_, '_> {
    /// Each key opens the API of the environment; one that names an organization is an API key of it, or of its user, as
    /// well. Only a seed makes keys that are both.
    pub(super) fn api_keys(&mut self, keys: &[SeedApiKey]) {
        for key in keys {
            let value = match &key.value {
                Some(value) => value.expose().to_owned(),
                None => format!("sk_test_{}", self.tx.token(32)),
            };
            let new = SecretKey {
                expires_at: key.expires_at,
                ..SecretKey::new(&value)
            };
            if self.tx.secret_keys.get(&new.id).is_some() {
                let problem = Problem::new(&key.path, "this key is there already");
                self.problems.push(problem);
                continue;
            }
            let kept = self.tx.put(new).map_err(ApiError::from);
            if self.accept(|| key.path.clone(), kept).is_some() {
                self.seeded.count("apiKeys");
            }
            if let Some(organization) = &key.organization {
                self.owned_api_key(key, organization, &value);
            }
        }
    }

    fn owned_api_key(&mut self, key: &SeedApiKey, organization: &str, value: &str) {
        let Some(organization_id) = self.organizations.get(organization).cloned() else {
            let path = format!("{}.organization", key.path);
            let problem = Problem::new(path, "no organization has this name");
            self.problems.push(problem.got(organization));
            return;
        };
        let owner = match &key.user_id {
            Some(id) => Owner::User {
                id: id.clone(),
                organization_id,
            },
            None => Owner::Organization { id: organization_id },
        };
        let new = NewApiKey {
            owner,
            name: key.name.clone(),
            permissions: key.permissions.clone(),
            expires_at: key.expires_at,
        };
        let created = api_keys::seed(self.tx, new, value);
        self.accept(|| key.path.clone(), created);
    }
}
