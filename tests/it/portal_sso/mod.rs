//! Single sign-on in the Admin Portal: from the choice of the identity provider to the first sign-in, and the renewal of
//! certificates.

mod certificates;
mod set_up;
mod test_sign_in;

use std::time::{Duration, SystemTime};

use reqwest::Method;
use serde_json::Value;
use workos::GenerateLinkIntent;
use workos_emulator::{Emulator, Organization};

use crate::{
    browser::{Browser, Page},
    http,
    portal::{generate, title, wanted},
};

/// Valid from 2026-11-25 to 2027-11-25.
const CERTIFICATE: &str = include_str!("../certificates/idp.pem");
/// Valid from 2026-11-25 to 2030-11-24.
const RENEWED: &str = include_str!("../certificates/idp_renewed.pem");

const EMAIL: &str = "ada@acme.example";

/// An organization, and the browser of its IT admin.
struct World {
    emulator: Emulator,
    acme: Organization,
    browser: Browser,
}

impl World {
    async fn new() -> Self {
        let emulator = Emulator::start().await.unwrap();
        // Half a year before the end of the first certificate.
        emulator.clock().freeze();
        emulator
            .clock()
            .set(SystemTime::UNIX_EPOCH + Duration::from_secs(1_811_000_000));
        let acme = emulator.organization("Acme").domain("acme.example").create();
        Self {
            acme: acme.unwrap(),
            browser: Browser::new(),
            emulator,
        }
    }

    /// Opens the portal for an intent.
    async fn open(&self, intent: GenerateLinkIntent) -> Page {
        let wanted = wanted(&self.acme.id, Some(intent));
        let link = generate(&self.emulator, wanted).await.unwrap();
        self.browser.visit(link).await
    }

    async fn open_sso(&self) -> Page {
        self.open(GenerateLinkIntent::SSO).await
    }

    /// Begins with an identity provider: the first step, and the path of the connection.
    async fn begin(&self, provider: &str) -> (Page, String) {
        let choice = self.open_sso().await;
        assert_eq!(title(&choice), "Single Sign-On");
        let chosen = self
            .browser
            .submit_to("/portal/sso", &choice, &[("provider", provider)])
            .await;
        assert_eq!(chosen.status, 303, "{}", chosen.text);
        let first = self.browser.visit(chosen.location()).await;
        let path = first.url.path().strip_suffix("/application");
        let path = path.unwrap_or_else(|| panic!("{}", first.url)).to_owned();
        (first, path)
    }

    /// Another page of the session that `page` belongs to.
    async fn go(&self, page: &Page, path: &str) -> Page {
        let url = page.url.join(&format!("{path}?{}", session(page))).unwrap();
        self.browser.visit(url).await
    }

    /// Sends a form of the session that `page` belongs to, and goes where it leads.
    async fn post(&self, page: &Page, path: &str, fields: &[(&str, &str)]) -> Page {
        let sent = self.browser.submit_to(path, &with_form(page), fields).await;
        match sent.status {
            303 => self.browser.visit(sent.location()).await,
            _ => sent,
        }
    }

    async fn connection(&self) -> Value {
        let path = format!("/connections?organization_id={}", self.acme.id);
        let (_, list) = http::call(&self.emulator, Method::GET, &path, &Value::Null).await;
        let connections = list["data"].as_array().unwrap();
        assert_eq!(connections.len(), 1, "{list}");
        connections[0].clone()
    }

    async fn certificates(&self) -> Vec<Value> {
        let id = self.connection().await["id"].as_str().unwrap().to_owned();
        let path = format!("/connections/{id}/saml_idp_signing_certs");
        let (_, list) = http::call(&self.emulator, Method::GET, &path, &Value::Null).await;
        list["data"].as_array().unwrap().clone()
    }
}

/// What names the session in an address.
fn session(page: &Page) -> String {
    let query = page.url.query().unwrap_or_default();
    let pairs: Vec<_> = query
        .split('&')
        .filter(|pair| pair.starts_with("client_id=") || pair.starts_with("portal_session_id="))
        .collect();
    pairs.join("&")
}

/// The page with a form of its session, whatever stands on it: hidden fields are all that a form is sent with here.
fn with_form(page: &Page) -> Page {
    let fields: String = page
        .url
        .query_pairs()
        .filter(|(name, _)| name == "client_id" || name == "portal_session_id")
        .map(|(name, value)| format!("<input type=\"hidden\" name=\"{name}\" value=\"{value}\">"))
        .collect();
    Page {
        url: page.url.clone(),
        status: page.status,
        headers: page.headers.clone(),
        text: format!("<form action=\"/\" >{fields}</form>"),
    }
}

const OIDC: [(&str, &str); 3] = [
    (
        "discovery_endpoint",
        "https://idp.acme.example/.well-known/openid-configuration",
    ),
    ("idp_client_id", "acme-client"),
    ("idp_client_secret", "s3cret-of-acme"),
];

fn typed(certificate: &str) -> [(&str, &str); 4] {
    [
        ("way", "manual"),
        ("sso_url", "https://idp.acme.example/sso"),
        ("entity_id", "urn:acme"),
        ("certificate", certificate),
    ]
}

fn metadata(certificates: &[&str]) -> String {
    let keys: String = certificates
        .iter()
        .map(|pem| {
            let base64: String = pem.lines().filter(|line| !line.contains("-----")).collect();
            format!(
                "<KeyDescriptor use=\"signing\"><KeyInfo xmlns=\"http://www.w3.org/2000/09/xmldsig#\"><X509Data>\
                 <X509Certificate>{base64}</X509Certificate></X509Data></KeyInfo></KeyDescriptor>"
            )
        })
        .collect();
    format!(
        "<EntityDescriptor xmlns=\"urn:oasis:names:tc:SAML:2.0:metadata\" entityID=\"urn:acme:metadata\">\
         <IDPSSODescriptor protocolSupportEnumeration=\"urn:oasis:names:tc:SAML:2.0:protocol\">{keys}\
         <SingleSignOnService Binding=\"urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect\" \
         Location=\"https://idp.acme.example/metadata-sso\"/></IDPSSODescriptor></EntityDescriptor>"
    )
}

/// From the page that stands in for the identity provider back to the portal. SAML comes back by a form of its own.
async fn answer(browser: &Browser, page: &Page, fields: &[(&str, &str)]) -> Page {
    assert!(
        page.url.path().starts_with("/idp/"),
        "{}: {}",
        page.url,
        page.text
    );
    let answered = browser.submit(page, fields).await;
    if answered.text.contains("name=\"SAMLResponse\"") {
        return browser.submit(&answered, &[]).await;
    }
    answered
}
