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
//! WORKOS_API_KEY=sk_…                 # WorkOS dashboard, API Keys
//! WORKOS_CLIENT_ID=client_…           # the same page
//! WORKOS_COOKIE_PASSWORD=…            # openssl rand -base64 32
//! WORKOS_REDIRECT_URI=http://localhost:8080/auth/callback  # also under Redirects there
//! ```
//!
//! A browser that opens `/me` is sent to sign in and comes back; a program gets 401. The session is in an encrypted cookie, its
//! access token is verified here and refreshed when it is due, once for any number of requests, and no fault of the network
//! signs anybody out.
//!
//! # What is where
//!
//! | for | there is | guide |
//! |---|---|---|
//! | the first steps, all variables | [`AuthKit::from_env`], [`AuthKit::routes`] | [quick start](guide::quick_start) |
//! | what happens to a request; cookies and stores | [`AuthKitBuilder`] | [concepts](guide::concepts) |
//! | handlers | [`AuthUser`], [`AuthContext`], [`OrganizationId`], [`Claims`], [`Session`], [`Impersonator`], [`AuthExt`] | [protecting](guide::protecting) |
//! | scopes, routes | [`ensure_signed_in`], [`require`], [`Required`], [`require_auth`](AuthKitBuilder::require_auth) | [protecting](guide::protecting) |
//! | sign-in with options, hooks, sign-out | [`SignIn`], [`on_success`](AuthKitBuilder::on_success), [`SignOut`] | [sign-in](guide::sign_in) |
//! | scripts, mobile apps | [`bearer_tokens`](AuthKitBuilder::bearer_tokens), [`token_route`](AuthKitBuilder::token_route) | [single-page app](guide::single_page_app) |
//! | programs | [`ApiKey`], [`MachineTokens`] | [API only](guide::api_only) |
//! | tenants, their IT departments | [`Session::switch_organization`], [`AuthKit::admin_portal`], [`AuthKit::sso`] | [organizations](guide::organizations) |
//! | one sign-in with `authkit-nextjs` | [`sealed_cookie`](AuthKitBuilder::sealed_cookie) | [beside Next.js](guide::beside_nextjs) |
//! | several processes | [`SharedState`] | [several machines](guide::several_machines) |
//! | what WorkOS tells, and asks | [`WebhookHandlers`], [`Webhook`], [`Event`], [`Action`] | [webhooks](guide::webhooks) |
//! | "is it still you?" | [`RecentAuth`], [`AuthKit::require_recent_auth`] | [re-authentication](guide::reauthentication) |
//! | tests | the feature `testing`, [`Clock`], `workos-emulator` | [testing](guide::testing) |
//! | logs, metrics | `tracing`; the feature `metrics` | [sign-in](guide::sign_in#logs-and-metrics) |
//! | the WorkOS API | [`AuthKit::client`]; the [SDK](https://docs.rs/workos), re-exported as `workos` | |
//!
//! Also in the [guide]: [security](guide::security) with the threats and the tests that try them, and the way here
//! [from JWT middleware](guide::from_jwt) and [from `authkit-nextjs`](guide::from_authkit_nextjs).
//!
//! # Cargo features
//!
//! None is on by default.
//!
//! | feature | |
//! |---|---|
//! | `redis` | [several machines](guide::several_machines) behind one Redis, Valkey or the like |
//! | `redis-tls` | the same over TLS, `rediss://` |
//! | `metrics` | counters and histograms through the [`metrics`](https://docs.rs/metrics) facade |
//! | `testing` | requests that are signed in, for the [tests](guide::testing) of your app; not for the app itself |
#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]

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
mod counted;
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
#[cfg(doc)]
pub mod guide;
mod hooks;
#[cfg(feature = "metrics")]
#[cfg_attr(docsrs, doc(cfg(feature = "metrics")))]
pub mod metrics;
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
#[cfg(feature = "testing")]
#[cfg_attr(docsrs, doc(cfg(feature = "testing")))]
pub mod testing;
mod token;
mod transport;
mod verifier_cookie;
mod webhook;

pub use workos;

#[cfg(feature = "redis")]
#[cfg_attr(docsrs, doc(cfg(feature = "redis")))]
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
