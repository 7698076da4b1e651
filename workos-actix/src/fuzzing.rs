//! What the fuzz targets of `fuzz/` call, each with whatever a stranger may send. They panic where something does not hold
//! that must. Compiled by `cargo fuzz` alone.

use url::Url;

pub use crate::{
    credential::fuzzing::{cookie, session},
    token::fuzzing::token,
    webhook::fuzzing::webhook,
};
use crate::{
    path_pattern::{self, PathPattern},
    return_path::{ReturnPath, percent_decode},
};

/// The text before the first line feed, and what is after it.
pub(crate) fn two_parts(data: &[u8]) -> Option<(&str, &[u8])> {
    let end = data.iter().position(|byte| *byte == b'\n')?;
    let first = std::str::from_utf8(&data[..end]).ok()?;
    Some((first, &data[end + 1..]))
}

/// `return_to`, as it is after the query was decoded.
pub fn return_path(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    let Some(path) = ReturnPath::parse(text) else {
        return;
    };
    let site = Url::parse("https://app.example/auth/callback").unwrap();
    let written = path.to_string();
    assert!(written.bytes().all(|byte| byte.is_ascii_graphic()), "{written:?}");
    assert_eq!(
        ReturnPath::parse(&written).as_ref(),
        Some(&path),
        "not the same twice"
    );
    // As the browser takes it, and as one takes it that a proxy has done a favour.
    let mut seen = written;
    loop {
        if let Ok(target) = site.join(&seen) {
            assert_eq!(target.origin(), site.origin(), "{seen:?}");
            assert!(!target.path().starts_with("//"), "{seen:?}");
        }
        let (path, rest) = seen.split_at(seen.find(['?', '#']).unwrap_or(seen.len()));
        let next = percent_decode(path) + rest;
        if next == seen {
            break;
        }
        seen = next;
    }
}

/// A pattern, a line feed, and the path of a request.
pub fn path_pattern(data: &[u8]) {
    let Some((pattern, path)) = two_parts(data) else {
        return;
    };
    let (Ok(pattern), Ok(path)) = (PathPattern::parse(pattern), std::str::from_utf8(path)) else {
        return;
    };
    let patterns = [pattern];
    if !path_pattern::matches_any(&patterns, path) {
        return;
    }
    let mut decoded = path.to_owned();
    for _ in 0..3 {
        decoded = percent_decode(&decoded);
        assert!(!decoded.contains('\\') && !decoded.bytes().any(|byte| byte.is_ascii_control()));
        assert!(
            !decoded.split('/').any(|segment| matches!(segment, "." | "..")),
            "{path:?}"
        );
    }
    // Whoever normalises the path sees an open one too.
    let mut collapsed = decoded;
    while collapsed.contains("//") {
        collapsed = collapsed.replace("//", "/");
    }
    let trimmed = collapsed.trim_end_matches('/');
    for reading in [collapsed.as_str(), trimmed] {
        // To decode it once more is harmless: there is nothing left that is encoded.
        assert!(
            reading.is_empty() || path_pattern::matches_any(&patterns, reading),
            "{path:?} as {reading:?}"
        );
    }
}
