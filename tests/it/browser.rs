//! A browser: it keeps cookies, says that it navigates, follows redirects and sends forms.

use std::sync::Arc;

use reqwest::{
    Client, RequestBuilder, Url,
    cookie::{CookieStore, Jar},
    header::{self, HeaderMap, HeaderName, HeaderValue},
    redirect::Policy,
};
use serde_json::Value;

use crate::http;

pub(crate) struct Browser {
    jar: Arc<Jar>,
    following: Client,
    stepping: Client,
}

/// What a browser shows, and where.
#[derive(Debug)]
pub(crate) struct Page {
    pub(crate) url: Url,
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl Page {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("{} not JSON: {}", self.status, self.text))
    }

    /// Where the browser is sent.
    pub(crate) fn location(&self) -> Url {
        let location = self.headers.get(header::LOCATION);
        let location = location.unwrap_or_else(|| panic!("{} {}", self.status, self.text));
        self.url.join(location.to_str().unwrap()).unwrap()
    }

    /// Status and code of a refusal.
    pub(crate) fn refusal(&self) -> (u16, String) {
        (self.status, self.json()["code"].as_str().unwrap().to_owned())
    }

    /// Where the link with this text leads.
    pub(crate) fn link(&self, text: &str) -> Url {
        let (before, _) = self
            .text
            .split_once(&format!(">{text}</a>"))
            .unwrap_or_else(|| panic!("no link {text}: {}", self.text));
        let (_, link) = before.rsplit_once("<a ").unwrap();
        let href = attribute(link, "href").replace("&#38;", "&");
        self.url.join(&href).unwrap()
    }

    /// Where the page's form goes.
    pub(crate) fn action(&self) -> Url {
        self.form().0
    }

    /// What the page's form takes along unseen under this name.
    pub(crate) fn hidden(&self, name: &str) -> String {
        let (_, hidden) = self.form();
        let found = hidden.into_iter().find(|(key, _)| key == name);
        found.unwrap_or_else(|| panic!("no {name}: {}", self.text)).1
    }

    /// The action and the hidden fields of the page's form.
    fn form(&self) -> (Url, Vec<(String, String)>) {
        let (_, form) = self
            .text
            .split_once("<form ")
            .unwrap_or_else(|| panic!("no form: {}", self.text));
        let (form, _) = form.split_once("</form>").unwrap();
        let action = self.url.join(&attribute(form, "action")).unwrap();
        let hidden = form
            .split("<input ")
            .filter(|input| input.starts_with("type=\"hidden\""));
        (
            action,
            hidden
                .map(|input| (attribute(input, "name"), attribute(input, "value")))
                .collect(),
        )
    }
}

/// The value of the first attribute of this name.
fn attribute(html: &str, name: &str) -> String {
    let (_, value) = html.split_once(&format!("{name}=\"")).unwrap();
    value.split_once('"').unwrap().0.to_owned()
}

impl Browser {
    pub(crate) fn new() -> Self {
        let jar = Arc::new(Jar::default());
        let navigation = [
            ("accept", "text/html"),
            ("sec-fetch-mode", "navigate"),
            ("sec-fetch-dest", "document"),
        ];
        let navigation = navigation.map(|(name, value)| {
            let name = HeaderName::from_static(name);
            (name, HeaderValue::from_static(value))
        });
        let client = |redirects| {
            let builder = http::builder().default_headers(navigation.clone().into_iter().collect());
            let builder = builder.cookie_provider(Arc::clone(&jar)).redirect(redirects);
            builder.build().unwrap()
        };
        Self {
            following: client(Policy::limited(10)),
            stepping: client(Policy::none()),
            jar,
        }
    }

    /// Another browser with the cookies that this one has for `url`.
    pub(crate) fn copy(&self, url: &str) -> Self {
        let copy = Self::new();
        let url = url.parse().unwrap();
        for cookie in self.cookies(&url).split("; ").filter(|cookie| !cookie.is_empty()) {
            copy.jar.add_cookie_str(cookie, &url);
        }
        copy
    }

    fn cookies(&self, url: &Url) -> String {
        let cookies = self.jar.cookies(url);
        cookies.map_or_else(String::new, |cookies| cookies.to_str().unwrap().to_owned())
    }

    /// The names of the cookies that it has for `url`, sorted.
    pub(crate) fn cookie_names(&self, url: &str) -> Vec<String> {
        let cookies = self.cookies(&url.parse().unwrap());
        let names = cookies.split("; ").filter_map(|cookie| cookie.split_once('='));
        let mut names: Vec<_> = names.map(|(name, _)| name.to_owned()).collect();
        names.sort();
        names
    }

    /// Whether it has a session of an app.
    pub(crate) fn has_session(&self, url: &str) -> bool {
        self.cookies(&url.parse().unwrap()).contains("wos-session=")
    }

    /// Goes there, and wherever it is sent then.
    pub(crate) async fn visit(&self, url: impl AsRef<str>) -> Page {
        load(self.following.get(url.as_ref())).await
    }

    /// Goes there, and no further.
    pub(crate) async fn step(&self, url: impl AsRef<str>) -> Page {
        load(self.stepping.get(url.as_ref())).await
    }

    /// Asks as a script of the page.
    pub(crate) async fn fetch(&self, url: impl AsRef<str>) -> Page {
        let request = self.stepping.get(url.as_ref()).header("accept", "*/*");
        load(
            request
                .header("sec-fetch-mode", "cors")
                .header("sec-fetch-dest", "empty"),
        )
        .await
    }

    /// Fills the page's form, sends it, and goes where it is sent.
    pub(crate) async fn submit(&self, page: &Page, fields: &[(&str, &str)]) -> Page {
        let shown = load(filled(&self.following, page, fields)).await;
        if shown.text.contains(" data-post>") {
            // A form that sends itself.
            return load(filled(&self.following, &shown, &[])).await;
        }
        shown
    }

    /// Types an e-mail address into the sign-in page, and a password into the next, and goes where it is sent.
    pub(crate) async fn sign_in(&self, page: &Page, email: &str, password: &str) -> Page {
        let page = self.submit(page, &[("email", email)]).await;
        self.submit(&page, &[("password", password)]).await
    }

    /// Fills the page's form, sends it, and goes no further.
    pub(crate) async fn submit_and_stop(&self, page: &Page, fields: &[(&str, &str)]) -> Page {
        load(filled(&self.stepping, page, fields)).await
    }

    /// Sends what the page's form takes along unseen to another path, as a script of the page does, and goes no further.
    pub(crate) async fn submit_to(&self, path: &str, page: &Page, fields: &[(&str, &str)]) -> Page {
        let (_, mut form) = page.form();
        form.retain(|(name, _)| !fields.iter().any(|(given, _)| given == name));
        form.extend(
            fields
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned())),
        );
        let request = self.stepping.post(page.url.join(path).unwrap()).form(&form);
        load(request.header("sec-fetch-site", "same-origin")).await
    }

    /// Sends a form with a file to another path, along with what the page's form takes along unseen, and goes no further.
    pub(crate) async fn upload_to(
        &self,
        path: &str,
        page: &Page,
        fields: &[(&str, &str)],
        (name, file): (&str, &[u8]),
    ) -> Page {
        const BOUNDARY: &str = "----boundary-of-the-form";
        let (_, hidden) = page.form();
        let hidden = hidden.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        let mut body = Vec::new();
        for (name, value) in hidden.chain(fields.iter().copied()) {
            let part =
                format!("--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n");
            body.extend(part.as_bytes());
        }
        let head = format!(
            "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"{name}\"; filename=\"file\"\r\n\
             Content-Type: application/octet-stream\r\n\r\n"
        );
        body.extend(head.as_bytes());
        body.extend(file);
        body.extend(format!("\r\n--{BOUNDARY}--\r\n").as_bytes());
        let request = self.stepping.post(page.url.join(path).unwrap()).body(body);
        let request = request.header(
            "content-type",
            format!("multipart/form-data; boundary={BOUNDARY}"),
        );
        load(request.header("sec-fetch-site", "same-origin")).await
    }

    /// Posts to a URL as a button of the site does, and goes where it is sent.
    pub(crate) async fn post(&self, url: impl AsRef<str>) -> Page {
        self.post_form(url, &[]).await
    }

    /// Posts fields to a URL as a form of another site does, and goes no further.
    pub(crate) async fn post_and_stop(&self, url: impl AsRef<str>, fields: &[(&str, &str)]) -> Page {
        let request = self.stepping.post(url.as_ref()).form(fields);
        load(request.header("sec-fetch-site", "cross-site")).await
    }

    /// Posts fields to a URL as a form of the site does, and goes where it is sent.
    pub(crate) async fn post_form(&self, url: impl AsRef<str>, fields: &[(&str, &str)]) -> Page {
        let request = self.following.post(url.as_ref()).form(fields);
        load(request.header("sec-fetch-site", "same-origin")).await
    }
}

fn filled(client: &Client, page: &Page, fields: &[(&str, &str)]) -> RequestBuilder {
    let (action, mut form) = page.form();
    form.extend(
        fields
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned())),
    );
    client
        .post(action)
        .form(&form)
        .header("sec-fetch-site", "same-origin")
}

async fn load(request: RequestBuilder) -> Page {
    let response = request.send().await.unwrap();
    Page {
        url: response.url().clone(),
        status: response.status().as_u16(),
        headers: response.headers().clone(),
        text: response.text().await.unwrap(),
    }
}
