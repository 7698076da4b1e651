//! What a failed refresh says about the session.

use std::time::Duration;

use super::{DEFAULT_RETRY_AFTER, Refreshed};

/// Whether a failure says that the session is over, or only that we do not know.
///
/// WorkOS documents `invalid_grant`, `sso_required` and `mfa_enrollment` as the end of a session, and network faults,
/// 408, 429 and 5xx as passing. A refusal of our own credentials is no fault of the user and also keeps the session;
/// every other refusal of the exchange ends it, because repeating it cannot help. A refusal of a switch is about the
/// organization, and ends nothing.
pub(super) fn classify(error: &workos::Error, is_switch: bool) -> Refreshed {
    let unavailable = |retry_after: Option<Duration>| Refreshed::Unavailable {
        retry_after: retry_after.unwrap_or(DEFAULT_RETRY_AFTER),
    };
    let Some(api) = error.api() else {
        return unavailable(None);
    };
    let code = api.code.as_deref().unwrap_or_default();
    let refused = |code: &str| {
        let code = code.to_owned();
        if is_switch {
            Refreshed::Refused { code }
        } else {
            Refreshed::Ended { code }
        }
    };
    match (api.status, code) {
        (408 | 429 | 500.., _) => unavailable(api.retry_after),
        (_, "invalid_grant" | "sso_required" | "mfa_enrollment") => refused(code),
        (_, "invalid_client" | "unauthorized_client") | (401, _) => unavailable(None),
        (400..=499, _) => refused(code),
        _ => unavailable(None),
    }
}

#[cfg(test)]
mod tests {
    use workos::{ApiError, Error};

    use super::*;

    fn api_error(status: u16, code: &str, retry_after: Option<u64>) -> Error {
        Error::Api(Box::new(ApiError {
            status,
            code: (!code.is_empty()).then(|| code.to_owned()),
            message: String::new(),
            request_id: None,
            retry_after: retry_after.map(Duration::from_secs),
            headers: Default::default(),
            raw_body: Default::default(),
        }))
    }

    #[test]
    fn only_a_clear_word_from_workos_ends_a_session() {
        for (status, code) in [
            (400, "invalid_grant"),
            (401, "invalid_grant"),
            (400, "sso_required"),
            (400, "mfa_enrollment"),
            (403, "mfa_enrollment"),
            (400, "organization_not_found"),
            (422, ""),
        ] {
            let error = api_error(status, code, None);
            assert!(
                matches!(classify(&error, false), Refreshed::Ended { .. }),
                "{status} {code}"
            );
            assert!(
                matches!(classify(&error, true), Refreshed::Refused { code: told } if told == code),
                "{status} {code}"
            );
        }
        for (status, code) in [
            (500, ""),
            (502, "invalid_grant"),
            (503, ""),
            (408, ""),
            (429, "too_many_requests"),
            (401, ""),
            (400, "invalid_client"),
            (302, ""),
        ] {
            for is_switch in [false, true] {
                assert!(
                    matches!(
                        classify(&api_error(status, code, None), is_switch),
                        Refreshed::Unavailable { .. }
                    ),
                    "{status} {code}"
                );
            }
        }
    }

    #[test]
    fn retry_after_is_passed_on() {
        let Refreshed::Unavailable { retry_after } = classify(&api_error(429, "", Some(17)), false) else {
            panic!()
        };
        assert_eq!(retry_after, Duration::from_secs(17));
    }
}
