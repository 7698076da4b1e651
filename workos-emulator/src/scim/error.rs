//! Errors in SCIM's own form. Source: RFC 7644 section 3.12.

use serde_json::{Map, Value, json};

use super::Profile;
use crate::{
    api::directory_sync::DirectoryError,
    server::{error::ApiError, reply::Reply},
};

/// The media type of SCIM (RFC 7644 section 3.1).
pub(super) const MEDIA_TYPE: &str = "application/scim+json; charset=utf-8";

const SCHEMA: &str = "urn:ietf:params:scim:api:messages:2.0:Error";

/// What kind of 400 or 409 it is. Source: RFC 7644 table 9.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ScimType {
    InvalidFilter,
    InvalidPath,
    InvalidSyntax,
    InvalidValue,
    Mutability,
    NoTarget,
    Uniqueness,
}

impl ScimType {
    const fn as_str(self) -> &'static str {
        match self {
            Self::InvalidFilter => "invalidFilter",
            Self::InvalidPath => "invalidPath",
            Self::InvalidSyntax => "invalidSyntax",
            Self::InvalidValue => "invalidValue",
            Self::Mutability => "mutability",
            Self::NoTarget => "noTarget",
            Self::Uniqueness => "uniqueness",
        }
    }
}

/// A refusal of a SCIM request.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{status} {detail}")]
pub(crate) struct ScimError {
    pub(crate) status: u16,
    pub(crate) scim_type: Option<ScimType>,
    pub(crate) detail: String,
}

impl ScimError {
    pub(crate) fn new(status: u16, detail: impl Into<String>) -> Self {
        Self {
            status,
            scim_type: None,
            detail: detail.into(),
        }
    }

    /// 400 of this kind.
    pub(crate) fn invalid(scim_type: ScimType, detail: impl Into<String>) -> Self {
        Self {
            status: 400,
            scim_type: Some(scim_type),
            detail: detail.into(),
        }
    }

    pub(super) fn filter(detail: impl Into<String>) -> Self {
        Self::invalid(ScimType::InvalidFilter, detail)
    }

    pub(super) fn path(detail: impl Into<String>) -> Self {
        Self::invalid(ScimType::InvalidPath, detail)
    }

    pub(super) fn syntax(detail: impl Into<String>) -> Self {
        Self::invalid(ScimType::InvalidSyntax, detail)
    }

    pub(super) fn value(detail: impl Into<String>) -> Self {
        Self::invalid(ScimType::InvalidValue, detail)
    }

    pub(super) fn not_found(id: &str) -> Self {
        Self::new(404, format!("Resource {id} not found."))
    }

    /// `{schemas, status, scimType, detail}`; the status is text (RFC 7644 section 3.12).
    pub(super) fn body(&self) -> Map<String, Value> {
        let mut body = Map::new();
        body.insert("schemas".to_owned(), json!([SCHEMA]));
        body.insert("status".to_owned(), self.status.to_string().into());
        if let Some(scim_type) = self.scim_type {
            body.insert("scimType".to_owned(), scim_type.as_str().into());
        }
        body.insert("detail".to_owned(), self.detail.as_str().into());
        body
    }
}

impl From<ScimError> for ApiError {
    fn from(error: ScimError) -> Self {
        let mut refusal = Self::message(error.status, "");
        refusal.body = error.body();
        refusal
    }
}

/// Travels through the rules as it is.
impl From<ScimError> for DirectoryError {
    fn from(error: ScimError) -> Self {
        Self::Other(error.into())
    }
}

/// What the identity provider tried to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Attempt {
    Create,
    Replace,
    Other,
}

/// A refusal of the rules, as WorkOS's SCIM endpoint says it: the RFC's `uniqueness` is not there, and missing addresses are
/// called otherwise on a replace.
///
/// Source: the SCIM data requirements that WorkOS publishes with its scim-bridge.
pub(super) fn refused(error: &DirectoryError, attempt: Attempt, profile: Profile) -> ApiError {
    let detail = error.to_string();
    let scim_type = match error {
        DirectoryError::Other(error) => return error.clone(),
        DirectoryError::UserNotFound(id) | DirectoryError::GroupNotFound(id) => {
            return ScimError::not_found(id).into();
        }
        DirectoryError::UserNameTaken(_)
        | DirectoryError::EmailTaken(_)
        | DirectoryError::GroupIdTaken(_) => (profile == Profile::Rfc7644).then_some(ScimType::Uniqueness),
        DirectoryError::EmailsMissing if attempt == Attempt::Replace => Some(ScimType::InvalidSyntax),
        DirectoryError::ActiveNotBoolean => Some(ScimType::InvalidSyntax),
        DirectoryError::CreatedInactive => None,
        DirectoryError::UserNameRequired
        | DirectoryError::EmailsMissing
        | DirectoryError::DisplayNameRequired => Some(ScimType::InvalidValue),
    };
    let status = match error {
        DirectoryError::UserNameTaken(_)
        | DirectoryError::EmailTaken(_)
        | DirectoryError::GroupIdTaken(_) => 409,
        _ => 400,
    };
    ScimError {
        status,
        scim_type,
        detail,
    }
    .into()
}

/// The answer to a request that was refused, be it before it reached SCIM: by the routes, the body's limit, its syntax.
pub(crate) fn reply(error: ApiError) -> Reply {
    let body = if error.body.contains_key("schemas") {
        error.body
    } else {
        let scim_type = match error.code() {
            Some("invalid_request_body") => Some(ScimType::InvalidSyntax),
            _ => None,
        };
        ScimError {
            status: error.status,
            scim_type,
            detail: error.explanation(),
        }
        .body()
    };
    let mut headers = vec![("Content-Type", MEDIA_TYPE.to_owned())];
    headers.extend(error.headers);
    Reply {
        status: error.status,
        headers,
        body: Value::Object(body).to_string().into_bytes(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(error: ApiError) -> (u16, Value) {
        let reply = reply(error);
        assert_eq!(reply.headers[0], ("Content-Type", MEDIA_TYPE.to_owned()));
        (reply.status, serde_json::from_slice(&reply.body).unwrap())
    }

    #[test]
    fn has_the_form_of_the_rfc() {
        let refused = ScimError::value("Required attributes missing: emails");
        let expected = json!({
            "schemas": ["urn:ietf:params:scim:api:messages:2.0:Error"],
            "status": "400",
            "scimType": "invalidValue",
            "detail": "Required attributes missing: emails",
        });
        assert_eq!(shown(refused.into()), (400, expected));
    }

    #[test]
    fn brings_other_refusals_into_that_form() {
        let malformed = ApiError::bad_request("invalid_request_body", "The body is not JSON.");
        let (status, body) = shown(malformed);
        assert_eq!((status, &body["scimType"]), (400, &json!("invalidSyntax")));
        let (status, body) = shown(ApiError::method_not_allowed("PUT", "/x", &["GET"]));
        assert_eq!((status, &body["status"]), (405, &json!("405")));
        assert_eq!(body.get("scimType"), None);
        assert_eq!(body["detail"], "/x takes GET, not PUT.");
    }
}
