//! `examples/api.rs` runs, and lets in whom it says.

use reqwest::Method;
use serde_json::json;

use crate::http;

#[path = "../../examples/api.rs"]
mod api;

#[actix_web::test]
async fn each_credential_opens_what_is_for_it() {
    let (url, _emulator, credentials, server) = api::start(0).await.unwrap();
    actix_web::rt::spawn(server);
    let ask = async |method: Method, path: &str, credential: &str| {
        let request = http::client().request(method, format!("{url}{path}"));
        http::answer(request.bearer_auth(credential)).await
    };
    let (person, key, machine) = (
        credentials.access_token.as_str(),
        credentials.api_key.as_str(),
        credentials.machine_token.as_str(),
    );
    let (status, me) = ask(Method::GET, "/me", person).await;
    assert_eq!((status, &me["email"]), (200, &json!("ada@example.com")));
    for credential in [person, key] {
        let (status, body) = ask(Method::GET, "/documents", credential).await;
        assert_eq!((status, &body["documents"]), (200, &json!(["Plan", "Budget"])));
    }
    let (status, body) = ask(Method::POST, "/documents", person).await;
    assert_eq!((status, &body["author"]), (201, &me["id"]));
    let (status, body) = ask(Method::POST, "/documents", key).await;
    let expected = json!({
        "type": "about:blank", "title": "Forbidden", "status": 403, "code": "permission_required",
        "detail": body["detail"],
    });
    assert_eq!((status, body), (403, expected));
    let (status, body) = ask(Method::POST, "/import", key).await;
    assert_eq!((status, &body["key"]), (202, &json!("CI")));
    let (status, body) = ask(Method::GET, "/jobs", machine).await;
    assert_eq!((status, &body["jobs"]), (200, &json!(["nightly report"])));
    for (path, credential) in [
        ("/me", machine),
        ("/me", key),
        ("/documents", machine),
        ("/jobs", key),
    ] {
        assert_eq!(ask(Method::GET, path, credential).await.0, 403, "{path}");
    }
    let (status, body) = http::answer(http::client().get(format!("{url}/me"))).await;
    assert_eq!((status, &body["code"]), (401, &json!("sign_in_required")));
}
