//! Access tokens: their claims, the keys that sign them, and the proof that one is genuine.

pub(crate) mod cache;
mod claims;
mod ended;
pub(crate) mod jwks;
pub(crate) mod verify;

pub use claims::{Actor, Claims};
