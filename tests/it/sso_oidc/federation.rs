//! Whole sign-ins through a provider that means well.

use reqwest::{Method, Url};
use serde_json::{Value, json};
use workos::user_management::AuthenticateWithCodeParams;
use workos_emulator::Emulator;

use super::{CALLBACK, Issuer, World, follow, issuer::Signing, parameter, steps};
use crate::{browser::Browser, http, sdk, sso_connections::events};

const EMAIL: &str = "ada@acme.example";
const PASSWORD: &str = "correct horse battery";

/// An emulator whose Connect application is the provider, and a connection of another emulator to it.
async fn two_emulators(connection_type: &str) -> (Emulator, World) {
    let provider = Emulator::start().await.unwrap();
    let ada = provider.user(EMAIL).first_name("Ada").last_name("Lovelace");
    ada.password(PASSWORD).create().unwrap();
    let discovery = format!("{}/.well-known/openid-configuration", provider.url());
    let world = World::start(connection_type, &discovery, &json!({})).await;
    let application = provider
        .connect_application("Acme's identity provider")
        .redirect_uri(&world.redirect_uri)
        .create()
        .unwrap();
    let change = json!({"oidc_options": {
        "client_id": application.client_id, "client_secret": application.client_secret,
    }});
    let path = format!("/connections/{}", world.connection_id);
    let (status, body) = http::call(&world.emulator, Method::PATCH, &path, &change).await;
    assert_eq!(status, 200, "{body}");
    (provider, world)
}

/// Signs Ada in at the provider, and gives where that leads.
async fn at_provider(browser: &Browser, provider: &Emulator, begin: &str) -> Url {
    let page = browser.visit(begin).await;
    assert_eq!(page.url.path(), "/authkit/sign-in", "{}", page.text);
    assert!(page.url.as_str().starts_with(provider.url()), "{}", page.url);
    let page = browser.submit(&page, &[("email", EMAIL)]).await;
    let page = browser.submit_and_stop(&page, &[("password", PASSWORD)]).await;
    page.location()
}

#[actix_web::test]
async fn another_emulator_signs_people_in() {
    let (provider, world) = two_emulators("GenericOIDC").await;
    let browser = Browser::new();
    let back = at_provider(&browser, &provider, &world.authorize_url()).await;
    assert!(back.as_str().starts_with(&world.redirect_uri), "{back}");
    // The connection was set up by hand, so that the person is asked.
    let consent = browser.visit(back.as_str()).await;
    assert!(
        consent.text.contains("Is this you?") && consent.text.contains(EMAIL),
        "{}",
        consent.text
    );
    let back = browser
        .submit_and_stop(&consent, &[("decision", "continue")])
        .await
        .location();
    assert_eq!(parameter(&back, "state").as_deref(), Some("a b"));
    let profile = world.redeem(&back).await.profile;
    assert_eq!(profile.email, EMAIL);
    assert_eq!(profile.first_name.as_deref(), Some("Ada"));
    assert_eq!(profile.last_name.as_deref(), Some("Lovelace"));
    assert!(profile.idp_id.starts_with("user_"), "{}", profile.idp_id);
    let told = events(&world.emulator, "").await;
    let told: Vec<_> = told.iter().map(|(name, _)| name.as_str()).collect();
    assert!(told.contains(&"connection.activated"), "{told:?}");
    let trace = world.trace().await;
    let all: Vec<_> = steps(&trace).map(|(step, passed, _)| (step, passed)).collect();
    let expected = [
        "request",
        "discovery",
        "departure",
        "token_request",
        "id_token_signature",
        "id_token_issuer",
        "id_token_audience",
        "id_token_times",
        "id_token_nonce",
        "response",
        "correlation",
        "connection",
        "attributes",
        "domain",
        "profile",
        "roles",
        "consent",
        "code",
        "exchange",
    ];
    assert_eq!(all, expected.map(|step| (step, true)), "{trace:#}");
    assert_eq!(trace["status"], "succeeded");
}

#[actix_web::test]
async fn authkit_finds_it_by_the_address() {
    let (provider, world) = two_emulators("OktaOIDC").await;
    // It is not validating any more, so that AuthKit offers it.
    let active = json!({"state": "active"});
    let path = format!("/_emulate/connections/{}", world.connection_id);
    http::call(&world.emulator, Method::PATCH, &path, &active).await;
    let authkit = format!(
        "{}/user_management/authorize?client_id={}&redirect_uri={CALLBACK}&response_type=code&state=s&provider=authkit",
        world.emulator.url(),
        world.emulator.client_id()
    );
    let browser = Browser::new();
    let page = browser.visit(&authkit).await;
    let at_provider_page = browser.submit(&page, &[("email", EMAIL)]).await;
    assert!(
        at_provider_page.url.as_str().starts_with(provider.url()),
        "{}",
        at_provider_page.url
    );
    assert!(at_provider_page.text.contains(EMAIL), "the address is handed on");
    let page = browser.submit(&at_provider_page, &[("email", EMAIL)]).await;
    let back = browser
        .submit_and_stop(&page, &[("password", PASSWORD)])
        .await
        .location();
    let back = follow(&browser, back.as_str()).await;
    let params = AuthenticateWithCodeParams::new(parameter(&back, "code").unwrap());
    let tokens = sdk::client(&world.emulator)
        .user_management()
        .authenticate_with_code(params)
        .await
        .unwrap();
    assert_eq!(tokens.authentication_method.unwrap().as_str(), "SSO");
    assert_eq!(tokens.organization_id, Some(world.acme.id.clone()));
    assert_eq!(
        (tokens.user.email.as_str(), tokens.user.email_verified),
        (EMAIL, true)
    );
    assert_eq!(tokens.user.first_name.as_deref(), Some("Ada"));
}

#[actix_web::test]
async fn claims_become_the_profile() {
    let issuer = Issuer::start();
    let world = World::at(&issuer, &json!({})).await;
    let back = world.sign_in(&Browser::new()).await;
    let profile = world.redeem(&back).await.profile;
    let profile = serde_json::to_value(&profile).unwrap();
    assert_eq!(profile["idp_id"], "u-1");
    assert_eq!(profile["email"], EMAIL);
    assert_eq!(profile["groups"], json!(["Engineering"]));
    assert_eq!(profile["role"], json!({"slug": "engineer"}));
    assert_eq!(profile["custom_attributes"], json!({"department": "Research"}));
    assert_eq!(
        profile["raw_attributes"],
        json!({
            "sub": "u-1", "email": "Ada@Acme.example", "given_name": "Ada", "family_name": "Lovelace",
            "groups": ["Engineering"], "department": "Research",
        })
    );
    assert_eq!(
        issuer.calls(),
        ["discovery", "authorize", "token by basic", "jwks"],
        "nothing lacked, so that userinfo was not asked"
    );
    // What is known already is not asked for again; after five minutes it is.
    world.sign_in(&Browser::new()).await;
    assert_eq!(issuer.calls(), ["authorize", "token by basic"]);
}

#[actix_web::test]
async fn what_the_token_lacks_is_asked_for() {
    let issuer = Issuer::start();
    let world = World::at(&issuer, &json!({})).await;
    let lacking = |more: Value| {
        issuer.behave(|behaviour| {
            let nothing = json!({"email": null, "given_name": null, "family_name": "L.", "groups": null});
            behaviour.claims = nothing.as_object().unwrap().clone();
            behaviour.userinfo = more;
        });
    };
    lacking(json!({
        "sub": "u-1", "email": EMAIL, "given_name": "Ada", "family_name": "Byron", "groups": "Engineering",
    }));
    let back = world.sign_in(&Browser::new()).await;
    let profile = world.redeem(&back).await.profile;
    assert_eq!(profile.email, EMAIL);
    assert_eq!(profile.first_name.as_deref(), Some("Ada"));
    assert_eq!(profile.last_name.as_deref(), Some("L."), "what is signed counts");
    assert_eq!(profile.groups, Some(vec!["Engineering".to_owned()]));
    let trace = world.trace().await;
    let info = steps(&trace).find(|(step, ..)| *step == "user_info").unwrap();
    assert!(info.1 && info.2.contains("email"), "{info:?}");

    // It speaks of somebody else.
    lacking(json!({"sub": "u-2", "email": EMAIL}));
    let (error, red) = world.refused().await;
    assert_eq!(error, "server_error");
    assert!(red[0].0 == "user_info" && red[0].1.contains("u-2"), "{red:?}");
    // It knows no more.
    lacking(json!({"sub": "u-1"}));
    let (error, red) = world.refused().await;
    assert_eq!(error, "server_error");
    assert_eq!(red[0].0, "attributes", "{red:?}");
    issuer.behave(|behaviour| {
        behaviour.claims.insert("email".to_owned(), Value::Null);
        behaviour.userinfo_status = 503;
    });
    let (_, red) = world.refused().await;
    assert!(red[0].0 == "user_info" && red[0].1.contains("503"), "{red:?}");
}

#[actix_web::test]
async fn other_algorithms_and_new_keys_are_taken() {
    let issuer = Issuer::start();
    let world = World::at(&issuer, &json!({})).await;
    for (signing, kid) in [
        (Signing::Ps256, Some("rsa-1")),
        (Signing::Es256, Some("ec-1")),
        // There is only one of the kind.
        (Signing::Es256, None),
        // The keys were renewed.
        (Signing::Rs256, Some("rsa-2")),
    ] {
        issuer.behave(|behaviour| {
            behaviour.signing = signing;
            behaviour.kid = kid.map(str::to_owned);
        });
        let back = world.sign_in(&Browser::new()).await;
        assert_eq!(world.redeem(&back).await.profile.email, EMAIL, "{signing:?}");
    }
    assert_eq!(issuer.calls().iter().filter(|call| *call == "jwks").count(), 2);
}

#[actix_web::test]
async fn a_plain_client_is_sent_to_the_provider_too() {
    let issuer = Issuer::start();
    let world = World::at(&issuer, &json!({})).await;
    for url in [
        format!("{}&login_hint={EMAIL}", world.authorize_url()),
        format!(
            "{}/user_management/authorize?client_id={}&redirect_uri={CALLBACK}&response_type=code&connection_id={}\
             &login_hint={EMAIL}",
            world.emulator.url(),
            world.emulator.client_id(),
            world.connection_id
        ),
    ] {
        let response = http::client().get(url).send().await.unwrap();
        let location = response.headers()["location"].to_str().unwrap();
        assert!(location.contains("/sso/oidc/"), "{location}");
    }
    // The stand-in has no say.
    let idp = format!(
        "{}/idp/{}?client_id={}",
        world.emulator.url(),
        world.connection_id,
        world.emulator.client_id()
    );
    assert_eq!(Browser::new().visit(&idp).await.status, 400);
}

#[actix_web::test]
async fn other_environments_and_forks_have_their_own_sign_ins() {
    let issuer = Issuer::start();
    let world = World::at(&issuer, &json!({})).await;
    let fork = world.emulator.fork("fork").unwrap();
    let url = world
        .authorize_url()
        .replace(world.emulator.client_id(), fork.client_id());
    let back = follow(&Browser::new(), &url).await;
    assert!(parameter(&back, "code").is_some(), "{back}");
    let (_, traces) = http::call(&fork, Method::GET, "/_emulate/sso/traces", &Value::Null).await;
    assert_eq!(traces["data"].as_array().unwrap().len(), 1);
    assert_eq!(
        world.trace().await,
        Value::Null,
        "the other one knows nothing of it"
    );
}
