//! What an application asks, and what it gets.

use reqwest::Method;
use serde_json::{Value, json};

use super::{CALLBACK, EMAIL, World, answer, authorize, code, parameter, plain, redeem, world};
use crate::{
    browser::Browser,
    http, sdk,
    social::settings,
    sso_connections::{events, names},
};

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
