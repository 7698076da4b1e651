//! Events: `table.rs` makes every change that emits one, and `log.rs` checks what is told of it; here `GET /events` is read as a
//! consumer reads it.

mod log;
mod pages;
mod shapes;
mod table;

pub(crate) use self::shapes::{CATALOGUE, typed};

use reqwest::Method;
use serde_json::{Value, json};
use workos::{EventList, EventSchema, PaginationOrder, events::ListEventsParams};
use workos_emulator::Emulator;

use crate::{
    http::call,
    sdk::{self, refusal},
};

async fn list(emulator: &Emulator, params: ListEventsParams) -> Result<EventList, workos::Error> {
    sdk::client(emulator).events().list_events(params).await
}

fn named(names: &[&str]) -> ListEventsParams {
    ListEventsParams {
        order: None,
        ..ListEventsParams::new(names.iter().map(|name| (*name).to_owned()).collect())
    }
}

fn names(events: &[EventSchema]) -> Vec<&str> {
    events.iter().map(|event| event.event.as_str()).collect()
}

#[actix_web::test]
async fn are_filtered_by_name_organization_and_time_in_the_sdks_form() {
    let emulator = Emulator::start().await.unwrap();
    let clock = async |moved: Value| call(&emulator, Method::POST, "/_emulate/clock", &moved).await;
    clock(json!({"set": "2030-01-01T00:00:00Z", "freeze": true})).await;
    let acme = emulator.organization("Acme").create().unwrap();
    let ada = emulator
        .user("ada@example.com")
        .member_of(&acme, "member")
        .create()
        .unwrap();
    clock(json!({"advance": "60s"})).await;
    emulator.organization("Globex").create().unwrap();
    emulator.sign_in(&ada).await.unwrap();

    let two = list(&emulator, named(&["organization.created", "session.created"]))
        .await
        .unwrap();
    assert_eq!(
        names(&two.data),
        ["organization.created", "organization.created", "session.created"]
    );
    assert_eq!(two.data[0].data["name"], "Acme", "the oldest comes first");
    let of_acme = ListEventsParams {
        organization_id: Some(acme.id.clone()),
        ..named(&[
            "organization.created",
            "organization_membership.created",
            "session.created",
            "user.created",
        ])
    };
    let of_acme = list(&emulator, of_acme).await.unwrap();
    assert_eq!(
        names(&of_acme.data),
        [
            "organization.created",
            "organization_membership.created",
            "session.created"
        ]
    );
    let late = ListEventsParams {
        range_start: Some("2030-01-01T00:00:30.000Z".to_owned()),
        ..named(&["organization.created", "user.created"])
    };
    let late = list(&emulator, late).await.unwrap();
    assert_eq!(
        (names(&late.data), &late.data[0].data["name"]),
        (vec!["organization.created"], &json!("Globex"))
    );
    let early = ListEventsParams {
        range_end: Some("2030-01-01T00:00:30.000Z".to_owned()),
        order: Some(PaginationOrder::Desc),
        ..named(&["organization.created", "user.created"])
    };
    assert_eq!(
        names(&list(&emulator, early).await.unwrap().data),
        ["user.created", "organization.created"]
    );

    let unknown = list(&emulator, named(&["user.creatd"])).await;
    assert_eq!(refusal(unknown), (422, "invalid_request_parameters".to_owned()));
    let nowhere = ListEventsParams {
        organization_id: Some("org_x".to_owned()),
        ..named(&["user.created"])
    };
    assert_eq!(refusal(list(&emulator, nowhere).await).0, 400);
}

#[actix_web::test]
async fn a_consumer_with_a_cursor_sees_every_event_once() {
    let emulator = Emulator::start().await.unwrap();
    let create = |number: usize| {
        emulator
            .user(format!("user{number}@example.com"))
            .create()
            .unwrap()
    };
    for number in 0..25 {
        create(number);
    }
    let mut seen = Vec::new();
    let mut after = None;
    for page in 0..5 {
        let params = ListEventsParams {
            after: after.clone(),
            ..named(&["user.created"])
        };
        let events = list(&emulator, params).await.unwrap();
        seen.extend(
            events
                .data
                .iter()
                .map(|event| event.data["email"].as_str().unwrap().to_owned()),
        );
        after = events.data.last().map(|event| event.id.clone()).or(after);
        // What happens in between comes at the end.
        create(100 + page);
    }
    let expected = (0..25)
        .chain(100..104)
        .map(|number| format!("user{number}@example.com"));
    assert_eq!(seen, expected.collect::<Vec<_>>());
    let both = ListEventsParams {
        after,
        range_start: Some("2020-01-01".to_owned()),
        ..named(&["user.created"])
    };
    assert_eq!(refusal(list(&emulator, both).await).0, 422);
}
