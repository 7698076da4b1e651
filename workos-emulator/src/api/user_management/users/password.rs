//! The password of a request, as a hash: `password`, or `password_hash` with its type.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::{
    api::user_management::password_reset,
    core::{
        password::{
            InvalidPasswordHash, PasswordHash, PasswordHashType, SaltPosition,
            policy::{MAX_HISTORY, PasswordProblem},
        },
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
    /// The passwords before this one, newest first.
    #[serde(default)]
    previous: Vec<PasswordHash>,
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

/// The hash of the password that is given for a new user, if one is; it must keep to the environment's policy.
///
/// It takes milliseconds and is therefore done before the transaction that keeps the hash.
pub(crate) fn prepare(
    environment: &Environment,
    email: &str,
    given: &GivenPassword,
) -> Result<Option<PasswordHash>, ApiError> {
    prepare_change(environment, None, email, given)
}

/// The same for a user who is there, and may have had the password before.
pub(crate) fn prepare_change(
    environment: &Environment,
    user_id: Option<&str>,
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
    match hash_new(environment, user_id, email, password)? {
        Ok(hash) => Ok(Some(hash)),
        Err(problems) => Err(too_weak("password_strength_error", &problems)),
    }
}

/// The hash of a new password, or what is wrong with it by the environment's policy.
pub(crate) fn hash_new(
    environment: &Environment,
    user_id: Option<&str>,
    email: &str,
    password: &Secret,
) -> Result<Result<PasswordHash, Vec<PasswordProblem>>, ApiError> {
    let state = environment.state();
    let policy = &state.settings().password_policy;
    let mut problems = policy.check(password.expose(), email);
    let had = user_id.and_then(|id| state.passwords.get(id));
    if problems.is_empty() && had.is_some_and(|had| had.is_among_last(policy.history, password.expose())) {
        problems.push(PasswordProblem::used_before());
    }
    if !problems.is_empty() {
        return Ok(Err(problems));
    }
    PasswordHash::create(password.expose(), &mut environment.randomness())
        .map(Ok)
        .map_err(|error| invalid_hash(&error))
}

/// The refusal of a new password.
pub(crate) fn too_weak(code: &str, problems: &[PasswordProblem]) -> ApiError {
    ApiError::bad_request(code, "Password does not meet strength requirements.")
        .with("errors", json!(problems))
}

impl Password {
    /// Whether `password` is one of the last `count`, the present one among them. Each costs milliseconds.
    fn is_among_last(&self, count: usize, password: &str) -> bool {
        let last = std::iter::once(&self.hash).chain(&self.previous).take(count);
        last.into_iter().any(|hash| hash.verify(password))
    }
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

/// Sets or replaces the password of a user. A link to reset it is void then.
pub(crate) fn set(
    tx: &mut Transaction<'_>,
    user_id: &str,
    hash: PasswordHash,
) -> Result<Arc<Password>, ApiError> {
    let before = tx.passwords.get(user_id);
    let previous = before.map_or_else(Vec::new, |before| {
        let all = std::iter::once(&before.hash).chain(&before.previous);
        all.take(MAX_HISTORY - 1).cloned().collect()
    });
    password_reset::void(tx, user_id)?;
    let user_id = user_id.to_owned();
    Ok(tx.put(Password {
        user_id,
        hash,
        previous,
    })?)
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

    #[test]
    fn remembers_the_last_passwords_as_far_as_the_policy_asks() {
        use crate::{api::user_management::authenticate::fixture::Fixture, control::settings::change};

        let fixture = Fixture::new();
        let environment = &fixture.environment;
        let set = |password: &str| {
            let user_id = Some(fixture.user_id.as_str());
            let hash = hash_new(environment, user_id, "ada@example.com", &Secret::new(password)).unwrap();
            let hash = hash.map_err(|problems| problems[0].code)?;
            environment
                .transact(|tx| super::set(tx, &fixture.user_id, hash))
                .unwrap();
            Ok::<_, &str>(())
        };
        let history = |history: usize| {
            let changes = json!({"password_policy": {"history": history}});
            environment.transact(|tx| change(tx, &changes)).unwrap()
        };
        let password = |number: usize| format!("lighthouse {number} keeper");
        for number in 0..12 {
            set(&password(number)).unwrap();
        }
        set(&password(11)).unwrap(); // off unless asked for
        history(2).unwrap();
        assert_eq!(set(&password(11)), Err("password_used_before"));
        set(&password(10)).unwrap();
        history(10).unwrap();
        assert_eq!(set(&password(4)), Err("password_used_before"));
        set(&password(3)).unwrap();
        assert_eq!(
            environment
                .state()
                .passwords
                .get(&fixture.user_id)
                .unwrap()
                .previous
                .len(),
            9
        );
        let refused = history(11).unwrap_err();
        assert_eq!(refused.path, "password_policy.history");
    }
}
