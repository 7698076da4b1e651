//! Which environment a SCIM request is about, and whether it may be made.

use std::sync::Arc;

use actix_web::http::header::HeaderMap;

use super::error::ScimError;
use crate::{
    api::directory_sync::{directories, tokens},
    environment::Environment,
    server::{api_key, error::ApiError, registry::Registry},
};

/// The environment of the directory that has this external key, if the request carries one of the directory's tokens.
///
/// A key that no directory has is answered like a wrong token: nobody can find out which directories there are. A fork
/// has the directories of its origin under the same keys: `X-Emulate-Environment` names the one that is meant.
pub(crate) fn environment(
    registry: &Registry,
    external_key: &str,
    headers: &HeaderMap,
) -> Result<Arc<Environment>, ApiError> {
    let named = headers.get("x-emulate-environment");
    let environment = match named.and_then(|name| name.to_str().ok()) {
        Some(name) => registry.by_id_or_name(name),
        None => registry.by_external_key(external_key),
    };
    let environment = environment.ok_or_else(unauthorized)?;
    let state = environment.state();
    let directory = directories::by_external_key(&state, external_key).ok_or_else(unauthorized)?;
    let bearer = api_key::bearer(headers).ok_or_else(unauthorized)?;
    tokens::authenticate(&state, directory, bearer).ok_or_else(unauthorized)?;
    Ok(environment)
}

/// Source: RFC 7644 section 2 and RFC 6750 section 3.
fn unauthorized() -> ApiError {
    let detail = "Send a bearer token of this directory: Authorization: Bearer se_…";
    ApiError::from(ScimError::new(401, detail)).header("WWW-Authenticate", r#"Bearer realm="SCIM""#)
}
