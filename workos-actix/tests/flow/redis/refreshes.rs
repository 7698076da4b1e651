//! One refresh, whatever machine is asked.

use serde_json::json;
use tokio::task::JoinSet;

use super::{Data, Machines};
use crate::{browser::Browser, fake_workos::LIFETIME};

#[actix_web::test]
async fn a_hundred_requests_on_two_machines_refresh_once() {
    let Machines { redis, first, second } = Machines::start(Data::Kept).await;
    let browser = first.signed_in().await;
    assert_eq!(
        second.takes_over(&browser).fetch("/me").await.json()["jti"],
        "jti_2"
    );
    first.clock.advance(LIFETIME + 1);
    first.workos.hold();
    let before = (first.arrived(), second.arrived());
    let mut requests = JoinSet::new();
    for number in 0..100 {
        let machine = if number % 2 == 0 { &first } else { &second };
        let mut tab = machine.takes_over(&browser);
        requests.spawn_local(async move {
            let response = tab.fetch("/me").await;
            (response.status, response.json()["jti"].clone(), tab.cookies)
        });
    }
    first.arrivals_reach(before.0 + 50).await;
    second.arrivals_reach(before.1 + 50).await;
    first.workos.refreshes_reach(1).await;
    first.workos.release();
    for (status, jti, cookies) in requests.join_all().await {
        assert_eq!((status, &jti), (200, &json!("jti_3")));
        // Every one of the cookies that were set is good everywhere.
        for machine in [&first, &second] {
            let mut tab = Browser::new(&machine.url);
            tab.cookies.clone_from(&cookies);
            assert_eq!(tab.fetch("/me").await.json()["jti"], "jti_3");
        }
    }
    assert_eq!(first.workos.counts().refreshes, 1);

    let dump = redis.dump();
    assert!(dump.contains("workos-actix:refresh:"), "{dump}");
    // The last one begins every access token, and is too long for a chance in what is sealed.
    for secret in ["refresh_", "alice@acme.example", "eyJhbGciOi"] {
        assert!(
            !dump.replace(":refresh:", "").contains(secret),
            "{secret} in {dump}"
        );
    }
}

#[actix_web::test]
async fn a_late_request_on_the_other_machine_gets_the_settled_result() {
    let Machines {
        redis: _redis,
        first,
        second,
    } = Machines::start(Data::Kept).await;
    let mut browser = first.signed_in().await;
    let mut late = second.takes_over(&browser);
    first.clock.advance(LIFETIME + 1);
    assert_eq!(browser.fetch("/me").await.json()["jti"], "jti_3");
    first.clock.advance(20);
    assert_eq!(late.fetch("/me").await.json()["jti"], "jti_3");
    assert_eq!(first.workos.counts().refreshes, 1);
    // What the other machine has learned, too, lasts for the grace time and no longer.
    first.clock.advance(LIFETIME);
    assert_eq!(late.fetch("/me").await.json()["jti"], "jti_4");
    assert_eq!(browser.fetch("/me").await.json()["jti"], "jti_4");
    assert_eq!(first.workos.counts().refreshes, 2);
}

#[actix_web::test]
async fn the_end_of_a_session_is_known_to_both() {
    let Machines {
        redis: _redis,
        first,
        second,
    } = Machines::start(Data::Kept).await;
    let mut browser = first.signed_in().await;
    let mut other = second.takes_over(&browser);
    first.clock.advance(LIFETIME + 1);
    let ended = (400, json!({ "error": "invalid_grant" }));
    first.workos.fail_authenticate(Some(ended));
    assert_eq!(browser.fetch("/me").await.status, 401);
    assert_eq!(other.fetch("/me").await.status, 401);
    assert!(other.session().is_none());
    assert_eq!(first.workos.counts().refreshes, 1);
}

#[actix_web::test]
async fn a_passing_failure_leaves_the_next_try_to_the_other_machine() {
    let Machines {
        redis: _redis,
        first,
        second,
    } = Machines::start(Data::Kept).await;
    let mut browser = first.signed_in().await;
    let mut other = second.takes_over(&browser);
    first.clock.advance(LIFETIME + 1);
    first.workos.fail_authenticate(Some((500, json!({}))));
    assert_eq!(browser.fetch("/me").await.status, 503);
    first.workos.fail_authenticate(None);
    assert_eq!(other.fetch("/me").await.json()["jti"], "jti_3");
    assert_eq!(browser.fetch("/me").await.json()["jti"], "jti_3");
    assert_eq!(first.workos.counts().refreshes, 2);
}

#[actix_web::test]
async fn a_switch_and_a_refresh_on_two_machines_are_one_exchange() {
    let Machines {
        redis: _redis,
        first,
        second,
    } = Machines::start(Data::Kept).await;
    let mut browser = first.signed_in().await;
    let mut other = second.takes_over(&browser);
    first.workos.hold();
    let switch = actix_web::rt::spawn(async move {
        let body = json!({ "organization_id": "org_2" });
        let response = browser.fetch_json("/auth/switch-organization", &body).await;
        (response.status, browser)
    });
    first.workos.refreshes_reach(1).await;
    first.clock.advance(LIFETIME + 1);
    let before = second.arrived();
    let page = actix_web::rt::spawn(async move {
        let response = other.fetch("/me").await;
        (response.status, response.json(), other)
    });
    second.arrivals_reach(before + 1).await;
    first.workos.release();
    assert_eq!(switch.await.unwrap().0, 200);
    let (status, page, mut other) = page.await.unwrap();
    assert_eq!((status, &page["organization"]), (200, &json!("org_2")));
    assert_eq!(first.workos.counts().refreshes, 1);
    // And on from there, on the machine that has not switched.
    let body = json!({ "organization_id": "org_3" });
    assert_eq!(
        other.fetch_json("/auth/switch-organization", &body).await.status,
        200
    );
    assert_eq!(other.fetch("/me").await.json()["organization"], "org_3");
}

#[actix_web::test]
async fn machines_with_different_passwords_do_not_sign_each_other_out() {
    let Machines {
        redis,
        first,
        second: _second,
    } = Machines::start(Data::Kept).await;
    let mut browser = first.signed_in().await;
    first.clock.advance(LIFETIME + 1);
    assert_eq!(browser.fetch("/me").await.status, 200);
    let state = redis.connect().await;
    let stranger = first.another(|builder| {
        builder
            .cookie_password("another password, 32 characters!")
            .shared_state(state)
    });
    let mut there = stranger.takes_over(&browser);
    assert_eq!(there.fetch("/me").await.status, 401);
    assert_eq!(browser.fetch("/me").await.status, 200);
}
