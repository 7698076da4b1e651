//! The outcome of an operation.

use serde::Serialize;

use super::error::ApiError;

/// A response: status, headers and body.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: Vec<u8>,
}

impl Reply {
    /// 200 with a JSON body.
    pub(crate) fn ok(body: &impl Serialize) -> Result<Self, ApiError> {
        Self::json(200, body)
    }

    /// 201 with a JSON body.
    pub(crate) fn created(body: &impl Serialize) -> Result<Self, ApiError> {
        Self::json(201, body)
    }

    pub(crate) fn json(status: u16, body: &impl Serialize) -> Result<Self, ApiError> {
        // Rows and bodies are plain data with string keys: this cannot fail, and does not panic if it does.
        let body = serde_json::to_vec(body).map_err(|error| ApiError::message(500, error.to_string()))?;
        Ok(Self {
            status,
            headers: vec![("Content-Type", "application/json; charset=utf-8".to_owned())],
            body,
        })
    }

    /// A status and nothing else: 200, 202 or 204.
    pub(crate) fn empty(status: u16) -> Result<Self, ApiError> {
        Ok(Self {
            status,
            ..Self::default()
        })
    }

    pub(crate) fn html(status: u16, page: String) -> Self {
        Self {
            status,
            headers: vec![("Content-Type", "text/html; charset=utf-8".to_owned())],
            body: page.into_bytes(),
        }
    }

    /// 200 with an XML document of this media type.
    pub(crate) fn xml(media_type: &str, document: String) -> Self {
        Self {
            status: 200,
            headers: vec![("Content-Type", format!("{media_type}; charset=utf-8"))],
            body: document.into_bytes(),
        }
    }

    /// 302, or 303 where a form was posted.
    pub(crate) fn redirect(status: u16, location: impl Into<String>) -> Self {
        Self {
            status,
            headers: vec![("Location", location.into())],
            body: Vec::new(),
        }
    }

    pub(crate) fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }
}

impl From<ApiError> for Reply {
    fn from(error: ApiError) -> Self {
        let mut reply = Self::json(error.status, &error.body).unwrap_or_default();
        reply.status = error.status;
        reply.headers.extend(error.headers);
        reply
    }
}
