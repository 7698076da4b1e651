use aws_lc_rs::{
    rand::SystemRandom,
    rsa::KeySize,
    signature::{KeyPair as _, RSA_PKCS1_SHA256, RsaKeyPair},
};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::{
    software_authenticator::{
        PRESENT_AND_VERIFIED, SoftwareAuthenticator, attestation_object, decoded, encoded,
    },
    *,
};

const ORIGIN: &str = "https://auth.example.com";
const CHALLENGE: &[u8] = b"a challenge of thirty-two bytes.";

fn relying_party() -> RelyingParty {
    RelyingParty::of(ORIGIN).unwrap()
}

fn creation(challenge: &[u8]) -> Value {
    json!({
        "rp": {"id": "auth.example.com"},
        "user": {"id": encoded(b"user_ada")},
        "challenge": encoded(challenge),
    })
}

fn request(challenge: &[u8]) -> Value {
    json!({"rpId": "auth.example.com", "challenge": encoded(challenge)})
}

fn register(response: Value) -> Result<Credential, Refusal> {
    let response: RegistrationResponse = serde_json::from_value(response).map_err(|_| Refusal::Malformed)?;
    response.verify(&relying_party(), CHALLENGE)
}

fn authenticate(response: Value, public_key: &PublicKey, sign_count: u32) -> Result<u32, Refusal> {
    let response: AuthenticationResponse =
        serde_json::from_value(response).map_err(|_| Refusal::Malformed)?;
    response.verify(&relying_party(), CHALLENGE, public_key, sign_count)
}

fn registered() -> (SoftwareAuthenticator, Credential) {
    let mut authenticator = SoftwareAuthenticator::new(ORIGIN);
    let credential = register(authenticator.create(&creation(CHALLENGE))).unwrap();
    (authenticator, credential)
}

/// An RS256 authenticator, as Windows Hello is one.
fn rs256() -> SoftwareAuthenticator {
    let key = RsaKeyPair::generate(KeySize::Rsa2048).unwrap();
    let n = key
        .public_key()
        .modulus()
        .big_endian_without_leading_zero()
        .to_vec();
    // {1: 3, 3: -257, -1: n, -2: 65537}
    let cose_key = [
        &[0xa4, 0x01, 0x03, 0x03, 0x39, 0x01, 0x00, 0x20, 0x59, 0x01, 0x00],
        n.as_slice(),
        &[0x21, 0x43, 0x01, 0x00, 0x01],
    ];
    let sign = move |message: &[u8]| {
        let mut signature = vec![0; key.public_modulus_len()];
        key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message, &mut signature)
            .unwrap();
        signature
    };
    SoftwareAuthenticator::with_key(ORIGIN, cose_key.concat(), Box::new(sign))
}

/// The response with other bytes in one of its members.
fn with(mut response: Value, member: &str, bytes: &[u8]) -> Value {
    response["response"][member] = encoded(bytes).into();
    response
}

/// The response with one bit of a member turned over.
fn flipped(response: &Value, member: &str, at: usize) -> Value {
    let mut bytes = decoded(&response["response"][member]);
    let at = at % bytes.len();
    bytes[at] ^= 1;
    with(response.clone(), member, &bytes)
}

#[test]
fn a_passkey_is_bound_to_a_domain_and_needs_encryption_elsewhere_than_here() {
    for (url, expected) in [
        (
            "http://localhost:4100",
            Some(("localhost", "http://localhost:4100")),
        ),
        (
            "http://app.localhost",
            Some(("app.localhost", "http://app.localhost")),
        ),
        (
            "https://Auth.Example.com:443",
            Some(("auth.example.com", "https://auth.example.com")),
        ),
        ("http://auth.example.com", None),
        ("http://127.0.0.1:4100", None),
        ("https://10.0.0.1", None),
        ("http://[::1]:4100", None),
        ("http://notlocalhost", None),
        ("nonsense", None),
    ] {
        let found = RelyingParty::of(url);
        let found = found
            .as_ref()
            .map(|party| (party.id.as_str(), party.origin.as_str()));
        assert_eq!(found, expected, "{url}");
    }
}

#[test]
fn both_kinds_of_key_register_and_sign() {
    for mut authenticator in [SoftwareAuthenticator::new(ORIGIN), rs256()] {
        let credential = register(authenticator.create(&creation(CHALLENGE))).unwrap();
        assert_eq!(
            (&credential.id.0, credential.sign_count),
            (&authenticator.credential_id, 0)
        );
        // As it is kept.
        let kept = serde_json::to_string(&credential.public_key).unwrap();
        let public_key: PublicKey = serde_json::from_str(&kept).unwrap();
        let response = authenticator.get(&request(CHALLENGE));
        assert_eq!(authenticate(response.clone(), &public_key, 0), Ok(1));
        let other = registered().1.public_key;
        assert_eq!(authenticate(response, &other, 0), Err(Refusal::WrongSignature));
    }
}

/// Source: <https://www.w3.org/TR/webauthn-3/#sctn-test-vectors-none-es256>. Its user was present but not verified: that is
/// found out last.
#[test]
fn the_vector_of_the_specification_lacks_nothing_but_verification() {
    let party = RelyingParty::of("https://example.org").unwrap();
    let bytes = |hex: &str| -> Vec<u8> {
        let digits = |at: usize| u8::from_str_radix(&hex[at..at + 2], 16).unwrap();
        (0..hex.len()).step_by(2).map(digits).collect()
    };
    let id = bytes("f91f391db4c9b2fde0ea70189cba3fb63f579ba6122b33ad94ff3ec330084be4");
    let object = bytes(
        "a363666d74646e6f6e656761747453746d74a068617574684461746158a4bfabc37432958b063360d3ad6461c9c4735ae7f8edd46592\
         a5e0f01452b2e4b559000000008446ccb9ab1db374750b2367ff6f3a1f0020f91f391db4c9b2fde0ea70189cba3fb63f579ba6122b33\
         ad94ff3ec330084be4a5010203262001215820afefa16f97ca9b2d23eb86ccb64098d20db90856062eb249c33a9b672f26df61225820\
         930a56b87a2fca66334b03458abf879717c12cc68ed73290af2e2664796b9220",
    );
    let response = |client_data: &str, object: &[u8]| -> RegistrationResponse {
        serde_json::from_value(json!({
            "type": "public-key", "rawId": encoded(&id),
            "response": {"clientDataJSON": encoded(client_data.as_bytes()), "attestationObject": encoded(object)},
        }))
        .unwrap()
    };
    let challenge = b"of our own".as_slice();
    let client_data = json!({
        "type": "webauthn.create", "challenge": encoded(challenge), "origin": "https://example.org",
    });
    let refused = response(&client_data.to_string(), &object).verify(&party, challenge);
    assert_eq!(refused, Err(Refusal::UserNotVerified));
    let data = attestation::authenticator_data(&Base64Url(object))
        .unwrap()
        .to_vec();
    let attested = AuthenticatorData::parse(&data).unwrap().attested.unwrap();
    assert_eq!(attested.credential_id, id);

    let assertion: AuthenticationResponse = serde_json::from_value(json!({
        "type": "public-key", "rawId": encoded(&id),
        "response": {
            "clientDataJSON": encoded(&bytes(
                "7b2274797065223a22776562617574686e2e676574222c226368616c6c656e6765223a224f63446e55685158756c5455506f\
                 334a5558543049393770767a7a59425039745a63685879617630314167222c226f726967696e223a2268747470733a2f2f65\
                 78616d706c652e6f7267222c2263726f73734f726967696e223a66616c73657d")),
            "authenticatorData": encoded(&bytes(
                "bfabc37432958b063360d3ad6461c9c4735ae7f8edd46592a5e0f01452b2e4b51900000000")),
            "signature": encoded(&bytes(
                "3046022100f50a4e2e4409249c4a853ba361282f09841df4dd4547a13a87780218deffcd380221008480ac0f0b9353817\
                 4f575bf11a1dd5d78c6e486013f937295ea13653e331e87")),
        },
    }))
    .unwrap();
    let challenge = bytes("39c0e7521417ba54d43e8dc95174f423dee9bf3cd804ff6d65c857c9abf4d408");
    let refused = assertion.verify(&party, &challenge, &attested.public_key, 0);
    assert_eq!(refused, Err(Refusal::UserNotVerified));
    let other = registered().1.public_key;
    let refused = assertion.verify(&party, &challenge, &other, 0);
    assert_eq!(refused, Err(Refusal::WrongSignature));
}

#[test]
fn an_answer_is_for_one_challenge_one_origin_and_one_ceremony() {
    let (mut authenticator, credential) = registered();
    let key = &credential.public_key;
    let other = authenticator.create(&creation(b"another"));
    assert_eq!(register(other), Err(Refusal::WrongChallenge));
    let other = authenticator.get(&request(b"another"));
    assert_eq!(authenticate(other, key, 0), Err(Refusal::WrongChallenge));
    let empty = authenticator.get(&request(b""));
    assert_eq!(authenticate(empty, key, 0), Err(Refusal::WrongChallenge));

    // The client data of one ceremony in the other.
    let created = authenticator.create(&creation(CHALLENGE));
    let got = authenticator.get(&request(CHALLENGE));
    let data = |response: &Value| decoded(&response["response"]["clientDataJSON"]);
    let crossed = with(created.clone(), "clientDataJSON", &data(&got));
    assert_eq!(register(crossed), Err(Refusal::WrongCeremony));
    let crossed = with(got, "clientDataJSON", &data(&created));
    assert_eq!(authenticate(crossed, key, 0), Err(Refusal::WrongCeremony));

    for origin in [
        "https://evil.example",
        "https://auth.example.com.evil.example",
        "https://auth.example.com:8443",
        "http://auth.example.com",
        "https://auth.example.com/",
        "https://AUTH.example.com",
        "null",
        "",
    ] {
        authenticator.origin = origin.to_owned();
        let created = authenticator.create(&creation(CHALLENGE));
        assert_eq!(register(created), Err(Refusal::WrongOrigin), "{origin}");
        let got = authenticator.get(&request(CHALLENGE));
        assert_eq!(authenticate(got, key, 0), Err(Refusal::WrongOrigin), "{origin}");
    }
}

#[test]
fn a_frame_of_another_site_holds_no_ceremony() {
    let (mut authenticator, credential) = registered();
    let response = authenticator.get(&request(CHALLENGE));
    let client_data = String::from_utf8(decoded(&response["response"]["clientDataJSON"])).unwrap();
    let framed = client_data.replace(r#""crossOrigin":false"#, r#""crossOrigin":true"#);
    assert_ne!(framed, client_data);
    // It would be signed like this.
    let refused = authenticate(
        with(response, "clientDataJSON", framed.as_bytes()),
        &credential.public_key,
        0,
    );
    assert_eq!(refused, Err(Refusal::WrongOrigin));
}

#[test]
fn a_passkey_of_another_domain_and_an_absent_person_are_refused() {
    let (mut authenticator, credential) = registered();
    let outcomes = |authenticator: &mut SoftwareAuthenticator| {
        (
            register(authenticator.create(&creation(CHALLENGE))).map(|_| ()),
            authenticate(authenticator.get(&request(CHALLENGE)), &credential.public_key, 0).map(|_| ()),
        )
    };
    for domain in ["evil.example", "example.com", "AUTH.example.com"] {
        authenticator.domain = Some(domain.to_owned());
        let refused = Err(Refusal::WrongRelyingParty);
        assert_eq!(outcomes(&mut authenticator), (refused, refused), "{domain}");
    }
    authenticator.domain = None;
    for (flags, refusal) in [
        (0, Refusal::UserNotPresent),
        (0b100, Refusal::UserNotPresent),
        (0b1, Refusal::UserNotVerified),
        // Backed up without being eligible for it.
        (PRESENT_AND_VERIFIED | 1 << 4, Refusal::Malformed),
        // Says that extensions follow, and none do.
        (PRESENT_AND_VERIFIED | 1 << 7, Refusal::Malformed),
    ] {
        authenticator.flags = flags;
        assert_eq!(
            outcomes(&mut authenticator),
            (Err(refusal), Err(refusal)),
            "{flags:b}"
        );
    }
    authenticator.flags = PRESENT_AND_VERIFIED | 0b11 << 3;
    assert_eq!(outcomes(&mut authenticator), (Ok(()), Ok(())));
}

#[test]
fn a_counter_that_does_not_increase_gives_a_copy_away() {
    let (mut authenticator, credential) = registered();
    authenticator.counts = false;
    for (before, now, outcome) in [
        (0, 1, Ok(1)),
        (1, 2, Ok(2)),
        (1, u32::MAX, Ok(u32::MAX)),
        // It has no counter.
        (0, 0, Ok(0)),
        (2, 2, Err(Refusal::CounterNotIncreased)),
        (3, 2, Err(Refusal::CounterNotIncreased)),
        (1, 0, Err(Refusal::CounterNotIncreased)),
        (u32::MAX, 1, Err(Refusal::CounterNotIncreased)),
    ] {
        authenticator.sign_count = now;
        let response = authenticator.get(&request(CHALLENGE));
        let counted = authenticate(response, &credential.public_key, before);
        assert_eq!(counted, outcome, "{before} {now}");
    }
}

#[test]
fn a_key_that_is_none_is_not_kept() {
    let register_key = |cose_key: &[u8]| {
        let sign = Box::new(|_: &[u8]| Vec::new());
        let mut authenticator = SoftwareAuthenticator::with_key(ORIGIN, cose_key.to_vec(), sign);
        register(authenticator.create(&creation(CHALLENGE))).unwrap_err()
    };
    let es256 = |head: &[u8], x: &[u8], y: &[u8]| {
        let x_length = u8::try_from(x.len()).unwrap();
        let y_length = u8::try_from(y.len()).unwrap();
        [head, &[0x21, 0x58, x_length], x, &[0x22, 0x58, y_length], y].concat()
    };
    let head = [0xa5, 0x01, 0x02, 0x03, 0x26, 0x20, 0x01];
    // Not on the curve, at infinity, too short.
    assert_eq!(
        register_key(&es256(&head, &[1; 32], &[2; 32])),
        Refusal::Malformed
    );
    assert_eq!(
        register_key(&es256(&head, &[0; 32], &[0; 32])),
        Refusal::Malformed
    );
    assert_eq!(
        register_key(&es256(&head, &[1; 31], &[2; 32])),
        Refusal::UnsupportedKey
    );
    // Ed25519, P-384, ES256 of kind RSA.
    for (at, with) in [(4, 0x27), (6, 0x02), (2, 0x03)] {
        let mut head = head;
        head[at] = with;
        assert_eq!(
            register_key(&es256(&head, &[1; 32], &[2; 32])),
            Refusal::UnsupportedKey
        );
    }
    // RS256 with a modulus of 1024 bits, and with an exponent of 1.
    let rs256 = |n: &[u8], e: &[u8]| {
        let head = [0xa4, 0x01, 0x03, 0x03, 0x39, 0x01, 0x00, 0x20, 0x59];
        let n_length = u16::try_from(n.len()).unwrap().to_be_bytes();
        let e_length = 0x40 | u8::try_from(e.len()).unwrap();
        [&head, n_length.as_slice(), n, &[0x21, e_length], e].concat()
    };
    assert_eq!(
        register_key(&rs256(&[0xff; 128], &[1, 0, 1])),
        Refusal::UnsupportedKey
    );
    assert_eq!(
        register_key(&rs256(&[0xff; 1025], &[1, 0, 1])),
        Refusal::UnsupportedKey
    );
    assert_eq!(register_key(&rs256(&[0xff; 256], &[1])), Refusal::UnsupportedKey);
    for cose_key in [&[][..], &[0xa0], &[0xbf, 0xff], &[0xff; 8], &[0x80], &head] {
        let refusal = register_key(cose_key);
        assert!(
            matches!(refusal, Refusal::Malformed | Refusal::UnsupportedKey),
            "{cose_key:?}"
        );
    }
}

#[test]
fn cbor_that_claims_more_than_there_is_costs_nothing() {
    let (mut authenticator, _) = registered();
    let created = authenticator.create(&creation(CHALLENGE));
    let object = decoded(&created["response"]["attestationObject"]);
    let huge = [0x9b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff];
    let nested = vec![0x9f; 500_000];
    let many = [&[0xba, 0x00, 0x0f, 0xff, 0xff][..], &[0x60, 0x40].repeat(300_000)].concat();
    for attack in [
        Vec::new(),
        vec![0xa0],
        vec![0xbb, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
        [
            b"\xa1\x68authData\x5b\x7f\xff\xff\xff\xff\xff\xff\xff".as_slice(),
            &[0; 40],
        ]
        .concat(),
        [b"\xa2\x67attStmt".as_slice(), &huge].concat(),
        [b"\xa2\x67attStmt".as_slice(), &nested].concat(),
        [b"\xa2\x67attStmt".as_slice(), &vec![0x81; 500_000]].concat(),
        many,
        // Something behind the end, the end missing, the data twice.
        [object.as_slice(), &[0]].concat(),
        object[..object.len() - 1].to_vec(),
        [&[0xa4], &object[1..], &b"\x68authData\x40"[..]].concat(),
    ] {
        let refused = register(with(created.clone(), "attestationObject", &attack));
        assert_eq!(refused, Err(Refusal::Malformed), "{:?}", attack.get(..16));
    }
    let data = attestation::authenticator_data(&Base64Url(object))
        .unwrap()
        .to_vec();
    let mut longer = data.clone();
    longer.push(0);
    let mut id_too_long = data.clone();
    id_too_long[53..55].copy_from_slice(&[0xff, 0xff]);
    for data in [&data[..36], &data[..54], &longer, &id_too_long] {
        let refused = register(with(
            created.clone(),
            "attestationObject",
            &attestation_object(data),
        ));
        assert_eq!(refused, Err(Refusal::Malformed));
    }
}

#[test]
fn a_credential_id_is_the_one_that_is_attested_and_not_endless() {
    let (mut authenticator, _) = registered();
    let mut renamed = authenticator.create(&creation(CHALLENGE));
    renamed["rawId"] = encoded(b"another").into();
    assert_eq!(register(renamed), Err(Refusal::Malformed));
    for (length, taken) in [(1023, true), (1024, false)] {
        authenticator.credential_id = vec![7; length];
        let outcome = register(authenticator.create(&creation(CHALLENGE)));
        assert_eq!(outcome.is_ok(), taken, "{length}");
    }
}

#[test]
fn extensions_are_passed_over() {
    let (mut authenticator, credential) = registered();
    let response = authenticator.get(&request(CHALLENGE));
    let mut data = decoded(&response["response"]["authenticatorData"]);
    data[32] |= 1 << 7;
    // {"credProtect": 2}
    data.extend_from_slice(b"\xa1\x6bcredProtect\x02");
    assert!(AuthenticatorData::parse(&data).is_ok());
    data.push(0);
    assert_eq!(AuthenticatorData::parse(&data).unwrap_err(), Refusal::Malformed);
    let unsigned = authenticate(
        with(response, "authenticatorData", &data[..data.len() - 1]),
        &credential.public_key,
        0,
    );
    assert_eq!(unsigned, Err(Refusal::WrongSignature));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever bit is turned over, in whatever was signed or in the signature.
    #[test]
    fn what_was_tampered_with_lets_nobody_in(at in any::<usize>(), member in 0..3_usize) {
        let (mut authenticator, credential) = registered();
        let response = authenticator.get(&request(CHALLENGE));
        let member = ["clientDataJSON", "authenticatorData", "signature"][member];
        prop_assert!(authenticate(flipped(&response, member, at), &credential.public_key, 0).is_err());
        prop_assert_eq!(authenticate(response, &credential.public_key, 0), Ok(1));
    }

    #[test]
    fn noise_is_refused(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let _ = attestation::authenticator_data(&Base64Url(bytes.clone()));
        let _ = AuthenticatorData::parse(&bytes);
        let _ = PublicKey::read(&bytes);
        let response = json!({
            "type": "public-key", "rawId": encoded(&bytes),
            "response": {"clientDataJSON": encoded(&bytes), "attestationObject": encoded(&bytes)},
        });
        prop_assert_eq!(register(response), Err(Refusal::Malformed));
    }
}
