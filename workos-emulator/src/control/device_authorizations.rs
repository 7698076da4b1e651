//! The person's part of the device flow, without a browser.

use serde::Deserialize;
use serde_json::json;

use crate::{
    api::user_management::{
        authenticate::{
            method::{self, AuthenticationMethod},
            sign_in::SignIn,
        },
        authorize,
        device_authorization::{self, DeviceAuthorization, DeviceState},
        users,
    },
    server::{call::Call, error::ApiError, reply::Reply},
};

#[derive(Deserialize)]
struct Approval {
    user_id: Option<String>,
    email: Option<String>,
    organization_id: Option<String>,
}

/// `POST /_emulate/device_authorizations/{user_code}/approve`: signs the user in, whose credential nobody checks.
pub(crate) fn approve_device(call: &Call) -> Result<Reply, ApiError> {
    let wanted: Approval = call.body()?;
    let device = authorize::device(call);
    let settled = call.environment.transact(|tx| {
        let user = users::by_id_or_email(tx, wanted.user_id.as_deref(), wanted.email.as_deref())?.clone();
        let method = AuthenticationMethod::Password;
        method::succeeded(tx, method, &user, &device)?;
        let sign_in = SignIn::new(&user.id, method, device).to(wanted.organization_id.as_deref());
        let state = DeviceState::Approved(Box::new(sign_in));
        device_authorization::settle(tx, call.param("user_code"), state)
    })?;
    reply(&settled)
}

/// `POST /_emulate/device_authorizations/{user_code}/deny`
pub(crate) fn deny_device(call: &Call) -> Result<Reply, ApiError> {
    let settled = call
        .environment
        .transact(|tx| device_authorization::settle(tx, call.param("user_code"), DeviceState::Denied))?;
    reply(&settled)
}

fn reply(settled: &DeviceAuthorization) -> Result<Reply, ApiError> {
    let status = match settled.state {
        DeviceState::Pending => "pending",
        DeviceState::Approved(_) => "approved",
        DeviceState::Denied => "denied",
    };
    Reply::ok(&json!({"user_code": settled.shown_user_code(), "status": status}))
}
