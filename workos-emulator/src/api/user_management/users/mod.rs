//! Users. Source: <https://workos.com/docs/reference/authkit/user>.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    api::metadata::Metadata,
    core::{clock, password::PasswordHash},
    store::{Index, Record},
};

/// A user, as kept and as shown. The password is a row of its own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "object", rename = "user")]
pub(crate) struct User {
    pub(crate) id: String,
    pub(crate) email: String,
    pub(crate) email_verified: bool,
    pub(crate) first_name: Option<String>,
    pub(crate) last_name: Option<String>,
    pub(crate) name: Option<String>,
    pub(crate) profile_picture_url: Option<String>,
    #[serde(with = "clock::timestamp::option")]
    pub(crate) last_sign_in_at: Option<Timestamp>,
    pub(crate) locale: Option<String>,
    pub(crate) external_id: Option<String>,
    pub(crate) metadata: Metadata,
    #[serde(with = "clock::timestamp")]
    pub(crate) created_at: Timestamp,
    #[serde(with = "clock::timestamp")]
    pub(crate) updated_at: Timestamp,
}

/// E-mail addresses are compared without regard to case.
pub(crate) const BY_EMAIL: Index<User> =
    Index::unique("email", |user| vec![(user.email.to_lowercase().into(), 0)]);
pub(crate) const BY_EXTERNAL_ID: Index<User> = Index::unique("external_id", |user| {
    user.external_id
        .iter()
        .map(|id| (id.as_str().into(), 0))
        .collect()
});

impl Record for User {
    const INDEXES: &'static [Index<Self>] = &[BY_EMAIL, BY_EXTERNAL_ID];

    fn id(&self) -> &str {
        &self.id
    }
}

/// The password of a user, kept apart so that no user body or event can carry it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Password {
    pub(crate) user_id: String,
    pub(crate) hash: PasswordHash,
}

impl Record for Password {
    fn id(&self) -> &str {
        &self.user_id
    }
}
