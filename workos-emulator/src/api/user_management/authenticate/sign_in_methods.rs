//! Which ways in an environment has on.

use super::method::AuthenticationMethod;
use crate::{
    api::user_management::{identities, providers, users},
    server::error::ApiError,
    store::State,
};

/// Whether people may come this way. Providers can be named by `provider=…` whether the pages show them or not.
pub(crate) fn is_on(state: &State, method: AuthenticationMethod) -> bool {
    let methods = &state.settings().sign_in_methods;
    match method {
        AuthenticationMethod::Password => methods.password,
        AuthenticationMethod::MagicAuth => methods.magic_auth,
        AuthenticationMethod::Passkey => methods.passkey,
        _ => true,
    }
}

/// How a user comes who does not say how: with the password they have, else through their provider, else by whatever
/// is on.
pub(crate) fn usual(state: &State, user_id: &str) -> AuthenticationMethod {
    let methods = &state.settings().sign_in_methods;
    let password = methods.password.then_some(AuthenticationMethod::Password);
    let has_password = users::password::find(state, user_id).is_some();
    password
        .filter(|_| has_password)
        .or_else(|| {
            identities::of_user(state, user_id)
                .next()
                .map(|identity| identity.account.provider)
        })
        .or(password)
        .or_else(|| methods.magic_auth.then_some(AuthenticationMethod::MagicAuth))
        .or_else(|| Some(providers::by_slug(methods.providers.first()?)?.method))
        .unwrap_or(AuthenticationMethod::Password)
}

const NOT_ALLOWED: &str = "authentication_method_not_allowed";
const REASON: &str = "The environment does not allow this authentication method.";

/// The refusal of a sign-in that began in a way that is off by now, for grants of what people enter.
pub(super) fn not_allowed() -> ApiError {
    ApiError::new(403, NOT_ALLOWED, REASON)
}

/// The same for the exchange of a code.
///
/// Assumption: the API's description lists both shapes, and does not say which is for what.
pub(super) fn not_allowed_for_code() -> ApiError {
    ApiError::oauth(NOT_ALLOWED, REASON)
}
