//! What this crate counts, through the [`metrics`](https://docs.rs/metrics) facade: with the feature `metrics`, and with
//! whatever recorder the app installs, such as that of `metrics-exporter-prometheus`. Without a recorder it costs next to
//! nothing.
//!
//! | counter | label | values |
//! |---|---|---|
//! | `authkit_requests_total` | `credential` | what the request came with: `none`, `session`, `access_token`, `api_key`, `machine`; `bearer` when a token is refused |
//! | | `outcome` | `signed_in`, `signed_out` (nobody, or a cookie that is no session), `refused`, `unavailable` |
//! | `authkit_verifications_total` | `outcome` | of a session or token: `cached`, `verified`, `expired`, `refused`, `unavailable` |
//! | `authkit_refreshes_total` | `outcome` | of asking WorkOS for new tokens: `rotated`, `ended`, `refused` (the organization is), `unavailable` |
//! | `authkit_shared_refreshes_total` | `source` | refreshes that needed no asking: another request is `in_flight`, or was `settled` a moment ago, or another `machine` has asked |
//! | `authkit_key_set_fetches_total` | `outcome` | `fetched`, `failed` |
//! | `authkit_api_key_validations_total` | `outcome` | `cached`, `accepted`, `unknown`, `unavailable` |
//! | `authkit_sign_ins_total` | `outcome` | of the callback route: `signed_in`, `malformed`, `unknown_attempt`, `provider`, `rejected`, `bad_answer`, `unavailable`, `hook`, … as [`SignInError`](crate::SignInError) |
//! | `authkit_webhooks_total` | `outcome` | `accepted`, or why not: `signature_mismatch`, `stale`, `replayed`, `handler_failed`, … as [`WebhookError`](crate::WebhookError) |
//! | `authkit_actions_total` | `outcome` | `accepted`, or why not, as [`ActionError`](crate::ActionError) |
//! | `authkit_session_store_failures_total` | `operation` | `load`, `save`, `update`, `delete` |
//! | `authkit_shared_state_failures_total` | `operation` | `get`, `set`, `set_if_absent`, `replace`, `delete`, `delete_if_equal`, `append`, `read_log` |
//!
//! | histogram, in seconds | label | |
//! |---|---|---|
//! | `authkit_authentication_seconds` | `credential` | from a request to who sent it; the handler is not in it |
//! | `authkit_refresh_seconds` | `outcome` | one exchange with WorkOS |
//!
//! All values of all labels are fixed in the program: no request can add one. Worth an alert: `outcome="unavailable"`
//! anywhere, failures of the store or the shared state, and `authkit_sign_ins_total` with another outcome than
//! `signed_in` and `provider`.

use ::metrics::{Unit, describe_counter, describe_histogram};

/// Gives every metric its unit and a description, for exporters that show them. Call it once, when the recorder is there.
pub fn describe() {
    for (name, description) in [
        ("authkit_requests_total", "Requests by credential and outcome."),
        (
            "authkit_verifications_total",
            "Verifications of sessions and access tokens.",
        ),
        ("authkit_refreshes_total", "Refresh tokens exchanged at WorkOS."),
        (
            "authkit_shared_refreshes_total",
            "Refreshes that shared the exchange of another request.",
        ),
        (
            "authkit_key_set_fetches_total",
            "Fetches of WorkOS's public keys.",
        ),
        (
            "authkit_api_key_validations_total",
            "Validations of WorkOS API keys.",
        ),
        (
            "authkit_sign_ins_total",
            "Sign-ins that came back to the callback route.",
        ),
        ("authkit_webhooks_total", "Webhook deliveries."),
        ("authkit_actions_total", "Requests for Actions."),
        (
            "authkit_session_store_failures_total",
            "Failures of the session store.",
        ),
        (
            "authkit_shared_state_failures_total",
            "Failures of the shared state.",
        ),
    ] {
        describe_counter!(name, Unit::Count, description);
    }
    describe_histogram!(
        "authkit_authentication_seconds",
        Unit::Seconds,
        "From a request to who sent it."
    );
    describe_histogram!(
        "authkit_refresh_seconds",
        Unit::Seconds,
        "Exchanges of refresh tokens at WorkOS."
    );
}
