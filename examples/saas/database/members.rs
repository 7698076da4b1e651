//! People as sign-ins and memberships tell of them.

use std::fmt;

use rusqlite::{Connection, OptionalExtension, named_params, params};
use serde::Deserialize;
use workos_actix::{SignedIn, workos::User};

use super::{Failure, NOW};

/// The directory of the organization has deactivated the person, or removed them.
#[derive(Debug)]
pub(crate) struct Deprovisioned;

impl fmt::Display for Deprovisioned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Your organization has ended your access. Its IT department can tell you why.")
    }
}

impl std::error::Error for Deprovisioned {}

/// What the events about memberships say of one.
#[derive(Deserialize)]
pub(crate) struct Membership {
    pub(crate) user_id: String,
    organization_id: String,
    status: String,
    role: Role,
    updated_at: String,
}

#[derive(Deserialize)]
struct Role {
    slug: String,
}

/// The callback: whoever signs in has a row from then on. Whom a directory announced by their address has it already.
pub(crate) fn sign_in(db: &Connection, signed_in: &SignedIn) -> Result<(), Failure> {
    let user = &signed_in.user;
    let row = match find(db, user.user(), user.organization_id())? {
        Some(row) => row,
        None => insert(db, user.user(), user.organization_id())?,
    };
    // What a directory says stands.
    db.execute(
        "UPDATE people SET email = :email, name = :name, role = coalesce(:role, role), active = TRUE, deleted_at = NULL
         WHERE id = :row AND directory_user_id IS NULL",
        named_params! {":row": row, ":email": user.email(), ":name": name(user.user()), ":role": user.role()},
    )?;
    let update = match user.impersonator() {
        // They were not here themselves.
        Some(_) => "UPDATE people SET workos_id = ?2 WHERE id = ?1".to_owned(),
        None => format!("UPDATE people SET workos_id = ?2, last_signed_in_at = {NOW} WHERE id = ?1"),
    };
    db.execute(&update, params![row, user.id()])?;
    check_access(db, user.id(), user.organization_id())
}

/// Refuses whom the directory of the organization has deprovisioned. Their session lasts a few minutes longer at WorkOS.
pub(crate) fn check_access(
    db: &Connection,
    workos_id: &str,
    organization_id: Option<&str>,
) -> Result<(), Failure> {
    let is_deprovisioned = "SELECT 1 FROM people WHERE workos_id = ?1 AND organization_id = ?2
                            AND directory_user_id IS NOT NULL AND NOT active";
    if db
        .prepare_cached(is_deprovisioned)?
        .exists(params![workos_id, organization_id])?
    {
        return Err(Deprovisioned.into());
    }
    Ok(())
}

/// `organization_membership.created` and `.updated`.
pub(crate) fn upsert(db: &Connection, membership: &Membership, user: &User) -> rusqlite::Result<()> {
    let organization_id = membership.organization_id.as_str();
    let row = match find(db, user, Some(organization_id))? {
        Some(row) => row,
        // Somebody who had no organization when they signed in.
        None => match find(db, user, None)? {
            Some(row) => row,
            None => insert(db, user, Some(organization_id))?,
        },
    };
    db.execute(
        "UPDATE people SET workos_id = ?2, organization_id = ?3 WHERE id = ?1",
        params![row, user.id, organization_id],
    )?;
    db.execute(
        "UPDATE people SET role = ?2, active = ?3, deleted_at = NULL, changed_at = ?4
         WHERE id = ?1 AND directory_user_id IS NULL
           AND (changed_at < ?4 OR changed_at = ?4 AND deleted_at IS NULL)",
        params![
            row,
            membership.role.slug,
            membership.status == "active",
            membership.updated_at
        ],
    )?;
    Ok(())
}

/// `organization_membership.deleted`. Whom a directory put here, it takes away.
pub(crate) fn delete(db: &Connection, membership: &Membership, at: &str) -> rusqlite::Result<()> {
    db.execute(
        "UPDATE people SET active = FALSE, deleted_at = ?3, changed_at = ?3
         WHERE workos_id = ?1 AND organization_id = ?2 AND directory_user_id IS NULL AND changed_at <= ?3",
        params![membership.user_id, membership.organization_id, at],
    )?;
    Ok(())
}

/// `user.updated`. What a directory says stands.
pub(crate) fn update_user(db: &Connection, user: &User) -> rusqlite::Result<()> {
    db.execute(
        "UPDATE people SET email = ?2, name = ?3 WHERE workos_id = ?1 AND directory_user_id IS NULL",
        params![user.id, user.email, name(user)],
    )?;
    Ok(())
}

/// `user.deleted`: somebody whom a directory put here has no account any more, and gets another one at the next sign-in.
pub(crate) fn delete_user(db: &Connection, user: &User, at: &str) -> rusqlite::Result<()> {
    db.execute(
        "UPDATE people SET active = FALSE, deleted_at = ?2, changed_at = ?2
         WHERE workos_id = ?1 AND directory_user_id IS NULL AND deleted_at IS NULL",
        params![user.id, at],
    )?;
    db.execute(
        "UPDATE people SET workos_id = NULL WHERE workos_id = ?1 AND directory_user_id IS NOT NULL",
        [&user.id],
    )?;
    Ok(())
}

/// The row of somebody in an organization, or in none: by their id, else by an address that is proven to be theirs.
fn find(db: &Connection, user: &User, organization_id: Option<&str>) -> rusqlite::Result<Option<i64>> {
    db.prepare_cached(
        "SELECT id FROM people WHERE organization_id IS ?1
         AND (workos_id = ?2 OR workos_id IS NULL AND email = ?3 AND ?4)
         ORDER BY workos_id IS NULL, deleted_at IS NOT NULL LIMIT 1",
    )?
    .query_row(
        params![organization_id, user.id, user.email, user.email_verified],
        |row| row.get(0),
    )
    .optional()
}

fn insert(db: &Connection, user: &User, organization_id: Option<&str>) -> rusqlite::Result<i64> {
    db.execute(
        "INSERT INTO people (organization_id, workos_id, email, name) VALUES (?1, ?2, ?3, ?4)",
        params![organization_id, user.id, user.email, name(user)],
    )?;
    Ok(db.last_insert_rowid())
}

fn name(user: &User) -> String {
    let names = [user.first_name.as_deref(), user.last_name.as_deref()];
    names.into_iter().flatten().collect::<Vec<_>>().join(" ")
}
