//! The waitlist: through the SDK, and on the hosted pages while sign-up is closed.

use reqwest::Method;
use serde_json::json;
use workos::{
    enums::UserManagementWaitlistsState,
    models::{CreateWaitlistEntry, WaitlistUser},
    user_management::{CreateWaitlistEntryParams, ListWaitlistEntriesParams},
};
use workos_emulator::Emulator;

use crate::{
    app::PASSWORD,
    browser::{Browser, Page},
    http,
    sdk::{self, refusal},
};

const CALLBACK: &str = "http://localhost:3000/callback";
const NEW: &str = "grace@x.example";

fn entry(email: &str) -> CreateWaitlistEntryParams {
    CreateWaitlistEntryParams::new(CreateWaitlistEntry {
        email: email.to_owned(),
        additional_fields: Some([("company".to_owned(), "Globex".to_owned())].into()),
        send_confirmation_email: None,
    })
}

#[actix_web::test]
async fn the_sdk_adds_lists_approves_denies_and_deletes() {
    let emulator = Emulator::start().await.unwrap();
    let ada = emulator.user("ada@example.com").create().unwrap();
    let sdk = sdk::client(&emulator);
    let api = sdk.user_management();
    let waitlists = api.list_waitlists().await.unwrap();
    let waitlist = &waitlists.data[0];
    assert_eq!(api.get_waitlist(&waitlist.id).await.unwrap().object, "waitlist");
    let grace = api.create_waitlist_entry(&waitlist.id, entry(NEW)).await.unwrap();
    assert_eq!(grace.waitlist_id.as_ref(), Some(&waitlist.id));
    assert_eq!(grace.additional_fields.unwrap()["company"], "Globex");
    let taken = api.create_waitlist_entry(&waitlist.id, entry(&ada.email)).await;
    assert_eq!(refusal(taken), (422, "user_already_exists".to_owned()));
    let eve = api
        .create_waitlist_entry(&waitlist.id, entry("eve@x.example"))
        .await
        .unwrap();
    let denied = api.create_waitlist_entry_deny(&eve.id).await.unwrap();
    assert_eq!(denied.state.as_str(), "denied");
    let approved = api.create_waitlist_entry_approve(&grace.id).await.unwrap();
    assert!(approved.state.as_str() == "approved" && approved.approved_at.is_some());
    let again = api.create_waitlist_entry_approve(&grace.id).await;
    assert_eq!(refusal(again), (422, "invalid_state".to_owned()));
    assert_eq!(emulator.mailbox().last_to(NEW).unwrap().kind(), "invitation");
    let params = ListWaitlistEntriesParams {
        state: Some(UserManagementWaitlistsState::Denied),
        ..ListWaitlistEntriesParams::default()
    };
    let list = api.list_waitlist_entries(&waitlist.id, params).await.unwrap();
    assert_eq!((list.data.len(), &list.data[0].id), (1, &eve.id));
    api.delete_waitlist_entry(&eve.id).await.unwrap();
    assert_eq!(
        refusal(api.delete_waitlist_entry(&eve.id).await),
        (404, "entity_not_found".to_owned())
    );
    for (name, data) in http::events(&emulator).await {
        if name.starts_with("waitlist_user.") {
            let user: WaitlistUser = serde_json::from_value(data).unwrap();
            assert_eq!(
                (user.object.as_str(), user.waitlist_id.as_ref()),
                ("waitlist_user", Some(&waitlist.id))
            );
        }
    }
}

struct Closed {
    emulator: Emulator,
    browser: Browser,
}

impl Closed {
    async fn start() -> Self {
        let emulator = Emulator::start().await.unwrap();
        let uri = json!({"uri": CALLBACK});
        http::call(&emulator, Method::POST, "/user_management/redirect_uris", &uri).await;
        let settings = json!({"waitlist": true, "branding": {"name": "Paperboat"}});
        http::call(&emulator, Method::PATCH, "/_emulate/settings", &settings).await;
        Self {
            emulator,
            browser: Browser::new(),
        }
    }

    async fn authorize(&self, with: &str) -> Page {
        let url = format!(
            "{}/user_management/authorize?client_id=client_emulate&response_type=code&provider=authkit\
             &redirect_uri={CALLBACK}&{with}",
            self.emulator.url()
        );
        self.browser.visit(url).await
    }

    /// Joins with this address, and gives what the page says then, without the address and the sign-in's id.
    async fn join(&self, email: &str) -> (u16, String) {
        let form = self.authorize("screen_hint=sign-up").await;
        assert_eq!(form.url.path(), "/authkit/waitlist");
        let done = self.browser.submit(&form, &[("email", email)]).await;
        let session = form.url.query().unwrap();
        let session = session.rsplit('=').next().unwrap();
        (done.status, done.text.replace(email, "…").replace(session, "…"))
    }
}

#[actix_web::test]
async fn people_join_where_they_would_sign_up_and_come_in_when_they_are_invited() {
    let closed = Closed::start().await;
    let form = closed.authorize("").await;
    assert!(
        form.text.contains("Join the waitlist") && !form.text.contains("Sign up"),
        "{}",
        form.text
    );
    let form = closed.authorize("screen_hint=sign-up").await;
    assert!(
        form.text.contains("Paperboat is not open to everybody yet."),
        "{}",
        form.text
    );
    let wrong = closed.browser.submit(&form, &[("email", "grace")]).await;
    assert_eq!(wrong.status, 400);
    assert!(wrong.text.contains("Enter an email address") && wrong.text.contains("value=\"grace\""));
    let done = closed.browser.submit(&wrong, &[("email", NEW)]).await;
    assert_eq!((done.status, done.url.path()), (200, "/authkit/waitlist/joined"));
    assert!(done.text.contains("You are on the waitlist") && done.text.contains(NEW));
    let mail = closed.emulator.mailbox().last_to(NEW).unwrap();
    assert_eq!(mail.kind(), "waitlist_confirmation");
    let sign_up = form.url.as_str().replace("/waitlist", "/sign-up");
    let page = closed.browser.visit(sign_up).await;
    assert_eq!(
        page.url.path(),
        "/authkit/waitlist",
        "the page itself is closed, too"
    );

    let sdk = sdk::client(&closed.emulator);
    let api = sdk.user_management();
    let waitlist = api.list_waitlists().await.unwrap().data.remove(0);
    let params = ListWaitlistEntriesParams {
        email: Some(NEW.to_owned()),
        ..ListWaitlistEntriesParams::default()
    };
    let entries = api.list_waitlist_entries(&waitlist.id, params).await.unwrap();
    api.create_waitlist_entry_approve(&entries.data[0].id)
        .await
        .unwrap();
    let mail = closed.emulator.mailbox().last_to(NEW).unwrap();
    assert_eq!(mail.subject(), "You are invited to join Paperboat");
    let page = closed.browser.visit(mail.url().unwrap()).await;
    let form = closed.browser.submit(&page, &[]).await;
    assert_eq!(form.url.path(), "/authkit/sign-up");
    let callback = closed
        .browser
        .submit_and_stop(&form, &[("password", PASSWORD)])
        .await
        .location();
    assert!(callback.as_str().starts_with(CALLBACK), "{callback}");
}

#[actix_web::test]
async fn nobody_learns_who_has_an_account_or_is_on_the_list() {
    let closed = Closed::start().await;
    closed.emulator.user("ada@example.com").create().unwrap();
    let unknown = closed.join(NEW).await;
    assert_eq!(closed.join("ada@example.com").await, unknown);
    assert_eq!(closed.join(NEW).await, unknown);
    assert_eq!(closed.emulator.mailbox().to("ada@example.com").len(), 0);
    assert_eq!(closed.emulator.mailbox().to(NEW).len(), 1);
    let created = http::events(&closed.emulator).await.into_iter();
    let created = created.filter(|(name, _)| name == "waitlist_user.created");
    assert_eq!(created.count(), 1);
}

#[actix_web::test]
async fn a_waitlist_that_is_off_takes_nobody() {
    let closed = Closed::start().await;
    let form = closed.authorize("screen_hint=sign-up").await;
    let off = json!({"waitlist": false, "sign_up": false});
    http::call(&closed.emulator, Method::PATCH, "/_emulate/settings", &off).await;
    let page = closed.browser.submit(&form, &[("email", NEW)]).await;
    assert_eq!(page.url.path(), "/authkit/sign-in");
    assert!(!page.text.contains("waitlist"), "{}", page.text);
    assert!(closed.emulator.mailbox().all().is_empty());
}
