use actix_web::cookie::SameSite;

use super::*;
use crate::{MachineTokens, config::Config};

fn variables(overrides: &'static [(&'static str, &'static str)]) -> AuthKitBuilder {
    AuthKit::builder().variables(move |name| {
        let given = overrides
            .iter()
            .find(|(key, _)| *key == name)
            .map(|(_, value)| *value);
        given
            .or(match name {
                "WORKOS_API_KEY" => Some("sk_test_1"),
                "WORKOS_CLIENT_ID" => Some("client_1"),
                "WORKOS_COOKIE_PASSWORD" => Some("0123456789abcdef0123456789abcdef"),
                "WORKOS_REDIRECT_URI" => Some("https://app.example/callback"),
                _ => None,
            })
            .map(str::to_owned)
    })
}

fn config(overrides: &'static [(&'static str, &'static str)]) -> Config {
    let mut problems = Vec::new();
    let config = variables(overrides).check(&mut problems);
    assert_eq!(problems, []);
    config.unwrap()
}

fn problem(overrides: &'static [(&'static str, &'static str)]) -> (String, String) {
    let error = variables(overrides).build().unwrap_err();
    let [problem] = error.problems() else {
        panic!("expected one problem: {error}")
    };
    (problem.setting().to_owned(), problem.explanation().to_owned())
}

#[test]
fn defaults_are_those_of_the_kits() {
    let config = config(&[]);
    assert_eq!(config.api_base_url, "https://api.workos.com");
    assert_eq!(config.cookie.name, "wos-session");
    assert_eq!(config.cookie.max_age, Duration::from_secs(400 * 24 * 60 * 60));
    assert_eq!(config.cookie.same_site, SameSite::Lax);
    assert!(config.cookie.secure);
    assert_eq!(config.paths.callback, "/callback");
    assert_eq!(config.paths.sign_in, "/auth/sign-in");
    assert!(config.token.issuers.is_empty());
}

#[test]
fn three_variables_point_at_another_api() {
    let config = config(&[
        ("WORKOS_API_HOSTNAME", "localhost"),
        ("WORKOS_API_PORT", "4100"),
        ("WORKOS_API_HTTPS", "false"),
    ]);
    assert_eq!(config.api_base_url, "http://localhost:4100");
}

#[test]
fn a_base_url_is_taken_apart() {
    for (url, expected) in [
        ("http://localhost:4100", "http://localhost:4100"),
        ("http://127.0.0.1:4100/", "http://127.0.0.1:4100"),
        ("https://auth.example.com", "https://auth.example.com"),
        ("http://[::1]:4100", "http://[::1]:4100"),
        ("http://[::1]", "http://[::1]"),
    ] {
        let builder = variables(&[]).api_base_url(url);
        assert_eq!(builder.check(&mut Vec::new()).unwrap().api_base_url, expected);
    }
    for url in [
        "ftp://localhost",
        "localhost:4100/path",
        "https://a.example@b.example",
        "https://a.example?x",
    ] {
        let error = variables(&[]).api_base_url(url).build().unwrap_err();
        assert!(error.to_string().contains("WORKOS_API_"), "{url}: {error}");
    }
}

#[test]
fn all_missing_variables_are_reported_at_once() {
    let error = AuthKit::builder().variables(|_| None).build().unwrap_err();
    let settings: Vec<_> = error.problems().iter().map(ConfigProblem::setting).collect();
    assert_eq!(
        settings,
        [
            "WORKOS_API_KEY",
            "WORKOS_CLIENT_ID",
            "WORKOS_COOKIE_PASSWORD",
            "WORKOS_REDIRECT_URI"
        ]
    );
    assert!(error.to_string().contains("openssl rand -base64 32"));
}

#[test]
fn an_empty_variable_is_not_set() {
    let (setting, explanation) = problem(&[("WORKOS_API_KEY", " ")]);
    assert_eq!(setting, "WORKOS_API_KEY");
    assert!(explanation.starts_with("is not set"));
}

#[test]
fn a_short_password_is_refused_without_printing_it() {
    let (setting, explanation) = problem(&[("WORKOS_COOKIE_PASSWORD", "hunter2")]);
    assert_eq!(setting, "WORKOS_COOKIE_PASSWORD");
    assert!(explanation.starts_with("has only 7 characters"));
    assert!(!explanation.contains("hunter2"));
}

#[test]
fn former_passwords_are_as_long_and_never_printed() {
    let builder = variables(&[]).previous_cookie_passwords(["an old password of 32 characters", "hunter2"]);
    let error = builder.build().unwrap_err();
    assert_eq!(error.problems()[0].setting(), "previous_cookie_passwords");
    assert!(!error.to_string().contains("hunter2"), "{error}");

    let builder = variables(&[]).previous_cookie_passwords(["an old password of 32 characters"]);
    let config = builder.check(&mut Vec::new()).unwrap();
    let passwords: Vec<_> = config.cookie.passwords.iter().map(SecretString::expose).collect();
    assert_eq!(
        passwords,
        [
            "0123456789abcdef0123456789abcdef",
            "an old password of 32 characters"
        ]
    );
    assert_eq!(config.cookie.keys.len(), 2);
    assert!(!format!("{config:?}").contains("old password"));
}

#[test]
fn wrong_values_name_their_variable() {
    assert_eq!(
        problem(&[("WORKOS_REDIRECT_URI", "/callback")]).0,
        "WORKOS_REDIRECT_URI"
    );
    assert_eq!(
        problem(&[("WORKOS_REDIRECT_URI", "javascript:alert(1)")]).0,
        "WORKOS_REDIRECT_URI"
    );
    assert_eq!(problem(&[("WORKOS_API_PORT", "http")]).0, "WORKOS_API_PORT");
    assert_eq!(problem(&[("WORKOS_API_HTTPS", "perhaps")]).0, "WORKOS_API_HTTPS");
    assert_eq!(
        problem(&[("WORKOS_API_HOSTNAME", "http://x/y")]).0,
        "WORKOS_API_HOSTNAME"
    );
    assert_eq!(
        problem(&[("WORKOS_COOKIE_MAX_AGE", "-1")]).0,
        "WORKOS_COOKIE_MAX_AGE"
    );
    assert_eq!(
        problem(&[("WORKOS_COOKIE_SAMESITE", "maybe")]).0,
        "WORKOS_COOKIE_SAMESITE"
    );
    assert_eq!(problem(&[("WORKOS_COOKIE_NAME", "a;b")]).0, "WORKOS_COOKIE_NAME");
    assert_eq!(
        problem(&[("WORKOS_COOKIE_DOMAIN", "a; Path=/x")]).0,
        "WORKOS_COOKIE_DOMAIN"
    );
    let error = variables(&[])
        .unauthenticated_paths(["/a/(\\d+)"])
        .build()
        .unwrap_err();
    assert_eq!(error.problems()[0].setting(), "unauthenticated_paths");
    for prefix in ["auth", "/{auth}", "/auth?x", "/a b"] {
        let error = variables(&[]).path_prefix(prefix).build().unwrap_err();
        assert_eq!(error.problems()[0].setting(), "path_prefix", "{prefix}");
    }
    for path in ["/auth/sign-in", "callback", "/{tail}*"] {
        let error = variables(&[]).callback_path(path).build().unwrap_err();
        assert_eq!(error.problems()[0].setting(), "callback_path", "{path}");
    }
    let error = variables(&[])
        .after_sign_in("https://evil.example")
        .build()
        .unwrap_err();
    assert_eq!(error.problems()[0].setting(), "after_sign_in");
}

#[test]
fn cookies_are_secure_for_https_and_for_same_site_none() {
    assert!(
        !config(&[("WORKOS_REDIRECT_URI", "http://localhost:8080/callback")])
            .cookie
            .secure
    );
    let none = config(&[
        ("WORKOS_REDIRECT_URI", "http://localhost:8080/callback"),
        ("WORKOS_COOKIE_SAMESITE", "none"),
    ]);
    assert!(none.cookie.secure);
}

#[test]
fn issuers_are_a_comma_list() {
    let config = config(&[("WORKOS_ISSUER", "https://a.example, https://b.example,")]);
    assert_eq!(config.token.issuers, ["https://a.example", "https://b.example"]);
}

#[test]
fn debug_shows_no_secret() {
    let printed = format!("{:?} {:?}", variables(&[]), config(&[]));
    assert!(!printed.contains("sk_test_1"), "{printed}");
    assert!(!printed.contains("0123456789abcdef"), "{printed}");
}

#[test]
fn the_token_route_and_sign_up_paths_are_checked() {
    let config = |builder: AuthKitBuilder| builder.check(&mut Vec::new());
    assert_eq!(config(variables(&[])).unwrap().paths.token, None);
    let with_route = config(variables(&[]).token_route().path_prefix("/account")).unwrap();
    assert_eq!(with_route.paths.token.as_deref(), Some("/account/token"));
    assert!(with_route.paths.is_auth_route("/account/token"));
    let taken = variables(&[]).token_route().callback_path("/auth/token").build();
    assert_eq!(taken.unwrap_err().problems()[0].setting(), "callback_path");
    let pattern = variables(&[]).sign_up_paths(["/join/(\\d+)"]).build();
    assert_eq!(pattern.unwrap_err().problems()[0].setting(), "sign_up_paths");
}

#[test]
fn an_api_without_sessions_needs_no_cookie_and_no_callback() {
    let bare = || {
        AuthKit::builder()
            .api_key("sk_1")
            .client_id("client_1")
            .without_sessions()
    };
    let config = bare().bearer_tokens().check(&mut Vec::new()).unwrap();
    assert!(!config.sources.sessions && config.sources.read_authorization());
    // What is given is checked all the same.
    for (builder, setting) in [
        (bare(), "without_sessions"),
        (
            bare().api_keys().cookie_password("short"),
            "WORKOS_COOKIE_PASSWORD",
        ),
        (bare().api_keys().redirect_uri("nonsense"), "WORKOS_REDIRECT_URI"),
    ] {
        let error = builder.build().unwrap_err();
        let settings: Vec<_> = error.problems().iter().map(ConfigProblem::setting).collect();
        assert_eq!(settings, [setting]);
    }
}

#[test]
fn origins_and_issuers_are_checked_at_start() {
    let config = variables(&[])
        .trusted_origins(["https://Admin.example:443/"])
        .machine_tokens(MachineTokens::issued_by(" https://auth.example/ "))
        .check(&mut Vec::new())
        .unwrap();
    assert_eq!(config.origins.trusted, ["https://admin.example"]);
    assert_eq!(config.origins.own, "https://app.example");
    assert_eq!(config.sources.machines.unwrap().issuer, "https://auth.example");
    for builder in [
        variables(&[]).trusted_origins(["*"]),
        variables(&[]).trusted_origins(["https://a.example", "https://a.example/path"]),
    ] {
        assert_eq!(
            builder.build().unwrap_err().problems()[0].setting(),
            "trusted_origins"
        );
    }
    for issuer in [
        "auth.example",
        "",
        "https://auth.example/x",
        "https://auth.example?x",
        "client_1",
    ] {
        let builder = variables(&[]).machine_tokens(MachineTokens::issued_by(issuer));
        let error = builder.build().unwrap_err();
        assert_eq!(error.problems()[0].setting(), "machine_tokens", "{issuer}");
    }
}
