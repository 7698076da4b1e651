// Somebody has forgotten their password: the hosted pages, the mail, and the way back to the app.

import assert from "node:assert/strict";
import { before, describe, test } from "node:test";

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
  submitPassword,
  tabTo,
  userWith,
  visitExample,
} from "./visitor.mjs";

visitExample();

const passwords = ["quiet lighthouse keepers", "patient windmill builders", "slow canal painters", "early harbour pilots"];

/** Goes as far as the page that says that a link was sent. */
async function forgetPassword(email) {
  await openSignIn();
  await field("Email").fill(email);
  await button("Continue").click();
  await heading("Enter your password").waitFor();
  await link("Forgot password?").click();
  await heading("Reset your password").waitFor();
  assert.equal(await field("Email").inputValue(), email);
  await button("Send link").click();
  await heading("Check your email").waitFor();
}

/** The newest message to somebody, as a test asks for it. */
async function newestMail(to) {
  const url = new URL("/_emulate/mailbox/wait", saas.ready.emulator);
  url.searchParams.set("to", to);
  const response = await fetch(url);
  assert.equal(response.status, 200);
  return response.json();
}

async function choosePassword(password) {
  await heading("Choose a new password").waitFor();
  await field("New password").fill(password);
  await button("Change password").click();
}

describe("a forgotten password", () => {
  before(async () => {
    // One person forgets their password several times a minute here.
    const response = await fetch(new URL("/_emulate/settings", saas.ready.emulator), {
      method: "PATCH",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ rate_limits: false }),
    });
    assert.equal(response.status, 200);
  });

  test("is replaced by the link in the mailbox, and the sign-in goes on", async () => {
    const user = userWith(1);
    await openSignIn();
    await field("Email").fill(user.email);
    await button("Continue").click();
    await heading("Enter your password").waitFor();
    await inspect(page, "password");
    await link("Forgot password?").click();
    await heading("Reset your password").waitFor();
    await inspect(page, "forgot-password");
    await field("Email").evaluate((input) => input.form.setAttribute("novalidate", ""));
    await field("Email").fill("nobody");
    await button("Send link").click();
    await page.getByRole("alert").waitFor();
    await inspect(page, "forgot-password-refused");
    await field("Email").fill(user.email);
    await button("Send link").click();
    await heading("Check your email").waitFor();
    await inspect(page, "forgot-password-sent");

    const [mailbox] = await Promise.all([page.waitForEvent("popup"), link("Open the emulator’s mailbox").click()]);
    await mailbox.getByRole("link", { name: /^Open link/ }).first().click();
    await mailbox.getByRole("heading", { level: 1, name: "Choose a new password" }).waitFor();
    await inspect(mailbox, "reset-password");
    await mailbox.getByLabel("New password").fill("password");
    await mailbox.getByRole("button", { name: "Change password" }).click();
    await mailbox.getByRole("alert").waitFor();
    assert.equal(await mailbox.getByLabel("New password").inputValue(), "");
    await inspect(mailbox, "reset-password-refused");
    await mailbox.getByLabel("New password").fill(passwords[0]);
    await mailbox.getByRole("button", { name: "Change password" }).click();
    await mailbox.getByRole("heading", { level: 1, name: "Your password was changed" }).waitFor();
    await inspect(mailbox, "password-changed");
    await mailbox.getByRole("link", { name: "Continue to sign in" }).click();
    await mailbox.getByRole("heading", { level: 1, name: "Enter your password" }).waitFor();
    await mailbox.close();

    await link("back to sign-in").click();
    await submitPassword(passwords[0]);
    await assertDashboard(user, user.organizations[0]);
  });

  test("is replaced in another browser, which says where to go on", async () => {
    const user = userWith(1);
    await forgetPassword(user.email);
    const { url } = await newestMail(user.email);
    await page.context().close();
    await openBrowser();
    await page.goto(url);
    await choosePassword(passwords[1]);
    await heading("Your password was changed").waitFor();
    assert.equal(await link("Continue to sign in").count(), 0);
    await inspect(page, "password-changed-elsewhere");
    await page.goto(url);
    await heading("This link has been used").waitFor();
    await inspect(page, "reset-link-over");
  });

  test("shows the same for an address that nobody has", async () => {
    await forgetPassword("nobody@example.com");
    await link("Open the emulator’s mailbox").waitFor();
    const url = new URL("/_emulate/mailbox", saas.ready.emulator);
    url.searchParams.set("to", "nobody@example.com");
    assert.deepEqual((await (await fetch(url)).json()).data, []);
  });

  test("is replaced with the keyboard alone", async () => {
    const user = userWith(2);
    await openSignIn();
    await page.locator("input:focus").waitFor();
    await page.keyboard.type(user.email);
    await page.keyboard.press("Enter");
    await heading("Enter your password").waitFor();
    await tabTo(link("Forgot password?"));
    await page.keyboard.press("Enter");
    await heading("Reset your password").waitFor();
    await page.keyboard.press("Enter");
    await heading("Check your email").waitFor();
    await page.goto((await newestMail(user.email)).url);
    await heading("Choose a new password").waitFor();
    await page.locator("input:focus").waitFor();
    await page.keyboard.type(passwords[2]);
    await page.keyboard.press("Enter");
    await heading("Your password was changed").waitFor();
    await tabTo(link("Continue to sign in"));
    await page.keyboard.press("Enter");
    await heading("Enter your password").waitFor();
    await page.locator("input:focus").waitFor();
    await page.keyboard.type(passwords[2]);
    await page.keyboard.press("Enter");
    await heading("Choose an organization").waitFor();
  });

  test("is replaced without JavaScript", async () => {
    await page.context().close();
    await openBrowser({ javaScriptEnabled: false });
    const user = userWith(2);
    await forgetPassword(user.email);
    await page.goto((await newestMail(user.email)).url);
    await choosePassword(passwords[3]);
    await link("Continue to sign in").click();
    await submitPassword(passwords[3]);
    await button(user.organizations[0].name).click();
    await assertDashboard(user, user.organizations[0]);
  });

  test("leads from a link that is over to a new one", async () => {
    const user = userWith(2);
    await forgetPassword(user.email);
    const older = await newestMail(user.email);
    await link("Send it again").click();
    await button("Send link").click();
    await heading("Check your email").waitFor();
    await page.goto(older.url);
    await heading("This link has been replaced").waitFor();
    await inspect(page, "reset-link-replaced");
    await link("Ask for a new link").click();
    await heading("Reset your password").waitFor();
  });
});
