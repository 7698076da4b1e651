//! The attestation object: a CBOR map that has the authenticator data of a new credential. Source: section 6.5.4.

use minicbor::Decoder;

use super::{Base64Url, Refusal};

/// The authenticator data within. The format and the statement are skipped.
pub(super) fn authenticator_data(object: &Base64Url) -> Result<&[u8], Refusal> {
    read(&object.0).ok().flatten().ok_or(Refusal::Malformed)
}

fn read(object: &[u8]) -> Result<Option<&[u8]>, minicbor::decode::Error> {
    let mut decoder = Decoder::new(object);
    let mut data = None;
    // CTAP2 has no maps of indefinite length.
    for _ in 0..decoder.map()?.unwrap_or_default() {
        match decoder.str()? {
            "authData" if data.is_some() => return Ok(None),
            "authData" => data = Some(decoder.bytes()?),
            _ => decoder.skip()?,
        }
    }
    let is_whole = decoder.position() == object.len();
    Ok(data.filter(|_| is_whole))
}
