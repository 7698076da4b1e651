// Single sign-on through an OpenID provider that is not ours, as a person sees it.

import assert from "node:assert/strict";
import { afterEach, describe, test } from "node:test";

import { inspect } from "./inspect.mjs";
import { startProvider } from "./openid_provider.mjs";
import { button, detail, field, heading, link, openSignIn, page, saas, visitExample } from "./visitor.mjs";

visitExample();

const EMAIL = "gavin@hooli.example";
const CLAIMS = { given_name: "Gavin", family_name: "Belson", groups: ["Board", "Engineering"] };

async function api(method, path, body) {
  const response = await fetch(new URL(path, saas.ready.emulator), {
    method,
    headers: { "Content-Type": "application/json", Authorization: "Bearer sk_test_default" },
    body: body && JSON.stringify(body),
  });
  assert.ok(response.ok, `${method} ${path}: ${response.status} ${await response.clone().text()}`);
  return response.json();
}

let provider;

afterEach(async () => {
  await provider?.stop();
  provider = undefined;
  await fetch(new URL("/_emulate/reset", saas.ready.emulator), { method: "POST" });
});

/** Hooli, whose connection of this type leads to a provider that has WorkOS as a client with these members. */
async function hooli(connection_type, members = {}, options = {}) {
  const organization = await api("POST", "/organizations", {
    name: "Hooli",
    domain_data: [{ domain: "hooli.example", state: "verified" }],
  });
  const secret = { client_id: "workos", client_secret: "a secret of + % : and more" };
  provider = await startProvider(async (issuer) => {
    const connection = await api("POST", "/connections", {
      organization_id: organization.id,
      name: "Hooli's own",
      connection_type,
      oidc_options: { discovery_endpoint: `${issuer}/.well-known/openid-configuration`, ...secret, ...options },
    });
    const { redirect_uri } = await api("PATCH", `/_emulate/connections/${connection.id}`, { state: "active" });
    return [
      {
        ...secret,
        redirect_uris: [redirect_uri],
        grant_types: ["authorization_code"],
        response_types: ["code"],
        scope: "openid email profile groups",
        ...members,
      },
    ];
  }, CLAIMS);
}

/** From the app to the provider's own sign-in page. */
async function toProvider() {
  await openSignIn();
  await field("Email").fill(EMAIL);
  await button("Continue").click();
  await page.waitForURL((url) => url.origin === provider.issuer);
  await heading("Sign-in").waitFor();
}

async function signInAtProvider() {
  const login = page.getByPlaceholder("Enter any login");
  assert.equal(await login.inputValue(), EMAIL, "the address is handed on");
  await page.getByPlaceholder("and password").fill("any");
  await button("Sign-in").click();
  await heading("Authorize").waitFor();
  await button("Continue").click();
}

async function newestTrace() {
  const { data } = await api("GET", "/_emulate/sso/traces");
  return data[0];
}

async function assertSignedIn() {
  await page.waitForURL((url) => url.origin === new URL(saas.ready.app).origin);
  assert.equal(await detail("Email").innerText(), EMAIL);
  assert.equal(await detail("Name").innerText(), "Gavin Belson");
  assert.equal(await detail("Organization").innerText(), "Hooli");
  const trace = await newestTrace();
  assert.deepEqual(
    trace.steps.filter(({ passed }) => !passed),
    [],
  );
  return trace.steps.map(({ step }) => step);
}

describe("an OpenID provider of somebody else", () => {
  test("signs people in, whom its userinfo tells of", async () => {
    await hooli("GenericOIDC");
    await toProvider();
    await signInAtProvider();
    await heading("Is this you?").waitFor();
    assert.equal(await detail("Email").innerText(), EMAIL);
    await button("Continue").click();
    const steps = await assertSignedIn();
    // Its ID tokens have nothing but `sub`.
    assert.ok(steps.includes("user_info"), steps.join());
    await page.goto(new URL("/sso/traces", saas.ready.emulator).href);
    const trace = page.locator(".traces > li").first();
    assert.match(await trace.innerText(), /Signature of the ID token[^]*RS256[^]*Nonce of the ID token/);
    await inspect(page, "sso-traces-federation");
  });

  test("signs with another algorithm, and takes the secret in the form", async () => {
    await hooli(
      "OktaOIDC",
      { token_endpoint_auth_method: "client_secret_post", id_token_signed_response_alg: "ES256" },
      { token_authentication_method: "client_secret_post", id_token_signature_algorithm: "ES256" },
    );
    await toProvider();
    await signInAtProvider();
    await assertSignedIn();
    const trace = await newestTrace();
    assert.match(trace.steps.find(({ step }) => step === "id_token_signature").detail, /ES256/);
  });

  test("is asked in vain by somebody who gives up there", async () => {
    await hooli("OktaOIDC");
    await toProvider();
    await page.getByRole("link", { name: /Cancel/ }).click();
    await heading("You are not signed in").waitFor();
    assert.match(await page.getByRole("main").innerText(), /did not let you in/);
    assert.equal((await newestTrace()).error.code, "access_denied");
    await link("Choose how to sign in").click();
    await heading("Sign in").waitFor();
  });

  test("refuses a client whose secret is wrong", async () => {
    await hooli("OktaOIDC", { client_secret: "another one" });
    await toProvider();
    await signInAtProvider();
    await heading("You are not signed in").waitFor();
    const trace = await newestTrace();
    const red = trace.steps.find(({ passed }) => !passed);
    assert.equal(red.step, "token_request");
    assert.match(red.detail, /401: invalid_client/);
  });
});
