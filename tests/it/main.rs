//! Whole flows through real HTTP: each test starts an emulator of its own, and the official SDK is the client.

mod bad_input;
mod environments;
mod events;
mod http;
mod memberships;
// mod middleware;
mod organizations;
mod receiver;
mod routes;
mod sdk;
mod sign_in;
mod users;
mod webhooks;
