//! Impersonation: somebody of the team signs in to the application as one of its users.
//!
//! Production starts it in the dashboard and has no operation for it; here the control API does. Source:
//! <https://workos.com/docs/authkit/impersonation>.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::{
    authenticate::{
        authorization_code,
        method::AuthenticationMethod,
        sign_in::{Destination, SignIn, destination},
    },
    authorize::request::Callback,
    sessions::Device,
    users,
};
use crate::{
    core::{clock, jwt::Impersonator, secret::Secret},
    server::error::ApiError,
    store::{Expiring, Index, Record, Transaction},
};

/// How long the link can be opened.
const LIFETIME: SignedDuration = SignedDuration::from_mins(10);

/// An impersonation that has not begun a session yet. Its id is the digest of the token in its link.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Impersonation {
    id: String,
    user_id: String,
    organization_id: Option<String>,
    impersonator: Impersonator,
    callback: Callback,
    /// The link was followed, in one browser: no other one can.
    opened: bool,
    #[serde(with = "clock::timestamp")]
    expires_at: Timestamp,
}

const BY_USER: Index<Impersonation> = Index::ordered("user", |row| vec![(row.user_id.as_str().into(), 0)]);

impl Record for Impersonation {
    const INDEXES: &'static [Index<Self>] = &[BY_USER];

    fn id(&self) -> &str {
        &self.id
    }
}

impl Expiring for Impersonation {
    fn expires_at(&self) -> Timestamp {
        self.expires_at
    }
}

/// Who is to be impersonated, by whom, and where.
#[derive(Debug)]
pub(crate) struct NewImpersonation {
    pub(crate) user_id: String,
    /// Required for a user with several organizations.
    pub(crate) organization_id: Option<String>,
    pub(crate) impersonator: Impersonator,
    /// The application's callback.
    pub(crate) callback: Callback,
}

/// Prepares an impersonation, and gives the token of the link that begins it.
pub(crate) fn create(tx: &mut Transaction<'_>, new: NewImpersonation) -> Result<Secret, ApiError> {
    users::find(tx, &new.user_id)?;
    let organization_id = match destination(tx, &new.user_id, new.organization_id.as_deref())? {
        Destination::NoOrganization => None,
        Destination::Organization(id) => Some(id),
        Destination::Choice(organizations) => {
            let ids: Vec<_> = organizations
                .into_iter()
                .map(|organization| organization.id)
                .collect();
            let message = format!(
                "The user is in several organizations: say which with organization_id ({}).",
                ids.join(", ")
            );
            return Err(ApiError::invalid_field("organization_id", "required", message));
        }
    };
    let token = tx.token(32);
    tx.put_expiring(Impersonation {
        id: Secret::digest(&token),
        user_id: new.user_id,
        organization_id,
        impersonator: new.impersonator,
        callback: new.callback,
        opened: false,
        expires_at: clock::saturating_add(tx.now(), LIFETIME),
    })?;
    Ok(Secret::new(token))
}

/// Follows the link, once: to the application's callback, with a code and without a state, as production does.
pub(crate) fn open(
    tx: &mut Transaction<'_>,
    token: &str,
    device: Device,
) -> Result<Option<String>, ApiError> {
    let found = tx.unexpired::<Impersonation>(&Secret::digest(token));
    let Some(found) = found.filter(|found| !found.opened).cloned() else {
        return Ok(None);
    };
    let opened = tx.put(Impersonation {
        opened: true,
        ..Impersonation::clone(&found)
    })?;
    let sign_in = opened.sign_in(device);
    let code = authorization_code::issue(tx, None, &opened.callback, None, sign_in)?;
    Ok(Some(opened.callback.with_code(code.expose())))
}

/// The sign-in of an application that takes no callback without a state, and so asks for a sign-in itself, in the browser
/// that followed the link.
pub(crate) fn resume(tx: &mut Transaction<'_>, token: &str, device: Device) -> Option<SignIn> {
    let found = tx
        .unexpired::<Impersonation>(&Secret::digest(token))
        .filter(|found| found.opened)?;
    let sign_in = found.sign_in(device);
    tx.delete::<Impersonation>(&Secret::digest(token));
    Some(sign_in)
}

/// Ends what is prepared for a user: it has begun a session, or the user is gone.
pub(crate) fn forget(tx: &mut Transaction<'_>, user_id: &str) {
    let ids: Vec<_> = tx
        .impersonations
        .group(BY_USER, user_id)
        .map(|row| row.id.clone())
        .collect();
    for id in ids {
        tx.delete::<Impersonation>(&id);
    }
}

impl Impersonation {
    fn sign_in(&self, device: Device) -> SignIn {
        SignIn {
            impersonator: Some(self.impersonator.clone()),
            ..SignIn::new(&self.user_id, AuthenticationMethod::Impersonation, device)
                .to(self.organization_id.as_deref())
        }
    }
}

#[cfg(test)]
mod tests;
