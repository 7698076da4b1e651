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
//! request ─► middleware: session cookie ─► verified before? ─► or verify ─► refresh if due ─► who it is
//!           (or Authorization: Bearer, where it is switched on: access token · API key · machine token)
//!         ─► ensure_signed_in on a scope, or require_auth for everything
//!         ─► handler: AuthUser · Option<AuthUser> · AuthContext · request.auth()
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
//! - **Sign-out** ends the session in this process at once and at WorkOS by redirect. Other processes accept a copied cookie
//!   until its access token expires (minutes), unless they [know of each other](#several-machines).
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
//! # Programs, and whoever else asks
//!
//! A request proves itself by one credential. The session cookie is on by default; what comes in `Authorization: Bearer` is
//! switched on by name, and what is not is left to the app:
//!
//! | credential | switched on by | who it is |
//! |---|---|---|
//! | session cookie | always, but [`without_sessions`](AuthKitBuilder::without_sessions) | a person in a browser |
//! | AuthKit access token | [`bearer_tokens`](AuthKitBuilder::bearer_tokens) | a person with a single-page or mobile app |
//! | WorkOS API key | [`api_keys`](AuthKitBuilder::api_keys) | a program of a customer's |
//! | access token by `client_credentials` | [`machine_tokens`](AuthKitBuilder::machine_tokens) | a machine of a customer's |
//!
//! Handlers ask for what they need, and get it whatever the credential was. Each of these as an argument requires it: nobody
//! is 401 (or sent to sign in), somebody without it is 403 with a `code` that says which. `Option<…>` of each is `None`.
//!
//! | argument | is |
//! |---|---|
//! | [`AuthContext`] | whoever it is: [`credential`](AuthContext::credential), organization, permissions, … |
//! | [`AuthUser`] | a person with their profile; `user_required` for API keys and machines |
//! | [`OrganizationId`] | the tenant, proven; `organization_required` without |
//! | [`Claims`], `Claims<T>` | the access token's claims; those of a JWT template in a type of the app's |
//! | [`AccessToken`] | the access token itself, to hand on |
//! | [`Session`] | the browser's session: refresh it, switch it, end it |
//! | [`ApiKey`] | the API key, with its owner |
//! | [`Impersonator`] | who acts as the person |
//!
//! A bearer credential is judged alone: a bad one is 401 (RFC 6750), also beside a good cookie. A cookie, which browsers add
//! to what any site sends, counts for what changes something only from pages of this site and of
//! [`trusted_origins`](AuthKitBuilder::trusted_origins).
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
//! # Flows
//!
//! Links do for most: `/auth/sign-in?return_to=/reports`, `/auth/sign-up`, `/auth/sign-out`. A handler of your own does the
//! same with every option that WorkOS has:
//!
//! ```
//! use actix_web::{HttpRequest, HttpResponse, web};
//! use workos_actix::AuthKit;
//!
//! async fn join(request: HttpRequest, authkit: web::Data<AuthKit>) -> HttpResponse {
//!     authkit.sign_up(&request).organization("org_…").state(&"spring campaign").return_to("/welcome").redirect()
//! }
//! ```
//!
//! | for | there is |
//! |---|---|
//! | sign-in with options, as a redirect or as a URL | [`AuthKit::sign_in`], [`AuthKit::sign_up`] |
//! | an app with several domains; paths for new people | [`redirect_uri_for`](AuthKitBuilder::redirect_uri_for), [`sign_up_paths`](AuthKitBuilder::sign_up_paths) |
//! | a table of the app's own users, kept up to date when a sign-in comes back; refusals and failures answered its own way | [`on_success`](AuthKitBuilder::on_success), [`on_error`](AuthKitBuilder::on_error) |
//! | proof that it is still the same person | [`AuthKit::require_recent_auth`] |
//! | a sign-in that the app made itself: a password form, a code | [`AuthKit::save_session`] |
//! | signing out of this browser alone, elsewhere, or everywhere | [`AuthKit::sign_out`], [`AuthKit::sign_out_elsewhere`] |
//! | the access token for scripts of the site | [`token_route`](AuthKitBuilder::token_route) |
//! | knowing of refreshes | [`on_session_refreshed`](AuthKitBuilder::on_session_refreshed), [`on_session_refresh_error`](AuthKitBuilder::on_session_refresh_error) |
//! | single sign-on for an app that keeps users and sessions itself | [`AuthKit::sso`], [`SsoCallback`] |
//! | the Admin Portal, for the organization's IT department | [`AuthKit::admin_portal`] |
//!
//! Feature flags are a claim: [`AuthUser::feature_flags`], as of the last refresh. WorkOS's Rust SDK has no client that
//! follows flags at run time, as the one for Node has; [`AuthKit::refresh_session`] fetches them now, and
//! `client().feature_flags().list_user_feature_flags(…)` asks for anybody's.
//!
//! # Several machines
//!
//! An app that runs in several processes, on one machine or many, needs one thing more: a [`SharedState`], which with the
//! feature `redis` (`redis-tls` for `rediss://`) is a Redis, Valkey or the like.
//!
//! ```no_run
//! # #[cfg(feature = "redis")]
//! # async fn start() -> Result<(), Box<dyn std::error::Error>> {
//! # use workos_actix::{AuthKit, RedisSharedState, WebhookConfig};
//! let redis = RedisSharedState::connect("redis://127.0.0.1:6379").await?;
//! let authkit = AuthKit::builder().env().shared_state(redis.clone()).build()?;
//! let webhooks = WebhookConfig::new("whsec_…").shared_state(redis);
//! # Ok(()) }
//! ```
//!
//! All processes have the same cookie password. Then they act as one, with or without
//! [`sessions_in_shared_state`](AuthKitBuilder::sessions_in_shared_state):
//!
//! | | alone | together | while Redis is away or silent |
//! |---|---|---|---|
//! | an expired session | is refreshed once per process | is refreshed once; the others wait for the answer | 503, and the session is kept. A token that is still valid serves on |
//! | a sign-out | counts elsewhere when the token expires | counts elsewhere within a second or two | counts here; elsewhere when Redis is back. After [10 seconds](AuthKitBuilder::revocation_max_age) without knowledge every session is 503 |
//! | a webhook that comes again | is a replay, or handled already, in the same process | everywhere | 503: WorkOS tries again |
//! | sessions in Redis | | end everywhere at once | 503 |
//!
//! - **No request hangs.** A command has a second; a refresh that another machine has begun is waited for as long as WorkOS
//!   may take, 16 seconds at most. When Redis is back, the next request is served: nobody was signed out.
//! - **A machine that dies** in the middle of a refresh keeps its turn for 15 seconds. Whoever is next asks WorkOS again,
//!   which repeats the answers of the last 30 seconds.
//! - **A request that needs no refresh asks no Redis.** Sign-outs are read every second, by one task per process.
//! - **Redis holds no readable secret**: what WorkOS answered, and sessions, are sealed with the cookie password; keys are
//!   hashes. Who can write to it can sign people out and hold up refreshes, not sign anybody in.
//! - **Use a Redis that keeps its data** (`appendonly yes`) for sessions. For the rest a restart without data costs
//!   little: sign-outs are remembered by the processes that know them, a refresh under way is claimed again, and one that
//!   was settled just before is, at worst, asked for again within WorkOS's 30 seconds. A webhook that was accepted in the
//!   last three minutes could come again.
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
//! A test feature.
#![forbid(unsafe_code)]

mod action;
mod admin_portal;
mod authenticate;
mod authkit;
mod authorize;
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
#[cfg(fuzzing)]
#[doc(hidden)]
pub mod fuzzing;
mod guard;
mod hooks;
mod middleware;
mod navigation;
mod page;
mod path_pattern;
mod random;
mod reauthentication;
mod refresh;
mod refusal;
mod renew;
mod requirement;
mod return_path;
mod rotation;
mod routes;
mod save_session;
mod shared_state;
mod sign_in_error;
mod sign_out;
mod sso;
mod token;
mod transport;
mod verifier_cookie;
mod webhook;

pub use workos;

#[cfg(feature = "redis")]
pub use self::shared_state::RedisSharedState;

pub use self::{
    action::{
        Action, ActionConfig, ActionError, ActionPayload, ActionResponse, AnyAction, AuthenticationAction,
        RegisteringUser, UserRegistrationAction,
    },
    admin_portal::{AdminPortal, AdminPortalError},
    authkit::AuthKit,
    authorize::{AuthorizeError, SignIn},
    clock::{Clock, SystemClock},
    config::{AuthKitBuilder, ConfigError, ConfigProblem, MachineTokens},
    context::{AuthContext, AuthExt},
    credential::CredentialKind,
    error::{AuthError, SignInRedirect},
    extract::{ApiKey, AuthUser, Impersonator, OrganizationId, Session},
    guard::{NotImpersonated, RecentAuth, Require, Required, Requires, ensure_signed_in, require},
    hooks::{AfterSignIn, SessionRefreshError, SessionRefreshed, SignedIn},
    middleware::AuthKitMiddleware,
    requirement::Requirement,
    shared_state::{LogPage, MemorySharedState, SharedState, SharedStateError},
    sign_in_error::SignInError,
    sign_out::SignOut,
    sso::{SsoCallback, SsoSignIn},
    token::{AccessToken, Actor, Claims},
    webhook::{
        Claim, Event, EventClaims, EventHandler, FromWebhook, HandlerOutcome, TypedEvent, Webhook,
        WebhookConfig, WebhookError, WebhookHandlers,
    },
};
