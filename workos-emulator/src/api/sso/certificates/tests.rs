use jiff::Timestamp;

use super::{expiry::next_notice_of, x509};

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

#[test]
fn the_end_of_a_certificate_is_told_of_ever_closer_and_weekly_after_it() {
    let not_after = at("2026-04-01T00:00:00Z");
    let mut now = at("2026-01-01T00:00:00Z");
    let mut told = Vec::new();
    for _ in 0..9 {
        now = next_notice_of(not_after, now);
        told.push(not_after.duration_since(now).as_hours() / 24);
    }
    assert_eq!(told, [60, 30, 14, 7, 3, 1, 0, -7, -14]);
}

#[test]
fn a_certificate_that_is_long_over_is_told_of_within_a_week() {
    let next = next_notice_of(at("2026-01-01T00:00:00Z"), at("2026-03-03T12:00:00Z"));
    assert_eq!(next, at("2026-03-05T00:00:00Z"));
}

#[test]
fn a_new_certificate_is_read_as_it_was_made_and_knows_its_key() {
    let (made, key) = x509::generate(at("2026-01-15T12:00:00Z")).unwrap();
    let read = x509::read(&made.pem).unwrap();
    assert_eq!(read, made);
    assert!(read.not_before <= at("2026-01-15T12:00:00Z"));
    assert!(read.not_after > at("2026-01-15T12:00:00Z"));
    x509::check_key(&read, key.expose()).unwrap();

    let (_, other) = x509::generate(at("2026-01-15T12:00:00Z")).unwrap();
    let refused = x509::check_key(&read, other.expose()).unwrap_err();
    assert!(matches!(refused, x509::Problem::OtherKey), "{refused}");
}

#[test]
fn what_is_no_certificate_is_refused_with_its_reason() {
    let refused = |text: &str| x509::read(text).unwrap_err().to_string();
    assert_eq!(
        refused("no PEM"),
        "it is no PEM, from `-----BEGIN CERTIFICATE-----` to `-----END CERTIFICATE-----`"
    );
    assert_eq!(
        refused("-----BEGIN PUBLIC KEY-----\nMAA=\n-----END PUBLIC KEY-----\n"),
        "the PEM block is a `PUBLIC KEY`, not a CERTIFICATE"
    );
    assert_eq!(
        refused("-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n"),
        "the PEM block holds no X.509 certificate"
    );
}

#[test]
fn pasted_certificates_are_read_with_their_armour_or_without() {
    let now = at("2026-01-15T12:00:00Z");
    let pems = [
        x509::generate(now).unwrap().0.pem,
        x509::generate(now).unwrap().0.pem,
    ];
    let both = format!("Bag Attributes\n{}subject=CN\n{}", pems[0], pems[1]);
    let read = |text: &str| -> Vec<_> {
        let found = x509::each(text);
        found
            .iter()
            .map(|pem| x509::read(pem).map(|x509| x509.fingerprint))
            .collect()
    };
    let fingerprint = |pem: &str| x509::read(pem).unwrap().fingerprint;
    let fingerprints: Vec<_> = read(&both).into_iter().map(Result::unwrap).collect();
    assert_eq!(fingerprints, [fingerprint(&pems[0]), fingerprint(&pems[1])]);

    let bare: String = pems[0].lines().filter(|line| !line.contains("-----")).collect();
    assert_eq!(read(&bare).remove(0).unwrap(), fingerprint(&pems[0]));
    assert_eq!(
        read(&format!("  {bare}\n")).remove(0).unwrap(),
        fingerprint(&pems[0])
    );

    for none in [
        "nothing",
        "-----BEGIN PUBLIC KEY-----\nMAA=\n-----END PUBLIC KEY-----",
        "é",
    ] {
        let found = read(none);
        assert!(found.len() == 1 && found[0].is_err(), "{none}");
    }
}

#[test]
fn a_certificate_says_whose_it_is_and_has_one_fingerprint() {
    let (made, _) = x509::generate(at("2026-01-15T12:00:00Z")).unwrap();
    assert!(made.subject.starts_with("CN="), "{}", made.subject);
    assert_eq!(made.fingerprint.len(), 32 * 3 - 1);
    let (other, _) = x509::generate(at("2026-01-15T12:00:00Z")).unwrap();
    assert_ne!(made.fingerprint, other.fingerprint);
}
