//! The WorkOS service, in memory: its API, its hosted pages and its webhooks.
#![forbid(unsafe_code)]

mod api;
mod control;
mod core;
mod embed;
mod environment;
mod hosted;
mod seed;
mod server;
mod store;

pub use embed::{
    EmulatedClock, EmulatedEnvironment, Emulator, EmulatorBuilder, EmulatorError, Mail, Mailbox, Organization,
    OrganizationBuilder, Role, RoleBuilder, User, UserBuilder,
};
pub use seed::{InvalidSeed, validate_seed};
