//! The Admin Portal: pages on which the IT admin of an organization verifies its domains and sets up what it signs in with.
//! Source: <https://workos.com/docs/admin-portal>.
//!
//! * An **intent** ([`intent`]) is what the portal is opened for.
//! * A **portal link** ([`links`]) is made by the application for an admin who is signed in to it; a **setup link**
//!   ([`setup_links`]) is sent to an IT contact by e-mail.
//! * A **session** ([`sessions`]) begins when a link is opened, and belongs to one browser.

pub(crate) mod intent;
pub(crate) mod links;
pub(crate) mod return_urls;
pub(crate) mod sessions;
pub(crate) mod settings;
pub(crate) mod setup_links;
#[cfg(test)]
mod tests;
mod token;

use serde::{Deserialize, Serialize};

use self::{
    intent::{Intent, IntentOptions},
    links::PortalLink,
    sessions::PortalSession,
    setup_links::SetupLink,
};
use crate::store::Transaction;

/// What a link opens, and what its session may do.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Access {
    pub(crate) organization_id: String,
    /// In the order of the pages. At least one.
    pub(crate) intents: Vec<Intent>,
    pub(crate) options: IntentOptions,
    /// Where the logo leads.
    pub(crate) return_url: Option<String>,
    /// Where the end of the setup leads.
    pub(crate) success_url: Option<String>,
    /// Whom of its users the application has made the link for.
    pub(crate) external_user_id: Option<String>,
}

/// Ends all that opens the portal to an organization, as it is deleted.
pub(crate) fn close_to_organization(tx: &mut Transaction<'_>, organization_id: &str) {
    let links: Vec<_> = links::of_organization(tx, organization_id);
    for id in links {
        tx.delete::<PortalLink>(&id);
    }
    let sessions: Vec<_> = sessions::of_organization(tx, organization_id);
    for id in sessions {
        tx.delete::<PortalSession>(&id);
    }
    tx.delete::<SetupLink>(organization_id);
}
