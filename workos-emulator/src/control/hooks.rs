//! Faults: answers that a test wants instead of the real ones.

use actix_web::http::Method;

use crate::{
    environment::Environment,
    server::{error::ApiError, reply::Reply},
};

/// The answer that a hook gives in the place of the operation.
pub(crate) fn fault(
    _environment: &Environment,
    _method: &Method,
    _path: &str,
) -> Result<Option<Reply>, ApiError> {
    Ok(None)
}
