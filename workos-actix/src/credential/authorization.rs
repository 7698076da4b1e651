//! `Authorization: Bearer …` (RFC 6750 section 2.1).

use actix_web::http::header::{AUTHORIZATION, HeaderMap, HeaderValue};

use crate::AuthError;

/// The longest credential that is looked at. Access tokens stay under 4 KiB.
const MAX_BYTES: usize = 16 * 1024;

/// The bearer credential of a request: `None` where there is none, an error where it is malformed. Other schemes, such as
/// the `Basic` of a proxy, are none of ours.
pub(crate) fn bearer(headers: &HeaderMap) -> Result<Option<&str>, AuthError> {
    let mut bearers = headers.get_all(AUTHORIZATION).filter_map(after_scheme);
    let Some(credential) = bearers.next() else {
        return Ok(None);
    };
    // Which one counts would be up to whoever reads the request: a proxy may have checked the other one.
    if headers.get_all(AUTHORIZATION).count() > 1 {
        return Err(AuthError::InvalidRequest {
            description: "there is more than one Authorization header",
        });
    }
    let refused = |description| Err(AuthError::InvalidToken { description });
    if credential.is_empty() {
        return refused("the token is missing");
    }
    if credential.len() > MAX_BYTES {
        return refused("the token is too long");
    }
    match std::str::from_utf8(credential) {
        Ok(token) if is_b64token(token) => Ok(Some(token)),
        _ => refused("the token is malformed"),
    }
}

/// What follows `Bearer`, in any case, and spaces.
fn after_scheme(value: &HeaderValue) -> Option<&[u8]> {
    let bytes = value.as_bytes().trim_ascii();
    let end = bytes.iter().position(|byte| *byte == b' ').unwrap_or(bytes.len());
    let (scheme, rest) = bytes.split_at(end);
    scheme
        .eq_ignore_ascii_case(b"bearer")
        .then(|| rest.trim_ascii_start())
}

/// `b64token` of RFC 6750: `1*( ALPHA / DIGIT / "-" / "." / "_" / "~" / "+" / "/" ) *"="`.
fn is_b64token(token: &str) -> bool {
    let text = token.trim_end_matches('=');
    !text.is_empty()
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-._~+/".contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(values: &[&[u8]]) -> Result<Option<String>, &'static str> {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(AUTHORIZATION, HeaderValue::from_bytes(value).unwrap());
        }
        match bearer(&headers) {
            Ok(token) => Ok(token.map(str::to_owned)),
            Err(AuthError::InvalidToken { description } | AuthError::InvalidRequest { description }) => {
                Err(description)
            }
            Err(other) => panic!("{other}"),
        }
    }

    #[test]
    fn one_credential_in_any_case_of_the_scheme() {
        for value in [
            &b"Bearer a.b-c_d~+/=="[..],
            b"bearer a.b-c_d~+/==",
            b"BEARER   a.b-c_d~+/==  ",
        ] {
            assert_eq!(read(&[value]), Ok(Some("a.b-c_d~+/==".to_owned())));
        }
    }

    #[test]
    fn other_schemes_are_left_alone() {
        for value in [
            &b"Basic YTpi"[..],
            b"",
            b"Bearerx y",
            b"DPoP a",
            b"\xff\xfe",
            b"Token token=\"a\"",
        ] {
            assert_eq!(read(&[value]), Ok(None));
        }
        assert_eq!(read(&[b"Basic YTpi", b"Digest x"]), Ok(None));
        assert_eq!(read(&[]), Ok(None));
    }

    #[test]
    fn what_is_malformed_is_refused() {
        for value in [
            &b"Bearer a b"[..],
            b"Bearer a,b",
            b"Bearer \xc3\xa9",
            b"Bearer \xff",
            b"Bearer a\tb",
            b"Bearer \"a\"",
            b"Bearer =",
            b"Bearer a=b",
        ] {
            assert_eq!(read(&[value]), Err("the token is malformed"), "{value:?}");
        }
        assert_eq!(read(&[b"Bearer"]), Err("the token is missing"));
        assert_eq!(read(&[b"Bearer  "]), Err("the token is missing"));
        let long = [&b"Bearer "[..], &[b'a'; MAX_BYTES + 1]].concat();
        assert_eq!(read(&[&long]), Err("the token is too long"));
        for second in [&b"Bearer b"[..], b"Bearer a", b"Basic YTpi", b""] {
            let refused = Err("there is more than one Authorization header");
            assert_eq!(read(&[b"Bearer a", second]), refused);
            assert_eq!(read(&[second, b"Bearer a"]), refused);
        }
    }
}
