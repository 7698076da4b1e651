// A person at a browser, in front of the example app. A test file calls `visitExample()` once, and then reads `page`.
//
// The example prints {"app", "emulator", "users": [{"email", "password", "name", "organizations": [{"name", "role",
// "permissions"}]}]}: at least one user with one organization and one user with two. Its public page has the links
// "Sign in" and "Sign up"; its dashboard is a description list (Name, Email, Organization, Role, Permissions) and has
// the control "Sign out".

import assert from "node:assert/strict";
import { after, afterEach, before, beforeEach } from "node:test";

import { launchBrowser, startSaas } from "./launch.mjs";

export let saas, browser, page;

/** Starts the example and a browser for a test file, and opens an empty page for each of its tests. */
export function visitExample() {
  before(async () => {
    saas = await startSaas();
    browser = await launchBrowser();
  });
  after(async () => {
    await browser?.close();
    await saas?.stop();
  });
  beforeEach(() => openBrowser());
  afterEach(() => page.context().close());
}

/** A fresh browser: it has no cookies, and nobody is signed in. */
export async function openBrowser(options = {}) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, ...options });
  context.setDefaultTimeout(10_000);
  page = await context.newPage();
}

export const userWith = (organizations) => {
  const found = saas.ready.users.find((user) => user.organizations.length === organizations);
  assert.ok(found, `the example has no user with ${organizations} organization(s)`);
  return found;
};
export const link = (name) => page.getByRole("link", { name, exact: true });
export const button = (name) => page.getByRole("button", { name, exact: true });
export const field = (label) => page.getByLabel(label);
export const heading = (name) => page.getByRole("heading", { level: 1, name });
export const signOutControl = () => button("Sign out").or(link("Sign out"));

/** What the dashboard's description list says about `term`. */
export const detail = (term) => page.locator("dt").filter({ hasText: new RegExp(`^\\s*${term}\\s*$`) }).locator("xpath=following-sibling::dd[1]");

export async function openSignIn() {
  await page.goto(saas.ready.app);
  await link("Sign in").first().click();
  await heading("Sign in").waitFor();
  assert.equal(new URL(page.url()).origin, new URL(saas.ready.emulator).origin, "the sign-in page is the emulator's");
}

/** Fills in the sign-in pages and sends them; answers with the status of the last answer. */
export async function submitCredentials(email, password) {
  await field("Email").fill(email);
  await button("Continue").click();
  return submitPassword(password);
}

/** Fills in the password page and sends it; answers with the status of the answer. */
export async function submitPassword(password) {
  await heading("Enter your password").waitFor();
  await field("Password").fill(password);
  const [response] = await Promise.all([
    page.waitForResponse((response) => response.request().method() === "POST"),
    button("Sign in").click(),
  ]);
  return response.status();
}

export async function assertDashboard(user, organization) {
  await signOutControl().waitFor();
  assert.equal(new URL(page.url()).origin, new URL(saas.ready.app).origin, "the dashboard is the app's");
  assert.equal((await detail("Name").innerText()).trim(), user.name);
  assert.equal((await detail("Email").innerText()).trim(), user.email);
  assert.equal((await detail("Organization").innerText()).trim(), organization.name);
  assert.equal((await detail("Role").innerText()).trim(), organization.role);
  const permissions = await detail("Permissions").innerText();
  for (const permission of organization.permissions) {
    assert.ok(permissions.includes(permission), `${permission} in ${permissions}`);
  }
}

export async function signOut() {
  await signOutControl().click();
  await link("Sign in").waitFor();
}

/** Moves the focus with the Tab key until it is on `control`. */
export async function tabTo(control) {
  for (let presses = 0; presses < 40; presses += 1) {
    await page.keyboard.press("Tab");
    if (await control.evaluate((element) => element === document.activeElement)) {
      return;
    }
  }
  assert.fail(`the Tab key does not reach ${control}`);
}
