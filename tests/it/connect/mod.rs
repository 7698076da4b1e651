//! WorkOS Connect: the API through the SDK, the OAuth endpoints as any OAuth client calls them.

mod applications;
mod authorized;
mod device;
mod discovery;
mod grants;
mod in_actix;
mod introspection;
mod mcp;
mod sign_in;
mod standalone;
mod tokens;

use std::time::Duration;

use aws_lc_rs::signature::{RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use reqwest::{Method, Url};
use serde_json::{Value, json};
use workos_emulator::{ConnectApplication, Emulator, Organization, User};

use crate::{
    browser::{Browser, Page},
    http,
};

const EMAIL: &str = "ada@example.com";
const PASSWORD: &str = "correct horse battery";
const CALLBACK: &str = "https://reports.example/callback";

/// RFC 7636, appendix B.
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

/// Ada of Acme, and applications that she can sign in to.
struct World {
    emulator: Emulator,
    acme: Organization,
    ada: User,
    /// Acme's own.
    first: ConnectApplication,
    /// Globex's.
    third: ConnectApplication,
}

impl World {
    async fn start() -> Self {
        let emulator = Emulator::start().await.unwrap();
        let acme = emulator.organization("Acme").create().unwrap();
        let globex = emulator.organization("Globex").create().unwrap();
        let ada = emulator.user(EMAIL).first_name("Ada").last_name("Lovelace");
        let ada = ada
            .password(PASSWORD)
            .member_of(&acme, "member")
            .create()
            .unwrap();
        let application = |name: &str| {
            emulator
                .connect_application(name)
                .redirect_uri(CALLBACK)
                .scopes(["reports:read", "reports:write"])
        };
        let first = application("Forum").create().unwrap();
        let third = application("Reports").third_party(&globex).create().unwrap();
        Self {
            emulator,
            acme,
            ada,
            first,
            third,
        }
    }

    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.emulator.url())
    }

    fn authorize_url(&self, application: &ConnectApplication, with: &[(&str, &str)]) -> Url {
        let mut parameters = vec![
            ("response_type", "code"),
            ("client_id", application.client_id.as_str()),
            ("redirect_uri", CALLBACK),
            ("scope", "openid profile email"),
            ("state", "s t"),
        ];
        for (name, value) in with {
            parameters.retain(|(other, _)| other != name);
            parameters.push((name, value));
        }
        parameters.retain(|(_, value)| !value.is_empty());
        Url::parse_with_params(&self.url("/oauth2/authorize"), parameters).unwrap()
    }

    /// Where a client without a browser is sent, that asks for Ada.
    async fn at_once(&self, application: &ConnectApplication, with: &[(&str, &str)]) -> Url {
        let mut with = with.to_vec();
        with.push(("login_hint", EMAIL));
        let url = self.authorize_url(application, &with);
        let response = http::client().get(url).send().await.unwrap();
        assert_eq!(response.status(), 302);
        let location = response.headers()["location"].to_str().unwrap();
        location.parse().unwrap()
    }

    /// A code for an application that Ada need not be asked about.
    async fn code(&self, application: &ConnectApplication, with: &[(&str, &str)]) -> String {
        let callback = self.at_once(application, with).await;
        parameter(&callback, "code").unwrap_or_else(|| panic!("{callback}"))
    }

    /// Signs Ada in, in this browser, as far as the page after the password.
    async fn sign_in(&self, browser: &Browser, url: &Url) -> Page {
        let form = browser.visit(url.as_str()).await;
        assert_eq!(form.url.path(), "/authkit/sign-in", "{}", form.text);
        let form = browser.submit(&form, &[("email", EMAIL)]).await;
        browser.submit_and_stop(&form, &[("password", PASSWORD)]).await
    }

    /// The consent page of a sign-in.
    async fn consent_page(&self, browser: &Browser, url: &Url) -> Page {
        let page = self.sign_in(browser, url).await;
        let page = browser.visit(page.location()).await;
        assert_eq!(
            (page.status, page.url.path()),
            (200, "/authkit/consent"),
            "{}",
            page.text
        );
        page
    }

    async fn post(&self, path: &str, form: &[(&str, &str)]) -> (u16, Value) {
        let form: Vec<_> = form.iter().filter(|(_, value)| !value.is_empty()).collect();
        http::answer(http::client().post(self.url(path)).form(&form)).await
    }

    /// The token endpoint, as a confidential application calls it.
    async fn token(&self, application: &ConnectApplication, form: &[(&str, &str)]) -> (u16, Value) {
        let secret = application.client_secret.as_deref().unwrap_or_default();
        let mut all = vec![
            ("client_id", application.client_id.as_str()),
            ("client_secret", secret),
        ];
        all.extend(form);
        self.post("/oauth2/token", &all).await
    }

    async fn redeem(&self, application: &ConnectApplication, code: &str) -> (u16, Value) {
        let form = [
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", CALLBACK),
        ];
        self.token(application, &form).await
    }

    async fn refresh(&self, application: &ConnectApplication, token: &Value) -> (u16, Value) {
        let form = [
            ("grant_type", "refresh_token"),
            ("refresh_token", token.as_str().unwrap()),
        ];
        self.token(application, &form).await
    }

    /// Tokens of Ada for an application that she need not be asked about.
    async fn tokens(&self, application: &ConnectApplication, scope: &str) -> Value {
        let code = self.code(application, &[("scope", scope)]).await;
        let (status, tokens) = self.redeem(application, &code).await;
        assert_eq!(status, 200, "{tokens}");
        tokens
    }

    async fn introspect(&self, application: &ConnectApplication, token: &Value) -> Value {
        let form = [
            ("client_id", application.client_id.as_str()),
            ("client_secret", application.client_secret.as_deref().unwrap()),
            ("token", token.as_str().unwrap()),
        ];
        let (status, body) = self.post("/oauth2/introspection", &form).await;
        assert_eq!(status, 200, "{body}");
        body
    }

    async fn userinfo(&self, token: &Value) -> (u16, Value) {
        let request = http::client().get(self.url("/oauth2/userinfo"));
        http::answer(request.bearer_auth(token.as_str().unwrap())).await
    }

    /// The claims of a token, whose signature is verified with the published keys.
    async fn verified(&self, token: &Value) -> Value {
        let token = token.as_str().unwrap();
        let (signed, signature) = token.rsplit_once('.').unwrap();
        let (header, claims) = signed.split_once('.').unwrap();
        let header: Value = serde_json::from_slice(&decoded(header)).unwrap();
        assert_eq!(header["alg"], "RS256");
        let (_, jwks) = http::answer(http::client().get(self.url("/oauth2/jwks"))).await;
        let keys = jwks["keys"].as_array().unwrap();
        let key = keys.iter().find(|key| key["kid"] == header["kid"]).unwrap();
        let key = RsaPublicKeyComponents {
            n: decoded(key["n"].as_str().unwrap()),
            e: decoded(key["e"].as_str().unwrap()),
        };
        key.verify(
            &RSA_PKCS1_2048_8192_SHA256,
            signed.as_bytes(),
            &decoded(signature),
        )
        .unwrap();
        serde_json::from_slice(&decoded(claims)).unwrap()
    }

    fn advance(&self, seconds: u64) {
        self.emulator.clock().advance(Duration::from_secs(seconds));
    }

    async fn set(&self, settings: Value) {
        let (status, body) = http::call(&self.emulator, Method::PATCH, "/_emulate/settings", &settings).await;
        assert_eq!(status, 200, "{body}");
    }

    /// The names of the events since the last call, the newest last.
    async fn event_names(&self) -> Vec<String> {
        let path = "/events?limit=100&order=asc&events[]=user.created&events[]=user.updated&events[]=session.created\
                    &events[]=session.revoked&events[]=authentication.password_succeeded";
        let (status, list) = http::call(&self.emulator, Method::GET, path, &Value::Null).await;
        assert_eq!(status, 200, "{list}");
        let events = list["data"].as_array().unwrap().iter();
        events
            .map(|event| event["event"].as_str().unwrap().to_owned())
            .collect()
    }
}

fn decoded(text: &str) -> Vec<u8> {
    URL_SAFE_NO_PAD.decode(text).unwrap()
}

fn parameter(url: &Url, name: &str) -> Option<String> {
    let mut pairs = url.query_pairs();
    Some(pairs.find(|(key, _)| key == name)?.1.into_owned())
}

/// `error` of a callback or a refusal.
fn error(url: &Url) -> String {
    assert_eq!(parameter(url, "code"), None, "{url}");
    assert!(parameter(url, "error_description").is_some(), "{url}");
    parameter(url, "error").unwrap()
}

/// Status and `error` of a refusal.
fn oauth_refusal((status, body): (u16, Value)) -> (u16, String) {
    assert!(body["error_description"].is_string(), "{body}");
    (status, body["error"].as_str().unwrap().to_owned())
}

fn refused(status: u16, error: &str) -> (u16, String) {
    (status, error.to_owned())
}

fn inactive() -> Value {
    json!({"active": false})
}

/// The names of the members.
fn keys(value: &Value) -> Vec<&str> {
    value.as_object().unwrap().keys().map(String::as_str).collect()
}
