//! What a new password has to be: WorkOS's default policy, as far as it is known.
//!
//! WorkOS documents four rules, the first three of them on by default: a minimum length, no low complexity, no breached
//! password, no password that the user had before (<https://workos.com/docs/authkit/email-password>). A live environment
//! was seen to ask for ten characters and to answer the inner errors `{code: "password_too_short", minimum_length: 10,
//! message}` and `{code: "password_too_weak", suggestions: ["Add more words that are less common."], message}`, which is
//! the wording of zxcvbn's port to TypeScript; `password_pwned` is the code an application that handles these errors
//! expects for a breached one. The codes for the maximum length, for the character classes and for a password that was
//! used before are made up in the same manner, and so are the full messages.
//!
//! Assumptions: the score of zxcvbn that is asked for is 3 of 4, which its authors call the least that is not weak; the
//! most common passwords of public breaches, which zxcvbn knows, stand in for haveibeenpwned, which is not asked.

use serde::{Deserialize, Serialize};
use zxcvbn::{
    Entropy, Score,
    feedback::{Feedback, Suggestion, Warning},
    zxcvbn,
};

/// Longer passwords are refused: an assumption, as WorkOS documents no maximum. In characters.
const MAX_LENGTH: usize = 1024;
/// How many of a user's last passwords can be refused at most, and are kept.
pub(crate) const MAX_HISTORY: usize = 10;

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
    /// How many of a user's last passwords, the present one among them, are refused. At most [`MAX_HISTORY`].
    pub(crate) history: usize,
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
            history: 0,
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
    pub(crate) suggestions: Vec<String>,
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

    /// For people: what is wrong, and what to do better.
    pub(crate) fn explained(&self) -> String {
        let mut sentences = vec![self.message.as_str()];
        sentences.extend(self.suggestions.iter().map(String::as_str));
        sentences.join(" ")
    }

    /// The user had this password before.
    pub(crate) fn used_before() -> Self {
        Self::new(
            "password_used_before",
            "Password has been used before. Choose a different one.",
        )
    }
}

impl PasswordPolicy {
    /// All that is wrong with `password` for the user with this e-mail address. What they had before is not looked at.
    ///
    /// It takes up to some milliseconds.
    pub(crate) fn check(&self, password: &str, email: &str) -> Vec<PasswordProblem> {
        let mut problems = Vec::new();
        let length = password.chars().take(MAX_LENGTH + 1).count();
        if length > MAX_LENGTH {
            // Nothing else is looked at, so that the work is bounded.
            let message = format!("Password must be at most {MAX_LENGTH} characters.");
            return vec![PasswordProblem::new("password_too_long", message)];
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
        let local_part = email.split('@').next().unwrap_or_default();
        let estimate = zxcvbn(password, &[email, local_part]);
        if self.reject_weak && estimate.score() < Score::Three {
            problems.push(PasswordProblem {
                suggestions: suggestions(&estimate),
                ..PasswordProblem::new("password_too_weak", "Password is too weak.")
            });
        }
        if self.reject_breached && is_common(&estimate) {
            let message = "Password has been found in a data breach. Choose a different one.";
            problems.push(PasswordProblem::new("password_pwned", message));
        }
        problems
    }

    fn missing_classes(&self, password: &str) -> impl Iterator<Item = PasswordProblem> {
        let missing = self.classes().into_iter();
        missing
            .filter(|class| class.required && !password.chars().any(class.has))
            .map(|class| PasswordProblem::new(class.code, format!("Password must contain {}.", class.what)))
    }

    fn classes(&self) -> [CharacterClass; 4] {
        [
            CharacterClass {
                required: self.require_lowercase,
                has: char::is_lowercase,
                code: "password_missing_lowercase",
                what: "a lowercase letter",
            },
            CharacterClass {
                required: self.require_uppercase,
                has: char::is_uppercase,
                code: "password_missing_uppercase",
                what: "an uppercase letter",
            },
            CharacterClass {
                required: self.require_number,
                has: char::is_numeric,
                code: "password_missing_number",
                what: "a number",
            },
            CharacterClass {
                required: self.require_symbol,
                has: |c| !c.is_alphanumeric(),
                code: "password_missing_symbol",
                what: "a symbol",
            },
        ]
    }

    /// What is asked for, in a sentence for people who choose a password.
    pub(crate) fn hint(&self) -> String {
        let mut wanted = vec![match self.min_length {
            0 | 1 => "at least 1 character".to_owned(),
            length => format!("at least {length} characters"),
        }];
        let required = self.classes().into_iter().filter(|class| class.required);
        wanted.extend(required.map(|class| class.what.to_owned()));
        if self.reject_weak {
            wanted.push("hard to guess".to_owned());
        }
        if self.history > 0 {
            wanted.push("not used before".to_owned());
        }
        let mut hint = wanted.join(", ");
        hint.replace_range(..1, "A");
        hint.push('.');
        hint
    }
}

/// A kind of character that can be asked for.
struct CharacterClass {
    required: bool,
    has: fn(char) -> bool,
    code: &'static str,
    what: &'static str,
}

/// Whether the password stands in public breaches, as it is.
fn is_common(estimate: &Entropy) -> bool {
    let warning = estimate.feedback().and_then(Feedback::warning);
    matches!(
        warning,
        Some(Warning::ThisIsATop10Password | Warning::ThisIsATop100Password | Warning::ThisIsACommonPassword)
    )
}

/// What to do better. Production words these like zxcvbn's port to TypeScript, of which one sentence was seen.
fn suggestions(estimate: &Entropy) -> Vec<String> {
    let suggestions = estimate.feedback().map(Feedback::suggestions);
    let worded = |suggestion: &Suggestion| match suggestion {
        Suggestion::AddAnotherWordOrTwo => "Add more words that are less common.".to_owned(),
        other => other.to_string(),
    };
    suggestions.unwrap_or_default().iter().map(worded).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const EMAIL: &str = "marcelina.davis@example.com";

    fn codes(policy: &PasswordPolicy, password: &str) -> Vec<&'static str> {
        let problems = policy.check(password, EMAIL).into_iter();
        problems.map(|problem| problem.code).collect()
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
            "🐎🔋📎✅🌊🍋🎻🧊🪁🦉",
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
            reject_weak: false,
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
            "passwordpassword",
            "19921992199219921992",
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
            default_codes("qwertyuiop"),
            ["password_too_weak", "password_pwned"]
        );
        assert_eq!(
            default_codes("password"),
            ["password_too_short", "password_too_weak", "password_pwned"]
        );
        let trusting = PasswordPolicy {
            reject_weak: false,
            ..PasswordPolicy::default()
        };
        assert_eq!(codes(&trusting, "1234567890"), ["password_pwned"]);
        let careless = PasswordPolicy {
            reject_breached: false,
            ..trusting
        };
        assert_eq!(codes(&careless, "1234567890"), [""; 0]);
    }

    #[test]
    fn the_email_address_adds_nothing() {
        for password in [EMAIL, "Marcelina.Davis@Example.com", "marcelina.davis1!"] {
            assert_eq!(default_codes(password), ["password_too_weak"], "{password}");
        }
        assert_eq!(default_codes("marcelina.davis-kX9#vQ2"), [""; 0]);
        let policy = PasswordPolicy::default();
        for email in ["", "k@example.com"] {
            assert_eq!(policy.check("kX9#vQ2$mL", email), []);
        }
    }

    #[test]
    fn says_beforehand_what_is_asked_for() {
        let policy = PasswordPolicy::default();
        assert_eq!(policy.hint(), "At least 10 characters, hard to guess.");
        let other = PasswordPolicy {
            min_length: 1,
            reject_weak: false,
            require_uppercase: true,
            require_number: true,
            history: 3,
            ..policy
        };
        assert_eq!(
            other.hint(),
            "At least 1 character, an uppercase letter, a number, not used before."
        );
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
        let problems = PasswordPolicy::default().check("abc", EMAIL);
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
                    "suggestions": ["Add more words that are less common.", "Avoid sequences."],
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
}
