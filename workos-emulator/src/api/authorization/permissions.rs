//! Permissions of the environment.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    core::clock,
    store::{Index, Record},
};

/// A permission, as kept and as shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "object", rename = "permission")]
pub(crate) struct Permission {
    pub(crate) id: String,
    pub(crate) slug: String,
    pub(crate) name: String,
    pub(crate) description: Option<String>,
    pub(crate) system: bool,
    pub(crate) resource_type_slug: String,
    #[serde(with = "clock::timestamp")]
    pub(crate) created_at: Timestamp,
    #[serde(with = "clock::timestamp")]
    pub(crate) updated_at: Timestamp,
}

pub(crate) const BY_SLUG: Index<Permission> =
    Index::unique("slug", |permission| vec![(permission.slug.as_str().into(), 0)]);

impl Record for Permission {
    const INDEXES: &'static [Index<Self>] = &[BY_SLUG];

    fn id(&self) -> &str {
        &self.id
    }
}
