// Single sign-on as a person sees it: the page that stands in for an identity provider, consent, and the page of traces.

import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, test } from "node:test";

import { inspect } from "./inspect.mjs";
import { button, detail, field, heading, link, openBrowser, openSignIn, page, saas, visitExample } from "./visitor.mjs";

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

let connection;

beforeEach(async () => {
  const hooli = await control("POST", "/organizations", {
    name: "Hooli",
    domain_data: [{ domain: "hooli.example", state: "verified" }],
  });
  connection = await control("POST", "/_emulate/connections", {
    organization_id: hooli.id,
    name: "Hooli Okta",
    connection_type: "OktaSAML",
    profiles: [
      { email: "gavin@hooli.example", first_name: "Gavin", last_name: "Belson", groups: ["Board", "Engineering"] },
      { email: "guest@raviga.example", first_name: "Monica" },
    ],
  });
});
afterEach(() => control("POST", "/_emulate/reset"));

const person = (email) => page.getByRole("button", { name: new RegExp(email) });

async function toIdentityProvider(email) {
  await openSignIn();
  await field("Email").fill(email);
  await button("Continue").click();
  await heading("Who are you at Hooli?").waitFor();
}

describe("the identity provider", () => {
  test("is found by the address, and signs in whom it knows", async () => {
    await toIdentityProvider("gavin@hooli.example");
    assert.match(await page.title(), /^Stand-in for Okta/);
    assert.match(await person("gavin@hooli.example").innerText(), /Gavin Belson[^]*Board, Engineering/);
    assert.match(await person("guest@raviga.example").innerText(), /guest: the domain is not verified/);
    await inspect(page, "sso-identity-provider");
    await person("gavin@hooli.example").click();
    await page.waitForURL((url) => url.origin === new URL(saas.ready.app).origin);
    assert.equal(await detail("Email").innerText(), "gavin@hooli.example");
    assert.equal(await detail("Organization").innerText(), "Hooli");
  });

  test("signs in somebody new, with what was typed", async () => {
    await toIdentityProvider("richard@hooli.example");
    assert.equal(await field("Email").inputValue(), "richard@hooli.example");
    await field("First name").fill("Richard");
    await field("Groups").fill("Engineering, Pied Piper");
    await field("Further attributes").fill("no colon");
    await button("Sign in").click();
    const alert = page.getByRole("alert");
    await alert.waitFor();
    assert.equal(await field("Further attributes").getAttribute("aria-invalid"), "true");
    assert.equal(await field("Groups").inputValue(), "Engineering, Pied Piper");
    await inspect(page, "sso-identity-provider-refused");
    await field("Further attributes").fill("department: Research");
    await button("Sign in").click();
    await page.waitForURL((url) => url.origin === new URL(saas.ready.app).origin);
    assert.equal(await detail("Email").innerText(), "richard@hooli.example");
    const { data } = await control("GET", "/_emulate/sso/traces");
    assert.match(data[0].steps.find(({ step }) => step === "response").detail, /department/);
  });

  test("refuses, and AuthKit says so", async () => {
    await toIdentityProvider("gavin@hooli.example");
    await page.getByText("Let it fail").click();
    await button("Deny access").click();
    await heading("You are not signed in").waitFor();
    await inspect(page, "sso-refused");
    await link("Choose how to sign in").click();
    await heading("Sign in").waitFor();
  });

  test("begins a sign-in itself, to which its person agrees", async () => {
    await control("POST", "/user_management/redirect_uris", { uri: `${saas.ready.app}/auth/callback` }).catch(() => {});
    await page.goto(connection.idp_url);
    await heading(/^Who opens /).waitFor();
    await inspect(page, "sso-idp-initiated");
    await person("gavin@hooli.example").click();
    await heading("Is this you?").waitFor();
    assert.equal(await detail("Email").innerText(), "gavin@hooli.example");
    await inspect(page, "sso-consent");
    assert.equal(await button("Cancel").count(), 1);
  });
});

describe("the page of traces", () => {
  test("says what comes while it is empty", async () => {
    await page.goto(new URL("/sso/traces", saas.ready.emulator).href);
    await page.getByRole("heading", { level: 2, name: "No sign-in yet" }).waitFor();
    await inspect(page, "sso-traces-empty");
  });

  test("shows each step, and why the last one failed", async () => {
    await toIdentityProvider("gavin@hooli.example");
    await person("gavin@hooli.example").click();
    await page.waitForURL((url) => url.origin === new URL(saas.ready.app).origin);
    await openBrowser();
    await toIdentityProvider("gavin@hooli.example");
    await person("guest@raviga.example").click();
    await heading("You are not signed in").waitFor();
    await page.goto(new URL("/sso/traces", saas.ready.emulator).href);
    const traces = page.locator(".traces > li");
    assert.equal(await traces.count(), 2);
    assert.match(await traces.nth(0).innerText(), /Failed[^]*guest@raviga\.example[^]*profile_not_allowed_outside_organization/);
    assert.match(await traces.nth(0).innerText(), /raviga\.example is no verified domain of Hooli/);
    assert.equal(await traces.nth(0).getByRole("img", { name: "Failed" }).count(), 1);
    await traces.nth(1).locator("summary").click();
    assert.match(await traces.nth(1).innerText(), /Succeeded[^]*gavin@hooli\.example/);
    assert.equal(await traces.nth(1).getByRole("img", { name: "Failed" }).count(), 0);
    await inspect(page, "sso-traces");
    await field("Connection").selectOption("Hooli Okta");
    await button("Filter").click();
    assert.equal(await traces.count(), 2);
  });
});
