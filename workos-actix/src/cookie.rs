//! Cookies: found in a request, encrypted, and written with the right attributes.

use std::{borrow::Cow, sync::Arc};

use actix_web::{
    cookie::{Cookie, CookieJar, Key, SameSite, time},
    http::header::{COOKIE, HeaderMap},
};
use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use base64::{Engine, engine::general_purpose::STANDARD};
use memchr::memchr;

use crate::config::CookieConfig;

/// Every value the request sends under a cookie name, in order, percent-decoded when it is encoded.
///
/// There can be several (a sibling domain may have set one of the same name), and bytes in other cookies that are not
/// text must not hide ours.
pub(crate) fn values<'a>(headers: &'a HeaderMap, name: &'a str) -> impl Iterator<Item = Cow<'a, str>> + 'a {
    pairs(headers)
        .filter(move |(found, _)| *found == name)
        .map(|(_, value)| decoded(value))
}

/// A value as it was before it was percent-encoded, if it was.
pub(crate) fn decoded(value: &str) -> Cow<'_, str> {
    if memchr(b'%', value.as_bytes()).is_none() {
        return Cow::Borrowed(value);
    }
    Cookie::parse_encoded(format!("a={value}")).map_or(Cow::Borrowed(value), |cookie| {
        Cow::Owned(cookie.value().to_owned())
    })
}

/// Names and values as they were sent.
pub(crate) fn pairs(headers: &HeaderMap) -> impl Iterator<Item = (&str, &str)> {
    headers
        .get_all(COOKIE)
        .flat_map(|header| split(header.as_bytes()))
        .filter_map(|pair| std::str::from_utf8(pair).ok()?.trim().split_once('='))
}

/// A few kilobytes at every request: worth a search for many bytes at once.
fn split(header: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = Some(header);
    std::iter::from_fn(move || {
        let (pair, after) = match memchr(b';', rest?) {
            Some(end) => (&rest?[..end], rest?.get(end + 1..)),
            None => (rest?, None),
        };
        rest = after;
        Some(pair)
    })
}

/// Encrypts and authenticates cookie values (AES-256-GCM, with the cookie's name as associated data, so that the value
/// of one cookie is worthless in another): the same form that `actix-session` gives its private cookies.
///
/// Sealed seldom, by what `actix-session` uses; opened at every first sight, by the faster library.
pub(crate) struct CookieSealer {
    keys: CookieKeys,
    openers: Vec<LessSafeKey>,
}

/// The key that encrypts, and those of former passwords, which still open.
pub(crate) type CookieKeys = Arc<[Key]>;

impl std::fmt::Debug for CookieSealer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("CookieSealer(<redacted>)")
    }
}

impl CookieSealer {
    pub(crate) fn new(keys: CookieKeys) -> Self {
        let openers = keys
            .iter()
            .filter_map(|key| UnboundKey::new(&AES_256_GCM, key.encryption()).ok())
            .map(LessSafeKey::new)
            .collect();
        Self { keys, openers }
    }

    pub(crate) fn seal(&self, name: &str, value: &str) -> String {
        let Some(key) = self.keys.first() else {
            return String::new();
        };
        let mut jar = CookieJar::new();
        jar.private_mut(key)
            .add(Cookie::new(name.to_owned(), value.to_owned()));
        jar.get(name)
            .map(|cookie| cookie.value().to_owned())
            .unwrap_or_default()
    }

    pub(crate) fn unseal(&self, name: &str, value: &str) -> Option<String> {
        let sealed = STANDARD.decode(value).ok()?;
        let (nonce, sealed) = sealed.split_at_checked(NONCE_LEN)?;
        let (ciphertext, tag) = sealed.split_at_checked(sealed.len().checked_sub(AES_256_GCM.tag_len())?)?;
        let mut content = vec![0; ciphertext.len()];
        let is_opened = self.openers.iter().any(|key| {
            Nonce::try_assume_unique_for_key(nonce).is_ok_and(|nonce| {
                key.open_separate_gather(nonce, Aad::from(name), ciphertext, tag, &mut content)
                    .is_ok()
            })
        });
        is_opened.then(|| String::from_utf8(content).ok()).flatten()
    }
}

/// The attributes all our cookies have: `Path=/; HttpOnly`, and what the configuration says.
#[derive(Debug, Clone)]
pub(crate) struct CookieAttributes {
    secure: bool,
    same_site: SameSite,
    domain: Option<String>,
}

impl CookieAttributes {
    pub(crate) fn new(config: &CookieConfig) -> Self {
        Self {
            secure: config.secure,
            same_site: config.same_site,
            domain: config.domain.clone(),
        }
    }

    #[cfg(any(test, fuzzing))]
    pub(crate) fn for_tests(domain: &str) -> Self {
        Self {
            secure: true,
            same_site: SameSite::Strict,
            domain: Some(domain.to_owned()),
        }
    }

    /// For cookies that must come along when WorkOS redirects back: `Strict` would hold them back.
    pub(crate) fn for_redirect_back(mut self) -> Self {
        if self.same_site == SameSite::Strict {
            self.same_site = SameSite::Lax;
        }
        self
    }

    pub(crate) fn cookie(&self, name: &str, value: String, max_age: std::time::Duration) -> Cookie<'static> {
        let seconds = i64::try_from(max_age.as_secs()).unwrap_or(i64::MAX);
        let mut cookie = Cookie::build(name.to_owned(), value)
            .path("/")
            .http_only(true)
            .secure(self.secure)
            .same_site(self.same_site)
            .max_age(time::Duration::seconds(seconds))
            .finish();
        if let Some(domain) = &self.domain {
            cookie.set_domain(domain.clone());
        }
        cookie
    }

    pub(crate) fn removal(&self, name: &str) -> Cookie<'static> {
        let mut cookie = self.cookie(name, String::new(), std::time::Duration::ZERO);
        cookie.make_removal();
        cookie.set_max_age(time::Duration::ZERO);
        cookie.set_expires(time::OffsetDateTime::UNIX_EPOCH);
        cookie
    }
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::HeaderValue;

    use super::*;

    fn headers(values: &[&[u8]]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(COOKIE, HeaderValue::from_bytes(value).unwrap());
        }
        headers
    }

    #[test]
    fn finds_every_value_and_survives_odd_neighbours() {
        let headers = headers(&[b"\xff\xfe=1; a=1+2=; =; b", b"a=%41; ;a=%zz"]);
        assert_eq!(values(&headers, "a").collect::<Vec<_>>(), ["1+2=", "A", "%zz"]);
        assert_eq!(values(&headers, "b").count(), 0);
        assert_eq!(pairs(&headers).filter(|(name, _)| *name == "a").count(), 3);
    }

    fn sealer(passwords: &[u8]) -> CookieSealer {
        CookieSealer::new(
            passwords
                .iter()
                .map(|password| Key::derive_from(&[*password; 32]))
                .collect(),
        )
    }

    #[test]
    fn a_sealed_value_opens_only_under_its_name_and_key() {
        let sealer = sealer(&[1]);
        let sealed = sealer.seal("a", "secret");
        assert!(!sealed.contains("secret"));
        assert_eq!(sealer.unseal("a", &sealed).as_deref(), Some("secret"));
        assert_eq!(sealer.unseal("b", &sealed), None);
        for cut in 0..sealed.len() {
            assert_eq!(sealer.unseal("a", &sealed[..cut]), None);
        }
        assert_eq!(sealer.unseal("a", "é%\u{0}"), None);
    }

    #[test]
    fn former_keys_open_and_the_first_seals() {
        let (old, new) = (sealer(&[1]), sealer(&[2, 1]));
        let sealed = old.seal("a", "secret");
        assert_eq!(new.unseal("a", &sealed).as_deref(), Some("secret"));
        assert_eq!(sealer(&[2]).unseal("a", &sealed), None);
        let sealed = new.seal("a", "secret");
        assert_eq!(old.unseal("a", &sealed), None);
        assert_eq!(sealer(&[2]).unseal("a", &sealed).as_deref(), Some("secret"));
    }

    #[test]
    fn attributes_are_written_and_removal_matches_them() {
        let attributes = CookieAttributes::for_tests("example.com");
        let cookie = attributes
            .cookie("a", "b".into(), std::time::Duration::from_secs(60))
            .to_string();
        assert_eq!(
            cookie,
            "a=b; HttpOnly; SameSite=Strict; Secure; Path=/; Domain=example.com; Max-Age=60"
        );
        let removal = attributes.for_redirect_back().removal("a").to_string();
        assert_eq!(
            removal,
            "a=; HttpOnly; SameSite=Lax; Secure; Path=/; Domain=example.com; Max-Age=0; \
             Expires=Thu, 01 Jan 1970 00:00:00 GMT"
        );
    }
}
