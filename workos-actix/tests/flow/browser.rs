//! A browser: keeps cookies, says that it navigates, does not follow redirects by itself.

use std::collections::BTreeMap;

use reqwest::{Method, header::HeaderMap, redirect::Policy};
use serde_json::Value;
use url::Url;

use crate::fake_workos::FakeWorkOs;

#[derive(Clone)]
pub(crate) struct Browser {
    http: reqwest::Client,
    origin: String,
    pub(crate) cookies: BTreeMap<String, String>,
}

pub(crate) struct Response {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Response {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    pub(crate) fn location(&self) -> &str {
        self.header("location")
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("not JSON: {}", self.body))
    }

    pub(crate) fn set_cookies(&self) -> Vec<String> {
        self.headers
            .get_all("set-cookie")
            .iter()
            .map(|value| value.to_str().unwrap().to_owned())
            .collect()
    }
}

/// What a browser sends when a person follows a link.
pub(crate) const NAVIGATE: [(&str, &str); 3] = [
    ("accept", "text/html"),
    ("sec-fetch-mode", "navigate"),
    ("sec-fetch-dest", "document"),
];
/// What a script's `fetch` sends.
pub(crate) const FETCH: [(&str, &str); 2] = [("accept", "*/*"), ("sec-fetch-mode", "cors")];
pub(crate) const SAME_ORIGIN: (&str, &str) = ("sec-fetch-site", "same-origin");
pub(crate) const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");

impl Browser {
    pub(crate) fn new(origin: &str) -> Self {
        let http = reqwest::Client::builder()
            .redirect(Policy::none())
            .no_proxy()
            .build()
            .unwrap();
        Self {
            http,
            origin: origin.to_owned(),
            cookies: BTreeMap::new(),
        }
    }

    pub(crate) async fn send(&mut self, method: Method, path: &str, headers: &[(&str, &str)]) -> Response {
        self.send_body(method, path, headers, String::new()).await
    }

    /// Sends a form of a page of the app.
    pub(crate) async fn submit(&mut self, path: &str, fields: &[(&str, &str)]) -> Response {
        let body = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs(fields)
            .finish();
        let headers = [&NAVIGATE[..], &[SAME_ORIGIN, FORM]].concat();
        self.send_body(Method::POST, path, &headers, body).await
    }

    /// Sends JSON as a script of the app.
    pub(crate) async fn fetch_json(&mut self, path: &str, body: &Value) -> Response {
        let headers = [&FETCH[..], &[SAME_ORIGIN, ("content-type", "application/json")]].concat();
        self.send_body(Method::POST, path, &headers, body.to_string())
            .await
    }

    pub(crate) async fn send_body(
        &mut self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: String,
    ) -> Response {
        self.try_send_body(method, path, headers, body).await.unwrap()
    }

    async fn try_send_body(
        &mut self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: String,
    ) -> Result<Response, reqwest::Error> {
        let mut request = self.http.request(method, format!("{}{path}", self.origin));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if !self.cookies.is_empty() {
            let pairs: Vec<_> = self
                .cookies
                .iter()
                .map(|(name, value)| format!("{name}={value}"))
                .collect();
            request = request.header("cookie", pairs.join("; "));
        }
        if !body.is_empty() {
            request = request.body(body);
        }
        let response = request.send().await?;
        let response = Response {
            status: response.status().as_u16(),
            headers: response.headers().clone(),
            body: response.text().await?,
        };
        for cookie in response.set_cookies() {
            let (pair, attributes) = cookie.split_once(';').unwrap();
            let (name, value) = pair.split_once('=').unwrap();
            if attributes.contains("Max-Age=0") {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        Ok(response)
    }

    /// Follows a link.
    pub(crate) async fn visit(&mut self, path: &str) -> Response {
        self.send(Method::GET, path, &NAVIGATE).await
    }

    /// Asks as a script.
    pub(crate) async fn fetch(&mut self, path: &str) -> Response {
        self.send(Method::GET, path, &FETCH).await
    }

    /// The same, of an app that may be about to die.
    pub(crate) async fn try_fetch(&mut self, path: &str) -> Result<Response, reqwest::Error> {
        self.try_send_body(Method::GET, path, &FETCH, String::new()).await
    }

    /// Goes to AuthKit; answers the path of the callback it is sent back to.
    pub(crate) async fn authorize(&mut self, workos: &FakeWorkOs, path: &str) -> String {
        let response = self.visit(path).await;
        assert_eq!(response.status, 307, "{}", response.body);
        callback_path(workos, response.location())
    }

    /// Signs in, from the sign-in link to the response of the callback.
    pub(crate) async fn sign_in(&mut self, workos: &FakeWorkOs, path: &str) -> Response {
        let callback = self.authorize(workos, path).await;
        self.visit(&callback).await
    }

    pub(crate) fn session(&self) -> Option<&String> {
        self.cookies.get("wos-session")
    }
}

/// What AuthKit does with an authorization URL.
pub(crate) fn callback_path(workos: &FakeWorkOs, authorization_url: &str) -> String {
    let query = query(authorization_url);
    assert!(authorization_url.starts_with(&format!("{}/user_management/authorize?", workos.url())));
    assert_eq!(query["code_challenge_method"], "S256");
    let mut callback = Url::parse(&query["redirect_uri"]).unwrap();
    let code = workos.approve(&query["code_challenge"]);
    callback
        .query_pairs_mut()
        .append_pair("code", &code)
        .append_pair("state", &query["state"]);
    format!("{}?{}", callback.path(), callback.query().unwrap())
}

pub(crate) fn query(url: &str) -> BTreeMap<String, String> {
    Url::parse(url).unwrap().query_pairs().into_owned().collect()
}
