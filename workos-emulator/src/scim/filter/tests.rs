use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::*;
use crate::scim::schema::{GROUP, USER};

const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

fn ada() -> Map<String, Value> {
    let resource = json!({
        "id": "User_1",
        "externalId": "Ext-1",
        "userName": "Ada@Example.com",
        "active": true,
        "title": "",
        "name": {"givenName": "Ada", "familyName": "Lovelace"},
        "emails": [
            {"value": "ada@work.example", "type": "work", "primary": true},
            {"value": "ada@home.example", "type": "home"},
        ],
        "nicknames": ["Countess", "Ada"],
        "badge": 7,
        ENTERPRISE: {"department": "Engines", "manager": {"value": "boss-1"}},
        "meta": {"created": "2026-01-15T12:00:00.000Z", "lastModified": "2026-02-01T00:00:00.000Z"},
    });
    resource.as_object().unwrap().clone()
}

fn matches(filter: &str) -> bool {
    let filter = Filter::parse(filter, &USER).unwrap_or_else(|error| panic!("{filter}: {error}"));
    filter.matches(&ada(), &USER)
}

#[test]
fn compares() {
    for filter in [
        r#"userName eq "ada@example.com""#,
        r#"USERNAME EQ "ADA@EXAMPLE.COM""#,
        r#"userName ne "bob""#,
        r#"userName co "@EXAMPLE""#,
        r#"userName sw "ada""#,
        r#"userName ew ".COM""#,
        r#"userName gt "aaa" and userName le "ada@example.com""#,
        r#"id eq "User_1""#,
        r#"not (id eq "user_1")"#,
        r#"externalId eq "Ext-1""#,
        "active eq true",
        "active eq True",
        r#"active eq "True""#,
        "active ne false",
        "badge gt 6.5 and badge lt 8 and badge ge 7 and badge le 7",
        "nickName eq null",
        "userName ne null",
        r#"nickName ne "Ada""#,
        r#"name.givenName eq "ada""#,
        r#"nicknames eq "countess""#,
        r#"emails co "@home""#,
        r#"emails.value eq "ADA@home.example""#,
        r#"emails.type eq "work""#,
    ] {
        assert!(matches(filter), "{filter}");
    }
    for filter in [
        r#"userName eq "bob""#,
        r#"id eq "user_1""#,
        r#"externalId eq "ext-1""#,
        "active eq false",
        r#"userName eq 1"#,
        r#"badge eq "7""#,
        r#"emails.value ne "ada@home.example""#,
        r#"nickName gt "a""#,
        "userName eq null",
    ] {
        assert!(!matches(filter), "{filter}");
    }
}

#[test]
fn presence_is_a_value_that_is_not_empty() {
    for (filter, expected) in [
        ("userName pr", true),
        ("title pr", false),
        ("nickName pr", false),
        ("emails pr", true),
        ("name.givenName PR", true),
        ("not (nickName pr)", true),
        ("emails[type pr]", true),
        ("emails[display pr]", false),
    ] {
        assert_eq!(matches(filter), expected, "{filter}");
    }
}

#[test]
fn dates_are_compared_as_times() {
    for (filter, expected) in [
        (r#"meta.lastModified gt "2026-01-31T23:59:59Z""#, true),
        (r#"meta.created eq "2026-01-15T13:00:00+01:00""#, true),
        (r#"meta.created ne "2026-01-15T12:00:00Z""#, false),
        (r#"meta.created lt "2026-01-15T12:00:00.001Z""#, true),
        (r#"meta.created sw "2026-01""#, true),
    ] {
        assert_eq!(matches(filter), expected, "{filter}");
    }
}

#[test]
fn conditions_about_a_value_are_met_by_one_value() {
    for (filter, expected) in [
        (r#"emails[type eq "work" and value co "@work"]"#, true),
        (r#"emails[type eq "work" and value co "@home"]"#, false),
        (r#"emails.type eq "work" and emails.value co "@home""#, true),
        (r#"emails[not (type eq "work")]"#, true),
        (
            r#"emails[type eq "other" or (primary eq true and type eq "work")]"#,
            true,
        ),
        (r#"emails[type eq "work"].value eq "ada@work.example""#, true),
        (r#"emails[type eq "home"].value eq "ada@work.example""#, false),
        (r#"nicknames[value eq "ada"]"#, true),
    ] {
        assert_eq!(matches(filter), expected, "{filter}");
    }
}

#[test]
fn uris_name_extensions() {
    for filter in [
        format!(r#"{ENTERPRISE}:department eq "engines""#),
        format!(r#"{ENTERPRISE}:manager.value eq "boss-1""#),
        format!(r#"not ({ENTERPRISE}:manager.value eq "BOSS-1")"#),
        format!(r#"{}:Department sw "Eng""#, ENTERPRISE.to_uppercase()),
        r#"urn:ietf:params:scim:schemas:core:2.0:User:userName sw "ada""#.to_owned(),
        r#"urn:ietf:params:scim:schemas:core:2.0:User:emails[type eq "work"]"#.to_owned(),
    ] {
        assert!(matches(&filter), "{filter}");
    }
}

#[test]
fn and_binds_more_than_or_and_parentheses_most() {
    for (filter, expected) in [
        (r#"active eq true or active eq false and userName eq "x""#, true),
        (
            r#"(active eq true or active eq false) and userName eq "x""#,
            false,
        ),
        (r#"not (active eq false) and userName pr"#, true),
        (r#"((((userName pr))))"#, true),
        (r#"  userName   pr   "#, true),
        (r#"not(active eq false)"#, true),
    ] {
        assert_eq!(matches(filter), expected, "{filter}");
    }
}

#[test]
fn text_is_json() {
    let mut resource = ada();
    resource.insert("displayName".into(), json!("a \"quoted\" \u{1F600} \\ name"));
    let filter = r#"displayName eq "a \"quoted\" \ud83d\ude00 \\ name""#;
    assert!(Filter::parse(filter, &USER).unwrap().matches(&resource, &USER));
}

#[test]
fn refuses_what_is_no_filter() {
    for filter in [
        "",
        "userName",
        "userName eq",
        "userName eq ada",
        r#"userName eq "ada"#,
        r#"userName like "ada""#,
        r#"userName eq "a" and"#,
        r#"and userName eq "a""#,
        r#"userName eq "a" userName eq "b""#,
        "(userName pr",
        "userName pr)",
        "not userName pr",
        "emails[type eq \"work\"",
        "emails[]",
        r#"emails[emails[type eq "work"]]"#,
        r#"emails[a.b eq "work"]"#,
        "eq eq",
        "active gt true",
        r#"active gt "x""#,
        "userName co 1",
        r#"x509Certificates.value gt "x""#,
        "userName gt null",
        "[",
        r#""userName" eq "x""#,
        "userName eq \u{0}",
    ] {
        let refused = Filter::parse(filter, &USER);
        let Err(error) = refused else {
            panic!("{filter}: {refused:?}");
        };
        assert_eq!(error.status, 400, "{filter}");
        assert_eq!(
            error.scim_type,
            Some(crate::scim::error::ScimType::InvalidFilter),
            "{filter}"
        );
    }
}

#[test]
fn size_and_depth_are_bounded() {
    let deep = |levels: usize| format!("{}userName pr{}", "(".repeat(levels), ")".repeat(levels));
    assert!(Filter::parse(&deep(50), &USER).is_ok());
    assert!(Filter::parse(&deep(51), &USER).is_err());
    let nots = |levels: usize| format!("{}userName pr{}", "not (".repeat(levels), ")".repeat(levels));
    assert!(Filter::parse(&nots(2_000), &USER).is_err());
    let wide = |terms: usize| vec!["title pr"; terms].join(" or ");
    assert!(Filter::parse(&wide(500), &USER).is_ok());
    assert!(Filter::parse(&wide(501), &USER).is_err());
    assert!(Filter::parse(&format!("userName eq \"{}\"", "a".repeat(16 * 1024)), &USER).is_err());
}

#[test]
fn look_ups_go_by_an_index() {
    for (filter, lookups, is_all) in [
        (r#"userName eq "a""#, vec![Lookup::UserName("a")], true),
        (
            r#"externalId eq "a" and active eq true"#,
            vec![Lookup::ExternalId("a")],
            false,
        ),
        (r#"emails.value eq "a""#, vec![Lookup::Email("a")], true),
        (r#"emails[value eq "a"]"#, vec![Lookup::Email("a")], true),
        (
            r#"emails[type eq "work"].value eq "a""#,
            vec![Lookup::Email("a")],
            false,
        ),
        (
            r#"id eq "g" and members[value eq "u"]"#,
            vec![Lookup::Id("g"), Lookup::Member("u")],
            true,
        ),
        (r#"displayName eq "a""#, vec![Lookup::DisplayName("a")], true),
        (r#"userName eq "a" or id eq "b""#, vec![], false),
        (r#"not (userName eq "a")"#, vec![], false),
        (r#"userName ne "a""#, vec![], false),
        ("userName eq null", vec![], false),
    ] {
        let parsed = Filter::parse(filter, &GROUP).unwrap();
        assert_eq!(parsed.lookups(), lookups, "{filter}");
        assert_eq!(parsed.is_lookup() && !lookups.is_empty(), is_all, "{filter}");
    }
}

/// Texts that look like filters.
fn filter_like() -> impl Strategy<Value = String> {
    let word = prop::sample::select(vec![
        "userName",
        "emails",
        "emails[",
        "]",
        "(",
        ")",
        "not",
        "and",
        "or",
        "eq",
        "ne",
        "pr",
        "co",
        "gt",
        "\"a\"",
        "\"",
        "1",
        "true",
        "null",
        "name.givenName",
        ".value",
        "urn:a:b",
        "é",
        "\u{202e}",
        "\\",
        "members[value",
    ]);
    prop::collection::vec(word, 0..24).prop_map(|words| words.join(" "))
}

proptest! {
    #[test]
    fn never_panics(text in any::<String>()) {
        let _ = Filter::parse(&text, &USER).map(|filter| filter.matches(&ada(), &USER));
    }

    #[test]
    fn never_panics_on_what_looks_like_a_filter(text in filter_like()) {
        if let Ok(filter) = Filter::parse(&text, &USER) {
            filter.matches(&ada(), &USER);
            filter.lookups();
        }
    }

    /// Any text can be asked for, and `not` is the opposite.
    #[test]
    fn finds_any_text(text in any::<String>()) {
        let mut resource = ada();
        resource.insert("displayName".to_owned(), text.clone().into());
        let quoted = Value::from(text).to_string();
        prop_assume!(quoted.len() < 10_000);
        let equal = Filter::parse(&format!("displayName eq {quoted}"), &USER).unwrap();
        prop_assert!(equal.matches(&resource, &USER));
        let not = Filter::parse(&format!("not (displayName eq {quoted})"), &USER).unwrap();
        prop_assert!(!not.matches(&resource, &USER));
        let not_equal = Filter::parse(&format!("displayName ne {quoted}"), &USER).unwrap();
        prop_assert!(!not_equal.matches(&resource, &USER));
    }
}
