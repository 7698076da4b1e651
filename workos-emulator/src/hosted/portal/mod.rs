//! The Admin Portal as the IT admin of an organization sees it.
//!
//! A link is opened once and becomes a session of this browser ([`visit`]). Each intent has its pages in a file here; the
//! rules are those of the API.

pub(crate) mod certificates;
pub(crate) mod directories;
pub(crate) mod domains;
mod intents;
pub(crate) mod not_served;
pub(crate) mod overview;
pub(crate) mod sso;
mod visit;

use std::sync::Arc;

use url::form_urlencoded;

use super::{chrome, error, page, pages};
use crate::{
    api::admin_portal::sessions,
    core::secret::Secret,
    server::{call::Call, error::ApiError, reply::Reply},
};

/// Where links lead.
pub(crate) const PATH: &str = "/portal";

/// The address that opens the portal.
pub(crate) fn link(call: &Call, token: &Secret) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.append_pair("token", token.expose());
    // The default environment is meant where none is named.
    if !Arc::ptr_eq(call.registry.default_environment(), &call.environment) {
        query.append_pair("client_id", &call.environment.client_id);
    }
    format!("{}{PATH}?{}", call.base_url(), query.finish())
}

/// `GET /portal`: opens a link. The browser gets a session of its own, whatever it brings along.
pub(super) fn open_portal(call: &Call) -> Result<Reply, ApiError> {
    let token = call.query.get("token").unwrap_or_default();
    match call.environment.transact(|tx| sessions::open(tx, token))? {
        Some(session) => {
            let first = match session.access.intents.as_slice() {
                [intent] => intents::path(*intent),
                _ => overview::PATH,
            };
            Ok(visit::enter(call, &session, first))
        }
        None => error::portal_link_over(call),
    }
}
