//! `/_emulate/sso/traces`: how sign-ins through connections went.

use std::sync::Arc;

use crate::{
    api::sso::traces::{self, BY_CONNECTION, SsoTrace},
    server::{call::Call, error::ApiError, reply::Reply},
    store::{List, Page, Select, State, UnknownCursor},
};

/// A page of traces, of one connection or of all.
pub(crate) fn page(
    state: &State,
    connection_id: Option<&str>,
    page: &Page,
) -> Result<List<Arc<SsoTrace>>, UnknownCursor> {
    let select = match connection_id {
        Some(id) => Select::group(BY_CONNECTION, id),
        None => Select::all(),
    };
    select.page(&state.sso_traces, page)
}

/// `GET /_emulate/sso/traces?connection_id=`
pub(super) fn list_sso_traces(call: &Call) -> Result<Reply, ApiError> {
    let connection_id = call.query.get("connection_id").filter(|id| !id.is_empty());
    let state = call.environment.state();
    Reply::ok(&page(&state, connection_id, &call.page()?)?)
}

/// `GET /_emulate/sso/traces/{id}`
pub(super) fn get_sso_trace(call: &Call) -> Result<Reply, ApiError> {
    Reply::ok(traces::find(&call.environment.state(), call.param("id"))?)
}
