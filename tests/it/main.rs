//! Whole flows through real HTTP: each test starts an emulator of its own, and the official SDK is the client.

mod api_keys;
mod app;
mod attacks;
mod bad_input;
mod browser;
mod cors;
mod device_authorization;
mod email_change;
mod email_verification;
mod environments;
mod events;
mod feature_flags;
mod groups;
mod http;
mod magic_auth;
mod mailbox;
mod memberships;
mod middleware;
mod organizations;
mod passkeys;
mod password_reset;
mod passwords;
mod proxy;
mod races;
mod radar;
mod readme;
mod reauthentication;
mod receiver;
mod routes;
mod sdk;
mod sessions;
mod sign_in;
#[path = "../../workos-emulator/src/core/webauthn/software_authenticator.rs"]
mod software_authenticator;
mod users;
mod webhooks;
