//! Versions of resources. Source: RFC 7644 section 3.14.

use super::error::ScimError;
use crate::server::call::Call;

/// `meta.version`, and the header `ETag`.
pub(super) fn of(version: u64) -> String {
    format!("W/\"{version}\"")
}

/// Whether a header names this version, or any. Versions are weak, and compared as such (RFC 9110 section 8.8.3.2).
fn names(header: &str, version: u64) -> bool {
    let version = format!("\"{version}\"");
    let mut tags = header.split(',').map(str::trim);
    tags.any(|tag| tag == "*" || tag.strip_prefix("W/").unwrap_or(tag) == version)
}

/// Refuses a change of a resource that is no longer the one that the client knows.
pub(super) fn check(call: &Call, version: u64) -> Result<(), ScimError> {
    match call.header("if-match") {
        Some(header) if !names(header, version) => {
            let detail = format!("The resource has changed: its version is {}.", of(version));
            Err(ScimError::new(412, detail))
        }
        _ => Ok(()),
    }
}

/// Whether the client has this version already.
pub(super) fn is_known(call: &Call, version: u64) -> bool {
    call.header("if-none-match")
        .is_some_and(|header| names(header, version))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_compared_as_weak_ones() {
        for (header, same) in [
            ("W/\"3\"", true),
            ("\"3\"", true),
            ("\"1\", W/\"3\"", true),
            ("*", true),
            ("W/\"33\"", false),
            ("3", false),
            ("", false),
        ] {
            assert_eq!(names(header, 3), same, "{header}");
        }
        assert!(names(&of(3), 3));
    }
}
