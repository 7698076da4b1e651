//! Passkeys on the hosted pages, by an authenticator in software; the SDK redeems the code.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};
use workos::{
    AuthenticateResponseAuthenticationMethod, UserSessionsAuthMethod,
    models::{AuthenticateResponse, AuthenticationPasskeyFailedData, AuthenticationPasskeySucceededData},
    user_management::AuthenticateWithCodeParams,
};
use workos_emulator::Emulator;

use crate::{
    browser::{Browser, Page},
    http, sdk,
    software_authenticator::SoftwareAuthenticator,
};

const EMAIL: &str = "ada@example.com";
const PASSWORD: &str = "correct horse battery";
const CALLBACK: &str = "http://localhost:3000/callback";

const CREATE: &str = "/authkit/passkey/create";
const CREATE_OPTIONS: &str = "/authkit/passkey/create/options";
pub(crate) const GET: &str = "/authkit/passkey";
const GET_OPTIONS: &str = "/authkit/passkey/options";

/// An emulator with passkeys, by the name that a browser would use.
pub(crate) struct Site {
    pub(crate) emulator: Emulator,
    url: String,
    user_id: String,
}

impl Site {
    pub(crate) async fn start(organizations: &[&str]) -> Self {
        let emulator = Emulator::start().await.unwrap();
        let mut ada = emulator.user(EMAIL).password(PASSWORD);
        for name in organizations {
            ada = ada.member_of(&emulator.organization(*name).create().unwrap(), "member");
        }
        let user_id = ada.create().unwrap().id;
        let site = Self {
            url: emulator.url().replace("127.0.0.1", "localhost"),
            emulator,
            user_id,
        };
        site.set(json!({"sign_in_methods": {"passkey": true}})).await;
        site
    }

    async fn set(&self, settings: Value) {
        let (status, _) = http::call(&self.emulator, Method::PATCH, "/_emulate/settings", &settings).await;
        assert_eq!(status, 200);
    }

    /// The sign-in page, opened from an application.
    pub(crate) async fn sign_in_page(&self, browser: &Browser) -> Page {
        let page = browser.visit(format!(
            "{}/user_management/authorize?client_id={}&redirect_uri={CALLBACK}&response_type=code&provider=authkit",
            self.url,
            self.emulator.client_id()
        ));
        page.await
    }

    /// The offer, after the password.
    async fn offer(&self, browser: &Browser) -> Page {
        let page = browser
            .sign_in(&self.sign_in_page(browser).await, EMAIL, PASSWORD)
            .await;
        assert_eq!((page.status, page.url.path()), (200, CREATE));
        page
    }

    /// Ada, signed out, with a passkey.
    pub(crate) async fn enrolled(&self) -> SoftwareAuthenticator {
        let browser = Browser::new();
        let mut authenticator = SoftwareAuthenticator::new(&self.url);
        let page = self.offer(&browser).await;
        let options = browser.submit_to(CREATE_OPTIONS, &page, &[]).await.json();
        let credential = authenticator.create(&options).to_string();
        let done = browser
            .submit_to(CREATE, &page, &[("credential", &credential)])
            .await;
        self.redeem(&done).await;
        authenticator
    }

    /// An answer of the authenticator to the challenge of this sign-in.
    pub(crate) async fn answer(
        &self,
        browser: &Browser,
        page: &Page,
        authenticator: &mut SoftwareAuthenticator,
    ) -> String {
        let options = browser.submit_to(GET_OPTIONS, page, &[]).await.json();
        authenticator.get(&options).to_string()
    }

    pub(crate) async fn redeem(&self, page: &Page) -> AuthenticateResponse {
        assert_eq!(page.status, 303, "{}", page.text);
        let url = page.location();
        assert!(url.as_str().starts_with(CALLBACK), "{url}");
        let (_, code) = url.query_pairs().find(|(name, _)| name == "code").unwrap();
        let params = AuthenticateWithCodeParams::new(code.into_owned());
        sdk::client(&self.emulator)
            .user_management()
            .authenticate_with_code(params)
            .await
            .unwrap()
    }

    /// Names and data of the events of sign-ins, in their order.
    async fn events(&self) -> Vec<(String, Value)> {
        let (_, list) = http::call(
            &self.emulator,
            Method::GET,
            "/events?order=asc&limit=100",
            &Value::Null,
        )
        .await;
        let events = list["data"].as_array().unwrap().iter();
        events
            .map(|event| (event["event"].as_str().unwrap().to_owned(), event["data"].clone()))
            .filter(|(name, _)| name.starts_with("authentication."))
            .collect()
    }
}

fn is_over(page: &Page) -> bool {
    page.status == 400 && page.text.contains("This sign-in is over")
}

fn is_refused(page: &Page) -> bool {
    page.status == 400 && page.text.contains("This passkey was not accepted.")
}

#[actix_web::test]
async fn a_passkey_signs_in_as_method_and_session_say() {
    let site = Site::start(&["Acme"]).await;
    let mut authenticator = site.enrolled().await;
    let browser = Browser::new();
    let page = site.sign_in_page(&browser).await;
    let answer = site.answer(&browser, &page, &mut authenticator).await;
    let done = browser.submit_to(GET, &page, &[("credential", &answer)]).await;
    let response = site.redeem(&done).await;
    assert_eq!(
        response.authentication_method,
        Some(AuthenticateResponseAuthenticationMethod::Passkey)
    );
    assert_eq!(
        (response.user.email.as_str(), response.organization_id.is_some()),
        (EMAIL, true)
    );
    let sessions = sdk::client(&site.emulator)
        .user_management()
        .list_sessions(&site.user_id, Default::default())
        .await
        .unwrap();
    let methods: Vec<_> = sessions.data.iter().map(|session| &session.auth_method).collect();
    assert_eq!(
        methods,
        [
            &UserSessionsAuthMethod::Passkey,
            &UserSessionsAuthMethod::Password
        ]
    );
    let events = site.events().await;
    let names: Vec<_> = events.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(
        names,
        [
            "authentication.password_succeeded",
            "authentication.passkey_succeeded"
        ]
    );
    let data: AuthenticationPasskeySucceededData = serde_json::from_value(events[1].1.clone()).unwrap();
    assert_eq!(
        (data.user_id, data.email, data.type_.as_str()),
        (site.user_id, EMAIL.to_owned(), "passkey")
    );
}

/// A password alone makes no key that opens everything: the offer comes when all else is done.
#[actix_web::test]
async fn nobody_makes_a_passkey_before_the_last_gate() {
    let site = Site::start(&["Acme", "Globex"]).await;
    let browser = Browser::new();
    let begun = site.sign_in_page(&browser).await;
    assert!(is_over(&browser.submit_to(CREATE_OPTIONS, &begun, &[]).await));
    let picker = browser.sign_in(&begun, EMAIL, PASSWORD).await;
    assert_eq!(picker.url.path(), "/authkit/organization");
    assert!(is_over(&browser.submit_to(CREATE_OPTIONS, &picker, &[]).await));
    // Neither with the challenge that the sign-in page has, nor by declining what was not offered.
    let options = browser.submit_to(GET_OPTIONS, &picker, &[]).await.json();
    let creation = json!({
        "rp": {"id": "localhost"}, "user": {"id": ""}, "challenge": options["challenge"],
    });
    let credential = SoftwareAuthenticator::new(&site.url)
        .create(&creation)
        .to_string();
    for field in [
        ("credential", credential.as_str()),
        ("decision", "later"),
        ("decision", "never"),
    ] {
        assert!(
            is_over(&browser.submit_to(CREATE, &picker, &[field]).await),
            "{field:?}"
        );
    }
    let early = picker.url.as_str().replace("/authkit/organization", CREATE);
    assert!(is_over(&browser.visit(early).await));
}

#[actix_web::test]
async fn the_offer_is_for_the_browser_that_signed_in() {
    let site = Site::start(&[]).await;
    let (ada, mallory) = (Browser::new(), Browser::new());
    let page = site.offer(&ada).await;
    assert!(is_over(&mallory.submit_to(CREATE_OPTIONS, &page, &[]).await));
    let options = ada.submit_to(CREATE_OPTIONS, &page, &[]).await.json();
    let credential = SoftwareAuthenticator::new(&site.url).create(&options).to_string();
    let fields = [("credential", credential.as_str())];
    assert!(is_over(&mallory.submit_to(CREATE, &page, &fields).await));
    site.redeem(&ada.submit_to(CREATE, &page, &fields).await).await;
    assert!(
        is_over(&ada.submit_to(CREATE, &page, &fields).await),
        "it is used"
    );
}

#[actix_web::test]
async fn a_refused_registration_can_be_tried_again_with_a_new_challenge() {
    let site = Site::start(&[]).await;
    let browser = Browser::new();
    let page = site.offer(&browser).await;
    let mut authenticator = SoftwareAuthenticator::new("https://evil.example");
    let options = browser.submit_to(CREATE_OPTIONS, &page, &[]).await.json();
    let foreign = authenticator.create(&options).to_string();
    authenticator.origin.clone_from(&site.url);
    let right = authenticator.create(&options).to_string();
    for credential in [foreign.as_str(), right.as_str(), "{}", "", "nonsense", "[[[[[["] {
        let refused = browser
            .submit_to(CREATE, &page, &[("credential", credential)])
            .await;
        assert_eq!(refused.status, 400, "{credential}");
        assert!(
            refused.text.contains("The passkey was not created."),
            "{}",
            refused.text
        );
    }
    let options = browser.submit_to(CREATE_OPTIONS, &page, &[]).await.json();
    let credential = authenticator.create(&options).to_string();
    let done = browser
        .submit_to(CREATE, &page, &[("credential", &credential)])
        .await;
    site.redeem(&done).await;
}

/// Answers that were heard elsewhere: in the sign-in of another browser, on another site, for another domain, twice, late.
#[actix_web::test]
async fn an_answer_is_good_in_one_sign_in() {
    let site = Site::start(&[]).await;
    let mut authenticator = site.enrolled().await;
    let (ada, mallory) = (Browser::new(), Browser::new());
    let (page, other) = (site.sign_in_page(&ada).await, site.sign_in_page(&mallory).await);
    let answer = site.answer(&ada, &page, &mut authenticator).await;
    mallory.submit_to(GET_OPTIONS, &other, &[]).await;
    let stolen = mallory.submit_to(GET, &other, &[("credential", &answer)]).await;
    assert!(is_refused(&stolen));
    assert!(is_over(
        &mallory.submit_to(GET, &page, &[("credential", &answer)]).await
    ));

    for (origin, domain) in [("https://evil.example", None), ("", Some("evil.example"))] {
        if !origin.is_empty() {
            authenticator.origin = origin.to_owned();
        }
        authenticator.domain = domain.map(str::to_owned);
        let answer = site.answer(&ada, &page, &mut authenticator).await;
        assert!(is_refused(
            &ada.submit_to(GET, &page, &[("credential", &answer)]).await
        ));
        authenticator.origin.clone_from(&site.url);
    }
    authenticator.domain = None;

    let answer = site.answer(&ada, &page, &mut authenticator).await;
    site.emulator.clock().advance(Duration::from_secs(300));
    assert!(is_refused(
        &ada.submit_to(GET, &page, &[("credential", &answer)]).await
    ));
    for nonsense in [
        "",
        "{}",
        "nonsense",
        r#"{"type":"public-key","rawId":"=","response":{}}"#,
    ] {
        assert!(
            is_refused(&ada.submit_to(GET, &page, &[("credential", nonsense)]).await),
            "{nonsense}"
        );
    }
    let answer = site.answer(&ada, &page, &mut authenticator).await;
    let done = ada.submit_to(GET, &page, &[("credential", &answer)]).await;
    site.redeem(&done).await;

    let events = site.events().await;
    let failed: Vec<AuthenticationPasskeyFailedData> = events
        .into_iter()
        .filter(|(name, _)| name == "authentication.passkey_failed")
        .map(|(_, data)| serde_json::from_value(data).unwrap())
        .collect();
    let messages: Vec<_> = failed.iter().map(|data| data.error.message.as_str()).collect();
    assert_eq!(
        messages,
        [
            "The answer is for another challenge.",
            "The answer comes from another origin.",
            "The passkey is for another domain.",
            "The answer is for another challenge.",
        ]
    );
    assert!(failed.iter().all(|data| data.email.as_deref() == Some(EMAIL)));
}

/// Neither page, status nor options tell whether a passkey exists.
#[actix_web::test]
async fn nobody_learns_who_has_a_passkey() {
    let site = Site::start(&[]).await;
    let mut known = site.enrolled().await;
    known.flags = 0b1;
    let mut unknown = SoftwareAuthenticator::new(&site.url);
    unknown.user_handle.clone_from(&known.user_handle);
    let mut seen = Vec::new();
    for authenticator in [&mut known, &mut unknown] {
        let browser = Browser::new();
        let page = site.sign_in_page(&browser).await;
        let options = browser.submit_to(GET_OPTIONS, &page, &[]).await.json();
        assert_eq!(options["allowCredentials"], json!([]));
        let answer = authenticator.get(&options).to_string();
        let refused = browser.submit_to(GET, &page, &[("credential", &answer)]).await;
        assert!(is_refused(&refused));
        let (_, session_id) = page.url.query_pairs().nth(1).unwrap();
        seen.push(refused.text.replace(session_id.as_ref(), "…"));
    }
    assert_eq!(seen[0], seen[1]);
}

#[actix_web::test]
async fn switched_off_passkeys_let_nobody_in() {
    let site = Site::start(&[]).await;
    let mut authenticator = site.enrolled().await;
    let browser = Browser::new();
    let page = site.sign_in_page(&browser).await;
    let answer = site.answer(&browser, &page, &mut authenticator).await;
    site.set(json!({"sign_in_methods": {"passkey": false}})).await;
    assert_eq!(
        browser
            .submit_to(GET, &page, &[("credential", &answer)])
            .await
            .status,
        400
    );
    assert!(is_over(&browser.submit_to(GET_OPTIONS, &page, &[]).await));
    let page = browser.visit(page.url.as_str()).await;
    assert!(!page.text.contains("passkey") && !page.text.contains("<script"));
    assert!(
        !page.headers["content-security-policy"]
            .to_str()
            .unwrap()
            .contains("script-src")
    );
}

/// Scripts run on the pages that need them, and from the emulator alone.
#[actix_web::test]
async fn the_script_is_the_emulators_own() {
    let site = Site::start(&[]).await;
    let browser = Browser::new();
    let page = site.sign_in_page(&browser).await;
    let policy = page.headers["content-security-policy"].to_str().unwrap();
    assert!(
        policy.starts_with("default-src 'none';") && policy.contains("script-src 'self'; connect-src 'self'")
    );
    let (_, script) = page.text.split_once(r#"<script type="module" src=""#).unwrap();
    let (path, _) = script.split_once('"').unwrap();
    let script = browser.visit(format!("{}{path}", site.url)).await;
    assert_eq!(script.headers["content-type"], "text/javascript; charset=utf-8");
    assert_eq!(script.headers["x-content-type-options"], "nosniff");
    assert!(
        script.headers["cache-control"]
            .to_str()
            .unwrap()
            .contains("immutable")
    );
    assert!(script.text.contains("navigator.credentials.get"));
    let sign_up = browser
        .visit(page.url.as_str().replace("sign-in", "sign-up"))
        .await;
    assert_eq!(sign_up.status, 200);
    assert!(
        !sign_up.headers["content-security-policy"]
            .to_str()
            .unwrap()
            .contains("script-src")
    );
}

/// A cross-site page cannot make the browser ask, nor send an answer.
#[actix_web::test]
async fn a_form_of_another_site_is_refused() {
    let site = Site::start(&[]).await;
    let browser = Browser::new();
    let page = site.sign_in_page(&browser).await;
    for path in [GET, GET_OPTIONS, CREATE, CREATE_OPTIONS] {
        let answer = http::client()
            .post(page.url.join(path).unwrap())
            .header("sec-fetch-site", "cross-site")
            .form(&[("client_id", site.emulator.client_id())])
            .send()
            .await
            .unwrap();
        assert_eq!(answer.status(), 403, "{path}");
    }
}
