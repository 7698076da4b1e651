//! Sign-ins through the SDK: with a password, with a code, on the hosted pages; refresh, organizations, sign-out.

use reqwest::{Url, header, redirect::Policy};
use serde_json::{Value, json};
use workos::{
    Error, UserManagementAuthenticationProvider, generate_pkce_pair,
    user_management::{
        AuthenticateWithCodeParams, AuthenticateWithOrganizationSelectionParams,
        AuthenticateWithPasswordParams, AuthenticateWithRefreshTokenParams, CreateRedirectUriParams,
        GetAuthorizationUrlParams, GetLogoutUrlParams,
    },
};
use workos_emulator::Emulator;

use crate::{
    http,
    sdk::{self, refusal},
};

const EMAIL: &str = "ada@example.com";
const PASSWORD: &str = "correct horse battery";
const CALLBACK: &str = "http://localhost:3000/callback";

/// A browser, as far as it matters: it keeps cookies, and shows where it is sent.
fn browser() -> reqwest::Client {
    let navigation = [("sec-fetch-mode", "navigate")].map(|(name, value)| {
        let name = header::HeaderName::from_static(name);
        (name, header::HeaderValue::from_static(value))
    });
    let builder = http::builder().default_headers(navigation.into_iter().collect());
    builder
        .cookie_store(true)
        .redirect(Policy::none())
        .build()
        .unwrap()
}

async fn create(emulator: &Emulator, path: &str, body: Value) -> String {
    let request = http::client()
        .post(format!("{}{path}", emulator.url()))
        .bearer_auth("sk_test_default");
    let created: Value = request.json(&body).send().await.unwrap().json().await.unwrap();
    created["id"]
        .as_str()
        .unwrap_or_else(|| panic!("{created}"))
        .to_owned()
}

/// An emulator with Ada, a member of these organizations.
async fn emulator_with_ada<const N: usize>(organizations: [&str; N]) -> (Emulator, [String; N]) {
    let emulator = Emulator::start().await.unwrap();
    let user_id = create(
        &emulator,
        "/user_management/users",
        json!({"email": EMAIL, "password": PASSWORD, "email_verified": true}),
    )
    .await;
    let mut ids = organizations.map(str::to_owned);
    for id in &mut ids {
        *id = create(&emulator, "/organizations", json!({"name": id})).await;
        let membership = json!({"user_id": user_id, "organization_id": id});
        create(&emulator, "/user_management/organization_memberships", membership).await;
    }
    (emulator, ids)
}

fn location(response: &reqwest::Response) -> Url {
    let location = response.headers()[header::LOCATION].to_str().unwrap();
    response.url().join(location).unwrap()
}

fn parameter(url: &Url, name: &str) -> String {
    let found = url.query_pairs().find(|(key, _)| key == name);
    found
        .unwrap_or_else(|| panic!("{url} has no {name}"))
        .1
        .into_owned()
}

fn authorization_url(emulator: &Emulator, change: impl FnOnce(&mut GetAuthorizationUrlParams)) -> String {
    let mut params = GetAuthorizationUrlParams::new(CALLBACK);
    params.provider = Some(UserManagementAuthenticationProvider::Authkit);
    change(&mut params);
    let sdk = sdk::client(emulator);
    sdk.user_management().get_authorization_url(params).unwrap()
}

#[actix_web::test]
async fn a_password_gives_tokens_which_are_refreshed() {
    let (emulator, [acme]) = emulator_with_ada(["Acme"]).await;
    let sdk = sdk::client(&emulator);
    let users = sdk.user_management();
    let params = AuthenticateWithPasswordParams::new(EMAIL, PASSWORD);
    let first = users.authenticate_with_password(params).await.unwrap();
    assert_eq!(
        (first.user.email.as_str(), first.organization_id.as_deref()),
        (EMAIL, Some(acme.as_str()))
    );
    assert!(first.user.metadata.is_none());

    let refresh = || AuthenticateWithRefreshTokenParams::new(first.refresh_token.expose());
    let second = users.authenticate_with_refresh_token(refresh()).await.unwrap();
    let replayed = users.authenticate_with_refresh_token(refresh()).await.unwrap();
    assert_ne!(first.refresh_token.expose(), second.refresh_token.expose());
    assert_eq!(second.refresh_token.expose(), replayed.refresh_token.expose());
    assert_eq!(second.access_token.expose(), replayed.access_token.expose());

    let wrong = AuthenticateWithPasswordParams::new(EMAIL, "wrong");
    let refused = users.authenticate_with_password(wrong).await;
    assert_eq!(refusal(refused), (400, "invalid_credentials".to_owned()));
}

#[actix_web::test]
async fn a_public_client_signs_in_with_pkce_and_no_page() {
    let (emulator, []) = emulator_with_ada([]).await;
    let pkce = generate_pkce_pair().unwrap();
    let url = authorization_url(&emulator, |params| {
        params.login_hint = Some(EMAIL.to_owned());
        params.state = Some("a b+c&d=é".to_owned());
        params.code_challenge = Some(pkce.code_challenge.clone());
        params.code_challenge_method = Some(pkce.code_challenge_method.to_owned());
    });
    let back = location(&http::client().get(url).send().await.unwrap());
    assert!(back.as_str().starts_with(CALLBACK));
    assert_eq!(parameter(&back, "state"), "a b+c&d=é");

    let public = sdk::with_api_key(&emulator, "");
    let mut params = AuthenticateWithCodeParams::new(parameter(&back, "code"));
    params.code_verifier = Some(pkce.code_verifier.into());
    let tokens = public
        .user_management()
        .authenticate_with_code(params)
        .await
        .unwrap();
    assert_eq!(tokens.user.email, EMAIL);
    let refresh = AuthenticateWithRefreshTokenParams::new(tokens.refresh_token.expose());
    public
        .user_management()
        .authenticate_with_refresh_token(refresh)
        .await
        .unwrap();
}

#[actix_web::test]
async fn a_browser_signs_in_on_the_hosted_pages_and_out_again() {
    let (emulator, [_, globex]) = emulator_with_ada(["Acme", "Globex"]).await;
    let sdk = sdk::client(&emulator);
    let browser = browser();
    let url = authorization_url(&emulator, |params| params.state = Some("s".to_owned()));
    let page = location(&browser.get(url).send().await.unwrap());
    assert_eq!(page.path(), "/authkit/sign-in");
    let shown = browser.get(page.clone()).send().await.unwrap();
    assert!(shown.text().await.unwrap().contains("<h1>Sign in</h1>"));

    let submit = async |path: &str, field: (&str, &str)| {
        let session = parameter(&page, "authorization_session_id");
        let fields = [
            ("client_id", "client_emulate"),
            ("authorization_session_id", &session),
            field,
        ];
        let form = browser.post(format!("{}{path}", emulator.url())).form(&fields);
        form.header("sec-fetch-site", "same-origin").send().await.unwrap()
    };
    submit("/authkit/sign-in", ("email", EMAIL)).await;
    let picker = submit("/authkit/password", ("password", PASSWORD)).await;
    assert_eq!(picker.status(), 303);
    let shown = browser.get(location(&picker)).send().await.unwrap();
    assert!(shown.text().await.unwrap().contains("Globex"));
    let back = submit("/authkit/organization", ("organization_id", &globex)).await;
    let back = location(&back);
    assert_eq!(parameter(&back, "state"), "s");

    let params = AuthenticateWithCodeParams::new(parameter(&back, "code"));
    let tokens = sdk
        .user_management()
        .authenticate_with_code(params)
        .await
        .unwrap();
    assert_eq!(tokens.organization_id.as_ref(), Some(&globex));

    let jwks: Value = http::client()
        .get(format!("{}/sso/jwks/client_emulate", emulator.url()))
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    assert_eq!(jwks["keys"].as_array().unwrap().len(), 1);

    let sessions = sdk
        .user_management()
        .list_sessions(&tokens.user.id, Default::default())
        .await;
    let session_id = sessions.unwrap().data[0].id.clone();
    let mut params = GetLogoutUrlParams::new(session_id);
    params.return_to = Some("http://localhost:3000/".to_owned());
    let url = sdk.user_management().get_logout_url(params).unwrap();
    let signed_out = browser.get(url).send().await.unwrap();
    assert_eq!(location(&signed_out).as_str(), "http://localhost:3000/");
    let refresh = AuthenticateWithRefreshTokenParams::new(tokens.refresh_token.expose());
    let refused = sdk
        .user_management()
        .authenticate_with_refresh_token(refresh)
        .await;
    assert_eq!(refusal(refused), (400, "invalid_grant".to_owned()));
}

#[actix_web::test]
async fn an_organization_is_selected_where_there_are_several() {
    let (emulator, [_, globex]) = emulator_with_ada(["Acme", "Globex"]).await;
    let sdk = sdk::client(&emulator);
    let params = AuthenticateWithPasswordParams::new(EMAIL, PASSWORD);
    let Error::Api(refused) = sdk
        .user_management()
        .authenticate_with_password(params)
        .await
        .unwrap_err()
    else {
        panic!("not an answer of the API");
    };
    assert_eq!(
        (refused.status, refused.code.as_deref()),
        (403, Some("organization_selection_required"))
    );
    let body: Value = serde_json::from_slice(&refused.raw_body).unwrap();
    let token = body["pending_authentication_token"].as_str().unwrap();
    let params = AuthenticateWithOrganizationSelectionParams::new(token, &globex);
    let tokens = sdk
        .user_management()
        .authenticate_with_organization_selection(params)
        .await
        .unwrap();
    assert_eq!(tokens.organization_id, Some(globex));
}

#[actix_web::test]
async fn redirect_uris_are_free_on_loopback_until_one_is_registered() {
    let emulator = Emulator::start().await.unwrap();
    emulator.user(EMAIL).create().unwrap();
    let authorize = async |redirect_uri: &str| {
        let query = [
            ("client_id", emulator.client_id()),
            ("response_type", "code"),
            ("provider", "authkit"),
            ("login_hint", EMAIL),
            ("redirect_uri", redirect_uri),
        ];
        let url = format!("{}/user_management/authorize", emulator.url());
        let request = http::client().get(Url::parse_with_params(&url, query).unwrap());
        let response = request.send().await.unwrap();
        let location = response
            .headers()
            .get("location")
            .map(|location| location.to_str().unwrap().to_owned());
        location.is_some_and(|location| location.starts_with(&format!("{redirect_uri}?code=")))
    };
    assert!(authorize("http://localhost:3000/callback").await);
    assert!(!authorize("https://evil.example/callback").await);
    let uri = serde_json::from_value(json!({"uri": "http://localhost:8080/callback"})).unwrap();
    let registered = sdk::client(&emulator)
        .user_management()
        .create_redirect_uri(CreateRedirectUriParams::new(uri))
        .await;
    assert_eq!(registered.unwrap().uri, "http://localhost:8080/callback");
    assert!(authorize("http://localhost:8080/callback").await);
    for other in [
        "http://localhost:3000/callback",
        "http://localhost:8080/callback/x",
        "http://localhost:8080/other",
    ] {
        assert!(!authorize(other).await, "{other}");
    }
}
