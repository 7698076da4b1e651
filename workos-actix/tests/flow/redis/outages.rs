//! Redis is killed, restarted and frozen: nobody is signed out, nothing is refreshed twice, no request hangs.

use std::time::Duration;

use tokio::time::Instant;
use workos_actix::AuthKitBuilder;

use super::{Data, Machines, eventually};
use crate::{browser::Browser, fake_workos::LIFETIME};

/// The longest that any request may take: far below what a browser waits.
const NO_HANG: Duration = Duration::from_secs(5);
const RECOVERY: Duration = Duration::from_secs(10);

/// Asks for the page of the signed-in user; answers the status and the number of the access token.
async fn me(browser: &mut Browser) -> (u16, String) {
    let answer = tokio::time::timeout(NO_HANG, browser.fetch("/me")).await;
    let answer = answer.expect("no request hangs");
    let jti = answer.json()["jti"].as_str().unwrap_or_default().to_owned();
    (answer.status, jti)
}

async fn is_back(browser: &Browser) {
    eventually("the session is served again", RECOVERY, async || {
        me(&mut browser.clone()).await.0 == 200
    })
    .await;
}

fn impatient(builder: AuthKitBuilder) -> AuthKitBuilder {
    builder.revocation_max_age(Duration::from_secs(3))
}

#[actix_web::test]
async fn a_restart_in_the_middle_of_a_refresh() {
    for data in [Data::Kept, Data::Lost] {
        let Machines {
            mut redis,
            first,
            second,
        } = Machines::start(data).await;
        let mut browser = first.signed_in().await;
        let mut other = second.takes_over(&browser);
        let mut stranger = second.takes_over(&browser);
        first.clock.advance(LIFETIME + 1);
        first.workos.hold();
        let asks = actix_web::rt::spawn(async move { (me(&mut browser).await, browser) });
        first.workos.refreshes_reach(1).await;
        let waits = actix_web::rt::spawn(async move { (me(&mut other).await, other) });
        eventually("the other machine waits for its turn", RECOVERY, async || {
            redis.calls("get") > 0
        })
        .await;

        redis.kill();
        redis.restart();
        first.workos.release();
        let (answer, mut browser) = asks.await.unwrap();
        assert_eq!(answer, (200, "jti_3".to_owned()), "{data:?}");
        // Either it did not notice, or it was told to come again.
        let (answer, mut other) = waits.await.unwrap();
        assert!(matches!(answer.0, 200 | 503), "{data:?}: {answer:?}");
        for browser in [&mut browser, &mut other, &mut stranger] {
            is_back(browser).await;
            assert_eq!(me(browser).await.1, "jti_3", "{data:?}");
        }
        assert_eq!(first.workos.counts().refreshes, 1, "{data:?}");
    }
}

#[actix_web::test]
async fn an_answer_that_came_during_the_outage_reaches_the_other_machine() {
    let Machines {
        mut redis,
        first,
        second,
    } = Machines::start(Data::Kept).await;
    let mut browser = first.signed_in().await;
    let mut other = second.takes_over(&browser);
    first.clock.advance(LIFETIME + 1);
    first.workos.hold();
    let asks = actix_web::rt::spawn(async move { me(&mut browser).await });
    first.workos.refreshes_reach(1).await;
    redis.kill();
    first.workos.release();
    assert_eq!(asks.await.unwrap(), (200, "jti_3".to_owned()));
    assert_eq!(me(&mut other).await.0, 503);
    assert!(other.session().is_some());
    redis.restart();
    is_back(&other).await;
    assert_eq!(me(&mut other).await.1, "jti_3");
    assert_eq!(first.workos.counts().refreshes, 1);
}

#[actix_web::test]
async fn without_redis_valid_tokens_serve_on_and_due_refreshes_are_503() {
    let Machines {
        mut redis,
        first,
        second,
    } = Machines::start_with(Data::Kept, |builder| builder.revocation_max_age(Duration::MAX)).await;
    let mut browser = first.signed_in().await;
    let mut expired = second.takes_over(&browser);
    assert_eq!(me(&mut expired).await.0, 200);
    for is_frozen in [false, true] {
        if is_frozen {
            redis.freeze();
        } else {
            redis.kill();
        }
        assert_eq!(me(&mut browser).await.0, 200);
        // A refresh ahead of time can wait.
        first.clock.advance(LIFETIME - 10);
        assert_eq!(me(&mut browser).await.0, 200);
        first.clock.advance(11);
        for browser in [&mut browser, &mut expired] {
            let cookie = browser.session().cloned();
            assert_eq!(me(browser).await.0, 503);
            assert_eq!(browser.session().cloned(), cookie);
        }
        assert_eq!(
            browser.visit("/style.css").await.status,
            200,
            "what needs no user goes on"
        );
        assert_eq!(first.browser().fetch("/greeting").await.body, "stranger");
        if is_frozen {
            redis.thaw();
        } else {
            redis.restart();
        }
        is_back(&browser).await;
        assert_eq!(me(&mut browser).await.0, 200);
        assert_eq!(me(&mut expired).await.0, 200);
    }
    assert_eq!(first.workos.counts().refreshes, 2);
}

#[actix_web::test]
async fn when_sign_outs_cannot_be_known_everybody_is_503_and_nobody_is_signed_out() {
    for is_frozen in [false, true] {
        let Machines {
            mut redis,
            first,
            second,
        } = Machines::start_with(Data::Kept, impatient).await;
        let mut browser = first.signed_in().await;
        let mut other = second.takes_over(&browser);
        assert_eq!(me(&mut other).await.0, 200);
        if is_frozen {
            redis.freeze();
        } else {
            redis.kill();
        }
        assert_eq!(me(&mut browser).await.0, 200, "a short outage is not noticed");
        for browser in [&browser, &other] {
            eventually("the knowledge is too old", RECOVERY, async || {
                me(&mut browser.clone()).await.0 == 503
            })
            .await;
        }
        // No sign-in either, but at once.
        let began = Instant::now();
        let mut newcomer = first.browser();
        assert_eq!(newcomer.sign_in(&first.workos, "/auth/sign-in").await.status, 503);
        assert_eq!(first.browser().fetch("/greeting").await.body, "stranger");
        assert!(began.elapsed() < NO_HANG, "{:?}", began.elapsed());
        if is_frozen {
            redis.thaw();
        } else {
            redis.restart();
        }
        for browser in [&browser, &other] {
            is_back(browser).await;
        }
        assert_eq!(newcomer.sign_in(&first.workos, "/auth/sign-in").await.status, 307);
        assert_eq!(first.workos.counts().refreshes, 0);
    }
}

#[actix_web::test]
async fn a_sign_out_during_an_outage_is_told_afterwards() {
    let Machines {
        mut redis,
        first,
        second,
    } = Machines::start(Data::Lost).await;
    let mut browser = first.signed_in().await;
    let mut earlier = first.signed_in().await;
    let copy = second.takes_over(&browser);
    let earlier_copy = second.takes_over(&earlier);
    earlier.visit("/auth/sign-out").await;
    let is_out = async |browser: &Browser| me(&mut browser.clone()).await.0 == 401;
    eventually("the other machine knows", RECOVERY, async || {
        is_out(&earlier_copy).await
    })
    .await;

    redis.kill();
    let response = tokio::time::timeout(NO_HANG, browser.visit("/auth/sign-out")).await;
    assert!(
        response
            .expect("no request hangs")
            .location()
            .contains("/sessions/logout?session_id=")
    );
    assert!(browser.session().is_none());
    assert!(is_out(&first.takes_over(&copy)).await, "here it counts at once");
    assert_eq!(me(&mut copy.clone()).await.0, 200, "there nobody can know yet");
    redis.restart();
    eventually("the other machine knows", RECOVERY, async || is_out(&copy).await).await;
    // What Redis has forgotten, the machines have not.
    assert!(is_out(&earlier_copy).await && is_out(&first.takes_over(&earlier_copy)).await);
}
