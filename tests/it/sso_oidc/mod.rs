//! Connections to real OpenID providers: another emulator's Connect application, and a small one that lies on demand.

mod attacks;
mod federation;
mod issuer;
mod memberships;
mod set_up;

use reqwest::{Method, Url};
use serde_json::{Value, json};
use workos::{models::SSOTokenResponse, sso::GetProfileAndTokenParams};
use workos_emulator::{Emulator, Organization};

use self::issuer::{CLIENT_ID, CLIENT_SECRET, Issuer};
use crate::{browser::Browser, http, sdk};

const CALLBACK: &str = "http://localhost:3000/callback";

/// Acme, and its connection to an OpenID provider.
struct World {
    emulator: Emulator,
    acme: Organization,
    connection_id: String,
    /// What the provider has to know.
    redirect_uri: String,
}

impl World {
    /// With these members over the usual `oidc_options`.
    async fn start(connection_type: &str, discovery_endpoint: &str, options: &Value) -> Self {
        let emulator = Emulator::start().await.unwrap();
        emulator.role("engineer").create().unwrap();
        let acme = emulator
            .organization("Acme")
            .domain("acme.example")
            .create()
            .unwrap();
        let mut oidc_options = json!({
            "discovery_endpoint": discovery_endpoint, "client_id": CLIENT_ID, "client_secret": CLIENT_SECRET,
        });
        let members = options.as_object().unwrap().clone();
        oidc_options.as_object_mut().unwrap().extend(members);
        oidc_options
            .as_object_mut()
            .unwrap()
            .retain(|_, value| !value.is_null());
        let new = json!({
            "organization_id": acme.id, "connection_type": connection_type, "oidc_options": oidc_options,
            "attribute_maps": {"custom_attributes": {"department": "department"}},
        });
        let (status, body) = http::call(&emulator, Method::POST, "/connections", &new).await;
        assert_eq!(status, 201, "{body}");
        let connection_id = body["id"].as_str().unwrap().to_owned();
        let roles = json!({"group_roles": [{"group": "Engineering", "role": "engineer"}]});
        let control = format!("/_emulate/connections/{connection_id}");
        let (_, body) = http::call(&emulator, Method::PATCH, &control, &roles).await;
        let redirect_uri = body["redirect_uri"].as_str().unwrap_or_else(|| panic!("{body}"));
        let key = body["external_key"].as_str().unwrap();
        assert_eq!(
            redirect_uri,
            format!("{}/sso/oidc/{key}/callback", emulator.url())
        );
        Self {
            redirect_uri: redirect_uri.to_owned(),
            emulator,
            acme,
            connection_id,
        }
    }

    /// A connection to a small provider.
    async fn at(issuer: &Issuer, options: &Value) -> Self {
        Self::start("OktaOIDC", &issuer.discovery_endpoint(), options).await
    }

    fn authorize_url(&self) -> String {
        format!(
            "{}/sso/authorize?client_id={}&response_type=code&redirect_uri={CALLBACK}&connection={}&state=a%20b",
            self.emulator.url(),
            self.emulator.client_id(),
            self.connection_id
        )
    }

    /// Where a sign-in ends that needs nobody: at the application.
    async fn sign_in(&self, browser: &Browser) -> Url {
        follow(browser, &self.authorize_url()).await
    }

    /// Signs in, and gives the error that the application is told, and the red steps of the trace.
    async fn refused(&self) -> (String, Vec<(String, String)>) {
        let back = self.sign_in(&Browser::new()).await;
        assert_eq!(parameter(&back, "state").as_deref(), Some("a b"), "{back}");
        assert!(parameter(&back, "error_description").is_some(), "{back}");
        let trace = self.trace().await;
        assert_eq!(trace["status"], "failed");
        let error = parameter(&back, "error").unwrap_or_else(|| panic!("{back}"));
        assert_eq!(trace["error"]["code"], json!(error));
        (error, red(&trace))
    }

    /// The newest trace.
    async fn trace(&self) -> Value {
        let path = format!("/_emulate/sso/traces?connection_id={}", self.connection_id);
        let (_, list) = http::call(&self.emulator, Method::GET, &path, &Value::Null).await;
        list["data"][0].clone()
    }

    async fn redeem(&self, back: &Url) -> SSOTokenResponse {
        assert!(back.as_str().starts_with(CALLBACK), "{back}");
        let code = parameter(back, "code").unwrap_or_else(|| panic!("{back}"));
        let query = json!({
            "client_id": self.emulator.client_id(), "client_secret": self.emulator.api_key(), "code": code,
            "grant_type": "authorization_code",
        });
        let params = GetProfileAndTokenParams::new(serde_json::from_value(query).unwrap());
        sdk::client(&self.emulator)
            .sso()
            .get_profile_and_token(params)
            .await
            .unwrap()
    }
}

fn steps(trace: &Value) -> impl Iterator<Item = (&str, bool, &str)> {
    trace["steps"].as_array().unwrap().iter().map(|step| {
        (
            step["step"].as_str().unwrap(),
            step["passed"].as_bool().unwrap(),
            step["detail"].as_str().unwrap(),
        )
    })
}

fn red(trace: &Value) -> Vec<(String, String)> {
    let red = steps(trace).filter(|(_, passed, _)| !passed);
    red.map(|(step, _, detail)| (step.to_owned(), detail.to_owned()))
        .collect()
}

fn parameter(url: &Url, name: &str) -> Option<String> {
    let found = url.query_pairs().find(|(key, _)| key == name);
    found.map(|(_, value)| value.into_owned())
}

/// Goes where the browser is sent, as far as the application.
async fn follow(browser: &Browser, url: &str) -> Url {
    let mut url = Url::parse(url).unwrap();
    for _ in 0..10 {
        let page = browser.step(url.as_str()).await;
        url = page.location();
        if url.as_str().starts_with(CALLBACK) {
            return url;
        }
    }
    panic!("no end at {url}");
}

/// Goes where the browser is sent, as far as the redirect URI at WorkOS, which it does not visit.
async fn follow_to_workos(browser: &Browser, world: &World) -> Url {
    let mut url = Url::parse(&world.authorize_url()).unwrap();
    for _ in 0..10 {
        let page = browser.step(url.as_str()).await;
        url = page.location();
        if url.as_str().starts_with(&world.redirect_uri) {
            return url;
        }
    }
    panic!("no end at {url}");
}
