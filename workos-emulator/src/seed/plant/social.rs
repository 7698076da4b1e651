//! What a seed says of identities and of organizations' policies.

use super::Planting;
use crate::{
    api::user_management::{
        identities::{self, Account},
        organization_policies::{self, PolicyChanges},
        users::User,
    },
    seed::format::{SeedOrganization, SeedUser},
    server::body::Patch,
};

impl Planting<'_, '_> {
    /// Links the account that a user has at a provider.
    pub(super) fn identity(&mut self, path: impl FnOnce() -> String, seed: &SeedUser, user: &User) {
        let Some(provider) = seed.oauth_provider else {
            return;
        };
        let usual = Account::usual(provider, &user.email);
        let account = Account {
            idp_id: seed.oauth_idp_id.clone().unwrap_or_else(|| usual.idp_id.clone()),
            ..usual
        };
        let linked = identities::link(self.tx, &user.id, account);
        self.accept(|| format!("{}.oauth_idp_id", path()), linked);
    }

    /// Sets the policies of an organization.
    pub(super) fn policies(&mut self, path: impl FnOnce() -> String, seed: &SeedOrganization, id: &str) {
        let changes = PolicyChanges {
            domain_policy: seed.domain_policy.clone().map_or(Patch::Keep, Patch::Set),
            organization_policy: seed.organization_policy.map_or(Patch::Keep, Patch::Set),
        };
        if changes != PolicyChanges::default() {
            let changed = organization_policies::change(self.tx, id, changes);
            self.accept(path, changed);
        }
    }
}
