//! What goes on in every environment without a request: webhooks are delivered, and the timetable is kept.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use tokio::task::JoinHandle;

use crate::{
    server::registry::Registry,
    timetable,
    webhooks::{self, Sender, deliver},
};

/// Runs for as long as it is polled: environments that are created later are found, and those that are removed are let go.
pub(crate) async fn run(registry: Arc<Registry>) {
    let sender = Arc::new(Sender::new(webhooks::TIMEOUT));
    let mut changes = registry.changes();
    let mut running: HashMap<String, [Running; 2]> = HashMap::new();
    loop {
        changes.borrow_and_update();
        let environments = registry.environments();
        let present: HashSet<_> = environments
            .iter()
            .map(|environment| environment.id.as_str())
            .collect();
        running.retain(|id, _| present.contains(id.as_str()));
        for environment in &environments {
            running.entry(environment.id.clone()).or_insert_with(|| {
                let deliver = deliver(Arc::clone(environment), Arc::clone(&sender));
                let keep = timetable::keep(Arc::clone(environment));
                [Running(tokio::spawn(deliver)), Running(tokio::spawn(keep))]
            });
        }
        // The registry is held here: its sender is not dropped.
        let _ = changes.changed().await;
    }
}

/// A task that ends when nobody holds it any more.
struct Running(JoinHandle<()>);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.abort();
    }
}
