//! Authenticator apps of a seed's users.

use super::Planting;
use crate::{
    api::{
        multi_factor_auth::factors::{self, NewTotp},
        user_management::users::User,
    },
    core::totp::TotpSecret,
};

impl Planting<'_, '_> {
    pub(super) fn totp(&mut self, path: &str, user: &User, secret: &TotpSecret) {
        let new = NewTotp {
            secret: Some(secret.clone()),
            ..NewTotp::default()
        };
        let enrolled = factors::enroll_totp(self.tx, user, new);
        self.accept(|| format!("{path}.totp"), enrolled);
    }
}
