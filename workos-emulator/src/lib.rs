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
mod webhooks;

pub use embed::{
    EmittedEvent, EmulatedClock, EmulatedEnvironment, Emulator, EmulatorBuilder, EmulatorError, Events, Mail,
    Mailbox, Organization, OrganizationBuilder, Role, RoleBuilder, SignedIn, User, UserBuilder, Webhooks,
};
pub use seed::{InvalidSeed, validate_seed};
