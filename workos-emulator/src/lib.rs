//! The WorkOS service, in memory: its API, its hosted pages and its webhooks.
#![forbid(unsafe_code)]

mod core;
mod hosted;
