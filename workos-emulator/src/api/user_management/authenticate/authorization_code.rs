//! The `authorization_code` grant, the end of every sign-in in a browser.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use url::Url;

use super::{
    Attempt,
    client::Client,
    method::AuthenticationMethod,
    oauth::{self, Arrival},
    sign_in::{Authentication, SignIn, sign_in},
    sign_in_methods, sso,
};
use crate::{
    api::{
        sso::sign_in::SsoArrival,
        user_management::{authorize::request::Callback, sessions::Device},
    },
    core::{clock, pkce::CodeChallenge, secret::Secret},
    server::{call::Call, error::ApiError},
    store::{Expiring, Index, Record, Transaction},
};

/// A code that was sent to an application. Its id is the digest of its value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct AuthorizationCode {
    id: String,
    /// None: no application asked for it, so it is for whichever has the environment's secret.
    client_id: Option<String>,
    redirect_uri: String,
    code_challenge: Option<CodeChallenge>,
    bearer: Bearer,
    #[serde(with = "clock::timestamp")]
    expires_at: Timestamp,
}

/// Who a code is for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Bearer {
    /// A user whose credential was checked.
    User(SignIn),
    /// Somebody who comes from a provider that the application named: it gets to see whatever is in their way.
    Arrival(Box<Arrival>),
    /// Somebody who comes through a connection, likewise.
    Sso(Box<SsoArrival>),
}

impl Bearer {
    fn method(&self) -> AuthenticationMethod {
        match self {
            Self::User(sign_in) => sign_in.method,
            Self::Arrival(arrival) => arrival.profile.account.provider,
            Self::Sso(_) => AuthenticationMethod::Sso,
        }
    }
}

impl Bearer {
    /// The sign-in through a connection that they come from.
    pub(crate) fn sso_session_id(&self) -> Option<&str> {
        match self {
            Self::User(sign_in) => sign_in.sso.as_ref().map(|sso| sso.session_id.as_str()),
            Self::Arrival(_) => None,
            Self::Sso(arrival) => Some(&arrival.session_id),
        }
    }
}

impl From<SignIn> for Bearer {
    fn from(sign_in: SignIn) -> Self {
        Self::User(sign_in)
    }
}

impl From<Arrival> for Bearer {
    fn from(arrival: Arrival) -> Self {
        Self::Arrival(Box::new(arrival))
    }
}

impl From<SsoArrival> for Bearer {
    fn from(arrival: SsoArrival) -> Self {
        Self::Sso(Box::new(arrival))
    }
}

/// By the user who may redeem it; an impersonator is somebody else.
const BY_USER: Index<AuthorizationCode> = Index::ordered("user", |code| match &code.bearer {
    Bearer::User(sign_in) if sign_in.impersonator.is_none() => vec![(sign_in.user_id.as_str().into(), 0)],
    _ => Vec::new(),
});

impl Record for AuthorizationCode {
    const INDEXES: &'static [Index<Self>] = &[BY_USER];

    fn id(&self) -> &str {
        &self.id
    }
}

impl Expiring for AuthorizationCode {
    fn expires_at(&self) -> Timestamp {
        self.expires_at
    }
}

/// A code for the application that sent `request`. Gates that are closed when it is redeemed hold `bearer` up then.
pub(crate) fn issue(
    tx: &mut Transaction<'_>,
    client_id: Option<&str>,
    callback: &Callback,
    code_challenge: Option<CodeChallenge>,
    bearer: impl Into<Bearer>,
) -> Result<Secret, ApiError> {
    let code = tx.token(25);
    let lifetime = SignedDuration::from_secs(tx.settings().authorization_code_lifetime.into());
    tx.put_expiring(AuthorizationCode {
        id: Secret::digest(&code),
        client_id: client_id.map(str::to_owned),
        redirect_uri: callback.redirect_uri.clone(),
        code_challenge,
        bearer: bearer.into(),
        expires_at: clock::saturating_add(tx.now(), lifetime),
    })?;
    Ok(Secret::new(code))
}

/// Forgets the codes of a user.
pub(super) fn forget(tx: &mut Transaction<'_>, user_id: &str) {
    let found = tx.authorization_codes.group(BY_USER, user_id);
    let ids: Vec<_> = found.map(|code| code.id.clone()).collect();
    for id in ids {
        tx.delete::<AuthorizationCode>(&id);
    }
}

/// `grant_type: authorization_code`
#[derive(Deserialize)]
struct Request {
    code: String,
    code_verifier: Option<String>,
    invitation_token: Option<String>,
    /// Not in WorkOS's API, but general OAuth libraries send it (RFC 6749 section 4.1.3).
    redirect_uri: Option<String>,
}

pub(super) fn grant(call: &Call, client: &Client) -> Result<Authentication, ApiError> {
    let request: Request = call.body()?;
    if !client.authenticated && request.code_verifier.is_none() {
        return Err(ApiError::oauth(
            "invalid_request",
            "Send the client_secret, or the code_verifier of a public client.",
        ));
    }
    let device: Device = call.body()?;
    call.environment
        .transact(|tx| redeem(tx, client, &request, device))?
}

/// Turns a code into a session. Whoever presents a code uses it up, whether or not they may: a code in wrong hands is
/// worth nothing to anybody.
fn redeem(
    tx: &mut Transaction<'_>,
    client: &Client,
    request: &Request,
    device: Device,
) -> Attempt<Authentication> {
    let now = tx.now();
    let code = tx.delete::<AuthorizationCode>(&Secret::digest(&request.code));
    let Some(code) = code.filter(|code| code.expires_at > now && code.is_for(client)) else {
        return Ok(Err(invalid_grant(
            "The code has expired or has already been used.",
        )));
    };
    if let Err(refusal) = code.check(client, request) {
        return Ok(Err(refusal));
    }
    if !sign_in_methods::is_on(tx, code.bearer.method()) {
        return Ok(Err(sign_in_methods::not_allowed_for_code()));
    }
    let token = request.invitation_token.as_deref();
    match code.bearer.clone() {
        Bearer::User(begun) => {
            let device = device.or(&begun.device);
            sign_in(tx, client, SignIn { device, ..begun }.invited_by(token))
        }
        Bearer::Arrival(arrival) => {
            let device = device.or(&arrival.device);
            let invitation = token.map(Secret::digest).or(arrival.invitation.clone());
            let arrival = Arrival {
                device,
                invitation,
                ..*arrival
            };
            oauth::sign_in(tx, client, arrival)
        }
        Bearer::Sso(arrival) => {
            let device = device.or(&arrival.device);
            sso::sign_in(tx, client, SsoArrival { device, ..*arrival })
        }
    }
}

/// What a code for a profile gives.
pub(crate) enum Redeemed {
    Arrival(Box<SsoArrival>),
    /// Nothing; and the sign-in that it was of, where that is known.
    Refused(ApiError, Option<String>),
}

/// Turns a code into whom it is for. It is used up likewise, and a code of AuthKit gives nothing here.
pub(crate) fn redeem_for_profile(
    tx: &mut Transaction<'_>,
    client: &Client,
    code: &str,
    code_verifier: Option<&str>,
) -> Result<Redeemed, ApiError> {
    let now = tx.now();
    let found = tx.delete::<AuthorizationCode>(&Secret::digest(code));
    let over = invalid_grant("The code has expired or has already been used.");
    let Some(found) = found else {
        return Ok(Redeemed::Refused(over, None));
    };
    let Bearer::Sso(arrival) = &found.bearer else {
        return Ok(Redeemed::Refused(over, None));
    };
    let session_id = Some(arrival.session_id.clone());
    let is_valid = found.expires_at > now && found.is_for(client) && arrival.for_profile;
    if !is_valid || tx.profiles.get(&arrival.profile_id).is_none() {
        return Ok(Redeemed::Refused(over, session_id));
    }
    let request = Request {
        code: code.to_owned(),
        code_verifier: code_verifier.map(str::to_owned),
        redirect_uri: None,
        invitation_token: None,
    };
    Ok(match found.check(client, &request) {
        Ok(()) => Redeemed::Arrival(arrival.clone()),
        Err(refusal) => Redeemed::Refused(refusal, session_id),
    })
}

/// The sign-in of a code that no application asked for and none has redeemed. It takes the code back.
pub(crate) fn reclaim(tx: &mut Transaction<'_>, code: &str) -> Option<SignIn> {
    let id = Secret::digest(code);
    let code = tx.unexpired::<AuthorizationCode>(&id)?;
    let sign_in = match &code.bearer {
        Bearer::User(sign_in) if code.client_id.is_none() => sign_in.clone(),
        Bearer::User(_) | Bearer::Arrival(_) | Bearer::Sso(_) => return None,
    };
    tx.delete::<AuthorizationCode>(&id);
    Some(sign_in)
}

impl AuthorizationCode {
    fn is_for(&self, client: &Client) -> bool {
        match &self.client_id {
            Some(id) => *id == client.id,
            None => client.authenticated,
        }
    }

    fn check(&self, client: &Client, request: &Request) -> Result<(), ApiError> {
        let same = |uri: &String| Url::parse(uri).is_ok_and(|url| url.as_str() == self.redirect_uri);
        if !request.redirect_uri.as_ref().is_none_or(same) {
            return Err(invalid_grant(
                "The redirect_uri is not the one of the authorization request.",
            ));
        }
        match (&self.code_challenge, &request.code_verifier) {
            (Some(challenge), Some(verifier)) if challenge.is_answered_by(verifier) => Ok(()),
            (Some(_), Some(_)) => Err(invalid_grant(
                "The code_verifier does not answer the code_challenge.",
            )),
            (Some(_), None) => Err(invalid_grant("The code_verifier is required.")),
            // A verifier that nothing asked for proves nothing.
            (None, Some(_)) => Err(ApiError::bad_request(
                "code_challenge_not_found",
                "The authorization request had no code_challenge.",
            )),
            (None, None) if client.authenticated => Ok(()),
            (None, None) => Err(ApiError::oauth(
                "invalid_client",
                "The client_secret is required.",
            )),
        }
    }
}

fn invalid_grant(description: &str) -> ApiError {
    ApiError::oauth("invalid_grant", description)
}

#[cfg(test)]
mod tests;
