//! A small OpenID provider on loopback that signs anybody in at once, and lies on demand.

use std::{
    collections::HashMap,
    sync::{Arc, LazyLock, Mutex, MutexGuard},
    time::{Duration, UNIX_EPOCH},
};

use actix_web::{App, HttpRequest, HttpResponse, http::StatusCode, web};
use aws_lc_rs::{
    hmac,
    rand::SystemRandom,
    rsa::KeySize,
    signature::{
        ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _, RSA_PKCS1_2048_8192_SHA256,
        RSA_PKCS1_SHA256, RSA_PSS_SHA256, RsaKeyPair, RsaPublicKeyComponents, UnparsedPublicKey,
    },
};
use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use reqwest::Url;
use serde_json::{Map, Value, json};

use crate::server;
use workos_actix::{Clock, SystemClock};

pub(crate) const CLIENT_ID: &str = "workos:relying party";
/// It has to be encoded where it is sent.
pub(crate) const CLIENT_SECRET: &str = "s%cr:et +ü";

static RSA: LazyLock<RsaKeyPair> = LazyLock::new(|| RsaKeyPair::generate(KeySize::Rsa2048).unwrap());
static OTHER: LazyLock<RsaKeyPair> = LazyLock::new(|| RsaKeyPair::generate(KeySize::Rsa2048).unwrap());
static EC: LazyLock<EcdsaKeyPair> =
    LazyLock::new(|| EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap());

/// How an ID token is signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Signing {
    Rs256,
    Ps256,
    Es256,
    /// Not at all.
    None,
    /// With the public key as a secret.
    Hs256,
    /// With a key that is not published, under the name of one that is.
    Forged,
}

/// What the provider says and does.
#[derive(Debug, Clone)]
pub(crate) struct Behaviour {
    pub(crate) metadata: Map<String, Value>,
    pub(crate) discovery_status: u16,
    /// Over those of a good token; null takes one away.
    pub(crate) claims: Map<String, Value>,
    pub(crate) signing: Signing,
    /// The name of the key that signs.
    pub(crate) kid: Option<String>,
    pub(crate) token_answer: Option<(u16, String)>,
    pub(crate) jwks_status: u16,
    pub(crate) userinfo: Value,
    pub(crate) userinfo_status: u16,
    /// What it redirects back with instead of a code.
    pub(crate) error: Option<(&'static str, &'static str)>,
    /// `iss` beside the code.
    pub(crate) iss: Option<String>,
    /// It answers the token request never.
    pub(crate) hangs: bool,
}

impl Default for Behaviour {
    fn default() -> Self {
        Self {
            metadata: Map::new(),
            discovery_status: 200,
            claims: Map::new(),
            signing: Signing::Rs256,
            kid: Some("rsa-1".to_owned()),
            token_answer: None,
            jwks_status: 200,
            userinfo: json!({"sub": "u-1"}),
            userinfo_status: 200,
            error: None,
            iss: None,
            hangs: false,
        }
    }
}

#[derive(Default)]
struct Inner {
    behaviour: Behaviour,
    /// The parameters of the authorization requests, by code.
    asked: HashMap<String, HashMap<String, String>>,
    /// The paths that were called, and how the client proved itself.
    calls: Vec<String>,
}

#[derive(Clone)]
pub(crate) struct Issuer {
    pub(crate) url: String,
    inner: Arc<Mutex<Inner>>,
}

type Shared = web::Data<Issuer>;

impl Issuer {
    pub(crate) fn start() -> Self {
        let (listener, url) = server::listen();
        let issuer = Self {
            url,
            inner: Arc::default(),
        };
        let shared = issuer.clone();
        server::serve(listener, 1, move || {
            App::new()
                .app_data(web::Data::new(shared.clone()))
                .route("/.well-known/openid-configuration", web::get().to(metadata))
                .route("/authorize", web::get().to(authorize))
                .route("/token", web::post().to(token))
                .route("/jwks", web::get().to(jwks))
                .route("/userinfo", web::get().to(userinfo))
                .route("/elsewhere", web::get().to(jwks))
        });
        issuer
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap()
    }

    /// Makes it behave so from now on.
    pub(crate) fn behave(&self, change: impl FnOnce(&mut Behaviour)) {
        let mut behaviour = Behaviour::default();
        change(&mut behaviour);
        self.inner().behaviour = behaviour;
    }

    /// Claims over those of a good token.
    pub(crate) fn claim(&self, claims: &Value) {
        let claims = claims.as_object().unwrap().clone();
        self.behave(|behaviour| behaviour.claims = claims);
    }

    /// What was called since the last time, in order.
    pub(crate) fn calls(&self) -> Vec<String> {
        std::mem::take(&mut self.inner().calls)
    }

    pub(crate) fn discovery_endpoint(&self) -> String {
        format!("{}/.well-known/openid-configuration", self.url)
    }

    fn called(&self, what: impl Into<String>) -> Behaviour {
        let mut inner = self.inner();
        inner.calls.push(what.into());
        inner.behaviour.clone()
    }
}

fn answer(status: u16) -> actix_web::HttpResponseBuilder {
    HttpResponse::build(StatusCode::from_u16(status).unwrap())
}

async fn metadata(issuer: Shared) -> HttpResponse {
    let behaviour = issuer.called("discovery");
    let url = &issuer.url;
    let mut document = json!({
        "issuer": url,
        "authorization_endpoint": format!("{url}/authorize?tenant=1"),
        "token_endpoint": format!("{url}/token"),
        "jwks_uri": format!("{url}/jwks"),
        "userinfo_endpoint": format!("{url}/userinfo"),
        "response_types_supported": ["code"],
        "subject_types_supported": ["public"],
        "scopes_supported": ["openid", "groups"],
        "id_token_signing_alg_values_supported": ["RS256", "PS256", "ES256", "HS256", "none"],
    });
    document
        .as_object_mut()
        .unwrap()
        .extend(behaviour.metadata.clone());
    answer(behaviour.discovery_status).json(document)
}

async fn authorize(issuer: Shared, web::Query(query): web::Query<HashMap<String, String>>) -> HttpResponse {
    let behaviour = issuer.called("authorize");
    assert_eq!(query["response_type"], "code");
    assert_eq!(query["client_id"], CLIENT_ID);
    assert_eq!(query["tenant"], "1", "what the endpoint has is kept");
    let mut back = Url::parse(&query["redirect_uri"]).unwrap();
    back.query_pairs_mut().append_pair("state", &query["state"]);
    if let Some(iss) = &behaviour.iss {
        back.query_pairs_mut().append_pair("iss", iss);
    }
    if let Some((error, description)) = behaviour.error {
        back.query_pairs_mut()
            .append_pair("error", error)
            .append_pair("error_description", description);
    } else {
        let mut inner = issuer.inner();
        let code = format!("code-{}", inner.asked.len());
        back.query_pairs_mut().append_pair("code", &code);
        inner.asked.insert(code, query);
    }
    HttpResponse::Found()
        .insert_header(("Location", back.as_str()))
        .finish()
}

/// How the client proves who it is, and whether that is right.
fn proof(request: &HttpRequest, form: &HashMap<String, String>) -> (&'static str, bool) {
    if let Some(header) = request.headers().get("authorization") {
        let encoded = header.to_str().unwrap().strip_prefix("Basic ").unwrap();
        let decoded = String::from_utf8(STANDARD.decode(encoded).unwrap()).unwrap();
        let (id, secret) = decoded.split_once(':').unwrap();
        let text = |text: &str| {
            let query = format!("x={text}");
            let url = Url::parse(&format!("http://localhost/?{query}")).unwrap();
            let (_, value) = url.query_pairs().next().unwrap();
            value.into_owned()
        };
        return ("basic", text(id) == CLIENT_ID && text(secret) == CLIENT_SECRET);
    }
    if let Some(assertion) = form.get("client_assertion") {
        assert_eq!(
            form["client_assertion_type"],
            "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
        );
        return (
            "assertion",
            form["client_id"] == CLIENT_ID && is_signed(assertion),
        );
    }
    let secret = form
        .get("client_secret")
        .is_some_and(|secret| secret == CLIENT_SECRET);
    (
        "post",
        form.get("client_id").is_some_and(|id| id == CLIENT_ID) && secret,
    )
}

/// The key of a client that proves itself by a signature.
pub(crate) const CLIENT_KEY: &str = include_str!("../../../workos-emulator/src/core/development_key.pem");

/// Whether a client assertion is what RFC 7523 section 3 says, and signed with the client's key.
fn is_signed(assertion: &str) -> bool {
    let (message, signature) = assertion.rsplit_once('.').unwrap();
    let (_, claims) = message.split_once('.').unwrap();
    let claims: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).unwrap()).unwrap();
    let expires_in = claims["exp"].as_i64().unwrap() - seconds_from_now(0);
    let (_, pem) = CLIENT_KEY.split_once("-----BEGIN PRIVATE KEY-----").unwrap();
    let (pem, _) = pem.split_once("-----END").unwrap();
    let der = STANDARD
        .decode(pem.split_whitespace().collect::<String>())
        .unwrap();
    let pair = RsaKeyPair::from_pkcs8(&der).unwrap();
    let key = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, pair.public_key());
    (claims["iss"] == CLIENT_ID && claims["sub"] == CLIENT_ID)
        && claims["aud"].as_str().unwrap().ends_with("/token")
        && claims["jti"].as_str().unwrap().len() >= 16
        && (0..=300).contains(&expires_in)
        && key
            .verify(message.as_bytes(), &URL_SAFE_NO_PAD.decode(signature).unwrap())
            .is_ok()
}

async fn token(
    issuer: Shared,
    request: HttpRequest,
    web::Form(form): web::Form<HashMap<String, String>>,
) -> HttpResponse {
    let (method, is_right) = proof(&request, &form);
    let behaviour = issuer.called(format!("token by {method}"));
    if behaviour.hangs {
        std::future::pending::<()>().await;
    }
    if let Some((status, body)) = behaviour.token_answer {
        return answer(status).content_type("application/json").body(body);
    }
    if !is_right {
        return answer(401).json(json!({"error": "invalid_client"}));
    }
    // A code is good once.
    let Some(asked) = issuer.inner().asked.remove(&form["code"]) else {
        return answer(400).json(json!({"error": "invalid_grant"}));
    };
    assert_eq!(form["redirect_uri"], asked["redirect_uri"]);
    if let Some(challenge) = asked.get("code_challenge") {
        assert_eq!(asked["code_challenge_method"], "S256");
        let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, form["code_verifier"].as_bytes());
        assert_eq!(&URL_SAFE_NO_PAD.encode(digest), challenge);
    }
    let now = SystemClock.now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let mut claims = json!({
        "iss": issuer.url, "aud": CLIENT_ID, "sub": "u-1", "nonce": asked["nonce"],
        "iat": now, "exp": now + 300, "email": "Ada@Acme.example", "given_name": "Ada", "family_name": "Lovelace",
        "groups": ["Engineering"], "sid": "s-1", "department": "Research",
    });
    let claims = claims.as_object_mut().unwrap();
    for (name, value) in behaviour.claims {
        match value {
            Value::Null => drop(claims.remove(&name)),
            value => drop(claims.insert(name, value)),
        }
    }
    let id_token = signed(behaviour.signing, behaviour.kid.as_deref(), claims);
    answer(200).json(json!({"access_token": "at-1", "token_type": "Bearer", "id_token": id_token}))
}

fn signed(signing: Signing, kid: Option<&str>, claims: &Map<String, Value>) -> String {
    let alg = match signing {
        Signing::Rs256 | Signing::Forged => "RS256",
        Signing::Ps256 => "PS256",
        Signing::Es256 => "ES256",
        Signing::None => "none",
        Signing::Hs256 => "HS256",
    };
    let mut header = json!({"alg": alg, "typ": "JWT"});
    if let Some(kid) = kid {
        header["kid"] = kid.into();
    }
    let encoded = |value: &[u8]| URL_SAFE_NO_PAD.encode(value);
    let message = format!(
        "{}.{}",
        encoded(header.to_string().as_bytes()),
        encoded(&serde_json::to_vec(claims).unwrap())
    );
    let bytes = message.as_bytes();
    let rsa = |pair: &RsaKeyPair, encoding: &'static dyn aws_lc_rs::signature::RsaEncoding| {
        let mut signature = vec![0; pair.public_modulus_len()];
        pair.sign(encoding, &SystemRandom::new(), bytes, &mut signature)
            .unwrap();
        signature
    };
    let signature = match signing {
        Signing::Rs256 => rsa(&RSA, &RSA_PKCS1_SHA256),
        Signing::Ps256 => rsa(&RSA, &RSA_PSS_SHA256),
        Signing::Forged => rsa(&OTHER, &RSA_PKCS1_SHA256),
        Signing::Es256 => EC.sign(&SystemRandom::new(), bytes).unwrap().as_ref().to_vec(),
        Signing::None => Vec::new(),
        Signing::Hs256 => {
            let key = hmac::Key::new(hmac::HMAC_SHA256, public_pem().as_bytes());
            hmac::sign(&key, bytes).as_ref().to_vec()
        }
    };
    format!("{message}.{}", encoded(&signature))
}

/// What a confused verifier would take for the secret.
fn public_pem() -> String {
    let der = STANDARD.encode(RSA.public_key());
    format!("-----BEGIN RSA PUBLIC KEY-----\n{der}\n-----END RSA PUBLIC KEY-----\n")
}

async fn jwks(issuer: Shared, request: HttpRequest) -> HttpResponse {
    let behaviour = issuer.called(request.path().trim_start_matches('/'));
    if behaviour.jwks_status == 302 {
        return HttpResponse::Found()
            .insert_header(("Location", format!("{}/elsewhere", issuer.url)))
            .finish();
    }
    let components = RsaPublicKeyComponents::<Vec<u8>>::from(RSA.public_key());
    let point = EC.public_key().as_ref();
    let part = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
    let kid = behaviour.kid.filter(|kid| kid.starts_with("rsa"));
    let kid = kid.unwrap_or_else(|| "rsa-1".to_owned());
    answer(behaviour.jwks_status).json(json!({"keys": [
        {"kty": "RSA", "kid": kid, "n": part(&components.n), "e": part(&components.e)},
        {"kty": "EC", "crv": "P-256", "kid": "ec-1", "x": part(&point[1..33]), "y": part(&point[33..])},
    ]}))
}

async fn userinfo(issuer: Shared, request: HttpRequest) -> HttpResponse {
    let behaviour = issuer.called("userinfo");
    let authorization = request.headers().get("authorization").unwrap();
    assert_eq!(authorization, "Bearer at-1");
    answer(behaviour.userinfo_status).json(behaviour.userinfo)
}

/// The real time and so many seconds.
pub(crate) fn seconds_from_now(seconds: i64) -> i64 {
    let now = SystemClock
        .now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or(Duration::ZERO);
    i64::try_from(now.as_secs()).unwrap() + seconds
}
