use super::*;

/// `openssl genrsa 1024`
const RSA_1024: &str = "-----BEGIN PRIVATE KEY-----
MIICdgIBADANBgkqhkiG9w0BAQEFAASCAmAwggJcAgEAAoGBAKrFQ21cXXrec1OQ
UX76O7bHOh6fgm4FFwUOOmAJ3at065Cvz3Vt1ssPhYUFIqm/W1f5Jl5u6FHyF5Tc
MRzizakzO+jHCF28pIrwj38Ggl+xm2qPIeXssSKnIzEAcaN46Vr5gDu4mZpU1nS1
xVewM2cZ37W808fLl9vkfnOALVyFAgMBAAECgYBwHbDGFPUenPuUalTHC9y2hJho
0IqeVuMlI5E5ymBpmAqsZHDNBP8XNCqSCawXTBXZbS8+oowOeOX4ipQIBfPFRqai
2jtqM4QvHOq8+CAD9VN8QEEYYkvmx1i4dgRmxvOy22hQhab0plwpdvlzWGcc31Fc
OCqlEwdqOjpMjB/h4QJBANlyeNV6s60KC/56uobV/25dBGaCb8OMHmQC6Vl0Q5Nu
9MGUKu0K4bnG6P6Ee7zgSixAB+A3pRC9OA49L4vTEnkCQQDJDDnooI1cGOB0nRbH
VpSBYuKtORSTlX8LuBI1DYR6tPzV9uH2/+/pqHej+4xx34gOkO61/y+KqgLZxKMn
ardtAkBrHAH9VhWPVPWXgqjCpkLOAC+ctv+KmUiXBwAeujBXPT5+5BdI8CVEN4Cp
bmTtIqYmqdu3THGYjzw/d1AmVfAxAkALosKDPS+RQftTpHfaB5/GsUNvRRt0wzU8
J2YeXe7p7ymm9If1dLCc9FwgSIHDYW2NckPukptcyiQqGGBc+qctAkEAwxDqxvSo
TlfeyZqkvi0UMXWqgK0uTIbmVn++3aDYX2QtP5iPDHd7raph2m3h4itQi6n8M4DP
TPhJiwYFlEA/Aw==
-----END PRIVATE KEY-----";

/// `openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256`
const P_256: &str = "-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgRYAREwlrPLRZ7XV5
jE/83zb38PJad98XKff1U7PYMyOhRANCAATC8DiQDqZF5tLdPIgMjCbDisjWmGa6
B/NDjGYZIJt6fhxuHm7hoMe6G35eo1hf9eVjIHPPbL+XbLycMD3BLdvf
-----END PRIVATE KEY-----";

fn other_key() -> SigningKey {
    SigningKey::generate(None).unwrap()
}

#[test]
fn the_development_key_is_the_same_after_every_start() {
    let key = SigningKey::development();
    assert_eq!(key.kid(), "sso_oidc_key_pair_01DEVE10PMENT0000000000000");
    // openssl x509 -in CERT.pem -outform DER | openssl dgst -sha256 -binary | basenc --base64url
    assert_eq!(key.jwk().x5t_s256, "xxH_1PgcOEKTZHK3irshDCI6TmULSa_oPy4zd4Noc-Y");
    assert_eq!(
        key.jwk(),
        SigningKey::from_pem(DEVELOPMENT_KEY, Some(DEVELOPMENT_KID.to_owned()))
            .unwrap()
            .jwk()
    );
}

#[test]
fn the_jwk_has_the_members_of_the_specification() {
    let jwk = serde_json::to_value(SigningKey::development().jwk()).unwrap();
    let members: Vec<&str> = jwk.as_object().unwrap().keys().map(String::as_str).collect();
    for member in ["alg", "kty", "use", "x5c", "n", "e", "kid", "x5t#S256"] {
        assert!(members.contains(&member), "{member} is missing in {members:?}");
    }
    assert_eq!(members.len(), 8);
    assert_eq!(
        (&jwk["alg"], &jwk["kty"], &jwk["use"]),
        (&"RS256".into(), &"RSA".into(), &"sig".into())
    );
    assert_eq!(jwk["e"], "AQAB");
    let modulus = URL_SAFE_NO_PAD.decode(jwk["n"].as_str().unwrap()).unwrap();
    assert_eq!(modulus.len(), 256);
    assert_ne!(modulus[0], 0);
}

#[test]
fn the_certificate_is_over_the_same_key_and_signed_by_it() {
    let key = SigningKey::development();
    let certificate = STANDARD.decode(&key.jwk().x5c[0]).unwrap();
    assert_eq!(
        URL_SAFE_NO_PAD.encode(Sha256::digest(&certificate)),
        key.jwk().x5t_s256
    );
    let contains = |needle: &[u8]| certificate.windows(needle.len()).any(|window| window == needle);
    assert!(contains(CERTIFICATE_COMMON_NAME.as_bytes()));
    assert!(contains(key.pair.public_key().as_ref()));
    assert!(contains(b"260101000000Z") && contains(b"310101000000Z"));
    // Certificate ::= SEQUENCE { tbsCertificate, signatureAlgorithm (15 bytes), BIT STRING (5 + 256 bytes) }
    let (to_be_signed, signature) = (
        &certificate[4..certificate.len() - 15 - 261],
        &certificate[certificate.len() - 256..],
    );
    assert!(key.public.verifies(to_be_signed, signature));
}

#[test]
fn pkcs1_and_pkcs8_give_the_same_key() {
    let key = SigningKey::development();
    let (label, pkcs8) = decode_pem(&key.to_pem().unwrap()).unwrap();
    assert_eq!(label, "PRIVATE KEY");
    // PrivateKeyInfo of RSA-2048: 26 bytes of version, algorithm and octet string header, then the RSAPrivateKey.
    let pkcs1 = encode_pem("RSA PRIVATE KEY", &pkcs8[26..]);
    let from_pkcs1 = SigningKey::from_pem(&pkcs1, Some(DEVELOPMENT_KID.to_owned())).unwrap();
    assert_eq!(from_pkcs1.jwk(), key.jwk());
}

#[test]
fn line_breaks_may_be_escaped_as_in_environment_variables() {
    let escaped = DEVELOPMENT_KEY.replace('\n', "\\n");
    assert!(!escaped.contains('\n'));
    let key = SigningKey::from_pem(&escaped, None).unwrap();
    assert_eq!(key.jwk().n, SigningKey::development().jwk().n);
    let windows = SigningKey::from_pem(&DEVELOPMENT_KEY.replace('\n', "\r\n"), None).unwrap();
    assert_eq!(windows.jwk(), key.jwk());
}

#[test]
fn the_derived_id_follows_from_the_key() {
    let derived = SigningKey::from_pem(DEVELOPMENT_KEY, None).unwrap();
    assert_eq!(
        derived.kid(),
        SigningKey::from_pem(DEVELOPMENT_KEY, None).unwrap().kid()
    );
    let ulid = derived.kid().strip_prefix("sso_oidc_key_pair_01").unwrap();
    assert_eq!(ulid.len(), 24);
    assert!(Ulid::from_string(&format!("01{ulid}")).is_ok());
    assert_ne!(derived.kid(), other_key().kid());
}

#[test]
fn what_is_not_an_rsa_private_key_is_refused_with_advice() {
    let refuse = |pem: &str| SigningKey::from_pem(pem, None).unwrap_err();
    assert!(matches!(refuse(""), KeyError::NoPem));
    assert!(matches!(refuse("secret"), KeyError::NoPem));
    assert!(matches!(
        refuse("-----BEGIN PRIVATE KEY-----\nMIIE"),
        KeyError::NoPem
    ));
    assert!(matches!(
        refuse("-----BEGIN PRIVATE KEY-----\n!!\n-----END PRIVATE KEY-----"),
        KeyError::Base64
    ));
    assert!(matches!(
        refuse("-----BEGIN PRIVATE KEY-----\n-----END PRIVATE KEY-----"),
        KeyError::NotRsa(_)
    ));
    assert!(matches!(refuse(RSA_1024), KeyError::NotRsa(_)));
    assert!(matches!(refuse(P_256), KeyError::NotRsa(_)));
    assert!(matches!(
        refuse("-----BEGIN ENCRYPTED PRIVATE KEY-----\nMIIE\n-----END ENCRYPTED PRIVATE KEY-----"),
        KeyError::Encrypted
    ));
    assert!(matches!(
        refuse(
            "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES\n\nMIIE\n-----END RSA PRIVATE KEY-----"
        ),
        KeyError::Encrypted
    ));
    let public = refuse("-----BEGIN PUBLIC KEY-----\nMIIE\n-----END PUBLIC KEY-----");
    assert!(
        public.to_string().contains("`PUBLIC KEY`, not a private key"),
        "{public}"
    );

    for kid in [
        String::new(),
        "a b".to_owned(),
        "\"\n".to_owned(),
        "x".repeat(257),
    ] {
        assert!(matches!(
            SigningKey::from_pem(DEVELOPMENT_KEY, Some(kid)),
            Err(KeyError::Kid)
        ));
    }
}

#[test]
fn debug_shows_no_key_material() {
    let keys = KeySet::new(SigningKey::development());
    let shown = format!("{keys:?}");
    assert!(shown.contains(DEVELOPMENT_KID));
    assert!(
        !shown.contains("PRIVATE") && !shown.contains(&keys.current().jwk().n),
        "{shown}"
    );
}

#[test]
fn rotation_keeps_the_old_public_keys_and_drops_their_private_halves() {
    let mut keys = KeySet::new(SigningKey::development());
    let next = other_key();
    keys.rotate(next.clone()).unwrap();
    let ids: Vec<String> = keys.jwks().keys.into_iter().map(|key| key.kid).collect();
    assert_eq!(ids, [next.kid(), DEVELOPMENT_KID]);
    assert_eq!(keys.current().kid(), next.kid());

    let taken = keys.rotate(SigningKey::development()).unwrap_err();
    assert!(matches!(taken, KeyError::KidInUse(kid) if kid == DEVELOPMENT_KID));
    assert_eq!(keys.jwks().keys.len(), 2);

    let stored = serde_json::to_string(&keys).unwrap();
    assert_eq!(stored.matches("BEGIN PRIVATE KEY").count(), 1);
}

#[test]
fn a_stored_key_set_comes_back_whole() {
    let mut keys = KeySet::new(SigningKey::development());
    keys.rotate(other_key()).unwrap();
    let stored = serde_json::to_string(&keys).unwrap();
    let restored: KeySet = serde_json::from_str(&stored).unwrap();
    assert_eq!(restored.jwks(), keys.jwks());
    let signature = restored.current().sign_bytes(b"message").unwrap();
    assert!(keys.current.public.verifies(b"message", &signature));
    assert!(!restored.previous[0].verifies(b"message", &signature));

    let tampered = stored.replace(&keys.jwks().keys[1].n, "AA");
    assert!(
        serde_json::from_str::<KeySet>(&tampered)
            .unwrap_err()
            .to_string()
            .contains(DEVELOPMENT_KID)
    );
}
