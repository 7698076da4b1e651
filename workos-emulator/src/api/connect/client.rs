//! The application that calls an OAuth endpoint, and the proof that it is the one (RFC 6749 section 2.3).

use std::sync::Arc;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::Value;

use super::{
    applications::{self, ConnectApplication},
    client_secrets,
};
use crate::server::{call::Call, error::ApiError};

/// The parameters of a form. OAuth's errors have a form of their own, and so has what is wrong with it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Form<'a>(&'a Value);

impl<'a> Form<'a> {
    /// The form of a request. A parameter that is repeated is refused (RFC 6749 section 3.1), but for `resource`.
    pub(super) fn of(call: &'a Call) -> Result<Self, ApiError> {
        let body = call.raw_body();
        let Some(members) = body.as_object() else {
            return Err(invalid_request("Send a form."));
        };
        match members
            .iter()
            .find(|(name, value)| !value.is_string() && *name != "resource")
        {
            None => Ok(Self(body)),
            Some((name, _)) => Err(invalid_request(format!("{name} must be sent once, as text."))),
        }
    }

    /// The value of a parameter. An empty one counts as left out.
    pub(super) fn get(self, name: &str) -> Option<&'a str> {
        self.0.get(name)?.as_str().filter(|value| !value.is_empty())
    }

    pub(super) fn require(self, name: &str) -> Result<&'a str, ApiError> {
        self.get(name)
            .ok_or_else(|| invalid_request(format!("{name} is required.")))
    }

    /// All values of a parameter that may be repeated.
    pub(super) fn every(self, name: &str) -> Vec<&'a str> {
        match self.0.get(name) {
            Some(Value::Array(values)) => values.iter().filter_map(Value::as_str).collect(),
            Some(Value::String(value)) => vec![value],
            _ => Vec::new(),
        }
    }
}

pub(super) fn invalid_request(description: impl Into<String>) -> ApiError {
    ApiError::oauth("invalid_request", description)
}

/// A known application.
#[derive(Debug, Clone)]
pub(super) struct Client {
    pub(super) application: Arc<ConnectApplication>,
    /// It sent its secret, and the right one. A public application proves itself by PKCE.
    pub(super) authenticated: bool,
}

/// What a request has to say of its sender.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Credentials {
    pub(super) client_id: String,
    pub(super) client_secret: Option<String>,
}

impl Credentials {
    /// By `client_secret_basic`, by `client_secret_post`, or a client id alone; not by two of them at once.
    pub(super) fn of(call: &Call, form: Form<'_>) -> Result<Self, ApiError> {
        let in_form = form.get("client_id");
        let secret = form.get("client_secret");
        let is_basic = |given: &&str| {
            let scheme = given.split(' ').next().unwrap_or_default();
            scheme.eq_ignore_ascii_case("basic")
        };
        let Some(given) = call.header("authorization").filter(is_basic) else {
            return Ok(Self {
                client_id: in_form
                    .ok_or_else(|| invalid_client("client_id is required."))?
                    .to_owned(),
                client_secret: secret.map(str::to_owned),
            });
        };
        let (client_id, client_secret) =
            basic(given).ok_or_else(|| invalid_client("The Authorization header is not understood."))?;
        if secret.is_some() || in_form.is_some_and(|id| id != client_id) {
            return Err(invalid_request("Send the client's credentials once."));
        }
        Ok(Self {
            client_id,
            client_secret: Some(client_secret).filter(|secret| !secret.is_empty()),
        })
    }
}

/// Id and secret of `Authorization: Basic …`, each of them form-encoded (RFC 6749 section 2.3.1).
pub(crate) fn basic(header: &str) -> Option<(String, String)> {
    let (scheme, value) = header.split_once(' ')?;
    let decoded = scheme
        .eq_ignore_ascii_case("basic")
        .then(|| STANDARD.decode(value.trim()).ok())??;
    let decoded = String::from_utf8(decoded).ok()?;
    let (id, secret) = decoded.split_once(':')?;
    let text = |encoded: &str| {
        let spaced = encoded.replace('+', " ");
        percent_encoding::percent_decode_str(&spaced)
            .decode_utf8()
            .map(std::borrow::Cow::into_owned)
            .ok()
    };
    Some((text(id)?, text(secret)?))
}

impl Client {
    /// The application that sends a request. A secret that is sent must be right, wherever one is needed or not.
    pub(super) fn identify(call: &Call, form: Form<'_>) -> Result<Self, ApiError> {
        Self::with(call, &Credentials::of(call, form)?)
    }

    pub(super) fn with(call: &Call, credentials: &Credentials) -> Result<Self, ApiError> {
        let invalid = || invalid_client("Invalid client ID or secret.");
        let state = call.environment.state();
        let application = applications::by_client_id(&state, &credentials.client_id).ok_or_else(invalid)?;
        let application = Arc::clone(application);
        let Some(secret) = &credentials.client_secret else {
            return Ok(Self {
                application,
                authenticated: false,
            });
        };
        let known = call
            .environment
            .transact(|tx| client_secrets::is_used_by(tx, &application.id, secret))?;
        if !known {
            return Err(invalid());
        }
        Ok(Self {
            application,
            authenticated: true,
        })
    }

    /// Refuses applications that have a secret and do not send it.
    pub(super) fn require_proof(self) -> Result<Self, ApiError> {
        if self.authenticated || self.application.is_public() {
            Ok(self)
        } else {
            Err(invalid_client("The client_secret is required."))
        }
    }
}

/// Who calls cannot be told (RFC 6749 section 5.2).
pub(super) fn invalid_client(description: &str) -> ApiError {
    let mut refusal = ApiError::oauth("invalid_client", description);
    refusal.status = 401;
    refusal.header("WWW-Authenticate", "Basic realm=\"WorkOS Connect\"")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(text: &str) -> String {
        format!("Basic {}", STANDARD.encode(text))
    }

    #[test]
    fn reads_encoded_credentials() {
        let read = |text: &str| basic(&header(text));
        let pair = |id: &str, secret: &str| Some((id.to_owned(), secret.to_owned()));
        assert_eq!(read("client_1:a%3Ab%25+c"), pair("client_1", "a:b% c"));
        assert_eq!(read("client_1:"), pair("client_1", ""));
        assert_eq!(read("client_1"), None);
        assert_eq!(basic("Basic !"), None);
        assert_eq!(basic(&header("a:b").replace("Basic", "Bearer")), None);
        assert_eq!(basic(&header("a:b").replace("Basic", "bAsIc")), pair("a", "b"));
    }
}
