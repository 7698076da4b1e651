use serde_json::{Value, json};

use crate::{
    api::user_management::{
        authenticate::fixture::{CLIENT_ID, EMAIL, Fixture, refusal},
        device_authorization::create_device,
    },
    control::device_authorizations::{approve_device, deny_device},
    server::{call::Call, error::ApiError, reply::Reply},
};

/// A program that waits.
struct Program {
    fixture: Fixture,
    body: Value,
}

fn program() -> Program {
    let fixture = Fixture::new();
    let body = fixture.run(create_device, json!({"client_id": CLIENT_ID}));
    Program { fixture, body }
}

impl Program {
    fn text(&self, name: &str) -> &str {
        self.body[name].as_str().unwrap()
    }

    fn poll_as(&self, with: Value) -> Result<Value, ApiError> {
        let body = json!({
            "grant_type": "urn:ietf:params:oauth:grant-type:device_code", "client_secret": null,
            "device_code": self.text("device_code"),
        });
        self.fixture
            .authenticate(super::super::fixture::merged(body, with))
    }

    fn poll(&self) -> Result<Value, ApiError> {
        self.poll_as(json!({}))
    }

    fn settle(
        &self,
        operation: fn(&Call) -> Result<Reply, ApiError>,
        user_code: &str,
    ) -> Result<Reply, ApiError> {
        let body = json!({"email": EMAIL});
        operation(&Call::for_tests(
            &self.fixture.environment,
            &[("user_code", user_code)],
            "",
            body,
        ))
    }

    fn approve(&self) {
        self.settle(approve_device, self.text("user_code")).unwrap();
    }
}

fn answer(code: &str) -> (u16, String) {
    (400, code.to_owned())
}

#[test]
fn shows_a_code_that_people_can_type() {
    let program = program();
    let code = program.text("user_code");
    assert_eq!((code.len(), &code[4..5]), (9, "-"));
    assert!(
        code.replace('-', "")
            .bytes()
            .all(|letter| b"BCDFGHJKLMNPQRSTVWXZ".contains(&letter)),
        "{code}"
    );
    assert_eq!(program.text("device_code").len(), 64);
    assert_eq!(
        (&program.body["expires_in"], &program.body["interval"]),
        (&json!(300), &json!(5))
    );
    let own = format!("http://auth.test/device?client_id={CLIENT_ID}");
    let default = "http://auth.test/device".to_owned();
    assert!([own, default].contains(&program.text("verification_uri").to_owned()));
    assert!(
        program
            .text("verification_uri_complete")
            .ends_with(&format!("user_code={code}"))
    );
}

#[test]
fn gives_the_sign_in_once_after_it_was_confirmed() {
    let program = program();
    assert_eq!(refusal(program.poll()), answer("authorization_pending"));
    program.approve();
    let response = program.poll().unwrap();
    assert_eq!(response["user"]["email"], EMAIL);
    assert_eq!(program.fixture.claims(&response).client_id, CLIENT_ID);
    assert_eq!(refusal(program.poll()), answer("invalid_grant"));
}

#[test]
fn slows_a_program_down_that_polls_too_often() {
    let program = program();
    assert_eq!(refusal(program.poll()), answer("authorization_pending"));
    program.fixture.advance(4);
    assert_eq!(refusal(program.poll()), answer("slow_down"));
    program.fixture.advance(9);
    assert_eq!(refusal(program.poll()), answer("slow_down"), "ten seconds now");
    program.fixture.advance(15);
    assert_eq!(refusal(program.poll()), answer("authorization_pending"));
}

#[test]
fn tells_that_it_was_denied() {
    let program = program();
    program
        .settle(
            deny_device,
            &program.text("user_code").to_lowercase().replace('-', ""),
        )
        .unwrap();
    assert_eq!(refusal(program.poll()), answer("access_denied"));
    let again = program.settle(approve_device, program.text("user_code"));
    assert_eq!(again.unwrap_err().status, 404, "what is settled stays so");
}

#[test]
fn expires_after_five_minutes_whether_or_not_it_was_confirmed() {
    for approved in [false, true] {
        let program = program();
        program.fixture.advance(299);
        if approved {
            program.approve();
        }
        program.fixture.advance(1);
        assert_eq!(refusal(program.poll()), answer("expired_token"));
        let late = program.settle(approve_device, program.text("user_code"));
        assert_eq!(late.unwrap_err().status, 404);
    }
}

#[test]
fn a_device_code_is_for_its_client() {
    let program = program();
    program.approve();
    assert_eq!(
        refusal(program.poll_as(json!({"client_id": "client_other"}))),
        answer("invalid_grant")
    );
    assert_eq!(
        refusal(program.poll_as(json!({"device_code": "x"}))),
        answer("invalid_grant")
    );
    let missing = program.poll_as(json!({"device_code": null}));
    assert_eq!(refusal(missing), (422, "invalid_request_parameters".to_owned()));
    program.poll().unwrap();
}

#[test]
fn can_be_switched_off_and_wants_a_known_client() {
    let fixture = Fixture::new();
    let create = |client_id: &str| {
        let refused = create_device(&fixture.call("", json!({"client_id": client_id}))).unwrap_err();
        (refused.status, refused.code().unwrap().to_owned())
    };
    assert_eq!(create("app"), answer("invalid_client"));
    fixture.set(|settings| settings.device_authorization = false);
    assert_eq!(create(CLIENT_ID), (403, "access_denied".to_owned()));
}
