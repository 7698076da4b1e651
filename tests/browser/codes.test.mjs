// Sign-in and sign-up with codes that come by e-mail, as a person sees them.

import assert from "node:assert/strict";
import { afterEach, describe, test } from "node:test";

import { inspect } from "./inspect.mjs";
import {
  button,
  detail,
  field,
  heading,
  link,
  openBrowser,
  openSignIn,
  page,
  saas,
  signOut,
  signOutControl,
  submitPassword,
  tabTo,
  userWith,
  visitExample,
} from "./visitor.mjs";

visitExample();

const emulator = (path, options) => fetch(new URL(path, saas.ready.emulator), options);
const json = (method, body) => ({ method, headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });

async function set(settings) {
  const answer = await emulator("/_emulate/settings", json("PATCH", settings));
  assert.equal(answer.status, 200, await answer.text());
}

async function advance(by) {
  const answer = await emulator("/_emulate/clock", json("POST", { advance: by }));
  assert.equal(answer.status, 200, await answer.text());
}

/** The e-mails to `to`, newest first. */
async function mails(to) {
  const answer = await emulator(`/_emulate/mailbox?to=${encodeURIComponent(to)}`);
  return (await answer.json()).data;
}

const code = async (to) => (await mails(to))[0].code;

async function identify(email) {
  await openSignIn();
  await field("Email").fill(email);
  await button("Continue").click();
}

async function assertSignedIn(email) {
  await signOutControl().waitFor();
  assert.equal((await detail("Email").innerText()).trim(), email);
}

// The clock moves on, so that no test meets the limits of another.
afterEach(async () => {
  await set({ sign_in_methods: null, sign_up: null });
  await advance("2m");
});

describe("a code instead of a password", () => {
  test("is sent from the password page, and signs in", async () => {
    const user = userWith(1);
    await identify(user.email);
    await heading("Enter your password").waitFor();
    await inspect(page, "password-or-code");
    await button("Email me a sign-in code").click();
    await heading("Check your email").waitFor();
    assert.ok((await page.locator("main").innerText()).includes(user.email));
    assert.equal(await field("Code").getAttribute("autocomplete"), "one-time-code");
    assert.ok(await field("Code").evaluate((element) => element === document.activeElement), "the focus is on the code");
    assert.equal(await page.getByRole("status").count(), 0);
    await inspect(page, "magic-auth");

    await field("Code").fill("12");
    await button("Sign in").click();
    const alert = page.getByRole("alert");
    await alert.waitFor();
    assert.ok(await alert.evaluate((element) => element === document.activeElement), "the focus is on the alert");
    await inspect(page, "magic-auth-refused");

    const first = await code(user.email);
    await button("Send a new code").click();
    await page.getByRole("status").waitFor();
    await inspect(page, "magic-auth-sent-again");
    assert.equal((await mails(user.email)).length, 2);
    const second = await code(user.email);
    if (first !== second) {
      await field("Code").fill(first);
      await button("Sign in").click();
      await alert.waitFor();
    }
    await field("Code").fill(`${second.slice(0, 3)} ${second.slice(3)}`);
    await page.keyboard.press("Enter");
    await assertSignedIn(user.email);
    await signOut();
  });

  test("leads back to the password, and to another address", async () => {
    const user = userWith(1);
    await identify(user.email);
    await button("Email me a sign-in code").click();
    await link("Use your password instead").click();
    await submitPassword(user.password);
    await assertSignedIn(user.email);
    await signOut();
    await identify("somebody@example.com");
    await button("Email me a sign-in code").click();
    await link("Change").click();
    await heading("Sign in").waitFor();
    assert.equal(await field("Email").inputValue(), "somebody@example.com");
  });

  test("is the only way in where passwords are off, and the link of the mail opens its page", async () => {
    await set({ sign_in_methods: { password: false } });
    const user = userWith(1);
    await identify(user.email);
    await heading("Check your email").waitFor();
    assert.equal(await link("Use your password instead").count(), 0);
    const [mail] = await mails(user.email);
    await page.goto(mail.url);
    await heading("Check your email").waitFor();
    await field("Code").fill(mail.code);
    await button("Sign in").click();
    await assertSignedIn(user.email);
  });

  test("tells nobody who has an account", async () => {
    await set({ sign_in_methods: { password: false }, sign_up: false });
    const seen = [];
    for (const email of [userWith(1).email, "nobody@example.com"]) {
      await identify(email);
      await heading("Check your email").waitFor();
      const asked = await page.locator("main").innerText();
      await field("Code").fill("12");
      await button("Sign in").click();
      await page.getByRole("alert").waitFor();
      const refused = await page.locator("main").innerText();
      seen.push([asked, refused].map((text) => text.replaceAll(email, "…")));
    }
    assert.deepEqual(seen[0], seen[1]);
    assert.equal((await mails("nobody@example.com")).length, 0);
  });

  test("works with the keyboard alone, and without JavaScript", async () => {
    await page.context().close();
    await openBrowser({ javaScriptEnabled: false });
    const user = userWith(1);
    await page.goto(saas.ready.app);
    await link("Sign in").first().click();
    await heading("Sign in").waitFor();
    await page.locator("input:focus").waitFor();
    await page.keyboard.type(user.email);
    await page.keyboard.press("Enter");
    await heading("Enter your password").waitFor();
    await tabTo(button("Email me a sign-in code"));
    await page.keyboard.press("Enter");
    await heading("Check your email").waitFor();
    await tabTo(button("Send a new code"));
    await page.keyboard.press("Enter");
    await page.getByRole("status").waitFor();
    await page.locator("input:focus").waitFor();
    await page.keyboard.type(await code(user.email));
    await page.keyboard.press("Enter");
    await assertSignedIn(user.email);
  });
});

describe("sign-up", () => {
  test("asks to verify the address before it goes on", async () => {
    const email = "katherine@example.com";
    await page.goto(saas.ready.app);
    await link("Sign up").first().click();
    await heading("Create your account").waitFor();
    await inspect(page, "sign-up-with-password-or-code");
    await field("Email").fill(email);
    await field("Password").fill("seven quiet lighthouses drift");
    await button("Create account").click();
    await heading("Verify your email").waitFor();
    assert.ok((await page.locator("main").innerText()).includes(email));
    await inspect(page, "verify-email");
    const sent = await mails(email);
    assert.deepEqual(
      sent.map((mail) => [mail.kind, mail.url]),
      [["email_verification", page.url()]],
    );
    await field("Code").fill("12");
    await button("Verify").click();
    await page.getByRole("alert").waitFor();
    await inspect(page, "verify-email-refused");
    await field("Code").fill(sent[0].code);
    await button("Verify").click();
    await assertSignedIn(email);
    await signOut();
    await identify(email);
    await submitPassword("seven quiet lighthouses drift");
    await assertSignedIn(email);
  });

  test("that was left is taken up again by signing in", async () => {
    const email = "dorothy@example.com";
    await page.goto(saas.ready.app);
    await link("Sign up").first().click();
    await field("Email").fill(email);
    await field("Password").fill("seven quiet lighthouses drift");
    await button("Create account").click();
    await heading("Verify your email").waitFor();
    await identify(email);
    await submitPassword("seven quiet lighthouses drift");
    await heading("Verify your email").waitFor();
    assert.equal((await mails(email)).length, 2);
    await field("Code").fill(await code(email));
    await button("Verify").click();
    await assertSignedIn(email);
  });

  test("needs no password", async () => {
    const email = "mary@example.com";
    await page.goto(saas.ready.app);
    await link("Sign up").first().click();
    await field("First name").fill("Mary");
    await field("Email").fill(email);
    await button("Use a code by email instead").click();
    await heading("Check your email").waitFor();
    await field("Code").fill(await code(email));
    await button("Sign in").click();
    await assertSignedIn(email);
    assert.equal((await detail("Name").innerText()).trim(), "Mary");
    await signOut();

    await set({ sign_in_methods: { password: false } });
    await page.goto(saas.ready.app);
    await link("Sign up").first().click();
    await heading("Create your account").waitFor();
    assert.equal(await field("Password").count(), 0);
    await inspect(page, "sign-up-with-code");
    await field("Email").fill("annie@example.com");
    await button("Continue").click();
    await heading("Check your email").waitFor();
    await field("Code").fill(await code("annie@example.com"));
    await button("Sign in").click();
    await assertSignedIn("annie@example.com");
  });
});
