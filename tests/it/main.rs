//! Whole flows through real HTTP: each test starts an emulator of its own, and the official SDK is the client.

mod api_keys;
mod app;
mod attacks;
mod bad_input;
mod browser;
mod cors;
mod device_authorization;
mod environments;
mod events;
mod feature_flags;
mod groups;
mod http;
mod memberships;
mod middleware;
mod organizations;
mod passwords;
mod proxy;
mod races;
mod radar;
mod readme;
mod receiver;
mod routes;
mod sdk;
mod sign_in;
mod users;
mod webhooks;
