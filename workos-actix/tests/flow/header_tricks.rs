//! Headers, cookies and queries that are too many, too odd, or said twice.

use actix_web::{
    App,
    http::{
        Method,
        header::{HeaderName, HeaderValue},
    },
    test::{TestRequest, call_service, init_service},
};

use crate::{
    app::{TestApp, pages},
    browser::NAVIGATE,
};

/// The most that Actix takes as the head of a request.
const HEAD_BYTES: usize = 128 * 1024;

/// As many cookies as fit, each named by its number.
fn crowd(name: impl Fn(usize) -> String) -> String {
    let mut cookies = String::new();
    for number in 0.. {
        let cookie = format!("{}=x; ", name(number));
        if cookies.len() + cookie.len() > HEAD_BYTES - 8_192 {
            break;
        }
        cookies += &cookie;
    }
    cookies
}

#[actix_web::test]
async fn thousands_of_cookies_hide_no_session() {
    let app = TestApp::start().await;
    let service = init_service(
        App::new()
            .wrap(app.authkit.middleware())
            .configure(app.authkit.routes())
            .configure(pages),
    )
    .await;
    let browser = app.signed_in().await;
    let session = format!("wos-session={}", browser.session().unwrap());
    for (crowd, expected) in [
        (crowd(|number| format!("c{number}")), 200),
        (crowd(|number| format!("wos-session.{number}")), 200),
        (crowd(|number| format!("wos-session{number}")), 200),
        (crowd(|number| format!("wos-auth-verifier-{number}")), 200),
        // Four of a name are looked at: who can set more in this browser can remove them, too.
        (crowd(|_| "wos-session".to_owned()), 401),
    ] {
        for cookie in [format!("{crowd}{session}"), format!("{session}; {crowd}")] {
            let is_last = cookie.starts_with(&crowd);
            let request = TestRequest::get().uri("/me").insert_header(("cookie", cookie));
            let response = call_service(&service, request.to_request()).await;
            let expected = if is_last { expected } else { 200 };
            assert_eq!(response.status(), expected, "{crowd:.40}");
        }
    }
}

#[actix_web::test]
async fn thousands_of_pending_sign_ins_are_purged_in_bounds() {
    let app = TestApp::start().await;
    let service = init_service(
        App::new()
            .wrap(app.authkit.middleware())
            .configure(app.authkit.routes()),
    )
    .await;
    // Names that could be ours, as short as they can be.
    let pending = crowd(|number| format!("wos-auth-verifier-{number:043}"));
    for _ in 0..20 {
        let mut request = TestRequest::get()
            .uri("/auth/sign-in")
            .insert_header(("cookie", pending.as_str()));
        for header in NAVIGATE {
            request = request.insert_header(header);
        }
        let response = call_service(&service, request.to_request()).await;
        assert_eq!(response.status(), 307);
        assert_eq!(response.headers().get_all("set-cookie").count(), 17);
    }
}

#[actix_web::test]
async fn a_callback_that_says_a_thing_twice_says_nothing() {
    let app = TestApp::start().await;
    let mut browser = app.browser();
    let callback = browser.authorize(&app.workos, "/auth/sign-in").await;
    let state = callback.split("state=").nth(1).unwrap().to_owned();
    for twice in [
        format!("{callback}&state={state}"),
        format!("{callback}&state=other"),
        callback.replace("state=", "state=other&state="),
        format!("{callback}&code=other"),
        callback.replace("code=", "code=other&code="),
        format!("{callback}&error=a&error=b"),
    ] {
        let response = browser.clone().fetch(&twice).await;
        assert_eq!(response.status, 400, "{twice}");
        assert!(
            !response
                .set_cookies()
                .iter()
                .any(|cookie| cookie.starts_with("wos-session="))
        );
    }
    assert_eq!(app.workos.counts().exchanges, 0);
    // With other names nobody is misled.
    let odd = format!("{callback}&State=x&state[]=y&state%00=z&c%6fde2=w");
    assert_eq!(browser.visit(&odd).await.status, 307);
    assert!(browser.session().is_some());
}

#[actix_web::test]
async fn headers_that_are_no_text_are_no_proof_and_no_failure() {
    let app = TestApp::start().await;
    let service = init_service(
        App::new()
            .app_data(actix_web::web::Data::new(app.authkit.clone()))
            .wrap(app.authkit.middleware())
            .configure(app.authkit.routes())
            .configure(pages),
    )
    .await;
    let browser = app.signed_in().await;
    let cookie = format!("wos-session={}", browser.session().unwrap());
    let odd: [&[u8]; 5] = [b"\xff\xfe", "é.example".as_bytes(), b"", b"\t", &[b'a'; 60_000]];
    let ours = "http://é".as_bytes();
    for value in odd.into_iter().chain([ours]) {
        for name in [
            "origin",
            "sec-fetch-site",
            "sec-fetch-mode",
            "sec-fetch-dest",
            "accept",
            "referer",
            "user-agent",
            "x-forwarded-host",
            "x-forwarded-proto",
            "forwarded",
            "upgrade",
            "purpose",
            "content-type",
        ] {
            let name = HeaderName::from_static(name);
            let value = HeaderValue::from_bytes(value).unwrap();
            for (method, path) in [
                (Method::GET, "/me"),
                (Method::GET, "/scope/page"),
                (Method::POST, "/me"),
                (Method::POST, "/auth/sign-out"),
                (Method::GET, "/auth/sign-in"),
                (Method::GET, "/auth/callback?code=a&state=b"),
            ] {
                let request = TestRequest::default()
                    .method(method.clone())
                    .uri(path)
                    .insert_header(("cookie", cookie.as_str()))
                    .insert_header((name.clone(), value.clone()));
                let response = call_service(&service, request.to_request()).await;
                let status = response.status().as_u16();
                assert!(
                    status < 500,
                    "{status} for {method} {path} with {name}: {value:.40?}"
                );
                // What says where it is from, and says it wrongly, is from elsewhere.
                let is_from_elsewhere = matches!(name.as_str(), "origin" | "sec-fetch-site");
                if method == Method::POST && path == "/me" && is_from_elsewhere && !value.is_empty() {
                    assert_eq!(status, 403, "{name}: {value:.40?}");
                }
            }
        }
    }
}
