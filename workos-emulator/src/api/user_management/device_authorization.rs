//! Device authorization: a program without a browser signs its user in with a code that they confirm elsewhere
//! (RFC 8628). Source: <https://workos.com/docs/authkit/cli-auth>.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use url::form_urlencoded;

use super::authenticate::sign_in::SignIn;
use crate::{
    api::connect::device_authorization::ConnectDevice,
    core::{clock, secret::Secret},
    hosted,
    server::{call::Call, error::ApiError, reply::Reply},
    store::{Expiring, Index, Record, State, Transaction},
};

/// How long a code can be confirmed. Source: <https://workos.com/docs/reference/authkit/cli-auth>.
const LIFETIME: SignedDuration = SignedDuration::from_mins(5);

/// Seconds between two polls at the least, and what each poll that comes too early adds (RFC 8628 section 3.5).
pub(super) const INTERVAL: u32 = 5;

/// How long the answer to a late poll is "expired", before nothing is known of it any more.
const MEMORY: SignedDuration = SignedDuration::from_hours(1);

/// A program that waits for its user.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct DeviceAuthorization {
    pub(super) id: String,
    pub(crate) client_id: String,
    /// The digest of what the program polls with.
    pub(super) device_code: String,
    /// What the person types: eight letters, without the hyphen.
    pub(super) user_code: String,
    pub(crate) state: DeviceState,
    /// A Connect application waits, and this is what it asked for.
    #[serde(default)]
    pub(crate) connect: Option<ConnectDevice>,
    pub(super) interval: u32,
    #[serde(with = "clock::timestamp::option")]
    pub(super) polled_at: Option<Timestamp>,
    #[serde(with = "clock::timestamp")]
    pub(super) expires_at: Timestamp,
}

/// What the person did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum DeviceState {
    Pending,
    Approved(Box<SignIn>),
    Denied,
}

const BY_DEVICE_CODE: Index<DeviceAuthorization> =
    Index::unique("device code", |row| vec![(row.device_code.as_str().into(), 0)]);
const BY_USER_CODE: Index<DeviceAuthorization> =
    Index::unique("user code", |row| vec![(row.user_code.as_str().into(), 0)]);

/// By the user who approved it.
const BY_USER: Index<DeviceAuthorization> = Index::ordered("user", |row| match &row.state {
    DeviceState::Approved(sign_in) => vec![(sign_in.user_id.as_str().into(), 0)],
    DeviceState::Pending | DeviceState::Denied => Vec::new(),
});

impl Record for DeviceAuthorization {
    const INDEXES: &'static [Index<Self>] = &[BY_DEVICE_CODE, BY_USER_CODE, BY_USER];

    fn id(&self) -> &str {
        &self.id
    }
}

/// Takes back what a user approved, where the program has not fetched it yet.
pub(super) fn deny(tx: &mut Transaction<'_>, user_id: &str) -> Result<(), ApiError> {
    let found = tx.device_authorizations.group(BY_USER, user_id);
    let approved: Vec<_> = found.cloned().collect();
    for row in approved {
        tx.put(DeviceAuthorization {
            state: DeviceState::Denied,
            ..DeviceAuthorization::clone(&row)
        })?;
    }
    Ok(())
}

impl Expiring for DeviceAuthorization {
    fn expires_at(&self) -> Timestamp {
        clock::saturating_add(self.expires_at, MEMORY)
    }
}

impl DeviceAuthorization {
    pub(super) fn is_expired(&self, now: Timestamp) -> bool {
        now >= self.expires_at
    }

    /// `BCDF-GHJK`
    pub(crate) fn shown_user_code(&self) -> String {
        let (first, second) = self.user_code.split_at(4);
        format!("{first}-{second}")
    }
}

/// Starts a device authorization, and gives the device code.
pub(crate) fn create(
    tx: &mut Transaction<'_>,
    client_id: &str,
    connect: Option<ConnectDevice>,
) -> Result<(Secret, Arc<DeviceAuthorization>), ApiError> {
    let device_code = tx.token(64);
    let user_code = loop {
        let code = tx.user_code();
        if tx.device_authorizations.find(BY_USER_CODE, &code).is_none() {
            break code;
        }
    };
    let authorization = DeviceAuthorization {
        id: tx.id("device_authorization"),
        client_id: client_id.to_owned(),
        device_code: Secret::digest(&device_code),
        user_code,
        state: DeviceState::Pending,
        connect,
        interval: INTERVAL,
        polled_at: None,
        expires_at: clock::saturating_add(tx.now(), LIFETIME),
    };
    Ok((Secret::new(device_code), tx.put_expiring(authorization)?))
}

/// What a program polls for.
pub(super) fn by_device_code<'a>(
    state: &'a State,
    device_code: &str,
) -> Option<&'a Arc<DeviceAuthorization>> {
    state
        .device_authorizations
        .find(BY_DEVICE_CODE, &Secret::digest(device_code))
}

/// What a person may confirm: the code as they type it, in whatever case, with or without the hyphen.
pub(crate) fn pending<'a>(
    state: &'a State,
    user_code: &str,
    now: Timestamp,
) -> Option<&'a Arc<DeviceAuthorization>> {
    let letters = user_code.chars().filter(char::is_ascii_alphabetic).take(9);
    let normalized: String = letters.map(|letter| letter.to_ascii_uppercase()).collect();
    state
        .device_authorizations
        .find(BY_USER_CODE, &normalized)
        .filter(|found| found.state == DeviceState::Pending && !found.is_expired(now))
}

/// Ends the wait of a program: with a sign-in, or with a refusal.
pub(crate) fn settle(
    tx: &mut Transaction<'_>,
    user_code: &str,
    state: DeviceState,
) -> Result<Arc<DeviceAuthorization>, ApiError> {
    let found = pending(tx, user_code, tx.now());
    let found = found.ok_or_else(|| ApiError::not_found("Device authorization", user_code))?;
    let settled = DeviceAuthorization {
        state,
        ..DeviceAuthorization::clone(found)
    };
    Ok(tx.put(settled)?)
}

/// `POST /user_management/authorize/device`
pub(crate) fn create_device(call: &Call) -> Result<Reply, ApiError> {
    #[derive(Deserialize)]
    struct CreateDevice {
        client_id: String,
    }
    let CreateDevice { client_id } = call.body()?;
    if call.registry.by_client_id(&client_id).is_none() {
        return Err(ApiError::oauth("invalid_client", "Unknown client"));
    }
    let environment = &call.environment;
    if !environment.state().settings().device_authorization {
        let mut refusal = ApiError::oauth(
            "access_denied",
            "Device authorization grant is not enabled for this team",
        );
        refusal.status = 403;
        return Err(refusal);
    }
    let (device_code, authorization) = environment.transact(|tx| create(tx, &client_id, None))?;
    started(call, &device_code, &authorization)
}

/// The answer to the program.
pub(crate) fn started(
    call: &Call,
    device_code: &Secret,
    authorization: &DeviceAuthorization,
) -> Result<Reply, ApiError> {
    let reply = Reply::ok(&body(call, device_code, authorization))?;
    Ok(reply.header("Cache-Control", "no-store")) // RFC 8628 section 3.2
}

fn body(call: &Call, device_code: &Secret, authorization: &DeviceAuthorization) -> Value {
    let user_code = authorization.shown_user_code();
    let uri = |with: &[(&str, &str)]| {
        let mut query = form_urlencoded::Serializer::new(String::new());
        // The default environment is meant where none is named, and people type this address.
        if !Arc::ptr_eq(call.registry.default_environment(), &call.environment) {
            query.append_pair("client_id", &authorization.client_id);
        }
        let query = query.extend_pairs(with).finish();
        let separator = if query.is_empty() { "" } else { "?" };
        format!("{}{}{separator}{query}", call.base_url(), hosted::device::START)
    };
    json!({
        "device_code": device_code.expose(),
        "user_code": user_code,
        "verification_uri": uri(&[]),
        "verification_uri_complete": uri(&[("user_code", &user_code)]),
        "expires_in": LIFETIME.as_secs(),
        "interval": INTERVAL,
    })
}
