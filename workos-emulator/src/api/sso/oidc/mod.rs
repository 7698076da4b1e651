//! OpenID Connect: WorkOS as the relying party of an identity provider (OpenID Connect Core 1.0 section 3.1).
//!
//! * [`metadata`], [`providers`] – what a provider says of itself, fetched and remembered.
//! * here – what it is asked, and what its answer comes to: an assertion or a refusal.
//! * [`exchange`] – the code for tokens. [`id_token`] – whether they are to be believed. [`userinfo`] – what they lack.
//!
//! Each step and each check is told to the trace of the sign-in. The browser's part is `hosted::sso::oidc`.
//!
//! Only `login_hint` of what an application may send is handed on: `domain_hint`, `provider_scopes` and
//! `provider_query_params` are for other kinds of connections
//! (<https://workos.com/docs/reference/sso/get-authorization-url>). Nor can people begin at an OpenID provider: "OIDC
//! connections are always SP-initiated" (<https://workos.com/docs/sso/ux/sessions>).
//!
//! A provider's times are compared with the environment's clock, as all others are: whoever moves that by hours finds the
//! tokens of a provider with a clock of its own too old, or not valid yet, and the trace says so.

mod exchange;
mod id_token;
mod metadata;
mod providers;
mod userinfo;

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use url::Url;

use self::id_token::Expected;
pub(crate) use self::{metadata::Metadata, providers::Providers};
use super::{
    connections::{Connection, OidcOptions, ProtocolOptions},
    identity_provider::{self, Assertion, Refusal},
    sign_in::{SsoSession, Stage},
    traces::{self, StepName, Steps},
};
use crate::{
    core::{
        jws::{SignatureError, Signed},
        pkce::CodeChallenge,
        secret::Secret,
    },
    environment::Environment,
    server::error::ApiError,
    store::Transaction,
};

/// What a provider was asked: its answer has to fit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct OidcRequest {
    issuer: String,
    redirect_uri: String,
    nonce: Secret,
    code_verifier: Option<Secret>,
}

/// The redirect URI that a connection has at its provider: its own, else the usual one.
///
/// Assumption: `/sso/oidc/{external key}/callback`, which is registered with providers for production connections.
pub(crate) fn redirect_uri(base_url: &str, connection: &Connection) -> String {
    let own = match &connection.options {
        ProtocolOptions::Oidc(options) => options.redirect_uri.clone(),
        ProtocolOptions::None | ProtocolOptions::Saml(_) => None,
    };
    own.unwrap_or_else(|| format!("{base_url}/sso/oidc/{}/callback", connection.external_key))
}

/// What is asked of every provider, and the groups of those that know such a scope.
fn scopes(metadata: &Metadata) -> &'static str {
    if metadata.scopes.iter().any(|scope| scope == "groups") {
        "openid email profile groups"
    } else {
        "openid email profile"
    }
}

/// Asks a provider, and gives the address that the browser goes to (OpenID Connect Core 1.0 section 3.1.2.1).
pub(crate) fn ask(
    tx: &mut Transaction<'_>,
    session: &SsoSession,
    options: &OidcOptions,
    metadata: &Metadata,
    redirect_uri: String,
) -> Result<Url, ApiError> {
    let request = OidcRequest {
        issuer: metadata.issuer.clone(),
        redirect_uri,
        nonce: Secret::new(tx.token(32)),
        code_verifier: options.pkce.then(|| Secret::new(tx.token(64))),
    };
    let mut url = metadata.authorization_endpoint.clone();
    let mut query = url.query_pairs_mut();
    query
        .append_pair("response_type", "code")
        .append_pair("client_id", &options.client_id)
        .append_pair("redirect_uri", &request.redirect_uri)
        .append_pair("scope", scopes(metadata))
        .append_pair("state", session.state.expose())
        .append_pair("nonce", request.nonce.expose());
    if let Some(verifier) = &request.code_verifier {
        query
            .append_pair("code_challenge", CodeChallenge::of(verifier.expose()).as_str())
            .append_pair("code_challenge_method", "S256");
    }
    if let Some(hint) = &session.login_hint {
        query.append_pair("login_hint", hint);
    }
    drop(query);
    let discovered = format!("It is that of the issuer {}.", metadata.issuer);
    traces::step(tx, &session.id, StepName::Discovery, true, discovered)?;
    let departure = format!(
        "To {}, for {}, to come back to {}.",
        metadata.authorization_endpoint,
        scopes(metadata),
        request.redirect_uri
    );
    traces::step(tx, &session.id, StepName::Departure, true, departure)?;
    tx.put(session.at(Stage::Oidc(Box::new(request))))?;
    Ok(url)
}

/// Where a provider signs somebody out (OpenID Connect RP-Initiated Logout 1.0 section 2).
///
/// Source: single logout is for "OpenID Connect providers that brings the `revocation_endpoint` and `end_session_endpoint`"
/// (<https://workos.com/docs/sso/single-logout>). Assumption: nothing is revoked, as no token of theirs is kept.
pub(crate) fn end_session_url(
    options: &OidcOptions,
    metadata: &Metadata,
    idp_id: &str,
) -> Result<Url, String> {
    let endpoint = metadata.end_session_endpoint.as_ref().ok_or_else(|| {
        format!(
            "{} signs nobody out: it has no end_session_endpoint.",
            metadata.issuer
        )
    })?;
    let mut url = endpoint.clone();
    url.query_pairs_mut()
        .append_pair("client_id", &options.client_id)
        .append_pair("logout_hint", idp_id);
    Ok(url)
}

/// Somebody is back with an answer: no other answer counts any more.
pub(crate) fn answered(tx: &mut Transaction<'_>, session: &SsoSession) -> Result<Arc<SsoSession>, ApiError> {
    Ok(tx.put(session.at(Stage::Answered))?)
}

/// What a browser brings back from a provider (OpenID Connect Core 1.0 sections 3.1.2.5 and 3.1.2.6).
#[derive(Debug)]
pub(crate) struct Returned<'a> {
    pub(crate) code: Option<&'a str>,
    pub(crate) error: Option<&'a str>,
    pub(crate) error_description: Option<&'a str>,
    /// Who says so (RFC 9207).
    pub(crate) iss: Option<&'a str>,
}

impl Returned<'_> {
    /// The code, if it comes from the provider that was asked.
    fn code(&self, request: &OidcRequest, metadata: &Metadata) -> Result<&str, Refusal> {
        let asked = &request.issuer;
        if metadata.issuer != *asked {
            let reason = format!("{asked} was asked, and {} is set up by now.", metadata.issuer);
            return Err(Refusal::Untrusted(reason));
        }
        match self.iss {
            Some(iss) if iss != asked => {
                let reason = format!("the answer is from {iss}, and {asked} was asked.");
                return Err(Refusal::Untrusted(reason));
            }
            None if metadata.names_itself => {
                let reason = format!("{asked} says who it is (iss), and the answer does not.");
                return Err(Refusal::Untrusted(reason));
            }
            Some(_) | None => {}
        }
        match (self.error, self.code) {
            (Some("access_denied"), _) => Err(Refusal::Denied),
            (Some(error), _) => Err(Refusal::Failed(match self.error_description {
                Some(description) => format!("{error}: {description}"),
                None => format!("it answered with the error {error}."),
            })),
            (None, Some(code)) if !code.is_empty() => Ok(code),
            (None, _) => {
                let reason = "its answer has neither a code nor an error.";
                Err(Refusal::Failed(reason.to_owned()))
            }
        }
    }
}

/// What an answer comes to. Nothing of the environment's state is changed.
pub(crate) async fn conclude(
    environment: &Environment,
    connection: &Connection,
    request: &OidcRequest,
    returned: Returned<'_>,
    steps: &mut Steps,
) -> Result<Assertion, Refusal> {
    let ProtocolOptions::Oidc(options) = &connection.options else {
        let reason = "the connection has no OpenID provider any more.";
        return Err(Refusal::Failed(reason.to_owned()));
    };
    let providers = &environment.providers;
    let now = environment.clock.now();
    let metadata = providers.metadata(&options.discovery_endpoint, now).await;
    let metadata = steps
        .told(StepName::Discovery, metadata)
        .map_err(Refusal::Failed)?;
    let code = returned.code(request, &metadata)?;

    let tokens = exchange::redeem(environment, options, &metadata, request, code).await;
    let tokens = steps
        .told(StepName::TokenRequest, tokens)
        .map_err(Refusal::Failed)?;
    let detail = format!("{} gave tokens for the code.", metadata.token_endpoint);
    steps.passed(StepName::TokenRequest, detail);

    let claims = signed_claims(environment, options, &metadata, &tokens.id_token, steps).await?;
    let expected = Expected {
        issuer: &request.issuer,
        client_id: &options.client_id,
        nonce: &request.nonce,
        now,
    };
    let subject = id_token::check(&claims, &expected, steps).map_err(distrusted)?;
    let mut assertion = assertion(subject, claims);

    // Some providers put next to nothing into the token.
    let lacks = identity_provider::person(connection, &assertion).is_err();
    if let Some(endpoint) = &metadata.userinfo_endpoint
        && (options.fetch_user_info || lacks)
    {
        let more = userinfo::fetch(providers, endpoint, &tokens.access_token, &assertion.subject).await;
        let more = steps.told(StepName::UserInfo, more).map_err(Refusal::Failed)?;
        let names: Vec<_> = more.keys().map(String::as_str).collect();
        steps.passed(
            StepName::UserInfo,
            format!("{endpoint} gave {}.", names.join(", ")),
        );
        for (name, value) in about_the_person(more) {
            // What is signed counts.
            assertion.attributes.entry(name).or_insert(value);
        }
    }
    Ok(assertion)
}

#[expect(clippy::needless_pass_by_value, reason = "it maps an error")]
fn distrusted(reason: String) -> Refusal {
    Refusal::Untrusted(format!("the ID token is no good. {reason}"))
}

/// The claims of an ID token that the provider has signed. A key that is not known may be new: the keys are fetched again.
async fn signed_claims(
    environment: &Environment,
    options: &OidcOptions,
    metadata: &Metadata,
    token: &str,
    steps: &mut Steps,
) -> Result<Map<String, Value>, Refusal> {
    let mut anew = false;
    let outcome = async {
        let token = Signed::parse(token).map_err(|error| Refusal::Untrusted(error.to_string()))?;
        let configured = options.id_token_signature_algorithm.as_deref();
        id_token::check_algorithm(token.algorithm(), configured, &metadata.signing_algorithms)
            .map_err(|error| Refusal::Untrusted(error.to_string()))?;
        loop {
            let now = environment.clock.now();
            let keys = environment.providers.keys(metadata, now, anew).await;
            let keys = keys.map_err(Refusal::Failed)?;
            match token.verify(&keys) {
                Ok(claims) => return Ok((claims, token.algorithm(), keys.len())),
                Err(SignatureError::UnknownKey(_) | SignatureError::NoKeyId(0)) if !anew => anew = true,
                Err(error) => return Err(Refusal::Untrusted(error.to_string())),
            }
        }
    };
    match outcome.await {
        Ok((claims, algorithm, keys)) => {
            let detail = format!(
                "Signed with {}, by one of {keys} published keys.",
                algorithm.name()
            );
            steps.passed(StepName::IdTokenSignature, detail);
            Ok(claims)
        }
        Err(Refusal::Untrusted(reason)) => {
            steps.failed(StepName::IdTokenSignature, reason.clone());
            Err(distrusted(reason))
        }
        Err(refusal) => {
            if let Refusal::Failed(reason) = &refusal {
                steps.failed(StepName::IdTokenSignature, reason.clone());
            }
            Err(refusal)
        }
    }
}

/// Claims that are about the token, or the sign-in, and not about the person.
const OF_THE_TOKEN: [&str; 14] = [
    "acr",
    "amr",
    "at_hash",
    "aud",
    "auth_time",
    "azp",
    "c_hash",
    "exp",
    "iat",
    "iss",
    "jti",
    "nbf",
    "nonce",
    "sid",
];

/// Assumption: what is about the token itself is none of the profile's, or each sign-in would change it.
fn about_the_person(mut claims: Map<String, Value>) -> Map<String, Value> {
    claims.retain(|name, _| !OF_THE_TOKEN.contains(&name.as_str()));
    claims
}

/// The claims of a token as attributes.
fn assertion(subject: String, claims: Map<String, Value>) -> Assertion {
    let sid = claims.get("sid").and_then(Value::as_str);
    Assertion {
        subject,
        session_index: sid.map(str::to_owned),
        attributes: about_the_person(claims),
    }
}
