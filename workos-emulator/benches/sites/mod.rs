//! Emulators with few and with many rows, each started when a bench first asks for it.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

/// The numbers of rows to bench with: `ROWS=1000,1000000` names others.
#[expect(clippy::disallowed_methods, reason = "a bench reads its own environment")]
pub(crate) fn rows() -> Vec<usize> {
    let given = std::env::var("ROWS").unwrap_or_else(|_| "1000,100000".to_owned());
    given
        .split(',')
        .filter_map(|number| number.trim().parse().ok())
        .collect()
}

/// Anywhere in the order of addresses, as in life.
pub(crate) fn email(number: usize) -> String {
    format!("{:x}@example.com", number.wrapping_mul(0x9e37_79b9_7f4a_7c15))
}

/// What benches share, by its number of rows.
pub(crate) struct Sites<S>(Mutex<BTreeMap<usize, S>>);

impl<S> Sites<S> {
    pub(crate) const fn new() -> Self {
        Self(Mutex::new(BTreeMap::new()))
    }

    /// Uses the site with `rows` rows, which `start` makes when it is first asked for.
    pub(crate) fn with<T>(
        &self,
        rows: usize,
        start: impl FnOnce(usize) -> S,
        run: impl FnOnce(&mut S) -> T,
    ) -> T {
        let mut sites = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        run(sites.entry(rows).or_insert_with(|| start(rows)))
    }
}
