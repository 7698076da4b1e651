// The journey of somebody new: sign-up, verification, a second factor, a forgotten password, a second organization.

import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { advance, impersonationOf, now } from "./control.mjs";
import { inspect } from "./inspect.mjs";
import { post, row, signIn, status, switchTo } from "./product.mjs";
import { totp } from "./totp.mjs";
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
  userWith,
  visitExample,
} from "./visitor.mjs";

visitExample();

const alert = () => page.getByRole("alert");

/** Opens the mailbox page at the newest message to `address`, by the link that every page of the product has. */
async function openMail(address) {
  await page.goto(saas.ready.app);
  await link("E-mails sent by this demo").click();
  await heading("Mailbox").waitFor();
  await field("Sent to").fill(address);
  await button("Filter").click();
  return row(`To ${address}`).first();
}

/** A new code of the authenticator app: each works once. */
async function nextCode(secret) {
  await advance(30);
  return totp(secret, await now());
}

async function signInWithCode(person, secret) {
  await openSignIn();
  await submitCredentials(person.email, person.password);
  await enterCode(secret);
}

async function enterCode(secret) {
  await heading("Two-factor authentication").waitFor();
  await field("Code").fill(await nextCode(secret));
  await button("Continue").click();
}

describe("somebody new", () => {
  test("goes all the way", async () => {
    const person = { first_name: "Nadia", last_name: "Newcomb", email: "nadia@example.com", password: "seven quiet lighthouses drift" };
    const harbour = { name: "Harbour", role: "admin", permissions: ["documents:write", "members:manage"] };
    const acme = { name: "Acme", role: "member", permissions: ["documents:read"] };
    const user = { ...person, name: "Nadia Newcomb" };

    // Sign-up, and the code that comes by e-mail.
    await page.goto(saas.ready.app);
    await link("Sign up").first().click();
    await field("First name").fill(person.first_name);
    await field("Last name").fill(person.last_name);
    await field("Email").fill(person.email);
    await field("Password").fill(person.password);
    await button("Create account").click();
    await heading("Verify your email").waitFor();
    const verification = page.url();
    const code = (await (await openMail(person.email)).locator(".mail-code").innerText()).trim();
    await page.goto(verification);
    await field("Code").fill(code);
    await button("Verify").click();
    await heading("Dashboard").waitFor();

    // An organization of their own.
    await field("Name of the organization").fill(harbour.name);
    await button("Make an organization").click();
    await page.getByRole("heading", { name: "Documents of Harbour" }).waitFor();
    await assertDashboard(user, harbour);

    // A second factor, with the secret that the page shows beside the QR code.
    await link("Account").click();
    assert.ok((await detail("Email").innerText()).includes("(verified)"));
    await button("Set up an authenticator app").click();
    await heading("Set up two-step verification").waitFor();
    const secret = await page.locator("code").innerText();
    await field("Code").fill(totp(secret, await now()));
    await button("Turn on").click();
    await status().filter({ hasText: "Two-step verification is on." }).waitFor();
    await signOut();
    await signInWithCode(person, secret);
    await assertDashboard(user, harbour);
    await signOut();

    // The password is forgotten.
    await openSignIn();
    await field("Email").fill(person.email);
    await button("Continue").click();
    await link("Forgot password?").click();
    await heading("Reset your password").waitFor();
    await field("Email").fill(person.email);
    await button("Send link").click();
    await heading("Check your email").waitFor();
    await (await openMail(person.email)).getByRole("link", { name: /^Open link/ }).click();
    await heading("Choose a new password").waitFor();
    person.password = "eleven drifting lanterns wait";
    await field("New password").fill(person.password);
    await button("Change password").click();
    await heading("Your password was changed").waitFor();
    await signInWithCode(person, secret);
    await assertDashboard(user, harbour);
    await signOut();

    // An admin of another organization invites them.
    const admin = userWith(1);
    await signIn(admin, admin.organizations[0]);
    await link("Members").click();
    await field("Email").fill(person.email);
    await field("Role").selectOption({ label: "Member" });
    await button("Send invitation").click();
    await status().filter({ hasText: "on its way" }).waitFor();
    await row(person.email).waitFor();
    await inspect(page, "product-members-invited");
    await signOut();
    await (await openMail(person.email)).getByRole("link", { name: /^Open link/ }).click();
    await heading("Join Acme").waitFor();
    await button("Accept the invitation").click();
    await heading("Sign in").waitFor();
    await button("Continue").click();
    await submitPassword(person.password);
    await enterCode(secret);
    await assertDashboard(user, acme);

    // From one organization to the other, and back.
    await switchTo(harbour);
    await assertDashboard(user, harbour);
    await switchTo(acme);
    await assertDashboard(user, acme);
    const place = await field("Organization").inputValue();
    await signOut();

    // Support has a look.
    await page.goto(await impersonationOf(person.email, place));
    await assertDashboard(user, acme);
    const banner = page.getByRole("region", { name: "Impersonation" });
    assert.ok((await banner.innerText()).includes(`is signed in as ${user.name}.`));
    await button("Stop").click();
    await link("Sign in").waitFor();
  });
});

describe("an invitation", () => {
  test("is sent again, and revoked", async () => {
    const admin = userWith(1);
    await signIn(admin, admin.organizations[0]);
    await link("Members").click();
    await field("Email").fill("ines@example.com");
    await button("Send invitation").click();
    const invited = row("ines@example.com");
    await invited.waitFor();
    await button("Resend invitation to ines@example.com").click();
    await status().filter({ hasText: "on its way again" }).waitFor();
    await button("Revoke invitation to ines@example.com").click();
    await status().filter({ hasText: "revoked" }).waitFor();
    assert.equal(await invited.count(), 0);
    // Who is a member already cannot be invited.
    await field("Email").fill(userWith(2).email);
    await button("Send invitation").click();
    await alert().waitFor();
    assert.equal(await field("Email").inputValue(), userWith(2).email);
    await inspect(page, "product-members-refused");
  });

  test("of another organization is out of reach", async () => {
    const admin = userWith(1);
    await signIn(admin, admin.organizations[0]);
    await link("Members").click();
    await field("Email").fill("ida@example.com");
    await button("Send invitation").click();
    await row("ida@example.com").waitFor();
    const action = await page.locator("form", { has: button("Revoke invitation to ida@example.com") }).getAttribute("action");
    await openBrowser();
    const other = userWith(2);
    await signIn(other, other.organizations[1]);
    assert.equal(await post(action, {}), 404);
    await openBrowser();
    await signIn(other, other.organizations[0]);
    assert.equal(await post(action, {}), 403, "a member manages nobody");
  });
});

describe("the password", () => {
  test("is reset by a link that the account page sends", async () => {
    const user = userWith(1);
    await signIn(user, user.organizations[0]);
    await link("Account").click();
    await button("Reset password").click();
    await status().filter({ hasText: "sent you an e-mail" }).waitFor();
    await (await openMail(user.email)).getByRole("link", { name: /^Open link/ }).click();
    await heading("Choose a new password").waitFor();
  });
});

describe("two-step verification", () => {
  test("is set up with the secret, asked for at sign-in, and removed again", async () => {
    const user = userWith(1);
    await signIn(user, user.organizations[0]);
    await link("Account").click();
    await button("Set up an authenticator app").click();
    await heading("Set up two-step verification").waitFor();
    const picture = page.getByRole("img", { name: /^QR code/ });
    assert.ok(await picture.evaluate((image) => image.complete && image.naturalWidth > 100), "the QR code is a picture");
    await inspect(page, "product-two-step");
    const secret = await page.locator("code").innerText();
    await field("Code").fill("000000");
    await button("Turn on").click();
    await alert().waitFor();
    await inspect(page, "product-two-step-refused");
    await field("Code").fill(totp(secret, await now()));
    await button("Turn on").click();
    await status().filter({ hasText: "Two-step verification is on." }).waitFor();
    await inspect(page, "product-two-step-on");

    await signOutControl().click();
    await openSignIn();
    await submitCredentials(user.email, user.password);
    await heading("Two-factor authentication").waitFor();
    // The app shows the next code by then: each works once.
    await advance(30);
    await field("Code").fill(totp(secret, await now()));
    await button("Continue").click();
    await assertDashboard(user, user.organizations[0]);

    await link("Account").click();
    await button("Remove").click();
    await status().filter({ hasText: "Two-step verification is off." }).waitFor();
    await signOutControl().click();
    await signIn(user, user.organizations[0]);
  });

  test("of somebody else cannot be removed", async () => {
    const user = userWith(1);
    await signIn(user, user.organizations[0]);
    await link("Account").click();
    await button("Set up an authenticator app").click();
    await heading("Set up two-step verification").waitFor();
    const factor = await page.locator('form[action$="/remove"] input[name=factor_id]').inputValue();
    const owner = page;
    await openBrowser();
    const stranger = userWith(2);
    await signIn(stranger, stranger.organizations[0]);
    assert.equal(await post("/account/two-step/remove", { factor_id: factor }), 404);
    assert.equal(await post("/account/two-step/confirm", { factor_id: factor, challenge_id: "auth_challenge_1", code: "000000" }), 404);
    await owner.getByRole("button", { name: "Cancel" }).click();
    await owner.getByRole("button", { name: "Set up an authenticator app" }).waitFor();
    await owner.context().close();
  });
});
