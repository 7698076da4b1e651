//! The preferred locale of a user: a language tag such as `en` or `pt-BR`.

/// Whether `text` has the form of a language tag (RFC 5646 section 2.1): a language of two to eight letters and further
/// subtags of one to eight letters and digits.
///
/// Assumption: which locales production takes is not documented; the subtags themselves are not looked up.
pub(super) fn is_locale(text: &str) -> bool {
    let mut subtags = text.split('-');
    let is_language = |subtag: &str| {
        (2..=8).contains(&subtag.len()) && subtag.bytes().all(|byte| byte.is_ascii_alphabetic())
    };
    let is_further = |subtag: &str| {
        (1..=8).contains(&subtag.len()) && subtag.bytes().all(|byte| byte.is_ascii_alphanumeric())
    };
    text.len() <= 35 && subtags.next().is_some_and(is_language) && subtags.all(is_further)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_language_tags() {
        for good in ["en", "en-US", "pt-BR", "zh-Hant-TW", "es-419", "de-x-mine"] {
            assert!(is_locale(good), "{good}");
        }
        for bad in [
            "",
            "e",
            "en-",
            "-en",
            "en_US",
            "en US",
            "1n",
            "englishes",
            "en--US",
            "é",
        ] {
            assert!(!is_locale(bad), "{bad}");
        }
    }
}
