//! One value in several cookies: `wos-session.0`, `wos-session.1`, … beside or instead of `wos-session`.
//!
//! The pieces are what their names say: put together, they are the value, which is encrypted and authenticated as a whole.
//! Mixed, missing or foreign pieces never make another value that opens. WorkOS's kits are to lay pieces out the same way
//! (`cookie-chunker.ts` in the repository of
//! [`authkit-nextjs`](https://github.com/workos/authkit-nextjs), in no release yet).

use std::{borrow::Cow, fmt};

use actix_web::{cookie::Cookie, http::header::HeaderMap};

use crate::cookie::{self, CookieAttributes};

/// Browsers drop a cookie silently when its name and value are longer than this together (RFC 6265bis §5.6). Older ones
/// counted the attributes too (RFC 6265 §6.1), which matters where there is a choice.
pub(crate) const MAX_COOKIE_BYTES: usize = 4096;
/// Almost 16 KiB: more than many servers and proxies accept as the header of a request.
pub(crate) const MAX_PIECES: usize = 4;
/// Two of a name mean that somebody else has set one; a few are tried.
const MAX_VALUES_OF_A_NAME: usize = 4;
/// How many ways to put pieces together are tried when there are several of a name.
const MAX_COMBINATIONS: usize = 16;
/// How many left-over pieces a response removes.
const MAX_REMOVALS: usize = 16;

/// What tells the browser of a session: its cookie or the pieces of it, and the removal of what they take the place of.
#[derive(Clone)]
pub(crate) struct SessionCookies {
    cookies: Vec<Cookie<'static>>,
    /// The value, where it alone is the session.
    credential: Option<Box<str>>,
}

impl fmt::Debug for SessionCookies {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list()
            .entries(self.cookies.iter().map(Cookie::name))
            .finish()
    }
}

impl SessionCookies {
    pub(super) fn new(cookies: Vec<Cookie<'static>>, credential: Option<Box<str>>) -> Self {
        Self { cookies, credential }
    }

    /// The session's credential, where the store does not have to be asked for it.
    pub(crate) fn credential(&self) -> Option<&str> {
        self.credential.as_deref()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Cookie<'static>> {
        self.cookies.iter()
    }

    /// Removes what else the browser has under the session's names, so that nothing old is put together with the new.
    pub(super) fn remove_others(&mut self, headers: &HeaderMap, name: &str, attributes: &CookieAttributes) {
        let sent = cookie::pairs(headers)
            .map(|(sent, _)| sent)
            .filter(|sent| *sent == name || index(sent, name).is_some());
        let mut removals: Vec<Cookie<'static>> = Vec::new();
        for sent in sent {
            let is_known = |cookies: &[Cookie<'_>]| cookies.iter().any(|cookie| cookie.name() == sent);
            if removals.len() < MAX_REMOVALS && !is_known(&self.cookies) && !is_known(&removals) {
                removals.push(attributes.removal(sent));
            }
        }
        self.cookies.append(&mut removals);
    }
}

/// The cookies for a value: one, or as few pieces as it takes; `None` for more than [`MAX_PIECES`].
pub(super) fn split(
    name: &str,
    value: String,
    attributes: &CookieAttributes,
    max_age: std::time::Duration,
) -> Option<Vec<Cookie<'static>>> {
    let bytes = |name: &str| attributes.cookie(name, String::new(), max_age).to_string().len();
    if bytes(name) + value.len() <= MAX_COOKIE_BYTES {
        return Some(vec![attributes.cookie(name, value, max_age)]);
    }
    let piece_name = |number: usize| format!("{name}.{number}");
    let size = MAX_COOKIE_BYTES.saturating_sub(bytes(&piece_name(0))).max(1);
    if !value.is_ascii() || value.len() > size * MAX_PIECES {
        return None;
    }
    let mut rest = value.as_str();
    let mut cookies = Vec::new();
    while !rest.is_empty() {
        let (piece, after) = rest.split_at(size.min(rest.len()));
        cookies.push(attributes.cookie(&piece_name(cookies.len()), piece.to_owned(), max_age));
        rest = after;
    }
    Some(cookies)
}

/// The values that the request may mean, most likely first: whole ones in the order in which they were sent, then pieces put
/// together. At most [`MAX_VALUES_OF_A_NAME`] and [`MAX_COMBINATIONS`].
pub(super) fn values<'a>(headers: &'a HeaderMap, name: &str, with_pieces: bool) -> Vec<Cow<'a, str>> {
    let mut values = Vec::new();
    let mut pieces: [Vec<Cow<'a, str>>; MAX_PIECES] = Default::default();
    for (sent, value) in cookie::pairs(headers) {
        let slot = if sent == name {
            &mut values
        } else if with_pieces
            && let Some(index) = index(sent, name)
            && let Some(slot) = pieces.get_mut(index)
        {
            slot
        } else {
            continue;
        };
        if slot.len() < MAX_VALUES_OF_A_NAME && !value.is_empty() {
            slot.push(cookie::decoded(value));
        }
    }
    put_together(&pieces, &mut values);
    values
}

/// Every beginning of the row of pieces, the longest first: what is behind it may be left from a longer session.
fn put_together<'a>(pieces: &[Vec<Cow<'a, str>>], values: &mut Vec<Cow<'a, str>>) {
    let length = pieces.iter().take_while(|slot| !slot.is_empty()).count();
    let mut budget = MAX_COMBINATIONS;
    for length in (1..=length).rev() {
        let slots = &pieces[..length];
        let combinations: usize = slots.iter().map(Vec::len).product();
        for combination in 0..combinations.min(budget) {
            let mut rest = combination;
            let chosen = slots.iter().map(|slot| {
                let piece = &slot[rest % slot.len()];
                rest /= slot.len();
                piece.as_ref()
            });
            values.push(chosen.collect::<String>().into());
        }
        budget -= combinations.min(budget);
    }
}

/// Which piece a cookie is by its name: `wos-session.0` is the first.
fn index(sent: &str, name: &str) -> Option<usize> {
    let digits = sent.strip_prefix(name)?.strip_prefix('.')?;
    let is_plain = digits == "0" || !digits.starts_with('0');
    let is_number = (1..=3).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
    (is_plain && is_number).then(|| digits.parse().ok()).flatten()
}

#[cfg(test)]
#[path = "pieces_tests.rs"]
mod tests;
