//! E-mail addresses: what a user is known by, unique in an environment.

use std::{collections::HashSet, sync::LazyLock};

use crate::{server::error::ApiError, store::State};

/// The best-known services for throw-away addresses, one domain on a line. Assumption: production has a longer list.
static DISPOSABLE_DOMAINS: LazyLock<HashSet<&str>> =
    LazyLock::new(|| include_str!("disposable_domains.txt").lines().collect());

/// The longest address (RFC 5321 section 4.5.3.1.3), in bytes.
const MAX_LENGTH: usize = 254;
/// The longest part before the `@` (RFC 5321 section 4.5.3.1.1), in bytes.
const MAX_LOCAL_LENGTH: usize = 64;

/// The address as it is kept, or nothing if it is none: without white space around it, and in lower case, as the API's
/// description of `email` says.
///
/// Assumption: which addresses production takes is not documented. Quoted local parts, comments and addresses at a host
/// without a dot are refused, as most validators do; letters outside ASCII are taken.
pub(crate) fn normalized(given: &str) -> Option<String> {
    let email = given.trim().to_lowercase();
    let (local, domain) = email.rsplit_once('@')?;
    let fits = email.len() <= MAX_LENGTH && is_local_part(local) && is_domain(domain);
    fits.then_some(email)
}

/// The part behind the `@`, in lower case.
pub(crate) fn domain(email: &str) -> String {
    let domain = email.trim().rsplit_once('@').map(|(_, domain)| domain);
    domain.unwrap_or_default().to_lowercase()
}

/// Whether an address is of a service for throw-away addresses, or of a part of its domain.
///
/// Source: <https://workos.com/docs/authkit/radar#disposable-email-domains>.
pub(crate) fn is_disposable(email: &str) -> bool {
    let domain = email.rsplit('@').next().unwrap_or_default().trim().to_lowercase();
    let mut rest = Some(domain.as_str());
    while let Some(domain) = rest {
        if DISPOSABLE_DOMAINS.contains(domain) {
            return true;
        }
        rest = domain.split_once('.').map(|(_, parent)| parent);
    }
    false
}

/// Refuses an address that nobody is made a user with: for whom it is makes no difference.
///
/// Assumptions: production asks the name service whether a mail can arrive, which an emulator must not; of names that nobody
/// can have, only those below `invalid` (RFC 6761 section 6.4) are refused, as tests are full of the others. Throw-away
/// addresses are refused with the same code.
pub(crate) fn check_deliverable(state: &State, email: &str) -> Result<(), ApiError> {
    let domain = email.rsplit('@').next().unwrap_or_default();
    let message = if domain.ends_with(".invalid") {
        "The domain of this email takes no mail."
    } else if !state.settings().disposable_emails && is_disposable(email) {
        "The domain of this email gives out throw-away addresses. Use another email."
    } else {
        return Ok(());
    };
    Err(ApiError::bad_request("email_domain_not_deliverable", message))
}

/// Atoms of RFC 5322 section 3.2.3, with dots between them.
fn is_local_part(text: &str) -> bool {
    let is_atom = |atom: &str| {
        !atom.is_empty()
            && atom
                .chars()
                .all(|c| c.is_alphanumeric() || "!#$%&'*+-/=?^_`{|}~".contains(c))
    };
    text.len() <= MAX_LOCAL_LENGTH && text.split('.').all(is_atom)
}

/// Labels of RFC 1035 section 2.3.1, or their Unicode form, at least two of them.
fn is_domain(text: &str) -> bool {
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.chars().all(|c| c.is_alphanumeric() || c == '-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    text.contains('.') && text.split('.').all(is_label)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_addresses_trimmed_and_in_lower_case() {
        for (given, kept) in [
            (" Ada@Example.COM\n", "ada@example.com"),
            ("a.b+c@x-y.example.org", "a.b+c@x-y.example.org"),
            ("o'neil@example.com", "o'neil@example.com"),
            ("ÄDA@bücher.example", "äda@bücher.example"),
        ] {
            assert_eq!(normalized(given).as_deref(), Some(kept));
        }
    }

    #[test]
    fn refuses_what_is_no_address() {
        let long = format!("{}@example.com", "a".repeat(65));
        let longer = format!("a@{}com", "abcdefghi.".repeat(26));
        for given in [
            "",
            "@",
            "ada",
            "ada@",
            "@example.com",
            "ada@localhost",
            "ada@@example.com",
            "a da@example.com",
            ".ada@example.com",
            "ada.@example.com",
            "a..da@example.com",
            "ada@example..com",
            "ada@-example.com",
            "ada@exa mple.com",
            "Ada <ada@example.com>",
            "ada@example.com, eve@example.com",
            "ada@example.com\r\nBcc: eve@example.com",
            "ada\0@example.com",
            &long,
            &longer,
        ] {
            assert_eq!(normalized(given), None, "{given:?}");
        }
    }

    #[test]
    fn knows_throw_away_addresses() {
        for email in [
            "a@mailinator.com",
            "a@MAILINATOR.com ",
            "a@inbox.mailinator.com",
            "a@yopmail.fr",
        ] {
            assert!(is_disposable(email), "{email}");
        }
        for email in [
            "mailinator.com@example.com",
            "a@notmailinator.com",
            "a@mailinator.com.example.org",
            "a@gmail.com",
            "a@com",
            "",
        ] {
            assert!(!is_disposable(email), "{email}");
        }
    }

    #[test]
    fn the_list_has_each_domain_once_as_it_is_looked_up() {
        let lines: Vec<_> = include_str!("disposable_domains.txt").lines().collect();
        assert!(lines.is_sorted());
        assert_eq!(lines.len(), DISPOSABLE_DOMAINS.len());
        for line in lines {
            assert!(is_domain(line) && *line == line.to_lowercase(), "{line}");
        }
    }
}
