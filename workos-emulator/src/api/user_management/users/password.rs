//! The password of a request, as a hash: `password`, or `password_hash` with its type.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::{
    core::{
        password::{InvalidPasswordHash, PasswordHash, PasswordHashType, SaltPosition},
        secret::Secret,
    },
    environment::Environment,
    server::error::ApiError,
    store::{Record, State, Transaction},
};

/// The password of a user, kept apart so that no user body or event can carry it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Password {
    pub(crate) user_id: String,
    pub(crate) hash: PasswordHash,
}

impl Record for Password {
    fn id(&self) -> &str {
        &self.user_id
    }
}

/// What a request or a seed says about a password.
#[derive(Debug, Default)]
pub(crate) struct GivenPassword {
    pub(crate) password: Option<Secret>,
    pub(crate) password_hash: Option<Secret>,
    pub(crate) password_hash_type: Option<PasswordHashType>,
    pub(crate) password_salt_position: Option<SaltPosition>,
}

/// The hash of the password that is given, if one is; a new password must keep to the environment's policy.
///
/// It takes milliseconds and is therefore done before the transaction that keeps the hash.
pub(crate) fn prepare(
    environment: &Environment,
    email: &str,
    given: &GivenPassword,
) -> Result<Option<PasswordHash>, ApiError> {
    check_combination(given)?;
    if let (Some(hash), Some(kind)) = (&given.password_hash, given.password_hash_type) {
        let hash = PasswordHash::import(hash.expose(), kind, given.password_salt_position);
        return hash.map(Some).map_err(|error| invalid_hash(&error));
    }
    let Some(password) = &given.password else {
        return Ok(None);
    };
    let state = environment.state();
    if let Err(problems) = state.settings().password_policy.check(password.expose(), email) {
        return Err(ApiError::bad_request(
            "password_strength_error",
            "Password does not meet strength requirements.",
        )
        .with("errors", json!(problems)));
    }
    PasswordHash::create(password.expose(), &mut environment.randomness())
        .map(Some)
        .map_err(|error| invalid_hash(&error))
}

/// The codes are those of the API's description of `POST /user_management/users`; the messages are made up.
fn check_combination(given: &GivenPassword) -> Result<(), ApiError> {
    let (password, hash, kind) = (
        given.password.is_some(),
        given.password_hash.is_some(),
        given.password_hash_type.is_some(),
    );
    if password && hash {
        return Err(ApiError::bad_request(
            "password_and_password_hash_provided",
            "Provide either password or password_hash, not both.",
        ));
    }
    if password && kind {
        return Err(ApiError::bad_request(
            "password_and_password_hash_type_provided",
            "Provide either password or password_hash_type, not both.",
        ));
    }
    if given.password_salt_position.is_some() && !hash {
        return Err(ApiError::bad_request(
            "password_salt_position_requires_password_hash",
            "password_salt_position needs a password_hash.",
        ));
    }
    match (hash, kind) {
        (true, false) => Err(missing("password_hash_type")),
        (false, true) => Err(missing("password_hash")),
        _ => Ok(()),
    }
}

fn missing(field: &str) -> ApiError {
    ApiError::invalid_field(field, "required", format!("{field} is required."))
}

fn invalid_hash(error: &InvalidPasswordHash) -> ApiError {
    ApiError::bad_request(
        "invalid_password_hash",
        format!("Invalid password hash: {error}."),
    )
}

/// The password of a user, where there is one.
pub(crate) fn find<'a>(state: &'a State, user_id: &str) -> Option<&'a PasswordHash> {
    state.passwords.get(user_id).map(|password| &password.hash)
}

/// Sets or replaces the password of a user.
pub(crate) fn set(
    tx: &mut Transaction<'_>,
    user_id: &str,
    hash: PasswordHash,
) -> Result<Arc<Password>, ApiError> {
    let user_id = user_id.to_owned();
    Ok(tx.put(Password { user_id, hash })?)
}

#[cfg(test)]
mod tests {
    use super::*;

    const BCRYPT: &str = "$2a$10$N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy";

    fn prepared(given: &serde_json::Value) -> Result<Option<PasswordHash>, ApiError> {
        let text = |name: &str| given[name].as_str().map(Secret::new);
        let given = GivenPassword {
            password: text("password"),
            password_hash: text("hash"),
            password_hash_type: serde_json::from_value(given["type"].clone()).unwrap(),
            password_salt_position: serde_json::from_value(given["salt"].clone()).unwrap(),
        };
        prepare(&Environment::for_tests(), "ada@example.com", &given)
    }

    #[test]
    fn hashes_and_imports() {
        assert_eq!(prepared(&json!({})).unwrap(), None);
        let hash = prepared(&json!({"password": "correct horse battery"}))
            .unwrap()
            .unwrap();
        assert!(hash.verify("correct horse battery"));
        assert!(!hash.verify("correct horse batterz"));
        let imported = prepared(&json!({"hash": BCRYPT, "type": "bcrypt"}))
            .unwrap()
            .unwrap();
        assert!(!imported.verify("correct horse battery"));
    }

    #[test]
    fn refuses_each_wrong_combination() {
        for (given, status, code) in [
            (
                json!({"password": "x", "hash": BCRYPT, "type": "bcrypt"}),
                400,
                "password_and_password_hash_provided",
            ),
            (
                json!({"password": "x", "type": "bcrypt"}),
                400,
                "password_and_password_hash_type_provided",
            ),
            (
                json!({"password": "x", "salt": "prefix"}),
                400,
                "password_salt_position_requires_password_hash",
            ),
            (
                json!({"salt": "suffix"}),
                400,
                "password_salt_position_requires_password_hash",
            ),
            (json!({"hash": BCRYPT}), 422, "invalid_request_parameters"),
            (json!({"type": "bcrypt"}), 422, "invalid_request_parameters"),
            (
                json!({"hash": "nonsense", "type": "bcrypt"}),
                400,
                "invalid_password_hash",
            ),
            (
                json!({"hash": BCRYPT, "type": "bcrypt", "salt": "prefix"}),
                400,
                "invalid_password_hash",
            ),
        ] {
            let refused = prepared(&given).unwrap_err();
            assert_eq!((refused.status, refused.code()), (status, Some(code)), "{given}");
            assert!(!refused.to_string().contains(BCRYPT));
        }
    }

    #[test]
    fn names_what_is_wrong_with_a_weak_password() {
        let refused = prepared(&json!({"password": "password"})).unwrap_err();
        assert_eq!(
            (refused.status, refused.code()),
            (400, Some("password_strength_error"))
        );
        let codes: Vec<_> = refused.body["errors"]
            .as_array()
            .unwrap()
            .iter()
            .map(|e| &e["code"])
            .collect();
        assert_eq!(
            codes,
            ["password_too_short", "password_too_weak", "password_pwned"]
        );
    }
}
