use serde_json::{Value, json};

use crate::{
    api::user_management::{
        authenticate::fixture::{EMAIL, Fixture, refusal},
        magic_auth::{create_magic_auth, get_magic_auth},
    },
    server::{call::Call, error::ApiError},
};

const GRANT: &str = "urn:workos:oauth:grant-type:magic-auth:code";

fn create(fixture: &Fixture, email: &str) -> Result<Value, ApiError> {
    let reply = create_magic_auth(&fixture.call("", json!({"email": email})))?;
    assert_eq!(reply.status, 201);
    Ok(serde_json::from_slice(&reply.body).unwrap())
}

fn code(fixture: &Fixture, email: &str) -> String {
    let created = create(fixture, email).unwrap();
    created["code"].as_str().unwrap().to_owned()
}

fn redeem(fixture: &Fixture, email: &str, code: &str) -> Result<Value, ApiError> {
    fixture.authenticate(json!({"grant_type": GRANT, "email": email, "code": code}))
}

fn refused(code: &str) -> (u16, String) {
    (400, code.to_owned())
}

/// Another code than this one.
fn wrong(code: &str) -> String {
    let digits = code.parse::<u32>().unwrap();
    format!("{:06}", (digits + 1) % 1_000_000)
}

#[test]
fn a_code_signs_in_whoever_reads_it() {
    let fixture = Fixture::new();
    let acme = fixture.add_own_organization("Acme");
    let created = create(&fixture, " Ada@Example.com").unwrap();
    assert_eq!(
        (&created["user_id"], &created["email"]),
        (&json!(fixture.user_id), &json!(EMAIL))
    );
    assert_eq!(created["expires_at"], "2026-01-15T12:10:00.000Z");
    let signed_in = redeem(&fixture, "ADA@example.com", created["code"].as_str().unwrap()).unwrap();
    assert_eq!(
        (&signed_in["authentication_method"], &signed_in["organization_id"]),
        (&json!("MagicAuth"), &json!(acme))
    );
    let session = fixture.claims(&signed_in).sid;
    let state = fixture.environment.state();
    let session = serde_json::to_value(state.sessions.get(&session).unwrap()).unwrap();
    assert_eq!(session["auth_method"], "magic_code");
    let names: Vec<_> = fixture.events("").into_iter().map(|(name, _)| name).collect();
    assert_eq!(
        names[names.len() - 3..],
        [
            "magic_auth.created",
            "authentication.magic_auth_succeeded",
            "session.created"
        ],
        "no user.updated: the address was verified"
    );
}

#[test]
fn a_new_person_signs_up_by_a_code_which_verifies_the_address() {
    let fixture = Fixture::new();
    let code = code(&fixture, "grace@example.com");
    let state = fixture.environment.state();
    let user = state.users.iter().last().unwrap();
    assert_eq!(
        (user.email.as_str(), user.email_verified),
        ("grace@example.com", false)
    );
    let signed_in = redeem(&fixture, "grace@example.com", &code).unwrap();
    assert_eq!(signed_in["user"]["email_verified"], true);
    assert_eq!(signed_in["user"]["id"], user.id);
    let names: Vec<_> = fixture.events("").into_iter().map(|(name, _)| name).collect();
    assert_eq!(
        names[names.len() - 5..],
        [
            "user.created",
            "magic_auth.created",
            "authentication.magic_auth_succeeded",
            "user.updated",
            "session.created"
        ]
    );
    let (_, updated) = fixture.events("user.updated").remove(0);
    assert_eq!(updated["email_verified"], true);
}

#[test]
fn the_mail_has_the_code_and_events_have_not() {
    let fixture = Fixture::new();
    let code = code(&fixture, EMAIL);
    let state = fixture.environment.state();
    let mail = state.messages.iter().last().unwrap();
    assert_eq!(
        (
            mail.kind.as_str(),
            mail.to.as_str(),
            mail.code.as_deref(),
            &mail.url
        ),
        ("magic_auth", EMAIL, Some(code.as_str()), &None)
    );
    assert!(mail.text.contains(&code) && mail.html.contains(&code));
    let (_, created) = fixture.events("magic_auth.created").remove(0);
    let members: Vec<_> = created.as_object().unwrap().keys().cloned().collect();
    assert_eq!(
        members,
        [
            "created_at",
            "email",
            "expires_at",
            "id",
            "object",
            "updated_at",
            "user_id"
        ]
    );
}

#[test]
fn each_refusal_has_its_code_and_is_told() {
    let fixture = Fixture::new();
    let first = code(&fixture, EMAIL);
    assert_eq!(
        refusal(redeem(&fixture, EMAIL, &wrong(&first))),
        refused("invalid_one_time_code")
    );
    assert_eq!(
        refusal(redeem(&fixture, "nobody@example.com", &first)),
        refused("invalid_one_time_code")
    );
    fixture.advance(599);
    redeem(&fixture, EMAIL, &first).unwrap();
    assert_eq!(
        refusal(redeem(&fixture, EMAIL, &first)),
        refused("one_time_code_previously_used")
    );
    let second = code(&fixture, EMAIL);
    fixture.advance(600);
    assert_eq!(
        refusal(redeem(&fixture, EMAIL, &second)),
        refused("one_time_code_expired")
    );
    let failed = fixture.events("authentication.magic_auth_failed");
    let told: Vec<_> = failed
        .iter()
        .map(|(_, data)| (data["user_id"].as_str(), data["error"]["code"].as_str().unwrap()))
        .collect();
    let ada = Some(fixture.user_id.as_str());
    assert_eq!(
        told,
        [
            (ada, "invalid_one_time_code"),
            (None, "invalid_one_time_code"),
            (ada, "one_time_code_previously_used"),
            (ada, "one_time_code_expired"),
        ]
    );
}

#[test]
fn guessing_ends_the_code_and_a_new_one_makes_older_ones_void() {
    let fixture = Fixture::new();
    let guessed = code(&fixture, EMAIL);
    for _ in 0..5 {
        redeem(&fixture, EMAIL, &wrong(&guessed)).unwrap_err();
    }
    let too_many = redeem(&fixture, EMAIL, &guessed).unwrap_err();
    assert_eq!(too_many.code(), Some("one_time_code_too_many_attempts"));
    assert_eq!(
        too_many.description(),
        "One-time code for 'ada@example.com' has had too many failed attempts."
    );
    let newer = code(&fixture, EMAIL);
    assert_eq!(
        refusal(redeem(&fixture, EMAIL, &guessed)),
        refused("invalid_one_time_code")
    );
    redeem(&fixture, EMAIL, &newer).unwrap();
}

#[test]
fn a_code_is_for_its_person_alone_and_not_for_another_address() {
    let fixture = Fixture::new();
    let grace = fixture.add_user("grace@example.com");
    let code = code(&fixture, EMAIL);
    assert_eq!(
        refusal(redeem(&fixture, "grace@example.com", &code)),
        refused("invalid_one_time_code")
    );
    // Ada's address becomes another one: the code was sent to the old one.
    let change = |id: &str, email: &str| {
        let call = Call::for_tests(&fixture.environment, &[("id", id)], "", json!({"email": email}));
        crate::api::user_management::users::update_user(&call).unwrap();
    };
    change(&fixture.user_id, "countess@example.com");
    assert_eq!(
        refusal(redeem(&fixture, "countess@example.com", &code)),
        refused("invalid_one_time_code")
    );
    change(&grace, EMAIL);
    assert_eq!(
        refusal(redeem(&fixture, EMAIL, &code)),
        refused("invalid_one_time_code")
    );
}

#[test]
fn who_may_not_sign_up_or_sign_in_so_is_told() {
    let fixture = Fixture::new();
    fixture.set(|settings| settings.sign_up = false);
    assert_eq!(
        refusal(create(&fixture, "new@example.com")),
        refused("sign_up_not_allowed")
    );
    assert_eq!(
        refusal(redeem(&fixture, "new@example.com", "123456")),
        refused("sign_up_not_allowed")
    );
    let code = code(&fixture, EMAIL);
    fixture.set(|settings| settings.sign_in_methods.magic_auth = false);
    let off = refused("authentication_method_not_allowed");
    assert_eq!(refusal(create(&fixture, EMAIL)), off);
    assert_eq!(refusal(redeem(&fixture, EMAIL, &code)), off);
    assert_eq!(fixture.environment.state().users.len(), 1);
    fixture.set(|settings| settings.sign_in_methods.magic_auth = true);
    redeem(&fixture, EMAIL, &code).unwrap();
}

#[test]
fn a_code_cannot_go_where_no_mail_goes() {
    let fixture = Fixture::new();
    for email in ["ada@nowhere.invalid", "ada@mailinator.com"] {
        assert_eq!(
            refusal(create(&fixture, email)),
            refused("email_domain_not_deliverable")
        );
    }
    for email in ["", "ada", "ada@localhost"] {
        let refused = create(&fixture, email).unwrap_err();
        assert_eq!(
            (refused.status, &refused.body["errors"][0]["field"]),
            (422, &json!("email")),
            "{email}"
        );
    }
    assert_eq!(fixture.environment.state().users.len(), 1);
    assert_eq!(fixture.environment.state().messages.len(), 0);
}

#[test]
fn codes_and_attempts_are_limited() {
    let fixture = Fixture::new();
    let mut last = String::new();
    for _ in 0..3 {
        last = code(&fixture, EMAIL);
    }
    let limited = create(&fixture, EMAIL).unwrap_err();
    assert_eq!(
        (limited.status, limited.code()),
        (429, Some("rate_limit_exceeded"))
    );
    for email in [EMAIL, "nobody@example.com"] {
        for _ in 0..10 {
            assert_eq!(redeem(&fixture, email, "x").unwrap_err().status, 400);
        }
        assert_eq!(
            refusal(redeem(&fixture, email, &last)),
            (429, "too_many_requests".to_owned())
        );
    }
    fixture.advance(60);
    let fresh = code(&fixture, EMAIL);
    redeem(&fixture, EMAIL, &fresh).unwrap();
    fixture.set(|settings| settings.daily_email_quota = Some(0));
    assert_eq!(
        refusal(create(&fixture, EMAIL)),
        (429, "daily_quota_exceeded".to_owned())
    );
}

#[test]
fn the_application_can_fetch_the_code_and_send_it_itself() {
    let fixture = Fixture::new();
    let created = create(&fixture, EMAIL).unwrap();
    let get = |id: &str| {
        get_magic_auth(&Call::for_tests(
            &fixture.environment,
            &[("id", id)],
            "",
            Value::Null,
        ))
    };
    let id = created["id"].as_str().unwrap();
    let got: Value = serde_json::from_slice(&get(id).unwrap().body).unwrap();
    assert_eq!(got, created);
    assert_eq!(get("magic_auth_none").unwrap_err().status, 404);
    create(&fixture, EMAIL).unwrap();
    assert_eq!(get(id).unwrap().status, 200, "an older one too");
}

#[test]
fn nobody_redeems_without_the_secret() {
    let fixture = Fixture::new();
    let code = code(&fixture, EMAIL);
    let body = json!({"grant_type": GRANT, "email": EMAIL, "code": code, "client_secret": null});
    assert_eq!(fixture.authenticate(body).unwrap_err().status, 422);
    redeem(&fixture, EMAIL, &code).unwrap();
}
