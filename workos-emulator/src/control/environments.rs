//! `/_emulate/environments`: isolated environments in one process, and `/_emulate`, the way to everything.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::settings;
use crate::{
    api::{authorization::roles, connect::applications, user_management::signing_keys::SigningKeys},
    core::keys::{KeySet, SigningKey},
    environment::Environment,
    hosted,
    seed::{InvalidSeed, Seed, Seeded},
    server::{api_key::SecretKey, call::Call, error::ApiError, registry::Registry, reply::Reply},
};

/// An environment, as shown: all that an app needs to use it.
#[derive(Debug, Serialize)]
struct EnvironmentBody {
    id: String,
    name: String,
    api_key: Option<String>,
    client_id: String,
    base_url: String,
}

/// What a new environment starts with.
#[derive(Debug, Default)]
pub(crate) struct NewEnvironment {
    pub(crate) name: String,
    pub(crate) seed: Option<Seed>,
    pub(crate) settings: Option<Value>,
    /// Starts as a copy of this one as it is now, with keys of its own.
    pub(crate) fork_of: Option<Arc<Environment>>,
}

/// Why a new environment was not made.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FillError {
    #[error(transparent)]
    Seed(#[from] InvalidSeed),
    #[error(transparent)]
    Rule(#[from] ApiError),
}

impl From<FillError> for ApiError {
    fn from(error: FillError) -> Self {
        match error {
            FillError::Seed(invalid) => invalid.into(),
            FillError::Rule(error) => error,
        }
    }
}

/// Creates an environment; it is known to requests as soon as it is complete.
pub(crate) fn create(registry: &Registry, new: &NewEnvironment) -> Result<Arc<Environment>, FillError> {
    let environment = registry.blank(&new.name);
    if let Some(origin) = &new.fork_of {
        environment.restore(&origin.snapshot());
    }
    let start = Start {
        seed: new.seed.as_ref(),
        settings: new.settings.as_ref(),
        ..Start::default()
    };
    fill(&environment, start)?;
    let environment = Arc::new(environment);
    registry.add(&environment)?;
    Ok(environment)
}

/// What an environment is given before it is used.
#[derive(Debug, Default)]
pub(crate) struct Start<'a> {
    /// Unless the seed has keys. Default: one that nobody can guess.
    pub(crate) api_key: Option<&'a str>,
    /// Default: the development key.
    pub(crate) signing_key: Option<SigningKey>,
    pub(crate) seed: Option<&'a Seed>,
    /// They win over those of the seed.
    pub(crate) settings: Option<&'a Value>,
}

/// Gives a new environment its keys, its settings and its seed, in one transaction: that is where a reset goes back to.
pub(crate) fn fill(environment: &Environment, start: Start<'_>) -> Result<Seeded, FillError> {
    let prepared = start.seed.map(|seed| seed.prepare(environment)).transpose()?;
    let seeded = environment.transact(|tx| {
        let copied: Vec<_> = tx.secret_keys.iter().map(|key| key.id.clone()).collect();
        for id in copied {
            tx.delete::<SecretKey>(&id);
        }
        applications::with_new_client_ids(tx)?;
        if let Some(key) = start.signing_key {
            tx.put(SigningKeys(KeySet::new(key))).map_err(ApiError::from)?;
        }
        roles::seed_defaults(tx)?;
        let seeded = match &prepared {
            Some(prepared) => prepared.plant(tx)?,
            None => Seeded::default(),
        };
        if tx.secret_keys.len() == 0 {
            let key = match start.api_key {
                Some(key) => key.to_owned(),
                None => format!("sk_test_{}", tx.token(32)),
            };
            tx.put(SecretKey::new(&key)).map_err(ApiError::from)?;
        }
        if let Some(changes) = start.settings {
            settings::change(tx, changes)?.map_err(ApiError::from)?;
        }
        Ok::<_, FillError>(seeded)
    })?;
    environment.keep_start();
    Ok(seeded)
}

/// The key that is shown to people: the oldest one.
pub(crate) fn api_key(environment: &Environment) -> Option<String> {
    let state = environment.state();
    let key = state.secret_keys.iter().next()?;
    Some(key.value.expose().to_owned())
}

fn body(environment: &Environment, base_url: String) -> EnvironmentBody {
    EnvironmentBody {
        id: environment.id.clone(),
        name: environment.name.clone(),
        api_key: api_key(environment),
        client_id: environment.client_id.clone(),
        base_url,
    }
}

/// `GET /_emulate`
pub(super) fn describe(call: &Call) -> Result<Reply, ApiError> {
    let url = call.base_url();
    let environments: Vec<_> = call
        .registry
        .environments()
        .iter()
        .map(|environment| body(environment, url.clone()))
        .collect();
    let links: serde_json::Map<_, _> = super::OPERATIONS
        .iter()
        .map(|operation| {
            (
                operation.name.to_owned(),
                json!(format!("{} {url}{}", operation.method, operation.path)),
            )
        })
        .collect();
    Reply::ok(&json!({
        "name": env!("CARGO_PKG_NAME"),
        "version": env!("CARGO_PKG_VERSION"),
        "url": url,
        "health": format!("{url}/health"),
        "mailbox": format!("{url}{}", hosted::mailbox::PATH),
        "environment": call.environment.id,
        "environments": environments,
        "links": links,
    }))
}

/// `GET /_emulate/environments`: oldest first.
pub(super) fn list_environments(call: &Call) -> Result<Reply, ApiError> {
    let environments: Vec<_> = call
        .registry
        .environments()
        .iter()
        .map(|environment| body(environment, call.base_url()))
        .collect();
    Reply::ok(&json!({"data": environments}))
}

/// `POST /_emulate/environments`
pub(super) fn create_environment(call: &Call) -> Result<Reply, ApiError> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct CreateEnvironment {
        name: Option<String>,
        /// The seed-file format, as an object or as YAML text.
        seed: Option<Value>,
        settings: Option<Value>,
        fork_of: Option<String>,
    }
    let wanted: CreateEnvironment = call.body()?;
    let seed = wanted.seed.map(Seed::from_body).transpose()?;
    let fork_of = wanted
        .fork_of
        .map(|id| {
            let found = call.registry.by_id_or_name(&id);
            found.ok_or_else(|| ApiError::not_found("Environment", &id))
        })
        .transpose()?;
    let new = NewEnvironment {
        name: wanted.name.unwrap_or_default(),
        seed,
        settings: wanted.settings,
        fork_of,
    };
    let environment = create(&call.registry, &new)?;
    Reply::created(&body(&environment, call.base_url()))
}

fn find(call: &Call) -> Result<Arc<Environment>, ApiError> {
    let id = call.param("id");
    call.registry
        .by_id_or_name(id)
        .ok_or_else(|| ApiError::not_found("Environment", id))
}

/// `GET /_emulate/environments/{id}`; the name does as well.
pub(super) fn get_environment(call: &Call) -> Result<Reply, ApiError> {
    Reply::ok(&body(&*find(call)?, call.base_url()))
}

/// `DELETE /_emulate/environments/{id}`; the name does as well.
pub(super) fn delete_environment(call: &Call) -> Result<Reply, ApiError> {
    call.registry.remove(&find(call)?.id)?;
    Reply::empty(204)
}
