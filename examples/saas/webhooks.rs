//! What WorkOS tells the app: people, groups and memberships come, change and go.

use actix_web::web;
use rusqlite::Connection;
use workos_actix::{
    AuthKit, Webhook, WebhookConfig, WebhookHandlers,
    workos::{DirectoryUser, DsyncGroupUserAddedData, User},
};

use crate::{
    Paperboat,
    database::{
        Failure, NOW, groups,
        members::{self, Membership},
        people,
    },
};

/// What changes the database.
const EVENTS: [&str; 14] = [
    "dsync.user.created",
    "dsync.user.updated",
    "dsync.user.deleted",
    "dsync.group.created",
    "dsync.group.updated",
    "dsync.group.deleted",
    "dsync.group.user_added",
    "dsync.group.user_removed",
    "dsync.deleted",
    "organization_membership.created",
    "organization_membership.updated",
    "organization_membership.deleted",
    "user.updated",
    "user.deleted",
];

/// `POST /webhooks/workos`.
pub(crate) fn handlers(secret: &str, authkit: &AuthKit) -> WebhookHandlers {
    WebhookHandlers::new(WebhookConfig::new(secret))
        .ends_sessions(authkit)
        .on_events(EVENTS, process)
}

/// What cannot be worked off is an error, and WorkOS sends it again.
async fn process(webhook: Webhook, paperboat: web::Data<Paperboat>) -> Result<(), Failure> {
    let user = user_of_membership(&paperboat, &webhook).await?;
    let work = move |db: &rusqlite::Transaction<'_>| work_off(db, &webhook, user.as_ref());
    paperboat.database.transact(work).await
}

/// Once, also after a restart: an event that was worked off changes nothing any more.
fn work_off(db: &Connection, webhook: &Webhook, user_of_membership: Option<&User>) -> Result<(), Failure> {
    if is_first(db, webhook)? {
        apply(db, webhook, user_of_membership)?;
    }
    Ok(())
}

/// Remembers the event, in the transaction that works it off: one that fails is new again the next time.
fn is_first(db: &Connection, webhook: &Webhook) -> rusqlite::Result<bool> {
    let insert =
        format!("INSERT OR IGNORE INTO webhook_events (id, event, processed_at) VALUES (?1, ?2, {NOW})");
    Ok(db.execute(&insert, [&webhook.id, &webhook.event])? == 1)
}

/// Events come in any order: what each one changes is newer than what is here, or nothing.
fn apply(db: &Connection, webhook: &Webhook, user_of_membership: Option<&User>) -> Result<(), Failure> {
    let at = webhook.created_at.as_str();
    match webhook.event.as_str() {
        "dsync.user.created" | "dsync.user.updated" => people::upsert(db, &webhook.data()?)?,
        "dsync.user.deleted" => people::delete(db, &webhook.data::<DirectoryUser>()?, at)?,
        "dsync.group.created" | "dsync.group.updated" => groups::upsert(db, &webhook.data()?)?,
        "dsync.group.deleted" => groups::delete(db, &webhook.data()?, at)?,
        name @ ("dsync.group.user_added" | "dsync.group.user_removed") => {
            let DsyncGroupUserAddedData { user, group, .. } = webhook.data()?;
            groups::set_member(db, &group, &user.id, name == "dsync.group.user_added", at)?;
        }
        "dsync.deleted" => {
            let id = webhook.data["id"].as_str().ok_or("a directory without an id")?;
            people::delete_directory(db, id, at)?;
        }
        "organization_membership.created" | "organization_membership.updated" => {
            if let Some(user) = user_of_membership {
                members::upsert(db, &webhook.data()?, user)?;
            }
        }
        "organization_membership.deleted" => members::delete(db, &webhook.data()?, at)?,
        "user.updated" => members::update_user(db, &webhook.data()?)?,
        "user.deleted" => members::delete_user(db, &webhook.data()?, at)?,
        _ => {}
    }
    Ok(())
}

/// Memberships name the user by the id alone. A user who is gone again is nobody to remember.
async fn user_of_membership(paperboat: &Paperboat, webhook: &Webhook) -> Result<Option<User>, Failure> {
    let names_a_member = [
        "organization_membership.created",
        "organization_membership.updated",
    ];
    if !names_a_member.contains(&webhook.event.as_str()) {
        return Ok(None);
    }
    let membership: Membership = webhook.data()?;
    let users = paperboat.workos().user_management();
    match users.get_user(&membership.user_id).await {
        Ok(user) => Ok(Some(user)),
        Err(error) if error.api().is_some_and(|api| api.status == 404) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

#[cfg(test)]
mod tests;
