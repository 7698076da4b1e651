//! `POST /oauth2/device_authorization`: a program of a Connect application signs its user in with a code that they confirm
//! elsewhere (RFC 8628). Source: <https://workos.com/docs/reference/workos-connect/cli-auth>.
//!
//! The code is confirmed on the pages of AuthKit's device flow; people are then asked for their consent. `resource` is
//! passed over, as seen in production.

use serde::{Deserialize, Serialize};

use super::{
    authorize::request::{Answer, ConnectRequest, asked_scopes},
    client::{Client, Form},
};
use crate::{
    api::user_management::device_authorization::{self, DeviceAuthorization},
    server::{call::Call, error::ApiError, reply::Reply},
};

/// What an application that waits asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ConnectDevice {
    pub(crate) application_id: String,
    pub(crate) scopes: Vec<String>,
}

impl ConnectDevice {
    /// The same, as a person who has confirmed the code is asked for it.
    pub(crate) fn request(&self, authorization: &DeviceAuthorization) -> ConnectRequest {
        ConnectRequest {
            application_id: self.application_id.clone(),
            answer: Answer::Device {
                user_code: authorization.shown_user_code(),
            },
            scopes: self.scopes.clone(),
            resource: None,
            always_ask: false,
            tells_auth_time: false,
            options: Vec::new(),
        }
    }
}

/// `POST /oauth2/device_authorization`
pub(crate) fn device_authorization(call: &Call) -> Result<Reply, ApiError> {
    let form = Form::of(call)?;
    // A program on somebody's device can keep no secret: the id alone will do (RFC 8628 section 3.1).
    let client = Client::identify(call, form)?;
    let application = &client.application;
    if application.oauth().is_none() {
        return Err(ApiError::oauth(
            "unauthorized_client",
            "An M2M application signs nobody in: use client_credentials.",
        ));
    }
    if !call.environment.state().settings().device_authorization {
        let description = "Device authorization grant is not enabled for this team";
        let mut refusal = ApiError::oauth("access_denied", description);
        refusal.status = 403;
        return Err(refusal);
    }
    let scopes = asked_scopes(application, form.get("scope"))
        .map_err(|description| ApiError::oauth("invalid_scope", description))?;
    let asked = ConnectDevice {
        application_id: application.id.clone(),
        scopes,
    };
    let (device_code, authorization) = call
        .environment
        .transact(|tx| device_authorization::create(tx, &application.client_id, Some(asked)))?;
    device_authorization::started(call, &device_code, &authorization)
}
