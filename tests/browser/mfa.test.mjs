// The second factor as a person sees it: setting up an authenticator app, and being asked for its codes. The tests are the
// app: they know what the page shows, and nothing else.

import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { afterEach, describe, test } from "node:test";

import { inspect } from "./inspect.mjs";
import {
  assertDashboard,
  button,
  field,
  heading,
  link,
  openBrowser,
  openSignIn,
  page,
  saas,
  signOut,
  submitCredentials,
  tabTo,
  userWith,
  visitExample,
} from "./visitor.mjs";

visitExample();
afterEach(() => control("POST", "/_emulate/reset"));

async function control(method, path, body) {
  const response = await fetch(new URL(path, saas.ready.emulator), {
    method,
    headers: { "content-type": "application/json" },
    body: body && JSON.stringify(body),
  });
  assert.ok(response.ok, `${method} ${path}: ${response.status}`);
}

const demandMfa = () => control("PATCH", "/_emulate/settings", { mfa: "required" });

/** RFC 6238: the code of a secret in base32, `steps` of 30 seconds from now. */
function totp(secret, steps = 0) {
  const bits = [...secret].map((letter) => "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".indexOf(letter).toString(2).padStart(5, "0"));
  const bytes = bits.join("").match(/.{8}/g).map((byte) => Number.parseInt(byte, 2));
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(Math.floor(Date.now() / 30_000) + steps));
  const digest = createHmac("sha1", Buffer.from(bytes)).update(counter).digest();
  const number = digest.readUInt32BE(digest.at(-1) & 0xf) & 0x7fff_ffff;
  return String(number % 1_000_000).padStart(6, "0");
}

/** The secret that the page shows, in the groups that a person types. */
async function shownSecret() {
  const groups = (await page.locator("code").innerText()).trim().split(" ");
  assert.ok(groups.every((group) => group.length === 4), groups.join(" "));
  return groups.join("");
}

async function submitCode(code) {
  await field("Code").fill(code);
  await button("Continue").click();
}

/** Enrolls an app for this user, up to where the sign-in goes on. */
async function enroll(user) {
  await openSignIn();
  await submitCredentials(user.email, user.password);
  await heading("Set up an authenticator app").waitFor();
  const secret = await shownSecret();
  await submitCode(totp(secret));
  return secret;
}

describe("a second factor that is demanded", () => {
  test("is set up from what the page shows, and asked for at the next sign-in", async () => {
    const user = userWith(1);
    await demandMfa();
    await openSignIn();
    await submitCredentials(user.email, user.password);
    await heading("Set up an authenticator app").waitFor();
    assert.ok((await page.locator("main").innerText()).includes(user.email));
    const picture = page.getByRole("img", { name: /^QR code/ });
    assert.ok((await picture.getAttribute("src")).startsWith("data:image/png;base64,"));
    assert.ok(await picture.evaluate((image) => image.complete && image.naturalWidth > 300), "the picture is shown");
    await inspect(page, "mfa-enroll");

    const secret = await shownSecret();
    const href = await link("Open an app on this device").getAttribute("href");
    assert.ok(href.startsWith("otpauth://totp/") && href.includes(`secret=${secret}`), href);
    await submitCode("12345");
    const alert = page.getByRole("alert");
    await alert.waitFor();
    assert.ok(await alert.evaluate((element) => element === document.activeElement), "the focus is on the alert");
    assert.equal(await shownSecret(), secret, "a typo does not change the secret");
    await inspect(page, "mfa-enroll-refused");
    const code = totp(secret);
    await submitCode(`${code.slice(0, 3)} ${code.slice(3)}`);
    await assertDashboard(user, user.organizations[0]);
    await signOut();

    await openSignIn();
    await submitCredentials(user.email, user.password);
    await heading("Two-factor authentication").waitFor();
    await inspect(page, "mfa");
    assert.equal(await field("Code").getAttribute("autocomplete"), "one-time-code");
    await submitCode(code);
    await page.getByRole("alert").filter({ hasText: "used already" }).waitFor();
    await inspect(page, "mfa-refused");
    await submitCode(totp(secret, 1));
    await assertDashboard(user, user.organizations[0]);
  });

  test("comes before the choice of an organization", async () => {
    const user = userWith(2);
    await demandMfa();
    await enroll(user);
    await heading("Choose an organization").waitFor();
    await button(user.organizations[1].name).click();
    await assertDashboard(user, user.organizations[1]);
  });

  test("works with the keyboard alone and without JavaScript", async () => {
    await page.context().close();
    await openBrowser({ javaScriptEnabled: false });
    const user = userWith(1);
    await demandMfa();
    await openSignIn();
    await submitCredentials(user.email, user.password);
    await heading("Set up an authenticator app").waitFor();
    await page.locator("input:focus").waitFor();
    await page.keyboard.type(totp(await shownSecret()));
    await page.keyboard.press("Enter");
    await assertDashboard(user, user.organizations[0]);
  });
});

describe("a second factor that there is", () => {
  test("is locked by wrong codes, and a new sign-in does not open it", async () => {
    const user = userWith(1);
    await demandMfa();
    const secret = await enroll(user);
    await assertDashboard(user, user.organizations[0]);
    await signOut();
    await openSignIn();
    await submitCredentials(user.email, user.password);
    for (let attempt = 0; attempt < 5; attempt += 1) {
      await heading("Two-factor authentication").waitFor();
      await submitCode("12345");
      await page.getByRole("alert").filter({ hasText: "not right" }).waitFor();
    }
    await submitCode(totp(secret, 1));
    await page.getByRole("alert").filter({ hasText: "too many wrong codes" }).waitFor();
    await inspect(page, "mfa-locked");
    await openSignIn();
    await submitCredentials(user.email, user.password);
    await submitCode(totp(secret, 1));
    await page.getByRole("alert").filter({ hasText: "too many wrong codes" }).waitFor();
  });

  test("can be left for another account", async () => {
    const user = userWith(1);
    await demandMfa();
    await enroll(user);
    await signOut();
    await openSignIn();
    await submitCredentials(user.email, user.password);
    await heading("Two-factor authentication").waitFor();
    await tabTo(link("Use another account"));
    await page.keyboard.press("Enter");
    await heading("Sign in").waitFor();
  });
});
