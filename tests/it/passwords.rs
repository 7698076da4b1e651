//! Passwords of users: the policy, and hashes imported from elsewhere.

use workos::user_management::{
    AuthenticateWithPasswordParams, CreateUserParamsBody, ListUsersParams, Password,
};
use workos_emulator::Emulator;

use crate::{
    sdk::{self, refusal, refused},
    users::{PASSWORD, body, create, with_password},
};

#[actix_web::test]
async fn a_weak_one_is_refused_and_creates_nobody() {
    let emulator = Emulator::start().await.unwrap();
    let sdk = sdk::client(&emulator);
    let weak = refused(create(&sdk, with_password("eve@example.com", "password")).await);
    assert_eq!(
        (weak.status, weak.code.as_deref()),
        (400, Some("password_strength_error"))
    );
    let body = body(&weak);
    let problems = body["errors"].as_array().unwrap();
    let codes: Vec<_> = problems.iter().map(|problem| &problem["code"]).collect();
    assert_eq!(
        codes,
        ["password_too_short", "password_too_weak", "password_pwned"]
    );
    assert_eq!(problems[0]["minimum_length"], 10);
    assert!(problems[1]["suggestions"].is_array());
    let nobody = ListUsersParams {
        email: Some("eve@example.com".to_owned()),
        ..Default::default()
    };
    let nobody = sdk.user_management().list_users(nobody).await.unwrap();
    assert_eq!(nobody.data.len(), 0, "nothing was half done");
}

/// Kind, salt position, hash. Each is of [`PASSWORD`] and was made by another program, but for the one of Firebase.
const HASHES: [(&str, Option<&str>, &str); 8] = [
    (
        "argon2",
        None,
        "$argon2id$v=19$m=4096,t=1,p=1$MDEyMzQ1Njc4OWFiY2RlZg$mDBI7I83kOTBcQZVXUAHCRm9ZyNmqrIccUZP456pguY",
    ),
    (
        "bcrypt",
        None,
        "$2b$04$N9qo8uLOickgx2ZMRZoMyeNK8zsWBMaMSVoubqovVQN3ypdVzHwOW",
    ),
    (
        "pbkdf2",
        None,
        "$pbkdf2$i=600000,d=sha256$MDEyMzQ1Njc4OWFiY2RlZg$bEpkaq0Q0Get1ft52QeKFtqD1Q+BZwqOdZOySebZSTY",
    ),
    (
        "scrypt",
        None,
        "$scrypt$v=1$n=1024,r=8,p=2,kl=32$MDEyMzQ1Njc4OWFiY2RlZg$KhW5KLACpfR1HRqSPdg8ODHC9nzhpv0EHEqfwm5GJX4",
    ),
    ("ssha", None, "{SSHA}axjXroWdrjIVf38p0IUbdYaQZtQBAgMEBQYHCA=="),
    (
        "ssha256",
        Some("suffix"),
        "{SSHA256}4RCdQtRBvAvQSR9Gtkm3fc5bhSO2sZxjW2Uv2CPwYi0BAgMEBQYHCA==",
    ),
    (
        "ssha256",
        Some("prefix"),
        "{SSHA256}0aCcz5DTt3gHLOFokCenNv4novCJxcR9wr8v1hFyu3IBAgMEBQYHCA==",
    ),
    (
        "firebase-scrypt",
        None,
        "$firebase-scrypt$v=1$r=8,m=14,ss=Bw,sk=jxspr8Ki0RYycVU8zykbdLGjFQ3McFUH0uiiTvC8pVMXAn210wjLNmdZJzxUECKbm0QsEmYUSDzZvpjeJ9WmXA$42xEC+ixf3L2lw$lSrfV15cpx95/sZS2W9c9Kp6i/LVgQNDNC/qzrCnh1SAyZvqmZqAjTdn3aoItz+VHjoZilo78198JAdRuid5lQ",
    ),
];

#[actix_web::test]
async fn imported_hashes_of_every_kind_sign_in() {
    let emulator = Emulator::start().await.unwrap();
    let sdk = sdk::client(&emulator);
    for (number, (kind, salt_position, hash)) in HASHES.into_iter().enumerate() {
        let email = format!("{number}@example.com");
        let user = CreateUserParamsBody {
            email_verified: Some(true),
            password: Some(Password::Hashed {
                password_hash: hash.to_owned(),
                password_hash_type: kind.into(),
                password_salt_position: salt_position.map(Into::into),
            }),
            ..CreateUserParamsBody::new(&email)
        };
        create(&sdk, user)
            .await
            .unwrap_or_else(|error| panic!("{kind}: {error}"));
        let password = match kind {
            "firebase-scrypt" => "user1password",
            _ => PASSWORD,
        };
        let sign_in = async |password: &str| {
            let params = AuthenticateWithPasswordParams::new(&email, password);
            sdk.user_management().authenticate_with_password(params).await
        };
        let signed_in = sign_in(password)
            .await
            .unwrap_or_else(|error| panic!("{kind}: {error}"));
        assert_eq!(signed_in.user.email, email);
        let wrong = sign_in(&format!("{password}!")).await;
        assert_eq!(refusal(wrong), (400, "invalid_credentials".to_owned()), "{kind}");
    }
    let mut wrong = CreateUserParamsBody::new("x@example.com");
    wrong.password = Some(Password::Hashed {
        password_hash: "$2b$04$short".to_owned(),
        password_hash_type: "bcrypt".into(),
        password_salt_position: None,
    });
    let error = refused(create(&sdk, wrong).await);
    assert_eq!(
        (error.status, error.code.as_deref()),
        (400, Some("invalid_password_hash"))
    );
    assert!(!error.message.contains("$2b$04$short"));
}
