//! Signatures in XML, of the one form that SAML has: the signature stands in the element that it signs (SAML core, section
//! 5.4).
//!
//! [`bergshamra`] canonicalizes, digests and verifies. It knows far more than SAML allows: other transforms, references into
//! other documents, keys that the message brings along. So what is to be verified is looked at first, and only a signature
//! that says exactly "this very element, without me, in exclusive canonical form" is. Whoever reads on then reads the element
//! that was verified, and nothing else: that is what keeps signatures from being wrapped into other messages.

use bergshamra::{
    DsigContext, Key, KeysManager, VerifyResult,
    dsig::{sign::sign_document_node, verify::verify_all_document_with_source},
    keys::loader,
};

use super::{Document, Element, XmlError};

const DS: &str = "http://www.w3.org/2000/09/xmldsig#";
const EXCLUSIVE: &str = "http://www.w3.org/2001/10/xml-exc-c14n#";
const ENVELOPED: &str = "http://www.w3.org/2000/09/xmldsig#enveloped-signature";

/// How many signatures a message may have: that of the response, and that of the assertion.
const MOST: usize = 2;

const METHODS: [&str; 6] = [
    "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256",
    "http://www.w3.org/2001/04/xmldsig-more#rsa-sha384",
    "http://www.w3.org/2001/04/xmldsig-more#rsa-sha512",
    "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256",
    "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha384",
    "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha512",
];
const DIGESTS: [&str; 3] = [
    "http://www.w3.org/2001/04/xmlenc#sha256",
    "http://www.w3.org/2001/04/xmldsig-more#sha384",
    "http://www.w3.org/2001/04/xmlenc#sha512",
];

/// Why a signature is no good.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum SignatureError {
    #[error("the signature has another form than SAML allows: {0}")]
    Form(String),
    #[error(
        "the signature uses SHA-1 ({0}), which can be forged; let the identity provider sign with SHA-256"
    )]
    Sha1(String),
    #[error("the signature uses {0}, which is not allowed; let the identity provider sign with RSA-SHA256")]
    Algorithm(String),
    #[error("the signature is for another element than the one that it stands in")]
    OtherElement,
    #[error("the ID '{0}' stands at two elements")]
    SameId(String),
    #[error("the {0} was changed after it was signed")]
    Changed(String),
    #[error("the {0} is signed, but not by a key of the connection's certificates")]
    OtherKey(String),
    #[error("the signature cannot be verified: {0}")]
    Unverifiable(String),
}

/// A key that a signature may be made with.
#[derive(Debug, Clone)]
pub(crate) struct VerificationKey(Key);

impl VerificationKey {
    /// The key of an X.509 certificate.
    pub(crate) fn of_certificate(der: &[u8]) -> Result<Self, XmlError> {
        let key = loader::load_x509_cert_der(der).map_err(|error| XmlError(error.to_string()))?;
        Ok(Self(key))
    }
}

fn form(what: impl Into<String>) -> SignatureError {
    SignatureError::Form(what.into())
}

/// Whether the element holds a signature.
pub(crate) fn is_signed(element: &Element<'_>) -> bool {
    element.first(DS, "Signature").is_some()
}

/// Looks at all signatures of a document: each is one of the elements that are given.
pub(crate) fn check_places(document: &Document<'_>, signed: &[Element<'_>]) -> Result<(), SignatureError> {
    let signatures: Vec<_> = document
        .elements()
        .filter(|element| element.is(DS, "Signature"))
        .collect();
    if signatures.len() > MOST {
        return Err(form(format!("there are {} of them", signatures.len())));
    }
    let is_in_place = |signature: &Element<'_>| {
        let parent = signature.parent();
        parent.is_some_and(|parent| signed.contains(&parent) && parent.all(DS, "Signature").count() == 1)
    };
    match signatures.iter().find(|signature| !is_in_place(signature)) {
        Some(signature) => Err(form(format!(
            "there is one in {}",
            signature.parent().map_or("no element", |parent| parent.name())
        ))),
        None => Ok(()),
    }
}

/// Verifies the signature in `element`, which is about that element as a whole, with one of the keys.
pub(crate) fn verify(
    document: &Document<'_>,
    element: &Element<'_>,
    keys: &[VerificationKey],
) -> Result<(), SignatureError> {
    let mut signatures = element.all(DS, "Signature");
    let (Some(signature), None) = (signatures.next(), signatures.next()) else {
        return Err(form("there is not one of it"));
    };
    check_form(&signature, element)?;
    let mut manager = KeysManager::new();
    manager.add_keys(keys.iter().map(|key| key.0.clone()));
    // Its defaults: trusted keys alone, references to what holds the signature, all digests computed here.
    let context = DsigContext::new(manager);
    let results = verify_all_document_with_source(&context, &document.tree, Some(document.source)).map_err(
        |error| match error.to_string().rsplit_once("duplicate ID: ") {
            Some((_, id)) => SignatureError::SameId(id.to_owned()),
            None => SignatureError::Unverifiable(error.to_string()),
        },
    )?;
    // In document order, as the signatures.
    let all = document.elements().filter(|element| element.is(DS, "Signature"));
    let place = all.into_iter().position(|other| other == signature);
    match place.and_then(|place| results.into_iter().nth(place)) {
        Some(VerifyResult::Valid {
            signature_node,
            references,
            ..
        }) if signature_node == signature.id => match &references[..] {
            [reference] if reference.digest_verified && reference.resolved_node == Some(element.id) => Ok(()),
            _ => Err(SignatureError::OtherElement),
        },
        Some(VerifyResult::Invalid { reason }) => Err(invalid(element.name(), &reason)),
        Some(VerifyResult::Valid { .. }) | None => {
            Err(SignatureError::Unverifiable("it was not looked at".to_owned()))
        }
    }
}

fn invalid(name: &str, reason: &str) -> SignatureError {
    if reason.starts_with("Reference digest failed") {
        SignatureError::Changed(name.to_owned())
    } else if reason.starts_with("signature value verification failed") || reason.contains("no trusted key") {
        SignatureError::OtherKey(name.to_owned())
    } else {
        SignatureError::Unverifiable(reason.to_owned())
    }
}

/// Demands that the signature says just this: `element`, without the signature, in exclusive canonical form.
fn check_form(signature: &Element<'_>, element: &Element<'_>) -> Result<(), SignatureError> {
    let parts: Vec<_> = signature.elements().collect();
    let signed_info = match &parts[..] {
        [signed_info, value] if value.is(DS, "SignatureValue") => signed_info,
        [signed_info, value, key_info] if value.is(DS, "SignatureValue") && key_info.is(DS, "KeyInfo") => {
            signed_info
        }
        _ => return Err(form("it is not SignedInfo, SignatureValue and KeyInfo")),
    };
    let parts: Vec<_> = signed_info.elements().collect();
    let [canonicalization, method, reference] = &parts[..] else {
        return Err(form("SignedInfo is not two methods and one reference"));
    };
    expect(signed_info, "SignedInfo", &["Id"])?;
    expect(canonicalization, "CanonicalizationMethod", &["Algorithm"])?;
    check_exclusive(canonicalization)?;
    expect(method, "SignatureMethod", &["Algorithm"])?;
    check_algorithm(method, &METHODS)?;
    expect(reference, "Reference", &["URI", "Id", "Type"])?;
    let id = element.attribute("ID").filter(|id| !id.is_empty());
    let fits = |id: &str| reference.attribute("URI") == Some(&format!("#{id}"));
    if !id.is_some_and(fits) {
        return Err(SignatureError::OtherElement);
    }
    let parts: Vec<_> = reference.elements().collect();
    let [transforms, digest, value] = &parts[..] else {
        return Err(form("the reference is not transforms, a method and a digest"));
    };
    expect(transforms, "Transforms", &[])?;
    expect(digest, "DigestMethod", &["Algorithm"])?;
    check_algorithm(digest, &DIGESTS)?;
    expect(value, "DigestValue", &[])?;
    if value.elements().next().is_some() {
        return Err(form("the digest is no text"));
    }
    let parts: Vec<_> = transforms.elements().collect();
    let [enveloped, exclusive] = &parts[..] else {
        return Err(form(
            "the transforms are not enveloped-signature and exclusive canonicalization",
        ));
    };
    expect(enveloped, "Transform", &["Algorithm"])?;
    expect(exclusive, "Transform", &["Algorithm"])?;
    if enveloped.attribute("Algorithm") != Some(ENVELOPED) || enveloped.elements().next().is_some() {
        return Err(form("the first transform is not enveloped-signature"));
    }
    check_exclusive(exclusive)
}

/// An element of this name, and no attributes but these.
fn expect(element: &Element<'_>, name: &str, attributes: &[&str]) -> Result<(), SignatureError> {
    if !element.is(DS, name) {
        return Err(form(format!("{} stands in the place of {name}", element.name())));
    }
    let is_known = |attribute: Option<&str>| attribute.is_some_and(|name| attributes.contains(&name));
    if element.attributes().all(is_known) {
        Ok(())
    } else {
        Err(form(format!("{name} has a strange attribute")))
    }
}

/// Exclusive canonicalization without comments, with prefixes to keep at most.
fn check_exclusive(method: &Element<'_>) -> Result<(), SignatureError> {
    let algorithm = method.attribute("Algorithm").unwrap_or_default();
    if algorithm != EXCLUSIVE {
        return Err(SignatureError::Algorithm(algorithm.to_owned()));
    }
    let only_prefixes = |element: Element<'_>| {
        let is_it = element.is(EXCLUSIVE, "InclusiveNamespaces");
        is_it && element.attributes().all(|name| name == Some("PrefixList"))
    };
    if method.elements().count() <= 1 && method.elements().all(only_prefixes) {
        Ok(())
    } else {
        Err(form("canonicalization has strange parameters"))
    }
}

fn check_algorithm(method: &Element<'_>, allowed: &[&str]) -> Result<(), SignatureError> {
    let algorithm = method.attribute("Algorithm").unwrap_or_default();
    if allowed.contains(&algorithm) && method.elements().next().is_none() {
        return Ok(());
    }
    let algorithm = algorithm.to_owned();
    if algorithm.ends_with("sha1") {
        return Err(SignatureError::Sha1(algorithm));
    }
    Err(SignatureError::Algorithm(algorithm))
}

/// Fills the empty signatures of a message, the inner ones first. `key` is an RSA key, as PKCS#8 PEM.
pub(crate) fn sign(xml: &str, key: &str) -> Result<String, XmlError> {
    let failed = |error: bergshamra::Error| XmlError(error.to_string());
    let mut manager = KeysManager::new();
    manager.add_key(loader::load_rsa_private_pem(key.as_bytes()).map_err(failed)?);
    let context = DsigContext::new(manager);
    let mut document = Document::parse(xml)?;
    let signatures: Vec<_> = document
        .elements()
        .filter(|element| element.is(DS, "Signature"))
        .map(|signature| signature.id)
        .collect();
    for signature in signatures.into_iter().rev() {
        sign_document_node(&context, &mut document.tree, signature).map_err(failed)?;
    }
    Ok(document.tree.to_xml())
}
