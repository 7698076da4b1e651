//! Access tokens: their claims, the keys that sign them, and the proof that one is genuine.

mod access_token;
pub(crate) mod cache;
mod claims;
mod ended;
#[cfg(fuzzing)]
pub(crate) mod fuzzing;
pub(crate) mod jwks;
pub(crate) mod verified;
pub(crate) mod verify;

pub use self::{
    access_token::AccessToken,
    claims::{Actor, Claims},
};
