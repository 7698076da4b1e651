//! Whatever address a request brings along: nobody is sent to a stranger's site, and no mail links to one.

use reqwest::Method;
use serde_json::json;
use url::form_urlencoded::byte_serialize;
use workos::UserManagementAuthenticationProvider as Provider;
use workos_emulator::Emulator;

use super::wire::authenticate;
use crate::{
    browser::Browser,
    http,
    social::{authorize, settings},
};

const PASSWORD: &str = "seven quiet lighthouses";

const EVIL: [&str; 14] = [
    "https://evil.example/",
    "//evil.example/",
    "http:///evil.example",
    "http:\\\\evil.example",
    "https:evil.example",
    "http://localhost:3000@evil.example/callback",
    "http://localhost:3000%40evil.example/callback",
    "http://localhost.evil.example/callback",
    "http://127.0.0.1.evil.example/callback",
    "http://evil.example#http://localhost:3000/callback",
    "javascript://localhost:3000/%0aalert(1)",
    "data:text/html,<script>alert(1)</script>",
    "http://localhost:3000/callback\r\nLocation: https://evil.example",
    "https://xn--lcalhost-l6a.example/callback",
];

#[actix_web::test]
async fn no_address_of_a_stranger_is_followed() {
    let emulator = Emulator::start().await.unwrap();
    let ada = emulator
        .user("ada@example.com")
        .password(PASSWORD)
        .create()
        .unwrap();
    let tried = [
        "/user_management/authorize?response_type=code&provider=authkit&client_id=client_emulate&redirect_uri=",
        "/user_management/authorize?response_type=code&provider=GoogleOAuth&login_hint=ada@example.com&client_id=client_emulate&redirect_uri=",
        "/user_management/authorize?response_type=wrong&client_id=client_emulate&redirect_uri=",
        "/oauth2/authorize?response_type=code&client_id=client_emulate&redirect_uri=",
        "/oauth2/authorize?response_type=wrong&prompt=none&client_id=client_emulate&redirect_uri=",
        "/user_management/sessions/logout?session_id=SESSION&return_to=",
        "/user_management/sessions/logout?session_id=session_none&return_to=",
        "/authkit/signed-out?client_id=client_emulate&return_to=",
    ];
    for evil in EVIL {
        for path in tried {
            let password = json!({"grant_type": "password", "email": ada.email, "password": PASSWORD});
            let path = if path.contains("SESSION") {
                let (_, session) = authenticate(&emulator, password).await;
                let claims = session["access_token"].as_str().unwrap();
                path.replace(
                    "SESSION",
                    crate::sdk::claims(&claims.into())["sid"].as_str().unwrap(),
                )
            } else {
                path.to_owned()
            };
            let encoded: String = byte_serialize(evil.as_bytes()).collect();
            for browser in [true, false] {
                let mut request = http::client().get(format!("{}{path}{encoded}", emulator.url()));
                if browser {
                    request = request
                        .header("accept", "text/html")
                        .header("sec-fetch-mode", "navigate");
                }
                let response = request.send().await.unwrap();
                let told = format!("{path}{evil}: {} {:?}", response.status(), response.headers());
                assert!(response.status().as_u16() < 500, "{told}");
                if let Some(location) = response.headers().get("location") {
                    let location = location.to_str().unwrap();
                    let url = reqwest::Url::parse(emulator.url())
                        .unwrap()
                        .join(location)
                        .unwrap();
                    assert!(
                        ["http", "https"].contains(&url.scheme())
                            && ["127.0.0.1", "localhost"].contains(&url.host_str().unwrap()),
                        "{told}"
                    );
                }
                let page = response.text().await.unwrap();
                assert!(!page.contains(&format!("href=\"{evil}")), "{told} {page}");
                assert!(!page.contains("<script>"), "{told} {page}");
            }
        }
        let body = json!({
            "user_id": ada.id, "impersonator_email": "help@example.com", "reason": "r", "redirect_uri": evil,
        });
        let (status, answer) = http::call(&emulator, Method::POST, "/_emulate/impersonations", &body).await;
        assert!((400..500).contains(&status), "{evil}: {answer}");
    }
}

/// With a public URL, mails link to it, whatever a request says of its host.
#[actix_web::test]
async fn no_header_gets_into_the_link_of_a_mail() {
    let public = "https://auth.example.com";
    let emulator = Emulator::builder().public_url(public).start().await.unwrap();
    emulator
        .user("ada@example.com")
        .password(PASSWORD)
        .create()
        .unwrap();
    let own = format!("http://{}", emulator.address());
    let send = |path: &str, cookie: String, fields: Vec<(&str, String)>| {
        let request = http::client()
            .post(format!("{own}{path}"))
            .header("host", "evil.example")
            .header("x-forwarded-host", "evil.example")
            .header("x-forwarded-proto", "http")
            .header("forwarded", "host=evil.example;proto=http")
            .header("cookie", cookie)
            .form(&fields);
        async move { request.send().await.unwrap() }
    };
    for (path, more, kind) in [
        ("/authkit/forgot-password", vec![], "password_reset"),
        ("/authkit/sign-up", vec![("password", PASSWORD)], "account_exists"),
        ("/authkit/sign-up", vec![("decision", "code")], "magic_auth"),
    ] {
        let url = authorize(&emulator, Provider::Authkit, |_| {});
        let url = reqwest::Url::parse(&url).unwrap();
        let url = format!("{own}{}?{}", url.path(), url.query().unwrap());
        let opened = http::client()
            .get(url)
            .header("sec-fetch-mode", "navigate")
            .send()
            .await
            .unwrap();
        let header = |name: &str| opened.headers()[name].to_str().unwrap().to_owned();
        let cookie = header("set-cookie").split(';').next().unwrap().to_owned();
        assert!(
            header("set-cookie").contains("; Secure"),
            "{}",
            header("set-cookie")
        );
        assert!(header("location").starts_with(public), "{}", header("location"));
        let session = cookie
            .split_once('=')
            .unwrap()
            .0
            .trim_start_matches("workos_")
            .to_owned();
        let mut fields = vec![
            ("client_id", "client_emulate".to_owned()),
            ("authorization_session_id", session),
            ("email", "ada@example.com".to_owned()),
        ];
        fields.extend(more.into_iter().map(|(name, value)| (name, value.to_owned())));
        let answer = send(path, cookie, fields).await;
        assert_eq!(answer.status(), 303, "{path}: {}", answer.text().await.unwrap());
        let mail = emulator.mailbox().last_to("ada@example.com").unwrap();
        assert_eq!(mail.kind(), kind);
        assert!(mail.url().unwrap().starts_with(public), "{:?}", mail.url());
        assert!(!mail.text().contains("evil") && !mail.html().contains("evil"));
    }
}

/// Names go into tokens, mails, pages and headers: nowhere do they become more than names.
#[actix_web::test]
async fn names_are_nothing_but_names() {
    let emulator = Emulator::start().await.unwrap();
    let names = [
        "\r\nSet-Cookie: a=b",
        "<script>alert(1)</script>",
        "\u{202e}evil\u{0}",
        "{{ 7*7 }}{% raw %}",
        "\"><img src=x onerror=alert(1)>",
    ];
    for (at, name) in names.into_iter().enumerate() {
        let email = format!("name{at}@example.com");
        let user = json!({"email": email, "first_name": name, "last_name": name, "password": PASSWORD});
        let (status, user) = http::call(&emulator, Method::POST, "/user_management/users", &user).await;
        assert_eq!((status, &user["first_name"]), (201, &json!(name)));
        for organization in ["One", "Two"] {
            let body = json!({"name": format!("{organization} {name}")});
            let (status, organization) = http::call(&emulator, Method::POST, "/organizations", &body).await;
            // What an organization may not be called is refused.
            if status != 201 {
                assert!((400..500).contains(&status), "{organization}");
                continue;
            }
            let body = json!({"user_id": user["id"], "organization_id": organization["id"]});
            let path = "/user_management/organization_memberships";
            assert_eq!(http::call(&emulator, Method::POST, path, &body).await.0, 201);
        }
        let path = format!("/user_management/users/{}", user["id"].as_str().unwrap());
        http::call(&emulator, Method::PUT, &path, &json!({"email_verified": true})).await;
        settings(
            &emulator,
            json!({"branding": {"name": "Acme <script>alert(1)</script>"}}),
        )
        .await;
        let browser = Browser::new();
        let form = browser
            .visit(authorize(&emulator, Provider::Authkit, |_| {}))
            .await;
        let form = browser.submit(&form, &[("email", &email)]).await;
        let page = browser.submit_and_stop(&form, &[("password", PASSWORD)]).await;
        assert_eq!(page.status, 303, "{}", page.text);
        let page = if page.location().path() == "/authkit/organization" {
            browser.step(page.location().as_str()).await
        } else {
            page
        };
        assert!(
            page.headers
                .get_all("set-cookie")
                .iter()
                .all(|cookie| cookie != "a=b")
        );
        assert!(
            !page.text.contains("<script>") && !page.text.contains("<img src=x"),
            "{}",
            page.text
        );
        let (_, _sent) = http::call(
            &emulator,
            Method::POST,
            "/user_management/magic_auth",
            &json!({"email": email}),
        )
        .await;
        let mail = emulator.mailbox().last_to(&email).unwrap();
        assert!(!mail.html().contains("<script>"), "{}", mail.html());
    }
}
