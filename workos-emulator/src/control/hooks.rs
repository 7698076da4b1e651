//! `/_emulate/hooks`: faults, which are answers that a test wants instead of the real ones.

use actix_web::http::{Method, StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{
    environment::Environment,
    server::{call::Call, error::ApiError, reply::Reply},
    store::{Record, Transaction},
};

/// A fault, as kept and as shown.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Hook {
    pub(crate) id: String,
    /// `GET`, or `*` for every method.
    pub(crate) method: String,
    /// `/organizations`, `/user_management/*` for all below, or `*` for everything.
    pub(crate) path: String,
    pub(crate) status: u16,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(crate) body: Option<Value>,
    /// How often it still answers; without it, until it is deleted.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(crate) count: Option<u32>,
}

impl Record for Hook {
    fn id(&self) -> &str {
        &self.id
    }
}

impl Hook {
    fn takes(&self, method: &str, path: &str) -> bool {
        let method_fits = self.method == "*" || self.method.eq_ignore_ascii_case(method);
        let path_fits = match self.path.strip_suffix('*') {
            Some(prefix) => path.starts_with(prefix),
            None => self.path == path,
        };
        method_fits && path_fits
    }

    /// Its own body, or one of WorkOS's form with the status's name.
    fn reply(&self) -> Result<Reply, ApiError> {
        match &self.body {
            Some(body) => Reply::json(self.status, body),
            None if self.status < 200 || matches!(self.status, 204 | 304) => Reply::empty(self.status),
            None => {
                let name = StatusCode::from_u16(self.status)
                    .ok()
                    .and_then(|status| status.canonical_reason());
                let message = name.unwrap_or("Fault");
                let code = message.to_lowercase().replace([' ', '-'], "_").replace('\'', "");
                Reply::json(self.status, &json!({"message": message, "code": code}))
            }
        }
    }
}

/// A hook that is wanted, before it has an id.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct NewHook {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) status: u16,
    #[serde(default)]
    pub(crate) body: Option<Value>,
    #[serde(default)]
    pub(crate) count: Option<u32>,
}

/// What a later version does, and this one refuses instead of passing over it.
const NOT_BUILT: [&str; 4] = ["delay_ms", "drop", "rate_limit", "probability"];

/// Checks and keeps a hook.
pub(crate) fn create(tx: &mut Transaction<'_>, new: NewHook) -> Result<std::sync::Arc<Hook>, ApiError> {
    let method = new.method.trim().to_ascii_uppercase();
    let is_token = !method.is_empty() && method.bytes().all(|byte| byte.is_ascii_alphabetic());
    if method != "*" && !is_token {
        return Err(ApiError::invalid_field(
            "method",
            "invalid",
            "method is an HTTP method or *.",
        ));
    }
    let wildcards = new.path.matches('*').count();
    let path_fits = new.path == "*"
        || new.path.starts_with('/') && (wildcards == 0 || wildcards == 1 && new.path.ends_with("/*"));
    if !path_fits {
        return Err(ApiError::invalid_field(
            "path",
            "invalid",
            "path is a whole path (/organizations), a prefix (/organizations/*) or *.",
        ));
    }
    // 1xx cannot be an answer: HTTP sends another one after it.
    if !(200..=599).contains(&new.status) {
        return Err(ApiError::invalid_field(
            "status",
            "invalid",
            "status is a number from 200 to 599.",
        ));
    }
    if new.count == Some(0) {
        return Err(ApiError::invalid_field(
            "count",
            "invalid",
            "count is at least 1; leave it out for no limit.",
        ));
    }
    let hook = Hook {
        id: tx.id("hook"),
        method,
        path: new.path,
        status: new.status,
        body: new.body,
        count: new.count,
    };
    Ok(tx.put(hook)?)
}

/// The answer that a hook gives in the place of the operation: the oldest hook that fits.
pub(crate) fn fault(
    environment: &Environment,
    method: &Method,
    path: &str,
) -> Result<Option<Reply>, ApiError> {
    let takes = |hook: &&std::sync::Arc<Hook>| hook.takes(method.as_str(), path);
    if !environment.state().hooks.iter().any(|hook| takes(&hook)) {
        return Ok(None);
    }
    let hook = environment.transact(|tx| {
        let Some(hook) = tx.hooks.iter().find(takes).cloned() else {
            // Another request took its last answer.
            return Ok(None);
        };
        match hook.count {
            Some(0 | 1) => drop(tx.delete::<Hook>(&hook.id)),
            Some(count) => drop(tx.put(Hook {
                count: Some(count - 1),
                ..Hook::clone(&hook)
            })?),
            None => {}
        }
        Ok::<_, ApiError>(Some(hook))
    })?;
    hook.map(|hook| hook.reply()).transpose()
}

/// `GET /_emulate/hooks`: a bare array.
pub(super) fn list_hooks(call: &Call) -> Result<Reply, ApiError> {
    let state = call.environment.state();
    Reply::ok(&state.hooks.iter().collect::<Vec<_>>())
}

/// `POST /_emulate/hooks`
pub(super) fn create_hook(call: &Call) -> Result<Reply, ApiError> {
    let given = |name: &str| call.raw_body().get(name).is_some_and(|value| !value.is_null());
    if !["method", "path", "status"].into_iter().all(given) {
        return Err(ApiError::bad_request(
            "bad_request",
            "method, path, and status are required",
        ));
    }
    if let Some(name) = NOT_BUILT.into_iter().find(|name| given(name)) {
        return Err(ApiError::new(
            501,
            "not_implemented",
            format!("Hooks with {name} are not built yet; nothing was changed."),
        ));
    }
    let new: NewHook = call.body()?;
    Reply::created(&call.environment.transact(|tx| create(tx, new))?)
}

/// `DELETE /_emulate/hooks/{id}`
pub(super) fn delete_hook(call: &Call) -> Result<Reply, ApiError> {
    call.environment.transact(|tx| {
        tx.delete::<Hook>(call.param("id"))
            .ok_or_else(|| ApiError::new(404, "not_found", "Hook not found"))
    })?;
    Reply::empty(204)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hook(method: &str, path: &str, count: Option<u32>) -> NewHook {
        NewHook {
            method: method.to_owned(),
            path: path.to_owned(),
            status: 503,
            body: None,
            count,
        }
    }

    fn status(environment: &Environment, method: Method, path: &str) -> Option<u16> {
        fault(environment, &method, path)
            .unwrap()
            .map(|reply| reply.status)
    }

    #[test]
    fn answers_as_often_as_it_is_told_to() {
        let environment = Environment::for_tests();
        environment
            .transact(|tx| create(tx, hook("get", "/organizations", Some(2))))
            .unwrap();
        assert_eq!(status(&environment, Method::POST, "/organizations"), None);
        assert_eq!(status(&environment, Method::GET, "/organizations/org_1"), None);
        assert_eq!(status(&environment, Method::GET, "/organizations"), Some(503));
        assert_eq!(environment.state().hooks.iter().next().unwrap().count, Some(1));
        assert_eq!(status(&environment, Method::GET, "/organizations"), Some(503));
        assert_eq!(status(&environment, Method::GET, "/organizations"), None);
        assert_eq!(environment.state().hooks.len(), 0);
    }

    #[test]
    fn takes_prefixes_and_everything() {
        let environment = Environment::for_tests();
        let id = environment
            .transact(|tx| create(tx, hook("*", "/radar/*", None)))
            .unwrap()
            .id
            .clone();
        assert_eq!(status(&environment, Method::PUT, "/radar/lists/ip"), Some(503));
        assert_eq!(status(&environment, Method::PUT, "/radars"), None);
        environment
            .transact(|tx| {
                tx.delete::<Hook>(&id);
                create(tx, hook("*", "*", None))
            })
            .unwrap();
        assert_eq!(status(&environment, Method::GET, "/x"), Some(503));
    }

    #[test]
    fn refuses_what_cannot_be_answered() {
        let environment = Environment::for_tests();
        let refused = |new| environment.transact(|tx| create(tx, new)).unwrap_err();
        for wrong in [
            NewHook {
                status: 999,
                ..hook("GET", "/a", None)
            },
            NewHook {
                status: 101,
                ..hook("GET", "/a", None)
            },
            hook("GET", "a", None),
            hook("GET", "/a*", None),
            hook("GET", "/*/a/*", None),
            hook("G ET", "/a", None),
            hook("GET", "/a", Some(0)),
        ] {
            assert_eq!(refused(wrong.clone()).status, 422, "{wrong:?}");
        }
        assert_eq!(environment.state().hooks.len(), 0);
    }
}
