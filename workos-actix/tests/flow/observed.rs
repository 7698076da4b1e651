//! What an app tells of itself while it works: spans, events and counters, and never a secret.

use std::sync::{Arc, Mutex};

use actix_web::{
    App,
    cookie::Cookie,
    test::{self, TestRequest},
    web,
};
use hmac::{Hmac, KeyInit, Mac};
use serde_json::json;
use sha2::Sha256;
use tracing_subscriber::fmt::format::FmtSpan;
use workos_actix::{
    Action, ActionConfig, AuthKit, AuthKitBuilder, Event, UserRegistrationAction, Webhook, WebhookConfig,
    WebhookHandlers,
};

use crate::{
    app::pages,
    browser::{NAVIGATE, callback_path, query},
    fake_api::key_of_organization,
    fake_workos::{FakeWorkOs, KID, LIFETIME, TestClock, sign},
};

const API_KEY: &str = "sk_0123456789abcdef";
const UNKNOWN_KEY: &str = "sk_made_up_by_a_stranger";
const WEBHOOK_SECRET: &str = "whsec_of_the_endpoint";
const ACTION_SECRET: &str = "secret_of_the_actions";
const COOKIE_PASSWORD: &str = "0123456789abcdef0123456789abcdef";
/// No user is like this, for who wants it typed.
const EVENT: &str = r#"{"id":"event_1","event":"user.created","data":{}}"#;
const REGISTRATION: &str = r#"{"object":"user_registration_action_context","id":"action_1","authentication_method":"Password",
    "user_data":{"object":"user_data","email":"eve@example.com"}}"#;

/// A sign-in, sessions in every state, bearer credentials, webhooks and Actions, all of it in this thread. Answers the
/// secrets that were in it.
async fn everything(settings: fn(AuthKitBuilder) -> AuthKitBuilder) -> Vec<String> {
    let clock = TestClock::new();
    let workos = FakeWorkOs::start(clock.clone());
    workos.api().add_key(API_KEY, key_of_organization("api_key_1"));
    let tokens = Arc::new(Mutex::new(Vec::new()));
    workos.mint_with({
        let tokens = Arc::clone(&tokens);
        move |claims| {
            let token = sign("RS256", KID, &claims);
            tokens.lock().unwrap().push(token.clone());
            token
        }
    });
    let authkit = settings(AuthKit::builder())
        .api_key("sk_test_1")
        .client_id("client_1")
        .cookie_password(COOKIE_PASSWORD)
        .redirect_uri("http://localhost/auth/callback")
        .api_base_url(workos.url())
        .clock(clock.clone())
        .bearer_tokens()
        .api_keys()
        .build()
        .unwrap();
    let config = WebhookConfig::new(WEBHOOK_SECRET).clock(clock.clone());
    let webhooks = WebhookHandlers::new(config.clone()).on_event("user.created", |_: Webhook| async {});
    let actions = ActionConfig::new(ACTION_SECRET).clock(clock.clone());
    tracing::info!("{authkit:?} {webhooks:?} {actions:?}");
    let app = App::new()
        .app_data(web::Data::new(authkit.clone()))
        .wrap(authkit.middleware())
        .configure(authkit.routes())
        .configure(pages)
        .app_data(config)
        .app_data(actions)
        .route("/webhooks", webhooks.route())
        .route("/typed", web::post().to(|_: Event| async { "" }))
        .route(
            "/registration",
            web::post().to(|action: Action<UserRegistrationAction>| async move { action.allow() }),
        );
    let app = test::init_service(app).await;
    let ask = async |request: TestRequest, status: u16| {
        let response = test::call_service(&app, request.to_request()).await;
        assert_eq!(response.status(), status);
        response
    };
    let secrets = Mutex::new(vec![
        "sk_test_1".to_owned(),
        COOKIE_PASSWORD.to_owned(),
        WEBHOOK_SECRET.to_owned(),
        ACTION_SECRET.to_owned(),
        API_KEY.to_owned(),
        UNKNOWN_KEY.to_owned(),
        "garbage.of.somebody".to_owned(),
    ]);
    let keep = |secret: &str| secrets.lock().unwrap().push(secret.to_owned());
    let cookie_of = |response: &actix_web::dev::ServiceResponse<_>| {
        let mut cookies = response.response().cookies();
        let cookie = cookies.find(|cookie| !cookie.value().is_empty());
        let cookie = cookie.unwrap().into_owned();
        keep(cookie.value());
        Cookie::new(cookie.name().to_owned(), cookie.value().to_owned())
    };

    let link = NAVIGATE.into_iter().fold(
        TestRequest::get().uri("/auth/sign-in"),
        TestRequest::insert_header,
    );
    let response = ask(link, 307).await;
    let location = response
        .headers()
        .get("location")
        .unwrap()
        .to_str()
        .unwrap()
        .to_owned();
    let verifier = cookie_of(&response);
    keep(&query(&location)["state"]);
    keep(&query(&location)["code_challenge"]);
    let callback = callback_path(&workos, &location);
    let response = ask(TestRequest::get().uri(&callback).cookie(verifier), 307).await;
    keep(&query(&format!("http://localhost{callback}"))["code"]);
    keep(workos.last_authenticate()["code_verifier"].as_str().unwrap());
    let session = cookie_of(&response);
    let me = |session: &Cookie<'static>| TestRequest::get().uri("/me").cookie(session.clone());
    ask(me(&session), 200).await;
    ask(me(&session), 200).await;

    clock.advance(LIFETIME + 10);
    let refreshed = cookie_of(&ask(me(&session), 200).await);
    keep(workos.last_authenticate()["refresh_token"].as_str().unwrap());
    ask(me(&session), 200).await;

    let bearer = |credential: &str| {
        let credential = format!("Bearer {credential}");
        TestRequest::get()
            .uri("/who")
            .insert_header(("authorization", credential))
    };
    let token = workos.begin_session()["access_token"]
        .as_str()
        .unwrap()
        .to_owned();
    ask(bearer(&token), 200).await;
    ask(bearer(&token), 200).await;
    ask(bearer("garbage.of.somebody"), 401).await;
    ask(bearer(API_KEY), 200).await;
    ask(bearer(API_KEY), 200).await;
    ask(bearer(UNKNOWN_KEY), 401).await;

    clock.advance(LIFETIME + 10);
    workos.fail_authenticate(Some((500, json!({}))));
    ask(me(&refreshed), 503).await;
    workos.fail_authenticate(Some((
        400,
        json!({ "error": "invalid_grant", "error_description": "revoked" }),
    )));
    ask(me(&refreshed), 401).await;
    ask(me(&Cookie::new("wos-session", "garbage.of.somebody")), 401).await;

    let millis = clock.seconds() * 1000;
    let forged = "0123456789abcdef".repeat(4);
    keep(&forged);
    for (path, secret, body, status) in [
        ("/webhooks", WEBHOOK_SECRET, EVENT, 200),
        ("/typed", WEBHOOK_SECRET, EVENT, 500),
        ("/registration", ACTION_SECRET, REGISTRATION, 200),
    ] {
        let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
        mac.update(format!("{millis}.{body}").as_bytes());
        let genuine = mac.finalize().into_bytes();
        let genuine: String = genuine.iter().map(|byte| format!("{byte:02x}")).collect();
        keep(&genuine);
        for (signature, status) in [(&genuine, status), (&forged, 401)] {
            let delivery = TestRequest::post()
                .uri(path)
                .insert_header(("workos-signature", format!("t={millis}, v1={signature}")))
                .set_payload(body);
            ask(delivery, status).await;
        }
    }

    let mut secrets = secrets.into_inner().unwrap();
    secrets.append(&mut tokens.lock().unwrap());
    secrets
}

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl std::io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[actix_web::test]
async fn spans_and_events_say_who_and_never_by_what() {
    for settings in [|builder| builder, AuthKitBuilder::sealed_cookie] {
        says_who_and_never_by_what(settings).await;
    }
}

async fn says_who_and_never_by_what(settings: fn(AuthKitBuilder) -> AuthKitBuilder) {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_span_events(FmtSpan::FULL)
        .with_ansi(false)
        .with_writer(move || writer.clone())
        .finish();
    let guard = tracing::subscriber::set_default(subscriber);
    let secrets = everything(settings).await;
    drop(guard);
    let log = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    // What Actix and the HTTP client say at this level is not ours.
    let ours: Vec<_> = log.lines().filter(|line| line.contains("workos_actix")).collect();
    assert!(secrets.len() > 15, "{}", secrets.len());
    for secret in secrets {
        for line in &ours {
            assert!(!line.contains(&secret), "`{secret}` in: {line}");
        }
    }
    for fields in [
        r#"credential="none" outcome="signed_out" refreshed=false"#,
        r#"credential="session" outcome="signed_in" refreshed=false subject="user_1" user.id="user_1" organization.id="org_1" session.id="session_"#,
        r#"credential="session" outcome="signed_in" refreshed=true subject="user_1""#,
        r#"credential="session" outcome="unavailable" refreshed=false"#,
        r#"credential="session" outcome="signed_out" refreshed=false"#,
        r#"credential="access_token" outcome="signed_in" refreshed=false subject="user_1" user.id="user_1""#,
        r#"credential="bearer" outcome="refused" refreshed=false"#,
        r#"credential="api_key" outcome="signed_in" refreshed=false subject="api_key_1" organization.id="org_1""#,
        r#"credential="api_key" outcome="refused" refreshed=false"#,
    ] {
        let is_said =
            |line: &&str| line.contains("authenticate{") && line.contains("close") && line.contains(fields);
        assert!(ours.iter().any(is_said), "{fields}\n{}", ours.join("\n"));
    }
}

#[cfg(feature = "metrics")]
#[actix_web::test]
async fn counters_count_what_happened() {
    use counters::Counters;

    let counters = Counters::default();
    let guard = metrics::set_default_local_recorder(&counters);
    everything(|builder| builder).await;
    drop(guard);
    let expected = [
        ("authkit_actions_total{outcome=accepted}", 1),
        ("authkit_actions_total{outcome=signature_mismatch}", 1),
        ("authkit_api_key_validations_total{outcome=accepted}", 1),
        ("authkit_api_key_validations_total{outcome=cached}", 1),
        ("authkit_api_key_validations_total{outcome=unknown}", 1),
        ("authkit_key_set_fetches_total{outcome=fetched}", 1),
        ("authkit_refreshes_total{outcome=ended}", 1),
        ("authkit_refreshes_total{outcome=rotated}", 1),
        ("authkit_refreshes_total{outcome=unavailable}", 1),
        (
            "authkit_requests_total{credential=access_token,outcome=signed_in}",
            2,
        ),
        ("authkit_requests_total{credential=api_key,outcome=refused}", 1),
        ("authkit_requests_total{credential=api_key,outcome=signed_in}", 2),
        ("authkit_requests_total{credential=bearer,outcome=refused}", 1),
        ("authkit_requests_total{credential=none,outcome=signed_out}", 8),
        ("authkit_requests_total{credential=session,outcome=signed_in}", 4),
        ("authkit_requests_total{credential=session,outcome=signed_out}", 2),
        (
            "authkit_requests_total{credential=session,outcome=unavailable}",
            1,
        ),
        ("authkit_shared_refreshes_total{source=settled}", 1),
        ("authkit_sign_ins_total{outcome=signed_in}", 1),
        ("authkit_verifications_total{outcome=cached}", 2),
        ("authkit_verifications_total{outcome=expired}", 4),
        ("authkit_verifications_total{outcome=verified}", 5),
        ("authkit_webhooks_total{outcome=accepted}", 1),
        ("authkit_webhooks_total{outcome=signature_mismatch}", 2),
        ("authkit_webhooks_total{outcome=unexpected_shape}", 1),
    ];
    let expected: Vec<_> = expected
        .into_iter()
        .map(|(name, count)| (name.to_owned(), count))
        .collect();
    assert_eq!(counters.counted(), expected);
    assert_eq!(counters.measured("authkit_authentication_seconds"), 21);
    assert_eq!(counters.measured("authkit_refresh_seconds"), 3);
}

#[cfg(feature = "metrics")]
mod counters {
    use std::{
        collections::BTreeMap,
        sync::{
            Arc, Mutex,
            atomic::{AtomicU64, Ordering},
        },
    };

    use metrics::{
        Counter, Gauge, Histogram, HistogramFn, Key, KeyName, Metadata, Recorder, SharedString, Unit,
    };

    /// Everything that is counted, by name and labels.
    #[derive(Default)]
    pub(super) struct Counters {
        counters: Mutex<BTreeMap<String, Arc<AtomicU64>>>,
        histograms: Mutex<BTreeMap<String, Arc<Measured>>>,
    }

    /// How often something was measured.
    #[derive(Default)]
    struct Measured(AtomicU64);

    impl HistogramFn for Measured {
        fn record(&self, value: f64) {
            assert!((0.0..60.0).contains(&value));
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    impl Counters {
        pub(super) fn counted(&self) -> Vec<(String, u64)> {
            let counters = self.counters.lock().unwrap();
            counters
                .iter()
                .map(|(name, count)| (name.clone(), count.load(Ordering::Relaxed)))
                .collect()
        }

        pub(super) fn measured(&self, name: &str) -> u64 {
            let histograms = self.histograms.lock().unwrap();
            let of_this_name = histograms.iter().filter(|(key, _)| key.starts_with(name));
            of_this_name
                .map(|(_, measured)| measured.0.load(Ordering::Relaxed))
                .sum()
        }
    }

    fn name(key: &Key) -> String {
        let labels: Vec<_> = key
            .labels()
            .map(|label| format!("{}={}", label.key(), label.value()))
            .collect();
        format!("{}{{{}}}", key.name(), labels.join(","))
    }

    impl Recorder for Counters {
        fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
        fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
        fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

        fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
            let mut counters = self.counters.lock().unwrap();
            Counter::from_arc(Arc::clone(counters.entry(name(key)).or_default()))
        }

        fn register_gauge(&self, _: &Key, _: &Metadata<'_>) -> Gauge {
            Gauge::noop()
        }

        fn register_histogram(&self, key: &Key, _: &Metadata<'_>) -> Histogram {
            let mut histograms = self.histograms.lock().unwrap();
            Histogram::from_arc(Arc::clone(histograms.entry(name(key)).or_default()))
        }
    }
}
