//! What every part of the emulator is given instead of taking it from the system: time, ids, keys, secrets.

pub(crate) mod clock;
pub(crate) mod ids;
pub(crate) mod jws;
pub(crate) mod jwt;
pub(crate) mod jwt_template;
pub(crate) mod keys;
pub(crate) mod password;
pub(crate) mod phone_number;
pub(crate) mod pkce;
pub(crate) mod qr_code;
pub(crate) mod secret;
pub(crate) mod totp;
pub(crate) mod webauthn;
pub(crate) mod xml;
