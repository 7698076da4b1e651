//! Requests, and the metadata of both sides.

use super::*;

#[test]
fn requests_are_read_as_they_were_made() {
    let new = NewRequest {
        id: "_sso_session_01.abc",
        issue_instant: NewRequest::instant(now()),
        sso_url: "https://idp.example/sso?tenant=a",
        acs_url: ACS,
        issuer: "https://auth.example/k?a&b",
        force_authn: true,
    };
    let made = certificates::generate(now()).unwrap();
    let url: url::Url = new
        .redirect_url("state &=", Some(&made.key))
        .unwrap()
        .parse()
        .unwrap();
    let get = |name: &str| {
        url.query_pairs()
            .find(|(key, _)| key == name)
            .unwrap()
            .1
            .into_owned()
    };
    assert_eq!(
        (get("tenant").as_str(), get("RelayState").as_str()),
        ("a", "state &=")
    );
    let parameters = Parameters {
        request: get("SAMLRequest"),
        relay_state: get("RelayState"),
    };
    assert!(parameters.is_signed_by(&made.certificate, &get("SigAlg"), &get("Signature")));
    assert!(!parameters.is_signed_by(&TEST_IDP.1.certificate, &get("SigAlg"), &get("Signature")));
    let other = Parameters {
        relay_state: "other".to_owned(),
        ..parameters.clone()
    };
    assert!(!other.is_signed_by(&made.certificate, &get("SigAlg"), &get("Signature")));
    let request = request::read(&parameters.request).unwrap();
    assert_eq!(
        (request.id.as_str(), request.issuer.as_str()),
        (new.id, new.issuer)
    );
    assert_eq!(
        (request.acs_url.as_deref(), request.force_authn),
        (Some(ACS), true)
    );
    assert_eq!(request::session_id_in(&request.id), Some("sso_session_01"));
    let bomb = {
        use std::io::Write;
        let mut encoder = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::best());
        encoder.write_all(&vec![b' '; 1 << 24]).unwrap();
        STANDARD.encode(encoder.finish().unwrap())
    };
    assert_eq!(request::read(&bomb), Err(RequestError::Inflate));
    assert_eq!(request::read("*"), Err(RequestError::Base64));
    assert_eq!(request::read("AAAA"), Err(RequestError::Inflate));
    assert_eq!(
        request::read(&STANDARD.encode("<a/>")),
        Err(RequestError::NoAuthnRequest)
    );
}

#[test]
fn reads_the_metadata_that_identity_providers_publish() {
    let own = metadata::of_test_idp(IDP, &TEST_IDP.1.certificate, false).unwrap();
    let read = parse_idp_metadata(&own).unwrap();
    assert_eq!((read.entity_id.as_str(), read.sso_url.as_str()), (IDP, IDP));
    assert_eq!(read.certificates, std::slice::from_ref(&TEST_IDP.1.certificate));
    let federation = format!(
        "\u{feff}<?xml version='1.0'?><!-- of ours --><f:EntitiesDescriptor xmlns:f='urn:oasis:names:tc:SAML:2.0:metadata'>{}</f:EntitiesDescriptor>",
        between(&own, "<md:EntityDescriptor", "</md:EntityDescriptor>")
    );
    assert_eq!(parse_idp_metadata(&federation).unwrap(), read);
    let provider = ServiceProvider {
        entity_id: SP.to_owned(),
        acs_url: ACS.to_owned(),
    };
    let sp = metadata::of_service_provider(&provider, std::iter::empty(), std::iter::empty()).unwrap();
    assert!(sp.contains(r#"AuthnRequestsSigned="false""#) && sp.contains(ACS));
    for (xml, error) in [
        (sp, MetadataError::NoIdentityProvider),
        (own.replace("HTTP-Redirect", "SOAP"), MetadataError::NoSsoUrl),
        (
            own.replace(&format!("Location=\"{IDP}\""), "Location=\"javascript:alert(1)\""),
            MetadataError::NoSsoUrl,
        ),
        (own.replace("entityID=", "ID="), MetadataError::NoEntityId),
        (
            own.replace("use=\"signing\"", "use=\"encryption\""),
            MetadataError::NoCertificate,
        ),
        (
            own.replace("<ds:X509Certificate>MII", "<ds:X509Certificate>*"),
            MetadataError::Certificate("it is no base64".to_owned()),
        ),
        (
            federation.replace(
                "</md:EntityDescriptor>",
                &format!(
                    "</md:EntityDescriptor>{}",
                    between(&own, "<md:EntityDescriptor", "</md:EntityDescriptor>")
                ),
            ),
            MetadataError::Several,
        ),
        (" ".repeat(metadata::LONGEST + 1), MetadataError::TooLong),
    ] {
        assert_eq!(parse_idp_metadata(&xml), Err(error));
    }
    assert!(matches!(parse_idp_metadata("{}"), Err(MetadataError::NoXml(_))));
    assert!(matches!(
        parse_idp_metadata("<!DOCTYPE a><a/>"),
        Err(MetadataError::NoXml(_))
    ));
}
