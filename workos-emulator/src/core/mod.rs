//! What every part of the emulator is given instead of taking it from the system: keys and passwords.

pub(crate) mod jwt;
pub(crate) mod keys;
pub(crate) mod password;
