//! An authorization request: its parameters, what is wrong with them, and the way back to the application.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use url::{Url, form_urlencoded};

use crate::{
    api::{
        connect::authorize::{self as connect, request::ConnectRequest},
        sso::{self, connections::Connection},
        user_management::{
            authenticate::{method::AuthenticationMethod, sign_in::SignIn},
            invitations::{self, Invitation},
            providers::{self, Provider},
            users,
        },
    },
    core::{pkce::CodeChallenge, secret::Secret},
    hosted,
    server::call::Query,
    store::State,
};

/// The way back to the application. It exists only for a redirect URI that was found to be allowed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Callback {
    pub(crate) redirect_uri: String,
    /// The application's `state`, percent-encoded: it goes back byte by byte as it came.
    state: Option<String>,
}

/// What somebody signs in for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Goal {
    /// A code for the application, at its redirect URI.
    Code {
        callback: Callback,
        code_challenge: Option<CodeChallenge>,
    },
    /// A code for a profile, at the redirect URI of an application that calls `sso/authorize`.
    Profile {
        callback: Callback,
        code_challenge: Option<CodeChallenge>,
    },
    /// A code at the default redirect URI, for whichever application has the environment's secret: an invitation was
    /// opened, and none asked for the sign-in.
    Invitation { callback: Callback },
    /// A program that waits gets the sign-in, after the person has confirmed its code: the one of the link, or one that
    /// they type.
    Device {
        user_code: Option<String>,
        /// How often they typed one that is not known.
        failures: u8,
    },
    /// What a Connect application asked for.
    Connect(Box<ConnectRequest>),
}

impl Goal {
    /// The page that asks the person before it is reached.
    pub(super) fn confirmation(&self, state: &State, sign_in: &SignIn) -> Option<&'static str> {
        match self {
            Self::Code { .. } | Self::Profile { .. } | Self::Invitation { .. } => None,
            Self::Device { .. } => Some(hosted::device::PATH),
            Self::Connect(request) => connect::confirmation(state, request, sign_in),
        }
    }

    /// Where the browser goes when it cannot be reached.
    pub(crate) fn failed(&self, client_id: &str, error: &AuthorizationError) -> String {
        match self {
            Self::Code { callback, .. } | Self::Profile { callback, .. } | Self::Invitation { callback } => {
                callback.with_error(error)
            }
            Self::Device { .. } => hosted::device::done(client_id, error.code),
            Self::Connect(request) => connect::failed(client_id, request, error),
        }
    }
}

/// A checked authorization request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct AuthorizationRequest {
    pub(crate) client_id: String,
    pub(crate) goal: Goal,
    /// The organization to sign in to.
    pub(crate) organization_id: Option<String>,
    /// The e-mail address that is filled in.
    pub(crate) login_hint: Option<String>,
    /// How many seconds ago the user may have signed in, if the application wants a fresh sign-in.
    pub(crate) max_age: Option<u32>,
    /// The person is new: the sign-up page comes first.
    pub(crate) sign_up: bool,
    /// The digest of the token of the invitation that is accepted with it.
    pub(crate) invitation: Option<String>,
    /// The provider to go to, past AuthKit's own pages.
    pub(crate) provider: Option<ProviderRequest>,
    /// The connection to go through, likewise.
    pub(crate) connection_id: Option<String>,
}

/// What an application wants of a provider.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ProviderRequest {
    pub(crate) method: AuthenticationMethod,
    /// OAuth scopes, in addition to AuthKit's own.
    pub(crate) scopes: Vec<String>,
    /// Names and values, for the provider's own authorization request.
    pub(crate) query_params: Vec<(String, String)>,
}

/// What the application is told instead of a code.
///
/// Source of the codes: <https://workos.com/docs/reference/authkit/authentication/get-authorization-url/error-codes>, and
/// RFC 6749 section 4.1.2.1 for those that WorkOS does not list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct AuthorizationError {
    code: &'static str,
    description: String,
}

impl AuthorizationError {
    pub(crate) fn new(code: &'static str, description: impl Into<String>) -> Self {
        Self {
            code,
            description: description.into(),
        }
    }

    fn invalid_request(description: impl Into<String>) -> Self {
        Self::new("invalid_request", description)
    }

    pub(crate) fn code(&self) -> &'static str {
        self.code
    }

    pub(crate) fn description(&self) -> &str {
        &self.description
    }
}

impl Callback {
    pub(crate) fn new(redirect_uri: &Url, query: &Query) -> Self {
        Self {
            redirect_uri: redirect_uri.to_string(),
            state: query.encoded("state"),
        }
    }

    /// Where the browser goes with a code.
    pub(crate) fn with_code(&self, code: &str) -> String {
        self.with(&[("code", code)])
    }

    /// Where the browser goes without one.
    pub(crate) fn with_error(&self, error: &AuthorizationError) -> String {
        self.with(&[("error", error.code), ("error_description", &error.description)])
    }

    /// The same with more to say.
    pub(crate) fn with_error_and(&self, error: &AuthorizationError, more: &[(&str, &str)]) -> String {
        let told = [
            ("error", error.code),
            ("error_description", error.description.as_str()),
        ];
        self.with(&[&told, more].concat())
    }

    fn with(&self, parameters: &[(&str, &str)]) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new())
            .extend_pairs(parameters)
            .finish();
        if let Some(state) = &self.state {
            query.push_str("&state=");
            query.push_str(state);
        }
        // The redirect URI has no fragment; whatever query it has stays (RFC 6749 section 3.1.2).
        let separator = if self.redirect_uri.contains('?') { '&' } else { '?' };
        format!("{}{separator}{query}", self.redirect_uri)
    }
}

impl AuthorizationRequest {
    /// A sign-in that no application asks for by `authorize`.
    pub(crate) fn for_goal(client_id: &str, goal: Goal) -> Self {
        Self {
            client_id: client_id.to_owned(),
            goal,
            organization_id: None,
            login_hint: None,
            max_age: None,
            sign_up: false,
            invitation: None,
            provider: None,
            connection_id: None,
        }
    }

    /// A sign-in by the link of an invitation.
    pub(crate) fn for_invitation(
        client_id: &str,
        callback: Callback,
        invitation: &Invitation,
        state: &State,
    ) -> Self {
        let request = Self::for_goal(client_id, Goal::Invitation { callback });
        Self {
            login_hint: Some(invitation.email.clone()),
            sign_up: users::find_by_email(state, &invitation.email).is_none(),
            invitation: Some(Secret::digest(invitation.token.expose())),
            ..request
        }
    }

    /// Checks all parameters but `client_id` and `redirect_uri`, which come first: what is wrong with those is not for the
    /// application to know.
    /// An invitation says who is expected, and whether they are new, where nothing else does.
    ///
    /// Assumption: an invitation that cannot be accepted is told to the application, like any other wrong parameter.
    pub(super) fn parse(
        query: &Query,
        callback: &Callback,
        client_id: &str,
        state: &State,
        now: Timestamp,
    ) -> Result<Self, AuthorizationError> {
        check_response_type(query)?;
        let selected = check_selector(query, state)?;
        let token = given(query, "invitation_token");
        let invitation = token
            .map(|token| invitations::open(state, token, now))
            .transpose()
            .map_err(|refusal| AuthorizationError::new("invitation_invalid", refusal.description()))?;
        let login_hint = given(query, "login_hint").map(str::to_owned);
        let login_hint = login_hint.or_else(|| invitation.map(|invitation| invitation.email.clone()));
        let is_new =
            || invitation.is_some_and(|invitation| users::find_by_email(state, &invitation.email).is_none());
        Ok(Self {
            client_id: client_id.to_owned(),
            goal: Goal::Code {
                callback: callback.clone(),
                code_challenge: code_challenge(query)?,
            },
            organization_id: match &selected {
                Selected::Connection {
                    organization_id: Some(id),
                    ..
                } => Some(id.clone()),
                _ => given(query, "organization_id").map(str::to_owned),
            },
            login_hint,
            max_age: max_age(query)?,
            sign_up: sign_up(query)?.unwrap_or_else(is_new),
            invitation: token.map(Secret::digest),
            provider: match selected {
                Selected::Provider(provider) => Some(ProviderRequest::of(query, provider)),
                _ => None,
            },
            connection_id: match selected {
                Selected::Connection { id, .. } => Some(id),
                _ => None,
            },
        })
    }
}

/// The value of a parameter. An empty one counts as left out (RFC 6749 section 3.1).
pub(crate) fn given<'a>(query: &'a Query, name: &str) -> Option<&'a str> {
    query.get(name).filter(|value| !value.is_empty())
}

pub(crate) fn check_response_type(query: &Query) -> Result<(), AuthorizationError> {
    match given(query, "response_type") {
        Some("code") => Ok(()),
        Some(other) => Err(AuthorizationError::new(
            "unsupported_response_type",
            format!("response_type must be code, not {other}."),
        )),
        None => Err(AuthorizationError::invalid_request(
            "response_type is required; it must be code.",
        )),
    }
}

/// How to sign in.
enum Selected {
    AuthKit,
    Provider(&'static Provider),
    Connection {
        id: String,
        organization_id: Option<String>,
    },
}

impl From<&Connection> for Selected {
    fn from(connection: &Connection) -> Self {
        Self::Connection {
            id: connection.id.clone(),
            organization_id: connection.organization_id.clone(),
        }
    }
}

/// Exactly one of `provider`, `connection_id` and `organization_id` says how to sign in; only with `provider=authkit`
/// may the organization be named as well.
fn check_selector(query: &Query, state: &State) -> Result<Selected, AuthorizationError> {
    let provider = given(query, "provider");
    let connection_id = given(query, "connection_id");
    let organization_id = given(query, "organization_id");
    match (provider, connection_id, organization_id) {
        (Some("authkit"), None, None) => Ok(Selected::AuthKit),
        (Some("authkit"), None, Some(organization_id)) => match state.organizations.get(organization_id) {
            Some(_) => Ok(Selected::AuthKit),
            None => Err(AuthorizationError::new(
                "organization_invalid",
                format!("Organization not found: '{organization_id}'."),
            )),
        },
        (Some(provider), None, None) => match providers::by_slug(provider) {
            Some(provider) => Ok(Selected::Provider(provider)),
            None => Err(AuthorizationError::new(
                "invalid_connection_selector",
                format!(
                    "WorkOS has no provider {provider}: send provider=authkit, provider=GoogleOAuth or the like."
                ),
            )),
        },
        (None, Some(connection_id), None) => {
            sso::authorize::by_id(state, connection_id).map(|connection| Selected::from(&*connection))
        }
        (None, None, Some(organization_id)) => sso::authorize::of_organization(state, organization_id)
            .map(|connection| Selected::from(&*connection)),
        (None, None, None) => Err(AuthorizationError::new(
            "invalid_connection_selector",
            "One of provider, connection_id and organization_id is required.",
        )),
        _ => Err(AuthorizationError::new(
            "ambiguous_connection_selector",
            "Send only one of provider, connection_id and organization_id.",
        )),
    }
}

impl ProviderRequest {
    /// Source: <https://workos.com/docs/reference/authkit/authentication/get-authorization-url>.
    pub(crate) fn of(query: &Query, provider: &Provider) -> Self {
        let scopes = query.all("provider_scopes").into_iter();
        Self {
            method: provider.method,
            scopes: scopes
                .flat_map(str::split_whitespace)
                .map(str::to_owned)
                .collect(),
            query_params: query.object("provider_query_params"),
        }
    }
}

pub(crate) fn code_challenge(query: &Query) -> Result<Option<CodeChallenge>, AuthorizationError> {
    match (
        given(query, "code_challenge"),
        given(query, "code_challenge_method"),
    ) {
        (None, None) => Ok(None),
        (Some(challenge), Some("S256")) => match CodeChallenge::parse(challenge) {
            Some(challenge) => Ok(Some(challenge)),
            None => Err(AuthorizationError::invalid_request(
                "code_challenge is not a SHA-256 digest in base64url without padding.",
            )),
        },
        (Some(_), _) => Err(AuthorizationError::invalid_request(
            "code_challenge_method must be S256.",
        )),
        (None, Some(_)) => Err(AuthorizationError::invalid_request(
            "code_challenge_method needs a code_challenge.",
        )),
    }
}

/// `max_age`; `prompt=login` says the same as `max_age=0`.
///
/// Assumption: what other values of `prompt` mean is not documented; they change nothing.
fn max_age(query: &Query) -> Result<Option<u32>, AuthorizationError> {
    let max_age = given(query, "max_age").map(str::parse).transpose();
    let max_age = max_age
        .map_err(|_| AuthorizationError::invalid_request("max_age is a number of seconds, 0 or more."))?;
    Ok(match given(query, "prompt") {
        Some("login") => Some(0),
        _ => max_age,
    })
}

/// Whether the sign-up page comes first, where the application says so.
fn sign_up(query: &Query) -> Result<Option<bool>, AuthorizationError> {
    match given(query, "screen_hint") {
        None => Ok(None),
        Some("sign-in") => Ok(Some(false)),
        Some("sign-up") => Ok(Some(true)),
        Some(_) => Err(AuthorizationError::invalid_request(
            "screen_hint must be sign-in or sign-up.",
        )),
    }
}
