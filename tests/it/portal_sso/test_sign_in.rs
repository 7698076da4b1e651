//! The sign-in that an admin tries a connection with.

use std::time::Duration;

use super::{EMAIL, OIDC, World, answer, with_form};
use crate::{
    browser::Browser,
    portal::title,
    sso_connections::{events, names},
};

#[actix_web::test]
async fn a_sign_in_that_fails_says_why_and_activates_nothing() {
    let world = World::new().await;
    let (first, path) = world.begin("GenericOIDC").await;
    let test = format!("{path}/test");
    world.post(&first, &format!("{path}/configuration"), &OIDC).await;
    for (fields, reason) in [
        (
            vec![("email", "ada@elsewhere.example")],
            "no verified domain of Acme",
        ),
        (vec![("decision", "deny")], "denied the person access"),
        (vec![("decision", "error")], "failed:"),
    ] {
        let away = world.post(&first, &test, &[]).await;
        let result = answer(&world.browser, &away, &fields).await;
        assert_eq!((result.status, title(&result)), (200, "The sign-in failed"));
        assert!(result.text.contains(reason), "{reason}: {}", result.text);
        assert_eq!(result.text.matches("aria-label=\"Failed\"").count(), 1);
    }
    assert_eq!(world.connection().await["state"], "validating");
    assert_eq!(events(&world.emulator, "connection.").await, []);
    assert_eq!(
        names(&events(&world.emulator, "authentication.sso_failed").await).len(),
        3
    );

    // Nobody comes back in time.
    let away = world.post(&first, &test, &[]).await;
    world.emulator.clock().advance(Duration::from_secs(700));
    let late = world.browser.submit(&away, &[("email", EMAIL)]).await;
    assert_eq!(late.status, 400);
    let list = world.go(&first, &test).await.text;
    assert!(
        list.contains("Timed out") && list.contains("Nobody yet"),
        "{list}"
    );

    // A custom connection asks its people for consent; a test does not, as it signs nobody in.
    let away = world.post(&first, &test, &[]).await;
    let result = answer(&world.browser, &away, &[("email", EMAIL)]).await;
    assert_eq!(title(&result), "The sign-in succeeded");
}

#[actix_web::test]
async fn only_the_browser_of_the_admin_tests_and_sees_what_came_of_it() {
    let world = World::new().await;
    let (first, path) = world.begin("OktaOIDC").await;
    world.post(&first, &format!("{path}/configuration"), &OIDC).await;
    let test = format!("{path}/test");
    let away = world.post(&first, &test, &[]).await;
    // Somebody else who knows the address of the sign-in at the identity provider cannot finish it.
    let stranger = Browser::new();
    let page = stranger.visit(away.url.clone()).await;
    assert_eq!(stranger.submit(&page, &[("email", EMAIL)]).await.status, 400);
    let result = answer(&world.browser, &away, &[("email", EMAIL)]).await;
    assert_eq!(title(&result), "The sign-in succeeded");
    assert_eq!(stranger.visit(result.url.clone()).await.status, 400);

    // The session of the portal may be over when they are back.
    let away = world.post(&first, &test, &[]).await;
    world
        .browser
        .submit_to("/portal/finish", &with_form(&first), &[])
        .await;
    let back = answer(&world.browser, &away, &[("email", EMAIL)]).await;
    assert_eq!((back.status, title(&back)), (400, "This page is not open to you"));
}
