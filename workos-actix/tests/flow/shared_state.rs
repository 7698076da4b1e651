//! Two machines that know of each other, through whatever [`SharedState`](workos_actix::SharedState) there is.

use actix_web::rt::spawn;
use workos_actix::MemorySharedState;

use crate::{app::TestApp, fake_workos::LIFETIME};

async fn machines() -> (TestApp, TestApp) {
    let state = MemorySharedState::new();
    let first = TestApp::start_with(|builder| builder.shared_state(state.clone())).await;
    let second = first.another(|builder| builder.shared_state(state));
    (first, second)
}

#[actix_web::test]
async fn two_machines_refresh_once() {
    let (first, second) = machines().await;
    let browser = first.signed_in().await;
    first.clock.advance(LIFETIME + 1);
    first.workos.hold();
    let before = (first.arrived(), second.arrived());
    let requests: Vec<_> = [&first, &second]
        .into_iter()
        .map(|machine| {
            let mut tab = machine.takes_over(&browser);
            spawn(async move { tab.fetch("/me").await.json()["jti"].clone() })
        })
        .collect();
    first.arrivals_reach(before.0 + 1).await;
    second.arrivals_reach(before.1 + 1).await;
    first.workos.release();
    for request in requests {
        assert_eq!(request.await.unwrap(), "jti_3");
    }
    assert_eq!(first.workos.counts().refreshes, 1);
}

#[actix_web::test]
async fn a_machine_that_starts_knows_who_has_signed_out() {
    let (first, second) = machines().await;
    let mut browser = first.signed_in().await;
    let mut copy = second.takes_over(&browser);
    browser.visit("/auth/sign-out").await;
    // Nobody has asked this machine anything yet: before its first answer it reads what there is.
    assert_eq!(copy.fetch("/me").await.status, 401);
}
