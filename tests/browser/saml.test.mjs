// SAML with others: a service provider and an identity provider made of libraries that know nothing of ours.

import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, test } from "node:test";

import { inspect } from "./inspect.mjs";
import { startIdentityProvider, startServiceProvider } from "./saml_parties.mjs";
import { button, detail, field, heading, openBrowser, openSignIn, page, saas, visitExample } from "./visitor.mjs";

visitExample();

const GAVIN = { email: "gavin@hooli.example", firstName: "Gavin", lastName: "Belson", group: "Board & Engineering" };

async function api(method, path, body) {
  const response = await fetch(new URL(path, saas.ready.emulator), {
    method,
    headers: { "Content-Type": "application/json", Authorization: "Bearer sk_test_default" },
    body: body && JSON.stringify(body),
  });
  assert.ok(response.ok, `${method} ${path}: ${response.status} ${await response.clone().text()}`);
  return response.json();
}

let hooli, party;

beforeEach(async () => {
  hooli = await api("POST", "/organizations", {
    name: "Hooli",
    domain_data: [{ domain: "hooli.example", state: "verified" }],
  });
});
afterEach(async () => {
  await party?.stop();
  party = undefined;
  await fetch(new URL("/_emulate/reset", saas.ready.emulator), { method: "POST" });
});

async function newestTrace() {
  const { data } = await api("GET", "/_emulate/sso/traces");
  return data[0];
}

const person = (email) => page.getByRole("button", { name: new RegExp(email) });

/** A connection whose identity provider is the emulator's own, and a service provider that is not WorkOS. */
async function withServiceProvider() {
  const connection = await api("POST", "/_emulate/connections", {
    organization_id: hooli.id,
    connection_type: "OktaSAML",
    profiles: [{ email: GAVIN.email, first_name: "Gavin", last_name: "<Belson>", groups: ["Board", "Engineering"] }],
  });
  const metadata = await fetch(connection.saml.test_idp_metadata_url);
  assert.equal(metadata.status, 200);
  party = await startServiceProvider(await metadata.text());
  await api("POST", "/user_management/redirect_uris", { uri: party.acs });
}

async function assertIn() {
  await page.waitForURL(party.acs);
  const text = await page.locator("pre").innerText();
  const profile = JSON.parse(text);
  assert.equal(profile.email, GAVIN.email);
  assert.equal(profile.firstName, "Gavin");
  assert.equal(profile.lastName, "<Belson>");
  assert.deepEqual(profile.groups, ["Board", "Engineering"]);
  assert.equal(profile.relayState, "to the start");
}

describe("the test identity provider", () => {
  test("signs in to a service provider made with node-saml", async () => {
    await withServiceProvider();
    await page.goto(party.login);
    await person(GAVIN.email).click();
    await assertIn();
  });

  test("needs no script for that", async () => {
    await withServiceProvider();
    await page.context().close();
    await openBrowser({ javaScriptEnabled: false });
    await page.goto(party.login);
    await person(GAVIN.email).click();
    await button("Continue").click();
    await assertIn();
  });

  test("has a button where its script does not come", async () => {
    await withServiceProvider();
    await page.route(/\/authkit\/post/, (route) => route.abort());
    await page.goto(party.login);
    await person(GAVIN.email).click();
    await heading("On to the application").waitFor();
    await inspect(page, "saml-post");
    await button("Continue").click();
    await assertIn();
  });

  test("tells it of a refusal", async () => {
    await withServiceProvider();
    await page.goto(party.login);
    await page.getByText("Let it fail").click();
    await button("Deny access").click();
    await page.waitForURL(party.acs);
    assert.match(await page.locator("body").innerText(), /Refused: .*The user was refused/);
  });
});

describe("the assertion consumer service", () => {
  /** A connection that learns an identity provider made with samlify from its metadata. */
  async function withIdentityProvider(options) {
    let metadataUrl;
    party = await startIdentityProvider(async () => (await fetch(metadataUrl)).text(), GAVIN, options);
    const connection = await api("POST", "/connections", {
      organization_id: hooli.id,
      connection_type: "OktaSAML",
      saml_options: { idp_metadata_url: party.metadata },
    });
    const { saml } = await api("PATCH", `/_emulate/connections/${connection.id}`, { state: "active" });
    metadataUrl = saml.sp_metadata_url;
  }

  async function signIn() {
    await openSignIn();
    await field("Email").fill(GAVIN.email);
    await button("Continue").click();
    await page.waitForURL((url) => url.origin === new URL(saas.ready.app).origin);
    assert.equal(await detail("Email").innerText(), GAVIN.email);
    assert.equal(await detail("Organization").innerText(), "Hooli");
    const trace = await newestTrace();
    assert.deepEqual(trace.steps.filter(({ passed }) => !passed), []);
    assert.match(trace.steps.find(({ step }) => step === "departure").detail, /, signed, to http:\/\/localhost:/);
    return trace;
  }

  test("takes what an identity provider made with samlify signs", async () => {
    await withIdentityProvider();
    const trace = await signIn();
    assert.match(trace.steps.find(({ step }) => step === "signature").detail, /signed by a key of the connection/);
    assert.equal(party.seen.length, 1);
    assert.match(party.seen[0].request.assertionConsumerServiceUrl, /\/sso\/saml\/acs\//);
  });

  test("takes what it encrypts, too", async () => {
    await withIdentityProvider({ encrypts: true });
    await signIn();
  });
});
