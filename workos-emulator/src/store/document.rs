//! A state as a document, and back: each table is the list of its rows, each behind its place.

use std::sync::Arc;

use serde::{Serialize, Serializer};
use serde_json::Value;

use super::table::{Record, Table};

/// No place in a document is beyond this: the largest whole number that every JSON parser reads.
const LAST_PLACE: u64 = (1 << 53) - 1;

/// Why a document is no state.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{table}: {reason}")]
pub(crate) struct InvalidDocument {
    table: String,
    reason: String,
}

impl InvalidDocument {
    pub(super) fn new(table: &str, reason: impl Into<String>) -> Self {
        Self {
            table: table.to_owned(),
            reason: reason.into(),
        }
    }

    /// Where it is wrong.
    pub(crate) fn field(&self) -> String {
        format!("tables.{}", self.table)
    }
}

impl<R: Record> Serialize for Table<R> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(&self.rows)
    }
}

impl<R: Record> Table<R> {
    pub(super) fn of_document(name: &str, rows: Value) -> Result<Self, InvalidDocument> {
        let invalid = |reason: String| InvalidDocument::new(name, reason);
        let rows: Vec<(u64, Arc<R>)> =
            serde_json::from_value(rows).map_err(|error| invalid(format!("{error}.")))?;
        let mut table = Self::default();
        for (place, row) in rows {
            if !(1..=LAST_PLACE).contains(&place) {
                return Err(invalid(format!("places are from 1 to {LAST_PLACE}.")));
            }
            let id = row.id().to_owned();
            if table.get(&id).is_some() || table.rows.contains_key(&place) {
                return Err(invalid(format!("'{id}', or its place, is there twice.")));
            }
            table
                .put(place, row)
                .map_err(|conflict| invalid(format!("'{id}': {conflict}.")))?;
        }
        Ok(table)
    }
}
