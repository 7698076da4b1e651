//! Where the Admin Portal may lead back to.

use url::Url;

use crate::{api::user_management::redirect_uris::is_loopback, server::error::ApiError};

/// Source: "All redirect links must use HTTPS" (<https://workos.com/docs/admin-portal>). This machine is let off, as no
/// application under development has a certificate.
pub(crate) const RULE: &str =
    "must be an https URL, like https://app.example.com/settings, or one of this machine";

/// Whether a link may lead there.
pub(crate) fn is_allowed(url: &str) -> bool {
    Url::parse(url).is_ok_and(|url| {
        let anonymous = url.username().is_empty() && url.password().is_none();
        anonymous
            && match url.scheme() {
                "https" => url.has_host(),
                "http" => is_loopback(&url),
                _ => false,
            }
    })
}

/// Assumption: production's refusal is not documented; the description of the operation has a 400 beside the 422.
pub(super) fn check(field: &str, url: Option<&str>) -> Result<(), ApiError> {
    match url {
        Some(url) if !is_allowed(url) => Err(ApiError::bad_request(
            &format!("invalid_{field}"),
            format!("{field} {RULE}, not '{url}'."),
        )),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn leads_to_https_and_to_this_machine_only() {
        for good in [
            "https://app.example.com/settings?tab=sso#x",
            "http://localhost:3000/",
            "http://127.0.0.1:1/x",
            "http://[::1]/",
        ] {
            assert!(is_allowed(good), "{good}");
        }
        for bad in [
            "",
            "/settings",
            "//app.example.com",
            "http://app.example.com",
            "http://localhost.evil.example",
            "javascript:alert(1)",
            "data:text/html,x",
            "https://user:secret@app.example.com",
            "myapp://back",
        ] {
            assert!(!is_allowed(bad), "{bad}");
        }
    }
}
