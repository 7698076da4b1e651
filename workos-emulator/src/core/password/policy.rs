//! What a new password has to be: WorkOS's default policy, as far as it is known.
//!
//! WorkOS documents three rules, all on by default: a minimum length, no low complexity, no breached password
//! (<https://workos.com/docs/authkit/email-password>). A live environment was seen to ask for ten characters and to answer
//! the inner errors `{code: "password_too_short", minimum_length: 10, message}` and
//! `{code: "password_too_weak", suggestions: ["Add more words that are less common."], message}`, which is zxcvbn's
//! wording; `password_pwned` is the code an application that handles these errors expects for a breached one. The codes
//! for the maximum length and for the character classes are made up in the same manner, and so are the full messages.
//!
//! Two things stand in for services that are not here: an estimate of complexity for zxcvbn, and a list of common
//! passwords for haveibeenpwned. They refuse what everybody would refuse; they do not decide close calls as WorkOS does.

use serde::{Deserialize, Serialize};

/// Longer passwords are refused: an assumption, as WorkOS documents no maximum. In characters.
const MAX_LENGTH: usize = 1024;
/// A password is too weak that a guesser takes for fewer than so many independent pieces.
const MIN_PIECES: usize = 7;
/// The most common passwords in public breach statistics, in lower case, one on a line.
const COMMON_PASSWORDS: &str = include_str!("common_passwords.txt");

/// The rules for new passwords. Imported hashes and passwords at sign-in are not subject to them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct PasswordPolicy {
    /// In characters.
    pub(crate) min_length: usize,
    pub(crate) reject_weak: bool,
    pub(crate) reject_breached: bool,
    pub(crate) require_lowercase: bool,
    pub(crate) require_uppercase: bool,
    pub(crate) require_number: bool,
    pub(crate) require_symbol: bool,
}

impl Default for PasswordPolicy {
    fn default() -> Self {
        Self {
            min_length: 10,
            reject_weak: true,
            reject_breached: true,
            require_lowercase: false,
            require_uppercase: false,
            require_number: false,
            require_symbol: false,
        }
    }
}

/// One thing that is wrong with a password: an entry of `errors` in `password_strength_error` and
/// `password_reset_error`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct PasswordProblem {
    pub(crate) code: &'static str,
    pub(crate) message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) minimum_length: Option<usize>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) suggestions: Vec<&'static str>,
}

impl PasswordProblem {
    fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            minimum_length: None,
            suggestions: Vec::new(),
        }
    }
}

impl PasswordPolicy {
    /// All that is wrong with `password` for the user with this e-mail address.
    pub(crate) fn check(&self, password: &str, email: &str) -> Result<(), Vec<PasswordProblem>> {
        let mut problems = Vec::new();
        let length = password.chars().take(MAX_LENGTH + 1).count();
        if length > MAX_LENGTH {
            // Nothing else is looked at, so that the work is bounded.
            let message = format!("Password must be at most {MAX_LENGTH} characters.");
            return Err(vec![PasswordProblem::new("password_too_long", message)]);
        }
        if length < self.min_length {
            problems.push(PasswordProblem {
                minimum_length: Some(self.min_length),
                ..PasswordProblem::new(
                    "password_too_short",
                    format!("Password must be {} or more characters.", self.min_length),
                )
            });
        }
        problems.extend(self.missing_classes(password));
        if self.reject_weak
            && let Some(suggestion) = weakness(password, email)
        {
            problems.push(PasswordProblem {
                suggestions: vec![suggestion],
                ..PasswordProblem::new("password_too_weak", "Password is too weak.")
            });
        }
        if self.reject_breached && is_common(password) {
            let message = "Password has been found in a data breach. Choose a different one.";
            problems.push(PasswordProblem::new("password_pwned", message));
        }
        if problems.is_empty() {
            Ok(())
        } else {
            Err(problems)
        }
    }

    fn missing_classes(&self, password: &str) -> impl Iterator<Item = PasswordProblem> {
        let has = |class: fn(char) -> bool| password.chars().any(class);
        [
            (
                self.require_lowercase,
                has(char::is_lowercase),
                "password_missing_lowercase",
                "a lowercase letter",
            ),
            (
                self.require_uppercase,
                has(char::is_uppercase),
                "password_missing_uppercase",
                "an uppercase letter",
            ),
            (
                self.require_number,
                has(char::is_numeric),
                "password_missing_number",
                "a number",
            ),
            (
                self.require_symbol,
                has(|c| !c.is_alphanumeric()),
                "password_missing_symbol",
                "a symbol",
            ),
        ]
        .into_iter()
        .filter(|(required, present, ..)| *required && !present)
        .map(|(_, _, code, what)| PasswordProblem::new(code, format!("Password must contain {what}.")))
    }
}

fn is_common(password: &str) -> bool {
    let password = password.to_lowercase();
    COMMON_PASSWORDS.lines().any(|common| common == password)
}

/// What to do better, if the password is easy to guess for somebody who knows the e-mail address.
fn weakness(password: &str, email: &str) -> Option<&'static str> {
    let (password, email) = (password.to_lowercase(), email.trim().to_lowercase());
    let local_part = email.split('@').next().unwrap_or_default();
    let without_email = if email.is_empty() {
        password.clone()
    } else {
        password.replace(&email, "")
    };
    let without_name = if local_part.len() < 4 {
        without_email.clone()
    } else {
        without_email.replace(local_part, "")
    };
    if without_name != password && pieces(&without_name) < MIN_PIECES {
        return Some("Avoid passwords that contain your email address.");
    }
    (pieces(&password) < MIN_PIECES).then_some("Add more words that are less common.")
}

/// How many independent pieces a guesser has to get right: a common password is two, whatever its length; a run of
/// three or more, such as `aaaa`, `4567` or `zyx`, is one; any other character is one.
fn pieces(password: &str) -> usize {
    let password: Vec<char> = password.chars().collect();
    let mut rest = password.as_slice();
    let mut pieces = 0;
    while !rest.is_empty() {
        let (cost, length) = match common_prefix(rest) {
            Some(length) => (2, length),
            None => (1, run_length(rest)),
        };
        pieces += cost;
        rest = &rest[length..];
    }
    pieces
}

/// The length of the longest common password, of four letters or more, that `text` starts with. Both are compared
/// without their disguises, so that `P@ssw0rd` is `password`.
fn common_prefix(text: &[char]) -> Option<usize> {
    let begins_text = |common: &str| {
        common.len() <= text.len()
            && common
                .chars()
                .zip(text)
                .all(|(a, b)| without_disguise(a) == without_disguise(*b))
    };
    COMMON_PASSWORDS
        .lines()
        .filter(|common| common.len() >= 4 && begins_text(common))
        .map(str::len)
        .max()
}

/// How many characters at the start of `text` repeat, ascend or descend in steps of one; 1 if there are not three.
fn run_length(text: &[char]) -> usize {
    let step = |pair: &[char]| i64::from(u32::from(pair[1])) - i64::from(u32::from(pair[0]));
    let Some(direction) = text.windows(2).next().map(step).filter(|step| step.abs() <= 1) else {
        return 1;
    };
    let steps = text.windows(2).take_while(|pair| step(pair) == direction).count();
    if steps >= 2 { steps + 1 } else { 1 }
}

/// The letter that a digit or symbol often stands for.
fn without_disguise(c: char) -> char {
    match c {
        '0' => 'o',
        '1' | '!' => 'i',
        '3' => 'e',
        '4' | '@' => 'a',
        '5' | '$' => 's',
        '7' => 't',
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EMAIL: &str = "marcelina.davis@example.com";

    fn codes(policy: &PasswordPolicy, password: &str) -> Vec<&'static str> {
        policy
            .check(password, EMAIL)
            .err()
            .unwrap_or_default()
            .into_iter()
            .map(|problem| problem.code)
            .collect()
    }

    fn default_codes(password: &str) -> Vec<&'static str> {
        codes(&PasswordPolicy::default(), password)
    }

    #[test]
    fn reasonable_passwords_pass() {
        for password in [
            "strong_password_123!", // the example of the specification
            "correct horse battery staple",
            "tr0ub4dor&3x",
            "kX9#vQ2$mL",
            "пароль-из-слов",
            "密码密语山水风月花鸟",
            "🐎🔋📎✅🐎🔋📎✅🐎🔋",
        ] {
            assert_eq!(default_codes(password), [""; 0], "{password}");
        }
        assert_eq!(default_codes(&"kX9#vQ2$".repeat(128)), [""; 0]);
    }

    #[test]
    fn ten_characters_are_needed() {
        assert_eq!(default_codes("kX9#vQ2$m"), ["password_too_short"]);
        assert_eq!(default_codes("éàüöäßñçø"), ["password_too_short"]); // nine characters, eighteen bytes
        let relaxed = PasswordPolicy {
            min_length: 4,
            ..PasswordPolicy::default()
        };
        assert_eq!(codes(&relaxed, "kX9#vQ2"), [""; 0]);
    }

    #[test]
    fn an_empty_password_is_short_and_weak() {
        assert_eq!(default_codes(""), ["password_too_short", "password_too_weak"]);
        let lax = PasswordPolicy {
            min_length: 0,
            reject_weak: false,
            ..PasswordPolicy::default()
        };
        assert_eq!(codes(&lax, ""), [""; 0]);
    }

    #[test]
    fn an_endless_password_is_refused_without_a_look_at_it() {
        assert_eq!(default_codes(&"kX9#vQ2$m".repeat(100_000)), ["password_too_long"]);
    }

    #[test]
    fn predictable_passwords_are_weak() {
        for password in [
            "aaaaaaaaaaaaaaaa",
            "abcdefghijklmnop",
            "9876543210987654",
            "abcabcabcabc",
            "P@ssw0rd2024",
            "Password!!!!!!",
            "qwertyuiop[]",
            "iloveyou-iloveyou",
            "dragon.master",
            "          ",
        ] {
            assert!(
                default_codes(password).contains(&"password_too_weak"),
                "{password}"
            );
        }
    }

    #[test]
    fn common_passwords_count_as_breached() {
        assert_eq!(
            default_codes("CorrectHorseBatteryStaple"),
            ["password_too_weak", "password_pwned"]
        );
        assert_eq!(
            default_codes("password"),
            ["password_too_short", "password_too_weak", "password_pwned"]
        );
        let trusting = PasswordPolicy {
            reject_weak: false,
            reject_breached: false,
            ..PasswordPolicy::default()
        };
        assert_eq!(codes(&trusting, "password123"), [""; 0]);
    }

    #[test]
    fn the_email_address_adds_nothing() {
        for password in [
            EMAIL,
            "Marcelina.Davis@Example.com",
            "marcelina.davis1!",
            "1marcelina.davis2",
        ] {
            let problems = PasswordPolicy::default().check(password, EMAIL).unwrap_err();
            assert_eq!(problems.len(), 1, "{password}: {problems:?}");
            assert_eq!(problems[0].code, "password_too_weak");
            assert_eq!(
                problems[0].suggestions,
                ["Avoid passwords that contain your email address."]
            );
        }
        assert_eq!(default_codes("marcelina.davis-kX9#vQ2"), [""; 0]);
        let policy = PasswordPolicy::default();
        assert_eq!(policy.check("kX9#vQ2$mL", ""), Ok(()));
        assert_eq!(policy.check("kX9#vQ2$mL", "k@example.com"), Ok(()));
    }

    #[test]
    fn character_classes_are_asked_for_on_request() {
        let policy = PasswordPolicy {
            require_lowercase: true,
            require_uppercase: true,
            require_number: true,
            require_symbol: true,
            ..PasswordPolicy::default()
        };
        assert_eq!(codes(&policy, "kX9#vQ2$mL"), [""; 0]);
        assert_eq!(
            codes(&policy, "kx#vq$mlwz"),
            ["password_missing_uppercase", "password_missing_number"]
        );
        assert_eq!(
            codes(&policy, "KX9VQ2MLWZ"),
            ["password_missing_lowercase", "password_missing_symbol"]
        );
    }

    #[test]
    fn problems_serialise_as_they_were_seen() {
        let problems = PasswordPolicy::default().check("abc", EMAIL).unwrap_err();
        assert_eq!(
            serde_json::to_value(problems).unwrap(),
            serde_json::json!([
                {
                    "code": "password_too_short",
                    "message": "Password must be 10 or more characters.",
                    "minimum_length": 10,
                },
                {
                    "code": "password_too_weak",
                    "message": "Password is too weak.",
                    "suggestions": ["Add more words that are less common."],
                },
            ])
        );
    }

    #[test]
    fn a_partial_policy_keeps_the_defaults() {
        let policy: PasswordPolicy = serde_json::from_str(r#"{"min_length":12}"#).unwrap();
        assert_eq!(
            policy,
            PasswordPolicy {
                min_length: 12,
                ..PasswordPolicy::default()
            }
        );
        assert!(serde_json::from_str::<PasswordPolicy>(r#"{"minimum":12}"#).is_err());
    }

    #[test]
    fn the_list_is_lower_case_ascii_sorted_out() {
        let lines: Vec<&str> = COMMON_PASSWORDS.lines().collect();
        for line in &lines {
            assert!(
                !line.is_empty()
                    && line
                        .bytes()
                        .all(|b| b.is_ascii_graphic() && !b.is_ascii_uppercase()),
                "{line}"
            );
            assert_eq!(lines.iter().filter(|other| other == &line).count(), 1, "{line}");
        }
    }
}
