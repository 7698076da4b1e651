//! `POST /_emulate/seed`: adds what a seed file names to what is there.

use serde_json::json;

use crate::{
    seed::Seed,
    server::{call::Call, error::ApiError, reply::Reply},
};

/// `POST /_emulate/seed`: YAML or JSON, all or nothing.
pub(super) fn seed(call: &Call) -> Result<Reply, ApiError> {
    let seed = Seed::from_body(call.raw_body().clone())?;
    let environment = &call.environment;
    let prepared = seed.prepare(environment)?;
    let seeded = environment.transact(|tx| {
        prepared.check_keys(&call.registry, environment)?;
        Ok::<_, ApiError>(prepared.plant(tx)?)
    })?;
    call.registry.add(environment)?;
    let mut reply = json!({"created": seeded.created(), "ids": seeded.ids()});
    if !seeded.warnings().is_empty() {
        reply["warnings"] = json!(seeded.warnings());
    }
    Reply::ok(&reply)
}
