//! The operations on applications.

use super::{
    AUTHENTICATED, BY_REGISTRATION, DYNAMICALLY, find,
    rules::{self, CreateApplication},
};
use crate::{
    api::connect::scopes,
    server::{call::Call, error::ApiError, reply::Reply},
    store::{List, Select, group},
};

/// `GET /connect/applications`. Without `registration_types`, applications that registered themselves are left out.
///
/// Assumption: an organization that is not there has no applications.
pub(crate) fn list_applications(call: &Call) -> Result<Reply, ApiError> {
    let mut registrations = call.query.all("registration_types");
    if let Some(unknown) = registrations
        .iter()
        .find(|registration| ![AUTHENTICATED, DYNAMICALLY].contains(registration))
    {
        let message = format!("registration_types are authenticated and dynamic, not {unknown}.");
        return Err(ApiError::invalid_field(
            "registration_types",
            "invalid_enum_value",
            message,
        ));
    }
    if registrations.is_empty() {
        registrations.push(AUTHENTICATED);
    }
    let organization_id = call.query.get("organization_id").filter(|id| !id.is_empty());
    let groups: Vec<_> = registrations
        .iter()
        .map(|registration| match organization_id {
            Some(id) => group(&[registration, id]),
            None => (*registration).into(),
        })
        .collect();
    let state = call.environment.state();
    let select = Select::groups(BY_REGISTRATION, groups.iter().map(AsRef::as_ref));
    let page = select.page(&state.connect_applications, &call.page()?)?;
    Reply::ok(&List {
        data: page.data.iter().map(|application| application.body()).collect(),
        before: page.before,
        after: page.after,
    })
}

/// `POST /connect/applications`
pub(crate) fn create_application(call: &Call) -> Result<Reply, ApiError> {
    let new = call.body::<CreateApplication>()?.checked()?;
    let created = call.environment.transact(|tx| {
        scopes::check(tx, &new.scopes)?;
        rules::create(tx, new)
    })?;
    call.registry.add_client(&call.environment, &created.client_id);
    Reply::created(&created.body())
}

/// `GET /connect/applications/{id}`
pub(crate) fn get_application(call: &Call) -> Result<Reply, ApiError> {
    Reply::ok(&find(&call.environment.state(), call.param("id"))?.body())
}

/// `PUT /connect/applications/{id}`
pub(crate) fn update_application(call: &Call) -> Result<Reply, ApiError> {
    let changes = call.body()?;
    let updated = call
        .environment
        .transact(|tx| rules::update(tx, call.param("id"), changes))?;
    Reply::ok(&updated.body())
}

/// `DELETE /connect/applications/{id}`
pub(crate) fn delete_application(call: &Call) -> Result<Reply, ApiError> {
    call.environment
        .transact(|tx| rules::delete(tx, call.param("id")))?;
    Reply::empty(204)
}
