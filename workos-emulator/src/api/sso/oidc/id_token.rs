//! What an ID token has to say to be believed (OpenID Connect Core 1.0 section 3.1.3.7).

use jiff::Timestamp;
use serde_json::{Map, Value};

use super::super::traces::{StepName, Steps};
use crate::core::{
    jws::{Algorithm, SignatureError},
    secret::Secret,
};

/// How far the clocks of the two sides may be apart, in seconds.
const LEEWAY: i64 = 60;
/// The longest `sub`, in bytes (OpenID Connect Core 1.0 section 2).
const LONGEST_SUBJECT: usize = 255;

/// What is asked of a token.
#[derive(Debug)]
pub(super) struct Expected<'a> {
    pub(super) issuer: &'a str,
    pub(super) client_id: &'a str,
    pub(super) nonce: &'a Secret,
    pub(super) now: Timestamp,
}

/// The algorithms that count: the one that the connection is set up with, else those that the provider says it uses, else any.
pub(super) fn check_algorithm(
    algorithm: Algorithm,
    configured: Option<&str>,
    announced: &[Algorithm],
) -> Result<(), SignatureError> {
    let allowed = match configured {
        Some(name) => algorithm.name() == name,
        None => announced.is_empty() || announced.contains(&algorithm),
    };
    if allowed {
        Ok(())
    } else {
        Err(SignatureError::NotAllowed(algorithm.name().to_owned()))
    }
}

/// Checks the claims one after the other. The error says what is wrong.
pub(super) fn check(
    claims: &Map<String, Value>,
    expected: &Expected<'_>,
    steps: &mut Steps,
) -> Result<String, String> {
    steps.check(StepName::IdTokenIssuer, issuer(claims, expected))?;
    steps.check(StepName::IdTokenAudience, audience(claims, expected))?;
    steps.check(StepName::IdTokenTimes, times(claims, expected.now))?;
    steps.check(StepName::IdTokenNonce, nonce(claims, expected))?;
    subject(claims)
}

fn text<'a>(claims: &'a Map<String, Value>, name: &str) -> Option<&'a str> {
    claims.get(name)?.as_str()
}

fn issuer(claims: &Map<String, Value>, expected: &Expected<'_>) -> Result<String, String> {
    match text(claims, "iss") {
        Some(issuer) if issuer == expected.issuer => Ok(format!("iss is {issuer}.")),
        Some(issuer) => Err(format!("iss is {issuer}, and not {}.", expected.issuer)),
        None => Err("It has no iss.".to_owned()),
    }
}

fn audience(claims: &Map<String, Value>, expected: &Expected<'_>) -> Result<String, String> {
    let client_id = expected.client_id;
    let audiences: Vec<_> = match claims.get("aud") {
        Some(Value::String(audience)) => vec![audience.as_str()],
        Some(Value::Array(audiences)) => audiences.iter().filter_map(Value::as_str).collect(),
        _ => return Err("It has no aud.".to_owned()),
    };
    if !audiences.contains(&client_id) {
        return Err(format!(
            "aud is {}, and not the client id {client_id}.",
            audiences.join(", ")
        ));
    }
    match claims.get("azp") {
        Some(party) if party.as_str() == Some(client_id) => {}
        Some(party) => return Err(format!("azp is {party}, and not the client id {client_id}.")),
        None if audiences.len() > 1 => {
            return Err("aud has others than the client, and no azp says who asked for it.".to_owned());
        }
        None => {}
    }
    Ok(format!("It is for the client {client_id}."))
}

/// Whole seconds since 1970, which some write with a fraction.
fn seconds(claims: &Map<String, Value>, name: &str) -> Result<Option<i64>, String> {
    let Some(value) = claims.get(name) else {
        return Ok(None);
    };
    let whole = value.as_i64();
    #[expect(
        clippy::cast_possible_truncation,
        reason = "a fraction of a second is cut off"
    )]
    let seconds = whole.or_else(|| value.as_f64().map(|seconds| seconds as i64));
    seconds
        .map(Some)
        .ok_or_else(|| format!("{name} is {value}, and no time."))
}

fn times(claims: &Map<String, Value>, now: Timestamp) -> Result<String, String> {
    let now_second = now.as_second();
    let at = |second: i64| {
        Timestamp::from_second(second).map_or_else(|_| second.to_string(), |time| time.to_string())
    };
    let required = |name: &str| format!("It has no {name}.");
    let exp = seconds(claims, "exp")?.ok_or_else(|| required("exp"))?;
    let iat = seconds(claims, "iat")?.ok_or_else(|| required("iat"))?;
    let nbf = seconds(claims, "nbf")?;
    if now_second >= exp.saturating_add(LEEWAY) {
        return Err(format!("It ran out at {}; here it is {now}.", at(exp)));
    }
    let latest = now_second.saturating_add(LEEWAY);
    if iat > latest {
        return Err(format!("It was issued at {}; here it is {now}.", at(iat)));
    }
    if let Some(nbf) = nbf.filter(|nbf| *nbf > latest) {
        return Err(format!("It is not valid before {}; here it is {now}.", at(nbf)));
    }
    Ok(format!("It is valid until {}.", at(exp)))
}

fn nonce(claims: &Map<String, Value>, expected: &Expected<'_>) -> Result<String, String> {
    match text(claims, "nonce") {
        Some(nonce) if expected.nonce.matches(nonce) => Ok("It is the one of this sign-in.".to_owned()),
        Some(_) => Err("nonce is another sign-in's.".to_owned()),
        None => Err("It has no nonce.".to_owned()),
    }
}

fn subject(claims: &Map<String, Value>) -> Result<String, String> {
    match text(claims, "sub").map(str::trim) {
        Some(subject) if !subject.is_empty() && subject.len() <= LONGEST_SUBJECT => Ok(subject.to_owned()),
        _ => Err(format!(
            "It has no sub, or one of more than {LONGEST_SUBJECT} bytes."
        )),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const NOW: i64 = 1_768_478_400;

    fn good() -> Value {
        json!({
            "iss": "https://idp.acme.io", "aud": "workos", "sub": "ada", "nonce": "n",
            "iat": NOW, "exp": NOW + 300,
        })
    }

    /// What is said of a token in which this is different, and the last step.
    fn checked(change: &Value) -> (Result<String, String>, Option<(StepName, bool)>) {
        let mut claims = good().as_object().unwrap().clone();
        for (name, value) in change.as_object().unwrap() {
            match value {
                Value::Null => drop(claims.remove(name)),
                value => drop(claims.insert(name.clone(), value.clone())),
            }
        }
        let nonce = Secret::new("n");
        let expected = Expected {
            issuer: "https://idp.acme.io",
            client_id: "workos",
            nonce: &nonce,
            now: Timestamp::from_second(NOW).unwrap(),
        };
        let mut steps = Steps::default();
        let outcome = check(&claims, &expected, &mut steps);
        (outcome, steps.last())
    }

    #[test]
    fn a_token_for_this_sign_in_is_believed() {
        for change in [
            json!({}),
            json!({"aud": ["workos"]}),
            json!({"aud": ["workos", "api"], "azp": "workos"}),
            json!({"exp": NOW - LEEWAY + 1}),
            json!({"iat": NOW + LEEWAY, "nbf": NOW + LEEWAY}),
            json!({"exp": 1_768_478_400.5}),
        ] {
            let (outcome, last) = checked(&change);
            assert_eq!(outcome.as_deref(), Ok("ada"), "{change}");
            assert_eq!(last, Some((StepName::IdTokenNonce, true)));
        }
    }

    #[test]
    fn the_first_thing_that_is_wrong_is_told() {
        for (change, step) in [
            (json!({"iss": null}), StepName::IdTokenIssuer),
            (json!({"iss": "https://idp.acme.io/"}), StepName::IdTokenIssuer),
            (
                json!({"iss": "https://evil.io", "aud": "x"}),
                StepName::IdTokenIssuer,
            ),
            (json!({"aud": null}), StepName::IdTokenAudience),
            (json!({"aud": "other"}), StepName::IdTokenAudience),
            (json!({"aud": [], "azp": "workos"}), StepName::IdTokenAudience),
            (json!({"aud": ["workos", "other"]}), StepName::IdTokenAudience),
            (json!({"azp": "other"}), StepName::IdTokenAudience),
            (json!({"azp": 1}), StepName::IdTokenAudience),
            (json!({"exp": null}), StepName::IdTokenTimes),
            (json!({"exp": "soon"}), StepName::IdTokenTimes),
            (json!({"exp": NOW - LEEWAY}), StepName::IdTokenTimes),
            (json!({"exp": i64::MIN}), StepName::IdTokenTimes),
            (json!({"iat": null}), StepName::IdTokenTimes),
            (json!({"iat": NOW + LEEWAY + 1}), StepName::IdTokenTimes),
            (json!({"iat": i64::MAX}), StepName::IdTokenTimes),
            (json!({"nbf": NOW + LEEWAY + 1}), StepName::IdTokenTimes),
            (json!({"nonce": null}), StepName::IdTokenNonce),
            (json!({"nonce": "m"}), StepName::IdTokenNonce),
            (json!({"nonce": ["n"]}), StepName::IdTokenNonce),
        ] {
            let (outcome, last) = checked(&change);
            assert!(outcome.is_err(), "{change}");
            assert_eq!(last, Some((step, false)), "{change}");
        }
        for change in [
            json!({"sub": null}),
            json!({"sub": " "}),
            json!({"sub": "a".repeat(256)}),
            json!({"sub": 1}),
        ] {
            assert!(checked(&change).0.is_err(), "{change}");
        }
    }

    #[test]
    fn the_algorithm_is_the_connections_or_the_providers() {
        let not = |algorithm: Algorithm| Err(SignatureError::NotAllowed(algorithm.name().to_owned()));
        let (rs, es) = (Algorithm::Rs256, Algorithm::Es256);
        assert_eq!(check_algorithm(es, None, &[]), Ok(()));
        assert_eq!(check_algorithm(es, None, &[es]), Ok(()));
        assert_eq!(check_algorithm(es, None, &[rs]), not(es));
        assert_eq!(check_algorithm(es, Some("ES256"), &[rs]), Ok(()));
        assert_eq!(check_algorithm(es, Some("RS256"), &[es]), not(es));
    }
}
