//! A session without a browser.

use serde::Deserialize;

use crate::{
    api::user_management::{
        authenticate::{
            Attempt,
            client::Client,
            method::{self, AuthenticationMethod},
            sign_in::{self, Authentication, SignIn},
            sign_in_methods,
        },
        authorize,
        sessions::Device,
        users,
    },
    environment::Environment,
    server::{call::Call, error::ApiError, reply::Reply},
};

/// Who is to be signed in, and how.
#[derive(Debug, Clone, Default, Deserialize)]
pub(crate) struct WantedSignIn {
    pub(crate) user_id: Option<String>,
    pub(crate) email: Option<String>,
    pub(crate) organization_id: Option<String>,
    /// The usual one of the user unless given: `Password` for who has one.
    pub(crate) authentication_method: Option<AuthenticationMethod>,
}

/// `POST /_emulate/sign_in`: a session as after a sign-in in a browser, with the same events. The tokens are those of the
/// environment's own client.
pub(super) fn sign_in(call: &Call) -> Result<Reply, ApiError> {
    let environment = &call.environment;
    let wanted = call.body()?;
    let authentication = sign_in_as(environment, &call.base_url(), &wanted, authorize::device(call))?;
    authentication.reply(environment.state().keys())
}

/// Signs a user in whose credential, and address, nobody checks.
pub(crate) fn sign_in_as(
    environment: &Environment,
    base_url: &str,
    wanted: &WantedSignIn,
    device: Device,
) -> Result<Authentication, ApiError> {
    let client = Client::new(&environment.state(), base_url, &environment.client_id);
    environment.transact(|tx| -> Attempt<Authentication> {
        let user = users::by_id_or_email(tx, wanted.user_id.as_deref(), wanted.email.as_deref())?.clone();
        let method = wanted
            .authentication_method
            .unwrap_or_else(|| sign_in_methods::usual(tx, &user.id));
        method::succeeded(tx, method, &user, &device)?;
        // Nobody is there to show more: what was not asked for counts as shown.
        let sign_in = SignIn {
            skips_email_verification: true,
            second_factor: true,
            ..SignIn::new(&user.id, method, device)
        };
        let sign_in = sign_in.to(wanted.organization_id.as_deref());
        sign_in::sign_in(tx, &client, sign_in)
    })?
}

#[cfg(test)]
mod tests;
