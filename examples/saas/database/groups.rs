//! The groups of directories, and what they make of the people in them: a role and a department.

use rusqlite::{Connection, OptionalExtension, params};
use workos_actix::workos::DirectoryGroup;

/// The role of somebody in these groups.
pub(crate) fn map_groups_to_role(groups: &[String]) -> &'static str {
    let is_in = |word| groups.iter().any(|name| name.to_lowercase().contains(word));
    if is_in("admin") {
        "admin"
    } else if is_in("manager") {
        "manager"
    } else {
        "member"
    }
}

/// The first of these groups that is named as a department is.
pub(crate) fn get_department_id(db: &Connection, groups: &[String]) -> rusqlite::Result<Option<i64>> {
    let mut departments = db.prepare_cached("SELECT id FROM departments WHERE name = ?1")?;
    for name in groups
        .iter()
        .filter(|name| !name.to_lowercase().contains("admin"))
    {
        if let Some(id) = departments.query_row([name], |row| row.get(0)).optional()? {
            return Ok(Some(id));
        }
    }
    Ok(None)
}

/// `dsync.group.created` and `dsync.group.updated`.
pub(crate) fn upsert(db: &Connection, group: &DirectoryGroup) -> rusqlite::Result<()> {
    let changed = db.execute(
        "INSERT INTO directory_groups (id, name, changed_at) VALUES (?1, ?2, ?3)
         ON CONFLICT (id) DO UPDATE SET name = excluded.name, changed_at = excluded.changed_at
         WHERE deleted_at IS NULL AND directory_groups.changed_at <= excluded.changed_at",
        params![group.id, group.name, group.updated_at],
    )?;
    if changed > 0 {
        apply_to_members(db, &group.id)?;
    }
    Ok(())
}

/// `dsync.group.deleted`: its members are not told of one by one.
pub(crate) fn delete(db: &Connection, group: &DirectoryGroup, at: &str) -> rusqlite::Result<()> {
    db.execute(
        "INSERT INTO directory_groups (id, name, deleted_at, changed_at) VALUES (?1, ?2, ?3, ?3)
         ON CONFLICT (id) DO UPDATE SET deleted_at = excluded.deleted_at",
        params![group.id, group.name, at],
    )?;
    apply_to_members(db, &group.id)
}

/// `dsync.group.user_added` and `dsync.group.user_removed`, which may come before those about the group or the person.
pub(crate) fn set_member(
    db: &Connection,
    group: &DirectoryGroup,
    directory_user_id: &str,
    is_member: bool,
    at: &str,
) -> rusqlite::Result<()> {
    upsert(db, group)?;
    db.execute(
        "INSERT INTO directory_group_members (group_id, directory_user_id, is_member, changed_at)
         VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (directory_user_id, group_id) DO UPDATE
         SET is_member = excluded.is_member, changed_at = excluded.changed_at
         WHERE directory_group_members.changed_at <= excluded.changed_at",
        params![group.id, directory_user_id, is_member, at],
    )?;
    apply_to(db, directory_user_id)
}

/// Gives somebody the role and the department that follow from all their groups.
pub(crate) fn apply_to(db: &Connection, directory_user_id: &str) -> rusqlite::Result<()> {
    let groups: Vec<String> = db
        .prepare_cached(
            "SELECT name FROM directory_groups
             JOIN directory_group_members ON group_id = directory_groups.id
             WHERE directory_user_id = ?1 AND is_member AND deleted_at IS NULL ORDER BY name",
        )?
        .query_map([directory_user_id], |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    db.execute(
        "UPDATE people SET role = ?2, department_id = ?3 WHERE directory_user_id = ?1",
        params![
            directory_user_id,
            map_groups_to_role(&groups),
            get_department_id(db, &groups)?
        ],
    )?;
    Ok(())
}

fn apply_to_members(db: &Connection, group_id: &str) -> rusqlite::Result<()> {
    let members: Vec<String> = db
        .prepare_cached(
            "SELECT directory_user_id FROM directory_group_members WHERE group_id = ?1 AND is_member",
        )?
        .query_map([group_id], |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    members.iter().try_for_each(|id| apply_to(db, id))
}
