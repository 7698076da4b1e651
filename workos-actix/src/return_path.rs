//! Paths that cannot leave the site.

use std::fmt;

use url::Url;

/// Longer ones are dropped: they would only fill the cookie that carries them.
const MAX_LENGTH: usize = 1024;

/// A path (with query and fragment) of this site, safe to send in a `Location` header.
///
/// A browser resolves more than `https://` to another host: `//host`, `/\host`, tabs and newlines between the slashes,
/// and dot segments that leave `//host` behind. Whatever could be one of these, plain or percent-encoded, is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ReturnPath(String);

impl ReturnPath {
    pub(crate) fn parse(text: &str) -> Option<Self> {
        if text.len() > MAX_LENGTH || !text.starts_with('/') {
            return None;
        }
        let path = text.split(['?', '#']).next().unwrap_or_default();
        // Encoded once or encoded again: a proxy on the way may decode what the browser does not.
        let mut decoded = path.to_owned();
        loop {
            if leaves_the_site(&decoded) {
                return None;
            }
            let next = percent_decode(&decoded);
            if next == decoded {
                break;
            }
            decoded = next;
        }
        if text.contains(|c: char| c.is_ascii_control()) {
            return None;
        }
        // What the browser will make of it: dot segments resolved, everything else percent-encoded.
        let site = Url::parse("https://site.invalid/").ok()?;
        let resolved = site.join(text).ok()?;
        if resolved.origin() != site.origin() || resolved.path().starts_with("//") {
            return None;
        }
        let mut safe = resolved.path().to_owned();
        if let Some(query) = resolved.query() {
            safe.push('?');
            safe.push_str(query);
        }
        if let Some(fragment) = resolved.fragment() {
            safe.push('#');
            safe.push_str(fragment);
        }
        // It is read again when it comes back.
        (safe.len() <= MAX_LENGTH).then_some(Self(safe))
    }

    /// The path without query and fragment.
    pub(crate) fn path(&self) -> &str {
        self.0.split(['?', '#']).next().unwrap_or_default()
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ReturnPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn leaves_the_site(path: &str) -> bool {
    path.contains("//") || path.contains('\\') || path.contains(|c: char| c.is_ascii_control())
}

/// Decodes `%XX`; what is not UTF-8 afterwards becomes U+FFFD, which is harmless here.
pub(crate) fn percent_decode(text: &str) -> String {
    if !text.contains('%') {
        return text.to_owned();
    }
    let bytes = text.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let encoded = (byte == b'%')
            .then(|| hex_pair(bytes.get(at + 1..at + 3)?))
            .flatten();
        match encoded {
            Some(value) => {
                decoded.push(value);
                at += 3;
            }
            None => {
                decoded.push(byte);
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&decoded).into_owned()
}

fn hex_pair(pair: &[u8]) -> Option<u8> {
    let digit = |byte: &u8| char::from(*byte).to_digit(16);
    let [high, low] = pair else { return None };
    u8::try_from(digit(high)? * 16 + digit(low)?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_of_this_site_stay_as_they_are() {
        for path in [
            "/",
            "/a/b",
            "/a?b=c&d=e",
            "/a#b",
            "/a?next=https://x.example//",
            "/caf%C3%A9",
            "/a%20b",
        ] {
            assert_eq!(ReturnPath::parse(path).unwrap().as_str(), path);
        }
    }

    #[test]
    fn unusual_characters_are_encoded() {
        assert_eq!(ReturnPath::parse("/café x").unwrap().as_str(), "/caf%C3%A9%20x");
        assert_eq!(ReturnPath::parse("/a/../b").unwrap().as_str(), "/b");
    }

    #[test]
    fn nothing_leaves_the_site() {
        for attack in [
            "",
            "a",
            "https://evil.example",
            "javascript:alert(1)",
            "//evil.example",
            "///evil.example",
            "/\\evil.example",
            "\\\\evil.example",
            "/\t/evil.example",
            "/\n/evil.example",
            "/\r\nLocation: https://evil.example",
            "\t//evil.example",
            " //evil.example",
            "/%2f/evil.example",
            "/%2Fevil.example",
            "%2f%2fevil.example",
            "/%5cevil.example",
            "/%255cevil.example",
            "/%25252fevil.example",
            "/%09/evil.example",
            "/.//evil.example",
            "/..//evil.example",
            "/a/..//evil.example",
            "/%2e%2e//evil.example",
            "/%2e//evil.example",
            "/a/%2e%2e%2f%2fevil.example",
            "/a?x\r\nSet-Cookie: a=b",
            "/\u{0}",
        ] {
            assert_eq!(ReturnPath::parse(attack), None, "{attack:?}");
        }
        assert_eq!(ReturnPath::parse(&format!("/{}", "a".repeat(MAX_LENGTH))), None);
        assert_eq!(
            ReturnPath::parse(&format!("/{}", "<".repeat(MAX_LENGTH / 2))),
            None
        );
    }

    #[test]
    fn odd_percent_signs_are_no_problem() {
        assert_eq!(percent_decode("%"), "%");
        assert_eq!(percent_decode("%4"), "%4");
        assert_eq!(percent_decode("%zz%41"), "%zzA");
        assert_eq!(percent_decode("%ff"), "\u{fffd}");
        assert_eq!(percent_decode("%é"), "%é");
    }
}
