//! All environments of one emulator, found by API key, client id, id or name.

use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::ArcSwap;
use imbl::OrdMap;
use tokio::sync::watch;

use super::api_key;
use crate::{core::secret::Secret, environment::Environment};

/// The environments, and how requests find theirs.
#[derive(Debug)]
pub(crate) struct Registry {
    entries: ArcSwap<Entries>,
    writer: Mutex<()>,
    changed: watch::Sender<()>,
    default: Arc<Environment>,
    options: Options,
}

/// What holds for the whole process.
#[derive(Debug, Clone, Default)]
pub(crate) struct Options {
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
            writer: Mutex::default(),
            changed: watch::Sender::new(()),
            default: Arc::clone(&default),
            options,
        };
        registry.add(&default);
        registry
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
    pub(crate) fn add(&self, environment: &Arc<Environment>) {
        self.change(|entries| {
            for key in environment.state().secret_keys.iter() {
                entries.by_key.insert(key.id.clone(), environment.id.clone());
            }
            entries
                .by_name
                .insert(environment.name.clone(), environment.id.clone());
            entries
                .by_client
                .insert(environment.client_id.clone(), environment.id.clone());
            entries
                .by_id
                .insert(environment.id.clone(), Arc::clone(environment));
        });
    }

    /// Removes an environment; the default one stays.
    pub(crate) fn remove(&self, id: &str) -> Option<Arc<Environment>> {
        if id == self.default.id {
            return None;
        }
        self.change(|entries| {
            let removed = entries.by_id.remove(id)?;
            for key in removed.state().secret_keys.iter() {
                entries.by_key.remove(&key.id);
            }
            entries.by_name.remove(&removed.name);
            entries.by_client.remove(&removed.client_id);
            Some(removed)
        })
    }

    /// In order of creation.
    pub(crate) fn environments(&self) -> Vec<Arc<Environment>> {
        self.entries.load().by_id.values().cloned().collect()
    }

    pub(crate) fn by_id_or_name(&self, wanted: &str) -> Option<Arc<Environment>> {
        let entries = self.entries.load();
        let id = entries.by_name.get(wanted).map_or(wanted, String::as_str);
        entries.by_id.get(id).cloned()
    }

    /// The environment whose valid API key this is.
    pub(crate) fn by_api_key(&self, given: &str) -> Option<Arc<Environment>> {
        let entries = self.entries.load();
        let environment = entries.by_id.get(entries.by_key.get(&Secret::digest(given))?)?;
        api_key::is_valid(environment, given).then(|| Arc::clone(environment))
    }

    /// The environment of a client id. The default environment answers to every `client_…` that no other one has,
    /// unless its setting `strict_client_id` is on.
    pub(crate) fn by_client_id(&self, client_id: &str) -> Option<Arc<Environment>> {
        let entries = self.entries.load();
        if let Some(id) = entries.by_client.get(client_id) {
            return entries.by_id.get(id).cloned();
        }
        let alias = client_id.starts_with("client_") && !self.default.state().settings().strict_client_id;
        alias.then(|| Arc::clone(&self.default))
    }

    /// Tells of every environment that comes or goes.
    pub(crate) fn changes(&self) -> watch::Receiver<()> {
        self.changed.subscribe()
    }

    fn change<T>(&self, change: impl FnOnce(&mut Entries) -> T) -> T {
        let _one_at_a_time = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        let mut entries = Entries::clone(&self.entries.load());
        let value = change(&mut entries);
        self.entries.store(Arc::new(entries));
        self.changed.send_replace(());
        value
    }
}
