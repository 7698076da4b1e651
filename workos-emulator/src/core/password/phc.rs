//! The PHC string format, `$id[$v=version]$name=value,…$salt$hash`, with salt and hash in unpadded base64
//! (<https://github.com/P-H-C/phc-string-format/blob/master/phc-sf-spec.md>).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;

use super::InvalidPasswordHash;

/// The parts of a PHC string.
pub(super) struct Phc<'a> {
    pub(super) id: &'a str,
    pub(super) version: Option<u32>,
    params: Vec<(&'a str, &'a str)>,
    pub(super) salt: Vec<u8>,
    pub(super) hash: Vec<u8>,
}

impl<'a> Phc<'a> {
    /// Parameters outside `known` are refused: who sends them expects them to count.
    pub(super) fn parse(text: &'a str, known: &[&str]) -> Result<Self, InvalidPasswordHash> {
        let mut fields = text.split('$');
        let mut field = || fields.next().ok_or_else(not_phc);
        if !field()?.is_empty() {
            return Err(not_phc());
        }
        let id = field()?;
        let mut params = field()?;
        let version = match params.strip_prefix("v=") {
            Some(version) if !version.contains(',') => {
                params = field()?;
                Some(number("v", version)?)
            }
            _ => None,
        };
        let phc = Self {
            id,
            version,
            params: parse_params(params, known)?,
            salt: b64(field()?)?,
            hash: b64(field()?)?,
        };
        if fields.next().is_some() {
            return Err(not_phc());
        }
        Ok(phc)
    }

    pub(super) fn param(&self, name: &str) -> Result<&'a str, InvalidPasswordHash> {
        self.params
            .iter()
            .find_map(|(known, value)| (*known == name).then_some(*value))
            .ok_or_else(|| InvalidPasswordHash::new(format!("the parameter `{name}` is missing")))
    }

    pub(super) fn number(&self, name: &str) -> Result<u32, InvalidPasswordHash> {
        number(name, self.param(name)?)
    }
}

fn parse_params<'a>(text: &'a str, known: &[&str]) -> Result<Vec<(&'a str, &'a str)>, InvalidPasswordHash> {
    let mut params: Vec<(&str, &str)> = Vec::new();
    for param in text.split(',') {
        let (name, value) = param.split_once('=').ok_or_else(not_phc)?;
        if !known.contains(&name) || params.iter().any(|(seen, _)| *seen == name) {
            return Err(InvalidPasswordHash::new(
                "an unknown or repeated parameter in the hash",
            ));
        }
        params.push((name, value));
    }
    Ok(params)
}

/// Decimal digits and nothing else, unlike `str::parse`, which takes a sign.
pub(super) fn number(name: &str, text: &str) -> Result<u32, InvalidPasswordHash> {
    text.parse()
        .ok()
        .filter(|_| text.bytes().all(|byte| byte.is_ascii_digit()))
        .ok_or_else(|| InvalidPasswordHash::new(format!("the parameter `{name}` is not a number")))
}

/// `value`, if it lies within `allowed`.
pub(super) fn within(
    name: &str,
    value: u32,
    allowed: std::ops::RangeInclusive<u32>,
) -> Result<u32, InvalidPasswordHash> {
    if allowed.contains(&value) {
        Ok(value)
    } else {
        let (min, max) = allowed.into_inner();
        Err(InvalidPasswordHash::new(format!(
            "the parameter `{name}` must be between {min} and {max}"
        )))
    }
}

/// Base64 without padding, as the PHC format has it.
pub(super) fn b64(text: &str) -> Result<Vec<u8>, InvalidPasswordHash> {
    STANDARD_NO_PAD
        .decode(text)
        .map_err(|_| InvalidPasswordHash::new("salt, hash or key is not base64 without padding"))
}

fn not_phc() -> InvalidPasswordHash {
    InvalidPasswordHash::new("not a PHC string: $id$v=version$name=value,...$salt$hash")
}
