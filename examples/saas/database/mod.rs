//! The app's own database: SQLite, in memory unless `SAAS_DB` names a file.

pub(crate) mod groups;
pub(crate) mod members;
pub(crate) mod people;

use std::{
    error::Error,
    sync::{Arc, Mutex, PoisonError},
};

use actix_web::web;
use rusqlite::{Connection, Transaction};

/// What keeps work from being done. Nothing of it is kept then.
pub(crate) type Failure = Box<dyn Error + Send + Sync>;

/// The time as WorkOS writes it, so that times compare as texts.
pub(crate) const NOW: &str = "strftime('%Y-%m-%dT%H:%M:%fZ', 'now')";

#[derive(Clone)]
pub(crate) struct Database(Arc<Mutex<Connection>>);

impl Database {
    pub(crate) fn open(file: Option<&str>) -> rusqlite::Result<Self> {
        let connection = match file {
            Some(file) => Connection::open(file)?,
            None => Connection::open_in_memory()?,
        };
        connection.execute_batch(include_str!("schema.sql"))?;
        Ok(Self(Arc::new(Mutex::new(connection))))
    }

    /// Does work in one transaction, all or nothing, on a thread that may wait for the disk: those of the workers may not.
    pub(crate) async fn transact<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Transaction<'_>) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, Failure> {
        let connection = Arc::clone(&self.0);
        web::block(move || {
            let mut connection = connection.lock().unwrap_or_else(PoisonError::into_inner);
            let transaction = connection.transaction()?;
            let result = work(&transaction)?;
            transaction.commit()?;
            Ok(result)
        })
        .await?
    }
}
