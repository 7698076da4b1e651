//! `Impersonator`: who acts as the person.

use std::future::Ready;

use actix_web::{FromRequest, HttpRequest, dev::Payload};
use serde::{Deserialize, Serialize};

use super::part_of;
use crate::{Actor, AuthError, Requirement};

/// The WorkOS dashboard user behind an impersonated session.
///
/// As a handler argument it requires an impersonated session (403 without); `Option<Impersonator>` is for a banner that
/// says so on every page.
///
/// ```
/// use workos_actix::{AuthUser, Impersonator};
///
/// async fn banner(user: AuthUser, impersonator: Option<Impersonator>) -> String {
///     match impersonator {
///         Some(impersonator) => format!("{} acts as {}", impersonator.email, user.email()),
///         None => String::new(),
///     }
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Impersonator {
    /// The impersonator's e-mail address.
    pub email: String,
    /// Why, in the impersonator's words. A bare access token does not say.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub reason: Option<String>,
}

impl Impersonator {
    pub(crate) fn of_actor(actor: &Actor) -> Self {
        Self {
            email: actor.sub.clone(),
            reason: None,
        }
    }
}

impl FromRequest for Impersonator {
    type Error = AuthError;
    type Future = Ready<Result<Self, AuthError>>;

    fn from_request(request: &HttpRequest, _payload: &mut Payload) -> Self::Future {
        part_of(request, Requirement::Impersonation, |context| {
            context.impersonator().cloned()
        })
    }
}
