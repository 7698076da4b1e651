//! The examples of the documentation, every refusal, and what holds for any text.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

fn context() -> Value {
    json!({
        "user": {
            "object": "user", "id": "user_1", "email": "ada@acme.example", "email_verified": true,
            "first_name": "Ada", "last_name": null, "metadata": {"language": "es", "padded": "  x  "},
            "identities": {"GoogleOAuth": null},
        },
        "organization": {
            "id": "org_1", "name": "Acme", "metadata": {},
            "domains": [{"domain": "acme.example", "state": "verified"}, {"domain": "acme.test"}],
        },
        "organization_membership": {
            "id": "om_1", "role": "admin", "roles": ["admin", "member"],
            "custom_attributes": {"department": "R&D", "level": 7, "manager": {"name": "Bob"}},
        },
    })
}

fn rendered(template: &str) -> Value {
    let template = Template::parse(template).unwrap_or_else(|error| panic!("{template}: {error}"));
    Value::Object(template.render(&context()).unwrap())
}

#[test]
fn renders_as_documented() {
    for (template, claims) in [
        (r#"{"a": {{ user.first_name }}}"#, json!({"a": "Ada"})),
        (r#"{"a":{{user.email_verified}}}"#, json!({"a": true})),
        (
            r#"{"a": {{ user.metadata.nickname || user.email }}}"#,
            json!({"a": "ada@acme.example"}),
        ),
        (
            r#"{"a": {{ user.metadata.nickname || 'Guest' }}}"#,
            json!({"a": "Guest"}),
        ),
        (
            r#"{"a": {{ user.metadata.nickname || "Guest" }}}"#,
            json!({"a": "Guest"}),
        ),
        (
            r#"{"a": {{ user.last_name || user.metadata.x || user.id }}}"#,
            json!({"a": "user_1"}),
        ),
        (
            r#"{"a": "{{ user.first_name || 'Someone' }} {{ user.last_name || 'Unknown' }}"}"#,
            json!({"a": "Ada Unknown"}),
        ),
        (
            r#"{"a": {{ user.metadata }}}"#,
            json!({"a": {"language": "es", "padded": "  x  "}}),
        ),
        (
            r#"{"a": {{ organization_membership.roles }}}"#,
            json!({"a": ["admin", "member"]}),
        ),
        (
            r#"{"a": "{{ organization.domains.1.domain }}"}"#,
            json!({"a": "acme.test"}),
        ),
        (
            r#"{"a": {{ organization.domains.0 }}}"#,
            json!({"a": {"domain": "acme.example", "state": "verified"}}),
        ),
        (
            r#"{"role": "{{ organization_membership.role }}-scoped"}"#,
            json!({"role": "admin-scoped"}),
        ),
        (
            r#"{"a": {{ organization_membership.custom_attributes.level }}, "b": "L{{ organization_membership.custom_attributes.level }}"}"#,
            json!({"a": 7, "b": "L7"}),
        ),
        (
            r#"{"a": [1, {{ user.id }}, {"b": "{{ user.id }}"}], "c": false, "aud": "app"}"#,
            json!({"a": [1, "user_1", {"b": "user_1"}], "c": false, "aud": "app"}),
        ),
        (
            r#"{"a": "\"{{ user.id }}\" \u00e9 { }} }", "b\n": 1}"#,
            json!({"a": "\"user_1\" é { }} }", "b\n": 1}),
        ),
        (
            r#"{"a": {{ user.last_name || '}} || "' }}}"#,
            json!({"a": "}} || \""}),
        ),
        (r#"{"a": 1, "a": 2}"#, json!({"a": 2})),
    ] {
        assert_eq!(rendered(template), claims, "{template}");
    }
}

#[test]
fn null_is_left_out_at_the_top_and_nothing_in_text() {
    for (template, claims) in [
        (r#"{"a": {{ user.last_name }}, "b": 1}"#, json!({"b": 1})),
        (
            r#"{"a": "{{ user.last_name }}", "b": "{{ user.metadata.x || user.last_name }}"}"#,
            json!({}),
        ),
        (r#"{"a": "-{{ user.last_name }}-"}"#, json!({"a": "--"})),
        (
            r#"{"a": "{{ user.first_name }} {{ user.last_name }}"}"#,
            json!({"a": "Ada"}),
        ),
        (r#"{"a": {"b": {{ user.last_name }}}}"#, json!({"a": {"b": null}})),
        (r#"{"a": {{ organization.domains.7.domain }}}"#, json!({})),
        (r#"{"a": {{ user.identities.GoogleOAuth.id }}}"#, json!({})),
    ] {
        assert_eq!(rendered(template), claims, "{template}");
    }
}

#[test]
fn text_is_trimmed() {
    assert_eq!(
        rendered(
            r#"{"a": "  x ", "b": {{ user.metadata.padded }}, "c": "{{ user.metadata.padded }}!", "d": {{ user.last_name || ' y ' }}}"#
        ),
        json!({"a": "x", "b": "x", "c": "x  !", "d": "y"})
    );
}

#[test]
fn refuses_in_the_documented_words() {
    let no_object = "Template must render to an object with at least one explicitly defined top-level key";
    let reserved = "Keys reserved (iss, sub, exp, etc.)";
    let object = "String encapsulated expression cannot contain object reference";
    let segment = "Invalid expression segment";
    let missing = "Template parse error: missing '}}'";
    let empty = "Expression cannot be empty";
    for (template, error) in [
        ("[ {{ user.email }} ]", no_object),
        ("{{ user.metadata }}", no_object),
        ("\"x\"", no_object),
        ("{}", no_object),
        (r#"{ "iss": {{ user.email }} }"#, reserved),
        (r#"{ "a": 1, "sub": "x" }"#, reserved),
        (r#"{"exp": 1}"#, reserved),
        (r#"{"\u0069at": 1}"#, reserved),
        (r#"{"nbf": null}"#, reserved),
        (r#"{"jti": "x"}"#, reserved),
        (r#"{ "user": "{{ user.metadata }}" }"#, object),
        (r#"{ "a": "{{ user.email || organization.domains }}" }"#, object),
        (r#"{ "a": "{{ organization.domains.0 }}" }"#, object),
        (r#"{ "a": "{{ user }}" }"#, object),
        ("{{ user.email && user user }}", segment),
        ("{{ user.email || || user.email }}", segment),
        ("{{ user.email || }}", segment),
        ("{{ || user.email }}", segment),
        ("{{ 'a' user.email }}", segment),
        ("{{ user..email }}", segment),
        ("{{ user.email | upcase }}", segment),
        ("{{ user.id", missing),
        (r#"{"a": "{{ user.id" }"#, missing),
        (r#"{"a": {{ user.id || 'x }} }"#, missing),
        (r#"{"a": "{{ user.id || "x" }}"}"#, missing),
        ("{{}}", empty),
        (r#"{"a": "{{  }}"}"#, empty),
        ("{{ unknown.variable }}", "Invalid path: \"unknown.variable\""),
        (
            r#"{"a": "{{ user.nickname }}"}"#,
            "Invalid path: \"user.nickname\"",
        ),
        (r#"{"a": {{ user.password }}}"#, "Invalid path: \"user.password\""),
        (
            r#"{"a": {{ organization.domains.0.verification_token }}}"#,
            "Invalid path: \"organization.domains.0.verification_token\"",
        ),
        (r#"{"a": {{ constructor }}}"#, "Invalid path: \"constructor\""),
        ("", "Template parse error: this is not JSON"),
        (r#"{"a" 1}"#, "Template parse error: missing ':'"),
        (r#"{"a": 1,}"#, "Template parse error: a key must be a string"),
        (r#"{"a": 1} x"#, "Template parse error: text behind the object"),
        (
            r#"{"{{ user.id }}": 1}"#,
            "Template parse error: a key must not have expressions",
        ),
        (r#"{"a": "x"#, "Template parse error: a string has no end"),
        (
            r#"{"a": "\x"}"#,
            "Template parse error: this is not a JSON string",
        ),
    ] {
        let refused = Template::parse(template).map_err(|error| error.to_string());
        assert_eq!(refused, Err(error.to_owned()), "{template}");
    }
    let deep = format!("{{\"a\": {}", "[".repeat(100_000));
    assert_eq!(
        Template::parse(&deep).unwrap_err().to_string(),
        "Template parse error: nested too deeply"
    );
}

#[test]
fn refuses_an_object_in_text_that_shows_only_when_rendered() {
    let template = r#"{"a": "{{ organization_membership.custom_attributes.manager }}"}"#;
    let template = Template::parse(template).unwrap();
    assert_eq!(template.render(&context()), Err(RenderError::ObjectInString));
}

#[test]
fn is_rendered_up_to_the_limit() {
    let template = Template::parse(r#"{"a": {{ user.first_name }}}"#).unwrap();
    let overhead = r#"{"a":""}"#.len();
    let named = |length: usize| json!({"user": {"first_name": "x".repeat(length)}});
    assert!(template.render(&named(MAX_SIZE - overhead)).is_ok());
    assert_eq!(
        template.render(&named(MAX_SIZE - overhead + 1)),
        Err(RenderError::TooBig)
    );
}

/// Pieces of which templates are made, valid and not.
fn template() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("{".to_owned()),
        Just("}".to_owned()),
        Just("{{".to_owned()),
        Just("}}".to_owned()),
        Just("\"".to_owned()),
        Just("'".to_owned()),
        Just("||".to_owned()),
        Just(":".to_owned()),
        Just(",".to_owned()),
        Just("[".to_owned()),
        Just("]".to_owned()),
        Just("\\".to_owned()),
        Just(" ".to_owned()),
        Just("user.first_name".to_owned()),
        Just("organization.domains.0".to_owned()),
        Just("\"sub\": ".to_owned()),
        Just("\"a\": {{ user.id }},".to_owned()),
        ".{0,3}",
    ];
    let pieces = proptest::collection::vec(piece, 0..24).prop_map(|pieces| pieces.concat());
    let member = (
        "[a-z]{1,3}|\\\\u0069ss|sub|é",
        prop_oneof![
            Just("{{ user.first_name || 'x' }}".to_owned()),
            Just("{{ user.metadata }}".to_owned()),
            Just("null".to_owned()),
            "[-0-9.e]{1,4}",
            "\"[ a-z{}é]{0,6}\"",
        ],
    );
    let members = proptest::collection::vec(member, 0..5).prop_map(|members| {
        let members: Vec<_> = members
            .into_iter()
            .map(|(key, value)| format!("\"{key}\": {value}"))
            .collect();
        format!("{{{}}}", members.join(","))
    });
    prop_oneof![pieces, members, any::<String>()]
}

proptest! {
    #[test]
    fn any_text_is_refused_or_renders_to_an_object_without_reserved_keys(text in template()) {
        let Ok(template) = Template::parse(&text) else { return Ok(()) };
        for context in [context(), json!({}), json!(null)] {
            if let Ok(claims) = template.render(&context) {
                prop_assert!(RESERVED.iter().all(|key| !claims.contains_key(*key)));
                prop_assert!(claims.values().all(|value| !value.is_null()));
            }
        }
    }

    /// JSON without expressions is a template of itself, but for the blanks around its strings.
    #[test]
    fn plain_json_renders_to_itself(
        claims in proptest::collection::btree_map("[a-z]{4,6}", prop_oneof![
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            "[^{]{0,8}".prop_map(|text| Value::from(text.trim())),
            proptest::collection::vec(any::<u8>(), 0..4).prop_map(Value::from),
        ], 1..6)
    ) {
        let text = serde_json::to_string(&claims).unwrap();
        prop_assert_eq!(rendered(&text), json!(claims));
    }
}
