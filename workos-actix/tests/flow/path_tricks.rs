//! What Actix routes to a protected handler is never open, however the path is written.

use actix_web::{
    App, HttpResponse,
    dev::Service,
    http::Uri,
    middleware::{NormalizePath, TrailingSlash},
    test::TestRequest,
    web,
};
use workos_actix::AuthKit;

use crate::app::TestApp;

/// Everything is protected but these.
const OPEN: [&str; 5] = ["/", "/pricing", "/blog/(.*)", "/docs/:path*", "/files/{name}"];

/// What paths are made of: names of handlers, and what could be taken for one of them, or for nothing.
const SEGMENTS: [&str; 22] = [
    "",
    "admin",
    "%61dmin",
    "ADMIN",
    "pricing",
    "blog",
    "docs",
    "files",
    ".",
    "..",
    "%2e",
    "%2e%2e",
    "%2E%2e%2fadmin",
    "..%2fadmin",
    "%2fadmin",
    "%5cadmin",
    "..%5cadmin",
    "%252e%252e%252fadmin",
    "..;",
    "admin;x=y",
    "%00",
    "blog%2f..%2fadmin",
];

fn pages(app: &mut web::ServiceConfig) {
    let open = || web::get().to(|| async { "open" });
    let protected = || web::get().to(|| async { "protected" });
    app.route("/", open())
        .route("/pricing", open())
        .route("/pricing/", open())
        .route("/blog/{tail:.*}", open())
        .route("/docs", open())
        .route("/docs/{tail:.*}", open())
        .route("/files/{name}", open())
        .route("/files/{name}/", open())
        .route("/blog", protected())
        .route("/files", protected())
        .route("/files/", protected())
        .route("/files/{name}/secret", protected())
        .route("/admin", protected())
        .service(web::scope("/admin").route("/{tail:.*}", protected()))
        .default_service(web::to(|| async { HttpResponse::NotFound().body("nothing") }));
}

/// Every path of up to four of the segments, without those that no client can send.
fn paths() -> impl Iterator<Item = String> {
    let one: Vec<String> = SEGMENTS.iter().map(|segment| format!("/{segment}")).collect();
    let two = product(&one, &one);
    let three = product(&two, &one);
    let four = product(&two, &two).into_iter().step_by(7);
    let all: Vec<_> = one.into_iter().chain(two).chain(three).chain(four).collect();
    all.into_iter()
}

fn product(left: &[String], right: &[String]) -> Vec<String> {
    left.iter()
        .flat_map(|left| right.iter().map(move |right| format!("{left}{right}")))
        .collect()
}

/// Status and body of the answer to a path. The URI is absolute: that a path begins with `//` must not make it a host.
/// `None` for what no client can send. A macro, because the type of the request has no name here.
macro_rules! ask {
    ($service:expr, $path:expr) => {
        match format!("http://app.example{}", $path).parse::<Uri>() {
            Ok(uri) => {
                let mut request = TestRequest::default().to_request();
                *request.uri_mut() = uri;
                let response = $service.call(request).await.unwrap();
                let status = response.status().as_u16();
                let body = actix_web::test::read_body(response).await;
                Some((status, String::from_utf8_lossy(&body).into_owned()))
            }
            Err(_) => None,
        }
    };
}

async fn authkit() -> AuthKit {
    TestApp::start_with(|builder| builder.require_auth().unauthenticated_paths(OPEN))
        .await
        .authkit
}

#[actix_web::test]
async fn no_spelling_opens_a_protected_handler() {
    let authkit = authkit().await;
    let guarded = App::new().configure(pages).wrap(authkit.middleware());
    let guarded = actix_web::test::init_service(guarded).await;
    let bare = actix_web::test::init_service(App::new().configure(pages)).await;
    let (mut open, mut protected) = (0, 0);
    for path in paths() {
        let (Some((_, handler)), Some((status, answer))) = (ask!(bare, path), ask!(guarded, path)) else {
            continue;
        };
        match handler.as_str() {
            "protected" => {
                assert_eq!(status, 401, "{path} is open");
                protected += 1;
            }
            "open" if status == 200 => {
                assert_eq!(answer, "open", "{path}");
                open += 1;
            }
            // Closed although it need not be: a spelling that somebody could read otherwise.
            _ => assert!([401, 404].contains(&status), "{path} {status}"),
        }
    }
    assert!(open > 100 && protected > 1000, "{open} {protected}");
}

#[actix_web::test]
async fn nor_does_one_that_the_app_normalises_afterwards() {
    let authkit = authkit().await;
    for mode in [
        TrailingSlash::Trim,
        TrailingSlash::MergeOnly,
        TrailingSlash::Always,
    ] {
        // Inside: the middleware sees the path as it came, the handlers as it is normalised. Outside: both the latter.
        let inside = App::new()
            .configure(pages)
            .wrap(NormalizePath::new(mode))
            .wrap(authkit.middleware());
        let outside = App::new()
            .configure(pages)
            .wrap(authkit.middleware())
            .wrap(NormalizePath::new(mode));
        let inside = actix_web::test::init_service(inside).await;
        let outside = actix_web::test::init_service(outside).await;
        for path in paths().step_by(3) {
            for answer in [ask!(inside, path), ask!(outside, path)] {
                let Some((status, answer)) = answer else { continue };
                assert_ne!(answer, "protected", "{path} is open ({status}, {mode:?})");
            }
        }
    }
}
