//! The WorkOS service in one small binary, or inside a test: AuthKit with its hosted pages, users, organizations,
//! memberships, roles, sessions, events and signed webhooks.
//!
//! ```
//! use std::time::Duration;
//! use workos_emulator::Emulator;
//!
//! # #[actix_web::main]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let emulator = Emulator::start().await?; // a free port, an environment of its own; stops on drop
//! let acme = emulator.organization("Acme").domain("acme.com").create()?;
//! emulator.role("admin").permissions(["documents:write"]).create()?;
//! let alice = emulator.user("alice@acme.com").password("seven quiet lighthouses").member_of(&acme, "admin").create()?;
//!
//! let tokens = emulator.sign_in(&alice).await?; // no browser needed
//! assert_eq!(tokens.organization_id, Some(acme.id));
//! emulator.clock().advance(Duration::from_secs(600)); // and the access token has expired
//! # Ok(()) }
//! ```
//!
//! Point an app at it by the base URL alone: [`url`](EmulatedEnvironment::url), [`api_key`](EmulatedEnvironment::api_key)
//! and [`client_id`](EmulatedEnvironment::client_id) are what it needs. The same as a command, for CI in any language:
//! `workos-emulator --seed workos-emulate.config.yaml`, with seed files, flags and the `--json` line of `@workos/emulate`.
//!
//! # As strict as production
//!
//! Client secret or PKCE; registered redirect URIs (addresses of this machine are free until one is registered); codes
//! that are used once, soon, and by whom they were made for; refresh tokens that rotate, with the 30 seconds in which the
//! last one gives the same pair; memberships checked when a token changes its organization; a password policy. What is
//! not known of production is an assumption, written at the place.
//!
//! # What it is not yet
//!
//! All 266 operations of the API are routed. Those that are not built answer 501 `not_implemented` by name; the README
//! lists them. Everything is in memory.
#![forbid(unsafe_code)]

mod api;
mod control;
mod core;
mod embed;
mod environment;
mod hosted;
mod mail;
mod scim;
mod seed;
mod server;
mod store;
mod timers;
mod webhooks;

pub use embed::{
    ConnectApplication, ConnectApplicationBuilder, Connection, ConnectionBuilder, Directory,
    DirectoryBuilder, DirectoryPerson, EmittedEvent, EmulatedClock, EmulatedEnvironment, Emulator,
    EmulatorBuilder, EmulatorError, Events, ExpectedMail, Invitation, InvitationBuilder, Mail, Mailbox,
    Organization, OrganizationBuilder, Role, RoleBuilder, SignedIn, SsoProfile, User, UserBuilder, Webhooks,
};
pub use seed::{InvalidSeed, validate_seed};
