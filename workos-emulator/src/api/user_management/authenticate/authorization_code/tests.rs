use serde_json::{Value, json};
use url::Url;

use crate::{
    api::user_management::{
        authenticate::fixture::{CLIENT_ID, EMAIL, Fixture, REDIRECT_URI, merged, refusal},
        authorize::get_authorization_url,
        users,
    },
    server::error::ApiError,
};

/// RFC 7636, appendix B.
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
const WRONG_VERIFIER: &str = "wrong-wrong-wrong-wrong-wrong-wrong-wrong-wrong";

impl Fixture {
    /// A code for Ada, as a plain HTTP client gets it.
    fn code(&self, with: &str) -> String {
        let query = format!(
            "response_type=code&client_id={CLIENT_ID}&redirect_uri={REDIRECT_URI}&provider=authkit&login_hint={EMAIL}{with}"
        );
        let reply = get_authorization_url(&self.call(&query, Value::Null)).unwrap();
        let location = Url::parse(&reply.headers[0].1).unwrap();
        let code = location.query_pairs().find(|(name, _)| name == "code");
        code.unwrap_or_else(|| panic!("{location}")).1.into_owned()
    }

    fn code_with_challenge(&self) -> String {
        self.code(&format!("&code_challenge={CHALLENGE}&code_challenge_method=S256"))
    }

    fn redeem(&self, code: &str, with: Value) -> Result<Value, ApiError> {
        let body = merged(json!({"grant_type": "authorization_code", "code": code}), with);
        self.authenticate(body)
    }
}

fn invalid_grant() -> (u16, String) {
    (400, "invalid_grant".to_owned())
}

#[test]
fn a_confidential_client_redeems_a_code_once() {
    let fixture = Fixture::new();
    let code = fixture.code("");
    let response = fixture.redeem(&code, json!({"user_agent": "Browser"})).unwrap();
    assert_eq!(response["user"]["email"], EMAIL);
    assert_eq!(fixture.events("session.created")[0].1["user_agent"], "Browser");
    assert_eq!(refusal(fixture.redeem(&code, json!({}))), invalid_grant());
    assert_eq!(
        fixture.environment.state().sessions.len(),
        1,
        "the first session goes on"
    );
}

#[test]
fn a_public_client_redeems_a_code_with_its_verifier() {
    let fixture = Fixture::new();
    let code = fixture.code_with_challenge();
    let response = fixture.redeem(&code, json!({"client_secret": null, "code_verifier": VERIFIER}));
    assert_eq!(response.unwrap()["user"]["email"], EMAIL);
}

#[test]
fn a_wrong_verifier_burns_the_code() {
    let fixture = Fixture::new();
    let code = fixture.code_with_challenge();
    assert_eq!(
        refusal(fixture.redeem(&code, json!({"code_verifier": WRONG_VERIFIER}))),
        invalid_grant()
    );
    assert_eq!(
        refusal(fixture.redeem(&code, json!({"code_verifier": VERIFIER}))),
        invalid_grant()
    );
}

#[test]
fn a_challenge_must_be_answered_even_with_a_secret() {
    let fixture = Fixture::new();
    let code = fixture.code_with_challenge();
    assert_eq!(refusal(fixture.redeem(&code, json!({}))), invalid_grant());
    assert_eq!(
        refusal(fixture.redeem(&code, json!({"code_verifier": VERIFIER}))),
        invalid_grant()
    );
}

#[test]
fn a_verifier_without_a_challenge_proves_nothing() {
    let fixture = Fixture::new();
    let not_found = (400, "code_challenge_not_found".to_owned());
    for secret in [
        json!({"code_verifier": VERIFIER}),
        json!({"code_verifier": VERIFIER, "client_secret": null}),
    ] {
        assert_eq!(refusal(fixture.redeem(&fixture.code(""), secret)), not_found);
    }
}

#[test]
fn without_secret_and_verifier_the_code_is_not_even_looked_at() {
    let fixture = Fixture::new();
    let code = fixture.code("");
    let refused = refusal(fixture.redeem(&code, json!({"client_secret": null})));
    assert_eq!(refused, (400, "invalid_request".to_owned()));
    let refused = refusal(fixture.redeem(&code, json!({"client_secret": "sk_test_wrong"})));
    assert_eq!(refused, (400, "invalid_client".to_owned()));
    fixture.redeem(&code, json!({})).unwrap();
}

#[test]
fn a_foreign_client_burns_the_code() {
    let fixture = Fixture::new();
    let code = fixture.code("");
    assert_eq!(
        refusal(fixture.redeem(&code, json!({"client_id": "client_other"}))),
        invalid_grant()
    );
    assert_eq!(refusal(fixture.redeem(&code, json!({}))), invalid_grant());
}

#[test]
fn a_code_expires() {
    let fixture = Fixture::new();
    let code = fixture.code("");
    fixture.advance(600);
    assert_eq!(refusal(fixture.redeem(&code, json!({}))), invalid_grant());
    let code = fixture.code("");
    fixture.advance(599);
    fixture.redeem(&code, json!({})).unwrap();
}

#[test]
fn a_code_is_for_its_redirect_uri() {
    let fixture = Fixture::new();
    let elsewhere = json!({"redirect_uri": "http://localhost:3001/callback"});
    assert_eq!(
        refusal(fixture.redeem(&fixture.code(""), elsewhere)),
        invalid_grant()
    );
    fixture
        .redeem(&fixture.code(""), json!({"redirect_uri": REDIRECT_URI}))
        .unwrap();
}

#[test]
fn a_code_leads_to_the_organization_that_was_asked_for() {
    let fixture = Fixture::new();
    fixture.add_own_organization("Acme");
    let globex = fixture.add_own_organization("Globex");
    let code = fixture.code(&format!("&organization_id={globex}"));
    assert_eq!(
        fixture.redeem(&code, json!({})).unwrap()["organization_id"],
        *globex
    );
    let undecided = fixture.redeem(&fixture.code(""), json!({}));
    assert_eq!(
        refusal(undecided),
        (403, "organization_selection_required".to_owned())
    );
}

#[test]
fn what_changed_since_the_code_was_issued_counts() {
    let fixture = Fixture::new();
    let acme = fixture.add_organization("Acme");
    let membership = fixture.add_membership(&acme, json!({}));
    let code = fixture.code(&format!("&organization_id={acme}"));
    fixture.deactivate(&membership);
    let refused = refusal(fixture.redeem(&code, json!({})));
    assert_eq!(refused, (400, "organization_membership_not_found".to_owned()));

    let code = fixture.code("");
    fixture
        .environment
        .transact(|tx| users::delete(tx, &fixture.user_id))
        .unwrap();
    assert_eq!(refusal(fixture.redeem(&code, json!({}))), invalid_grant());
}

#[test]
fn codes_are_not_kept_in_the_clear() {
    let fixture = Fixture::new();
    let code = fixture.code("");
    let state = fixture.environment.state();
    let rows: Vec<_> = state.authorization_codes.iter().collect();
    assert_eq!(rows.len(), 1);
    assert!(!serde_json::to_string(&rows[0]).unwrap().contains(&code));
}
