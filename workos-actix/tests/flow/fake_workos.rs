//! As much of WorkOS as the flows need, strict where it matters: codes and refresh tokens work once. The user is an admin
//! of `org_1`, where every session begins, and a member of `org_2` and `org_3`.

use std::{
    collections::HashMap,
    net::TcpListener,
    pin::Pin,
    sync::{Arc, Mutex, OnceLock},
    task::{Context, Poll},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use actix_web::{
    App, HttpResponse, HttpServer,
    body::{BodySize, MessageBody},
    dev::ServerHandle,
    http::KeepAlive,
    web,
};
use aws_lc_rs::{
    rand::SystemRandom,
    rsa::KeySize,
    signature::{KeyPair as _, RSA_PKCS1_SHA256, RsaKeyPair},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tokio::sync::{Semaphore, watch};
use workos_actix::Clock;

use crate::fake_api::FakeApi;

pub(crate) const NOW: i64 = 1_800_000_000;
pub(crate) const LIFETIME: i64 = 300;

/// Time that moves only when a test moves it; the app and its WorkOS share it.
#[derive(Debug, Clone)]
pub(crate) struct TestClock(Arc<Mutex<i64>>);

impl TestClock {
    pub(crate) fn new() -> Self {
        Self(Arc::new(Mutex::new(NOW)))
    }

    pub(crate) fn seconds(&self) -> i64 {
        *self.0.lock().unwrap()
    }

    pub(crate) fn advance(&self, seconds: i64) {
        *self.0.lock().unwrap() += seconds;
    }
}

impl Clock for TestClock {
    fn now(&self) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(self.seconds().unsigned_abs())
    }
}

/// Makes the access token of the nth session step out of its regular claims.
type Mint = Arc<dyn Fn(Value) -> String + Send + Sync>;

#[derive(Clone)]
pub(crate) struct FakeWorkOs(Arc<Inner>);

struct Inner {
    url: String,
    api: FakeApi,
    clock: TestClock,
    state: Mutex<State>,
    counts: watch::Sender<Counts>,
    /// Requests to `authenticate` pass one by one while this has permits.
    gate: Semaphore,
}

struct State {
    codes: HashMap<String, String>,
    refresh_tokens: HashMap<String, u64>,
    /// Where a session was switched to; `org_1` at first.
    organizations: HashMap<u64, String>,
    next: u64,
    mint: Mint,
    drops_connections: bool,
    /// The answers of the last 30 seconds by refresh token, if they are repeated.
    repeats: Option<HashMap<String, (i64, Value)>>,
    /// Answers of `authenticate` instead of the real one.
    authenticate_failure: Option<(u16, Value)>,
    jwks_failure: Option<u16>,
    published_kid: &'static str,
    user: Value,
    extra_claims: Value,
    last_authenticate: Value,
    server: Option<ServerHandle>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) exchanges: usize,
    pub(crate) refreshes: usize,
    pub(crate) jwks: usize,
}

const OPEN: usize = 10_000;

impl FakeWorkOs {
    pub(crate) fn start(clock: TestClock) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let workos = Self::elsewhere(format!("http://{}", listener.local_addr().unwrap()), clock);
        workos.serve(listener);
        workos
    }

    /// One that is run by somebody else.
    pub(crate) fn elsewhere(url: String, clock: TestClock) -> Self {
        Self(Arc::new(Inner {
            url,
            api: FakeApi::new(),
            clock,
            state: Mutex::new(State {
                codes: HashMap::new(),
                refresh_tokens: HashMap::new(),
                organizations: HashMap::new(),
                next: 1,
                mint: Arc::new(|claims| sign("RS256", KID, &claims)),
                drops_connections: false,
                repeats: None,
                authenticate_failure: None,
                jwks_failure: None,
                published_kid: KID,
                user: user("user_1"),
                extra_claims: json!({}),
                last_authenticate: Value::Null,
                server: None,
            }),
            counts: watch::Sender::new(Counts::default()),
            gate: Semaphore::new(OPEN),
        }))
    }

    fn serve(&self, listener: TcpListener) {
        let workos = self.clone();
        let server = HttpServer::new(move || {
            App::new()
                .app_data(web::Data::new(workos.clone()))
                .route("/user_management/authenticate", web::post().to(authenticate))
                .route("/sso/jwks/client_1", web::get().to(jwks))
                .route("/oauth2/jwks", web::get().to(jwks))
                .configure(workos.0.api.routes())
        })
        .workers(1)
        // A connection that is kept would outlive `stop`.
        .keep_alive(KeepAlive::Disabled)
        .disable_signals()
        .listen(listener)
        .unwrap()
        .run();
        self.0.state.lock().unwrap().server = Some(server.handle());
        actix_web::rt::spawn(server);
    }

    /// Connections are refused from now on.
    pub(crate) async fn stop(&self) {
        let server = self.0.state.lock().unwrap().server.take().unwrap();
        server.stop(false).await;
    }

    /// From now on connections break before an answer is through, or no longer.
    pub(crate) fn drop_connections(&self, drop: bool) {
        self.0.state.lock().unwrap().drops_connections = drop;
    }

    /// From now on a refresh that is repeated within 30 seconds gets the same answer, as in production. Otherwise a token
    /// works once, and a test that passes does not depend on this.
    #[cfg(feature = "redis")]
    pub(crate) fn repeat_answers(&self) {
        self.0.state.lock().unwrap().repeats = Some(HashMap::new());
    }

    pub(crate) fn api(&self) -> &FakeApi {
        &self.0.api
    }

    pub(crate) fn url(&self) -> &str {
        &self.0.url
    }

    pub(crate) fn counts(&self) -> Counts {
        *self.0.counts.borrow()
    }

    /// Waits until a number of refreshes has reached WorkOS.
    pub(crate) async fn refreshes_reach(&self, number: usize) {
        let mut counts = self.0.counts.subscribe();
        counts
            .wait_for(|counts| counts.refreshes >= number)
            .await
            .unwrap();
    }

    /// Holds all answers of `authenticate` back until [`release`](Self::release).
    pub(crate) fn hold(&self) {
        self.0.gate.forget_permits(OPEN);
    }

    pub(crate) fn release(&self) {
        self.0.gate.add_permits(OPEN);
    }

    pub(crate) fn fail_authenticate(&self, failure: Option<(u16, Value)>) {
        self.0.state.lock().unwrap().authenticate_failure = failure;
    }

    pub(crate) fn fail_jwks(&self, status: Option<u16>) {
        self.0.state.lock().unwrap().jwks_failure = status;
    }

    /// From now on the key is published under another id.
    pub(crate) fn publish(&self, kid: &'static str) {
        self.0.state.lock().unwrap().published_kid = kid;
    }

    pub(crate) fn mint_with(&self, mint: impl Fn(Value) -> String + Send + Sync + 'static) {
        self.0.state.lock().unwrap().mint = Arc::new(mint);
    }

    pub(crate) fn set_user(&self, user: Value) {
        self.0.state.lock().unwrap().user = user;
    }

    pub(crate) fn add_claims(&self, claims: Value) {
        self.0.state.lock().unwrap().extra_claims = claims;
    }

    pub(crate) fn last_authenticate(&self) -> Value {
        self.0.state.lock().unwrap().last_authenticate.clone()
    }

    /// What the AuthKit page does when the person has signed in: a code, bound to the PKCE challenge.
    pub(crate) fn approve(&self, code_challenge: &str) -> String {
        let mut state = self.0.state.lock().unwrap();
        let code = format!("code_{}", state.next);
        state.next += 1;
        state.codes.insert(code.clone(), code_challenge.to_owned());
        code
    }

    /// What WorkOS answers to a sign-in that a flow of the app's own has made.
    pub(crate) fn begin_session(&self) -> Value {
        let session = self.0.state.lock().unwrap().next;
        self.answer(session)
    }

    fn answer(&self, session: u64) -> Value {
        let mut state = self.0.state.lock().unwrap();
        let now = self.0.clock.seconds();
        let number = state.next;
        state.next += 1;
        let organization = state
            .organizations
            .get(&session)
            .map_or("org_1", String::as_str)
            .to_owned();
        let role = if organization == "org_1" {
            "admin"
        } else {
            "member"
        };
        let mut claims = json!({
            "iss": "https://api.workos.com", "sub": "user_1", "sid": format!("session_{session}"),
            "jti": format!("jti_{number}"), "iat": now, "exp": now + LIFETIME, "auth_time": now,
            "org_id": organization, "role": role, "roles": [role], "permissions": ["posts:write"],
            "entitlements": ["audit"], "feature_flags": ["beta"],
        });
        for (name, value) in state.extra_claims.as_object().unwrap() {
            claims[name] = value.clone();
        }
        let refresh_token = format!("refresh_{number}");
        state.refresh_tokens.insert(refresh_token.clone(), session);
        let mint = Arc::clone(&state.mint);
        json!({
            "user": state.user, "organization_id": organization, "access_token": mint(claims),
            "refresh_token": refresh_token, "authentication_method": "Password",
        })
    }
}

/// What has begun goes on, although the client goes away.
async fn authenticate(workos: web::Data<FakeWorkOs>, body: web::Json<Value>) -> HttpResponse {
    actix_web::rt::spawn(exchange(workos, body)).await.unwrap()
}

async fn exchange(workos: web::Data<FakeWorkOs>, body: web::Json<Value>) -> HttpResponse {
    let grant = body["grant_type"].as_str().unwrap().to_owned();
    workos.0.counts.send_modify(|counts| match grant.as_str() {
        "refresh_token" => counts.refreshes += 1,
        _ => counts.exchanges += 1,
    });
    let _permit = workos.0.gate.acquire().await.unwrap();
    let session = {
        let mut state = workos.0.state.lock().unwrap();
        state.last_authenticate = body.0.clone();
        if state.drops_connections {
            return HttpResponse::Ok().body(Broken);
        }
        if let Some((status, failure)) = &state.authenticate_failure {
            let status = actix_web::http::StatusCode::from_u16(*status).unwrap();
            return HttpResponse::build(status).json(failure);
        }
        if body["client_id"] != "client_1" || body["client_secret"] != "sk_test_1" {
            return HttpResponse::BadRequest().json(json!({ "error": "invalid_client" }));
        }
        if grant == "refresh_token" {
            let token = body["refresh_token"].as_str().unwrap();
            if let Some((at, answer)) = state.repeats.as_ref().and_then(|answers| answers.get(token))
                && workos.0.clock.seconds() < at + 30
            {
                return HttpResponse::Ok().json(answer);
            }
            let wanted = body["organization_id"].as_str();
            match (state.refresh_tokens.get(token).copied(), wanted) {
                (Some(session), Some(wanted @ ("org_1" | "org_2" | "org_3"))) => {
                    state.organizations.insert(session, wanted.to_owned());
                }
                (Some(_), Some(_)) => {
                    return HttpResponse::BadRequest()
                        .json(json!({ "error": "organization_membership_not_found" }));
                }
                _ => {}
            }
            state.refresh_tokens.remove(token)
        } else {
            let challenge = state.codes.remove(body["code"].as_str().unwrap());
            let verifier = body["code_verifier"].as_str().unwrap_or_default();
            let expected = URL_SAFE_NO_PAD.encode(Sha256::digest(verifier.as_bytes()));
            let session = state.next;
            challenge
                .filter(|challenge| *challenge == expected)
                .map(|_| session)
        }
    };
    match session {
        Some(session) => {
            let answer = workos.answer(session);
            let mut state = workos.0.state.lock().unwrap();
            if let (Some(answers), Some(token)) = (&mut state.repeats, body["refresh_token"].as_str()) {
                answers.insert(token.to_owned(), (workos.0.clock.seconds(), answer.clone()));
            }
            HttpResponse::Ok().json(answer)
        }
        None => HttpResponse::BadRequest()
            .json(json!({ "error": "invalid_grant", "error_description": "already exchanged" })),
    }
}

/// A body that never comes.
struct Broken;

impl MessageBody for Broken {
    type Error = std::io::Error;

    fn size(&self) -> BodySize {
        BodySize::Sized(100)
    }

    fn poll_next(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<web::Bytes, Self::Error>>> {
        Poll::Ready(Some(Err(std::io::Error::other("the connection broke"))))
    }
}

async fn jwks(workos: web::Data<FakeWorkOs>) -> HttpResponse {
    workos.0.counts.send_modify(|counts| counts.jwks += 1);
    if let Some(status) = workos.0.state.lock().unwrap().jwks_failure {
        return HttpResponse::build(actix_web::http::StatusCode::from_u16(status).unwrap()).finish();
    }
    HttpResponse::Ok().json(json!({ "keys": [
        { "kty": "EC", "kid": "other", "use": "sig" },
        { "kty": "RSA", "alg": "RS256", "use": "sig", "kid": workos.0.state.lock().unwrap().published_kid, "n": modulus(), "e": "AQAB" },
    ] }))
}

pub(crate) const KID: &str = "sso_oidc_key_pair_1";

fn key() -> &'static RsaKeyPair {
    static KEY: OnceLock<RsaKeyPair> = OnceLock::new();
    KEY.get_or_init(|| RsaKeyPair::generate(KeySize::Rsa2048).unwrap())
}

/// The 256 bytes after the DER prefix of `SEQUENCE { INTEGER n, INTEGER e }`.
pub(crate) fn modulus() -> String {
    URL_SAFE_NO_PAD.encode(&key().public_key().as_ref()[9..265])
}

pub(crate) fn unsigned(header: &Value, claims: &Value) -> String {
    let encode = |json: &Value| URL_SAFE_NO_PAD.encode(json.to_string());
    format!("{}.{}", encode(header), encode(claims))
}

pub(crate) fn sign_with_header(header: &Value, claims: &Value) -> String {
    sign_text(&unsigned(header, claims))
}

/// A genuine signature under whatever text.
pub(crate) fn sign_text(signed: &str) -> String {
    let mut signature = vec![0; key().public_modulus_len()];
    key()
        .sign(
            &RSA_PKCS1_SHA256,
            &SystemRandom::new(),
            signed.as_bytes(),
            &mut signature,
        )
        .unwrap();
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
}

pub(crate) fn sign(alg: &str, kid: &str, claims: &Value) -> String {
    sign_with_header(&json!({ "alg": alg, "kid": kid }), claims)
}

pub(crate) fn user(id: &str) -> Value {
    json!({
        "object": "user", "id": id, "email": "alice@acme.example", "email_verified": true,
        "first_name": "Alice", "last_name": "Doe", "profile_picture_url": null,
        "created_at": "2026-01-01T00:00:00.000Z", "updated_at": "2026-01-01T00:00:00.000Z",
    })
}
