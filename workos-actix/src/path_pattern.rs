//! Patterns of the paths that need no signed-in user.

use crate::return_path::percent_decode;

/// A path pattern in the notations of WorkOS's kits and of Actix.
///
/// | written | matches |
/// |---|---|
/// | `/pricing` | exactly this path, with or without a trailing slash |
/// | `/docs/{page}`, `/docs/:page` | one segment |
/// | `/blog/(.*)`, `/files/{tail}*`, `/files/{tail:.*}`, `/files/*`, `/docs/:path+` | everything below, not `/blog` or `/blog/` |
/// | `/docs/:path*` | `/docs` and everything below |
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PathPattern {
    segments: Vec<Segment>,
    rest: Rest,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Segment {
    Literal(String),
    Any,
}

/// What may follow the segments.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Rest {
    /// Nothing but a trailing slash.
    Nothing,
    /// A slash and anything.
    Below,
    /// Nothing, or a slash and anything.
    Optional,
}

impl PathPattern {
    pub(crate) fn parse(pattern: &str) -> Result<Self, String> {
        let wrong = |why: &str| {
            format!(
                "has `{pattern}`: {why}; write `/pricing`, `/docs/{{page}}`, `/blog/(.*)` or `/docs/:path*`."
            )
        };
        let Some(path) = pattern.strip_prefix('/') else {
            return Err(wrong("it does not start with `/`"));
        };
        let mut segments = Vec::new();
        let mut rest = Rest::Nothing;
        for part in path.strip_suffix('/').unwrap_or(path).split('/') {
            if rest != Rest::Nothing {
                return Err(wrong("nothing can follow the part that matches everything"));
            }
            match part {
                "" if path.is_empty() => {}
                "" | "." | ".." => return Err(wrong("it has an empty or dotted segment")),
                "(.*)" | "*" | "**" => rest = Rest::Below,
                _ => match Variable::parse(part) {
                    Some(Variable::One) => segments.push(Segment::Any),
                    Some(Variable::Below) => rest = Rest::Below,
                    Some(Variable::Optional) => rest = Rest::Optional,
                    None if part
                        .contains(['(', ')', '{', '}', ':', '*', '+', '?', '[', ']', '|', '\\', '%']) =>
                    {
                        return Err(wrong(&format!("the segment `{part}` is not understood")));
                    }
                    None => segments.push(Segment::Literal(part.to_owned())),
                },
            }
        }
        Ok(Self { segments, rest })
    }

    fn matches_decoded(&self, path: &str) -> bool {
        let Some(path) = path.strip_prefix('/') else {
            return false;
        };
        let mut parts = if path.is_empty() {
            Vec::new()
        } else {
            path.split('/').collect::<Vec<_>>()
        };
        if self.rest == Rest::Nothing && parts.len() == self.segments.len() + 1 && parts.last() == Some(&"") {
            parts.pop();
        }
        if parts.len() < self.segments.len() {
            return false;
        }
        let (head, tail) = parts.split_at(self.segments.len());
        let head_matches = head
            .iter()
            .zip(&self.segments)
            .all(|(part, segment)| match segment {
                Segment::Literal(literal) => part == literal,
                Segment::Any => !part.is_empty(),
            });
        head_matches
            && match self.rest {
                Rest::Nothing => tail.is_empty(),
                // The root has nothing below it that is not the rest.
                Rest::Below => !tail.is_empty() || self.segments.is_empty(),
                Rest::Optional => true,
            }
    }
}

/// A `:name` or `{name}` segment.
enum Variable {
    One,
    Below,
    Optional,
}

impl Variable {
    fn parse(part: &str) -> Option<Self> {
        let is_name = |name: &str| {
            !name.is_empty()
                && name
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        };
        if let Some(name) = part.strip_prefix(':') {
            let (name, variable) = match name.as_bytes().last()? {
                b'*' => (name.strip_suffix('*')?, Self::Optional),
                b'+' => (name.strip_suffix('+')?, Self::Below),
                _ => (name, Self::One),
            };
            return is_name(name).then_some(variable);
        }
        let inner = part.strip_prefix('{')?;
        let (inner, variable) = match inner.strip_suffix("}*").or_else(|| inner.strip_suffix(":.*}")) {
            Some(name) => (name, Self::Below),
            None => (inner.strip_suffix('}')?, Self::One),
        };
        is_name(inner).then_some(variable)
    }
}

/// Whether a request path, as it came over the wire, matches one of the patterns under every reading of it.
///
/// The question decides whether a page is open to everyone, so a path that two programs could read differently (dot
/// segments, encoded slashes, backslashes, double encoding) matches nothing, and one with repeated slashes or one at the
/// end matches only if it does with and without them, as Actix's `NormalizePath` makes it. Case matters, as it does in
/// Actix's routing.
pub(crate) fn matches_any(patterns: &[PathPattern], raw_path: &str) -> bool {
    let decoded = percent_decode(raw_path);
    if is_ambiguous(raw_path, &decoded) {
        return false;
    }
    let collapsed = collapse_slashes(&decoded);
    let trimmed = match collapsed.strip_suffix('/') {
        None | Some("") => collapsed.as_str(),
        Some(trimmed) => trimmed,
    };
    let readings = [decoded.as_str(), collapsed.as_str(), trimmed];
    patterns
        .iter()
        .any(|pattern| readings.iter().all(|path| pattern.matches_decoded(path)))
}

fn is_ambiguous(raw: &str, decoded: &str) -> bool {
    let slashes = |text: &str| text.bytes().filter(|byte| *byte == b'/').count();
    slashes(raw) != slashes(decoded)
        || decoded.contains(['\\', '%', '\u{fffd}', ';'])
        || decoded.contains(|c: char| c.is_ascii_control())
        || decoded
            .split('/')
            .any(|segment| segment == "." || segment == "..")
}

fn collapse_slashes(path: &str) -> String {
    let mut collapsed = String::with_capacity(path.len());
    for character in path.chars() {
        if character != '/' || !collapsed.ends_with('/') {
            collapsed.push(character);
        }
    }
    collapsed
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(pattern: &str, path: &str) -> bool {
        matches_any(&[PathPattern::parse(pattern).unwrap()], path)
    }

    #[test]
    fn exact_paths() {
        assert!(matches("/", "/"));
        assert!(matches("/pricing", "/pricing"));
        assert!(matches("/pricing", "/pricing/"));
        assert!(matches("/pricing/", "/pricing"));
        assert!(matches("/pricing", "/%70ricing"));
        assert!(!matches("/", "/a"));
        assert!(!matches("/pricing", "/pricing/a"));
        assert!(!matches("/pricing", "/pricing.html"));
        assert!(!matches("/pricing", "/Pricing"));
    }

    #[test]
    fn one_segment() {
        for pattern in ["/docs/{page}", "/docs/:page"] {
            assert!(matches(pattern, "/docs/a"));
            assert!(matches(pattern, "/docs/a/"));
            assert!(!matches(pattern, "/docs"));
            assert!(!matches(pattern, "/docs/"));
            assert!(!matches(pattern, "/docs/a/b"));
        }
        assert!(matches("/{org}/about", "/acme/about"));
    }

    #[test]
    fn everything_below() {
        for pattern in [
            "/blog/(.*)",
            "/blog/{tail}*",
            "/blog/{tail:.*}",
            "/blog/*",
            "/blog/:path+",
        ] {
            assert!(matches(pattern, "/blog/a"), "{pattern}");
            assert!(matches(pattern, "/blog/a/b"), "{pattern}");
            assert!(matches(pattern, "/blog/a/"), "{pattern}");
            assert!(!matches(pattern, "/blog"), "{pattern}");
            assert!(!matches(pattern, "/blog/"), "{pattern}: `/blog` to who trims it");
            assert!(!matches(pattern, "/blogger"), "{pattern}");
            assert!(!matches(pattern, "/other"), "{pattern}");
        }
        assert!(matches("/docs/:path*", "/docs"));
        assert!(matches("/docs/:path*", "/docs/a/b"));
        assert!(!matches("/docs/:path*", "/docsa"));
        assert!(matches("/(.*)", "/"));
        assert!(matches("/(.*)", "/a/b"));
    }

    #[test]
    fn path_tricks_open_nothing() {
        for path in [
            "//pricing",
            "/x/../pricing",
            "/./pricing",
            "/%2e/pricing",
            "/pricing/%2e%2e/admin",
            "/%2fpricing",
            "/pricing%2f",
            "/pricing%00",
            "/pricing;a=b",
            "/pricing%3ba",
            "/%2570ricing",
            "\\pricing",
            "/pricing\\..\\admin",
            "/PRICING",
            "pricing",
            "",
            "/pricing//",
        ] {
            assert!(!matches("/pricing", path), "{path:?}");
        }
        for path in [
            "/blog/../admin",
            "/blog/%2e%2e/admin",
            "/blog/%2E%2e%2Fadmin",
            "/blog/..%2fadmin",
            "/blog/%252e%252e/admin",
            "/blog/..\\admin",
            "//blog/x",
            "/blog/.",
        ] {
            assert!(!matches("/blog/(.*)", path), "{path:?}");
        }
        assert!(!matches("/docs/{page}", "/docs/..%2fadmin"));
    }

    #[test]
    fn patterns_that_are_not_understood_are_refused() {
        for pattern in [
            "",
            "pricing",
            "/a/(\\d+)",
            "/a/{id:\\d+}",
            "/a/(.*)/b",
            "/a//b",
            "/../a",
            "/a/{",
            "/a/:",
            "/a*",
            "/a/:x?",
        ] {
            assert!(PathPattern::parse(pattern).is_err(), "{pattern:?}");
        }
    }
}
