use super::*;
use crate::random::SystemRandomness;

const PASSWORD: &str = "0123456789abcdef0123456789abcdef";
const NOW: i64 = 1_800_000_000;

/// Of `iron-session` 8.0.4, in `tests/node`:
///
/// ```sh
/// node -e "import('iron-session').then(async ({ sealData }) => console.log(await sealData(
///   { accessToken: 'a.b.c', refreshToken: 'refresh_1', user: { id: 'user_1', email: 'zoë@acme.example' } },
///   { password: '0123456789abcdef0123456789abcdef', ttl: 0 })))"
/// ```
const SESSION: &str = "Fe26.2*1*e141cb9f2f0aee6cab035286aa8c845de18ae4402175bdd618e568ba88b70aa8*F8l04bRg4FxfcBvVBiepAQ*1IBKtOr6u9nHs3r1KwoydQyjVvMipNnIYNYb5mpR8BsspNvL35qZqEfDZrcGN7VhxrpxHjJf8faIqWCNWdf7qFizVSobnoGOaWLqTJzDn0LhINrNev2-xSsAn7aC3h3KgMwDrYCKW4-befMb91cMNQ**f203fa17b18af14b314f0ca0c8d581fa581c4987bbd9a26c1725bf1b6da6269a*najsPZQjbM2CGa4iEJ9_Ev7bnfT0b9NhhUf-oVAtNzs~2";
/// The same of `{ a: 1 }` with `ttl: 3600`, at `Date.now()` 1800000000000.
const EXPIRING: &str = "Fe26.2*1*759cf5b3c7eaa4ccb85246d74d3c8c8f7f951b7dd51a5967b550bcabc5049f8e*wzR-8ZH0YgWBsJM9q7Z73Q*zeHRqLUFtmz-SQ0y182ESA*1800003600000*0feba09e8fef0b97c22eeb6c2b931af128a8cc81836b4606aebf36165faa0778*NTSDUpyymy3rwrXnRruVospMK8zo0X4Zluy308Z7WSI~2";

fn sealer(passwords: &[&str]) -> IronSealer {
    let passwords = passwords.iter().map(|password| SecretString::new(*password));
    IronSealer::new(passwords.collect(), Arc::new(SystemRandomness))
}

/// With a right MAC, whatever it says before it.
fn signed(text: &str) -> String {
    let salt = "0".repeat(SALT_DIGITS);
    let mac = hmac::sign(&mac_key(&SecretString::new(PASSWORD), &salt), text.as_bytes());
    format!("{text}*{salt}*{}~2", URL_SAFE_NO_PAD.encode(mac))
}

fn unseal(sealed: &str) -> Option<String> {
    sealer(&[PASSWORD]).unseal(sealed, NOW)
}

#[test]
fn what_the_npm_package_sealed_is_opened() {
    assert_eq!(
        unseal(SESSION).as_deref(),
        Some(
            r#"{"accessToken":"a.b.c","refreshToken":"refresh_1","user":{"id":"user_1","email":"zoë@acme.example"}}"#
        )
    );
    assert_eq!(unseal(EXPIRING).as_deref(), Some(r#"{"a":1}"#));
    assert!(
        unseal(SESSION.strip_suffix("~2").unwrap()).is_some(),
        "as iron-webcrypto alone writes it"
    );
}

#[test]
fn what_is_sealed_here_is_opened_here_and_never_twice_the_same() {
    let sealer = sealer(&[PASSWORD]);
    for content in ["", "a", "{\"é\":\"\u{1f600}\"}", &"x".repeat(20_000)] {
        let sealed = sealer.seal(content).unwrap();
        assert_eq!(sealer.unseal(&sealed, NOW).as_deref(), Some(content));
        assert_ne!(sealed, sealer.seal(content).unwrap());
    }
}

#[test]
fn the_form_is_that_of_the_npm_package() {
    let lengths = |sealed: &str| sealed.split('*').map(str::len).collect::<Vec<_>>();
    let content = unseal(SESSION).unwrap();
    let ours = sealer(&[PASSWORD]).seal(&content).unwrap();
    assert_eq!(lengths(&ours), lengths(SESSION));
    assert!(ours.starts_with("Fe26.2*1*") && ours.ends_with("~2"));
}

#[test]
fn former_passwords_open_and_the_first_seals() {
    let new = "another password of 32 characters";
    let rotated = sealer(&[new, PASSWORD]);
    assert!(rotated.unseal(SESSION, NOW).is_some());
    assert!(sealer(&[new]).unseal(SESSION, NOW).is_none());
    let sealed = rotated.seal("{}").unwrap();
    assert!(sealer(&[new]).unseal(&sealed, NOW).is_some());
    assert!(unseal(&sealed).is_none());
    assert!(sealer(&[]).seal("{}").is_none() && sealer(&[]).unseal(SESSION, NOW).is_none());
}

#[test]
fn an_expiry_counts_with_a_minute_of_grace() {
    let sealer = sealer(&[PASSWORD]);
    let expiry = NOW + 3600;
    assert!(sealer.unseal(EXPIRING, expiry + 59).is_some());
    assert!(sealer.unseal(EXPIRING, expiry + 60).is_none());
    assert!(sealer.unseal(EXPIRING, i64::MAX).is_none());
    assert!(sealer.unseal(EXPIRING, i64::MIN).is_some());
}

#[test]
fn nothing_may_be_changed_cut_or_added() {
    for sealed in [SESSION, EXPIRING] {
        let body = sealed.strip_suffix("~2").unwrap();
        for cut in 0..sealed.len() {
            // Without its version it is still whole.
            assert_eq!(unseal(&sealed[..cut]).is_some(), cut == body.len(), "{cut}");
            assert!(unseal(&sealed[cut + 1..]).is_none(), "{cut}");
        }
        for position in 0..body.len() {
            for replacement in ["A", "B", "0", "*", "~", "é", ""] {
                let mut changed = sealed.to_owned();
                changed.replace_range(position..=position, replacement);
                assert!(
                    changed == sealed || unseal(&changed).is_none(),
                    "{position} {replacement}"
                );
            }
        }
        for added in ["*", "A", "=", "~2", "~", " "] {
            assert!(unseal(&format!("{sealed}{added}")).is_none(), "{added}");
            assert!(unseal(&format!("{added}{sealed}")).is_none(), "{added}");
        }
        for version in ["1", "3", "02", "2 ", ""] {
            assert!(unseal(&format!("{body}~{version}")).is_none(), "{version}");
        }
    }
}

#[test]
fn parts_of_two_seals_make_no_third() {
    let sealer = sealer(&[PASSWORD]);
    let other = sealer.seal("{}").unwrap();
    let (one, other): (Vec<_>, Vec<_>) = (SESSION.split('*').collect(), other.split('*').collect());
    for choice in 1_u32..255 {
        let parts = (0..8).map(|part| {
            if choice & (1 << part) == 0 {
                one[part]
            } else {
                other[part]
            }
        });
        let spliced = parts.collect::<Vec<_>>().join("*");
        // Prefix, id and expiry are the same in both.
        let differing = choice & 0b1101_1100;
        let is_whole = differing == 0 || differing == 0b1101_1100;
        assert_eq!(sealer.unseal(&spliced, NOW).is_some(), is_whole, "{choice:08b}");
    }
}

#[test]
fn what_somebody_with_the_password_writes_wrongly_is_refused() {
    let salt = "0".repeat(SALT_DIGITS);
    let iv = URL_SAFE_NO_PAD.encode([0; IV_BYTES]);
    let good = sealer(&[PASSWORD]).seal("{}").unwrap();
    let good: Vec<_> = good.split('*').collect();
    let rebuilt = signed(&good[..6].join("*"));
    assert_eq!(unseal(&rebuilt).as_deref(), Some("{}"));
    for text in [
        // Prefix and password.
        good[..6].join("*").replace("Fe26.2", "Fe26.1"),
        good[..6].join("*").replace("*1*", "*2*"),
        good[..6].join("*").replace("*1*", "**"),
        // Too few and too many parts.
        String::new(),
        "Fe26.2".to_owned(),
        good[..5].join("*"),
        format!("{}*", good[..6].join("*")),
        // IV and ciphertext.
        format!("Fe26.2*1*{salt}**{}*", good[4]),
        format!("Fe26.2*1*{salt}*{iv}AA*{}*", good[4]),
        format!("Fe26.2*1*{salt}*{iv}**"),
        format!("Fe26.2*1*{salt}*{iv}*AAAA*"),
        format!("Fe26.2*1*{salt}*{iv}*%%%*"),
        // Random bytes in place of the padding.
        format!("Fe26.2*1*{salt}*{iv}*{}*", URL_SAFE_NO_PAD.encode([7; 64])),
        // No times.
        format!("{}0", good[..6].join("*")),
        format!("{}01800000000000", good[..6].join("*")),
        format!("{}-1", good[..6].join("*")),
        format!("{}+1800000000000", good[..6].join("*")),
        format!("{}1e30", good[..6].join("*")),
        format!("{}99999999999999999999", good[..6].join("*")),
        format!("{}1", good[..6].join("*")),
    ] {
        assert_eq!(unseal(&signed(&text)), None, "{text}");
    }
    // Not text.
    let sealer = sealer(&[PASSWORD]);
    let mut bytes = vec![0xff_u8; 5];
    let key = UnboundCipherKey::new(&AES_256, &derive(&SecretString::new(PASSWORD), &salt)).unwrap();
    let context = EncryptionContext::Iv128(FixedLength::from(&[0; IV_BYTES]));
    let key = PaddedBlockEncryptingKey::cbc_pkcs7(key).unwrap();
    key.less_safe_encrypt(&mut bytes, context).unwrap();
    let text = format!("Fe26.2*1*{salt}*{iv}*{}*", URL_SAFE_NO_PAD.encode(bytes));
    assert_eq!(sealer.unseal(&signed(&text), NOW), None);
}

#[test]
fn nonsense_of_any_size_is_refused() {
    for sealed in [
        "".to_owned(),
        "~2".to_owned(),
        "*".repeat(7),
        "*".repeat(MAX_BYTES),
        "*".repeat(1_000_000),
        format!("Fe26.2*1*{}", "a".repeat(10_000_000)),
        "é".repeat(100),
        "\0".repeat(100),
        format!("{}{SESSION}", "a".repeat(MAX_BYTES)),
    ] {
        assert_eq!(unseal(&sealed), None, "{} bytes", sealed.len());
    }
}

#[test]
fn debug_shows_no_password() {
    assert_eq!(format!("{:?}", sealer(&[PASSWORD])), "IronSealer(<redacted>)");
}
