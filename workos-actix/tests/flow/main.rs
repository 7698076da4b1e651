//! Whole sign-ins over loopback HTTP: a browser, an Actix app with several workers, and a small WorkOS.

#[cfg(test)]
mod api_keys;
#[cfg(test)]
mod app;
#[cfg(test)]
mod attacks;
#[cfg(test)]
mod bearer_attacks;
#[cfg(test)]
mod bearer_tokens;
#[cfg(test)]
mod browser;
#[cfg(test)]
mod credential_pages;
#[cfg(test)]
mod cross_origin;
#[cfg(test)]
mod end_sessions;
#[cfg(test)]
mod fake_api;
#[cfg(test)]
mod fake_workos;
#[cfg(test)]
mod guards;
#[cfg(test)]
mod guide;
#[cfg(test)]
mod handlers;
#[cfg(test)]
mod header_tricks;
#[cfg(test)]
mod hooks;
#[cfg(test)]
mod hooks_that_panic;
#[cfg(test)]
mod large_sessions;
#[cfg(test)]
mod machines;
#[cfg(test)]
mod observed;
#[cfg(test)]
mod open_redirects;
#[cfg(test)]
mod own_flows;
#[cfg(test)]
mod path_tricks;
#[cfg(test)]
#[cfg(feature = "redis")]
mod redis;
#[cfg(test)]
mod refresh;
#[cfg(test)]
mod refresh_hooks;
#[cfg(test)]
mod renew;
#[cfg(test)]
mod responses;
#[cfg(test)]
mod sealed_cookie;
#[cfg(test)]
mod sessions_begun_elsewhere;
#[cfg(test)]
mod shared_state;
#[cfg(test)]
mod sign_in;
#[cfg(test)]
mod sign_in_options;
#[cfg(test)]
mod sign_out;
#[cfg(test)]
mod stores;
#[cfg(test)]
mod switch_organization;
#[cfg(test)]
mod switch_races;
#[cfg(test)]
mod token_route;
#[cfg(test)]
mod token_tricks;
#[cfg(test)]
mod webhook_bodies;
