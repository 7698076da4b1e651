//! What the paths of expressions can refer to.
//!
//! The context was seen in production, see <https://github.com/workos/emulate>. Assumption: a path that can lead nowhere
//! is refused, as production refuses `unknown.variable`.

/// What stands at a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Scalar,
    /// An object or an array.
    Object,
    /// Known only when rendered.
    Any,
}

const USER: &[&str] = &[
    "object",
    "id",
    "email",
    "email_verified",
    "first_name",
    "last_name",
    "name",
    "profile_picture_url",
    "locale",
    "external_id",
    "created_at",
    "updated_at",
];
const ORGANIZATION: &[&str] = &[
    "object",
    "id",
    "name",
    "allow_profiles_outside_organization",
    "external_id",
    "stripe_customer_id",
    "created_at",
    "updated_at",
];
const DOMAIN: &[&str] = &[
    "object",
    "id",
    "organization_id",
    "domain",
    "state",
    "verification_strategy",
    "created_at",
    "updated_at",
];
const MEMBERSHIP: &[&str] = &["object", "id", "role", "created_at", "updated_at"];

/// What stands at `path`; nothing where it can lead nowhere.
pub(super) fn kind(path: &[String]) -> Option<Kind> {
    let path: Vec<&str> = path.iter().map(String::as_str).collect();
    let known = |names: &[&str], name: &str| names.contains(&name).then_some(Kind::Scalar);
    match path.as_slice() {
        ["user" | "organization" | "organization_membership"]
        | ["user", "metadata" | "identities"]
        | ["organization", "metadata" | "domains"]
        | ["organization_membership", "custom_attributes" | "roles"] => Some(Kind::Object),
        ["user" | "organization", "metadata", ..]
        | ["user", "identities", ..]
        | ["organization_membership", "custom_attributes", ..] => Some(Kind::Any),
        ["user", name] => known(USER, name),
        ["organization", name] => known(ORGANIZATION, name),
        ["organization", "domains", at] if is_number(at) => Some(Kind::Object),
        ["organization", "domains", at, name] if is_number(at) => known(DOMAIN, name),
        ["organization_membership", "roles", at] if is_number(at) => Some(Kind::Scalar),
        ["organization_membership", name] => known(MEMBERSHIP, name),
        _ => None,
    }
}

fn is_number(segment: &str) -> bool {
    segment.bytes().all(|byte| byte.is_ascii_digit())
}
