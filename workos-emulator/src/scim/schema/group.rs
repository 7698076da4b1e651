//! The Group schema. Source: RFC 7643 sections 4.2 and 8.7.1.

use super::{
    Schema,
    attribute::{Attribute, complex, reference, string},
};

const MEMBERS: &[Attribute] = &[
    string("value", "The id of the member.").case_exact().immutable(),
    reference("$ref", &["User"], "Where the member is.").immutable(),
    string("type", "What the member is.")
        .one_of(&["User"])
        .immutable(),
];

pub(crate) const GROUP: Schema = Schema {
    id: "urn:ietf:params:scim:schemas:core:2.0:Group",
    name: "Group",
    description: "A group of people.",
    attributes: &[
        string("displayName", "The name of the group.").required(),
        complex("members", MEMBERS, "The people in the group.").many(),
    ],
};
