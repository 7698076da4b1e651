//! All environments of one emulator, found by API key, client id, id or name.

use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::ArcSwap;
use imbl::OrdMap;
use rand::{SeedableRng, rngs::StdRng};
use tokio::sync::watch;

use super::{api_key, error::ApiError};
use crate::{
    api::{connect::applications, directory_sync::directories},
    core::{
        clock::{self, TimeSource},
        ids,
        secret::Secret,
    },
    environment::Environment,
    store::State,
};

/// The environments, and how requests find theirs.
#[derive(Debug)]
pub(crate) struct Registry {
    entries: ArcSwap<Entries>,
    /// In which environment the directory of an external key was found last.
    by_external_key: ArcSwap<OrdMap<String, String>>,
    writer: Mutex<()>,
    changed: watch::Sender<()>,
    default: Arc<Environment>,
    options: Options,
}

/// Where new environments take their time and their randomness from.
pub(crate) struct Source {
    time: TimeSource,
    randomness: Mutex<StdRng>,
}

impl Source {
    /// An empty environment, known to nobody yet.
    pub(crate) fn environment(&self, name: &str, client_id: Option<String>) -> Environment {
        let mut randomness = self.randomness.lock().unwrap_or_else(PoisonError::into_inner);
        Environment::new(
            name,
            client_id,
            Arc::clone(&self.time),
            StdRng::from_rng(&mut *randomness),
        )
    }
}

/// The system's.
impl Default for Source {
    fn default() -> Self {
        Self {
            time: clock::system_time(),
            randomness: Mutex::new(ids::system_randomness()),
        }
    }
}

impl std::fmt::Debug for Source {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Source")
    }
}

/// What holds for the whole process.
#[derive(Debug, Default)]
pub(crate) struct Options {
    pub(crate) source: Source,
    /// Where clients reach the emulator, when that is not the host that they name.
    pub(crate) public_url: Option<String>,
    /// What `X-Emulate-Key` must be on the control API.
    pub(crate) control_key: Option<Secret>,
}

#[derive(Debug, Clone, Default)]
struct Entries {
    by_id: OrdMap<String, Arc<Environment>>,
    by_name: OrdMap<String, String>,
    by_client: OrdMap<String, String>,
    by_key: OrdMap<String, String>,
}

impl Registry {
    pub(crate) fn new(default: Arc<Environment>, options: Options) -> Self {
        let registry = Self {
            entries: ArcSwap::default(),
            by_external_key: ArcSwap::default(),
            writer: Mutex::default(),
            changed: watch::Sender::new(()),
            default,
            options,
        };
        // Nothing else is there that could have its name or its keys.
        let _ = registry.add(&registry.default);
        registry
    }

    /// An empty environment, for [`add`](Self::add).
    pub(crate) fn blank(&self, name: &str) -> Environment {
        self.options.source.environment(name, None)
    }

    /// The environment of requests that name none.
    pub(crate) fn default_environment(&self) -> &Arc<Environment> {
        &self.default
    }

    pub(crate) fn public_url(&self) -> Option<String> {
        self.options.public_url.clone()
    }

    pub(crate) fn control_key(&self) -> Option<&Secret> {
        self.options.control_key.as_ref()
    }

    /// Adds an environment, or its keys after they changed. That a key is still valid is asked of its environment.
    ///
    /// A name, or an API key that is valid in another environment, is refused: requests would reach the wrong one.
    pub(crate) fn add(&self, environment: &Arc<Environment>) -> Result<(), ApiError> {
        self.change(|entries| {
            let id = &environment.id;
            let state = environment.state();
            if entries
                .by_name
                .get(&environment.name)
                .is_some_and(|other| other != id)
            {
                return Err(ApiError::conflict(
                    "environment_name_taken",
                    format!("There is an environment named '{}' already.", environment.name),
                ));
            }
            for key in state.secret_keys.iter() {
                let owner = entries.by_key.get(&key.id).filter(|other| *other != id);
                let owner = owner.and_then(|owner| entries.by_id.get(owner));
                if let Some(owner) = owner.filter(|owner| owner.state().secret_keys.get(&key.id).is_some()) {
                    return Err(ApiError::conflict(
                        "api_key_taken",
                        format!(
                            "The environment '{}' has one of these API keys already.",
                            owner.name
                        ),
                    ));
                }
                entries.by_key.insert(key.id.clone(), id.clone());
            }
            for application in state.connect_applications.iter() {
                let client_id = &application.client_id;
                let owner = entries.by_client.get(client_id);
                let owner = owner.and_then(|owner| entries.by_id.get(owner));
                let mut owners = owner.into_iter().chain([&self.default]);
                if let Some(owner) = owners.find(|owner| owner.id != *id && has_client(owner, client_id)) {
                    return Err(ApiError::conflict(
                        "client_id_taken",
                        format!(
                            "The environment '{}' has an application with the client id '{client_id}' already.",
                            owner.name
                        ),
                    ));
                }
                if *id != self.default.id {
                    entries.by_client.insert(client_id.clone(), id.clone());
                }
            }
            entries.by_name.insert(environment.name.clone(), id.clone());
            entries
                .by_client
                .insert(environment.client_id.clone(), id.clone());
            entries.by_id.insert(id.clone(), Arc::clone(environment));
            Ok(())
        })
    }

    /// Lets requests find an environment by the client id of an application that was added to it. The default one is asked
    /// itself.
    pub(crate) fn add_client(&self, environment: &Environment, client_id: &str) {
        if environment.id == self.default.id {
            return;
        }
        let added = self.change(|entries| {
            entries
                .by_client
                .insert(client_id.to_owned(), environment.id.clone());
            Ok::<_, std::convert::Infallible>(())
        });
        let Ok(()) = added;
    }

    /// Removes an environment; the default one stays.
    pub(crate) fn remove(&self, id: &str) -> Result<Arc<Environment>, ApiError> {
        if id == self.default.id {
            return Err(ApiError::conflict(
                "default_environment",
                "The default environment cannot be removed; reset it instead.",
            ));
        }
        self.change(|entries| {
            let removed = entries
                .by_id
                .remove(id)
                .ok_or_else(|| ApiError::not_found("Environment", id))?;
            for key in removed.state().secret_keys.iter() {
                entries.by_key.remove(&key.id);
            }
            entries.by_name.remove(&removed.name);
            entries.by_client.remove(&removed.client_id);
            for application in removed.state().connect_applications.iter() {
                entries.by_client.remove(&application.client_id);
            }
            Ok(removed)
        })
    }

    /// In order of creation.
    pub(crate) fn environments(&self) -> Vec<Arc<Environment>> {
        self.entries.load().by_id.values().cloned().collect()
    }

    pub(crate) fn by_id_or_name(&self, wanted: &str) -> Option<Arc<Environment>> {
        let entries = self.entries.load();
        // An id comes first: a name may be chosen to look like the id of another environment.
        let by_name = || entries.by_id.get(entries.by_name.get(wanted)?);
        entries.by_id.get(wanted).or_else(by_name).cloned()
    }

    /// The environment whose valid API key this is.
    pub(crate) fn by_api_key(&self, given: &str) -> Option<Arc<Environment>> {
        let entries = self.entries.load();
        let environment = entries.by_id.get(entries.by_key.get(&Secret::digest(given))?)?;
        api_key::is_valid(environment, given).then(|| Arc::clone(environment))
    }

    /// The environment of a client id, of AuthKit or of a Connect application. The default environment answers to every `client_…` that no other one has,
    /// unless its setting `strict_client_id` is on.
    pub(crate) fn by_client_id(&self, client_id: &str) -> Option<Arc<Environment>> {
        let entries = self.entries.load();
        if let Some(id) = entries.by_client.get(client_id) {
            return entries.by_id.get(id).cloned();
        }
        let alias = client_id.starts_with("client_") && !self.default.state().settings().strict_client_id;
        let known = alias || has_client(&self.default, client_id);
        known.then(|| Arc::clone(&self.default))
    }

    /// The environment of a directory, by its place in SCIM URLs. Where several have it, one being a fork of the other, the
    /// oldest is meant.
    ///
    /// A key that was found before is found at once. Another is asked of each environment's index, once.
    pub(crate) fn by_external_key(&self, key: &str) -> Option<Arc<Environment>> {
        let entries = self.entries.load();
        let has_it = |environment: &&Arc<Environment>| {
            directories::by_external_key(&environment.state(), key).is_some()
        };
        let known = self.by_external_key.load();
        let known = known.get(key).and_then(|id| entries.by_id.get(id));
        if let Some(environment) = known.filter(has_it) {
            return Some(Arc::clone(environment));
        }
        let found = entries.by_id.values().find(has_it)?;
        self.by_external_key.rcu(|keys| {
            let mut keys = OrdMap::clone(keys);
            keys.insert(key.to_owned(), found.id.clone());
            keys
        });
        Some(Arc::clone(found))
    }

    /// The environment whose state is meant. Where it is several, one being a fork of the other, it is the oldest.
    pub(crate) fn by_state(&self, is_meant: impl Fn(&State) -> bool) -> Option<Arc<Environment>> {
        let entries = self.entries.load();
        let mut all = entries.by_id.values();
        all.find(|environment| is_meant(&environment.state())).cloned()
    }

    /// The environment of a sign-in through a connection. Identity providers send people back without a client id.
    pub(crate) fn by_sso_session(&self, id: &str) -> Option<Arc<Environment>> {
        self.by_state(|state| state.sso_sessions.get(id).is_some())
    }

    /// Tells of every environment that comes or goes.
    pub(crate) fn changes(&self) -> watch::Receiver<()> {
        self.changed.subscribe()
    }

    /// One change at a time, all or nothing.
    fn change<T, E>(&self, change: impl FnOnce(&mut Entries) -> Result<T, E>) -> Result<T, E> {
        let _one_at_a_time = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        let mut entries = Entries::clone(&self.entries.load());
        let value = change(&mut entries)?;
        self.entries.store(Arc::new(entries));
        self.changed.send_replace(());
        Ok(value)
    }
}

/// Whether requests with this client id are for the environment.
fn has_client(environment: &Environment, client_id: &str) -> bool {
    environment.client_id == client_id
        || applications::by_client_id(&environment.state(), client_id).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_id_leads_to_the_environment_that_has_the_application() {
        use crate::api::connect::{
            applications::{self, Kind, NewApplication, OAuth, Party},
            redirect_uris,
        };
        let registry = Registry::new(Arc::new(Environment::for_tests()), Options::default());
        let other = Arc::new(registry.blank("other"));
        registry.add(&other).unwrap();
        let add = |environment: &Environment, client_id: &str| {
            let kind = Kind::OAuth(OAuth {
                redirect_uris: redirect_uris::checked(Vec::new()).unwrap(),
                uses_pkce: false,
                party: Party::First,
            });
            let new = NewApplication {
                client_id: Some(client_id.to_owned()),
                ..NewApplication::named("App", kind)
            };
            environment.transact(|tx| applications::create(tx, new)).unwrap();
        };
        let found = |client_id: &str| registry.by_client_id(client_id).map(|found| found.id.clone());
        add(&other, "client_other");
        registry.add_client(&other, "client_other");
        add(registry.default_environment(), "own");
        assert_eq!(found("client_other"), Some(other.id.clone()));
        assert_eq!(found("own"), Some(registry.default_environment().id.clone()));
        assert_eq!(found("unknown"), None);
        // Nobody takes what another environment has, whichever it is.
        for client_id in ["client_other", "own"] {
            let third = Arc::new(registry.blank(""));
            add(&third, client_id);
            let refused = registry.add(&third).unwrap_err();
            assert_eq!(refused.code(), Some("client_id_taken"), "{client_id}");
        }
    }

    #[test]
    fn no_name_takes_the_place_of_an_id() {
        let registry = Registry::new(Arc::new(Environment::for_tests()), Options::default());
        let first = Arc::new(registry.blank("first"));
        registry.add(&first).unwrap();
        let impostor = Arc::new(registry.blank(&first.id));
        registry.add(&impostor).unwrap();
        assert_eq!(registry.by_id_or_name(&first.id).unwrap().name, "first");
        assert_eq!(registry.by_id_or_name("first").unwrap().id, first.id);
        assert_eq!(registry.by_id_or_name(&impostor.id).unwrap().id, impostor.id);
    }
}
