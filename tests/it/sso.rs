//! Single sign-on: from the application to the identity provider and back, by `sso/authorize` and through AuthKit.

use reqwest::{Method, Url};
use serde_json::{Value, json};
use workos::{
    SSOProvider,
    models::{SSOLogoutAuthorizeRequest, SSOTokenResponse, TokenQuery},
    sso::{AuthorizeLogoutParams, GetAuthorizationUrlParams, GetProfileAndTokenParams},
    user_management::AuthenticateWithCodeParams,
};
use workos_emulator::{Connection, Emulator, Organization, SsoProfile};

use crate::{
    browser::{Browser, Page},
    http,
    sdk::{self, refusal, refused},
    social::settings,
    sso_connections::{events, names},
};

const EMAIL: &str = "ada@acme.example";
const CALLBACK: &str = "http://localhost:3000/callback";

struct World {
    emulator: Emulator,
    acme: Organization,
    okta: Connection,
}

async fn world() -> World {
    let emulator = Emulator::start().await.unwrap();
    emulator.role("engineer").create().unwrap();
    let acme = emulator
        .organization("Acme")
        .domain("acme.example")
        .create()
        .unwrap();
    let ada = SsoProfile::new(EMAIL)
        .first_name("Ada")
        .last_name("Lovelace")
        .idp_id("00u1")
        .group("Engineering")
        .attribute("department", "Research");
    let okta = emulator
        .connection(&acme)
        .connection_type("OktaSAML")
        .group_role("Engineering", "engineer")
        .profile(ada)
        .create()
        .unwrap();
    World { emulator, acme, okta }
}

fn authorize(emulator: &Emulator, change: impl FnOnce(&mut GetAuthorizationUrlParams)) -> String {
    let mut params = GetAuthorizationUrlParams::new(CALLBACK);
    params.state = Some("a b+c&d=é".to_owned());
    change(&mut params);
    sdk::client(emulator).sso().get_authorization_url(params).unwrap()
}

fn parameter(url: &Url, name: &str) -> Option<String> {
    let found = url.query_pairs().find(|(key, _)| key == name);
    found.map(|(_, value)| value.into_owned())
}

/// Where a plain client is sent, which follows nothing.
async fn plain(url: &str) -> Url {
    let response = http::client().get(url).send().await.unwrap();
    assert_eq!(response.status(), 302);
    Url::parse(response.headers()["location"].to_str().unwrap()).unwrap()
}

fn code(back: &Url) -> String {
    assert!(back.as_str().starts_with(CALLBACK), "{back}");
    parameter(back, "code").unwrap_or_else(|| panic!("{back}"))
}

fn query(emulator: &Emulator, code: &str) -> TokenQuery {
    serde_json::from_value(json!({
        "client_id": emulator.client_id(), "client_secret": emulator.api_key(), "code": code,
        "grant_type": "authorization_code",
    }))
    .unwrap()
}

async fn redeem(emulator: &Emulator, code: &str) -> Result<SSOTokenResponse, workos::Error> {
    let params = GetProfileAndTokenParams::new(query(emulator, code));
    sdk::client(emulator).sso().get_profile_and_token(params).await
}

/// Answers the stand-in, and stops where the application would take over. That of a SAML connection has a form for WorkOS.
async fn answer(browser: &Browser, page: &Page, fields: &[(&str, &str)]) -> Page {
    let mut answered = browser.submit_and_stop(page, fields).await;
    if answered.status == 200 {
        answered = browser.submit_and_stop(&answered, &[]).await;
    }
    assert_eq!(answered.status, 303, "{}", answered.text);
    let callback = answered.location();
    let is_way_back = callback.path().starts_with("/sso/callback/") || callback.path() == "/sso/saml/finish";
    assert!(is_way_back, "{callback}");
    browser.step(callback.as_str()).await
}

#[actix_web::test]
async fn an_application_gets_the_profile_of_who_signed_in() {
    let World { emulator, acme, okta } = world().await;
    let browser = Browser::new();
    let url = authorize(&emulator, |params| params.connection = Some(okta.id.clone()));
    let page = browser.visit(&url).await;
    assert_eq!(
        (page.status, page.url.path()),
        (200, format!("/idp/{}", okta.id).as_str())
    );
    for text in [
        "Stand-in for Okta",
        "Ada Lovelace",
        EMAIL,
        "Engineering",
        "Deny access",
    ] {
        assert!(page.text.contains(text), "{text}: {}", page.text);
    }
    let (_, list) = http::call(
        &emulator,
        Method::PATCH,
        &format!("/_emulate/connections/{}", okta.id),
        &json!({}),
    )
    .await;
    let ada = list["profiles"][0]["id"].as_str().unwrap().to_owned();
    let back = answer(&browser, &page, &[("profile", &ada)]).await.location();
    assert_eq!(parameter(&back, "state").as_deref(), Some("a b+c&d=é"));
    let tokens = redeem(&emulator, &code(&back)).await.unwrap();
    assert_eq!((tokens.token_type.as_str(), tokens.expires_in), ("Bearer", 600));
    let profile = &tokens.profile;
    assert_eq!(profile.id, ada);
    assert_eq!(profile.organization_id, Some(acme.id.clone()));
    assert_eq!(
        (profile.connection_id.as_str(), profile.connection_type.as_str()),
        (okta.id.as_str(), "OktaSAML")
    );
    assert_eq!((profile.idp_id.as_str(), profile.email.as_str()), ("00u1", EMAIL));
    assert_eq!(profile.name.as_deref(), Some("Ada Lovelace"));
    assert_eq!(profile.groups.as_deref(), Some(&["Engineering".to_owned()][..]));
    assert_eq!(profile.role.as_ref().unwrap().slug, "engineer");
    assert_eq!(profile.roles.as_ref().unwrap()[0].slug, "engineer");
    assert_eq!(profile.raw_attributes["department"], "Research");
    let token = tokens.access_token.expose().to_owned();
    let sso = sdk::client(&emulator);
    assert_eq!(sso.sso().get_profile(token.clone()).await.unwrap().id, ada);

    let told = events(&emulator, "authentication.sso").await;
    assert_eq!(
        names(&told),
        ["authentication.sso_started", "authentication.sso_succeeded"]
    );
    for (_, data) in &told {
        assert_eq!(data["sso"]["connection_id"], json!(okta.id));
        assert_eq!(data["sso"]["organization_id"], json!(acme.id));
        assert!(data["sso"]["session_id"].is_string() && data["ip_address"].is_string());
    }
    assert_eq!(told[1].1["email"], EMAIL);
    // The token dies after ten minutes, and is none of AuthKit's.
    emulator.clock().advance(std::time::Duration::from_secs(601));
    let unauthorized = http::answer(
        http::client()
            .get(format!("{}/sso/profile", emulator.url()))
            .bearer_auth(&token),
    )
    .await;
    assert_eq!(unauthorized, (401, json!({"error": "Unauthorized"})));
}

#[actix_web::test]
async fn a_plain_client_goes_through_at_once() {
    let World { emulator, acme, okta } = world().await;
    for (name, value) in [
        ("organization", acme.id.as_str()),
        ("connection", okta.id.as_str()),
        ("domain", "acme.example"),
    ] {
        let url = authorize(&emulator, |params| {
            params.login_hint = Some(" ADA@acme.example".to_owned());
        });
        let back = plain(&format!("{url}&{name}={value}")).await;
        let tokens = redeem(&emulator, &code(&back)).await.unwrap();
        assert_eq!(tokens.profile.idp_id, "00u1", "{name}");
    }
    let new = plain(&authorize(&emulator, |params| {
        params.connection = Some(okta.id.clone());
        params.login_hint = Some("grace@acme.example".to_owned());
    }))
    .await;
    let grace = redeem(&emulator, &code(&new)).await.unwrap().profile;
    assert_eq!(grace.email, "grace@acme.example");
    assert_eq!(
        grace.role.unwrap().slug,
        "member",
        "no group is mapped: the default role"
    );
}

#[actix_web::test]
async fn every_wrong_request_is_told_to_the_application() {
    let World { emulator, acme, okta } = world().await;
    let other = emulator.organization("Globex").create().unwrap();
    let off = emulator
        .organization("Off")
        .domain("off.example")
        .create()
        .unwrap();
    let inactive = emulator.connection(&off).inactive().create().unwrap();
    emulator
        .connection(&acme)
        .connection_type("AzureSAML")
        .create()
        .unwrap();
    let raw = |query: &str| {
        let client = emulator.client_id();
        format!(
            "{}/sso/authorize?client_id={client}&redirect_uri={CALLBACK}&state=s&{query}",
            emulator.url()
        )
    };
    for (query, error) in [
        (
            "response_type=token&provider=GoogleOAuth".to_owned(),
            "unsupported_response_type",
        ),
        ("response_type=code".to_owned(), "invalid_connection_selector"),
        (
            "response_type=code&provider=Google".to_owned(),
            "invalid_connection_selector",
        ),
        (
            format!(
                "response_type=code&connection={}&organization={}",
                okta.id, acme.id
            ),
            "ambiguous_connection_selector",
        ),
        (
            format!("response_type=code&organization={}", acme.id),
            "ambiguous_connection_selector",
        ),
        (
            format!("response_type=code&organization={}", other.id),
            "organization_invalid",
        ),
        (
            "response_type=code&organization=org_none".to_owned(),
            "organization_invalid",
        ),
        (
            "response_type=code&connection=conn_none".to_owned(),
            "connection_invalid",
        ),
        (
            format!("response_type=code&connection={}", inactive.id),
            "connection_unlinked",
        ),
        (
            format!("response_type=code&organization={}", off.id),
            "connection_unlinked",
        ),
        (
            "response_type=code&domain=nobody.example".to_owned(),
            "connection_domain_invalid",
        ),
        (
            "response_type=code&domain=off.example".to_owned(),
            "connection_unlinked",
        ),
    ] {
        let back = plain(&raw(&query)).await;
        assert_eq!(parameter(&back, "error").as_deref(), Some(error), "{query}");
        assert!(parameter(&back, "error_description").is_some());
        assert_eq!(parameter(&back, "state").as_deref(), Some("s"));
    }
    settings(&emulator, json!({"sso_domain_selector": false})).await;
    let back = plain(&raw("response_type=code&domain=acme.example")).await;
    let error = parameter(&back, "error");
    assert_eq!(error.as_deref(), Some("domain_connection_selector_not_allowed"));
    for _ in 0..2 {
        let google = json!({"connection_type": "GoogleOAuth"});
        assert_eq!(
            http::call(&emulator, Method::POST, "/_emulate/connections", &google)
                .await
                .0,
            201
        );
    }
    let back = plain(&raw("response_type=code&provider=GoogleOAuth")).await;
    assert_eq!(
        parameter(&back, "error").as_deref(),
        Some("connection_strategy_invalid")
    );
    // A wrong client or redirect URI leads nowhere.
    let good = raw(&format!("response_type=code&connection={}", okta.id));
    for wrong in [
        good.replace("localhost:3000", "evil.example"),
        good.replace(emulator.client_id(), "app"),
    ] {
        assert_eq!(http::client().get(wrong).send().await.unwrap().status(), 400);
    }
}

#[actix_web::test]
async fn a_code_is_good_once_soon_and_for_its_client() {
    let World { emulator, okta, .. } = world().await;
    let fresh = async || {
        let back = plain(&authorize(&emulator, |params| {
            params.connection = Some(okta.id.clone());
            params.login_hint = Some(EMAIL.to_owned());
        }))
        .await;
        code(&back)
    };
    let used = fresh().await;
    redeem(&emulator, &used).await.unwrap();
    let over = (
        400,
        json!({"error": "invalid_grant", "error_description": "The code has expired or has already been used."}),
    );
    let post = async |body: Value| {
        let url = format!("{}/sso/token", emulator.url());
        http::answer(http::client().post(url).json(&body)).await
    };
    let body = |code: &str| json!({"client_id": emulator.client_id(), "client_secret": emulator.api_key(), "grant_type": "authorization_code", "code": code});
    assert_eq!(post(body(&used)).await, over);
    let old = fresh().await;
    emulator.clock().advance(std::time::Duration::from_secs(601));
    assert_eq!(post(body(&old)).await, over);
    // Another environment's secret opens nothing, and neither does another client of this one.
    let foreign = emulator.environment("other").unwrap();
    let theirs = fresh().await;
    let mut with_foreign = body(&theirs);
    with_foreign["client_secret"] = json!(foreign.api_key());
    let (status, refused) = post(with_foreign).await;
    assert_eq!((status, &refused["error"]), (400, &json!("invalid_client")));
    assert_eq!(refused["error_description"], "Invalid client ID or secret.");
    let mut in_foreign = body(&theirs);
    in_foreign["client_id"] = json!(foreign.client_id());
    in_foreign["client_secret"] = json!(foreign.api_key());
    assert_eq!(post(in_foreign).await, over);
    let mut alias = body(&theirs);
    alias["client_id"] = json!("client_another");
    assert_eq!(post(alias).await, over);
    assert_eq!(post(body(&theirs)).await, over, "who presents a code uses it up");
    let mut wrong = body(&fresh().await);
    wrong["grant_type"] = json!("password");
    assert_eq!(post(wrong).await.1["error"], "unsupported_grant_type");
    let mut public = body(&fresh().await);
    public.as_object_mut().unwrap().remove("client_secret");
    assert_eq!(post(public).await.1["error"], "unauthorized_client");
    // As a form, and in the query.
    let url = format!("{}/sso/token", emulator.url());
    let fields = body(&fresh().await);
    let form = http::client().post(&url).form(&fields);
    assert_eq!(http::answer(form).await.0, 200);
    let code = fresh().await;
    let url = format!(
        "{url}?client_id={}&client_secret={}&grant_type=authorization_code&code={code}",
        emulator.client_id(),
        emulator.api_key()
    );
    assert_eq!(http::answer(http::client().post(url)).await.0, 200);
    let (status, missing) = post(json!({"client_id": "client_x", "grant_type": "authorization_code"})).await;
    assert_eq!((status, &missing["errors"][0]["field"]), (422, &json!("code")));
}

#[actix_web::test]
async fn a_profile_outside_of_the_domains_is_refused() {
    let World { emulator, acme, okta } = world().await;
    let url = authorize(&emulator, |params| {
        params.connection = Some(okta.id.clone());
        params.login_hint = Some("eve@globex.example".to_owned());
    });
    let error = "profile_not_allowed_outside_organization";
    assert_eq!(parameter(&plain(&url).await, "error").as_deref(), Some(error));
    let told = events(&emulator, "authentication.sso").await;
    assert_eq!(
        names(&told),
        ["authentication.sso_started", "authentication.sso_failed"]
    );
    assert_eq!(told[1].1["error"]["code"], error);
    assert_eq!(told[1].1["email"], "eve@globex.example");
    let trace = format!("/_emulate/sso/traces?connection_id={}", okta.id);
    let (_, traces) = http::call(&emulator, Method::GET, &trace, &Value::Null).await;
    let newest = &traces["data"][0];
    assert_eq!(
        (&newest["status"], &newest["error"]["code"]),
        (&json!("failed"), &json!(error))
    );
    let last = newest["steps"].as_array().unwrap().last().unwrap();
    assert_eq!(
        (&last["step"], &last["passed"]),
        (&json!("domain"), &json!(false))
    );
    assert!(
        last["detail"]
            .as_str()
            .unwrap()
            .contains("globex.example is no verified domain of Acme"),
        "{last}"
    );
    let allow = json!({"allow_profiles_outside_organization": true});
    http::call(
        &emulator,
        Method::PUT,
        &format!("/organizations/{}", acme.id),
        &allow,
    )
    .await;
    let profile = redeem(&emulator, &code(&plain(&url).await))
        .await
        .unwrap()
        .profile;
    assert_eq!(profile.email, "eve@globex.example");
}

#[actix_web::test]
async fn the_identity_provider_can_refuse_and_fail() {
    let World { emulator, okta, .. } = world().await;
    for (decision, error) in [("deny", "access_denied"), ("error", "server_error")] {
        let browser = Browser::new();
        let url = authorize(&emulator, |params| params.connection = Some(okta.id.clone()));
        let page = browser.visit(&url).await;
        let back = answer(&browser, &page, &[("decision", decision)])
            .await
            .location();
        assert_eq!(parameter(&back, "error").as_deref(), Some(error));
        assert_eq!(parameter(&back, "state").as_deref(), Some("a b+c&d=é"));
    }
    // Who never comes back times out, on the clock.
    let url = authorize(&emulator, |params| params.connection = Some(okta.id.clone()));
    Browser::new().visit(&url).await;
    emulator.clock().advance(std::time::Duration::from_secs(601));
    let told = events(&emulator, "authentication.sso").await;
    assert_eq!(names(&told).last(), Some(&"authentication.sso_timed_out"));
    assert!(told.last().unwrap().1["error"]["code"].is_string());
}

#[actix_web::test]
async fn an_answer_counts_once_in_the_browser_that_asked_for_its_connection() {
    let World { emulator, acme, .. } = world().await;
    // SAML has answers of its own: see `saml.rs`.
    let connection = |kind: &str| emulator.connection(&acme).connection_type(kind).create().unwrap();
    let (okta, second) = (connection("OktaOIDC"), connection("EntraIdOIDC"));
    let start = async |browser: &Browser, id: &str| {
        let url = authorize(&emulator, |params| params.connection = Some(id.to_owned()));
        browser.visit(&url).await
    };
    let browser = Browser::new();
    let page = start(&browser, &okta.id).await;
    let typed = [("email", EMAIL)];
    let callback = browser.submit_and_stop(&page, &typed).await.location();
    // A victim's browser is not signed in as the attacker.
    assert_eq!(Browser::new().step(callback.as_str()).await.status, 400);
    // Nor is the answer of one connection that of another, or without its state.
    let elsewhere = callback.as_str().replace(&okta.id, &second.id);
    assert_eq!(browser.step(&elsewhere).await.status, 400);
    let back = browser.step(callback.as_str()).await.location();
    code(&back);
    assert_eq!(browser.step(callback.as_str()).await.status, 400, "once");
    // An answer to one sign-in is none to another one.
    let (one, two) = (start(&browser, &okta.id).await, start(&browser, &okta.id).await);
    let of_one = browser.submit_and_stop(&one, &typed).await.location();
    let of_two = browser.submit_and_stop(&two, &typed).await.location();
    let stolen = of_two.as_str().replace(
        &parameter(&of_two, "code").unwrap(),
        &parameter(&of_one, "code").unwrap(),
    );
    let back = browser.step(&stolen).await.location();
    assert_eq!(parameter(&back, "error").as_deref(), Some("server_error"));
    // An answer that somebody asked for does not pass for one that nobody did.
    let page = start(&browser, &okta.id).await;
    let asked = browser.submit_and_stop(&page, &typed).await.location();
    let code = parameter(&asked, "code").unwrap();
    let unsolicited = format!(
        "{}/sso/callback/{}?client_id={}&code={code}",
        emulator.url(),
        okta.id,
        emulator.client_id()
    );
    assert_eq!(browser.step(&unsolicited).await.status, 400);
}

async fn idp_initiated(browser: &Browser, emulator: &Emulator, okta: &Connection, relay_state: &str) -> Page {
    let url = format!(
        "{}/idp/{}?client_id={}",
        emulator.url(),
        okta.id,
        emulator.client_id()
    );
    let page = browser.visit(&url).await;
    assert!(page.text.contains("from the dashboard of Acme"), "{}", page.text);
    let typed = [("email", EMAIL), ("relay_state", relay_state)];
    answer(browser, &page, &typed).await
}

#[actix_web::test]
async fn people_begin_at_their_identity_provider() {
    let World { emulator, acme, okta } = world().await;
    let browser = Browser::new();
    assert_eq!(
        idp_initiated(&browser, &emulator, &okta, "").await.status,
        400,
        "there is no default redirect URI"
    );
    for uri in [CALLBACK, "http://localhost:3000/other"] {
        http::call(
            &emulator,
            Method::POST,
            "/user_management/redirect_uris",
            &json!({"uri": uri}),
        )
        .await;
    }
    let asked = idp_initiated(&browser, &emulator, &okta, "redirect_uri=http://evil.example/").await;
    let consent = browser.visit(asked.location().as_str()).await;
    assert!(
        consent.text.contains("Is this you?") && consent.text.contains(EMAIL),
        "{}",
        consent.text
    );
    assert_eq!(Browser::new().visit(consent.url.as_str()).await.status, 400);
    let denied = browser
        .submit_and_stop(&consent, &[("decision", "cancel")])
        .await
        .location();
    assert_eq!(
        parameter(&denied, "error").as_deref(),
        Some("signin_consent_denied")
    );
    let asked = idp_initiated(&browser, &emulator, &okta, "").await;
    let consent = browser.visit(asked.location().as_str()).await;
    let back = browser
        .submit_and_stop(&consent, &[("decision", "continue")])
        .await
        .location();
    assert!(
        back.as_str().starts_with(&format!("{CALLBACK}?code=")) && parameter(&back, "state").is_none(),
        "{back}"
    );
    let profile = redeem(&emulator, &code(&back)).await.unwrap().profile;
    assert_eq!(profile.email, EMAIL);
    // This browser has agreed; RelayState leads elsewhere, and AuthKit takes the code as well.
    let again = idp_initiated(
        &browser,
        &emulator,
        &okta,
        "redirect_uri=http%3A%2F%2Flocalhost%3A3000%2Fother",
    )
    .await;
    let back = again.location();
    assert_eq!(back.path(), "/other");
    let params = AuthenticateWithCodeParams::new(parameter(&back, "code").unwrap());
    let tokens = sdk::client(&emulator)
        .user_management()
        .authenticate_with_code(params)
        .await
        .unwrap();
    assert_eq!(tokens.organization_id, Some(acme.id.clone()));
    let off = json!({"idp_initiated_sso": false});
    http::call(
        &emulator,
        Method::PATCH,
        &format!("/_emulate/connections/{}", okta.id),
        &off,
    )
    .await;
    let back = idp_initiated(&browser, &emulator, &okta, "").await.location();
    assert_eq!(
        parameter(&back, "error").as_deref(),
        Some("idp_initiated_sso_disabled")
    );
    assert_eq!(parameter(&back, "connection_id"), Some(okta.id));
    assert_eq!(parameter(&back, "organization_id"), Some(acme.id));
}

#[actix_web::test]
async fn a_provider_of_social_login_gives_a_profile_too() {
    let emulator = Emulator::start().await.unwrap();
    emulator.user("ada@gmail.com").first_name("Ada").create().unwrap();
    settings(&emulator, json!({"return_oauth_tokens": true})).await;
    let browser = Browser::new();
    let url = authorize(&emulator, |params| {
        params.provider = Some(SSOProvider::GoogleOAuth)
    });
    let stand_in = browser.visit(&url).await;
    assert!(stand_in.text.contains("Stand-in for Google"), "{}", stand_in.text);
    let answered = browser
        .submit_and_stop(&stand_in, &[("account", "ada@gmail.com")])
        .await;
    let back = browser.step(answered.location().as_str()).await.location();
    let tokens = redeem(&emulator, &code(&back)).await.unwrap();
    assert_eq!(tokens.profile.organization_id, None);
    assert_eq!(tokens.profile.connection_type.as_str(), "GoogleOAuth");
    assert_eq!(tokens.profile.first_name.as_deref(), Some("Ada"));
    assert_eq!(tokens.oauth_tokens.unwrap().provider, "GoogleOAuth");
    let told = events(&emulator, "authentication.").await;
    assert_eq!(
        names(&told),
        ["authentication.sso_started", "authentication.sso_succeeded"]
    );
    // A code of AuthKit gives no profile.
    let authkit = format!(
        "{}/user_management/authorize?client_id={}&redirect_uri={CALLBACK}&response_type=code&provider=authkit&login_hint=ada@gmail.com",
        emulator.url(),
        emulator.client_id()
    );
    let refused = refused(redeem(&emulator, &code(&plain(&authkit).await)).await);
    assert_eq!(refused.status, 400);
}

#[actix_web::test]
async fn only_generic_oidc_connections_log_out_there() {
    let World { emulator, acme, okta } = world().await;
    let oidc = emulator
        .connection(&acme)
        .connection_type("GenericOIDC")
        .create()
        .unwrap();
    let client = sdk::client(&emulator);
    let mut ids = Vec::new();
    for connection in [&okta, &oidc] {
        let back = plain(&authorize(&emulator, |params| {
            params.connection = Some(connection.id.clone());
            params.login_hint = Some(EMAIL.to_owned());
        }))
        .await;
        ids.push(redeem(&emulator, &code(&back)).await.unwrap().profile.id);
    }
    let allow = async |id: &str| {
        let body: SSOLogoutAuthorizeRequest = serde_json::from_value(json!({"profile_id": id})).unwrap();
        client
            .sso()
            .authorize_logout(AuthorizeLogoutParams::new(body))
            .await
    };
    let refused = refused(allow(&ids[0]).await);
    let body: Value = serde_json::from_slice(&refused.raw_body).unwrap();
    let expected = json!({"error": "connection_invalid", "error_description": "Single Logout is only supported for GenericOIDC connections."});
    assert_eq!((refused.status, body), (400, expected));
    assert_eq!(refusal(allow("prof_none").await).0, 404);
    let allowed = allow(&ids[1]).await.unwrap();
    let out = plain(allowed.logout_url.expose()).await;
    assert_eq!(out.path(), format!("/idp/{}/signed-out", oidc.id));
    assert!(
        Browser::new()
            .visit(out.as_str())
            .await
            .text
            .contains("You are signed out")
    );
    let again = http::client()
        .get(allowed.logout_url.expose())
        .send()
        .await
        .unwrap();
    assert_eq!(again.status(), 404, "once");
    let off = json!({"state": "inactive"});
    http::call(
        &emulator,
        Method::PATCH,
        &format!("/_emulate/connections/{}", oidc.id),
        &off,
    )
    .await;
    let (status, body) = http::call(
        &emulator,
        Method::POST,
        "/sso/logout/authorize",
        &json!({"profile_id": ids[1]}),
    )
    .await;
    assert_eq!((status, &body["error"]), (400, &json!("unauthorized_client")));
}

fn authkit(emulator: &Emulator, more: &str) -> String {
    format!(
        "{}/user_management/authorize?client_id={}&redirect_uri={CALLBACK}&response_type=code&state=s&{more}",
        emulator.url(),
        emulator.client_id()
    )
}

#[actix_web::test]
async fn authkit_finds_the_connection_by_the_address() {
    let World { emulator, acme, okta } = world().await;
    let browser = Browser::new();
    let page = browser.visit(authkit(&emulator, "provider=authkit")).await;
    let idp = browser.submit(&page, &[("email", "Ada@Acme.example")]).await;
    assert_eq!(idp.url.path(), format!("/idp/{}", okta.id), "{}", idp.text);
    let people = format!("/_emulate/connections/{}", okta.id);
    let (_, body) = http::call(&emulator, Method::PATCH, &people, &json!({})).await;
    let back = answer(
        &browser,
        &idp,
        &[("profile", body["profiles"][0]["id"].as_str().unwrap())],
    )
    .await;
    let params = AuthenticateWithCodeParams::new(code(&back.location()));
    let tokens = sdk::client(&emulator)
        .user_management()
        .authenticate_with_code(params)
        .await
        .unwrap();
    assert_eq!(tokens.authentication_method.unwrap().as_str(), "SSO");
    assert_eq!(tokens.organization_id, Some(acme.id.clone()));
    assert_eq!(
        (tokens.user.email.as_str(), tokens.user.email_verified),
        (EMAIL, true)
    );
    assert_eq!(tokens.user.first_name.as_deref(), Some("Ada"));
    let claims = sdk::claims(&tokens.access_token);
    assert_eq!(
        (&claims["role"], &claims["org_id"]),
        (&json!("engineer"), &json!(acme.id))
    );
    let sessions = format!("/user_management/users/{}/sessions", tokens.user.id);
    let (_, sessions) = http::call(&emulator, Method::GET, &sessions, &Value::Null).await;
    assert_eq!(sessions["data"][0]["auth_method"], "sso");
    let told = events(&emulator, "").await;
    let told = names(&told);
    let from = told
        .iter()
        .position(|name| *name == "authentication.sso_started")
        .unwrap();
    assert_eq!(
        told[from..],
        [
            "authentication.sso_started",
            "user.created",
            "authentication.sso_succeeded",
            "organization_membership.created",
            "session.created",
        ]
    );
    let succeeded = events(&emulator, "authentication.sso_succeeded").await;
    assert_eq!(succeeded[0].1["user_id"], json!(tokens.user.id));
}

#[actix_web::test]
async fn who_could_come_through_sso_comes_no_other_way() {
    let World { emulator, acme, okta } = world().await;
    emulator
        .user(EMAIL)
        .password("correct horse battery")
        .create()
        .unwrap();
    let with_password = json!({
        "client_id": emulator.client_id(), "client_secret": emulator.api_key(), "grant_type": "password",
        "email": EMAIL, "password": "correct horse battery",
    });
    let (status, body) = http::call(
        &emulator,
        Method::POST,
        "/user_management/authenticate",
        &with_password,
    )
    .await;
    assert_eq!((status, &body["error"]), (400, &json!("sso_required")));
    assert_eq!(
        (&body["connection_ids"], &body["email"]),
        (&json!([okta.id]), &json!(EMAIL))
    );
    assert_eq!(body["pending_authentication_token"], Value::Null);
    let policy = json!({"domain_policy": {"auth_methods": ["SSO", "GoogleOAuth"]}});
    http::call(
        &emulator,
        Method::PATCH,
        &format!("/_emulate/organizations/{}", acme.id),
        &policy,
    )
    .await;
    let (_, body) = http::call(
        &emulator,
        Method::POST,
        "/user_management/authenticate",
        &with_password,
    )
    .await;
    assert_eq!(body["error"], "organization_authentication_methods_required");
    assert_eq!(body["sso_connection_ids"], json!([okta.id]));
    // Without its connection the organization's people come as they did before.
    let clear = json!({"domain_policy": {"auth_methods": ["SSO"]}});
    http::call(
        &emulator,
        Method::PATCH,
        &format!("/_emulate/organizations/{}", acme.id),
        &clear,
    )
    .await;
    sdk::client(&emulator)
        .sso()
        .delete_connection(&okta.id)
        .await
        .unwrap();
    let (status, _) = http::call(
        &emulator,
        Method::POST,
        "/user_management/authenticate",
        &with_password,
    )
    .await;
    assert_eq!(status, 200);
}

#[actix_web::test]
async fn a_required_connection_is_the_organizations_own() {
    let World { emulator, okta, .. } = world().await;
    let globex = emulator.organization("Globex").require_sso().create().unwrap();
    let ada = emulator
        .user(EMAIL)
        .member_of(&globex, "member")
        .create()
        .unwrap();
    let keycloak = emulator
        .connection(&globex)
        .connection_type("KeycloakSAML")
        .create()
        .unwrap();
    let browser = Browser::new();
    // AuthKit is asked for Globex, and the address leads to Acme's provider.
    let page = browser
        .visit(authkit(
            &emulator,
            &format!("provider=authkit&organization_id={}", globex.id),
        ))
        .await;
    let idp = browser.submit(&page, &[("email", EMAIL)]).await;
    assert_eq!(idp.url.path(), format!("/idp/{}", okta.id));
    let wanted = answer(&browser, &idp, &[("email", EMAIL)]).await;
    let page = browser.visit(wanted.location().as_str()).await;
    assert!(
        page.text.contains("Globex requires single sign-on"),
        "{}",
        page.text
    );
    let idp = browser.submit(&page, &[("connection_id", &keycloak.id)]).await;
    assert_eq!(idp.url.path(), format!("/idp/{}", keycloak.id));
    // Globex has not verified the domain: it does not know people by such addresses.
    let refused = answer(&browser, &idp, &[("email", EMAIL)]).await;
    let page = browser.visit(refused.location().as_str()).await;
    assert!(
        page.text.contains("not one of your organization"),
        "{}",
        page.text
    );
    assert!(ada.id.starts_with("user_"));
}

#[actix_web::test]
async fn an_administrator_takes_over_nobody_of_another_domain() {
    let emulator = Emulator::start().await.unwrap();
    let victim = emulator
        .user("victim@bank.example")
        .password("correct horse battery")
        .create()
        .unwrap();
    let evil = emulator
        .organization("Evil")
        .domain("evil.example")
        .create()
        .unwrap();
    let allow = json!({"allow_profiles_outside_organization": true});
    http::call(
        &emulator,
        Method::PUT,
        &format!("/organizations/{}", evil.id),
        &allow,
    )
    .await;
    let connection = emulator
        .connection(&evil)
        .connection_type("OktaSAML")
        .create()
        .unwrap();
    let url = authkit(
        &emulator,
        &format!("connection_id={}&login_hint=victim@bank.example", connection.id),
    );
    let sdk = sdk::client(&emulator);
    let params = AuthenticateWithCodeParams::new(code(&plain(&url).await));
    let refused = refused(sdk.user_management().authenticate_with_code(params).await);
    assert_eq!(
        (refused.status, refused.code.as_deref()),
        (403, Some("email_verification_required"))
    );
    let (_, memberships) = http::call(
        &emulator,
        Method::GET,
        &format!("/user_management/organization_memberships?user_id={}", victim.id),
        &Value::Null,
    )
    .await;
    assert_eq!(memberships["data"], json!([]), "guests are not provisioned");
    assert_eq!(events(&emulator, "session.created").await, []);
}

#[actix_web::test]
async fn authorize_takes_a_connection_and_an_organization() {
    let World { emulator, acme, okta } = world().await;
    for more in [
        format!("connection_id={}", okta.id),
        format!("organization_id={}", acme.id),
    ] {
        let browser = Browser::new();
        let page = browser.visit(authkit(&emulator, &more)).await;
        assert_eq!(page.url.path(), format!("/idp/{}", okta.id));
        let denied = answer(&browser, &page, &[("decision", "deny")]).await.location();
        assert_eq!(parameter(&denied, "error").as_deref(), Some("access_denied"));
        assert_eq!(parameter(&denied, "state").as_deref(), Some("s"));
    }
    let url = authkit(
        &emulator,
        &format!("organization_id={}&login_hint={EMAIL}", acme.id),
    );
    let params = AuthenticateWithCodeParams::new(code(&plain(&url).await));
    let sdk = sdk::client(&emulator);
    let first = sdk
        .user_management()
        .authenticate_with_code(params)
        .await
        .unwrap();
    // The profile stays the user's when its address changes at the provider.
    let renamed = json!({"email": "ada.lovelace@acme.example", "idp_id": "00u1"});
    let path = format!("/idp/{}", okta.id);
    let browser = Browser::new();
    let page = browser
        .visit(authkit(&emulator, &format!("connection_id={}", okta.id)))
        .await;
    assert_eq!(page.url.path(), path);
    let fields = [("email", renamed["email"].as_str().unwrap()), ("idp_id", "00u1")];
    let back = answer(&browser, &page, &fields).await.location();
    let params = AuthenticateWithCodeParams::new(code(&back));
    let second = sdk
        .user_management()
        .authenticate_with_code(params)
        .await
        .unwrap();
    assert_eq!(second.user.id, first.user.id);
    assert_eq!(second.user.email, "ada.lovelace@acme.example");
    // Deleting the user lets go of the profile.
    sdk.user_management().delete_user(&first.user.id).await.unwrap();
    let params = AuthenticateWithCodeParams::new(code(&plain(&url).await));
    let third = sdk
        .user_management()
        .authenticate_with_code(params)
        .await
        .unwrap();
    assert_ne!(third.user.id, first.user.id);
}

#[actix_web::test]
async fn a_validating_connection_becomes_active_by_its_first_sign_in_and_is_traced() {
    let emulator = Emulator::start().await.unwrap();
    let acme = emulator
        .organization("Acme")
        .domain("acme.example")
        .create()
        .unwrap();
    let connection = emulator
        .connection(&acme)
        .connection_type("OktaSAML")
        .validating()
        .create()
        .unwrap();
    let back = plain(&authorize(&emulator, |params| {
        params.connection = Some(connection.id.clone());
        params.login_hint = Some(EMAIL.to_owned());
    }))
    .await;
    redeem(&emulator, &code(&back)).await.unwrap();
    assert_eq!(
        names(&events(&emulator, "connection.").await),
        ["connection.activated"]
    );
    let (_, traces) = http::call(&emulator, Method::GET, "/_emulate/sso/traces", &Value::Null).await;
    let trace = &traces["data"][0];
    assert_eq!(
        (&trace["status"], &trace["email"]),
        (&json!("succeeded"), &json!(EMAIL))
    );
    let steps: Vec<_> = trace["steps"]
        .as_array()
        .unwrap()
        .iter()
        .map(|step| step["step"].as_str().unwrap())
        .collect();
    assert_eq!(
        steps,
        [
            "request",
            "departure",
            "response",
            "correlation",
            "connection",
            "attributes",
            "domain",
            "profile",
            "code",
            "exchange"
        ]
    );
    let one = format!("/_emulate/sso/traces/{}", trace["id"].as_str().unwrap());
    assert_eq!(
        http::call(&emulator, Method::GET, &one, &Value::Null).await,
        (200, trace.clone())
    );
    let page = Browser::new()
        .visit(format!("{}/sso/traces", emulator.url()))
        .await;
    assert!(
        page.text.contains("Succeeded") && page.text.contains("acme.example is a verified domain of Acme")
    );
}
