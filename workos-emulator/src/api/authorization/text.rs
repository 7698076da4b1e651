//! The texts that roles and permissions have in common: slug, name and description. Lengths are the API's `maxLength`.
//!
//! Assumption: a text that breaks a rule is 422 and names its field; the API's description gives the status only.

use crate::server::error::ApiError;

/// What a resource is scoped to unless it says otherwise.
pub(super) const ORGANIZATION: &str = "organization";

/// Checks a slug: 1 to 48 lowercase letters, digits and `separators`.
pub(super) fn check_slug(slug: &str, separators: &str) -> Result<(), ApiError> {
    let is_allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || separators.contains(c);
    if (1..=48).contains(&slug.len()) && slug.chars().all(is_allowed) {
        return Ok(());
    }
    let message = format!("slug has 1 to 48 lowercase letters, digits and {separators} only.");
    Err(ApiError::invalid_field("slug", "invalid_slug", message))
}

/// Checks the given slug of an organization's role.
///
/// Source: <https://workos.com/docs/rbac/custom-roles>.
pub(super) fn check_organization_slug(slug: &str) -> Result<(), ApiError> {
    check_slug(slug, "-_")?;
    let words = slug.strip_prefix("org-").map(|rest| rest.split(['-', '_']));
    if words.is_some_and(|mut words| words.all(|word| !word.is_empty())) {
        return Ok(());
    }
    let message = "slug must begin with 'org-', and separators stand singly between letters or digits.";
    Err(ApiError::invalid_field("slug", "invalid_slug", message))
}

/// A slug made from a name and the end of an id, which makes it unique: `billing-admin-a1b2c3`.
///
/// Source: <https://workos.com/docs/rbac/custom-roles>. Assumption: a name without any Latin letter or digit gives
/// `role-…`.
pub(super) fn slug_of(name: &str, id: &str) -> String {
    let suffix = id[id.len().saturating_sub(6)..].to_lowercase();
    let mut slug = String::new();
    for c in name.trim().to_lowercase().chars() {
        let c = if c.is_whitespace() { '-' } else { c };
        let is_separator = matches!(c, '-' | '_');
        if c.is_ascii_lowercase() || c.is_ascii_digit() || is_separator && !slug.ends_with(['-', '_']) {
            slug.push(c);
        }
    }
    slug.truncate(48 - 1 - suffix.len());
    let slug = match slug.trim_matches(['-', '_']) {
        "" => "role",
        slug => slug,
    };
    format!("{slug}-{suffix}")
}

/// Checks a name: 1 to 48 characters.
pub(super) fn check_name(name: &str) -> Result<(), ApiError> {
    if name.trim().is_empty() || name.chars().count() > 48 {
        let message = "name has 1 to 48 characters.";
        return Err(ApiError::invalid_field("name", "invalid_name", message));
    }
    Ok(())
}

/// Checks a description: up to 150 characters.
pub(super) fn check_description(description: Option<&str>) -> Result<(), ApiError> {
    if description.is_some_and(|text| text.chars().count() > 150) {
        let message = "description has up to 150 characters.";
        return Err(ApiError::invalid_field(
            "description",
            "invalid_description",
            message,
        ));
    }
    Ok(())
}

/// The slug of a resource type, checked; `organization` where none is given.
///
/// Assumption: resource types are made in the dashboard, so each slug of the right form is taken as one.
pub(super) fn resource_type(slug: Option<String>) -> Result<String, ApiError> {
    let slug = slug.unwrap_or_else(|| ORGANIZATION.to_owned());
    check_slug(&slug, "-_").map_err(|_| {
        let message = "resource_type_slug has 1 to 48 lowercase letters, digits, - and _ only.";
        ApiError::invalid_field("resource_type_slug", "invalid_slug", message)
    })?;
    Ok(slug)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_slugs() {
        assert_eq!(check_slug("billing-admin_2", "-_"), Ok(()));
        assert_eq!(check_slug("documents:read.*", "-.:_*"), Ok(()));
        for wrong in ["", "Admin", "a b", "a:b", "é", &"a".repeat(49)] {
            let refused = check_slug(wrong, "-_").unwrap_err();
            assert_eq!(refused.status, 422, "{wrong}");
            assert_eq!(refused.body["errors"][0]["field"], "slug");
        }
    }

    #[test]
    fn counts_characters_not_bytes() {
        assert_eq!(check_name(&"é".repeat(48)), Ok(()));
        assert_eq!(check_name(&"é".repeat(49)).unwrap_err().status, 422);
        assert_eq!(check_name(" ").unwrap_err().status, 422);
        assert_eq!(check_description(Some(&"é".repeat(150))), Ok(()));
        assert_eq!(check_description(Some(&"é".repeat(151))).unwrap_err().status, 422);
    }

    #[test]
    fn makes_slugs_from_names() {
        let id = "role_01HXYZ123456789ABCDEFGHIJ";
        assert_eq!(slug_of("Billing Admin", id), "billing-admin-efghij");
        assert_eq!(slug_of(" A  &  B__c! ", id), "a-b_c-efghij");
        assert_eq!(slug_of("管理者", id), "role-efghij");
        assert_eq!(slug_of(&"x".repeat(60), id).len(), 48);
        assert!(check_organization_slug("org-billing-admin").is_ok());
        for wrong in ["billing", "org-", "org--a", "org-a-", "org-a__b", "org-A"] {
            assert_eq!(check_organization_slug(wrong).unwrap_err().status, 422, "{wrong}");
        }
    }
}
