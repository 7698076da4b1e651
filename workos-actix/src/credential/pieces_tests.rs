use std::time::Duration;

use actix_web::http::header::{COOKIE, HeaderValue};

use super::*;

const NAME: &str = "wos-session";
const MAX_AGE: Duration = Duration::from_secs(34_560_000);

fn attributes() -> CookieAttributes {
    CookieAttributes::for_tests("example.com")
}

fn headers(cookies: &[(&str, &str)]) -> HeaderMap {
    let cookies: Vec<_> = cookies
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    let mut headers = HeaderMap::new();
    headers.append(COOKIE, HeaderValue::from_str(&cookies.join("; ")).unwrap());
    headers
}

fn found(cookies: &[(&str, &str)]) -> Vec<String> {
    let headers = headers(cookies);
    let values = values(&headers, NAME, true);
    values.into_iter().map(Cow::into_owned).collect()
}

fn pieces(length: usize) -> Option<Vec<Cookie<'static>>> {
    // No two stretches of it are equal.
    let value: String = (0..)
        .flat_map(|number: usize| format!("{number},").into_bytes())
        .take(length)
        .map(char::from)
        .collect();
    split(NAME, value, &attributes(), MAX_AGE)
}

#[test]
fn a_value_is_split_only_when_it_must_be_and_never_into_more_than_four() {
    let mut last = 1;
    for length in (0..=16_500).step_by(37) {
        let Some(cookies) = pieces(length) else {
            assert!(length > 15_000 && last >= MAX_PIECES, "{length}");
            last = usize::MAX;
            continue;
        };
        assert!(cookies.len() == last || cookies.len() == last + 1, "{length}");
        last = cookies.len();
        assert!(
            cookies
                .iter()
                .all(|cookie| cookie.to_string().len() <= MAX_COOKIE_BYTES)
        );
        let names: Vec<_> = cookies.iter().map(Cookie::name).collect();
        match names.as_slice() {
            [only] => assert_eq!(*only, NAME),
            several => {
                let expected: Vec<_> = (0..several.len())
                    .map(|number| format!("{NAME}.{number}"))
                    .collect();
                assert_eq!(several, expected);
            }
        }
        let sent: Vec<_> = cookies
            .iter()
            .map(|cookie| (cookie.name(), cookie.value()))
            .collect();
        let whole: String = sent.iter().map(|(_, value)| *value).collect();
        if length > 0 {
            assert_eq!(found(&sent)[0], whole, "in order");
            assert_eq!(
                found(&sent.into_iter().rev().collect::<Vec<_>>())[0],
                whole,
                "in any order"
            );
        }
    }
    assert_eq!(last, usize::MAX);
}

#[test]
fn whole_values_come_first_and_longer_rows_before_shorter_ones() {
    let sent = [
        ("wos-session.1", "b"),
        ("wos-session.0", "a"),
        ("wos-session", "whole"),
        ("wos-session.2", "c"),
    ];
    assert_eq!(found(&sent), ["whole", "abc", "ab", "a"]);
    let without = headers(&sent);
    assert_eq!(values(&without, NAME, false), ["whole"]);
}

#[test]
fn a_row_ends_where_a_piece_is_missing() {
    assert_eq!(found(&[("wos-session.0", "a"), ("wos-session.2", "c")]), ["a"]);
    assert_eq!(found(&[("wos-session.1", "b"), ("wos-session.2", "c")]), [""; 0]);
    assert_eq!(found(&[("wos-session.0", ""), ("wos-session.1", "b")]), [""; 0]);
}

#[test]
fn tossed_pieces_are_tried_in_all_combinations_but_not_without_end() {
    let sent = [
        ("wos-session.0", "evil,"),
        ("wos-session.0", "a"),
        ("wos-session.1", "b"),
        ("wos-session.1", "evil"),
    ];
    let values = found(&sent);
    assert!(values.contains(&"ab".to_owned()), "{values:?}");
    assert_eq!(values.len(), 6);

    let many: Vec<_> = (0..100)
        .flat_map(|_| {
            [
                "wos-session.0",
                "wos-session.1",
                "wos-session.2",
                "wos-session.3",
                NAME,
            ]
        })
        .map(|name| (name, "x"))
        .collect();
    assert_eq!(found(&many).len(), MAX_VALUES_OF_A_NAME + MAX_COMBINATIONS);
}

#[test]
fn ten_thousand_pieces_are_four() {
    let names: Vec<_> = (0..10_000).map(|number| format!("{NAME}.{number}")).collect();
    let sent: Vec<_> = names.iter().map(|name| (name.as_str(), "x")).collect();
    assert_eq!(found(&sent), ["xxxx", "xxx", "xx", "x"]);
    let mut cookies = SessionCookies::new(vec![attributes().removal(NAME)], None);
    cookies.remove_others(&headers(&sent), NAME, &attributes());
    assert_eq!(cookies.iter().count(), 1 + MAX_REMOVALS);
}

#[test]
fn names_that_are_not_ours_are_left_alone() {
    for name in [
        "wos-session.",
        "wos-session.00",
        "wos-session.01",
        "wos-session.-1",
        "wos-session.a",
        "wos-session.1.0",
        "wos-session.1000",
        "wos-session.4294967297",
        "wos-session0",
        "xwos-session.0",
        "wos-session.+1",
        "WOS-SESSION.0",
    ] {
        assert_eq!(found(&[(name, "x")]), [""; 0], "{name}");
        let mut cookies = SessionCookies::new(Vec::new(), None);
        cookies.remove_others(&headers(&[(name, "x")]), NAME, &attributes());
        assert_eq!(cookies.iter().count(), 0, "{name}");
    }
}

#[test]
fn what_is_not_replaced_is_removed_once() {
    let sent = headers(&[
        (NAME, "w"),
        ("wos-session.0", "a"),
        ("wos-session.1", "b"),
        ("wos-session.0", "c"),
        ("wos-session.7", "z"),
        ("other", "x"),
    ]);
    let cookie = |name: &str| attributes().cookie(name, "new".into(), MAX_AGE);
    let after = |new: Vec<Cookie<'static>>| {
        let mut cookies = SessionCookies::new(new, None);
        cookies.remove_others(&sent, NAME, &attributes());
        let set: Vec<_> = cookies
            .iter()
            .map(|cookie| format!("{}={}", cookie.name(), cookie.value()))
            .collect();
        set.join(" ")
    };
    assert_eq!(
        after(vec![cookie(NAME)]),
        "wos-session=new wos-session.0= wos-session.1= wos-session.7="
    );
    assert_eq!(
        after(vec![cookie("wos-session.0"), cookie("wos-session.1")]),
        "wos-session.0=new wos-session.1=new wos-session= wos-session.7="
    );
}
