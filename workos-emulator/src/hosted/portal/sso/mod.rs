//! Single sign-on in the portal: from the choice of the identity provider to the first sign-in, and what can be changed
//! afterwards.
//!
//! * [`providers`] – which identity provider it is.
//! * [`steps`] – the way through the setup, and which of its steps are done.
//! * [`application`], [`attributes`], [`configuration`], [`test_sign_in`] – its steps.
//! * [`connection`] – what is set up, and its end.
//! * [`guides`] – what there is to do at each provider.
//!
//! Assumption: an administrator sets one connection up, as "organizations may only have one connection"
//! (<https://workos.com/docs/admin-portal>); the application may have made more by other ways, and all of them are shown.

pub(crate) mod application;
pub(crate) mod attributes;
pub(crate) mod configuration;
pub(crate) mod connection;
mod guides;
pub(crate) mod providers;
mod steps;
pub(crate) mod test_sign_in;

use std::sync::Arc;

pub(in crate::hosted) use self::test_sign_in::result_url;
use super::{
    error,
    intents::Progress,
    page,
    pages::{self, portal::Frame},
    visit::{self, Visit},
};
use crate::{
    api::{
        admin_portal::intent::Intent,
        sso::{
            connection_type::ConnectionType,
            connections::{self, Connection, ConnectionState},
        },
    },
    server::{call::Call, error::ApiError, reply::Reply},
};

pub(crate) const PATH: &str = "/portal/sso";

const INTENT: Option<Intent> = Some(Intent::Sso);

fn path(connection: &Connection) -> String {
    format!("{PATH}/{}", connection.id)
}

/// Shows a page about the connection of the path, if it is the organization's.
fn show(
    call: &Call,
    page: impl FnOnce(&Visit<'_>, &Arc<Connection>) -> Result<Reply, ApiError>,
) -> Result<Reply, ApiError> {
    visit::show(call, INTENT, |visit| match own(visit) {
        Some(connection) => page(visit, &connection),
        None => error::portal_session_over(call),
    })
}

/// Takes a form about the connection of the path, if it is the organization's.
fn submit(
    call: &Call,
    form: impl FnOnce(&Visit<'_>, &Arc<Connection>) -> Result<Reply, ApiError>,
) -> Result<Reply, ApiError> {
    visit::submit(call, INTENT, |visit| match own(visit) {
        Some(connection) => form(visit, &connection),
        None => error::portal_session_over(call),
    })
}

/// The connection of the path.
pub(super) fn own(visit: &Visit<'_>) -> Option<Arc<Connection>> {
    let state = visit.call.environment.state();
    let connection = state.connections.get(visit.call.param("id"))?;
    (connection.organization_id.as_deref() == Some(&visit.organization.id)).then(|| Arc::clone(connection))
}

/// What people call an identity provider, within a sentence.
fn provider(kind: &ConnectionType) -> &'static str {
    if kind.is_custom() {
        "your identity provider"
    } else {
        kind.name
    }
}

/// The frame of a page below the one of the connection.
fn frame_of<'a>(visit: &'a Visit<'_>, connection: &Connection) -> Frame<'a> {
    visit
        .frame(PATH)
        .back_to(visit.url(&path(connection)), "Single Sign-On")
}

fn state_of(connection: &Connection) -> &'static str {
    match connection.state {
        ConnectionState::RequiresType | ConnectionState::Draft => "Draft",
        ConnectionState::Validating => "Not tested yet",
        ConnectionState::Active => "Active",
        ConnectionState::Inactive => "Inactive",
        ConnectionState::Deleting => "Deleting",
    }
}

/// How far the organization has come.
pub(super) fn progress(visit: &Visit<'_>) -> Progress {
    let state = visit.call.environment.state();
    let mut all = connections::of_organization(&state, &visit.organization.id);
    let is_active = |connection: &&Arc<Connection>| connection.state == ConnectionState::Active;
    let first = connections::of_organization(&state, &visit.organization.id).next();
    let Some(connection) = all.find(is_active).or(first) else {
        return Progress {
            text: "Not started".to_owned(),
            done: false,
        };
    };
    let name = connection.r#type().name;
    Progress {
        text: match connection.state {
            ConnectionState::RequiresType => "Not started".to_owned(),
            ConnectionState::Draft => format!("{name}: begun"),
            ConnectionState::Validating => format!("{name}: waits for its first sign-in"),
            ConnectionState::Active => format!("{name}: active"),
            ConnectionState::Inactive | ConnectionState::Deleting => format!("{name}: switched off"),
        },
        done: connection.state == ConnectionState::Active,
    }
}
