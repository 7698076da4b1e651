//! Who is in which directory group: a row per member, so that a change of a large group costs no more than one of a small one.

use serde::{Deserialize, Serialize};

use crate::store::{Index, Record, State};

/// That a directory user belongs to a directory group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct DirectoryGroupMember {
    /// Made of both ids.
    pub(crate) id: String,
    pub(crate) group_id: String,
    pub(crate) user_id: String,
    /// The group's place in the order of creation: a user's groups are listed in this order.
    pub(crate) group_place: u64,
    /// The user's place: a group's members are listed in this order.
    pub(crate) user_place: u64,
    /// Whether applications see the user; see [`Standing`](super::users::Standing).
    pub(crate) listed: bool,
}

/// All members of a group, in the order in which the users were created.
pub(crate) const BY_GROUP: Index<DirectoryGroupMember> = Index::ordered("group", |member| {
    vec![(member.group_id.as_str().into(), rank(member.user_place))]
});
/// The members of a group that applications see.
pub(crate) const LISTED_BY_GROUP: Index<DirectoryGroupMember> = Index::ordered("listed", |member| {
    let entry = (member.group_id.as_str().into(), rank(member.user_place));
    Vec::from_iter(member.listed.then_some(entry))
});
/// The groups of a user, in the order of their creation.
pub(crate) const BY_USER: Index<DirectoryGroupMember> = Index::ordered("user", |member| {
    vec![(member.user_id.as_str().into(), rank(member.group_place))]
});

impl Record for DirectoryGroupMember {
    const INDEXES: &'static [Index<Self>] = &[BY_GROUP, LISTED_BY_GROUP, BY_USER];
    const REMEMBERS_DELETED: bool = false;

    fn id(&self) -> &str {
        &self.id
    }
}

/// The rank of a place in an index.
pub(crate) fn rank(place: u64) -> i64 {
    i64::try_from(place).unwrap_or(i64::MAX)
}

/// The id of the row that makes a user a member of a group.
pub(crate) fn member_id(group_id: &str, user_id: &str) -> String {
    format!("{group_id}:{user_id}")
}

/// Whether a user is in a group.
pub(crate) fn is_member(state: &State, group_id: &str, user_id: &str) -> bool {
    let id = member_id(group_id, user_id);
    state.directory_group_members.get(&id).is_some()
}

/// The ids of the users in a group, hidden ones too, oldest user first.
pub(crate) fn of_group<'a>(state: &'a State, group_id: &str) -> impl Iterator<Item = &'a str> {
    state
        .directory_group_members
        .group(BY_GROUP, group_id)
        .map(|member| member.user_id.as_str())
}

/// The ids of the groups that a user is in, oldest group first.
pub(crate) fn groups_of<'a>(state: &'a State, user_id: &str) -> impl Iterator<Item = &'a str> {
    state
        .directory_group_members
        .group(BY_USER, user_id)
        .map(|member| member.group_id.as_str())
}
