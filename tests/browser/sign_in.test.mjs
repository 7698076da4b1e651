// One whole sign-in as a person sees it: the example app, the emulator's hosted pages, and the app again.
//
// The example prints {"app", "emulator", "users": [{"email", "password", "name", "organizations": [{"name", "role",
// "permissions"}]}]}: at least one user with one organization and one user with two. Its public page has the links
// "Sign in" and "Sign up"; its dashboard is a description list (Name, Email, Organization, Role, Permissions) and has
// the control "Sign out".

import assert from "node:assert/strict";
import { after, afterEach, before, beforeEach, describe, test } from "node:test";

import { inspect } from "./inspect.mjs";
import { launchBrowser, startSaas } from "./launch.mjs";

let saas, browser, page;

before(async () => {
  saas = await startSaas();
  browser = await launchBrowser();
});

after(async () => {
  await browser?.close();
  await saas?.stop();
});

async function openBrowser(options = {}) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, ...options });
  context.setDefaultTimeout(10_000);
  page = await context.newPage();
}

beforeEach(() => openBrowser());
afterEach(() => page.context().close());

const userWith = (organizations) => {
  const found = saas.ready.users.find((user) => user.organizations.length === organizations);
  assert.ok(found, `the example has no user with ${organizations} organization(s)`);
  return found;
};
const link = (name) => page.getByRole("link", { name, exact: true });
const button = (name) => page.getByRole("button", { name, exact: true });
const field = (label) => page.getByLabel(label);
const heading = (name) => page.getByRole("heading", { level: 1, name });
const signOutControl = () => button("Sign out").or(link("Sign out"));

/** What the dashboard's description list says about `term`. */
const detail = (term) => page.locator("dt").filter({ hasText: new RegExp(`^\\s*${term}\\s*$`) }).locator("xpath=following-sibling::dd[1]");

async function openSignIn() {
  await page.goto(saas.ready.app);
  await link("Sign in").first().click();
  await heading("Sign in").waitFor();
  assert.equal(new URL(page.url()).origin, new URL(saas.ready.emulator).origin, "the sign-in page is the emulator's");
}

/** Fills in the sign-in page and sends it; answers with the status of the answer. */
async function submitCredentials(email, password) {
  await field("Email").fill(email);
  await field("Password").fill(password);
  const [response] = await Promise.all([
    page.waitForResponse((response) => response.request().method() === "POST"),
    button("Sign in").click(),
  ]);
  return response.status();
}

async function assertDashboard(user, organization) {
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

async function signOut() {
  await signOutControl().click();
  await link("Sign in").waitFor();
}

/** Moves the focus with the Tab key until it is on `control`. */
async function tabTo(control) {
  for (let presses = 0; presses < 40; presses += 1) {
    await page.keyboard.press("Tab");
    if (await control.evaluate((element) => element === document.activeElement)) {
      return;
    }
  }
  assert.fail(`the Tab key does not reach ${control}`);
}

describe("sign-in", () => {
  test("leads from the public page to the dashboard and, with sign-out, back", async () => {
    const user = userWith(1);
    await page.goto(saas.ready.app);
    await inspect(page, "public");
    await openSignIn();
    await inspect(page, "sign-in");
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
      assert.equal(await field("Email").inputValue(), email);
      assert.equal(await field("Password").inputValue(), "");
      seen.push({ status, title: await page.title(), text: await page.locator("main").innerText() });
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
    await submitCredentials(user.email, user.password);
    await assertDashboard(user, user.organizations[0]);
  });

  test("works with the keyboard alone", async () => {
    const user = userWith(2);
    await page.goto(saas.ready.app);
    await tabTo(link("Sign in").first());
    await page.keyboard.press("Enter");
    await heading("Sign in").waitFor();
    await page.keyboard.type(user.email);
    await page.keyboard.press("Tab");
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
