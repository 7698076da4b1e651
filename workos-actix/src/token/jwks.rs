//! The public keys of the WorkOS environment, fetched seldom and shared by all workers.

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicI64, AtomicU64, Ordering},
    },
    time::Duration,
};

use arc_swap::ArcSwapOption;
use aws_lc_rs::signature::{ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::Deserialize;
use tokio::sync::Mutex;

use super::verify::TokenError;
use crate::{
    clock::{Clock, unix_seconds},
    counted,
};

/// A copy older than this is fetched again, while it goes on serving.
const FRESH_SECONDS: i64 = 60 * 60;
/// A successful fetch answers for unknown key ids this long: tokens with made-up ids cannot make us flood WorkOS.
pub(crate) const UNKNOWN_KEY_SECONDS: i64 = 10;
/// Renewals in the background are at least this far apart.
const RENEWAL_SECONDS: i64 = 30;
const FETCH_TIMEOUT: Duration = Duration::from_secs(5);
const MAX_BYTES: usize = 1024 * 1024;
/// RFC 7518 section 3.3: 2048 bits.
const MIN_MODULUS_BYTES: usize = 256;

/// The key set of one client id.
///
/// - any number of requests that need keys cause one fetch;
/// - an old copy serves on while WorkOS is unreachable;
/// - an unknown `kid` fetches again, at most once in [`UNKNOWN_KEY_SECONDS`].
#[derive(Debug, Clone)]
pub(crate) struct Jwks(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    source: KeySource,
    clock: Arc<dyn Clock>,
    keys: ArcSwapOption<KeySet>,
    /// Held by the one fetch; keeps what the last one said.
    fetching: Mutex<Option<Result<(), String>>>,
    /// Counts finished fetches.
    attempts: AtomicU64,
    /// When the last renewal in the background began.
    renewed_at: AtomicI64,
    generation: AtomicU64,
}

/// Where keys come from.
#[derive(Debug)]
pub(crate) enum KeySource {
    Url {
        url: String,
        http: reqwest::Client,
    },
    /// A JWKS document.
    #[cfg(feature = "testing")]
    Known(String),
}

#[derive(Debug)]
struct KeySet {
    keys: HashMap<String, Arc<ParsedPublicKey>>,
    fetched_at: i64,
    document: Vec<u8>,
}

impl Jwks {
    pub(crate) fn new(source: KeySource, clock: Arc<dyn Clock>) -> Self {
        Self(Arc::new(Inner {
            source,
            clock,
            keys: ArcSwapOption::empty(),
            fetching: Mutex::new(None),
            attempts: AtomicU64::new(0),
            renewed_at: AtomicI64::new(i64::MIN),
            generation: AtomicU64::new(0),
        }))
    }

    /// One that has been fetched just now.
    #[cfg(fuzzing)]
    pub(super) fn of_document(document: &[u8], clock: Arc<dyn Clock>) -> Self {
        let nowhere = KeySource::Url {
            url: String::new(),
            http: reqwest::Client::default(),
        };
        let jwks = Self::new(nowhere, clock);
        jwks.0.keys.store(Some(Arc::new(KeySet {
            keys: parse(document).unwrap(),
            fetched_at: jwks.now(),
            document: document.to_vec(),
        })));
        jwks
    }

    pub(crate) fn now(&self) -> i64 {
        unix_seconds(self.0.clock.as_ref())
    }

    /// Changes whenever the keys change: what was verified under another generation must be verified again.
    pub(crate) fn generation(&self) -> u64 {
        self.0.generation.load(Ordering::Acquire)
    }

    /// The key with this id.
    pub(crate) async fn key(&self, kid: &str) -> Result<Arc<ParsedPublicKey>, TokenError> {
        let seen = self.0.attempts.load(Ordering::Acquire);
        let known = self.0.keys.load_full();
        if let Some(set) = &known {
            if self.now() - set.fetched_at >= FRESH_SECONDS {
                self.renew_in_background();
            }
            if let Some(key) = set.keys.get(kid) {
                return Ok(Arc::clone(key));
            }
            if self.now() - set.fetched_at < UNKNOWN_KEY_SECONDS {
                return Err(TokenError::UnknownKey);
            }
        }
        self.0.fetch_after(seen).await.map_err(TokenError::Unavailable)?;
        let set = self.0.keys.load_full();
        set.and_then(|set| set.keys.get(kid).cloned())
            .ok_or(TokenError::UnknownKey)
    }

    fn renew_in_background(&self) {
        let (now, last) = (self.now(), self.0.renewed_at.load(Ordering::Acquire));
        let is_due = last <= now.saturating_sub(RENEWAL_SECONDS);
        let is_mine = || {
            self.0
                .renewed_at
                .compare_exchange(last, now, Ordering::AcqRel, Ordering::Acquire)
                .is_ok()
        };
        if !is_due || !is_mine() {
            return;
        }
        let inner = Arc::clone(&self.0);
        tokio::spawn(async move {
            let seen = inner.attempts.load(Ordering::Acquire);
            if let Err(error) = inner.fetch_after(seen).await {
                tracing::warn!(%error, "the WorkOS key set could not be renewed; the old one serves on");
            }
        });
    }
}

impl Inner {
    /// Fetches, unless a fetch finished after attempt `seen`: then its outcome is ours too.
    async fn fetch_after(&self, seen: u64) -> Result<(), String> {
        let mut last = self.fetching.lock().await;
        if let Some(outcome) = &*last
            && self.attempts.load(Ordering::Acquire) != seen
        {
            return outcome.clone();
        }
        let outcome = self.fetch().await;
        counted::key_set_fetch(outcome.is_ok());
        self.attempts.fetch_add(1, Ordering::AcqRel);
        *last = Some(outcome.clone());
        outcome
    }

    async fn fetch(&self) -> Result<(), String> {
        let document = self
            .download()
            .await
            .map_err(|error| error.without_url().to_string())?;
        let document = document.ok_or_else(|| "the key set is too long".to_owned())?;
        let keys = parse(&document)?;
        let changed = self
            .keys
            .load()
            .as_ref()
            .is_none_or(|known| known.document != document);
        self.keys.store(Some(Arc::new(KeySet {
            keys,
            fetched_at: unix_seconds(self.clock.as_ref()),
            document,
        })));
        if changed {
            self.generation.fetch_add(1, Ordering::AcqRel);
        }
        Ok(())
    }

    /// `None` when the answer is longer than a key set can be.
    async fn download(&self) -> Result<Option<Vec<u8>>, reqwest::Error> {
        let (url, http) = match &self.source {
            KeySource::Url { url, http } => (url, http),
            #[cfg(feature = "testing")]
            KeySource::Known(document) => return Ok(Some(document.clone().into_bytes())),
        };
        let mut response = http
            .get(url)
            .timeout(FETCH_TIMEOUT)
            .send()
            .await?
            .error_for_status()?;
        let mut document = Vec::new();
        while let Some(chunk) = response.chunk().await? {
            if document.len() + chunk.len() > MAX_BYTES {
                return Ok(None);
            }
            document.extend_from_slice(&chunk);
        }
        Ok(Some(document))
    }
}

#[derive(Deserialize)]
struct Document {
    keys: Vec<serde_json::Value>,
}

#[derive(Deserialize)]
struct Jwk {
    kty: String,
    kid: Option<String>,
    alg: Option<String>,
    #[serde(rename = "use")]
    usage: Option<String>,
    n: Option<String>,
    e: Option<String>,
}

/// The RS256 keys of a JWKS document; of two with one id the first counts. Keys of other kinds and malformed ones are
/// skipped (RFC 7517 section 5): one of them must not take the good ones along.
pub(super) fn parse(document: &[u8]) -> Result<HashMap<String, Arc<ParsedPublicKey>>, String> {
    let document: Document =
        serde_json::from_slice(document).map_err(|error| format!("the answer is not a key set: {error}"))?;
    let mut keys = HashMap::new();
    for jwk in document.keys {
        let Ok(jwk) = Jwk::deserialize(jwk) else { continue };
        let usable = jwk.kty == "RSA"
            && jwk.alg.as_deref().is_none_or(|alg| alg == "RS256")
            && jwk.usage.as_deref().is_none_or(|usage| usage == "sig");
        if let (true, Some(kid), Some(n), Some(e)) = (usable, jwk.kid, jwk.n, jwk.e)
            && let Some(key) = rsa_key(&n, &e)
        {
            keys.entry(kid).or_insert(key);
        }
    }
    if keys.is_empty() {
        return Err("the key set has no RS256 key".to_owned());
    }
    Ok(keys)
}

fn rsa_key(n: &str, e: &str) -> Option<Arc<ParsedPublicKey>> {
    let number = |text: &str| {
        let bytes = URL_SAFE_NO_PAD.decode(text.trim_end_matches('=')).ok()?;
        let leading_zeros = bytes.iter().take_while(|byte| **byte == 0).count();
        Some(bytes.get(leading_zeros..)?.to_vec())
    };
    let components = RsaPublicKeyComponents {
        n: number(n).filter(|n| n.len() >= MIN_MODULUS_BYTES)?,
        e: number(e)?,
    };
    components
        .to_parsed_public_key(&RSA_PKCS1_2048_8192_SHA256)
        .ok()
        .map(Arc::new)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn kids(document: &Value) -> Result<Vec<String>, String> {
        let mut kids: Vec<_> = parse(document.to_string().as_bytes())?.into_keys().collect();
        kids.sort();
        Ok(kids)
    }

    fn key(kid: &str) -> Value {
        let modulus = URL_SAFE_NO_PAD.encode([0xff; 256]);
        json!({"kty": "RSA", "alg": "RS256", "use": "sig", "kid": kid, "n": modulus, "e": "AQAB"})
    }

    #[test]
    fn keys_of_no_use_are_skipped() {
        let mut odd = [
            json!({"kty": "EC", "kid": "ec", "crv": "P-256", "x": "a", "y": "b"}),
            json!({"kty": "OKP", "kid": 5, "x": null}),
            json!({"kid": "no kty"}),
            json!({"kty": "RSA", "kid": "no modulus", "e": "AQAB"}),
            json!({"kty": "RSA", "kid": "short", "n": "AQAB", "e": "AQAB"}),
            json!({"kty": "RSA", "kid": "garbage", "n": "!", "e": []}),
            json!({"kty": "RSA", "kid": "empty", "n": "", "e": ""}),
            json!(null),
            json!("key"),
            json!([[]]),
        ]
        .to_vec();
        odd.insert(3, key("good"));
        odd.push(key("good"));
        odd.push(key("another"));
        assert_eq!(kids(&json!({"keys": odd})).unwrap(), ["another", "good"]);
    }

    #[test]
    fn what_is_no_key_set_is_refused() {
        for document in [
            json!({}),
            json!({"keys": []}),
            json!({"keys": {}}),
            json!([]),
            json!(null),
        ] {
            assert!(kids(&document).is_err(), "{document}");
        }
        assert!(parse(b"<html>").is_err());
        assert!(parse(b"{\"keys\":[[[[").is_err());
    }
}
