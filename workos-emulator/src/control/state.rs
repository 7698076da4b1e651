//! `/_emulate/state`: an environment as one JSON document, to keep in a file and bring back, in this process or another.
//!
//! ```json
//! {"format": 1, "clock": {"offset_ms": 0, "frozen_at": null}, "tables": {"users": [[1, {"id": "user_…", …}], …], …}}
//! ```
//!
//! A row stands behind its place in the order of creation. Tables without rows are left out. The document is for the same
//! version of the emulator: what rows look like may change from one to the next, and a document that does not fit is
//! refused. It holds every secret that the environment has, as it could not be brought back otherwise.
//!
//! What is not in it: the environment's id, name and AuthKit client id, which it keeps, its snapshots, and that deleted rows
//! have been there, so that no list can be continued behind one.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{
    api::connect::applications,
    core::clock::ClockSetting,
    server::{call::Call, error::ApiError, reply::Reply},
    store::State,
    timers,
};

/// Of the document, not of the rows.
const FORMAT: u32 = 1;

#[derive(Debug, Serialize)]
struct Exported<'a> {
    format: u32,
    clock: ClockTime,
    tables: &'a State,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Imported {
    format: u32,
    #[serde(default)]
    clock: ClockTime,
    tables: Map<String, Value>,
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ClockTime {
    /// How far a running clock is ahead of the system's.
    #[serde(default)]
    offset_ms: i64,
    frozen_at: Option<Timestamp>,
}

/// `GET /_emulate/state`
pub(super) fn export_state(call: &Call) -> Result<Reply, ApiError> {
    let state = call.environment.state();
    let ClockSetting { offset, frozen_at } = call.environment.clock.setting();
    Reply::ok(&Exported {
        format: FORMAT,
        clock: ClockTime {
            offset_ms: i64::try_from(offset.as_millis()).unwrap_or(i64::MAX),
            frozen_at,
        },
        tables: &state,
    })
}

/// `PUT /_emulate/state`: all or nothing, in the place of what is there. A reset still goes back to the state after seeding.
pub(super) fn import_state(call: &Call) -> Result<Reply, ApiError> {
    let Imported {
        format,
        clock,
        tables,
    } = call.body()?;
    if format != FORMAT {
        let message = format!("This emulator reads documents of format {FORMAT}.");
        return Err(ApiError::invalid_field("format", "unknown_format", message));
    }
    if clock.frozen_at.is_some_and(|at| at < Timestamp::UNIX_EPOCH) {
        let message = "The clock stands at 1970-01-01T00:00:00Z at the earliest.";
        return Err(ApiError::invalid_field("clock.frozen_at", "invalid", message));
    }
    let state = State::of_tables(tables)
        .map_err(|error| ApiError::invalid_field(&error.field(), "invalid_row", error.to_string()))?;
    check_keys(call, &state)?;
    let environment = &call.environment;
    environment.clock.restore(ClockSetting {
        offset: SignedDuration::from_millis(clock.offset_ms),
        frozen_at: clock.frozen_at,
    });
    environment.replace(state);
    call.registry.add(environment)?;
    timers::run_due(environment);
    Reply::empty(204)
}

/// Refuses API keys and client ids by which requests reach another environment.
fn check_keys(call: &Call, state: &State) -> Result<(), ApiError> {
    let own = &call.environment.id;
    let other_has = |key: &str| {
        let owner = call.registry.by_api_key(key);
        owner.is_some_and(|owner| owner.id != *own)
    };
    if state.secret_keys.iter().any(|key| other_has(key.value.expose())) {
        let message = "Another environment of this emulator has one of these API keys already.";
        return Err(ApiError::conflict("api_key_taken", message));
    }
    for application in state.connect_applications.iter() {
        let client_id = &application.client_id;
        let mut others = call.registry.environments().into_iter();
        let taken = others.any(|other| {
            other.id != *own
                && (other.client_id == *client_id
                    || applications::by_client_id(&other.state(), client_id).is_some())
        });
        if taken {
            let message = format!("Another environment has the client id '{client_id}' already.");
            return Err(ApiError::conflict("client_id_taken", message));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use serde_json::json;

    use super::*;
    use crate::api::user_management::authenticate::fixture::{EMAIL, Fixture};

    fn exported(fixture: &Fixture) -> Value {
        let call = Call::for_tests(&fixture.environment, &[], "", json!({}));
        serde_json::from_slice(&export_state(&call).unwrap().body).unwrap()
    }

    fn imported(fixture: &Fixture, document: &Value) -> Result<u16, ApiError> {
        let call = Call::for_tests(&fixture.environment, &[], "", document.clone());
        import_state(&call).map(|reply| reply.status)
    }

    #[test]
    fn what_is_exported_comes_back_whole() {
        let fixture = Fixture::new();
        fixture.signed_in();
        fixture.add_organization("Acme");
        fixture.environment.clock.freeze(true);
        let document = exported(&fixture);
        assert_eq!(document["tables"]["users"][0][1]["email"], EMAIL);
        let other = Fixture::new();
        assert_eq!(imported(&other, &document), Ok(204));
        assert_eq!(exported(&other), document);
        let state = other.environment.state();
        assert!(state.is_consistent());
        assert_eq!(
            other.environment.clock.setting(),
            fixture.environment.clock.setting()
        );
        // And it can be gone on with.
        let new = other.add_user("grace@example.com");
        assert!(other.environment.state().users.place(&new) > state.users.place(&fixture.user_id));
    }

    #[test]
    fn a_document_that_does_not_fit_changes_nothing_and_says_where() {
        let fixture = Fixture::new();
        let before = exported(&fixture);
        let state = fixture.environment.state();
        let user = before["tables"]["users"][0][1].clone();
        let mut same_email = user.clone();
        same_email["id"] = json!("user_other");
        let with = |tables: Value| json!({"format": 1, "tables": tables});
        for (document, field) in [
            (json!({"format": 2, "tables": {}}), "format"),
            (json!({"format": 1}), "tables"),
            (with(json!({"nonsense": []})), "tables.nonsense"),
            (with(json!({"users": {}})), "tables.users"),
            (with(json!({"users": [[1, {"id": "user_1"}]]})), "tables.users"),
            (with(json!({"users": [[0, user]]})), "tables.users"),
            (with(json!({"users": [[u64::MAX, user]]})), "tables.users"),
            (with(json!({"users": [[1, user], [2, user]]})), "tables.users"),
            (
                with(json!({"users": [[1, user], [1, same_email]]})),
                "tables.users",
            ),
            (
                with(json!({"users": [[1, user], [2, same_email]]})),
                "tables.users",
            ),
        ] {
            let refused = imported(&fixture, &document).unwrap_err();
            assert_eq!(refused.status, 422, "{document}");
            assert_eq!(refused.fields()[0].0, field, "{document}");
        }
        assert!(Arc::ptr_eq(&state, &fixture.environment.state()));
    }
}
