// What a SAML identity provider publishes of itself: its certificate, and its metadata.

import { X509Certificate, createSign, generateKeyPair } from "node:crypto";
import { promisify } from "node:util";

const DAY = 24 * 3600 * 1000;

/** A value of DER (X.690): its tag, its length, its content. */
function der(tag, ...parts) {
  const content = Buffer.concat(parts.map((part) => Buffer.from(part)));
  const length = content.length;
  const size = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.from([tag, ...size, ...content]);
}
const sequence = (...parts) => der(0x30, ...parts);
/** UTCTime: YYMMDDhhmmssZ */
const time = (at) => der(0x17, Buffer.from(at.toISOString().replace(/^..|[-:T]|\..*/g, "") + "Z"));

const SHA256_WITH_RSA = sequence([0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0b, 0x05, 0x00]);
const COMMON_NAME = [0x06, 0x03, 0x55, 0x04, 0x03];

/** A self-signed certificate (RFC 5280) with an RSA key. */
export class IdpCertificate {
  static async make(name, days = 365) {
    const keys = await promisify(generateKeyPair)("rsa", { modulusLength: 2048 });
    const [from, until] = [-1, days].map((days) => time(new Date(Date.now() + days * DAY)));
    const subject = sequence(der(0x31, sequence(COMMON_NAME, der(0x0c, Buffer.from(name)))));
    const toBeSigned = sequence(
      der(0xa0, [0x02, 0x01, 0x02]),
      [0x02, 0x01, 0x01],
      SHA256_WITH_RSA,
      subject,
      sequence(from, until),
      subject,
      keys.publicKey.export({ type: "spki", format: "der" }),
    );
    const signature = createSign("sha256").update(toBeSigned).sign(keys.privateKey);
    const certificate = new X509Certificate(sequence(toBeSigned, SHA256_WITH_RSA, der(0x03, [0], signature)));
    return Object.assign(new IdpCertificate(), {
      pem: certificate.toString(),
      fingerprint: certificate.fingerprint256,
      base64: certificate.raw.toString("base64"),
    });
  }
}

/** Metadata (SAML metadata 2.0) of an identity provider at `url` that signs with these certificates. */
export const idpMetadata = (url, ...certificates) => `<?xml version="1.0"?>
<md:EntityDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" entityID="${url}">
  <md:IDPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol">
    ${certificates.map(({ base64 }) => `<md:KeyDescriptor use="signing"><ds:KeyInfo xmlns:ds="http://www.w3.org/2000/09/xmldsig#">
      <ds:X509Data><ds:X509Certificate>${base64}</ds:X509Certificate></ds:X509Data>
    </ds:KeyInfo></md:KeyDescriptor>`).join("\n    ")}
    <md:SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect" Location="${url}/sso"/>
  </md:IDPSSODescriptor>
</md:EntityDescriptor>
`;
