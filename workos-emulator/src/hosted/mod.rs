//! AuthKit's hosted pages: what a person sees in the browser between "Sign in" in an application and its callback.
//!
//! The pages are rendered here, on the server, and need no JavaScript, but for passkeys, which browsers give to scripts
//! alone: [`pages`] holds one struct for each page with all that it shows, `templates/hosted/` its HTML, and [`style`] the
//! one style sheet that gives all of them their look. They know no rules: who may sign in is decided where the API decides
//! it.
//!
//! A new page is a struct in `pages.rs`, a template that extends `layout.html` (controls come from `parts.html`), and a
//! file here with its operations, which a [`visit`] lets through only for the browser that started the sign-in.
//!
//! There is no cookie that keeps a person signed in to AuthKit itself: each sign-in asks for the password.

mod another_way;
pub(crate) mod brand;
pub(crate) mod branding;
pub(crate) mod consent;
pub(crate) mod device;
pub(crate) mod error;
pub(crate) mod external_auth;
pub(crate) mod forgot_password;
pub(crate) mod identity_provider;
pub(crate) mod impersonation;
pub(crate) mod invitation;
pub(crate) mod magic_auth;
pub(crate) mod mailbox;
pub(crate) mod mfa;
pub(crate) mod mfa_enroll;
pub(crate) mod organization;
pub(crate) mod pages;
pub(crate) mod passkey;
pub(crate) mod passkey_enrollment;
pub(crate) mod password;
pub(crate) mod portal;
pub(crate) mod provider;
pub(crate) mod reset_password;
pub(crate) mod sign_in;
pub(crate) mod sign_up;
pub(crate) mod signed_out;
pub(crate) mod sso;
pub(crate) mod sso_traces;
pub(crate) mod stand_in;
pub(crate) mod style;
pub(crate) mod verify_email;
pub(crate) mod visit;
pub(crate) mod waitlist;

use askama::Template;

use self::pages::Chrome;
use crate::{
    environment::Environment,
    server::{
        call::Call,
        error::ApiError,
        operation::{Operation, get, post, post_waiting, waiting},
        reply::Reply,
    },
};

/// The operations of the hosted pages.
#[rustfmt::skip]
pub(crate) const OPERATIONS: &[Operation] = &[
    get(sign_in::PATH, "show_sign_in", sign_in::show_sign_in).client(),
    post(sign_in::PATH, "submit_sign_in", sign_in::submit_sign_in).client(),
    get(password::PATH, "show_password", password::show_password).client(),
    post(password::PATH, "submit_password", password::submit_password).client().slow(),
    get(forgot_password::PATH, "show_forgot_password", forgot_password::show_forgot_password).client(),
    post(forgot_password::PATH, "submit_forgot_password", forgot_password::submit_forgot_password).client(),
    get(forgot_password::SENT, "show_forgot_password_sent", forgot_password::show_forgot_password_sent).client(),
    get(reset_password::PATH, "show_reset_password", reset_password::show_reset_password).client(),
    post(reset_password::PATH, "submit_reset_password", reset_password::submit_reset_password).client().slow(),
    get(reset_password::DONE, "show_password_changed", reset_password::show_password_changed).client(),
    get(magic_auth::PATH, "show_magic_auth", magic_auth::show_magic_auth).client(),
    post(magic_auth::PATH, "submit_magic_auth", magic_auth::submit_magic_auth).client(),
    post(passkey::PATH, "submit_passkey", passkey::submit_passkey).client(),
    post(passkey::OPTIONS, "passkey_options", passkey::passkey_options).client(),
    get(passkey_enrollment::PATH, "show_passkey_enrollment", passkey_enrollment::show_passkey_enrollment).client(),
    post(passkey_enrollment::PATH, "submit_passkey_enrollment", passkey_enrollment::submit_passkey_enrollment).client(),
    post(passkey_enrollment::OPTIONS, "passkey_enrollment_options", passkey_enrollment::passkey_enrollment_options).client(),
    get(sign_up::PATH, "show_sign_up", sign_up::show_sign_up).client(),
    post(sign_up::PATH, "submit_sign_up", sign_up::submit_sign_up).client().slow(),
    get(verify_email::PATH, "show_verify_email", verify_email::show_verify_email).client(),
    post(verify_email::PATH, "submit_verify_email", verify_email::submit_verify_email).client(),
    get(mfa::PATH, "show_mfa", mfa::show_mfa).client(),
    post(mfa::PATH, "submit_mfa", mfa::submit_mfa).client(),
    get(mfa_enroll::PATH, "show_mfa_enroll", mfa_enroll::show_mfa_enroll).client().slow(),
    post(mfa_enroll::PATH, "submit_mfa_enroll", mfa_enroll::submit_mfa_enroll).client().slow(),
    post(provider::PATH, "submit_provider", provider::submit_provider).client(),
    get("/authkit/oauth/{provider}/{client_id}/callback", "finish_provider", provider::finish_provider).client(),
    get("/authkit/oauth/refused", "show_provider_refused", provider::show_provider_refused).client(),
    get("/authkit/provider/{provider}", "show_stand_in", stand_in::show_stand_in).client(),
    post("/authkit/provider/{provider}", "submit_stand_in", stand_in::submit_stand_in).client(),
    post(sso::PATH, "submit_sso", sso::submit_sso).client(),
    get(sso::REFUSED, "show_sso_refused", sso::show_sso_refused).client(),
    get("/sso/callback/{connection_id}", "finish_sso", sso::finish_sso).client(),
    waiting("/sso/oidc/{external_key}/start", "start_oidc", sso::start_oidc).client(),
    waiting("/sso/oidc/{external_key}/callback", "finish_oidc", sso::finish_oidc).client(),
    waiting("/sso/saml/{external_key}/start", "start_saml", sso::start_saml).client(),
    get("/sso/saml/metadata/{external_key}", "show_sp_metadata", sso::show_sp_metadata).client(),
    post("/sso/saml/acs/{external_key}", "consume_saml_response", sso::consume_saml_response).client().slow(),
    get(sso::FINISH, "finish_saml", sso::finish_saml).client(),
    get(sso::CONSENT, "show_sign_in_consent", sso::show_sign_in_consent).client(),
    post(sso::CONSENT, "submit_sign_in_consent", sso::submit_sign_in_consent).client(),
    get(sso_traces::PATH, "show_sso_traces", sso_traces::show_sso_traces).page(),
    get("/idp/{connection_id}", "show_identity_provider", identity_provider::show_identity_provider).client(),
    post("/idp/{connection_id}", "submit_identity_provider", identity_provider::submit_identity_provider).client().slow(),
    post("/idp/{connection_id}/saml", "ask_identity_provider", identity_provider::ask_identity_provider).client(),
    get("/idp/{connection_id}/metadata", "show_idp_metadata", identity_provider::show_idp_metadata).client().slow(),
    get("/idp/{connection_id}/signed-out", "show_idp_signed_out", identity_provider::show_idp_signed_out).client(),
    get(another_way::PATH, "show_another_way", another_way::show_another_way).client(),
    get(organization::PATH, "show_organizations", organization::show_organizations).client(),
    post(organization::PATH, "submit_organization", organization::submit_organization).client(),
    get(consent::PATH, "show_consent", consent::show_consent).client(),
    post(consent::PATH, "submit_consent", consent::submit_consent).client(),
    get(external_auth::PATH, "complete_external_auth", external_auth::complete_external_auth).client(),
    get(device::START, "start_device", device::start_device).client(),
    get(device::PATH, "show_device", device::show_device).client(),
    post(device::PATH, "submit_device", device::submit_device).client(),
    get("/authkit/device/done", "show_device_done", device::show_device_done).client(),
    get(mailbox::PATH, "show_mailbox", mailbox::show_mailbox).page(),
    get("/mailbox/{id}", "show_message", mailbox::show_message).page(),
    get("/mailbox/{id}/html", "show_message_html", mailbox::show_message_html).page(),
    get(impersonation::PATH, "open_impersonation", impersonation::open_impersonation).client().single_use(),
    get(portal::PATH, "open_portal", portal::open_portal).client().single_use(),
    get(portal::overview::PATH, "show_portal_overview", portal::overview::show_overview).client(),
    post(portal::overview::FINISH, "submit_portal_finish", portal::overview::submit_finish).client(),
    get(portal::overview::FINISHED, "show_portal_finished", portal::overview::show_finished).client(),
    get(portal::domains::PATH, "show_portal_domains", portal::domains::show_domains).client(),
    post(portal::domains::PATH, "submit_portal_domain", portal::domains::submit_domain).client(),
    get("/portal/domains/{id}", "show_portal_domain", portal::domains::show_domain).client(),
    post("/portal/domains/{id}", "change_portal_domain", portal::domains::change_domain).client(),
    get(portal::sso::PATH, "show_portal_sso", portal::sso::providers::show_providers).client(),
    post(portal::sso::PATH, "submit_portal_sso_provider", portal::sso::providers::submit_provider).client().slow(),
    get("/portal/sso/{id}", "show_portal_connection", portal::sso::connection::show_connection).client(),
    post("/portal/sso/{id}", "change_portal_connection", portal::sso::connection::change_connection).client(),
    get("/portal/sso/{id}/application", "show_portal_application", portal::sso::application::show_application).client(),
    get("/portal/sso/{id}/attributes", "show_portal_attributes", portal::sso::attributes::show_attributes).client(),
    post("/portal/sso/{id}/attributes", "submit_portal_attributes", portal::sso::attributes::submit_attributes).client(),
    get("/portal/sso/{id}/configuration", "show_portal_configuration", portal::sso::configuration::show_configuration).client(),
    post_waiting("/portal/sso/{id}/configuration", "submit_portal_configuration", portal::sso::configuration::submit_configuration).client().uploads(),
    get("/portal/sso/{id}/test", "show_portal_test", portal::sso::test_sign_in::show_test).client(),
    post("/portal/sso/{id}/test", "start_portal_test", portal::sso::test_sign_in::start_test).client(),
    get("/portal/sso/{id}/sessions/{session_id}", "show_portal_sign_in", portal::sso::test_sign_in::show_sign_in).client(),
    get(portal::directories::PATH, "show_portal_directories", portal::directories::show_directories).client(),
    post(portal::directories::PATH, "submit_portal_directory", portal::directories::submit_directory).client(),
    get("/portal/directory-sync/{id}", "show_portal_directory", portal::directories::show_directory).client(),
    post("/portal/directory-sync/{id}", "change_portal_directory", portal::directories::change_directory).client(),
    get(portal::certificates::PATH, "show_portal_certificates", portal::certificates::show_certificates).client(),
    get("/portal/certificates/{id}", "show_portal_connection_certificates", portal::certificates::show_of_connection).client(),
    post("/portal/certificates/{id}", "change_portal_certificates", portal::certificates::change_certificates).client().uploads(),
    get(portal::not_served::AUDIT_LOGS, "show_portal_audit_logs", portal::not_served::show_audit_logs).client(),
    get(portal::not_served::LOG_STREAMS, "show_portal_log_streams", portal::not_served::show_log_streams).client(),
    get(portal::not_served::KEYS, "show_portal_keys", portal::not_served::show_keys).client(),
    get(invitation::PATH, "show_invitation", invitation::show_invitation).client(),
    post(invitation::PATH, "submit_invitation", invitation::submit_invitation).client(),
    get(waitlist::PATH, "show_waitlist", waitlist::show_waitlist).client(),
    post(waitlist::PATH, "submit_waitlist", waitlist::submit_waitlist).client(),
    get(waitlist::DONE, "show_waitlist_joined", waitlist::show_waitlist_joined).client(),
    get(signed_out::PATH, "show_signed_out", signed_out::show_signed_out).client(),
    get("/authkit/{asset}", "get_asset", get_asset).client(),
];

fn chrome(environment: &Environment) -> Chrome<'_> {
    let branding = environment.state().settings().branding.clone();
    Chrome {
        lang: "en",
        environment: branding.shown_name(&environment.name).to_owned().into(),
        logo: branding.logo_url,
        brand_style: branding.color.as_deref().map(brand::path),
    }
}

/// A page as it is sent: it may load the style sheet and nothing else, stands in no frame, and is kept nowhere.
fn page(status: u16, page: &impl Template) -> Result<Reply, ApiError> {
    locked_down(status, page, "")
}

/// The same, but it may run the emulator's own script, which may call the emulator.
fn page_with_script(status: u16, page: &impl Template) -> Result<Reply, ApiError> {
    locked_down(status, page, "; script-src 'self'; connect-src 'self'")
}

/// The same, but it may show a page of the emulator in a frame.
fn page_with_frame(status: u16, page: &impl Template) -> Result<Reply, ApiError> {
    locked_down(status, page, "; frame-src 'self'")
}

fn locked_down(status: u16, page: &impl Template, allowed: &str) -> Result<Reply, ApiError> {
    let html = page
        .render()
        .map_err(|error| ApiError::message(500, error.to_string()))?;
    Ok(Reply::html(status, html)
        .header(
            "Content-Security-Policy",
            // No `form-action`: browsers apply it to the redirect to the application as well.
            format!(
                "default-src 'none'; style-src 'self'; img-src 'self' data:; base-uri 'none'; frame-ancestors 'none'{allowed}"
            ),
        )
        .header("X-Frame-Options", "DENY")
        .header("X-Content-Type-Options", "nosniff")
        // Not `no-referrer`: browsers would then send `Origin: null` with the page's own forms.
        .header("Referrer-Policy", "same-origin")
        .header("Cache-Control", "no-store"))
}

/// A style sheet or a script, under a name that changes with its content.
fn get_asset(call: &Call) -> Result<Reply, ApiError> {
    let path = format!("/authkit/{}", call.param("asset"));
    let (media_type, content) = match brand::style(&path) {
        Some(style) => ("text/css", style.into_bytes()),
        None if path == *style::PATH => ("text/css", style::STYLE.into()),
        None if path == *passkey::SCRIPT_PATH => ("text/javascript", passkey::SCRIPT.into()),
        None if path == *identity_provider::SCRIPT_PATH => {
            ("text/javascript", identity_provider::SCRIPT.into())
        }
        None => return Err(ApiError::new(404, "not_found", format!("There is no {path}."))),
    };
    Ok(Reply {
        status: 200,
        headers: vec![
            ("Content-Type", format!("{media_type}; charset=utf-8")),
            ("Cache-Control", "public, max-age=31536000, immutable".to_owned()),
            ("X-Content-Type-Options", "nosniff".to_owned()),
        ],
        body: content,
    })
}

#[cfg(test)]
mod tests;
