// Social login as a person sees it: the buttons, the page that stands in for a provider, and what organizations make of it.

import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, test } from "node:test";

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
  tabTo,
  userWith,
  visitExample,
} from "./visitor.mjs";

visitExample();

async function control(method, path, body) {
  const response = await fetch(new URL(path, saas.ready.emulator), {
    method,
    headers: { "Content-Type": "application/json", Authorization: "Bearer sk_test_default" },
    body: body && JSON.stringify(body),
  });
  assert.ok(response.ok, `${method} ${path}: ${response.status} ${await response.clone().text()}`);
  return response.status === 204 ? undefined : response.json();
}

const turnOn = (...providers) => control("PATCH", "/_emulate/settings", { sign_in_methods: { providers } });

async function setPolicies(name, policies) {
  const { data } = await control("GET", "/organizations");
  const { id } = data.find((organization) => organization.name === name);
  await control("PATCH", `/_emulate/organizations/${id}`, policies);
}

const account = (email) => page.getByRole("button", { name: new RegExp(email) });

beforeEach(() => turnOn("GoogleOAuth", "MicrosoftOAuth", "GitHubOAuth", "AppleOAuth"));
afterEach(() => control("POST", "/_emulate/reset"));

describe("a provider", () => {
  test("signs in whoever is chosen on the page that takes its place", async () => {
    const user = userWith(1);
    await openSignIn();
    await inspect(page, "social-sign-in");
    await button("Continue with Google").click();
    await heading("Choose an account").waitFor();
    assert.match(await page.title(), /^Stand-in for Google/);
    await inspect(page, "social-stand-in");
    await account(user.email).click();
    await assertDashboard(user, user.organizations[0]);
    await signOut();

    // Now the account is linked, and stands first.
    await openSignIn();
    await field("Email").fill("somebody@else.example");
    await button("Continue with Google").click();
    await heading("Choose an account").waitFor();
    const first = page.getByRole("listitem").first();
    assert.match(await first.innerText(), new RegExp(`${user.name}\\s+${user.email}\\s+linked already`));
    await first.getByRole("button").click();
    await assertDashboard(user, user.organizations[0]);
  });

  test("signs up whom it knows and the application does not", async () => {
    await page.goto(saas.ready.app);
    await link("Sign up").first().click();
    await heading("Create your account").waitFor();
    await inspect(page, "social-sign-up");
    await button("Continue with Apple").click();
    await page.getByText("Use another account").click();
    await field("Email").fill("grace@apple");
    await field("First name").fill("Grace");
    await field("Last name").fill("<b>Hopper");
    await button("Continue").click();
    const alert = page.getByRole("alert");
    await alert.waitFor();
    assert.ok(await alert.evaluate((element) => element === document.activeElement), "the focus is on the alert");
    assert.equal(await field("Last name").inputValue(), "<b>Hopper");
    assert.equal(await field("Email").getAttribute("aria-invalid"), "true");
    await inspect(page, "social-stand-in-refused");
    await field("Email").fill("grace@apple.example");
    await button("Continue").click();
    await signOutControl().waitFor();
    assert.equal((await detail("Name").innerText()).trim(), "Grace <b>Hopper");
    assert.equal((await detail("Email").innerText()).trim(), "grace@apple.example");
  });

  test("works with the keyboard alone, and without JavaScript", async () => {
    await page.context().close();
    await openBrowser({ javaScriptEnabled: false });
    const user = userWith(2);
    await openSignIn();
    await button("Continue with Google").focus();
    await page.keyboard.press("Enter");
    await heading("Choose an account").waitFor();
    await tabTo(account(user.email));
    await page.keyboard.press("Enter");
    await heading("Choose an organization").waitFor();
    await button(user.organizations[1].name).click();
    await assertDashboard(user, user.organizations[1]);
  });

  test("can be denied, which leaves the other ways", async () => {
    const user = userWith(1);
    await openSignIn();
    await button("Continue with GitHub").click();
    await heading("Choose an account").waitFor();
    await page.getByText("What is asked for").click();
    await page.getByText("user:email").waitFor();
    await inspect(page, "social-stand-in-open");
    await button("Deny access").click();
    await heading("You are not signed in").waitFor();
    await inspect(page, "social-refused");
    await link("Choose how to sign in").click();
    await heading("Sign in").waitFor();
    await submitCredentials(user.email, user.password);
    await assertDashboard(user, user.organizations[0]);
  });

  test("is the only way where nothing else is on", async () => {
    await control("PATCH", "/_emulate/settings", { sign_in_methods: { password: false, magic_auth: false } });
    await openSignIn();
    assert.equal(await field("Email").count(), 0);
    await inspect(page, "social-only");
    await link("Sign up").click();
    await heading("Create your account").waitFor();
    assert.equal(await field("Password").count(), 0);
    await button("Continue with Microsoft").waitFor();
  });
});

describe("an organization", () => {
  test("that wants another way says which, and lets people go it", async () => {
    const user = userWith(1);
    await setPolicies("Acme", { domain_policy: { auth_methods: ["GoogleOAuth", "MagicAuth"] } });
    await openSignIn();
    await submitCredentials(user.email, user.password);
    await heading("Sign in another way").waitFor();
    await inspect(page, "another-way");
    await button("Continue with Google").click();
    await account(user.email).click();
    await assertDashboard(user, user.organizations[0]);
  });

  test("that requires single sign-on is explained, and another one can be chosen", async () => {
    const user = userWith(2);
    const [closed, open] = user.organizations;
    await setPolicies(closed.name, { organization_policy: { sso_required: true } });
    await openSignIn();
    await submitCredentials(user.email, user.password);
    await button(closed.name).click();
    await heading(`${closed.name} requires single sign-on`).waitFor();
    await inspect(page, "another-way-sso");
    await link("Choose another organization").click();
    await button(open.name).click();
    await assertDashboard(user, open);
  });
});
