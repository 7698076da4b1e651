//! `/_emulate/feature_flags`: what the dashboard does to feature flags.

use crate::{
    api::feature_flags,
    server::{call::Call, error::ApiError, reply::Reply},
};

/// `POST /_emulate/feature_flags`
pub(super) fn create_feature_flag(call: &Call) -> Result<Reply, ApiError> {
    let new = call.body()?;
    let flag = call.environment.transact(|tx| feature_flags::create(tx, new))?;
    Reply::created(&flag.body())
}

/// `PATCH /_emulate/feature_flags/{slug}`
pub(super) fn update_feature_flag(call: &Call) -> Result<Reply, ApiError> {
    let (slug, changes) = (call.param("slug"), call.body()?);
    let flag = call
        .environment
        .transact(|tx| feature_flags::update(tx, slug, changes))?;
    Reply::ok(&flag.body())
}

/// `DELETE /_emulate/feature_flags/{slug}`
pub(super) fn delete_feature_flag(call: &Call) -> Result<Reply, ApiError> {
    call.environment
        .transact(|tx| feature_flags::delete(tx, call.param("slug")))?;
    Reply::empty(204)
}
