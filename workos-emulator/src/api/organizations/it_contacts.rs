//! IT contacts: the people of an organization who set up what it signs in with.
//!
//! Source: the models and operations of the official SDKs; the reference does not have them yet.
//!
//! Assumptions: an address is an organization's contact once; what changes nothing that is shown answers 204.

use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::find as find_organization;
use crate::{
    api::{
        admin_portal::{intent::Intent, setup_links},
        user_management::users::email,
    },
    core::{clock, secret::Secret},
    hosted,
    mail::{self, Mail},
    server::{call::Call, error::ApiError, reply::Reply},
    store::{Index, List, Record, Select, State, Transaction, group},
};

/// An IT contact, as kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ItContact {
    pub(crate) id: String,
    organization_id: String,
    email: String,
    #[serde(with = "clock::timestamp")]
    created_at: Timestamp,
    #[serde(with = "clock::timestamp")]
    updated_at: Timestamp,
}

const BY_ORGANIZATION: Index<ItContact> = Index::ordered("organization", |contact| {
    vec![(contact.organization_id.as_str().into(), 0)]
});
const BY_EMAIL: Index<ItContact> = Index::unique("email", |contact| {
    vec![(group(&[&contact.organization_id, &contact.email]), 0)]
});

impl Record for ItContact {
    const INDEXES: &'static [Index<Self>] = &[BY_ORGANIZATION, BY_EMAIL];

    fn id(&self) -> &str {
        &self.id
    }
}

/// An IT contact, as shown.
#[derive(Debug, Serialize)]
#[serde(tag = "object", rename = "it_contact")]
struct Body<'a> {
    id: &'a str,
    email: &'a str,
    #[serde(with = "clock::timestamp")]
    created_at: Timestamp,
    #[serde(with = "clock::timestamp")]
    updated_at: Timestamp,
}

impl ItContact {
    fn body(&self) -> Body<'_> {
        Body {
            id: &self.id,
            email: &self.email,
            created_at: self.created_at,
            updated_at: self.updated_at,
        }
    }
}

fn find<'a>(state: &'a State, organization_id: &str, id: &str) -> Result<&'a Arc<ItContact>, ApiError> {
    find_organization(state, organization_id)?;
    state
        .it_contacts
        .get(id)
        .filter(|contact| contact.organization_id == organization_id)
        .ok_or_else(|| ApiError::not_found("IT contact", id))
}

/// The contact with this address, which is new where there is none.
pub(crate) fn find_or_create(
    tx: &mut Transaction<'_>,
    organization_id: &str,
    field: &str,
    address: &str,
) -> Result<Arc<ItContact>, ApiError> {
    let email = checked(field, address)?;
    match tx.it_contacts.find(BY_EMAIL, &group(&[organization_id, &email])) {
        Some(contact) => Ok(Arc::clone(contact)),
        None => put(tx, organization_id, email),
    }
}

fn create(
    tx: &mut Transaction<'_>,
    organization_id: &str,
    address: &str,
) -> Result<Arc<ItContact>, ApiError> {
    find_organization(tx, organization_id)?;
    let email = checked("email", address)?;
    let same = tx.it_contacts.find(BY_EMAIL, &group(&[organization_id, &email]));
    if same.is_some() {
        let message = format!("'{email}' is an IT contact of the organization already.");
        return Err(ApiError::conflict("it_contact_already_exists", message));
    }
    put(tx, organization_id, email)
}

fn checked(field: &str, address: &str) -> Result<String, ApiError> {
    let wrong = || {
        let message = format!("'{address}' is not an e-mail address.");
        ApiError::invalid_field(field, "invalid_email", message)
    };
    email::normalized(address).ok_or_else(wrong)
}

fn put(tx: &mut Transaction<'_>, organization_id: &str, email: String) -> Result<Arc<ItContact>, ApiError> {
    let contact = ItContact {
        id: tx.id("it_contact"),
        organization_id: organization_id.to_owned(),
        email,
        created_at: tx.now(),
        updated_at: tx.now(),
    };
    Ok(tx.put(contact)?)
}

/// What an IT contact is invited to set up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum InvitedIntent {
    Sso,
    DirectorySync,
    LogStreams,
    DomainVerification,
    BringYourOwnKey,
}

impl From<InvitedIntent> for Intent {
    fn from(intent: InvitedIntent) -> Self {
        match intent {
            InvitedIntent::Sso => Self::Sso,
            InvitedIntent::DirectorySync => Self::Dsync,
            InvitedIntent::LogStreams => Self::LogStreams,
            InvitedIntent::DomainVerification => Self::DomainVerification,
            InvitedIntent::BringYourOwnKey => Self::BringYourOwnKey,
        }
    }
}

/// Sends a contact the setup link of the organization.
fn invite(
    tx: &mut Transaction<'_>,
    organization_id: &str,
    id: &str,
    wanted: &[InvitedIntent],
    link: impl FnOnce(&Secret) -> String,
) -> Result<(), ApiError> {
    let contact = Arc::clone(find(tx, organization_id, id)?);
    let organization = Arc::clone(find_organization(tx, organization_id)?);
    if wanted.is_empty() {
        let message = "intents must name at least one.";
        return Err(ApiError::invalid_field("intents", "required", message));
    }
    let wanted: Vec<Intent> = wanted.iter().map(|intent| (*intent).into()).collect();
    let mut intents = Intent::ALL.to_vec();
    intents.retain(|intent| wanted.contains(intent));
    let token = setup_links::create(tx, organization_id, id, intents)?;
    let url = link(&token);
    let name = tx.shown_name().to_owned();
    let mail = Mail {
        kind: "it_contact_invitation",
        to: &contact.email,
        subject: &format!("Set up {name} for {}", organization.name),
        lead: &format!(
            "You were named as an IT contact of {}. Follow the link to set up how its people sign in to {name}.",
            organization.name
        ),
        token: Some(token.expose()),
        link: Some(("Start the setup", &url)),
        note: "The link works for 30 days, or until the setup is done. Whoever has it can change the setup: do not \
               hand it on. If you did not expect it, ignore this message.",
        ..Mail::default()
    };
    mail::send(tx, mail)?;
    Ok(())
}

/// Revokes the active invitation of the organization.
///
/// Assumption: it need not have gone to this contact; without one there is nothing to revoke, which is 404.
fn revoke(tx: &mut Transaction<'_>, organization_id: &str, id: &str) -> Result<(), ApiError> {
    find(tx, organization_id, id)?;
    if setup_links::revoke(tx, organization_id) {
        return Ok(());
    }
    let message = format!("The organization '{organization_id}' has no active invitation.");
    Err(ApiError::new(404, "entity_not_found", message))
}

fn delete(tx: &mut Transaction<'_>, organization_id: &str, id: &str) -> Result<(), ApiError> {
    find(tx, organization_id, id)?;
    setup_links::revoke_of_contact(tx, organization_id, id);
    tx.delete::<ItContact>(id);
    Ok(())
}

/// Deletes the contacts of an organization that is deleted.
pub(super) fn delete_of_organization(tx: &mut Transaction<'_>, organization_id: &str) {
    let contacts: Vec<_> = tx
        .it_contacts
        .group(BY_ORGANIZATION, organization_id)
        .map(|contact| contact.id.clone())
        .collect();
    for id in contacts {
        tx.delete::<ItContact>(&id);
    }
}

/// The ids of the organization and of the contact in the path.
fn ids(call: &Call) -> (&str, &str) {
    (call.param("organization_id"), call.param("contact_id"))
}

/// `GET /organizations/{organization_id}/it_contacts`
pub(crate) fn list_it_contacts(call: &Call) -> Result<Reply, ApiError> {
    let state = call.environment.state();
    let organization = find_organization(&state, call.param("organization_id"))?;
    let page = Select::group(BY_ORGANIZATION, &organization.id).page(&state.it_contacts, &call.page()?)?;
    Reply::ok(&List {
        data: page.data.iter().map(|contact| contact.body()).collect(),
        before: page.before,
        after: page.after,
    })
}

/// `POST /organizations/{organization_id}/it_contacts`
pub(crate) fn create_it_contact(call: &Call) -> Result<Reply, ApiError> {
    #[derive(Deserialize)]
    struct CreateItContact {
        email: String,
    }
    let CreateItContact { email } = call.body()?;
    let (organization_id, _) = ids(call);
    let contact = call
        .environment
        .transact(|tx| create(tx, organization_id, &email))?;
    Reply::created(&contact.body())
}

/// `DELETE /organizations/{organization_id}/it_contacts/{contact_id}`
pub(crate) fn delete_it_contact(call: &Call) -> Result<Reply, ApiError> {
    let (organization_id, id) = ids(call);
    call.environment.transact(|tx| delete(tx, organization_id, id))?;
    Reply::empty(204)
}

/// `POST /organizations/{organization_id}/it_contacts/{contact_id}/invite`
pub(crate) fn invite_it_contact(call: &Call) -> Result<Reply, ApiError> {
    #[derive(Deserialize)]
    struct InviteItContact {
        intents: Vec<InvitedIntent>,
    }
    let InviteItContact { intents } = call.body()?;
    let (organization_id, id) = ids(call);
    let link = |token: &_| hosted::portal::link(call, token);
    call.environment
        .transact(|tx| invite(tx, organization_id, id, &intents, link))?;
    Reply::empty(204)
}

/// `POST /organizations/{organization_id}/it_contacts/{contact_id}/revoke`
pub(crate) fn revoke_it_contact(call: &Call) -> Result<Reply, ApiError> {
    let (organization_id, id) = ids(call);
    call.environment.transact(|tx| revoke(tx, organization_id, id))?;
    Reply::empty(204)
}
