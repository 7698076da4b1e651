//! The languages of invitation e-mails.

use crate::server::error::ApiError;

/// Source: `locale` of `CreateUserlandUserInviteOptionsDto` in WorkOS's OpenAPI document. In order.
#[rustfmt::skip]
const LOCALES: &[&str] = &[
    "af", "am", "ar", "bg", "bn", "bs", "ca", "cs", "da", "de", "de-DE", "el", "en", "en-AU", "en-CA", "en-GB", "en-US",
    "es", "es-419", "es-ES", "es-US", "et", "fa", "fi", "fil", "fr", "fr-BE", "fr-CA", "fr-FR", "fy", "gl", "gu", "ha",
    "he", "hi", "hr", "hu", "hy", "id", "is", "it", "it-IT", "ja", "jv", "ka", "kk", "km", "kn", "ko", "lt", "lv", "mk",
    "ml", "mn", "mr", "ms", "my", "nb", "ne", "nl", "nl-BE", "nl-NL", "nn", "no", "pa", "pl", "pt", "pt-BR", "pt-PT",
    "ro", "ru", "sk", "sl", "sq", "sr", "sv", "sw", "ta", "te", "th", "tr", "uk", "ur", "uz", "vi", "zh", "zh-CN",
    "zh-HK", "zh-TW", "zu",
];

/// Refuses a language that no invitation is written in.
pub(super) fn check(locale: Option<&str>) -> Result<(), ApiError> {
    if locale.is_none_or(|locale| LOCALES.binary_search(&locale).is_ok()) {
        return Ok(());
    }
    let message = "locale is one of the languages of AuthKit, like en or pt-BR.";
    Err(ApiError::invalid_field("locale", "invalid_enum_value", message))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_every_language_of_the_list_and_no_other() {
        assert!(LOCALES.is_sorted_by(|one, other| one < other));
        assert!(check(None).is_ok() && LOCALES.iter().all(|locale| check(Some(locale)).is_ok()));
        for other in ["", "EN", "en-us", "tlh"] {
            assert_eq!(check(Some(other)).unwrap_err().status, 422, "{other}");
        }
    }
}
