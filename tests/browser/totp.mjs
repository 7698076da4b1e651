// What an authenticator app does with the secret that a page shows: RFC 6238 with SHA-1, six digits and 30 seconds.

import { createHmac } from "node:crypto";

const STEP_SECONDS = 30;
const BASE32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/** The code for a moment, now by default. `secret` is base32 (RFC 4648), with or without spaces and padding. */
export function totp(secret, atMilliseconds = Date.now()) {
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(Math.floor(atMilliseconds / 1000 / STEP_SECONDS)));
  const mac = createHmac("sha1", decodeBase32(secret)).update(counter).digest();
  const offset = mac.at(-1) & 0x0f;
  const number = mac.readUInt32BE(offset) & 0x7fffffff;
  return String(number % 1_000_000).padStart(6, "0");
}

function decodeBase32(text) {
  const bytes = [];
  let bits = 0;
  let value = 0;
  for (const letter of text.replace(/[\s=]/g, "").toUpperCase()) {
    const five = BASE32.indexOf(letter);
    if (five < 0) {
      throw new Error(`'${letter}' is not base32`);
    }
    value = (value << 5) | five;
    bits += 5;
    if (bits >= 8) {
      bits -= 8;
      bytes.push((value >> bits) & 0xff);
    }
    value &= (1 << bits) - 1;
  }
  return Buffer.from(bytes);
}
