//! Requests to identity providers: the only ones, beside webhooks, that the emulator makes.
//!
//! What a connection names is an administrator's word, and what a provider answers a stranger's: no request goes to a place
//! that could be listened in on, follows a redirect, reads without an end, or waits for long.

use std::{sync::OnceLock, time::Duration};

use reqwest::{Client, Method, redirect};
use url::{Host, Url};

use crate::webhooks::reasons;

/// How long a provider may take for one answer, connecting included.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(5);
/// What OpenID providers answer, and what SAML's metadata is; a server that knows neither name sends it all the same.
const ACCEPT: &str = "application/json, application/samlmetadata+xml, */*;q=0.1";
/// How much of an answer is read, in bytes. A longer one counts for nothing.
const MOST_BYTES: usize = 512 * 1024;

const USER_AGENT: &str = concat!("workos-emulator/", env!("CARGO_PKG_VERSION"));

/// An address that may be called: with TLS, or on this machine.
pub(crate) fn checked(address: &str) -> Result<Url, String> {
    let url = Url::parse(address).map_err(|_| format!("'{address}' is no URL."))?;
    let allowed = match url.scheme() {
        "https" => url.has_host(),
        "http" => is_loopback(&url),
        _ => false,
    };
    if !allowed {
        return Err(format!(
            "{address} is called by nobody: an identity provider is reached by https, or by http on this machine."
        ));
    }
    if !url.username().is_empty() || url.password().is_some() || url.fragment().is_some() {
        return Err(format!(
            "{address} has a user name or a fragment, which mean nothing there."
        ));
    }
    Ok(url)
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

/// What is sent.
#[derive(Debug)]
pub(crate) struct Request<'a> {
    pub(crate) url: &'a Url,
    /// The value of `Authorization`.
    pub(crate) authorization: Option<String>,
    /// Sent by POST, as a form. None: a GET.
    pub(crate) form: Option<String>,
}

impl<'a> Request<'a> {
    pub(crate) fn get(url: &'a Url) -> Self {
        Self {
            url,
            authorization: None,
            form: None,
        }
    }
}

/// What comes back, whatever its status is.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// Lower-cased, without parameters.
    pub(crate) media_type: String,
    pub(crate) body: Vec<u8>,
}

/// The HTTP clients, made when they are first needed: reading the system's certificates would delay every start.
#[derive(Debug, Default)]
pub(crate) struct Outbound {
    /// To this machine, where no proxy finds anybody.
    local: OnceLock<Client>,
    remote: OnceLock<Client>,
}

impl Outbound {
    /// Sends a request. The error says what went wrong, without what was sent.
    pub(crate) async fn send(&self, request: Request<'_>) -> Result<Answer, String> {
        let place = format!(
            "{}{}",
            request.url.origin().ascii_serialization(),
            request.url.path()
        );
        match self.exchange(request).await {
            Ok(Some(answer)) => Ok(answer),
            Ok(None) => Err(format!("{place} answered with more than {MOST_BYTES} bytes.")),
            Err(error) if error.is_timeout() => Err(format!(
                "{place} did not answer within {} seconds.",
                TIMEOUT.as_secs()
            )),
            Err(error) => Err(format!(
                "{place} cannot be reached: {}.",
                reasons(&error.without_url())
            )),
        }
    }

    async fn exchange(&self, request: Request<'_>) -> Result<Option<Answer>, reqwest::Error> {
        let client = self.client(request.url)?;
        let method = if request.form.is_some() {
            Method::POST
        } else {
            Method::GET
        };
        let mut sent = client.request(method, request.url.clone());
        sent = sent.header("Accept", ACCEPT);
        if let Some(authorization) = request.authorization {
            sent = sent.header("Authorization", authorization);
        }
        if let Some(form) = request.form {
            sent = sent
                .header("Content-Type", "application/x-www-form-urlencoded")
                .body(form);
        }
        let mut response = sent.send().await?;
        let media_type = response
            .headers()
            .get("content-type")
            .and_then(|value| value.to_str().ok())
            .and_then(|value| value.split(';').next())
            .unwrap_or_default();
        let mut answer = Answer {
            status: response.status().as_u16(),
            media_type: media_type.trim().to_lowercase(),
            body: Vec::new(),
        };
        while let Some(chunk) = response.chunk().await? {
            if answer.body.len() + chunk.len() > MOST_BYTES {
                return Ok(None);
            }
            answer.body.extend_from_slice(&chunk);
        }
        Ok(Some(answer))
    }

    fn client(&self, url: &Url) -> Result<&Client, reqwest::Error> {
        let is_local = url.scheme() == "http";
        let slot = if is_local { &self.local } else { &self.remote };
        if let Some(client) = slot.get() {
            return Ok(client);
        }
        let mut builder = Client::builder()
            .user_agent(USER_AGENT)
            .timeout(TIMEOUT)
            .redirect(redirect::Policy::none());
        if is_local {
            builder = builder.no_proxy().tls_certs_only([]);
        }
        let client = builder.build()?;
        Ok(slot.get_or_init(|| client))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_called_that_could_be_listened_in_on() {
        for address in [
            "https://idp.acme.io/token",
            "http://localhost:8080/realms/acme",
            "http://127.0.0.1:3000",
            "http://[::1]:3000/jwks",
            "http://idp.localhost/",
        ] {
            assert!(checked(address).is_ok(), "{address}");
        }
        for address in [
            "http://idp.acme.io/token",
            "http://localhost.acme.io/",
            "http://127.0.0.1.acme.io/",
            "http://0.0.0.0/",
            "http://169.254.169.254/latest",
            "ftp://localhost/",
            "file:///etc/passwd",
            "javascript:alert(1)",
            "https://ada:secret@idp.acme.io/",
            "https://idp.acme.io/#token",
            "idp.acme.io",
            "",
        ] {
            assert!(checked(address).is_err(), "{address}");
        }
    }
}
