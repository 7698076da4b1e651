// The consent page: an application asks, and a person allows it or does not.

import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { inspect } from "./inspect.mjs";
import {
  button,
  field,
  heading,
  openBrowser,
  page,
  saas,
  submitCredentials,
  tabTo,
  userWith,
  visitExample,
} from "./visitor.mjs";

visitExample();

/** Calls an operation of the emulator's API, or of its control API. */
async function call(method, path, body) {
  const response = await fetch(new URL(path, saas.ready.emulator), {
    method,
    headers: { authorization: "Bearer sk_test_default", "content-type": "application/json" },
    body: body && JSON.stringify(body),
  });
  const text = await response.text();
  assert.ok(response.ok, `${method} ${path}: ${response.status} ${text}`);
  return text && JSON.parse(text);
}

// Where the application would be: a page of the example that anybody may see.
let application, callback;

/** Makes the application, once. */
async function setUp() {
  if (application) {
    return;
  }
  const { data } = await call("GET", "/organizations");
  const partner = data.find((organization) => organization.name === "Globex");
  await call("POST", "/authorization/permissions", { slug: "reports:read", name: "Read the reports of your organization" });
  callback = new URL("/?from=connect", saas.ready.app).href;
  application = await call("POST", "/connect/applications", {
    name: "Quarterly Reports",
    application_type: "oauth",
    is_first_party: false,
    organization_id: partner.id,
    scopes: ["reports:read"],
    redirect_uris: [{ uri: callback }],
  });
}

async function ask(scope = "openid profile email offline_access reports:read") {
  await setUp();
  const url = new URL("/oauth2/authorize", saas.ready.emulator);
  url.search = new URLSearchParams({
    response_type: "code",
    client_id: application.client_id,
    redirect_uri: callback,
    state: "s",
    scope,
  });
  await page.goto(url.href);
  await heading("Sign in").waitFor();
}

const question = () => heading("Allow Quarterly Reports to access your account?");

describe("consent", () => {
  test("says who asks for what, and is asked once", async () => {
    const user = userWith(1);
    await ask();
    await submitCredentials(user.email, user.password);
    await question().waitFor();
    const text = await page.locator("main").innerText();
    for (const part of ["Globex", "Acme", user.email, "See your name", "Read the reports of your organization"]) {
      assert.ok(text.includes(part), `${part} in ${text}`);
    }
    await inspect(page, "consent");
    await button("Allow").click();
    await page.waitForURL((url) => url.searchParams.has("code"));
    assert.equal(new URL(page.url()).searchParams.get("state"), "s");
    await ask("openid");
    await submitCredentials(user.email, user.password);
    await page.waitForURL((url) => url.searchParams.has("code"));
  });

  test("sends who denies it back with the error", async () => {
    const user = userWith(2);
    await ask();
    await submitCredentials(user.email, user.password);
    await button(user.organizations[1].name).click();
    await question().waitFor();
    await button("Deny").click();
    await page.waitForURL((url) => url.searchParams.get("error") === "access_denied");
  });

  test("works with the keyboard alone, and without JavaScript", async () => {
    await page.context().close();
    await openBrowser({ javaScriptEnabled: false });
    const user = userWith(2);
    await ask("openid");
    await page.locator("input:focus").waitFor();
    await page.keyboard.type(user.email);
    await page.keyboard.press("Enter");
    await heading("Enter your password").waitFor();
    await page.locator("input:focus").waitFor();
    await page.keyboard.type(user.password);
    await page.keyboard.press("Enter");
    await heading("Choose an organization").waitFor();
    await tabTo(button(user.organizations[0].name));
    await page.keyboard.press("Enter");
    await question().waitFor();
    await tabTo(button("Allow"));
    await page.keyboard.press("Enter");
    await page.waitForURL((url) => url.searchParams.has("code"));
  });
});

describe("consent after a sign-in elsewhere", () => {
  test("asks for a choice as well", async () => {
    await setUp();
    const login = new URL("/?login", saas.ready.app).href;
    await call("PATCH", "/_emulate/settings", { connect: { login_uri: login } });
    try {
      const url = new URL("/oauth2/authorize", saas.ready.emulator);
      url.search = new URLSearchParams({
        response_type: "code",
        client_id: application.client_id,
        redirect_uri: callback,
        scope: "openid profile",
      });
      await page.goto(url.href);
      const external_auth_id = new URL(page.url()).searchParams.get("external_auth_id");
      const { redirect_uri } = await call("POST", "/authkit/oauth2/complete", {
        external_auth_id,
        user: { id: "marcelina", email: "marcelina@example.com", first_name: "Marcelina" },
        user_consent_options: [
          {
            claim: "urn:example:environment",
            type: "enum",
            label: "Environment",
            choices: [
              { group: "Production", choices: [{ value: "us", label: "US East" }, { value: "eu", label: "EU West" }] },
              { group: "Development", choices: [{ value: "dev", label: "Staging" }] },
            ],
          },
        ],
      });
      await page.goto(redirect_uri);
      await question().waitFor();
      await inspect(page, "consent-choice");
      await button("Allow").click();
      assert.ok(await field("Environment").evaluate((select) => select.validity.valueMissing), "a choice is required");
      await field("Environment").selectOption({ label: "EU West" });
      await button("Allow").click();
      await page.waitForURL((at) => at.searchParams.has("code"));
    } finally {
      await call("PATCH", "/_emulate/settings", { connect: { login_uri: null } });
    }
  });
});

describe("an application that nobody knows", () => {
  test("is explained, and nobody is sent anywhere", async () => {
    const url = new URL("/oauth2/authorize", saas.ready.emulator);
    url.search = new URLSearchParams({ client_id: "client_unknown", redirect_uri: saas.ready.app, response_type: "code" });
    await page.goto(url.href);
    await heading("Unknown application").waitFor();
    assert.equal(new URL(page.url()).origin, new URL(saas.ready.emulator).origin);
    await inspect(page, "unknown-application");
  });
});
