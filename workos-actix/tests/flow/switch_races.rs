//! A switch of the organization, and what else happens to the session at the same time.

use serde_json::json;

use crate::{app::TestApp, fake_workos::LIFETIME};

const ROUTE: &str = "/auth/switch-organization";

#[actix_web::test]
async fn two_clicks_are_one_switch_and_two_organizations_are_two() {
    let app = TestApp::start().await;
    let browser = app.signed_in().await;
    let switched = |organization: &str, at_once: usize| {
        let (app, organization) = (&app, organization.to_owned());
        let tabs: Vec<_> = (0..at_once).map(|_| browser.clone()).collect();
        async move {
            let before = app.arrived();
            app.workos.hold();
            let clicks: Vec<_> = tabs
                .into_iter()
                .map(|mut tab| {
                    let body = json!({ "organization_id": organization });
                    actix_web::rt::spawn(async move {
                        let response = tab.fetch_json(ROUTE, &body).await;
                        assert_eq!((response.status, response.json()), (200, body));
                        tab.fetch("/me").await.json()
                    })
                })
                .collect();
            app.arrivals_reach(before + at_once).await;
            app.workos.release();
            let mut pages = Vec::new();
            for click in clicks {
                pages.push(click.await.unwrap());
            }
            pages
        }
    };
    let pages = switched("org_2", 5).await;
    assert!(
        pages
            .iter()
            .all(|page| page == &pages[0] && page["organization"] == "org_2")
    );
    assert_eq!(app.workos.counts().refreshes, 1);
    // The same old cookie again, for another organization: the successor of its token goes there.
    let pages = switched("org_3", 1).await;
    assert_eq!(pages[0]["organization"], "org_3");
    assert_eq!(app.workos.counts().refreshes, 2);
}

#[actix_web::test]
async fn who_refreshes_meanwhile_comes_along() {
    let app = TestApp::start().await;
    let mut browser = app.signed_in().await;
    let mut other_tab = browser.clone();
    app.workos.hold();
    let switch = actix_web::rt::spawn(async move {
        let response = browser
            .fetch_json(ROUTE, &json!({ "organization_id": "org_2" }))
            .await;
        (response.status, browser)
    });
    app.workos.refreshes_reach(1).await;
    let before = app.arrived();
    app.clock.advance(LIFETIME + 1);
    let page = actix_web::rt::spawn(async move {
        let response = other_tab.fetch("/me").await;
        (response.status, response.json(), other_tab)
    });
    app.arrivals_reach(before + 1).await;
    app.workos.release();
    let (status, mut browser) = switch.await.unwrap();
    assert_eq!(status, 200);
    let (status, page, mut other_tab) = page.await.unwrap();
    assert_eq!((status, &page["organization"]), (200, &json!("org_2")));
    assert_eq!(app.workos.counts().refreshes, 1);
    for tab in [&mut browser, &mut other_tab] {
        assert_eq!(tab.fetch("/me").await.json(), page);
    }
}

#[actix_web::test]
async fn a_refused_switch_takes_no_refresh_with_it() {
    let app = TestApp::start().await;
    let mut browser = app.signed_in().await;
    let mut other_tab = browser.clone();
    app.workos.hold();
    let switch = actix_web::rt::spawn(async move {
        let body = json!({ "organization_id": "org_9" });
        browser.fetch_json(ROUTE, &body).await.status
    });
    app.workos.refreshes_reach(1).await;
    let before = app.arrived();
    app.clock.advance(LIFETIME + 1);
    let page = actix_web::rt::spawn(async move {
        let response = other_tab.fetch("/me").await;
        (response.status, response.json())
    });
    app.arrivals_reach(before + 1).await;
    app.workos.release();
    assert_eq!(switch.await.unwrap(), 403);
    let (status, page) = page.await.unwrap();
    assert_eq!((status, &page["organization"]), (200, &json!("org_1")));
    assert_eq!(app.workos.counts().refreshes, 2);
}
