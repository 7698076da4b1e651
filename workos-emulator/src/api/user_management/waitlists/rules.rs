//! How people join the waitlist, and are approved or denied. Each change but the deletion has its event.

use std::{collections::BTreeMap, sync::Arc};

use super::{BY_EMAIL, WaitlistEntry, WaitlistState, find};
use crate::{
    api::user_management::{
        invitations::{self, AcceptancePage, NewInvitation},
        users,
    },
    mail::{self, Mail},
    server::error::ApiError,
    store::Transaction,
};

/// The limits of `additional_fields`. Source: `CreateWaitlistEntry` of WorkOS's official SDKs.
const MOST_FIELDS: usize = 50;
const LONGEST_NAME: usize = 40;
const LONGEST_VALUE: usize = 600;

/// Somebody who wants to join.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct NewWaitlistEntry {
    pub(crate) email: String,
    pub(crate) additional_fields: BTreeMap<String, String>,
    /// Unless the setting `waitlist_confirmation_email` is off.
    pub(crate) send_confirmation_email: bool,
}

/// Puts an address on the waitlist. One that is there already stays as it is, and gets no further e-mail.
///
/// Assumption: the status of `user_already_exists` is 422, like that of the other refusals of the waitlist.
pub(crate) fn join(tx: &mut Transaction<'_>, new: NewWaitlistEntry) -> Result<Arc<WaitlistEntry>, ApiError> {
    let email = users::email::normalized(&new.email)
        .ok_or_else(|| ApiError::invalid_field("email", "invalid_email", "This email is not valid."))?;
    check_fields(&new.additional_fields)?;
    if let Some(present) = tx.waitlist_entries.find(BY_EMAIL, &email) {
        return Ok(Arc::clone(present));
    }
    if users::find_by_email(tx, &email).is_some() {
        let message = format!("There is a user with the email '{email}' already.");
        return Err(ApiError::new(422, "user_already_exists", message));
    }
    let entry = WaitlistEntry {
        id: tx.id("wl_user"),
        email,
        state: WaitlistState::Pending,
        approved_at: None,
        additional_fields: new.additional_fields,
        created_at: tx.now(),
        updated_at: tx.now(),
    };
    let entry = put(tx, entry, "waitlist_user.created")?;
    if new.send_confirmation_email && tx.settings().waitlist_confirmation_email {
        let mail = Mail {
            kind: "waitlist_confirmation",
            to: &entry.email,
            subject: "You are on the waitlist",
            lead: "You asked to be told when you can sign up. You are on the waitlist now.",
            note: "If it was not you who asked, ignore this e-mail.",
            ..Mail::default()
        };
        mail::send(tx, mail)?;
    }
    Ok(entry)
}

fn check_fields(fields: &BTreeMap<String, String>) -> Result<(), ApiError> {
    let is_short = |text: &str, limit| text.chars().count() <= limit;
    let fits = |(name, value): (&String, &String)| {
        !name.is_empty() && is_short(name, LONGEST_NAME) && is_short(value, LONGEST_VALUE)
    };
    if fields.len() <= MOST_FIELDS && fields.iter().all(fits) {
        return Ok(());
    }
    let message = format!(
        "additional_fields has at most {MOST_FIELDS} members, with names of 1 to {LONGEST_NAME} and values of at most \
         {LONGEST_VALUE} characters."
    );
    Err(ApiError::invalid_field("additional_fields", "too_long", message))
}

/// Approves an entry that is pending or was denied, and invites its address to the application.
///
/// The approval stands even if there is nothing to invite to: the address has a user or an invitation already. Source:
/// <https://workos.com/docs/reference/authkit/waitlist>. Its `invitation_email_not_sent` does not happen here: the mailbox
/// takes every e-mail.
pub(super) fn approve(
    tx: &mut Transaction<'_>,
    page: &AcceptancePage,
    id: &str,
) -> Result<Arc<WaitlistEntry>, ApiError> {
    let entry = Arc::clone(find(tx, id)?);
    if entry.state == WaitlistState::Approved {
        return Err(invalid_state("The entry is approved already."));
    }
    let approved = WaitlistEntry {
        state: WaitlistState::Approved,
        approved_at: Some(tx.now()),
        updated_at: tx.now(),
        ..WaitlistEntry::clone(&entry)
    };
    let approved = put(tx, approved, "waitlist_user.approved")?;
    let invitation = NewInvitation {
        email: approved.email.clone(),
        ..NewInvitation::default()
    };
    match tx.attempt(|tx| invitations::send(tx, page, invitation)) {
        Err(failure) if failure.status >= 500 => Err(failure),
        Ok(_) | Err(_) => Ok(approved),
    }
}

/// Denies a pending entry. Nobody is told.
pub(super) fn deny(tx: &mut Transaction<'_>, id: &str) -> Result<Arc<WaitlistEntry>, ApiError> {
    let entry = Arc::clone(find(tx, id)?);
    if entry.state != WaitlistState::Pending {
        return Err(invalid_state("Only a pending entry can be denied."));
    }
    let denied = WaitlistEntry {
        state: WaitlistState::Denied,
        updated_at: tx.now(),
        ..WaitlistEntry::clone(&entry)
    };
    put(tx, denied, "waitlist_user.denied")
}

fn invalid_state(message: &str) -> ApiError {
    ApiError::new(422, "invalid_state", message)
}

/// Takes an entry off the waitlist. An invitation that it led to stays.
pub(super) fn delete(tx: &mut Transaction<'_>, id: &str) -> Result<(), ApiError> {
    match tx.delete::<WaitlistEntry>(id) {
        Some(_) => Ok(()),
        None => Err(ApiError::not_found("Waitlist entry", id)),
    }
}

fn put(tx: &mut Transaction<'_>, entry: WaitlistEntry, event: &str) -> Result<Arc<WaitlistEntry>, ApiError> {
    let entry = tx.put(entry)?;
    tx.emit(event, &entry.body("waitlist_user", tx.environment_id()))?;
    Ok(entry)
}
