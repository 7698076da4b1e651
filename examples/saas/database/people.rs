//! People as a directory tells of them, and as pages show them.

use rusqlite::{Connection, OptionalExtension, named_params, params};
use workos_actix::workos::{DirectoryUser, DirectoryUserState};

use super::groups;

/// A row of the page.
pub(crate) struct Person {
    pub(crate) name: String,
    pub(crate) email: String,
    pub(crate) role: String,
    pub(crate) department: Option<String>,
    pub(crate) active: bool,
    pub(crate) is_deleted: bool,
    pub(crate) is_from_directory: bool,
    pub(crate) last_signed_in_at: Option<String>,
}

/// Everybody of an organization, also those who have left.
pub(crate) fn of_organization(db: &Connection, organization_id: &str) -> rusqlite::Result<Vec<Person>> {
    let mut people = db.prepare_cached(
        "SELECT people.name, email, role, departments.name AS department, active, deleted_at IS NOT NULL AS is_deleted,
                directory_user_id IS NOT NULL AS is_from_directory, last_signed_in_at
         FROM people LEFT JOIN departments ON departments.id = department_id
         WHERE organization_id = ?1
         ORDER BY is_deleted, people.name COLLATE NOCASE, email LIMIT 500",
    )?;
    let people = people.query_map([organization_id], |row| {
        Ok(Person {
            name: row.get("name")?,
            email: row.get("email")?,
            role: row.get("role")?,
            department: row.get("department")?,
            active: row.get("active")?,
            is_deleted: row.get("is_deleted")?,
            is_from_directory: row.get("is_from_directory")?,
            last_signed_in_at: row.get("last_signed_in_at")?,
        })
    })?;
    people.collect()
}

/// `dsync.user.created` and `dsync.user.updated`: whichever comes first makes the row.
pub(crate) fn upsert(db: &Connection, user: &DirectoryUser) -> rusqlite::Result<()> {
    let directory_is_gone = "SELECT 1 FROM deleted_directories WHERE id = ?1";
    if db
        .prepare_cached(directory_is_gone)?
        .exists([&user.directory_id])?
    {
        return Ok(());
    }
    claim(db, user)?;
    let changed = db.execute(
        "INSERT INTO people (directory_user_id, directory_id, organization_id, email, name, active, changed_at)
         VALUES (:id, :directory, :organization, :email, :name, :active, :changed_at)
         ON CONFLICT (directory_user_id) DO UPDATE
         SET email = excluded.email, name = excluded.name, active = excluded.active, deleted_at = NULL,
             changed_at = excluded.changed_at
         WHERE people.changed_at < excluded.changed_at
            OR people.changed_at = excluded.changed_at AND people.deleted_at IS NULL",
        named_params! {
            ":id": user.id, ":directory": user.directory_id, ":organization": user.organization_id,
            ":email": user.email.as_deref().unwrap_or_default(), ":name": full_name(user),
            ":active": user.state == DirectoryUserState::Active, ":changed_at": user.updated_at,
        },
    )?;
    if changed > 0 {
        groups::apply_to(db, &user.id)?;
    }
    Ok(())
}

/// Somebody who is here already, by sign-in or from an earlier life in the directory, is the same person.
fn claim(db: &Connection, user: &DirectoryUser) -> rusqlite::Result<()> {
    let is_known = "SELECT 1 FROM people WHERE directory_user_id = ?1";
    if user.email.is_none() || db.prepare_cached(is_known)?.exists([&user.id])? {
        return Ok(());
    }
    let same = db
        .prepare_cached(
            "SELECT id FROM people WHERE organization_id = ?1 AND email = ?2
             AND (directory_user_id IS NULL OR deleted_at IS NOT NULL) ORDER BY directory_user_id IS NOT NULL LIMIT 1",
        )?
        .query_row(params![user.organization_id, user.email], |row| row.get::<_, i64>(0))
        .optional()?;
    if let Some(id) = same {
        db.execute(
            "UPDATE people SET directory_user_id = ?2, directory_id = ?3, deleted_at = NULL, changed_at = ''
             WHERE id = ?1",
            params![id, user.id, user.directory_id],
        )?;
    }
    Ok(())
}

/// `dsync.user.deleted`: the row stays, and marks that older news about the person is too late.
pub(crate) fn delete(db: &Connection, user: &DirectoryUser, at: &str) -> rusqlite::Result<()> {
    db.execute(
        "INSERT INTO people (directory_user_id, directory_id, organization_id, email, name, active, deleted_at, changed_at)
         VALUES (:id, :directory, :organization, :email, :name, FALSE, :at, :at)
         ON CONFLICT (directory_user_id) DO UPDATE
         SET email = excluded.email, name = excluded.name, active = FALSE, deleted_at = excluded.deleted_at,
             changed_at = excluded.changed_at
         WHERE people.changed_at <= excluded.changed_at",
        named_params! {
            ":id": user.id, ":directory": user.directory_id, ":organization": user.organization_id,
            ":email": user.email.as_deref().unwrap_or_default(), ":name": full_name(user), ":at": at,
        },
    )?;
    groups::apply_to(db, &user.id)
}

/// `dsync.deleted`, the only event about a directory that goes: nobody in it is told of one by one.
pub(crate) fn delete_directory(db: &Connection, directory_id: &str, at: &str) -> rusqlite::Result<()> {
    db.execute(
        "INSERT OR IGNORE INTO deleted_directories (id) VALUES (?1)",
        [directory_id],
    )?;
    db.execute(
        "UPDATE people SET active = FALSE, deleted_at = ?2, changed_at = ?2
         WHERE directory_id = ?1 AND deleted_at IS NULL",
        [directory_id, at],
    )?;
    Ok(())
}

fn full_name(user: &DirectoryUser) -> String {
    let names = [user.first_name.as_deref(), user.last_name.as_deref()];
    names.into_iter().flatten().collect::<Vec<_>>().join(" ")
}
