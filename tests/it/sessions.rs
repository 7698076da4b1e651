//! Sessions: what is known of them, how they end, where a sign-out leads, and who cannot get into one.

use std::time::Duration;

use reqwest::{Method, Url, header};
use serde_json::{Value, json};
use workos::{
    UserManagementAuthenticationProvider,
    models::{AuthenticateResponse, SessionCreatedData, SessionRevokedData},
    user_management::{
        AuthenticateWithCodeParams, AuthenticateWithPasswordParams, AuthenticateWithRefreshTokenParams,
        GetAuthorizationUrlParams,
    },
};
use workos_emulator::Emulator;

use crate::{
    browser::{Browser, Page},
    http, sdk,
};

const EMAIL: &str = "ada@example.com";
const PASSWORD: &str = "correct horse battery";
const CALLBACK: &str = "http://localhost:3000/callback";

struct Application {
    emulator: Emulator,
    sdk: workos::Client,
    user_id: String,
    /// What she is in.
    organization_ids: Vec<String>,
}

impl Application {
    /// With Ada, a member of these organizations.
    async fn start(organizations: &[&str]) -> Self {
        let emulator = Emulator::start().await.unwrap();
        emulator.clock().freeze();
        let mut ada = emulator.user(EMAIL).password(PASSWORD);
        let mut organization_ids = Vec::new();
        for name in organizations {
            let organization = emulator.organization(*name).create().unwrap();
            ada = ada.member_of(&organization, "member");
            organization_ids.push(organization.id);
        }
        let user_id = ada.create().unwrap().id;
        let sdk = sdk::client(&emulator);
        Self {
            emulator,
            sdk,
            user_id,
            organization_ids,
        }
    }

    async fn call(&self, method: Method, path: &str, body: Value) -> Value {
        let (status, answer) = http::call(&self.emulator, method, path, &body).await;
        assert!(status < 300, "{path}: {status} {answer}");
        answer
    }

    async fn set(&self, settings: Value) {
        self.call(Method::PATCH, "/_emulate/settings", settings).await;
    }

    async fn signed_in(&self) -> AuthenticateResponse {
        let params = AuthenticateWithPasswordParams::new(EMAIL, PASSWORD);
        self.sdk
            .user_management()
            .authenticate_with_password(params)
            .await
            .unwrap()
    }

    async fn refresh(&self, response: &AuthenticateResponse) -> Result<AuthenticateResponse, workos::Error> {
        let params = AuthenticateWithRefreshTokenParams::new(response.refresh_token.expose());
        self.sdk
            .user_management()
            .authenticate_with_refresh_token(params)
            .await
    }

    fn authorization_url(&self) -> String {
        let mut params = GetAuthorizationUrlParams::new(CALLBACK);
        params.provider = Some(UserManagementAuthenticationProvider::Authkit);
        self.sdk.user_management().get_authorization_url(params).unwrap()
    }

    async fn redeem(&self, page: &Page) -> Result<AuthenticateResponse, workos::Error> {
        let params = AuthenticateWithCodeParams::new(code(&page.location()));
        self.sdk.user_management().authenticate_with_code(params).await
    }

    /// Her active sessions, as the API lists them.
    async fn sessions(&self) -> Vec<Value> {
        let path = format!("/user_management/users/{}/sessions", self.user_id);
        let list = self.call(Method::GET, &path, Value::Null).await;
        list["data"].as_array().unwrap().clone()
    }

    async fn session_ids(&self) -> Vec<String> {
        let sessions = self.sessions().await;
        sessions
            .iter()
            .map(|session| session["id"].as_str().unwrap().to_owned())
            .collect()
    }

    /// The data of all events of this name.
    async fn events(&self, name: &str) -> Vec<Value> {
        let list = self
            .call(
                Method::GET,
                &format!("/events?order=asc&limit=100&events={name}"),
                Value::Null,
            )
            .await;
        let events = list["data"].as_array().unwrap().iter();
        events.map(|event| event["data"].clone()).collect()
    }

    fn advance(&self, seconds: u64) {
        self.emulator.clock().advance(Duration::from_secs(seconds));
    }

    /// Follows a sign-out link, and no further.
    async fn sign_out(&self, response: &AuthenticateResponse, return_to: Option<&str>) -> Page {
        let mut query = vec![("session_id", sid(response))];
        query.extend(return_to.map(|url| ("return_to", url.to_owned())));
        let url = format!("{}/user_management/sessions/logout", self.emulator.url());
        Browser::new()
            .step(Url::parse_with_params(&url, query).unwrap())
            .await
    }
}

fn sid(response: &AuthenticateResponse) -> String {
    sdk::claims(&response.access_token)["sid"]
        .as_str()
        .unwrap()
        .to_owned()
}

fn code(url: &Url) -> String {
    let code = url.query_pairs().find(|(name, _)| name == "code");
    code.unwrap_or_else(|| panic!("no code: {url}")).1.into_owned()
}

fn over() -> (u16, String) {
    (400, "invalid_grant".to_owned())
}

#[actix_web::test]
async fn active_ones_are_listed_the_newest_first() {
    let app = Application::start(&[]).await;
    app.set(json!({"session_lifetime": 3600, "session_inactivity": 600}))
        .await;
    let mut signed_in = Vec::new();
    for _ in 0..3 {
        signed_in.push(app.signed_in().await);
        app.advance(60);
    }
    let [first, second, third] = [0, 1, 2].map(|at: usize| sid(&signed_in[at]));
    assert_eq!(
        app.session_ids().await,
        [third.clone(), second.clone(), first.clone()]
    );
    let revoke = json!({"session_id": second});
    app.call(Method::POST, "/user_management/sessions/revoke", revoke)
        .await;
    assert_eq!(app.session_ids().await, [third.clone(), first.clone()]);
    // The first one is inactive for too long after 600 s; the third one is kept active.
    app.advance(300);
    let third_again = app.refresh(&signed_in[2]).await.unwrap();
    app.advance(120);
    assert_eq!(app.session_ids().await, [third]);
    assert_eq!(sdk::refusal(app.refresh(&signed_in[0]).await), over());
    app.refresh(&third_again).await.unwrap();
}

/// The three clocks. Source: <https://workos.com/docs/authkit/sessions#configuring-sessions>.
#[actix_web::test]
async fn three_clocks_run_from_the_sign_in() {
    let app = Application::start(&[]).await;
    app.set(json!({"access_token_lifetime": 120, "session_lifetime": 1000, "session_inactivity": 400}))
        .await;
    let first = app.signed_in().await;
    let claims = sdk::claims(&first.access_token);
    let begin = claims["iat"].as_i64().unwrap();
    assert_eq!(claims["exp"], begin + 120);
    let ends_in = async || {
        let sessions = app.sessions().await;
        let session = sessions.first()?;
        let seconds = |name: &str| {
            let at = session[name].as_str().unwrap();
            let (_, time) = at.split_once('T').unwrap();
            let part = |at: usize| time[at..at + 2].parse::<i64>().unwrap();
            part(0) * 3600 + part(3) * 60 + part(6)
        };
        Some((seconds("expires_at") - seconds("created_at")).rem_euclid(24 * 3600))
    };
    assert_eq!(ends_in().await, Some(400), "inactivity");
    app.advance(399);
    let second = app.refresh(&first).await.unwrap();
    assert_eq!(ends_in().await, Some(799));
    app.advance(399);
    let third = app.refresh(&second).await.unwrap();
    assert_eq!(ends_in().await, Some(1000), "the maximum length");
    app.advance(202);
    assert_eq!(ends_in().await, None);
    assert_eq!(sdk::refusal(app.refresh(&third).await), over());
    assert!(
        app.events("session.revoked").await.is_empty(),
        "it was not revoked"
    );
}

#[actix_web::test]
async fn a_revoked_session_says_so_once() {
    let app = Application::start(&["Acme"]).await;
    let response = app.signed_in().await;
    app.advance(5);
    for _ in 0..2 {
        let revoke = json!({"session_id": sid(&response)});
        app.call(Method::POST, "/user_management/sessions/revoke", revoke)
            .await;
    }
    let created = app.events("session.created").await;
    let revoked = app.events("session.revoked").await;
    assert_eq!((created.len(), revoked.len()), (1, 1));
    let parsed: SessionRevokedData = serde_json::from_value(revoked[0].clone()).unwrap();
    assert_eq!(parsed.organization_id.as_ref(), app.organization_ids.first());
    let _: SessionCreatedData = serde_json::from_value(created[0].clone()).unwrap();
    assert_eq!(revoked[0]["ended_at"], revoked[0]["updated_at"]);
    assert_ne!(revoked[0]["ended_at"], revoked[0]["created_at"]);
    let mut expected = created[0].clone();
    for name in ["ended_at", "updated_at"] {
        expected[name] = revoked[0][name].clone();
    }
    expected["status"] = "revoked".into();
    assert_eq!(revoked[0], expected);
    assert_eq!(sdk::refusal(app.refresh(&response).await), over());
}

/// In the organization, and nowhere else. Source:
/// <https://workos.com/docs/reference/authkit/organization-membership/deactivate>.
#[actix_web::test]
async fn a_deactivated_membership_ends_the_sessions_in_its_organization() {
    let app = Application::start(&["Acme"]).await;
    let in_acme = app.signed_in().await;
    let globex = app.emulator.organization("Globex").create().unwrap();
    let joined = json!({"user_id": app.user_id, "organization_id": globex.id});
    let membership = app
        .call(Method::POST, "/user_management/organization_memberships", joined)
        .await;
    let mut switch = AuthenticateWithRefreshTokenParams::new(in_acme.refresh_token.expose());
    switch.organization_id = Some(globex.id.clone());
    let users = app.sdk.user_management();
    let in_globex = users.authenticate_with_refresh_token(switch).await.unwrap();
    let wanted = json!({"user_id": app.user_id, "organization_id": app.organization_ids[0]});
    let stays = app.call(Method::POST, "/_emulate/sign_in", wanted).await;
    let path = format!(
        "/user_management/organization_memberships/{}/deactivate",
        membership["id"].as_str().unwrap()
    );
    app.call(Method::PUT, &path, json!({})).await;
    let revoked = app.events("session.revoked").await;
    assert_eq!(revoked.len(), 1);
    assert_eq!(
        (&revoked[0]["id"], &revoked[0]["organization_id"]),
        (&json!(sid(&in_globex)), &json!(globex.id))
    );
    assert_eq!(sdk::refusal(app.refresh(&in_globex).await), over());
    let stays = AuthenticateWithRefreshTokenParams::new(stays["refresh_token"].as_str().unwrap());
    users.authenticate_with_refresh_token(stays).await.unwrap();
}

#[actix_web::test]
async fn address_and_browser_are_those_of_the_person() {
    let app = Application::start(&[]).await;
    let known = async || {
        let session = app.sessions().await[0].clone();
        let known = (session["ip_address"].clone(), session["user_agent"].clone());
        app.advance(1);
        known
    };
    let mut params = AuthenticateWithPasswordParams::new(EMAIL, PASSWORD);
    params.ip_address = Some("192.0.2.7".to_owned());
    params.user_agent = Some("Lynx".to_owned());
    app.sdk
        .user_management()
        .authenticate_with_password(params)
        .await
        .unwrap();
    assert_eq!(known().await, (json!("192.0.2.7"), json!("Lynx")));
    let event = app
        .events("authentication.password_succeeded")
        .await
        .pop()
        .unwrap();
    assert_eq!(
        (&event["ip_address"], &event["user_agent"]),
        (&json!("192.0.2.7"), &json!("Lynx"))
    );
    // What the application's own server is, is of no interest.
    app.signed_in().await;
    assert_eq!(known().await, (Value::Null, Value::Null));

    // On the pages they are the browser's, which has sent no name here, unless the application knows better.
    for (given, expected) in [(None, "127.0.0.1"), (Some("192.0.2.9"), "192.0.2.9")] {
        let browser = Browser::new();
        let page = browser.visit(app.authorization_url()).await;
        let page = browser.submit(&page, &[("email", EMAIL)]).await;
        let page = browser.submit_and_stop(&page, &[("password", PASSWORD)]).await;
        let mut params = AuthenticateWithCodeParams::new(code(&page.location()));
        params.ip_address = given.map(str::to_owned);
        params.user_agent = given.map(|_| "Lynx".to_owned());
        app.sdk
            .user_management()
            .authenticate_with_code(params)
            .await
            .unwrap();
        let agent = given.map_or(Value::Null, |_| json!("Lynx"));
        assert_eq!(known().await, (json!(expected), agent));
    }
}

#[actix_web::test]
async fn a_sign_out_leads_where_the_environment_lets_it() {
    let app = Application::start(&[]).await;
    let page = app.sign_out(&app.signed_in().await, None).await;
    assert_eq!(page.location().path(), "/authkit/signed-out");
    let shown = Browser::new().visit(page.location()).await;
    assert!(shown.text.contains("You are signed out"));
    assert!(
        shown.text.contains("WorkOS itself would show an error here"),
        "{}",
        shown.text
    );

    app.set(json!({"homepage_url": "https://example.com/home"})).await;
    let page = app.sign_out(&app.signed_in().await, None).await;
    assert_eq!(page.location().as_str(), "https://example.com/home");
    let shown = Browser::new().visit(shown.url).await;
    assert!(!shown.text.contains("would show an error"), "{}", shown.text);

    let redirects = ["https://*.example.com/bye", "https://example.com/bye"];
    app.set(json!({"sign_out_redirect_uris": redirects})).await;
    let page = app.sign_out(&app.signed_in().await, None).await;
    assert_eq!(page.location().as_str(), "https://example.com/bye");
    let page = app
        .sign_out(&app.signed_in().await, Some("https://pr-7.example.com/bye"))
        .await;
    assert_eq!(page.location().as_str(), "https://pr-7.example.com/bye");

    // Wherever it cannot lead, the session is over.
    for foreign in [
        "https://pr-7.example.com@evil.test/bye",
        "https://evil.test\\.example.com/bye",
        "https://a.b.example.com/bye",
        "https://*.evil.test/bye",
        "http://pr-7.example.com/bye",
        "https://pr-7.example.com:8443/bye",
        "https://pr-7.example.com/bye/..",
        "https://ｅｖｉｌ.test/bye",
        "//evil.test/bye",
        "javascript:alert(1)",
        "",
    ] {
        let response = app.signed_in().await;
        let page = app.sign_out(&response, Some(foreign)).await;
        assert_eq!(page.status, 400, "{foreign}");
        assert!(!page.headers.contains_key(header::LOCATION), "{foreign}");
        assert!(page.text.contains("You are signed out, but cannot go there"));
        assert_eq!(sdk::refusal(app.refresh(&response).await), over());
    }
    assert!(app.sessions().await.is_empty());
}

/// An attacker begins a sign-in, plants its cookie in a victim's browser, and waits for the victim to sign in.
#[actix_web::test]
async fn a_planted_sign_in_does_not_become_the_attackers() {
    let app = Application::start(&["Acme", "Globex"]).await;
    let mallory = Browser::new();
    let begun = mallory.visit(app.authorization_url()).await;
    let ada = mallory.copy(begun.url.as_str());
    let picker = ada.sign_in(&begun, EMAIL, PASSWORD).await;
    assert_eq!((picker.status, picker.url.path()), (200, "/authkit/organization"));
    // The secret has changed with the password: what Mallory has opens nothing any more.
    let seen = mallory.visit(picker.url.as_str()).await;
    assert_eq!(seen.status, 400);
    assert!(!seen.text.contains("Acme") && !seen.text.contains(EMAIL));
    let choice = [("organization_id", app.organization_ids[0].as_str())];
    assert_eq!(mallory.submit_and_stop(&picker, &choice).await.status, 400);
    let done = ada.submit_and_stop(&picker, &choice).await;
    app.redeem(&done).await.unwrap();
    // And it is over for both.
    for browser in [&mallory, &ada] {
        assert_eq!(browser.submit_and_stop(&picker, &choice).await.status, 400);
        assert_eq!(browser.visit(begun.url.as_str()).await.status, 400);
    }
}

/// Two sign-ins in one browser do not meet, and the cookie of one is no key to the other.
#[actix_web::test]
async fn the_cookie_of_another_sign_in_opens_nothing() {
    let app = Application::start(&[]).await;
    let (ada, mallory) = (Browser::new(), Browser::new());
    let hers = ada.visit(app.authorization_url()).await;
    let own = mallory.visit(app.authorization_url()).await;
    assert_eq!(mallory.visit(hers.url.as_str()).await.status, 400);
    assert_eq!(mallory.submit(&hers, &[("email", EMAIL)]).await.status, 400);
    let page = mallory.submit(&own, &[("email", EMAIL)]).await;
    assert_eq!((page.status, page.url.path()), (200, "/authkit/password"));
}

/// Whoever the request says it was sent to: links and redirects name the address that the emulator was given.
#[actix_web::test]
async fn a_host_header_stands_in_no_link_where_the_address_is_known() {
    const PUBLIC: &str = "https://auth.example.com";
    let emulator = Emulator::builder().public_url(PUBLIC).start().await.unwrap();
    emulator.user(EMAIL).password(PASSWORD).create().unwrap();
    let url = |path: &str| format!("http://{}{path}", emulator.address());
    let hostile = [
        ("host", "evil.test"),
        ("x-forwarded-host", "evil.test"),
        ("x-forwarded-proto", "http"),
        ("forwarded", "host=evil.test;proto=http"),
        ("x-original-url", "https://evil.test/"),
        ("sec-fetch-mode", "navigate"),
    ];
    let send = async |request: reqwest::RequestBuilder| {
        let request = hostile
            .iter()
            .fold(request, |request, (name, value)| request.header(*name, *value));
        let answer = request.send().await.unwrap();
        let headers = format!("{:?}", answer.headers());
        let text = answer.text().await.unwrap();
        assert!(
            !headers.contains("evil") && !text.contains("evil"),
            "{headers} {text}"
        );
        assert!(
            headers.contains(PUBLIC) || text.contains(PUBLIC),
            "{headers} {text}"
        );
        (headers, text)
    };
    let client = http::client();
    let authorize = format!(
        "/user_management/authorize?client_id={}&redirect_uri={CALLBACK}&response_type=code&provider=authkit",
        emulator.client_id()
    );
    let (headers, _) = send(client.get(url(&authorize))).await;
    assert!(headers.contains("Secure"), "the cookie is for https: {headers}");
    let device = json!({"client_id": emulator.client_id()});
    send(
        client
            .post(url("/user_management/authorize/device"))
            .json(&device),
    )
    .await;
    let impersonation = json!({
        "email": EMAIL, "impersonator_email": "support@example.com", "redirect_uri": CALLBACK,
    });
    send(client.post(url("/_emulate/impersonations")).json(&impersonation)).await;
    let password = json!({
        "client_id": emulator.client_id(), "client_secret": emulator.api_key(),
        "grant_type": "password", "email": EMAIL, "password": PASSWORD,
    });
    let answer = client
        .post(url("/user_management/authenticate"))
        .header("host", "evil.test")
        .json(&password);
    let (_, tokens) = http::answer(answer).await;
    let token = tokens["access_token"].as_str().unwrap().to_owned();
    let claims = sdk::claims(&token.into());
    assert_eq!(
        claims["iss"],
        format!("{PUBLIC}/user_management/{}", emulator.client_id())
    );
    let sign_out = format!(
        "/user_management/sessions/logout?session_id={}",
        claims["sid"].as_str().unwrap()
    );
    send(client.get(url(&sign_out))).await;
}
