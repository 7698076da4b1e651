//! What happens by itself when its time has come: no request makes it happen, but the environment's clock.

use std::sync::Arc;

use jiff::Timestamp;

use crate::{
    api::organization_domains,
    environment::Environment,
    server::error::ApiError,
    store::{State, Transaction},
};

/// Something that is done when it is due.
struct Entry {
    /// When it is due next, if ever.
    next: fn(&State) -> Option<Timestamp>,
    /// Does all of it that is due. It must not be due any more afterwards.
    run: fn(&mut Transaction<'_>) -> Result<(), ApiError>,
}

/// All that happens by itself. A new thing is one line here.
const ENTRIES: &[Entry] = &[Entry {
    next: organization_domains::next_expiry,
    run: organization_domains::expire,
}];

/// Does what is due. Whoever has moved the clock calls it, so that the next request finds it done.
pub(crate) fn catch_up(environment: &Environment) -> Result<(), ApiError> {
    let (state, now) = (environment.state(), environment.clock.now());
    for entry in ENTRIES {
        if (entry.next)(&state).is_some_and(|at| at <= now) {
            environment.transact(entry.run)?;
        }
    }
    Ok(())
}

/// Does what is due for as long as it is polled, as soon as it is due.
pub(crate) async fn keep(environment: Arc<Environment>) {
    let mut commits = environment.commits();
    loop {
        commits.borrow_and_update();
        // A rule that fails now is tried again with the next commit.
        let failed = catch_up(&environment).is_err();
        let state = environment.state();
        let next = ENTRIES.iter().filter_map(|entry| (entry.next)(&state)).min();
        let its_time = async {
            match next {
                Some(next) if !failed => environment.clock.wait_until(next).await,
                _ => std::future::pending().await,
            }
        };
        tokio::select! {
            _ = commits.changed() => {}
            () = its_time => {}
        }
    }
}
