//! Webhooks, really delivered: verified by the SDK's verifier and by `workos_actix::Webhook`.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};
use workos::{
    Client, UserCreated, WebhookVerifier,
    user_management::{
        AuthenticateWithPasswordParams, CreateUserParams, CreateUserParamsBody, Password, UpdateUserParams,
        UpdateUserParamsBody,
    },
    webhooks::{ListWebhookEndpointsParams, UpdateWebhookEndpointParams},
};
use workos_actix::Clock;
use workos_emulator::Emulator;

use crate::{
    http::call,
    receiver::Receiver,
    sdk::{self, refusal},
};

const PASSWORD: &str = "correct horse battery staple";

async fn create_user(sdk: &Client, email: &str) -> String {
    let mut user = CreateUserParamsBody::new(email);
    user.email_verified = Some(true);
    user.password = Some(Password::Plaintext {
        password: PASSWORD.to_owned(),
    });
    let created = sdk
        .user_management()
        .create_user(CreateUserParams::new(user))
        .await;
    created.unwrap().id
}

/// The SDK's verifier, at the receiver's time.
fn verifier(receiver: &Receiver) -> WebhookVerifier {
    let clock = receiver.clock.clone();
    WebhookVerifier::new(receiver.endpoint.secret.expose()).with_clock(move || clock.now())
}

/// The deliveries as the control API shows them, as soon as `enough` of them is true.
async fn deliveries(emulator: &Emulator, enough: impl Fn(&[Value]) -> bool) -> Vec<Value> {
    loop {
        let (_, list) = call(
            emulator,
            Method::GET,
            "/_emulate/webhooks/deliveries",
            &Value::Null,
        )
        .await;
        let deliveries = list["data"].as_array().unwrap();
        if enough(deliveries) {
            return deliveries.clone();
        }
    }
}

#[actix_web::test]
async fn a_delivery_is_verified_by_the_sdk_and_by_the_extractor() {
    let emulator = Emulator::start().await.unwrap();
    let receiver = Receiver::start(&emulator, &["user.created"]).await;
    assert!(receiver.endpoint.secret.expose().starts_with("whsec_"));
    let id = create_user(&sdk::client(&emulator), "ada@example.com").await;

    let accepted = emulator.webhooks().expect("user.created").await.unwrap();
    assert_eq!(accepted.data["id"], json!(id));
    let arrival = receiver.arrived(1).await.remove(0);
    assert_eq!(arrival.status, 200, "the extractor took it");
    assert_eq!(arrival.headers.get("content-type").unwrap(), "application/json");
    let event = verifier(&receiver)
        .construct_event(arrival.signature(), &arrival.body)
        .unwrap();
    assert_eq!((event.id, event.event.as_str()), (accepted.id, "user.created"));
    let typed: UserCreated = serde_json::from_str(&arrival.body).unwrap();
    assert_eq!(
        (typed.data.id, typed.data.email.as_str()),
        (id, "ada@example.com")
    );
    // The webhook is the event that GET /events has.
    let (_, events) = call(&emulator, Method::GET, "/events", &Value::Null).await;
    assert_eq!(events["data"][0], arrival.event());
}

#[actix_web::test]
async fn tampered_stale_and_replayed_deliveries_are_refused() {
    let emulator = Emulator::start().await.unwrap();
    let receiver = Receiver::start(&emulator, &["user.created"]).await;
    create_user(&sdk::client(&emulator), "ada@example.com").await;
    let arrival = receiver.arrived(1).await.remove(0);
    let (signature, body) = (arrival.signature(), arrival.body.as_str());
    let refused = |signature: &str, body: &str| verifier(&receiver).verify_payload(signature, body).is_err();

    assert!(!refused(signature, body), "the SDK's verifier has no memory");
    assert_eq!(
        receiver.send(Some(signature), body).await,
        (409, json!("webhook_replayed"))
    );

    let tampered = body.replace("ada@example.com", "eve@example.com");
    assert_ne!(tampered, body);
    assert!(refused(signature, &tampered));
    let mismatch = (401, json!("webhook_signature_mismatch"));
    assert_eq!(receiver.send(Some(signature), &tampered).await, mismatch);

    let last = signature.chars().last().unwrap();
    let other = if last == '0' { '1' } else { '0' };
    let forged = format!("{}{other}", &signature[..signature.len() - 1]);
    assert!(refused(&forged, body));
    assert_eq!(receiver.send(Some(&forged), body).await, mismatch);
    // The time is signed as well: it cannot be moved.
    let at = signature.strip_prefix("t=").unwrap().split(',').next().unwrap();
    let moved = signature.replace(at, &(at.parse::<u64>().unwrap() + 1).to_string());
    assert!(refused(&moved, body));
    assert_eq!(receiver.send(Some(&moved), body).await, mismatch);

    assert_eq!(
        receiver.send(None, body).await,
        (400, json!("webhook_signature_missing"))
    );
    let half = signature.split(',').next().unwrap();
    assert!(refused(half, body));
    assert_eq!(
        receiver.send(Some(half), body).await,
        (400, json!("webhook_signature_malformed"))
    );

    receiver.clock.advance(181);
    assert!(refused(signature, body));
    assert_eq!(
        receiver.send(Some(signature), body).await,
        (401, json!("webhook_stale"))
    );
}

#[actix_web::test]
async fn a_failed_delivery_is_made_again_when_its_time_has_come() {
    let emulator = Emulator::start().await.unwrap();
    emulator.clock().freeze();
    let receiver = Receiver::start(&emulator, &["user.created"]).await;
    receiver.fail_next([500, 503]);
    let sdk = sdk::client(&emulator);
    create_user(&sdk, "ada@example.com").await;
    let attempts = |number: u64| move |deliveries: &[Value]| deliveries[0]["attempt_count"] == json!(number);
    let failed = deliveries(&emulator, attempts(1)).await.remove(0);
    assert_eq!(
        (&failed["status"], &failed["attempts"][0]["response_status"]),
        (&json!("pending"), &json!(500))
    );
    // A later event does not wait for it.
    create_user(&sdk, "eve@example.com").await;
    receiver.arrived(2).await;
    deliveries(&emulator, |deliveries| deliveries[0]["attempt_count"] == json!(1)).await;

    emulator.clock().advance(Duration::from_secs(5));
    let arrivals = &receiver.arrived(3).await[..3];
    let statuses: Vec<_> = arrivals.iter().map(|arrival| arrival.status.as_u16()).collect();
    assert_eq!(statuses, [500, 503, 200]);
    let emails: Vec<_> = arrivals
        .iter()
        .map(|arrival| arrival.event()["data"]["email"].clone())
        .collect();
    assert_eq!(emails[0], emails[2]);
    assert_eq!(arrivals[0].body, arrivals[2].body, "the same event");
    assert_ne!(arrivals[0].signature(), arrivals[2].signature(), "signed anew");
    verifier(&receiver)
        .verify_payload(arrivals[2].signature(), &arrivals[2].body)
        .unwrap();
    emulator.webhooks().expect("user.created").await.unwrap();
}

#[actix_web::test]
async fn payloads_carry_no_secrets() {
    let emulator = Emulator::start().await.unwrap();
    let receiver = Receiver::start(&emulator, &[]).await;
    let sdk = sdk::client(&emulator);
    let id = create_user(&sdk, "ada@example.com").await;
    let hash = "$2b$04$N9qo8uLOickgx2ZMRZoMyeNK8zsWBMaMSVoubqovVQN3ypdVzHwOW";
    let imported = UpdateUserParamsBody {
        password: Some(Password::Hashed {
            password_hash: hash.to_owned(),
            password_hash_type: "bcrypt".into(),
            password_salt_position: None,
        }),
        ..Default::default()
    };
    sdk.user_management()
        .update_user(&id, UpdateUserParams::new(imported))
        .await
        .unwrap();
    let wrong = AuthenticateWithPasswordParams::new("ada@example.com", "a wrong password");
    sdk.user_management()
        .authenticate_with_password(wrong)
        .await
        .unwrap_err();
    let right = AuthenticateWithPasswordParams::new("ada@example.com", PASSWORD);
    let tokens = sdk
        .user_management()
        .authenticate_with_password(right)
        .await
        .unwrap();
    sdk.user_management().delete_user(&id).await.unwrap();

    let arrivals = receiver.arrived(7).await;
    let names: Vec<_> = arrivals
        .iter()
        .map(|arrival| arrival.event()["event"].clone())
        .collect();
    assert_eq!(
        names,
        [
            "user.created",
            "user.updated",
            "authentication.password_failed",
            "authentication.password_succeeded",
            "session.created",
            "session.revoked",
            "user.deleted",
        ],
        "no list of events is all of them, and they come in order"
    );
    let secrets = [
        PASSWORD,
        "a wrong password",
        hash,
        "argon2",
        tokens.access_token.expose(),
        tokens.refresh_token.expose(),
        &emulator.api_key(),
        receiver.endpoint.secret.expose(),
    ];
    for arrival in &arrivals {
        for secret in secrets {
            assert!(!arrival.body.contains(secret), "{secret} in {}", arrival.body);
        }
        for member in ["password", "hash", "token", "secret"] {
            assert!(
                !arrival.body.contains(&format!("{member}\":")),
                "{member} in {}",
                arrival.body
            );
        }
    }
}

#[actix_web::test]
async fn many_events_arrive_in_order_at_each_of_several_endpoints() {
    let emulator = Emulator::start().await.unwrap();
    let (one, other) = (
        Receiver::start(&emulator, &["user.created"]).await,
        Receiver::start(&emulator, &["user.created", "organization.created"]).await,
    );
    for number in 0..30 {
        emulator
            .user(format!("user{number}@example.com"))
            .create()
            .unwrap();
    }
    emulator.organization("Acme").create().unwrap();
    let (at_one, at_other) = (one.arrived(30).await, other.arrived(31).await);
    for (number, (first, second)) in at_one.iter().zip(&at_other).enumerate() {
        assert_eq!(
            first.event()["data"]["email"],
            json!(format!("user{number}@example.com"))
        );
        assert_eq!(first.body, second.body);
        assert_eq!(
            (first.status.as_u16(), second.status.as_u16()),
            (200, 200),
            "each has its own secret"
        );
    }
    assert_eq!(at_other[30].event()["event"], "organization.created");
}

#[actix_web::test]
async fn endpoints_are_listed_changed_disabled_and_deleted() {
    let emulator = Emulator::start().await.unwrap();
    let sdk = sdk::client(&emulator);
    let receiver = Receiver::start(&emulator, &["user.created"]).await;
    let endpoints = sdk.webhooks();
    let update = async |changes: Value| {
        let changes = UpdateWebhookEndpointParams::new(serde_json::from_value(changes).unwrap());
        endpoints
            .update_webhook_endpoint(&receiver.endpoint.id, changes)
            .await
    };
    create_user(&sdk, "a@example.com").await;
    receiver.arrived(1).await;
    let disabled = update(json!({"status": "disabled"})).await.unwrap();
    assert_eq!(
        (disabled.status.to_string(), disabled.events.len()),
        ("disabled".to_owned(), 1)
    );
    create_user(&sdk, "b@example.com").await;
    update(json!({"status": "enabled", "events": ["user.deleted"]}))
        .await
        .unwrap();
    let c = create_user(&sdk, "c@example.com").await;
    sdk.user_management().delete_user(&c).await.unwrap();
    let arrivals = receiver.arrived(2).await;
    assert_eq!(
        arrivals[1].event()["event"],
        "user.deleted",
        "neither the missed one nor the unwanted one"
    );

    let listed = endpoints
        .list_webhook_endpoints(ListWebhookEndpointsParams::default())
        .await
        .unwrap();
    assert_eq!(
        (listed.data.len(), &listed.data[0].id),
        (1, &receiver.endpoint.id)
    );
    let unknown = update(json!({"events": ["user.creatd"]})).await;
    assert_eq!(refusal(unknown), (422, "invalid_request_parameters".to_owned()));
    let body = json!({"endpoint_url": receiver.endpoint.endpoint_url, "events": []});
    let (status, taken) = call(&emulator, Method::POST, "/webhook_endpoints", &body).await;
    assert_eq!((status, &taken["code"]), (409, &json!("duplicate_endpoint")));
    endpoints
        .delete_webhook_endpoint(&receiver.endpoint.id)
        .await
        .unwrap();
    let again = endpoints.delete_webhook_endpoint(&receiver.endpoint.id).await;
    assert_eq!(refusal(again).0, 404);
    create_user(&sdk, "d@example.com").await;
    let all = deliveries(&emulator, |deliveries| deliveries.len() == 2).await;
    assert!(
        all.iter().all(|delivery| delivery["status"] == "delivered"),
        "{all:?}"
    );
    assert_eq!(receiver.arrivals().len(), 2);
}
