// One whole sign-in as a person sees it: the example app, the emulator's hosted pages, and the app again.

import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { inspect } from "./inspect.mjs";
import {
  assertDashboard,
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
  submitCredentials,
  submitPassword,
  tabTo,
  userWith,
  visitExample,
} from "./visitor.mjs";

visitExample();

describe("sign-in", () => {
  test("leads from the public page to the dashboard and, with sign-out, back", async () => {
    const user = userWith(1);
    await page.goto(saas.ready.app);
    await inspect(page, "public");
    await openSignIn();
    await inspect(page, "sign-in");
    await field("Email").fill(user.email);
    await button("Continue").click();
    await heading("Enter your password").waitFor();
    await inspect(page, "password");
    await link("Change").click();
    await heading("Sign in").waitFor();
    await submitCredentials(user.email, user.password);
    await assertDashboard(user, user.organizations[0]);
    await inspect(page, "dashboard");

    const dashboard = page.url();
    await signOut();
    await page.goto(dashboard);
    await heading("Sign in").waitFor();
  });

  test("says the same about a wrong password and an unknown email", async () => {
    const seen = [];
    for (const email of [userWith(1).email, "nobody@example.com"]) {
      await openSignIn();
      const status = await submitCredentials(email, "not the right password");
      const alert = page.getByRole("alert");
      await alert.waitFor();
      assert.ok(await alert.evaluate((element) => element === document.activeElement), "the focus is on the alert");
      assert.equal(await field("Password").inputValue(), "");
      const text = await page.locator("main").innerText();
      assert.ok(text.includes(email), text);
      seen.push({ status, title: await page.title(), text: text.replace(email, "…") });
    }
    assert.deepEqual(seen[0], seen[1]);
    assert.match(seen[0].title, /^Error: /);
    await inspect(page, "sign-in-refused");
  });

  test("succeeds after a refused attempt", async () => {
    const user = userWith(1);
    await openSignIn();
    await submitCredentials(user.email, "not the right password");
    await page.getByRole("alert").waitFor();
    await submitPassword(user.password);
    await assertDashboard(user, user.organizations[0]);
  });

  test("works with the keyboard alone", async () => {
    const user = userWith(2);
    await page.goto(saas.ready.app);
    await tabTo(link("Sign in").first());
    await page.keyboard.press("Enter");
    await heading("Sign in").waitFor();
    // The heading is there before the field has the focus.
    await page.locator("input:focus").waitFor();
    await page.keyboard.type(user.email);
    await page.keyboard.press("Enter");
    await heading("Enter your password").waitFor();
    await page.locator("input:focus").waitFor();
    await page.keyboard.type(user.password);
    await page.keyboard.press("Enter");
    await heading("Choose an organization").waitFor();
    await tabTo(button(user.organizations[1].name));
    await page.keyboard.press("Enter");
    await assertDashboard(user, user.organizations[1]);
    await tabTo(signOutControl());
    await page.keyboard.press("Enter");
    await link("Sign in").waitFor();
  });

  test("works without JavaScript", async () => {
    await page.context().close();
    await openBrowser({ javaScriptEnabled: false });
    const user = userWith(2);
    await openSignIn();
    await submitCredentials(user.email, user.password);
    await button(user.organizations[0].name).click();
    await assertDashboard(user, user.organizations[0]);
    await signOut();
  });
});

describe("organization picker", () => {
  test("signs in to the chosen organization, whichever it is", async () => {
    const user = userWith(2);
    for (const organization of user.organizations) {
      await openSignIn();
      await submitCredentials(user.email, user.password);
      await heading("Choose an organization").waitFor();
      assert.ok((await page.locator("main").innerText()).includes(user.email));
      await inspect(page, "organization");
      await button(organization.name).click();
      await assertDashboard(user, organization);
      await signOut();
    }
  });
});

describe("sign-up", () => {
  async function fillIn(person) {
    await field("First name").fill(person.first_name);
    await field("Last name").fill(person.last_name);
    await field("Email").fill(person.email);
    await field("Password").fill(person.password);
    await button("Create account").click();
  }

  /** Types the code of the e-mail that was sent to the new address. */
  async function verify({ email }) {
    await heading("Verify your email").waitFor();
    const mailbox = new URL(`/_emulate/mailbox?to=${encodeURIComponent(email)}`, saas.ready.emulator);
    const { data } = await (await fetch(mailbox)).json();
    await field("Code").fill(data[0].code);
    await button("Verify").click();
  }

  async function assertSignedUp(person) {
    await signOutControl().waitFor();
    assert.equal((await detail("Name").innerText()).trim(), `${person.first_name} ${person.last_name}`);
    assert.equal((await detail("Email").innerText()).trim(), person.email);
  }

  test("makes an account that can sign in again", async () => {
    const person = {
      first_name: "Grace",
      last_name: "Hopper",
      email: "grace@example.com",
      password: "seven quiet lighthouses drift",
    };
    await page.goto(saas.ready.app);
    await link("Sign up").first().click();
    await heading("Create your account").waitFor();
    await inspect(page, "sign-up");
    await fillIn(person);
    await verify(person);
    await assertSignedUp(person);
    await signOut();
    await openSignIn();
    await submitCredentials(person.email, person.password);
    await assertSignedUp(person);
  });

  test("is reached from the sign-in page, and points at a password that is too weak", async () => {
    const person = { first_name: "<b>Mallory</b>", last_name: "\"O'Neil", email: "mallory@example.com", password: "short" };
    await openSignIn();
    await link("Sign up").click();
    await heading("Create your account").waitFor();
    await fillIn(person);
    await page.getByRole("alert").waitFor();
    assert.equal(await field("First name").inputValue(), person.first_name);
    assert.equal(await field("Last name").inputValue(), person.last_name);
    assert.equal(await field("Email").inputValue(), person.email);
    assert.equal(await field("Password").inputValue(), "");
    assert.equal(await field("Password").getAttribute("aria-invalid"), "true");
    await inspect(page, "sign-up-refused");
    await page.getByRole("alert").getByRole("link", { name: "Password" }).click();
    await fillIn({ ...person, password: "seven quiet lighthouses drift" });
    await verify(person);
    await assertSignedUp(person);
  });
});

describe("sign-out without an address to return to", () => {
  test("says that it is done", async () => {
    await page.goto(new URL("/authkit/signed-out", saas.ready.emulator).href);
    await heading("You are signed out").waitFor();
    await inspect(page, "signed-out");
  });
});

describe("a redirect URI on a foreign site", () => {
  test("is explained, and not followed", async () => {
    const [request] = await Promise.all([
      page.waitForRequest((request) => new URL(request.url()).pathname === "/user_management/authorize"),
      openSignIn(),
    ]);
    const authorize = new URL(request.url());
    authorize.searchParams.set("redirect_uri", "https://foreign.example/callback");
    await page.goto(authorize.href);
    assert.equal(new URL(page.url()).origin, authorize.origin);
    assert.ok((await page.locator("main").innerText()).includes("https://foreign.example/callback"));
    await page.getByRole("heading", { level: 2, name: "What to do" }).waitFor();
    await inspect(page, "error");
  });
});
