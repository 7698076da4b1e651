//! Where a sign-out may lead. In production the dashboard has the list; here the settings have.
//!
//! Source: <https://workos.com/docs/authkit/sessions#sign-out-redirect>.

use url::Url;

use super::redirect_uris::{self, Pattern, is_loopback};
use crate::store::State;

/// The URL that `given` is, if a sign-out may lead there: one of the environment's sign-out redirects. As long as it has
/// none: one on this machine, or on the site of a registered redirect URI, which is the application's own.
pub(super) fn allowed(state: &State, given: &str) -> Option<Url> {
    let url = redirect_uris::parse(given).ok()?;
    let mut own = patterns(state).peekable();
    let allowed = match own.peek() {
        Some(_) => own.any(|pattern| pattern.matches(&url)),
        None => is_loopback(&url) || redirect_uris::patterns(state).any(|pattern| pattern.matches_site(&url)),
    };
    allowed.then_some(url)
}

/// Where a sign-out leads that names no address: to the first sign-out redirect without a wildcard, which is the default,
/// else to the application's homepage.
pub(crate) fn default(state: &State) -> Option<Url> {
    let plain = patterns(state).find(|pattern| !pattern.has_wildcard());
    let homepage = || {
        let homepage = state.settings().homepage_url.as_deref()?;
        redirect_uris::parse(homepage).ok()
    };
    plain.map(|pattern| pattern.url).or_else(homepage)
}

/// Whether a sign-out redirect can be in the settings; else why not.
pub(crate) fn check(uri: &str) -> Result<(), &'static str> {
    Pattern::parse(uri).map(drop)
}

/// The same for the homepage, which has no wildcard.
pub(crate) fn check_homepage(url: &str) -> Result<(), &'static str> {
    match Pattern::parse(url)?.has_wildcard() {
        true => Err("A homepage has no wildcard."),
        false => Ok(()),
    }
}

fn patterns(state: &State) -> impl Iterator<Item = Pattern> {
    let uris = state.settings().sign_out_redirect_uris.iter();
    uris.filter_map(|uri| Pattern::parse(uri).ok())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{
        control::settings::{SettingProblem, change},
        environment::Environment,
    };

    fn with(redirect_uris: &[&str], settings: &serde_json::Value) -> Result<Environment, SettingProblem> {
        let environment = Environment::for_tests();
        for uri in redirect_uris {
            environment.transact(|tx| redirect_uris::create(tx, uri)).unwrap();
        }
        environment.transact(|tx| change(tx, settings)).unwrap()?;
        Ok(environment)
    }

    #[test]
    fn without_a_list_it_leads_to_this_machine_or_to_the_application() {
        let environment = with(&["https://app.example.com/callback"], &json!({})).unwrap();
        let state = environment.state();
        for fits in [
            "http://localhost:3000/bye",
            "https://app.example.com/",
            "https://app.example.com/x?y",
        ] {
            assert!(allowed(&state, fits).is_some(), "{fits}");
        }
        for other in [
            "https://evil.example/",
            "http://app.example.com/",
            "//app.example.com",
            "/",
        ] {
            assert_eq!(allowed(&state, other), None, "{other}");
        }
    }

    #[test]
    fn a_list_is_all_there_is() {
        let list = json!({"sign_out_redirect_uris": [
            "https://*.example.com/bye", "https://pr-*-app.example.org/", "http://localhost:*/bye", "https://app.example.com",
        ]});
        let environment = with(&["https://own.example.net/callback"], &list).unwrap();
        let state = environment.state();
        for fits in [
            "https://one.example.com/bye",
            "https://a_b-C9.example.com/bye",
            "https://pr-12-app.example.org/",
            "https://pr-12-app.example.org",
            "http://localhost:1/bye",
            "http://localhost/bye",
            "https://app.example.com/",
        ] {
            assert!(allowed(&state, fits).is_some(), "{fits}");
        }
        for other in [
            "https://own.example.net/",
            "http://localhost:3000/",
            "http://127.0.0.1:3000/bye",
            "https://one.two.example.com/bye",
            "https://.example.com/bye",
            "https://example.com/bye",
            "https://one.example.com/bye/",
            "https://one.example.com/bye?x=1",
            "https://one.example.com:8443/bye",
            "http://one.example.com/bye",
            "https://pr-app.example.org/",
            "https://pr-a.b-app.example.org/",
            "https://evil.example/#.example.com/bye",
        ] {
            assert_eq!(allowed(&state, other), None, "{other}");
        }
    }

    /// Whatever is read one way here and another way by a browser.
    #[test]
    fn no_spelling_leads_to_a_foreign_site() {
        let list = json!({"sign_out_redirect_uris": ["https://*.example.com/", "http://localhost:*/"]});
        for environment in [
            with(&[], &list).unwrap(),
            with(&["https://*.example.com/"], &json!({})).unwrap(),
        ] {
            let state = environment.state();
            for attack in [
                "https://app.example.com@evil.test/",
                "https://app.example.com:x@evil.test/",
                "https://evil.test/app.example.com/",
                "https://evil.test\\.example.com/",
                "https://evil.test\\@app.example.com/",
                "https:\\\\evil.test/",
                "https:/\\evil.test/",
                "//evil.test/",
                "\\\\evil.test/",
                "https://evil.test#app.example.com/",
                "https://evil.test?.example.com/",
                "https://evil.test/.example.com/",
                "https://evil.test%2f.example.com/",
                "https://evil.test%00.example.com/",
                "https://evil.test\u{ff0f}.example.com/",
                "https://evil.test\u{3002}example.net/",
                "https://app.example.com.evil.test/",
                "https://appexample.com/",
                "https://app.example.com\u{0}.evil.test/",
                " https://evil.test/",
                "https://app.example.com/\r\nLocation: https://evil.test/",
                "ht\ttps://app.example.com/",
                "https://app.\u{200b}example.com.evil.test/",
                "https://app.ex\u{0430}mple.com/",
                "javascript://app.example.com/%0aalert(1)",
                "data:text/html,app.example.com",
                "ftp://app.example.com/",
                "http://localhost.evil.test/",
                "http://localhost@evil.test/",
                "http://localhost:80@evil.test/",
                "http://localhost:3000.evil.test/",
                "",
            ] {
                let found = allowed(&state, attack);
                assert_eq!(found, None, "{attack:?}");
            }
        }
    }

    #[test]
    fn the_default_is_the_first_plain_one_and_then_the_homepage() {
        for (settings, expected) in [
            (json!({}), None),
            (
                json!({"homepage_url": "https://example.com"}),
                Some("https://example.com/"),
            ),
            (
                json!({"sign_out_redirect_uris": ["https://*.example.com/"], "homepage_url": "https://example.com"}),
                Some("https://example.com/"),
            ),
            (
                json!({"sign_out_redirect_uris": ["https://*.example.com/", "https://a.example.com/bye", "https://b.example.com"],
                       "homepage_url": "https://example.com"}),
                Some("https://a.example.com/bye"),
            ),
            (json!({"sign_out_redirect_uris": ["http://localhost:*/"]}), None),
        ] {
            let environment = with(&["https://app.example.com/callback"], &settings).unwrap();
            let found = default(&environment.state());
            assert_eq!(found.as_ref().map(Url::as_str), expected, "{settings}");
        }
    }

    #[test]
    fn a_setting_that_could_lead_anywhere_is_refused() {
        for (settings, path) in [
            (
                json!({"sign_out_redirect_uris": ["https://a.example.com", "*"]}),
                "sign_out_redirect_uris[1]",
            ),
            (
                json!({"sign_out_redirect_uris": ["https://*/"]}),
                "sign_out_redirect_uris[0]",
            ),
            (
                json!({"sign_out_redirect_uris": ["https://*.com/"]}),
                "sign_out_redirect_uris[0]",
            ),
            (
                json!({"sign_out_redirect_uris": ["https://a.*.example.com/"]}),
                "sign_out_redirect_uris[0]",
            ),
            (
                json!({"sign_out_redirect_uris": ["https://app.example.com:*/"]}),
                "sign_out_redirect_uris[0]",
            ),
            (
                json!({"sign_out_redirect_uris": ["https://app.example.com/*"]}),
                "sign_out_redirect_uris[0]",
            ),
            (
                json!({"sign_out_redirect_uris": ["javascript:alert(1)"]}),
                "sign_out_redirect_uris[0]",
            ),
            (json!({"homepage_url": "example.com"}), "homepage_url"),
            (json!({"homepage_url": "https://*.example.com"}), "homepage_url"),
            (json!({"homepage_url": "javascript:alert(1)"}), "homepage_url"),
        ] {
            assert_eq!(
                with(&[], &settings).err().map(|problem| problem.path).as_deref(),
                Some(path),
                "{settings}"
            );
        }
    }
}
