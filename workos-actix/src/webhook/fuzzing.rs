//! See `crate::fuzzing`.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::{WebhookConfig, WebhookError, sign, signature::Signature};
use crate::{clock::Clock, fuzzing::two_parts};

const SECRET: &str = "whsec_1";
const MILLIS: i64 = 1_800_000_000_000;

#[derive(Debug)]
struct Fixed;

impl Clock for Fixed {
    fn now(&self) -> SystemTime {
        UNIX_EPOCH + Duration::from_millis(MILLIS.unsigned_abs())
    }
}

/// A `WorkOS-Signature` header, a line feed, and a body.
pub fn webhook(data: &[u8]) {
    let Some((header, body)) = two_parts(data) else {
        return;
    };
    let config = WebhookConfig::new(SECRET).clock(Fixed).max_bytes(64 * 1024);
    assert!(config.verify(header, body).is_err(), "nobody can have signed it");
    let Ok(parsed) = Signature::parse(header) else {
        return;
    };
    assert!(parsed.timestamp >= 0);

    // The same body signed: with whatever else is in the header it is not accepted, without it is.
    let signature = sign(SECRET, MILLIS, body);
    let mixed = config.verify(&format!("{header}, v1={signature}"), body);
    let is_ours = parsed.timestamp == MILLIS;
    assert!(is_ours || mixed.is_err(), "signed at another time: {header:?}");
    let plain = config.verify(&format!("t={MILLIS}, v1={signature}"), body);
    match plain {
        Ok(webhook) => {
            assert!(mixed.is_err(), "accepted twice");
            let again = config.verify(&format!("v1={signature},t={MILLIS}"), body);
            assert!(matches!(again, Err(WebhookError::Replayed { id }) if id == webhook.id));
            if let Ok(event) = webhook.typed() {
                drop(format!("{event:?}"));
            }
        }
        Err(WebhookError::Malformed(_) | WebhookError::TooLarge { .. }) => {}
        Err(WebhookError::Replayed { .. }) => assert!(mixed.is_ok()),
        Err(error) => panic!("{error}"),
    }
}
