//! Portal links: the application makes one for an admin who is signed in to it, and sends them there at once. Source:
//! <https://workos.com/docs/reference/admin-portal/portal-link>.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{
    Access,
    intent::{Intent, IntentOptions},
    return_urls,
    sessions::{self, PortalSession},
    token,
};
use crate::{
    api::organizations::{self, it_contacts},
    core::{clock, secret::Secret},
    hosted,
    server::{call::Call, error::ApiError, reply::Reply},
    store::{Expiring, Index, Record, State, Transaction, group},
};

/// How long a link can be opened. Source: <https://workos.com/docs/reference/admin-portal/portal-link>.
const LIFETIME: SignedDuration = SignedDuration::from_mins(5);

/// How many IT contacts one link may name.
const MOST_CONTACTS: usize = 20;

/// A link that was not opened yet. Its id is the digest of its token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct PortalLink {
    id: String,
    access: Access,
    #[serde(with = "clock::timestamp")]
    expires_at: Timestamp,
}

const BY_ORGANIZATION: Index<PortalLink> = Index::ordered("organization", |link| {
    vec![(link.access.organization_id.as_str().into(), 0)]
});
const BY_EXTERNAL_USER: Index<PortalLink> = Index::ordered("external user", |link| {
    let user = link.access.external_user_id.iter();
    user.map(|user| (group(&[&link.access.organization_id, user]), 0))
        .collect()
});

impl Record for PortalLink {
    const INDEXES: &'static [Index<Self>] = &[BY_ORGANIZATION, BY_EXTERNAL_USER];
    const REMEMBERS_DELETED: bool = false;

    fn id(&self) -> &str {
        &self.id
    }
}

impl Expiring for PortalLink {
    fn expires_at(&self) -> Timestamp {
        self.expires_at
    }
}

/// `POST /portal/generate_link`
#[derive(Debug, Deserialize)]
pub(crate) struct GenerateLink {
    pub(crate) organization: String,
    intent: Option<Intent>,
    return_url: Option<String>,
    success_url: Option<String>,
    external_user_id: Option<String>,
    #[serde(default)]
    it_contact_emails: Vec<String>,
    #[serde(default)]
    intent_options: Option<IntentOptions>,
}

/// Makes a link, and gives its token. The e-mail addresses become IT contacts of the organization.
///
/// Assumptions: without an intent the portal offers all that is switched on; what is switched off is 403.
pub(crate) fn generate(tx: &mut Transaction<'_>, wanted: GenerateLink) -> Result<Secret, ApiError> {
    let portal = tx.settings().admin_portal.clone();
    organizations::find(tx, &wanted.organization)?;
    return_urls::check("return_url", wanted.return_url.as_deref())?;
    return_urls::check("success_url", wanted.success_url.as_deref())?;
    let intents = match wanted.intent {
        Some(intent) if portal.intents.contains(&intent) => vec![intent],
        None if !portal.intents.is_empty() => {
            let mut intents = Intent::ALL.to_vec();
            intents.retain(|intent| portal.intents.contains(intent));
            intents
        }
        intent => {
            let intent = intent.map_or("The Admin Portal", Intent::name);
            let message = format!("{intent} is not enabled for this environment.");
            return Err(ApiError::new(403, "intent_not_enabled", message));
        }
    };
    if wanted.it_contact_emails.len() > MOST_CONTACTS {
        let message = format!("it_contact_emails has at most {MOST_CONTACTS} addresses.");
        return Err(ApiError::invalid_field("it_contact_emails", "too_many", message));
    }
    for (at, email) in wanted.it_contact_emails.iter().enumerate() {
        let field = format!("it_contact_emails[{at}]");
        it_contacts::find_or_create(tx, &wanted.organization, &field, email)?;
    }
    let access = Access {
        organization_id: wanted.organization,
        intents,
        options: wanted.intent_options.unwrap_or_default(),
        return_url: wanted.return_url.or(portal.return_url),
        success_url: wanted.success_url.or(portal.success_url),
        external_user_id: wanted.external_user_id,
    };
    let expires_at = clock::saturating_add(tx.now(), LIFETIME);
    let token = token::issue(tx, &access, expires_at)?;
    tx.put_expiring(PortalLink {
        id: Secret::digest(token.expose()),
        access,
        expires_at,
    })?;
    Ok(token)
}

/// Opens a link, once: the session that it begins. Nothing for a link that was opened, is too old, or never was one.
pub(super) fn open(tx: &mut Transaction<'_>, token: &str) -> Result<Option<Arc<PortalSession>>, ApiError> {
    let id = Secret::digest(token);
    let Some(link) = tx.unexpired::<PortalLink>(&id).cloned() else {
        return Ok(None);
    };
    tx.delete::<PortalLink>(&id);
    sessions::begin(tx, link.access.clone(), false).map(Some)
}

/// Revokes the links for a user of the application, and ends the sessions that began with them.
///
/// Assumption: an unknown `external_user_id` is no mistake; there is nothing to revoke.
fn revoke(tx: &mut Transaction<'_>, organization_id: &str, external_user_id: &str) -> Result<(), ApiError> {
    organizations::find(tx, organization_id)?;
    let user = group(&[organization_id, external_user_id]);
    let links: Vec<_> = tx
        .portal_links
        .group(BY_EXTERNAL_USER, &user)
        .map(|link| link.id.clone())
        .collect();
    for id in links {
        tx.delete::<PortalLink>(&id);
    }
    sessions::end_of_external_user(tx, &user);
    Ok(())
}

pub(super) fn of_organization(state: &State, organization_id: &str) -> Vec<String> {
    let links = state.portal_links.group(BY_ORGANIZATION, organization_id);
    links.map(|link| link.id.clone()).collect()
}

/// `POST /portal/generate_link`
pub(crate) fn generate_link(call: &Call) -> Result<Reply, ApiError> {
    let wanted = call.body()?;
    let token = call.environment.transact(|tx| generate(tx, wanted))?;
    Reply::created(&json!({"link": hosted::portal::link(call, &token)}))
}

/// `POST /portal/revoke_link`
pub(crate) fn revoke_link(call: &Call) -> Result<Reply, ApiError> {
    #[derive(Deserialize)]
    struct RevokeLink {
        organization: String,
        external_user_id: String,
    }
    let RevokeLink {
        organization,
        external_user_id,
    } = call.body()?;
    call.environment
        .transact(|tx| revoke(tx, &organization, &external_user_id))?;
    Reply::empty(204)
}
