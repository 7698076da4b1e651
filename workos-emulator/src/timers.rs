//! What happens by itself when its time has come: domains have waited long enough for their DNS record, certificates
//! expire, sign-ins time out, and a deleted directory is dropped step by step.
//!
//! The environment's clock decides. Whoever moves it finds done what was due; a clock that runs is watched.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use jiff::Timestamp;
use tokio::task::JoinHandle;

use crate::{
    api::{
        directory_sync::directories,
        organization_domains,
        sso::{certificates, sign_in},
    },
    environment::Environment,
    server::{error::ApiError, registry::Registry},
    store::State,
};

/// When the next thing is due.
fn next(state: &State) -> Option<Timestamp> {
    let all = [
        organization_domains::next_expiry(state),
        certificates::next_notice(state),
        sign_in::next_deadline(state),
        directories::has_remains(state).then_some(Timestamp::MIN),
    ];
    all.into_iter().flatten().min()
}

/// Does what is due. Costs nothing where nothing is. Whether it could be done.
pub(crate) fn run_due(environment: &Environment) -> bool {
    let is_due = || next(&environment.state()).is_some_and(|at| at <= environment.clock.now());
    while is_due() {
        let done = environment.transact(|tx| {
            organization_domains::expire(tx)?;
            certificates::tell_due(tx)?;
            directories::go_on_deleting(tx);
            sign_in::time_out(tx)
        });
        if let Err::<(), ApiError>(error) = done {
            tracing::error!(%error, "what was due could not be done");
            return false;
        }
    }
    true
}

/// Watches the clock of every environment, for as long as it is polled.
pub(crate) async fn watch_all(registry: Arc<Registry>) {
    let mut changes = registry.changes();
    let mut running: HashMap<String, Running> = HashMap::new();
    loop {
        changes.borrow_and_update();
        let environments = registry.environments();
        let present: HashSet<_> = environments
            .iter()
            .map(|environment| environment.id.as_str())
            .collect();
        running.retain(|id, _| present.contains(id.as_str()));
        for environment in &environments {
            running
                .entry(environment.id.clone())
                .or_insert_with(|| Running(tokio::spawn(watch(Arc::clone(environment)))));
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

async fn watch(environment: Arc<Environment>) {
    let mut commits = environment.commits();
    loop {
        commits.borrow_and_update();
        let done = run_due(&environment);
        let its_time = async {
            match next(&environment.state()).filter(|_| done) {
                Some(next) => environment.clock.wait_until(next).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            _ = commits.changed() => {}
            () = its_time => {}
        }
    }
}
