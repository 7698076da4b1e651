//! Signing in to a running app.

use std::sync::Arc;

use reqwest::{
    Url,
    cookie::{CookieStore, Jar},
};

use super::TestingError;
use crate::verifier_cookie;

/// Signs in to a running app whose WorkOS is a `workos-emulator` (or any that signs in without a page): follows the app's
/// sign-in link, through WorkOS and the callback, as the user with the address `login_hint`. Answers the value of the `Cookie`
/// header of the signed-in browser, for requests of your test's own HTTP client.
///
/// `sign_in_url` is the whole URL of the [sign-in route](crate::AuthKit::routes).
///
/// ```no_run
/// # async fn test() -> Result<(), Box<dyn std::error::Error>> {
/// use workos_actix::testing;
///
/// let cookie = testing::sign_in("http://localhost:8080/auth/sign-in", "alice@acme.example").await?;
/// let me = reqwest::Client::new().get("http://localhost:8080/me").header("cookie", cookie).send().await?;
/// assert_eq!(me.text().await?, "alice@acme.example");
/// # Ok(()) }
/// ```
///
/// # Errors
/// When there is no session in the end, with what was answered instead.
pub async fn sign_in(sign_in_url: &str, login_hint: &str) -> Result<String, TestingError> {
    let mut url = Url::parse(sign_in_url).map_err(TestingError::new)?;
    url.query_pairs_mut().append_pair("login_hint", login_hint);
    let jar = Arc::new(Jar::default());
    let http = reqwest::Client::builder()
        .cookie_provider(Arc::clone(&jar))
        .no_proxy()
        .build()
        .map_err(TestingError::new)?;
    let answer = http.get(url.clone()).send().await.map_err(TestingError::new)?;
    let (status, end) = (answer.status(), answer.url().clone());
    let cookies = jar.cookies(&url);
    let cookies = cookies.as_ref().and_then(|value| value.to_str().ok());
    let session: Vec<_> = cookies
        .into_iter()
        .flat_map(|cookies| cookies.split("; "))
        .filter(|cookie| !cookie.starts_with(verifier_cookie::PREFIX))
        .collect();
    if !session.is_empty() {
        return Ok(session.join("; "));
    }
    let text = answer.text().await.unwrap_or_default();
    let text: String = text.chars().take(300).collect();
    Err(TestingError::new(format!(
        "nobody is signed in: {} {} answered {status}: {text}",
        end.host_str().unwrap_or_default(),
        end.path()
    )))
}
