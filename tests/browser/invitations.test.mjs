// Invitations and the waitlist as a person sees them: from the e-mail to the dashboard of the example app.

import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { set } from "./control.mjs";
import { inspect } from "./inspect.mjs";
import {
  button,
  detail,
  field,
  heading,
  link,
  openBrowser,
  page,
  saas,
  signOut,
  signOutControl,
  submitPassword,
  tabTo,
  userWith,
  visitExample,
} from "./visitor.mjs";

const PASSWORD = "seven quiet lighthouses drift";

visitExample();

async function call(method, path, body) {
  const response = await fetch(new URL(path, saas.ready.emulator), {
    method,
    headers: { Authorization: "Bearer sk_test_default", "Content-Type": "application/json" },
    body: body && JSON.stringify(body),
  });
  assert.ok(response.ok, `${method} ${path}: ${response.status}`);
  return response.json();
}

async function organization(name) {
  const { data } = await call("GET", `/organizations?search=${name}`);
  return data[0];
}

/** Invites somebody, and answers with the link of the e-mail. */
async function invite(email, more = {}) {
  const invitation = await call("POST", "/user_management/invitations", { email, ...more });
  const { data } = await call("GET", `/_emulate/mailbox?to=${encodeURIComponent(email)}&kind=invitation`);
  assert.equal(data[0].url, invitation.accept_invitation_url);
  return { ...invitation, url: data[0].url };
}

async function inviter() {
  const { data } = await call("GET", `/user_management/users?email=${encodeURIComponent(userWith(1).email)}`);
  return data[0].id;
}

async function assertSignedInTo(email, organizationName, role) {
  await page.waitForURL((url) => url.origin === new URL(saas.ready.app).origin);
  await page.goto(new URL("/dashboard", saas.ready.app).href);
  await signOutControl().waitFor();
  assert.equal((await detail("Email").innerText()).trim(), email);
  assert.equal((await detail("Organization").innerText()).trim(), organizationName);
  assert.equal((await detail("Role").innerText()).trim(), role);
}

describe("an invitation to somebody new", () => {
  test("leads from the e-mail over the sign-up to the dashboard", async () => {
    const acme = await organization("Acme");
    const email = "grace@navy.example";
    const { url } = await invite(email, { organization_id: acme.id, role_slug: "admin", inviter_user_id: await inviter() });
    await page.goto(url);
    await heading("Join Acme").waitFor();
    assert.ok((await page.locator("main").innerText()).includes(`${userWith(1).name} invited you to join Acme.`));
    await inspect(page, "invitation");
    await button("Accept the invitation").click();
    await heading("Create your account").waitFor();
    const text = await page.locator("main").innerText();
    assert.ok(text.includes("invited you to join Acme.") && text.includes(email), text);
    await inspect(page, "invitation-sign-up");
    await field("First name").fill("Grace");
    await field("Password").fill("short");
    await button("Create account").click();
    await page.getByRole("alert").waitFor();
    await inspect(page, "invitation-sign-up-refused");
    await field("Password").fill(PASSWORD);
    await button("Create account").click();
    await assertSignedInTo(email, "Acme", "admin");
    await signOut();
    await page.goto(url);
    await heading("This invitation was accepted already").waitFor();
    await inspect(page, "invitation-accepted");
  });

  test("works with the keyboard alone, and without JavaScript", async () => {
    await page.context().close();
    await openBrowser({ javaScriptEnabled: false });
    const { url } = await invite("katherine@navy.example", { organization_id: (await organization("Globex")).id });
    await page.goto(url);
    await heading("Join Globex").waitFor();
    await page.keyboard.press("Tab");
    await page.keyboard.press("Enter");
    await heading("Create your account").waitFor();
    await field("Password").fill(PASSWORD);
    await page.keyboard.press("Enter");
    await assertSignedInTo("katherine@navy.example", "Globex", "member");
  });
});

describe("an invitation to somebody known", () => {
  test("leads over the sign-in into the further organization", async () => {
    const user = userWith(1);
    const { url } = await invite(user.email, { organization_id: (await organization("Globex")).id });
    await page.goto(url);
    await heading("Join Globex").waitFor();
    await inspect(page, "invitation-known");
    await button("Accept the invitation").click();
    await heading("Sign in").waitFor();
    assert.equal(await field("Email").inputValue(), user.email);
    await inspect(page, "invitation-sign-in");
    await field("Email").fill("mallory@elsewhere.example");
    await button("Continue").click();
    await page.getByRole("alert").waitFor();
    await inspect(page, "invitation-sign-in-refused");
    await field("Email").fill(user.email);
    await button("Continue").click();
    await submitPassword(user.password);
    await assertSignedInTo(user.email, "Globex", "member");
  });
});

describe("an invitation for another address", () => {
  test("is accepted by a colleague", async () => {
    const { url } = await invite("first@fleet.example", { organization_id: (await organization("Acme")).id });
    await page.goto(url);
    const other = button("Use another address");
    await tabTo(other);
    await page.keyboard.press("Enter");
    await heading("Sign in").waitFor();
    await link("Sign up").click();
    await heading("Create your account").waitFor();
    await field("Email").fill("second@fleet.example");
    await field("Password").fill(PASSWORD);
    // The address is not verified by the link, which went to another one.
    await set({ email_verification: false });
    await button("Create account").click();
    await assertSignedInTo("second@fleet.example", "Acme", "member");
    await set({ email_verification: null });
  });
});

describe("an invitation that was withdrawn", () => {
  test("says what to do", async () => {
    const { id, url } = await invite("late@navy.example");
    await call("POST", `/user_management/invitations/${id}/revoke`);
    await page.goto(url);
    await heading("This invitation was withdrawn").waitFor();
    await page.getByRole("heading", { level: 2, name: "What to do" }).waitFor();
    await inspect(page, "invitation-withdrawn");
  });
});

describe("the waitlist", () => {
  test("takes the place of sign-up", async () => {
    await set({ waitlist: true, branding: { name: "Paperboat" } });
    await page.goto(saas.ready.app);
    await link("Sign in").first().click();
    await heading("Sign in").waitFor();
    await link("Join the waitlist").click();
    await heading("Join the waitlist").waitFor();
    await inspect(page, "waitlist");
    await field("Email").fill("nobody@nowhere");
    await button("Join the waitlist").click();
    await page.getByRole("alert").waitFor();
    assert.equal(await field("Email").getAttribute("aria-invalid"), "true");
    await inspect(page, "waitlist-refused");
    await field("Email").fill("dorothy@navy.example");
    await button("Join the waitlist").click();
    await heading("You are on the waitlist").waitFor();
    assert.ok((await page.locator("main").innerText()).includes("dorothy@navy.example"));
    await inspect(page, "waitlist-joined");
    await set({ waitlist: null, branding: null });
  });
});
