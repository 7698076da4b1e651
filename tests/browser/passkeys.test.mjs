// Passkeys, with a virtual authenticator in the browser: the offer, sign-in by the key, and what is refused.

import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";

import { inspect } from "./inspect.mjs";
import {
  assertDashboard,
  button,
  field,
  heading,
  link,
  openBrowser,
  page,
  saas,
  signOut,
  submitCredentials,
  userWith,
  visitExample,
} from "./visitor.mjs";

visitExample();

let authenticator;

beforeEach(async () => {
  await control("POST", "/_emulate/reset");
  await control("PATCH", "/_emulate/settings", { sign_in_methods: { passkey: true } });
  await useLocalhost();
  authenticator = await plugIn();
});

async function control(method, path, body) {
  const answer = await fetch(new URL(path, saas.ready.emulator), {
    method,
    headers: { "Content-Type": "application/json" },
    body: body && JSON.stringify(body),
  });
  assert.ok(answer.ok, `${method} ${path}: ${answer.status}`);
  return answer;
}

/** Browsers have no passkeys for IP addresses: the sign-in pages are opened as localhost, as most people do. */
async function useLocalhost() {
  await page.route(`${saas.ready.app}/auth/sign-in**`, async (route) => {
    const response = await route.fetch({ maxRedirects: 0 });
    const location = response.headers().location.replace("127.0.0.1", "localhost");
    return route.fulfill({ response, headers: { ...response.headers(), location } });
  });
}

/** Plugs a security key in that knows its person, by fingerprint or PIN. */
async function plugIn() {
  const cdp = await page.context().newCDPSession(page);
  await cdp.send("WebAuthn.enable");
  const { authenticatorId } = await cdp.send("WebAuthn.addVirtualAuthenticator", {
    options: {
      protocol: "ctap2",
      transport: "internal",
      hasResidentKey: true,
      hasUserVerification: true,
      isUserVerified: true,
      automaticPresenceSimulation: true,
    },
  });
  return {
    send: (command, parameters) => cdp.send(`WebAuthn.${command}`, { authenticatorId, ...parameters }),
    credentials: async () => (await cdp.send("WebAuthn.getCredentials", { authenticatorId })).credentials,
  };
}

/** Signs in with the password, as far as to the offer. */
async function reachOffer(user) {
  await openLocalSignIn();
  await submitCredentials(user.email, user.password);
  await heading("Create a passkey").waitFor();
}

async function openLocalSignIn() {
  await page.goto(saas.ready.app);
  await link("Sign in").first().click();
  await heading("Sign in").waitFor();
  assert.equal(new URL(page.url()).hostname, "localhost");
}

/** Makes a passkey for the user, who is signed out then. */
async function enroll(user) {
  await reachOffer(user);
  await button("Create a passkey").click();
  await assertDashboard(user, user.organizations[0]);
  await signOut();
}

/** What the emulator told of sign-ins, the oldest first. */
async function authenticationEvents() {
  const answer = await fetch(new URL("/events?order=asc&limit=100", saas.ready.emulator), {
    headers: { Authorization: "Bearer sk_test_default" },
  });
  const { data } = await answer.json();
  return data.filter(({ event }) => event.startsWith("authentication."));
}

async function assertRefused(text) {
  const alert = page.getByRole("alert");
  await alert.waitFor();
  assert.ok((await alert.innerText()).includes(text), await alert.innerText());
  assert.ok(await alert.evaluate((element) => element === document.activeElement), "the focus is on the alert");
}

describe("a passkey", () => {
  test("is offered after a password, and signs in without one from then on", async () => {
    const user = userWith(1);
    await reachOffer(user);
    await inspect(page, "passkey-offer");
    await button("Create a passkey").click();
    await assertDashboard(user, user.organizations[0]);
    const [credential] = await authenticator.credentials();
    assert.equal(credential.rpId, "localhost");
    assert.ok(credential.isResidentCredential);
    await signOut();

    await openLocalSignIn();
    await inspect(page, "passkey-sign-in");
    await button("Sign in with a passkey").click();
    await assertDashboard(user, user.organizations[0]);
    const events = await authenticationEvents();
    assert.deepEqual(
      events.map(({ event, data }) => [event, data.email]),
      [
        ["authentication.password_succeeded", user.email],
        ["authentication.passkey_succeeded", user.email],
      ],
    );
    await signOut();

    await openLocalSignIn();
    await submitCredentials(user.email, user.password);
    await assertDashboard(user, user.organizations[0]);
  });

  test("signs in from the password page as well, with the keyboard alone", async () => {
    const user = userWith(1);
    await enroll(user);
    await openLocalSignIn();
    await field("Email").fill(user.email);
    await button("Continue").click();
    await heading("Enter your password").waitFor();
    await inspect(page, "passkey-password");
    await button("Sign in with a passkey").focus();
    await page.keyboard.press("Enter");
    await assertDashboard(user, user.organizations[0]);
  });

  test("leads to the choice between organizations", async () => {
    const user = userWith(2);
    await openLocalSignIn();
    await submitCredentials(user.email, user.password);
    await button(user.organizations[1].name).click();
    await heading("Create a passkey").waitFor();
    await button("Create a passkey").click();
    await assertDashboard(user, user.organizations[1]);
    await signOut();
    await openLocalSignIn();
    await button("Sign in with a passkey").click();
    await button(user.organizations[0].name).click();
    await assertDashboard(user, user.organizations[0]);
  });
});

describe("the offer", () => {
  test("is declined for two weeks, or for good", async () => {
    const user = userWith(1);
    for (const [advance, choice] of [["0s", "Not now"], ["336h", "Don’t ask again"]]) {
      await control("POST", "/_emulate/clock", { advance });
      await reachOffer(user);
      await button(choice).click();
      await assertDashboard(user, user.organizations[0]);
      await signOut();
      await openLocalSignIn();
      await submitCredentials(user.email, user.password);
      await assertDashboard(user, user.organizations[0]);
      await signOut();
    }
    await control("POST", "/_emulate/clock", { advance: "8760h" });
    await openLocalSignIn();
    await submitCredentials(user.email, user.password);
    await assertDashboard(user, user.organizations[0]);
  });

  test("can be tried again after the person was not recognised", async () => {
    const user = userWith(1);
    await authenticator.send("setUserVerified", { isUserVerified: false });
    await reachOffer(user);
    await button("Create a passkey").click();
    await assertRefused("No passkey was created.");
    await inspect(page, "passkey-offer-refused");
    assert.equal((await authenticator.credentials()).length, 0);
    await authenticator.send("setUserVerified", { isUserVerified: true });
    await button("Create a passkey").click();
    await assertDashboard(user, user.organizations[0]);
  });
});

describe("sign-in with a passkey", () => {
  test("goes on in another way for who is not recognised, or has none", async () => {
    const user = userWith(1);
    await enroll(user);
    await authenticator.send("setUserVerified", { isUserVerified: false });
    await openLocalSignIn();
    await field("Email").fill(user.email);
    await button("Sign in with a passkey").click();
    await assertRefused("No passkey was used.");
    await inspect(page, "passkey-sign-in-not-used");
    assert.equal(await field("Email").inputValue(), user.email, "what was typed is still there");
    await submitCredentials(user.email, user.password);
    await assertDashboard(user, user.organizations[0]);
    await signOut();

    await authenticator.send("clearCredentials");
    await openLocalSignIn();
    await button("Sign in with a passkey").click();
    await assertRefused("No passkey was used.");
  });

  test("refuses a key that the environment does not know any more", async () => {
    const user = userWith(1);
    await enroll(user);
    await control("POST", "/_emulate/reset");
    await control("PATCH", "/_emulate/settings", { sign_in_methods: { passkey: true } });
    await openLocalSignIn();
    await button("Sign in with a passkey").click();
    await assertRefused("This passkey was not accepted.");
    await inspect(page, "passkey-sign-in-refused");
    await submitCredentials(user.email, user.password);
    await heading("Create a passkey").waitFor();
  });

  test("refuses the copy of a key", async () => {
    const user = userWith(1);
    await enroll(user);
    const [original] = await authenticator.credentials();
    await openLocalSignIn();
    await button("Sign in with a passkey").click();
    await assertDashboard(user, user.organizations[0]);
    await signOut();
    await authenticator.send("clearCredentials");
    await authenticator.send("addCredential", { credential: original });
    await openLocalSignIn();
    await button("Sign in with a passkey").click();
    await assertRefused("This passkey was not accepted.");
    const { event, data } = (await authenticationEvents()).at(-1);
    assert.equal(event, "authentication.passkey_failed");
    assert.equal(data.email, user.email);
  });
});

describe("without passkeys", () => {
  test("people without JavaScript sign in as before, and can decline the offer", async () => {
    await page.context().close();
    await openBrowser({ javaScriptEnabled: false });
    await useLocalhost();
    const user = userWith(1);
    await openLocalSignIn();
    assert.match(await page.content(), /<noscript>.*turn on JavaScript/);
    assert.equal(await button("Sign in with a passkey").count(), 0);
    await submitCredentials(user.email, user.password);
    await heading("Create a passkey").waitFor();
    assert.equal(await button("Create a passkey").count(), 0);
    await button("Not now").click();
    await assertDashboard(user, user.organizations[0]);
  });

  test("pages at an IP address say why, and let people on", async () => {
    const user = userWith(1);
    await page.unrouteAll();
    await page.goto(saas.ready.app);
    await link("Sign in").first().click();
    await page.getByText("not for IP addresses").waitFor();
    assert.equal(await button("Sign in with a passkey").count(), 0);
    await submitCredentials(user.email, user.password);
    await heading("Create a passkey").waitFor();
    await inspect(page, "passkey-offer-ip-address");
    await button("Not now").click();
    await assertDashboard(user, user.organizations[0]);
  });
});
