//! What an application asks for, and what is wrong with it.

use serde::{Deserialize, Serialize};

use crate::{
    api::{
        connect::{
            applications::ConnectApplication, consent_options::ConsentOption, consents::Subject, resources,
            scopes,
        },
        user_management::{
            authenticate::sign_in::SignIn,
            authorize::request::{AuthorizationError, Callback},
        },
    },
    core::pkce::CodeChallenge,
    server::call::Query,
    store::State,
};

/// A checked request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ConnectRequest {
    pub(crate) application_id: String,
    pub(crate) answer: Answer,
    /// Sorted.
    pub(crate) scopes: Vec<String>,
    pub(crate) resource: Option<String>,
    /// The person is asked even if they need not be: `prompt=consent`.
    pub(crate) always_ask: bool,
    /// The application wants to know when they signed in: `max_age`.
    pub(crate) tells_auth_time: bool,
    /// What they have to choose.
    pub(crate) options: Vec<ConsentOption>,
}

/// How the application gets what it asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Answer {
    /// A code at its redirect URI.
    Code {
        callback: Callback,
        /// As it was sent: the token endpoint has to be given the very same text.
        redirect_uri: String,
        code_challenge: Option<CodeChallenge>,
        nonce: Option<String>,
    },
    /// It polls for it.
    Device { user_code: String },
}

/// What `prompt` says (OpenID Connect Core 1.0 section 3.1.2.1). Signing in again, and choosing an account, happen anyway.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Prompt {
    /// Nobody may be asked anything.
    pub(super) none: bool,
    pub(super) consent: bool,
}

impl Prompt {
    pub(super) fn read(query: &Query) -> Result<Self, AuthorizationError> {
        let mut prompt = Self::default();
        let values: Vec<&str> = given(query, "prompt")
            .unwrap_or_default()
            .split_ascii_whitespace()
            .collect();
        for value in &values {
            match *value {
                "none" if values.len() == 1 => prompt.none = true,
                "consent" => prompt.consent = true,
                "login" | "select_account" => {}
                _ => {
                    return Err(invalid_request(
                        "prompt must be none alone, or some of login, consent and select_account.",
                    ));
                }
            }
        }
        Ok(prompt)
    }
}

/// The value of a parameter. An empty one counts as left out (RFC 6749 section 3.1).
pub(super) fn given<'a>(query: &'a Query, name: &str) -> Option<&'a str> {
    query.get(name).filter(|value| !value.is_empty())
}

fn invalid_request(description: impl Into<String>) -> AuthorizationError {
    AuthorizationError::new("invalid_request", description)
}

impl ConnectRequest {
    /// Checks all but `client_id` and `redirect_uri`, which come first: what is wrong with those is not for the application
    /// to know.
    pub(super) fn parse(
        query: &Query,
        callback: &Callback,
        application: &ConnectApplication,
        state: &State,
    ) -> Result<Self, AuthorizationError> {
        match given(query, "response_type") {
            Some("code") => {}
            Some(other) => {
                let description = format!("response_type must be code, not {other}.");
                return Err(AuthorizationError::new("unsupported_response_type", description));
            }
            None => return Err(invalid_request("response_type is required; it must be code.")),
        }
        if given(query, "response_mode").is_some_and(|mode| mode != "query") {
            return Err(invalid_request("response_mode must be query."));
        }
        for unsupported in ["request", "request_uri", "registration"] {
            if query.has(unsupported) {
                let code = match unsupported {
                    "request" => "request_not_supported",
                    "request_uri" => "request_uri_not_supported",
                    _ => "registration_not_supported",
                };
                return Err(AuthorizationError::new(
                    code,
                    format!("{unsupported} is not supported."),
                ));
            }
        }
        let tells_auth_time = match given(query, "max_age") {
            Some(seconds) if seconds.parse::<u32>().is_err() => {
                return Err(invalid_request("max_age is a number of seconds."));
            }
            max_age => max_age.is_some(),
        };
        let code_challenge = code_challenge(query)?;
        if code_challenge.is_none() && application.is_public() {
            return Err(invalid_request(
                "A public application needs PKCE: send code_challenge and code_challenge_method=S256.",
            ));
        }
        Ok(Self {
            application_id: application.id.clone(),
            answer: Answer::Code {
                callback: callback.clone(),
                redirect_uri: query.get("redirect_uri").unwrap_or_default().to_owned(),
                code_challenge,
                nonce: given(query, "nonce").map(str::to_owned),
            },
            scopes: asked_scopes(application, given(query, "scope"))
                .map_err(|description| AuthorizationError::new("invalid_scope", description))?,
            resource: resources::asked(state, application, &query.every("resource"))
                .map_err(|description| AuthorizationError::new("invalid_target", description))?,
            always_ask: Prompt::read(query)?.consent,
            tells_auth_time,
            options: Vec::new(),
        })
    }

    /// What a consent to this request is about.
    pub(in crate::api::connect) fn subject<'a>(&'a self, sign_in: &'a SignIn) -> Subject<'a> {
        Subject {
            application_id: &self.application_id,
            user_id: &sign_in.user_id,
            organization_id: sign_in.organization_id.as_deref(),
            resource: self.resource.as_deref(),
        }
    }
}

/// The scopes that an application asks for, or why it may not have them.
pub(in crate::api::connect) fn asked_scopes(
    application: &ConnectApplication,
    scope: Option<&str>,
) -> Result<Vec<String>, String> {
    let asked = match scope {
        Some(text) => scopes::parse(text),
        None => scopes::DEFAULT.map(str::to_owned).to_vec(),
    };
    scopes::granted(application, asked)
}

fn code_challenge(query: &Query) -> Result<Option<CodeChallenge>, AuthorizationError> {
    match (
        given(query, "code_challenge"),
        given(query, "code_challenge_method"),
    ) {
        (None, None) => Ok(None),
        (Some(challenge), Some("S256")) => match CodeChallenge::parse(challenge) {
            Some(challenge) => Ok(Some(challenge)),
            None => Err(invalid_request(
                "code_challenge is not a SHA-256 digest in base64url without padding.",
            )),
        },
        (Some(_), _) => Err(invalid_request("code_challenge_method must be S256.")),
        (None, Some(_)) => Err(invalid_request("code_challenge_method needs a code_challenge.")),
    }
}
