//! See `crate::fuzzing`.

use std::{sync::Arc, time::Duration};

use actix_web::{
    cookie::Key,
    http::header::{COOKIE, HeaderMap, HeaderValue},
};
use workos::SecretString;

use super::{
    iron::IronSealer,
    kit_session,
    pieces::{self, MAX_PIECES},
    session::Session,
    store::StoredState,
};
use crate::{
    cookie::{self, CookieAttributes, CookieSealer},
    random::SystemRandomness,
};

const NAME: &str = "wos-session";
const NOW: i64 = 1_800_000_000;

fn headers(cookie: &[u8]) -> Option<HeaderMap> {
    let mut headers = HeaderMap::new();
    headers.insert(COOKIE, HeaderValue::from_bytes(cookie).ok()?);
    Some(headers)
}

/// A `Cookie` header.
pub fn cookie(data: &[u8]) {
    let Some(received) = headers(data) else { return };
    let password = "0123456789abcdef0123456789abcdef";
    let iron = IronSealer::new([SecretString::new(password)].into(), Arc::new(SystemRandomness));
    let sealer = CookieSealer::new([Key::derive_from(password.as_bytes())].into());
    for with_pieces in [false, true] {
        for value in pieces::values(&received, NAME, with_pieces) {
            assert_eq!(iron.unseal(&value, NOW), None, "nobody can have sealed it");
            assert_eq!(sealer.unseal(NAME, &value), None, "nobody can have sealed it");
        }
    }
    assert!(cookie::pairs(&received).all(|(name, _)| !name.contains(['=', ';'])));

    // What is sealed is opened again, and in pieces too; what is changed is not.
    let Ok(content) = std::str::from_utf8(data) else {
        return;
    };
    let (Some(sealed), plain) = (iron.seal(content), sealer.seal(NAME, content)) else {
        return;
    };
    assert_eq!(sealer.unseal(NAME, &plain).as_deref(), Some(content));
    if content.len() < 16 * 1024 {
        assert_eq!(iron.unseal(&sealed, NOW).as_deref(), Some(content));
    }
    for value in [sealed, plain] {
        let Some(cut) = data.len().checked_rem(value.len()) else {
            continue;
        };
        let mut changed = value.clone().into_bytes();
        changed[cut] ^= 1;
        if let Ok(changed) = String::from_utf8(changed) {
            assert_eq!(iron.unseal(&changed, NOW), None);
            assert_eq!(sealer.unseal(NAME, &changed), None);
        }
        let attributes = CookieAttributes::for_tests("example.com");
        let Some(cookies) = pieces::split(NAME, value.clone(), &attributes, Duration::from_secs(60)) else {
            continue;
        };
        assert!(cookies.len() <= MAX_PIECES);
        let pairs: Vec<_> = cookies
            .iter()
            .map(|cookie| cookie.stripped().to_string())
            .collect();
        let sent = headers(pairs.join("; ").as_bytes()).unwrap();
        let together = pieces::values(&sent, NAME, true);
        assert_eq!(together.first().map(AsRef::as_ref), Some(value.as_str()));
    }
}

/// The JSON inside of a session cookie: of the kits, or of a session store.
pub fn session(data: &[u8]) {
    let Ok(json) = std::str::from_utf8(data) else {
        return;
    };
    if let Some(session) = kit_session::from_json(json) {
        let written = kit_session::to_json(&session).unwrap();
        let again = kit_session::from_json(&written).unwrap();
        assert_same(&session, &again);
        assert_eq!(session.unknown_user_members, again.unknown_user_members);
        assert_eq!(kit_session::to_json(&again).unwrap().len(), written.len());
    }
    if let Ok(state) = serde_json::from_str::<StoredState>(json)
        && let Some(session) = Session::from_state(&state)
    {
        let again = Session::from_state(&session.to_state().unwrap()).unwrap();
        assert_same(&session, &again);
    }
}

fn assert_same(left: &Session, right: &Session) {
    assert_eq!(left.access_token.expose(), right.access_token.expose());
    assert_eq!(left.refresh_token.expose(), right.refresh_token.expose());
    assert_eq!(left.user.id, right.user.id);
    assert_eq!(left.user.email, right.user.email);
    assert_eq!(left.impersonator, right.impersonator);
    assert_eq!(left.credential(), right.credential());
}
