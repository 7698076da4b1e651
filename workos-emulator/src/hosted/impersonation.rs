//! The link that begins an impersonation.

use super::error;
use crate::{
    api::user_management::{authorize, impersonation},
    server::{call::Call, error::ApiError, reply::Reply},
};

pub(crate) const PATH: &str = "/authkit/impersonate";

/// The browser that followed a link, for an application that begins a sign-in of its own instead of taking the code.
const COOKIE: &str = "workos_impersonation";

/// `GET /authkit/impersonate`
pub(crate) fn open_impersonation(call: &Call) -> Result<Reply, ApiError> {
    let token = call.query.get("token").unwrap_or_default();
    let device = authorize::device(call);
    let callback = call
        .environment
        .transact(|tx| impersonation::open(tx, token, device))?;
    match callback {
        Some(url) => Ok(Reply::redirect(302, url)
            .header("Set-Cookie", cookie(call, token, 600))
            .header("Referrer-Policy", "no-referrer")
            .header("Cache-Control", "no-store")),
        None => error::impersonation_over(call),
    }
}

/// The token of the impersonation that this browser began.
pub(crate) fn token(call: &Call) -> Option<&str> {
    call.cookie(COOKIE)
}

/// Takes the cookie away.
pub(crate) fn removal(call: &Call) -> String {
    cookie(call, "", 0)
}

fn cookie(call: &Call, token: &str, max_age: u32) -> String {
    let secure = if call.base_url().starts_with("https:") {
        "; Secure"
    } else {
        ""
    };
    format!(
        "{COOKIE}={token}; Path=/user_management/authorize; Max-Age={max_age}; HttpOnly; SameSite=Lax{secure}"
    )
}
