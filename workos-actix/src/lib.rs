//! x
#![forbid(unsafe_code)]

mod authenticate;
mod authkit;
mod clock;
mod config;
mod context;
mod cookie;
mod credential;
mod digest;
mod error;
mod extract;
mod guard;
mod middleware;
mod navigation;
mod page;
mod path_pattern;
mod random;
mod refresh;
mod return_path;
mod routes;
mod token;
mod transport;
mod webhook;

pub use workos;

pub use self::{
    authkit::AuthKit,
    clock::{Clock, SystemClock},
    config::{AuthKitBuilder, ConfigError, ConfigProblem},
    context::{AuthContext, AuthExt},
    error::{AuthError, SignInRedirect},
    extract::{AuthUser, Impersonator},
    guard::{EnsureSignedIn, ensure_signed_in},
    middleware::AuthKitMiddleware,
    token::{Actor, Claims},
    webhook::{Webhook, WebhookConfig, WebhookError},
};
