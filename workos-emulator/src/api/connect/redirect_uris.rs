//! The redirect URIs of an application: where a sign-in for it may lead to.
//!
//! They are compared character by character (RFC 9700 section 2.1); there are no wildcards.

use serde::{Deserialize, Serialize};
use url::Url;

use super::applications::OAuth;
use crate::server::error::ApiError;

/// How many an application can have. Assumption: production's limit is not documented.
const MOST: usize = 100;

/// Schemes by which a browser would run, read or show something instead of handing a code to an application.
const NO_APPLICATION: [&str; 14] = [
    "about",
    "blob",
    "chrome",
    "data",
    "file",
    "filesystem",
    "ftp",
    "javascript",
    "mailto",
    "tel",
    "vbscript",
    "view-source",
    "ws",
    "wss",
];

/// A redirect URI, as kept and as shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct RedirectUri {
    pub(crate) uri: String,
    pub(crate) default: bool,
}

/// A redirect URI as it is given.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct RedirectUriInput {
    uri: String,
    default: Option<bool>,
}

impl RedirectUriInput {
    pub(crate) fn new(uri: impl Into<String>) -> Self {
        Self {
            uri: uri.into(),
            default: None,
        }
    }
}

/// The URL of a redirect URI: `https`, `http`, or the scheme of a native application (RFC 8252 section 7.1).
pub(super) fn parse(text: &str) -> Result<Url, &'static str> {
    if text.contains(|c: char| c.is_control() || c.is_whitespace()) {
        return Err("A redirect URI has no spaces and no control characters.");
    }
    let url = Url::parse(text).map_err(|_| "A redirect URI is an absolute URL.")?;
    if NO_APPLICATION.contains(&url.scheme()) {
        return Err("A redirect URI begins with https://, http://, or the scheme of an application.");
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("A redirect URI names no user.");
    }
    if url.fragment().is_some() {
        return Err("A redirect URI has no fragment."); // RFC 6749 section 3.1.2
    }
    Ok(url)
}

/// The redirect URIs of an application, if all of them are some. One of them is the default: the first, unless said
/// otherwise.
pub(crate) fn checked(given: Vec<RedirectUriInput>) -> Result<Vec<RedirectUri>, ApiError> {
    let refused =
        |field: String, message: &str| ApiError::invalid_field(&field, "invalid_redirect_uri", message);
    if given.len() > MOST {
        let message = format!("An application has at most {MOST} redirect URIs.");
        return Err(refused("redirect_uris".to_owned(), &message));
    }
    if given.iter().filter(|input| input.default == Some(true)).count() > 1 {
        let message = "Only one redirect URI is the default.";
        return Err(refused("redirect_uris".to_owned(), message));
    }
    let default = given.iter().position(|input| input.default == Some(true));
    let default = default.unwrap_or_default();
    let mut uris: Vec<RedirectUri> = Vec::with_capacity(given.len());
    for (at, RedirectUriInput { uri, .. }) in given.into_iter().enumerate() {
        let field = || format!("redirect_uris[{at}].uri");
        parse(&uri).map_err(|reason| refused(field(), reason))?;
        if uris.iter().any(|other| other.uri == uri) {
            return Err(refused(field(), "This redirect URI is there twice."));
        }
        let default = at == default;
        uris.push(RedirectUri { uri, default });
    }
    Ok(uris)
}

impl OAuth {
    /// The URL that `given` is, if it is one of the application's redirect URIs.
    pub(super) fn allows(&self, given: &str) -> Option<Url> {
        let registered = self.redirect_uris.iter().any(|redirect| redirect.uri == given);
        registered.then(|| parse(given).ok()).flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::connect::applications::Party;

    fn inputs(uris: &[&str]) -> Vec<RedirectUriInput> {
        uris.iter().map(|uri| RedirectUriInput::new(*uri)).collect()
    }

    #[test]
    fn applications_live_at_web_sites_and_behind_schemes_of_their_own() {
        for uri in [
            "https://app.example/callback?x=1",
            "http://127.0.0.1:1410/callback",
            "cursor://anysphere.mcp/oauth",
            "com.example.app:/oauth",
        ] {
            assert!(checked(inputs(&[uri])).is_ok(), "{uri}");
        }
        for uri in [
            "javascript:alert(1)",
            "JavaScript://app.example/%0aalert(1)",
            "data:text/html,x",
            "file:///etc/passwd",
            "/callback",
            "https://app.example/#x",
            "https://ada@app.example/",
            "https://app.example/ x",
            "",
        ] {
            let refused = checked(inputs(&["https://a.example/", uri])).unwrap_err();
            assert_eq!(
                refused.body["errors"][0]["field"], "redirect_uris[1].uri",
                "{uri}"
            );
        }
        assert!(checked(inputs(&["https://a.example/", "https://a.example/"])).is_err());
    }

    #[test]
    fn one_is_the_default() {
        let mut given = inputs(&["https://a.example/", "https://b.example/"]);
        let defaults = |given| -> Vec<bool> {
            let uris = checked(given).unwrap();
            uris.iter().map(|uri| uri.default).collect()
        };
        assert_eq!(defaults(given.clone()), [true, false]);
        given[1].default = Some(true);
        assert_eq!(defaults(given.clone()), [false, true]);
        given[0].default = Some(true);
        assert!(checked(given).is_err());
    }

    #[test]
    fn nothing_but_the_very_same_text_is_allowed() {
        let oauth = OAuth {
            redirect_uris: checked(inputs(&["https://app.example/callback"])).unwrap(),
            uses_pkce: false,
            party: Party::First,
        };
        assert!(oauth.allows("https://app.example/callback").is_some());
        for uri in [
            "https://app.example/callback/",
            "https://app.example:443/callback",
            "https://APP.example/callback",
            "https://app.example/callback?x",
            "https://app.example/x/../callback",
            "http://app.example/callback",
            "",
        ] {
            assert_eq!(oauth.allows(uri), None, "{uri}");
        }
    }
}
