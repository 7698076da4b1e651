//! Sign-in for Actix Web 4 with [WorkOS AuthKit](https://workos.com/docs/authkit).
//!
//! ```no_run
//! # use actix_web::{App, HttpServer, web};
//! # use workos_actix::{AuthKit, AuthUser};
//! # #[actix_web::main]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let authkit = AuthKit::from_env()?;
//! HttpServer::new(move || {
//!     App::new()
//!         .wrap(authkit.middleware())
//!         .configure(authkit.routes()) // /auth/sign-in, /auth/callback, /auth/sign-out, …
//!         .route("/me", web::get().to(|user: AuthUser| async move { user.email().to_owned() }))
//! })
//! # .bind(("127.0.0.1", 8080))?.run().await?;
//! # Ok(()) }
//! ```
//!
//! Four environment variables, and it runs; what is missing is said at start, with how to get it:
//!
//! ```sh
//! WORKOS_API_KEY=sk_…                # WorkOS dashboard, API Keys
//! WORKOS_CLIENT_ID=client_…          # the same page
//! WORKOS_COOKIE_PASSWORD=…           # openssl rand -base64 32
//! WORKOS_REDIRECT_URI=http://localhost:8080/auth/callback   # the same under Redirects in the dashboard
//! ```
//!
//! # How it works
//!
//! ```text
//! request ─► middleware: session cookie ─► verified before? ─► or verify ─► refresh if due ─► who is signed in
//!         ─► ensure_signed_in on a scope, or require_auth for everything
//!         ─► handler: AuthUser · Option<AuthUser> · request.auth()
//! response ◄─ refreshed cookie, Cache-Control and Vary where the response depends on the user
//! ```
//!
//! - **The session** is what WorkOS answered at sign-in: access token, refresh token and user. By default it is in the
//!   cookie `wos-session`, encrypted by `actix-session`'s scheme (AES-256-GCM); with
//!   [`session_store`](AuthKitBuilder::session_store) any `actix_session` store keeps it on the server, and with
//!   [`sealed_cookie`](AuthKitBuilder::sealed_cookie) it is one with that of WorkOS's JavaScript kits. See
//!   [Large sessions](#large-sessions) for what does not fit into a cookie.
//! - **The access token** is verified here (RS256 only, signature and expiry; issuer and audience when configured), with
//!   the keys of your client id. They are fetched once for all workers and serve on while WorkOS is unreachable. A session
//!   seen before costs a hash.
//! - **Refreshing** happens shortly before the token expires, once for any number of concurrent requests, in a task that
//!   no disconnecting client can stop; requests that come up to 30 seconds late with the old cookie get the same result.
//!   Only WorkOS ends a session: a network fault, a timeout, 408, 429 or 5xx does not.
//! - **The answers** tell a person from a program: a browser that navigates is redirected to sign-in and comes back to
//!   the page it wanted (never to another site), everything else gets 401 as JSON. When WorkOS is needed and unreachable it
//!   is 503 with `Retry-After`, and the user is still signed in. A forgotten middleware is a 500 that says what to add.
//! - **Sign-in** is bound to the browser that began it: state and PKCE verifier are in one encrypted cookie per attempt
//!   (`wos-auth-verifier-…`, ten minutes), so two tabs work and a planted callback does not.
//! - **Sign-out** ends the session in this process at once and at WorkOS by redirect. With the cookie store, other
//!   processes accept a copied cookie until its access token expires (minutes); a server-side store has no such gap.
//!
//! # Protecting more than one handler
//!
//! ```
//! use actix_web::{App, web};
//! use workos_actix::{AuthKit, ensure_signed_in};
//! # async fn dashboard() -> &'static str { "" }
//! # async fn home() -> &'static str { "" }
//! # fn build(authkit: AuthKit) {
//! let app = App::new()
//!     .service(web::scope("/app").wrap(ensure_signed_in()).route("/dashboard", web::get().to(dashboard)))
//!     .route("/", web::get().to(home))
//!     .wrap(authkit.middleware())
//!     .configure(authkit.routes());
//! # drop(app); }
//! # fn by_default() -> Result<(), Box<dyn std::error::Error>> {
//! // Or everything, with exceptions:
//! let authkit = AuthKit::builder()
//!     .env()
//!     .require_auth()
//!     .unauthenticated_paths(["/", "/pricing", "/blog/(.*)", "/docs/:path*"])
//!     .build()?;
//! # drop(authkit); Ok(()) }
//! ```
//!
//! # Organizations
//!
//! A session is in one organization; [`AuthUser::organization_id`], [`role`](AuthUser::role) and
//! [`permissions`](AuthUser::permissions) are those there. A form is all it takes to move it to another one of the user's:
//!
//! ```html
//! <form method="post" action="/auth/switch-organization">
//!   <input type="hidden" name="return_to" value="/dashboard">
//!   <button name="organization_id" value="org_…">Globex</button>
//! </form>
//! ```
//!
//! It is refused to other sites' pages. An organization that the user is not a member of is 403, one that wants single
//! sign-on or a second factor first is a redirect to AuthKit, and while WorkOS is unreachable it is 503: the session goes
//! on where it was. A script sends the same as JSON and is answered with JSON. In a handler of your own it is
//! [`AuthKit::switch_organization`]; [`AuthKit::refresh_session`] fetches new tokens without a move.
//!
//! # Beside Next.js
//!
//! A Next.js front end with `authkit-nextjs`, or anything with `authkit-session` or the sealed sessions of
//! `@workos-inc/node`, and an Actix app on the same domain share one sign-in by
//! [`sealed_cookie`](AuthKitBuilder::sealed_cookie), the same `WORKOS_CLIENT_ID` and the same `WORKOS_COOKIE_PASSWORD`:
//!
//! ```no_run
//! # use workos_actix::{AuthKit, ConfigError};
//! # fn build() -> Result<AuthKit, ConfigError> {
//! let authkit = AuthKit::builder().env().sealed_cookie().build()?;
//! # Ok(authkit) }
//! ```
//!
//! # Large sessions
//!
//! Browsers silently drop a cookie whose name and value have more than 4096 bytes together; a role with many permissions or
//! a rich JWT template is enough for that. What happens then:
//!
//! | the session is in | more than one cookie holds |
//! |---|---|
//! | the encrypted cookie (default) | is spread over `wos-session.0`, `wos-session.1`, … up to four |
//! | the [sealed cookie](AuthKitBuilder::sealed_cookie) | is refused, because WorkOS's kits read one cookie only |
//! | the [sealed cookie in pieces](AuthKitBuilder::sealed_cookie_in_pieces) | is spread over up to four |
//! | a [store](AuthKitBuilder::session_store) | has no such limit |
//!
//! Pieces are encrypted and authenticated as a whole: mixed, cut or foreign ones are no session. Those that are left of a
//! larger session, or of the other form, are removed with the next cookie that is set. Four full cookies are almost 16 KiB at
//! every request, more than some servers and proxies accept (nginx 8 KiB, Node.js 16 KiB): a store is the better place for
//! such sessions. One that does not fit even so is an error in the log and at sign-in, never a loop.
//!
//! # Changing the cookie password
//!
//! With the old one among the [`previous_cookie_passwords`](AuthKitBuilder::previous_cookie_passwords), nobody is signed out.
//!
//! # When a sign-in comes back
//!
//! An app keeps a table of its own users up to date in [`on_success`](AuthKitBuilder::on_success), which may also refuse or
//! send the person elsewhere, and answers failures its own way in [`on_error`](AuthKitBuilder::on_error).
//!
//! # Webhooks
//!
//! [`WebhookHandlers`] takes an async function per event, calls it once for each, and answers so that WorkOS delivers again
//! what failed and only that:
//!
//! ```no_run
//! # use actix_web::{App, web};
//! # use workos_actix::{AuthKit, WebhookConfig, WebhookHandlers, workos::DsyncUserCreated};
//! # struct Database;
//! # impl Database { async fn upsert(&self, _: &workos_actix::workos::DirectoryUser) -> Result<(), std::io::Error> { Ok(()) } }
//! # fn build(authkit: AuthKit) -> Result<(), Box<dyn std::error::Error>> {
//! let handlers = WebhookHandlers::new(WebhookConfig::from_env()?) // WORKOS_WEBHOOK_SECRET
//!     .ends_sessions(&authkit) // `session.revoked` and `user.deleted` sign out here at once
//!     .on(|event: DsyncUserCreated, database: web::Data<Database>| async move {
//!         database.upsert(&event.data).await
//!     });
//! let app = App::new().route("/webhooks/workos", handlers.route());
//! # drop(app); Ok(()) }
//! ```
//!
//! [`Webhook`] or [`Event`] as a handler argument is a delivery that WorkOS signed, fresh and not seen before, for a route of
//! your own; see [`WebhookConfig`].
//!
//! # Actions
//!
//! WorkOS can ask before it lets somebody sign in or register. [`Action`] as a handler argument is such a question, verified;
//! its answer is signed. See [`ActionConfig`].
//!
//! # The WorkOS API
//!
//! [`AuthKit::client`] is the official SDK's client, [re-exported](workos).
//!
//! # Not here yet
//!
//! Guards for roles, permissions, feature flags and recent authentication; refresh hooks; a refresh lock across machines
//! (several machines refresh one session at most once each, which WorkOS's own grace time covers); a test feature.
#![forbid(unsafe_code)]

mod action;
mod authenticate;
mod authkit;
mod bearer;
mod clock;
mod config;
mod context;
mod cookie;
mod credential;
mod cross_origin;
mod digest;
mod end_sessions;
mod error;
mod extract;
mod guard;
mod hooks;
mod middleware;
mod navigation;
mod page;
mod path_pattern;
mod random;
mod refresh;
mod renew;
mod requirement;
mod return_path;
mod rotation;
mod routes;
mod sign_in_error;
mod token;
mod transport;
mod webhook;

pub use workos;

pub use self::{
    action::{
        Action, ActionConfig, ActionError, ActionPayload, ActionResponse, AnyAction, AuthenticationAction,
        RegisteringUser, UserRegistrationAction,
    },
    authkit::AuthKit,
    clock::{Clock, SystemClock},
    config::{AuthKitBuilder, ConfigError, ConfigProblem, MachineTokens},
    context::{AuthContext, AuthExt},
    credential::CredentialKind,
    error::{AuthError, SignInRedirect},
    extract::{ApiKey, AuthUser, Impersonator, OrganizationId, Session},
    guard::{EnsureSignedIn, ensure_signed_in},
    hooks::{AfterSignIn, SignedIn},
    middleware::AuthKitMiddleware,
    requirement::Requirement,
    sign_in_error::SignInError,
    token::{AccessToken, Actor, Claims},
    webhook::{
        Claim, Event, EventClaims, EventHandler, FromWebhook, HandlerOutcome, TypedEvent, Webhook,
        WebhookConfig, WebhookError, WebhookHandlers,
    },
};
