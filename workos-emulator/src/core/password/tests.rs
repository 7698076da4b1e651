use rand::SeedableRng as _;
use rand::rngs::StdRng;

use super::*;

pub(super) const PASSWORD: &str = "correct horse battery staple";

/// `hash` can be imported and is of `password`, of nothing near it, and survives being stored.
pub(super) fn accepts(kind: PasswordHashType, hash: &str, password: &str) {
    let imported = PasswordHash::import(hash, kind, None).unwrap();
    let restored: PasswordHash = serde_json::from_str(&serde_json::to_string(&imported).unwrap()).unwrap();
    assert_eq!(restored, imported);
    assert!(restored.verify(password), "{hash}");
    assert!(!restored.verify(&format!("{password}!")), "{hash}");
}

/// `hash` cannot be imported, for this reason, neither directly nor from a store; and the reason does not repeat it.
pub(super) fn refuses(kind: PasswordHashType, hash: &str, reason: &str) {
    let error = PasswordHash::import(hash, kind, None).unwrap_err().to_string();
    assert!(error.contains(reason), "{hash}: {error}");
    assert!(hash.is_empty() || !error.contains(hash));
    let stored = serde_json::json!({ "type": kind, "hash": hash });
    assert!(serde_json::from_value::<PasswordHash>(stored).is_err());
}

fn create(password: &str) -> PasswordHash {
    PasswordHash::create(password, &mut StdRng::seed_from_u64(1)).unwrap()
}

#[test]
fn a_created_hash_verifies_its_password_alone() {
    let hash = create(PASSWORD);
    assert!(hash.verify(PASSWORD));
    for wrong in [
        "",
        "correct horse battery stapl",
        "Correct horse battery staple",
        "correct horse battery staple\0",
    ] {
        assert!(!hash.verify(wrong), "{wrong:?}");
    }
    assert!(create("").verify(""));
    assert!(!create("").verify("\0"));
}

#[test]
fn all_of_a_long_password_counts() {
    let long = "é".repeat(50_000);
    let hash = create(&long);
    assert!(hash.verify(&long));
    assert!(!hash.verify(&format!("{long}e")));
    assert!(!hash.verify(&long[..72]));
}

#[test]
fn the_salt_comes_from_the_given_randomness() {
    let mut rng = StdRng::seed_from_u64(1);
    let first = PasswordHash::create(PASSWORD, &mut rng).unwrap();
    let second = PasswordHash::create(PASSWORD, &mut rng).unwrap();
    assert_eq!(first, create(PASSWORD));
    assert_ne!(first, second);
}

#[test]
fn a_created_hash_is_stored_as_an_argon2_hash_that_can_be_imported() {
    let stored = serde_json::to_value(create(PASSWORD)).unwrap();
    assert_eq!(stored["type"], "argon2");
    let text = stored["hash"].as_str().unwrap();
    assert!(text.starts_with("$argon2id$v=19$m=4096,t=1,p=1$"), "{text}");
    accepts(PasswordHashType::Argon2, text, PASSWORD);
}

#[test]
fn nobody_has_the_decoy() {
    let decoy = PasswordHash::decoy();
    assert!(PasswordHash::import(&decoy.0.hash, PasswordHashType::Argon2, None).is_ok());
    for password in ["", "password", PASSWORD] {
        assert!(!decoy.verify(password));
    }
}

#[test]
fn debug_shows_the_kind_alone() {
    assert_eq!(
        format!("{:?}", create(PASSWORD)),
        "PasswordHash { type: Argon2, .. }"
    );
}

#[test]
fn the_types_are_named_as_in_the_api() {
    for (name, kind) in [
        ("bcrypt", PasswordHashType::Bcrypt),
        ("firebase-scrypt", PasswordHashType::FirebaseScrypt),
        ("ssha", PasswordHashType::Ssha),
        ("ssha256", PasswordHashType::Ssha256),
        ("scrypt", PasswordHashType::Scrypt),
        ("pbkdf2", PasswordHashType::Pbkdf2),
        ("argon2", PasswordHashType::Argon2),
    ] {
        assert_eq!(serde_json::to_value(kind).unwrap(), name);
    }
    assert_eq!(
        serde_json::to_value([SaltPosition::Prefix, SaltPosition::Suffix])
            .unwrap()
            .to_string(),
        r#"["prefix","suffix"]"#
    );
}

const KINDS: [PasswordHashType; 7] = [
    PasswordHashType::Argon2,
    PasswordHashType::Bcrypt,
    PasswordHashType::FirebaseScrypt,
    PasswordHashType::Pbkdf2,
    PasswordHashType::Scrypt,
    PasswordHashType::Ssha,
    PasswordHashType::Ssha256,
];

#[test]
fn no_kind_takes_an_empty_or_endless_hash_or_a_foreign_salt_position() {
    for kind in KINDS {
        refuses(kind, "", "");
        refuses(kind, "$$$$$", "");
        refuses(kind, &"$".repeat(100_000), "too long");
        if kind != PasswordHashType::Ssha256 {
            let error = PasswordHash::import("x", kind, Some(SaltPosition::Prefix)).unwrap_err();
            assert_eq!(
                error.to_string(),
                "a salt position is only supported with ssha256"
            );
        }
    }
}

proptest::proptest! {
    #[test]
    fn importing_never_panics(text in "[$={},.a-z0-9é+/]{0,80}|\\$[a-z0-9-]{1,16}\\$([a-z]{1,2}=[0-9]{1,11}[,$]){0,6}[A-Za-z0-9/+]{0,44}") {
        for kind in KINDS {
            let _ = PasswordHash::import(&text, kind, None);
        }
    }
}
