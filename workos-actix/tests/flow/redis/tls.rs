//! Redis behind TLS, as hosted ones are.

use std::{
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use workos_actix::{RedisSharedState, SharedState};

use super::{Data, RedisServer, server::free_port};

const URL: &str = "TLS_REDIS";

/// The test starts itself as a client, once with the authority of the server's certificate among the system's, once
/// without.
#[actix_web::test]
async fn a_redis_behind_tls_is_used_if_its_certificate_is_trusted() {
    #[expect(clippy::disallowed_methods, reason = "what its parent tells it")]
    if let Ok(url) = std::env::var(URL) {
        return be_a_client(&url).await;
    }
    let redis = RedisServer::start(Data::Lost);
    let port = free_port();
    let file = |name: &str| file(name).to_str().unwrap().to_owned();
    redis.command(&[
        "CONFIG",
        "SET",
        "tls-cert-file",
        &file("server.pem"),
        "tls-key-file",
        &file("server.key"),
        "tls-ca-cert-file",
        &file("ca.pem"),
        "tls-auth-clients",
        "no",
        "tls-port",
        &port.to_string(),
    ]);
    let client = |scheme: &str, trusted: &str| {
        Command::new(std::env::current_exe().unwrap())
            .args([
                "redis::tls::a_redis_behind_tls_is_used_if_its_certificate_is_trusted",
                "--exact",
                "--nocapture",
            ])
            .env(URL, format!("{scheme}://127.0.0.1:{port}"))
            .env("SSL_CERT_FILE", file(trusted))
            .output()
            .unwrap()
    };
    let works = client("rediss", "ca.pem");
    assert!(works.status.success(), "{works:?}");
    assert!(redis.dump().contains("over TLS"));
    for (scheme, trusted, why) in [
        ("rediss", "stranger.pem", "invalid peer certificate"),
        ("redis", "ca.pem", "SharedStateError"),
    ] {
        let refused = client(scheme, trusted);
        let said = String::from_utf8_lossy(&refused.stderr);
        assert!(!refused.status.success() && said.contains(why), "{said}");
    }
}

async fn be_a_client(url: &str) {
    let state = RedisSharedState::connect(url).await.unwrap();
    state
        .set("said", "over TLS", Duration::from_secs(60))
        .await
        .unwrap();
    assert_eq!(state.get("said").await.unwrap().as_deref(), Some("over TLS"));
}

/// Certificates of a hundred years, made for this test: an authority, what it signed for 127.0.0.1, and another authority.
fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/flow/redis/tls")
        .join(name)
}
