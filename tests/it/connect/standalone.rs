//! Standalone Connect: people sign in at an application instead of at AuthKit.

use reqwest::{Method, Url};
use serde_json::{Value, json};
use workos::{
    connect::CompleteOAuth2Params,
    models::{UserConsentOption, UserConsentOptionChoice, UserManagementLoginRequest, UserObject},
};
use workos_emulator::ConnectApplication;

use super::{EMAIL, World, error as callback_error, parameter};
use crate::{
    browser::Browser,
    http,
    sdk::{self, refusal},
};

const LOGIN: &str = "https://app.example/auth/login?from=workos";

async fn standalone() -> World {
    let world = World::start().await;
    world.set(json!({"connect": {"login_uri": LOGIN}})).await;
    world
}

/// Begins a sign-in, which leads to the application, and gives the id that it gets.
async fn begin(world: &World, browser: &Browser, application: &ConnectApplication) -> String {
    let page = browser.step(world.authorize_url(application, &[]).as_str()).await;
    let login = page.location();
    assert!(login.as_str().starts_with(LOGIN), "{login}");
    let id = parameter(&login, "external_auth_id").unwrap();
    assert!(id.starts_with("ext_auth_"));
    id
}

fn person(id: &str, email: &str) -> UserObject {
    UserObject {
        id: id.to_owned(),
        email: email.to_owned(),
        first_name: Some("Marcelina".to_owned()),
        last_name: None,
        name: None,
        metadata: Some([("department".to_owned(), "Engineering".to_owned())].into()),
    }
}

async fn complete(
    world: &World,
    id: &str,
    user: UserObject,
    options: Option<Vec<UserConsentOption>>,
) -> Result<Url, workos::Error> {
    let body = UserManagementLoginRequest {
        external_auth_id: id.to_owned(),
        user,
        user_consent_options: options,
    };
    let sdk = sdk::client(&world.emulator);
    let completed = sdk
        .connect()
        .complete_oauth_2(CompleteOAuth2Params::new(body))
        .await?;
    Ok(completed.redirect_uri.parse().unwrap())
}

async fn user(world: &World, external_id: &str) -> Value {
    let path = format!("/user_management/users/external_id/{external_id}");
    let (status, user) = http::call(&world.emulator, Method::GET, &path, &Value::Null).await;
    assert_eq!(status, 200);
    user
}

#[actix_web::test]
async fn a_person_who_signed_in_elsewhere_comes_back_with_a_code() {
    let world = standalone().await;
    let browser = Browser::new();
    let id = begin(&world, &browser, &world.first).await;
    let back = complete(&world, &id, person("u1", "marcelina@example.com"), None)
        .await
        .unwrap();
    assert!(back.as_str().starts_with(world.emulator.url()));
    let callback = browser.step(back.as_str()).await.location();
    let code = parameter(&callback, "code").unwrap_or_else(|| panic!("{callback}"));
    let (_, tokens) = world.redeem(&world.first, &code).await;
    let made = user(&world, "u1").await;
    assert_eq!(made["metadata"], json!({"department": "Engineering"}));
    assert_eq!(
        (&made["first_name"], &made["email_verified"]),
        (&json!("Marcelina"), &json!(false))
    );
    assert_eq!(world.verified(&tokens["access_token"]).await["sub"], made["id"]);
    assert_eq!(world.event_names().await, ["user.created", "user.created"]);
    assert_eq!(browser.visit(back.as_str()).await.status, 400, "it is over");

    // The same person comes again: nothing has changed, and then the name and the address.
    for (email, name, events) in [
        ("marcelina@example.com", "Marcelina", 2),
        ("new@example.com", "Marce", 3),
    ] {
        let browser = Browser::new();
        let id = begin(&world, &browser, &world.first).await;
        let mut person = person("u1", email);
        person.first_name = Some(name.to_owned());
        let back = complete(&world, &id, person, None).await.unwrap();
        assert!(parameter(&browser.step(back.as_str()).await.location(), "code").is_some());
        let seen = user(&world, "u1").await;
        assert_eq!(
            (&seen["id"], &seen["email"], &seen["first_name"]),
            (&made["id"], &json!(email), &json!(name))
        );
        assert_eq!(world.event_names().await.len(), events);
    }
}

#[actix_web::test]
async fn consent_and_choices_are_asked_for_afterwards() {
    let world = standalone().await;
    let browser = Browser::new();
    let id = begin(&world, &browser, &world.third).await;
    let choice = |value: &str| UserConsentOptionChoice {
        value: Some(value.to_owned()),
        label: Some(value.to_uppercase()),
    };
    let option = |claim: &str| UserConsentOption {
        claim: claim.to_owned(),
        type_: "enum".to_owned(),
        label: "Environment".to_owned(),
        choices: vec![choice("prod_us"), choice("prod_eu")],
    };
    let options = Some(vec![option("urn:example:tenant")]);
    let back = complete(&world, &id, person("u1", "marcelina@example.com"), options)
        .await
        .unwrap();
    let page = browser.visit(back.as_str()).await;
    assert_eq!(page.url.path(), "/authkit/consent", "{}", page.text);
    assert!(page.text.contains("PROD_EU") && page.text.contains("Environment"));
    for value in ["", "prod_mars"] {
        let refused = browser
            .submit(&page, &[("decision", "allow"), ("option_0", value)])
            .await;
        assert_eq!(refused.status, 400, "{value}");
    }
    let answer = [("decision", "allow"), ("option_0", "prod_eu")];
    let callback = browser.submit_and_stop(&page, &answer).await.location();
    let (_, tokens) = world
        .redeem(&world.third, &parameter(&callback, "code").unwrap())
        .await;
    let claims = world.verified(&tokens["access_token"]).await;
    assert_eq!(claims["urn:example:tenant"], "prod_eu");
}

#[actix_web::test]
async fn only_the_browser_that_began_goes_on() {
    let world = standalone().await;
    let browser = Browser::new();
    let id = begin(&world, &browser, &world.first).await;
    let back = complete(&world, &id, person("u1", "marcelina@example.com"), None)
        .await
        .unwrap();
    assert_eq!(Browser::new().visit(back.as_str()).await.status, 400);
    let guess = back
        .as_str()
        .replace(&parameter(&back, "state").unwrap(), "guess");
    assert_eq!(browser.visit(guess).await.status, 400);
    assert!(parameter(&browser.step(back.as_str()).await.location(), "code").is_some());
}

#[actix_web::test]
async fn what_is_wrong_is_refused() {
    let world = standalone().await;
    let browser = Browser::new();
    let marcelina = || person("u1", "marcelina@example.com");
    let unknown = complete(&world, "ext_auth_1", marcelina(), None).await;
    assert_eq!(refusal(unknown), (404, "entity_not_found".to_owned()));

    let id = begin(&world, &browser, &world.first).await;
    for (email, code) in [(EMAIL, "email_not_available"), ("marcelina", "invalid_email")] {
        let refused = complete(&world, &id, person("u1", email), None).await;
        assert_eq!(refusal(refused), (400, code.to_owned()));
    }
    let options = |claim: &str| {
        Some(vec![UserConsentOption {
            claim: claim.to_owned(),
            type_: "enum".to_owned(),
            label: "A".to_owned(),
            choices: vec![UserConsentOptionChoice {
                value: Some("a".to_owned()),
                label: Some("A".to_owned()),
            }],
        }])
    };
    let first_party = complete(&world, &id, marcelina(), options("a")).await;
    assert_eq!(
        refusal(first_party),
        (400, "user_consent_options_not_supported".to_owned())
    );
    complete(&world, &id, marcelina(), None).await.unwrap();
    let twice = complete(&world, &id, marcelina(), None).await;
    assert_eq!(
        refusal(twice),
        (400, "external_auth_session_already_completed".to_owned())
    );

    let id = begin(&world, &browser, &world.third).await;
    let path = "/authkit/oauth2/complete";
    let body = json!({
        "external_auth_id": id, "user": {"id": "u1", "email": "marcelina@example.com"},
        "user_consent_options": [
            {"claim": "sub", "type": "enum", "label": "A", "choices": [{"value": "a", "label": "A"}]},
        ],
    });
    let reserved = http::call(&world.emulator, Method::POST, path, &body).await;
    assert_eq!(
        reserved,
        (
            400,
            json!({"error": "Bad Request", "message": "Claim \"sub\" is reserved and cannot be used."})
        )
    );
    let body = json!({"external_auth_id": id, "user": {"email": "marcelina@example.com"}});
    let (status, answer) = http::call(&world.emulator, Method::POST, path, &body).await;
    assert_eq!((status, &answer["errors"][0]["field"]), (422, &json!("user.id")));
    world.advance(600);
    let late = complete(&world, &id, marcelina(), None).await;
    assert_eq!(refusal(late), (404, "entity_not_found".to_owned()));
}

#[actix_web::test]
async fn the_way_back_is_open_for_a_while_only() {
    let world = standalone().await;
    let browser = Browser::new();
    let id = begin(&world, &browser, &world.first).await;
    world.advance(599);
    let back = complete(&world, &id, person("u1", "marcelina@example.com"), None)
        .await
        .unwrap();
    world.advance(1);
    assert_eq!(browser.visit(back.as_str()).await.status, 400);
    // Programs still sign in at once.
    let callback = world.at_once(&world.first, &[]).await;
    assert!(parameter(&callback, "code").is_some());
    assert_eq!(
        callback_error(&world.at_once(&world.first, &[("response_type", "x")]).await),
        "unsupported_response_type"
    );
}
