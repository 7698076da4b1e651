//! AuthKit's hosted pages: what a person sees in the browser between "Sign in" in an application and its callback.
//!
//! The pages are rendered here, on the server, and need no JavaScript: [`pages`] holds one struct for each page with all
//! that it shows, `templates/hosted/` its HTML, and [`style`] the one style sheet that gives all of them their look. They
//! know no rules: who may sign in is decided where the API decides it.
//!
//! A new page is a struct in `pages.rs`, a template that extends `layout.html` (controls come from `parts.html`), and a
//! file here with its operations, which a [`visit`] lets through only for the browser that started the sign-in.
//!
//! There is no cookie that keeps a person signed in to AuthKit itself: each sign-in asks for the password.

pub(crate) mod brand;
pub(crate) mod device;
pub(crate) mod error;
pub(crate) mod impersonation;
pub(crate) mod invitation;
pub(crate) mod organization;
pub(crate) mod pages;
pub(crate) mod password;
pub(crate) mod sign_in;
pub(crate) mod sign_up;
pub(crate) mod signed_out;
pub(crate) mod style;
pub(crate) mod visit;
pub(crate) mod waitlist;

use askama::Template;

use self::pages::Chrome;
use crate::{
    environment::Environment,
    server::{
        call::Call,
        error::ApiError,
        operation::{Operation, get, post},
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
    get(sign_up::PATH, "show_sign_up", sign_up::show_sign_up).client(),
    post(sign_up::PATH, "submit_sign_up", sign_up::submit_sign_up).client().slow(),
    get(organization::PATH, "show_organizations", organization::show_organizations).client(),
    post(organization::PATH, "submit_organization", organization::submit_organization).client(),
    get(device::START, "start_device", device::start_device).client(),
    get(device::PATH, "show_device", device::show_device).client(),
    post(device::PATH, "submit_device", device::submit_device).client(),
    get("/authkit/device/done", "show_device_done", device::show_device_done).client(),
    get(impersonation::PATH, "open_impersonation", impersonation::open_impersonation).client(),
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
        environment: match (branding.name, environment.name.as_str()) {
            (Some(name), _) => name.into(),
            // What WorkOS calls an environment that one develops against.
            (None, "default") => "Sandbox".into(),
            (None, name) => name.into(),
        },
        logo: branding.logo_url,
        brand_style: branding.color.as_deref().map(brand::path),
    }
}

/// A page as it is sent: it may load the style sheet and nothing else, stands in no frame, and is kept nowhere.
fn page(status: u16, page: &impl Template) -> Result<Reply, ApiError> {
    let html = page
        .render()
        .map_err(|error| ApiError::message(500, error.to_string()))?;
    Ok(Reply::html(status, html)
        .header(
            "Content-Security-Policy",
            // No `form-action`: browsers apply it to the redirect to the application as well.
            "default-src 'none'; style-src 'self'; img-src 'self' data:; base-uri 'none'; frame-ancestors 'none'",
        )
        .header("X-Frame-Options", "DENY")
        .header("X-Content-Type-Options", "nosniff")
        // Not `no-referrer`: browsers would then send `Origin: null` with the page's own forms.
        .header("Referrer-Policy", "same-origin")
        .header("Cache-Control", "no-store"))
}

/// A style sheet, under a name that changes with its content.
fn get_asset(call: &Call) -> Result<Reply, ApiError> {
    let path = format!("/authkit/{}", call.param("asset"));
    let style = match brand::style(&path) {
        Some(style) => style.into_bytes(),
        None if path == *style::PATH => style::STYLE.into(),
        None => return Err(ApiError::new(404, "not_found", format!("There is no {path}."))),
    };
    Ok(Reply {
        status: 200,
        headers: vec![
            ("Content-Type", "text/css; charset=utf-8".to_owned()),
            ("Cache-Control", "public, max-age=31536000, immutable".to_owned()),
            ("X-Content-Type-Options", "nosniff".to_owned()),
        ],
        body: style,
    })
}
