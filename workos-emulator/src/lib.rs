//! The WorkOS service, in memory: its API, its hosted pages and its webhooks.
#![forbid(unsafe_code)]

mod api;
mod control;
mod core;
mod embed;
mod environment;
mod hosted;
mod server;
mod store;
mod webhooks;

pub use embed::{Emulator, EmulatorBuilder, StartError};
