//! The style sheet of the hosted pages.

use std::sync::LazyLock;

use sha2::{Digest, Sha256};

/// The style sheet, to be served at [`PATH`] as `text/css; charset=utf-8`.
pub(crate) const STYLE: &str = concat!(
    include_str!("style/base.css"),
    include_str!("style/forms.css"),
    include_str!("style/sign_in.css"),
    include_str!("style/mailbox.css"),
    include_str!("style/second_factor.css"),
    include_str!("style/providers.css"),
    include_str!("style/single_sign_on.css"),
    include_str!("style/portal.css"),
    include_str!("style/portal_sso.css"),
);

/// Where the pages look for the style sheet. The path changes with the content, so a browser may keep what it got there
/// for good (`Cache-Control: public, max-age=31536000, immutable`).
pub(crate) static PATH: LazyLock<String> = LazyLock::new(|| versioned("style", STYLE, "css"));

/// The path of a file that changes with its content.
pub(super) fn versioned(name: &str, content: &str, extension: &str) -> String {
    let digest = Sha256::digest(content);
    let version: String = digest[..6].iter().map(|byte| format!("{byte:02x}")).collect();
    format!("/authkit/{name}-{version}.{extension}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_path_names_a_version_of_the_style_sheet() {
        let version = PATH
            .strip_prefix("/authkit/style-")
            .and_then(|rest| rest.strip_suffix(".css"))
            .unwrap();
        assert_eq!(version.len(), 12);
        assert!(version.bytes().all(|byte| byte.is_ascii_hexdigit()));
    }

    #[test]
    fn the_style_sheet_loads_nothing_else() {
        assert!(!STYLE.contains("url("));
        assert!(!STYLE.contains("@import"));
    }
}
