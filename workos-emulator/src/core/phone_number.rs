//! Phone numbers, in the form that is the same everywhere.

/// Whether this is a number as E.164 has it: a plus, a country code, up to fifteen digits.
pub(crate) fn is_e164(number: &str) -> bool {
    let digits = number.strip_prefix('+').unwrap_or_default();
    (8..=15).contains(&digits.len())
        && digits.bytes().all(|byte| byte.is_ascii_digit())
        && !digits.starts_with('0')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn has_a_plus_and_digits() {
        for number in ["+15555550123", "+4930123456", "+123456789012345"] {
            assert!(is_e164(number), "{number}");
        }
        for number in [
            "15555550123",
            "+1",
            "+05555550123",
            "+1 555 555 0123",
            "+1234567890123456",
            "",
            "foo",
        ] {
            assert!(!is_e164(number), "{number}");
        }
    }
}
