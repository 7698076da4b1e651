//! User consent options: what a person chooses on the consent page, and a claim tells the application. Source:
//! <https://workos.com/docs/reference/workos-connect/standalone/user-consent-options>.

use serde::{Deserialize, Serialize};

use crate::server::error::ApiError;

/// Claims that say who is meant and how long, which nobody chooses.
const RESERVED: [&str; 11] = [
    "aud",
    "client_id",
    "exp",
    "iat",
    "iss",
    "jti",
    "nbf",
    "org_id",
    "scope",
    "sid",
    "sub",
];

/// How many options a page has, and choices an option.
const MOST: usize = 100;

/// One choice to be made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ConsentOption {
    /// The name of the claim.
    pub(crate) claim: String,
    r#type: OptionType,
    pub(crate) label: String,
    pub(crate) choices: Vec<Choices>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum OptionType {
    Enum,
}

/// A choice, or a group of them under a heading.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub(crate) enum Choices {
    Group { group: String, choices: Vec<Choice> },
    Choice(Choice),
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Choice {
    /// The value of the claim.
    pub(crate) value: String,
    pub(crate) label: String,
}

impl Choices {
    pub(crate) fn each(&self) -> &[Choice] {
        match self {
            Self::Group { choices, .. } => choices,
            Self::Choice(choice) => std::slice::from_ref(choice),
        }
    }
}

impl ConsentOption {
    /// Whether `value` is one of its choices.
    pub(crate) fn offers(&self, value: &str) -> bool {
        let mut choices = self.choices.iter().flat_map(Choices::each);
        choices.any(|choice| choice.value == value)
    }
}

/// Refuses options that say what is not theirs to say, and those that leave no choice.
pub(super) fn check(options: &[ConsentOption]) -> Result<(), ApiError> {
    let refused = |message: String| ApiError::message(400, message).with("error", "Bad Request");
    for (at, option) in options.iter().enumerate() {
        let claim = &option.claim;
        if RESERVED.contains(&claim.as_str()) {
            return Err(refused(format!(
                "Claim \"{claim}\" is reserved and cannot be used."
            )));
        }
        if options[..at].iter().any(|other| other.claim == *claim) {
            return Err(refused(format!("Claim \"{claim}\" is used twice.")));
        }
        let number = option.choices.iter().flat_map(Choices::each).count();
        if claim.is_empty() || number == 0 || number > MOST || at >= MOST {
            return Err(refused(format!(
                "A consent option has a claim, and from 1 to {MOST} choices: \"{claim}\"."
            )));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn options(value: serde_json::Value) -> Vec<ConsentOption> {
        serde_json::from_value(value).unwrap()
    }

    #[test]
    fn choices_are_flat_or_grouped() {
        let read = options(json!([
            {"claim": "urn:example:tenant", "type": "enum", "label": "Tenant", "choices": [
                {"value": "a", "label": "A"},
                {"group": "More", "choices": [{"value": "b", "label": "B"}]},
            ]},
        ]));
        assert!(read[0].offers("a") && read[0].offers("b") && !read[0].offers("More"));
        assert!(check(&read).is_ok());
        assert!(
            serde_json::from_value::<Vec<ConsentOption>>(
                json!([{"claim": "a", "type": "text", "label": "A", "choices": []}])
            )
            .is_err()
        );
    }

    #[test]
    fn a_claim_that_says_who_is_meant_is_nobodys_choice() {
        let one = |claim: &str| json!({"claim": claim, "type": "enum", "label": "A", "choices": [{"value": "a", "label": "A"}]});
        let message = |given| check(&options(given)).unwrap_err().description().to_owned();
        assert_eq!(
            message(json!([one("sub")])),
            "Claim \"sub\" is reserved and cannot be used."
        );
        assert_eq!(message(json!([one("a"), one("a")])), "Claim \"a\" is used twice.");
        assert!(
            check(&options(
                json!([{"claim": "a", "type": "enum", "label": "A", "choices": []}])
            ))
            .is_err()
        );
    }
}
