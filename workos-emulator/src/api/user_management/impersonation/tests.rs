use serde_json::{Value, json};
use url::Url;

use crate::{
    api::user_management::{
        authenticate::fixture::{CLIENT_ID, EMAIL, Fixture, REDIRECT_URI, refusal},
        authorize::get_authorization_url,
    },
    control,
    hosted::impersonation::open_impersonation,
    server::{error::ApiError, reply::Reply},
};

impl Fixture {
    /// Ada's application, with its redirect URI.
    fn with_application() -> Self {
        let fixture = Self::new();
        fixture.register_redirect_uri(REDIRECT_URI);
        fixture
    }

    fn impersonate(&self, with: Value) -> Result<Url, ApiError> {
        let body = json!({"email": EMAIL, "impersonator_email": "eve@acme.example", "reason": "a ticket"});
        let body = super::super::authenticate::fixture::merged(body, with);
        let reply = control::impersonations::impersonate(&self.call("", body))?;
        let body: Value = serde_json::from_slice(&reply.body).unwrap();
        Ok(body["url"].as_str().unwrap().parse().unwrap())
    }

    /// Follows the link.
    fn open(&self, link: &Url) -> Reply {
        open_impersonation(&self.call(link.query().unwrap(), Value::Null)).unwrap()
    }

    fn redeem_code(&self, code: &str) -> Result<Value, ApiError> {
        self.authenticate(json!({"grant_type": "authorization_code", "code": code}))
    }

    fn impersonated(&self) -> Value {
        let callback = location(&self.open(&self.impersonate(json!({})).unwrap()));
        self.redeem_code(&parameter(&callback, "code").unwrap()).unwrap()
    }
}

fn header<'a>(reply: &'a Reply, name: &str) -> &'a str {
    &reply.headers.iter().find(|(key, _)| *key == name).unwrap().1
}

fn location(reply: &Reply) -> Url {
    header(reply, "Location").parse().unwrap()
}

fn parameter(url: &Url, name: &str) -> Option<String> {
    let mut found = url.query_pairs().filter(|(key, _)| key == name);
    found.next().map(|(_, value)| value.into_owned())
}

#[test]
fn leads_to_the_callback_without_a_state_and_says_who_is_behind_it() {
    let fixture = Fixture::with_application();
    let callback = location(&fixture.open(&fixture.impersonate(json!({})).unwrap()));
    assert!(callback.as_str().starts_with(REDIRECT_URI), "{callback}");
    assert_eq!(parameter(&callback, "state"), None);

    let response = fixture
        .redeem_code(&parameter(&callback, "code").unwrap())
        .unwrap();
    assert_eq!(response["authentication_method"], "Impersonation");
    let impersonator = json!({"email": "eve@acme.example", "reason": "a ticket"});
    assert_eq!(response["impersonator"], impersonator);
    assert_eq!(response["user"]["last_sign_in_at"], Value::Null);
    let claims = fixture.claims(&response);
    assert_eq!(claims.sub, fixture.user_id);
    assert_eq!(claims.act.unwrap().sub, "eve@acme.example");
    assert_eq!(claims.impersonator.unwrap().reason.as_deref(), Some("a ticket"));
    let created = &fixture.events("session.created")[0].1;
    assert_eq!(
        (&created["impersonator"], &created["auth_method"]),
        (&impersonator, &json!("impersonation"))
    );
    assert_eq!(fixture.events("authentication."), [], "the user proved nothing");
}

#[test]
fn lasts_sixty_minutes_however_often_it_is_refreshed() {
    let fixture = Fixture::with_application();
    let mut tokens = fixture.impersonated();
    let refresh = |tokens: &Value| {
        fixture.authenticate(json!({"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}))
    };
    for _ in 0..3 {
        fixture.advance(19 * 60);
        tokens = refresh(&tokens).unwrap();
        assert_eq!(fixture.claims(&tokens).act.unwrap().sub, "eve@acme.example");
        assert_eq!(tokens["impersonator"]["reason"], "a ticket");
    }
    fixture.advance(3 * 60);
    assert_eq!(refusal(refresh(&tokens)), (400, "invalid_grant".to_owned()));
}

#[test]
fn the_link_opens_once_and_not_for_long() {
    let fixture = Fixture::with_application();
    let link = fixture.impersonate(json!({})).unwrap();
    assert_eq!(fixture.open(&link).status, 302);
    assert_eq!(fixture.open(&link).status, 400);
    let late = fixture.impersonate(json!({})).unwrap();
    fixture.advance(600);
    assert_eq!(fixture.open(&late).status, 400);
}

/// An application that refuses a callback without a state asks for a sign-in, in the same browser.
#[test]
fn goes_on_with_a_sign_in_that_the_application_asks_for() {
    let fixture = Fixture::with_application();
    let opened = fixture.open(&fixture.impersonate(json!({})).unwrap());
    let cookie = header(&opened, "Set-Cookie")
        .split(';')
        .next()
        .unwrap()
        .to_owned();
    let authorize = |cookie: &str| {
        let query = format!(
            "client_id={CLIENT_ID}&response_type=code&provider=authkit&state=s&redirect_uri={REDIRECT_URI}"
        );
        let mut call = fixture.call(&query, Value::Null);
        call.headers.insert(
            "accept".parse::<actix_web::http::header::HeaderName>().unwrap(),
            "text/html".parse().unwrap(),
        );
        call.headers.insert(
            "cookie".parse::<actix_web::http::header::HeaderName>().unwrap(),
            cookie.parse().unwrap(),
        );
        get_authorization_url(&call).unwrap()
    };
    let reply = authorize(&cookie);
    let callback = location(&reply);
    assert_eq!(parameter(&callback, "state").as_deref(), Some("s"));
    assert!(header(&reply, "Set-Cookie").contains("Max-Age=0"));
    let response = fixture
        .redeem_code(&parameter(&callback, "code").unwrap())
        .unwrap();
    assert_eq!(response["impersonator"]["email"], "eve@acme.example");

    // Once, and not after a session has begun: the next sign-in in this browser is an ordinary one.
    for cookie in [cookie.as_str(), "workos_impersonation=made-up"] {
        assert!(
            header(&authorize(cookie), "Location").contains("/authkit/sign-in"),
            "{cookie}"
        );
    }
    let opened = fixture.open(&fixture.impersonate(json!({})).unwrap());
    let cookie = header(&opened, "Set-Cookie")
        .split(';')
        .next()
        .unwrap()
        .to_owned();
    fixture
        .redeem_code(&parameter(&location(&opened), "code").unwrap())
        .unwrap();
    assert!(header(&authorize(&cookie), "Location").contains("/authkit/sign-in"));
}

#[test]
fn an_organization_is_named_where_there_are_several() {
    let fixture = Fixture::with_application();
    fixture.add_own_organization("Acme");
    let globex = fixture.add_own_organization("Globex");
    let foreign = fixture.add_organization("Initech");
    let refused = fixture.impersonate(json!({})).unwrap_err();
    assert_eq!(refused.status, 422);
    assert!(refused.explanation().contains(&globex), "{refused}");
    let refused = fixture
        .impersonate(json!({"organization_id": foreign}))
        .unwrap_err();
    assert_eq!(refused.code(), Some("organization_membership_not_found"));
    let callback = location(&fixture.open(&fixture.impersonate(json!({"organization_id": globex})).unwrap()));
    let response = fixture
        .redeem_code(&parameter(&callback, "code").unwrap())
        .unwrap();
    assert_eq!(response["organization_id"], *globex);
}

#[test]
fn a_redirect_uri_is_needed_and_must_be_registered() {
    let fixture = Fixture::new();
    let refused = fixture.impersonate(json!({})).unwrap_err();
    assert!(
        refused.explanation().contains("no default redirect URI"),
        "{refused}"
    );
    fixture.register_redirect_uri(REDIRECT_URI);
    let refused = fixture
        .impersonate(json!({"redirect_uri": "https://evil.example/"}))
        .unwrap_err();
    assert_eq!(refused.status, 422);
    let unknown = fixture
        .impersonate(json!({"email": "nobody@example.com"}))
        .unwrap_err();
    assert_eq!(unknown.status, 404);
}

#[test]
fn a_deleted_user_is_impersonated_no_more() {
    let fixture = Fixture::with_application();
    let link = fixture.impersonate(json!({})).unwrap();
    let environment = &fixture.environment;
    environment
        .transact(|tx| crate::api::user_management::users::delete(tx, &fixture.user_id))
        .unwrap();
    assert_eq!(fixture.open(&link).status, 400);
    assert_eq!(environment.state().impersonations.len(), 0);
}
