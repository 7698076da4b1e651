//! Scopes: what an application asks for. Source: <https://workos.com/docs/reference/workos-connect/authorize>.
//!
//! Besides the four of OpenID Connect, a scope is a permission of the environment: its slug.

use super::applications::{ConnectApplication, Kind};
use crate::{api::authorization::permissions, server::error::ApiError, store::State};

/// What every OAuth application may ask for, in the order in which production lists it.
pub(super) const BUILT_IN: [&str; 4] = ["email", "offline_access", "openid", "profile"];

pub(super) const OPENID: &str = "openid";
pub(super) const PROFILE: &str = "profile";
pub(super) const EMAIL: &str = "email";
pub(super) const OFFLINE_ACCESS: &str = "offline_access";

/// What an application asks for that says nothing.
///
/// Assumption: production wants `scope`, and clients of MCP servers leave it out nevertheless; RFC 6749 section 3.3 lets
/// the server have a default.
pub(super) const DEFAULT: [&str; 3] = [EMAIL, OPENID, PROFILE];

/// The scopes of a space-separated list, each once, sorted as production's tokens have them.
pub(super) fn parse(text: &str) -> Vec<String> {
    let mut scopes: Vec<String> = text.split_ascii_whitespace().map(str::to_owned).collect();
    scopes.sort();
    scopes.dedup();
    scopes
}

/// Each once, in the order in which they were given.
pub(super) fn distinct(given: Vec<String>) -> Vec<String> {
    let mut scopes: Vec<String> = Vec::with_capacity(given.len());
    for scope in given {
        if !scopes.contains(&scope) {
            scopes.push(scope);
        }
    }
    scopes
}

/// Refuses what no application could ask for.
pub(super) fn check(state: &State, given: &[String]) -> Result<(), ApiError> {
    let exists = |scope: &str| BUILT_IN.contains(&scope) || permissions::find(state, scope).is_ok();
    match given.iter().find(|scope| !exists(scope)) {
        None => Ok(()),
        Some(scope) => Err(ApiError::invalid_field(
            "scopes",
            "scope_not_found",
            format!("There is no scope and no permission '{scope}'."),
        )),
    }
}

/// What is asked for, or the part of it that the application may not have.
pub(super) fn granted(application: &ConnectApplication, asked: Vec<String>) -> Result<Vec<String>, String> {
    match asked.iter().find(|scope| !may_have(application, scope)) {
        None => Ok(asked),
        Some(scope) => Err(format!("The application may not have the scope '{scope}'.")),
    }
}

pub(super) fn may_have(application: &ConnectApplication, scope: &str) -> bool {
    let built_in = matches!(application.kind, Kind::OAuth(_)) && BUILT_IN.contains(&scope);
    built_in || application.scopes.iter().any(|own| own == scope)
}

/// What scopes let an application do, in words for the person who is asked: who they are first, how long last. `openid` says
/// nothing that is not said anyway.
pub(crate) fn in_words(state: &State, scopes: &[String]) -> Vec<String> {
    let rank = |scope: &str| match scope {
        PROFILE => 0,
        EMAIL => 1,
        OFFLINE_ACCESS => 3,
        _ => 2,
    };
    let mut scopes: Vec<&str> = scopes.iter().map(String::as_str).collect();
    scopes.sort_by_key(|scope| rank(scope));
    let words = |scope| {
        Some(match scope {
            OPENID => return None,
            PROFILE => "See your name".to_owned(),
            EMAIL => "See your email address".to_owned(),
            OFFLINE_ACCESS => "Keep this access when you are not using it".to_owned(),
            slug => match permissions::find(state, slug) {
                Ok(permission) => permission.name.clone(),
                Err(_) => slug.to_owned(),
            },
        })
    };
    scopes.into_iter().filter_map(words).collect()
}
