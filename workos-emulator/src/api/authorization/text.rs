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

/// Checks the slug of a resource type.
///
/// Assumption: resource types are made in the dashboard, so each slug of the right form is taken as one.
pub(super) fn check_resource_type(slug: &str) -> Result<(), ApiError> {
    check_slug(slug, "-_").map_err(|_| {
        let message = "resource_type_slug has 1 to 48 lowercase letters, digits, - and _ only.";
        ApiError::invalid_field("resource_type_slug", "invalid_slug", message)
    })
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
}
