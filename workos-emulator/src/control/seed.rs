//! `POST /_emulate/seed`: adds what a seed file names to what is there.

use serde_json::json;

use crate::{
    seed::Seed,
    server::{call::Call, error::ApiError, reply::Reply},
};

/// `POST /_emulate/seed`: YAML or JSON, all or nothing.
pub(super) fn seed(call: &Call) -> Result<Reply, ApiError> {
    let seed = Seed::from_body(call.raw_body().clone())?;
    let prepared = seed.prepare()?;
    let environment = &call.environment;
    let planted = environment.transact(|tx| {
        prepared.check_keys(&call.registry, environment)?;
        Ok::<_, ApiError>(prepared.plant(tx)?)
    })?;
    call.registry.add(environment)?;
    Reply::ok(&json!({
        "created": planted.created(),
        "ids": planted.ids(),
        "warnings": seed.warnings(),
    }))
}
