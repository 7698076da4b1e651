//! Which applications people have authorized. Source: <https://workos.com/docs/reference/authkit/user>; the models of the
//! API's description.

use std::sync::Arc;

use serde_json::{Value, json};

use super::{
    applications,
    consents::{self, BY_ORGANIZATION, BY_USER, ConnectConsent},
};
use crate::{
    api::{organizations, user_management::users},
    server::{call::Call, error::ApiError, reply::Reply},
    store::{Index, List, Select, State},
};

/// `GET /user_management/users/{user_id}/authorized_applications`
///
/// An application that was authorized in two organizations, or for two resources, is listed twice.
pub(crate) fn list_user_authorized_applications(call: &Call) -> Result<Reply, ApiError> {
    let state = call.environment.state();
    let user = users::find(&state, call.param("user_id"))?;
    list(call, &state, BY_USER, &user.id, |consent| body(&state, consent))
}

/// `GET /organizations/{organization_id}/authorized_applications`
pub(crate) fn list_authorized_applications(call: &Call) -> Result<Reply, ApiError> {
    let state = call.environment.state();
    let organization = organizations::find(&state, call.param("organization_id"))?;
    list(call, &state, BY_ORGANIZATION, &organization.id, |consent| {
        let mut body = body(&state, consent);
        body["user_id"] = consent.user_id.as_str().into();
        body
    })
}

fn list(
    call: &Call,
    state: &State,
    index: Index<ConnectConsent>,
    of: &str,
    body: impl Fn(&ConnectConsent) -> Value,
) -> Result<Reply, ApiError> {
    let page = Select::group(index, of).page(&state.connect_consents, &call.page()?)?;
    Reply::ok(&List {
        data: page
            .data
            .iter()
            .map(|consent: &Arc<ConnectConsent>| body(consent))
            .collect(),
        before: page.before,
        after: page.after,
    })
}

fn body(state: &State, consent: &ConnectConsent) -> Value {
    let application = state.connect_applications.get(&consent.application_id);
    let mut body = json!({
        "object": "authorized_connect_application",
        "id": consent.id,
        "granted_scopes": consent.granted_scopes,
        "application": application.map(|application| application.body()),
    });
    if let Some(resource) = &consent.oauth_resource {
        body["oauth_resource"] = resource.as_str().into();
    }
    body
}

/// `DELETE /user_management/users/{user_id}/authorized_applications/{application_id}`
///
/// Assumption: it takes back all that the person let the application have, in every organization.
pub(crate) fn delete_user_authorized_application(call: &Call) -> Result<Reply, ApiError> {
    let (user_id, id) = (call.param("user_id"), call.param("application_id"));
    call.environment.transact(|tx| {
        users::find(tx, user_id)?;
        let application_id = applications::find(tx, id)?.id.clone();
        match consents::delete_of_user_and_application(tx, user_id, &application_id)? {
            0 => Err(ApiError::not_found("Authorized application", id)),
            _ => Ok(()),
        }
    })?;
    Reply::empty(204)
}
