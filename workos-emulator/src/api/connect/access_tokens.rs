//! Access tokens and ID tokens of Connect: what is in them, and whether one that is presented is still good. Source:
//! <https://workos.com/docs/reference/workos-connect/token>.
//!
//! They are signed with the key that signs AuthKit's access tokens.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::{
    applications::{self, ConnectApplication, Kind},
    consents::ConnectConsent,
    scopes,
};
use crate::{
    api::user_management::{jwt_template, users::User},
    core::clock,
    server::{call::Call, error::ApiError},
    store::{Expiring, Record, State, Transaction},
};

/// An access token that was made invalid before its time, by the `jti` that it has. Those whose consent is gone are known
/// by that.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct RevokedConnectToken {
    id: String,
    #[serde(with = "clock::timestamp")]
    expires_at: Timestamp,
}

impl Record for RevokedConnectToken {
    const REMEMBERS_DELETED: bool = false;

    fn id(&self) -> &str {
        &self.id
    }
}

impl Expiring for RevokedConnectToken {
    fn expires_at(&self) -> Timestamp {
        self.expires_at
    }
}

/// An access token that was given out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Issued {
    jti: String,
    #[serde(with = "clock::timestamp")]
    pub(super) expires_at: Timestamp,
}

/// Makes access tokens invalid before their time, for whoever asks the emulator about them.
pub(super) fn revoke(tx: &mut Transaction<'_>, issued: &[Issued]) -> Result<(), ApiError> {
    let now = tx.now();
    for token in issued.iter().filter(|token| token.expires_at > now) {
        tx.put_expiring(RevokedConnectToken {
            id: token.jti.clone(),
            expires_at: token.expires_at,
        })?;
    }
    Ok(())
}

/// `iss` of Connect's tokens: as set, else the AuthKit domain.
pub(super) fn issuer(call: &Call) -> String {
    let set = call.environment.state().settings().issuer.clone();
    set.unwrap_or_else(|| call.base_url())
}

/// What the tokens of a person are made of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Authorization {
    pub(super) scopes: Vec<String>,
    /// `aud` of the access token (RFC 8707).
    pub(super) resource: Option<String>,
    /// What the person chose on the consent page, by the names of the claims.
    pub(super) claims: Map<String, Value>,
    /// When they signed in, in seconds; `None` where the application did not ask.
    pub(super) auth_time: Option<i64>,
}

fn lifetime(state: &State) -> SignedDuration {
    SignedDuration::from_secs(state.settings().access_token_lifetime.into())
}

/// The claims of a new access token of a person.
///
/// The JWT template applies, except to what the emulator itself relies on. `client_id` and `scope` are as RFC 9068 has
/// them: published clients of production read them, and the documentation does not list them.
pub(super) fn for_user(
    tx: &mut Transaction<'_>,
    issuer: &str,
    application: &ConnectApplication,
    consent: &ConnectConsent,
    user: &User,
    authorization: &Authorization,
) -> Result<(Map<String, Value>, Issued), ApiError> {
    let mut claims = jwt_template::claims(tx, user, consent.organization_id.as_deref())?;
    let environment = tx.client_id().to_owned();
    let audience = application.audience.clone().unwrap_or(environment);
    claims.entry("aud").or_insert(audience.into());
    if let Some(resource) = &authorization.resource {
        claims.insert("aud".to_owned(), resource.as_str().into());
    }
    claims.extend(authorization.claims.clone());
    let own = json!({
        "iss": issuer,
        "sub": user.id,
        "sid": consent.id,
        "client_id": application.client_id,
        "scope": authorization.scopes.join(" "),
    });
    let own = own.as_object().cloned().unwrap_or_default();
    claims.extend(own);
    match &consent.organization_id {
        Some(id) => drop(claims.insert("org_id".to_owned(), id.as_str().into())),
        None => drop(claims.remove("org_id")),
    }
    let issued = stamped(tx, &mut claims);
    Ok((claims, issued))
}

/// The claims of a new access token of an M2M application. The documentation lists no `aud`.
pub(super) fn for_machine(
    tx: &mut Transaction<'_>,
    issuer: &str,
    application: &ConnectApplication,
    organization_id: &str,
    scopes: &[String],
) -> Map<String, Value> {
    let mut claims = Map::new();
    let mut insert = |name: &str, value: &str| claims.insert(name.to_owned(), value.into());
    insert("iss", issuer);
    insert("sub", &application.client_id);
    insert("org_id", organization_id);
    if let Some(audience) = &application.audience {
        insert("aud", audience);
    }
    if !scopes.is_empty() {
        insert("scope", &scopes.join(" "));
    }
    stamped(tx, &mut claims);
    claims
}

fn stamped(tx: &mut Transaction<'_>, claims: &mut Map<String, Value>) -> Issued {
    let expires_at = clock::saturating_add(tx.now(), lifetime(tx));
    let jti = tx.ulid();
    claims.insert("jti".to_owned(), jti.as_str().into());
    claims.insert("iat".to_owned(), tx.now().as_second().into());
    claims.insert("exp".to_owned(), expires_at.as_second().into());
    Issued { jti, expires_at }
}

/// The claims of an ID token (OpenID Connect Core 1.0 section 2), where one was asked for.
pub(super) fn id_token(
    tx: &Transaction<'_>,
    issuer: &str,
    application: &ConnectApplication,
    user: &User,
    authorization: &Authorization,
    nonce: Option<&str>,
) -> Option<Map<String, Value>> {
    let has_openid = authorization.scopes.iter().any(|scope| scope == scopes::OPENID);
    if !has_openid {
        return None;
    }
    let mut claims = about(user, &authorization.scopes);
    let mut insert = |name: &str, value: Value| claims.insert(name.to_owned(), value);
    insert("iss", issuer.into());
    insert("aud", application.client_id.as_str().into());
    insert("iat", tx.now().as_second().into());
    insert(
        "exp",
        clock::saturating_add(tx.now(), lifetime(tx)).as_second().into(),
    );
    if let Some(nonce) = nonce {
        insert("nonce", nonce.into());
    }
    if let Some(at) = authorization.auth_time {
        insert("auth_time", at.into());
    }
    Some(claims)
}

/// What an application with these scopes gets to know about a person. Names that they do not have are left out.
pub(super) fn about(user: &User, granted: &[String]) -> Map<String, Value> {
    let has = |scope: &str| granted.iter().any(|granted| granted == scope);
    let mut claims = Map::new();
    let mut insert = |name: &str, value: Value| claims.insert(name.to_owned(), value);
    insert("sub", user.id.as_str().into());
    if has(scopes::PROFILE) {
        for (claim, name) in [
            ("name", &user.name),
            ("given_name", &user.first_name),
            ("family_name", &user.last_name),
        ] {
            if let Some(name) = name {
                insert(claim, name.as_str().into());
            }
        }
    }
    if has(scopes::EMAIL) {
        insert("email", user.email.as_str().into());
        insert("email_verified", user.email_verified.into());
    }
    claims
}

/// The claims of an access token that was presented.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(super) struct Claims {
    pub(super) iss: String,
    pub(super) sub: String,
    pub(super) sid: Option<String>,
    pub(super) org_id: Option<String>,
    pub(super) scope: Option<String>,
    pub(super) jti: String,
    pub(super) iat: i64,
    pub(super) exp: i64,
}

/// An access token that is good.
#[derive(Debug, Clone)]
pub(super) struct Active {
    pub(super) claims: Claims,
    pub(super) application: Arc<ConnectApplication>,
    /// Whom it is about; none for a machine's.
    pub(super) user: Option<Arc<User>>,
}

/// The access token, if it is one of Connect's, its time is not over, and nobody took it back. Others that the same key
/// signed are none: AuthKit's have the id of a session for `sid`, ID tokens have no `jti`.
pub(super) fn active(state: &State, now: Timestamp, token: &str) -> Option<Active> {
    let claims: Claims = state.keys().verify(token, now).ok()?;
    if state.revoked_connect_tokens.get(&claims.jti).is_some() {
        return None;
    }
    let Some(sid) = &claims.sid else {
        let application = applications::by_client_id(state, &claims.sub)?;
        let Kind::M2m { organization_id } = &application.kind else {
            return None;
        };
        let is_own = claims.org_id.as_ref() == Some(organization_id);
        return is_own.then(|| Active {
            application: Arc::clone(application),
            claims: claims.clone(),
            user: None,
        });
    };
    let consent = state.connect_consents.get(sid)?;
    let is_about = consent.user_id == claims.sub && consent.organization_id == claims.org_id;
    if !is_about || !consent.is_in_force(state) {
        return None;
    }
    Some(Active {
        application: Arc::clone(state.connect_applications.get(&consent.application_id)?),
        user: Some(Arc::clone(state.users.get(&consent.user_id)?)),
        claims,
    })
}
