// Single sign-on in the Admin Portal: the setup of an identity provider, step by step, and the renewal of its certificates.

import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";

import { inspect } from "./inspect.mjs";
import { IdpCertificate, idpMetadata } from "./idp.mjs";
import { button, detail, field, heading, link, openBrowser, page, saas, tabTo, visitExample } from "./visitor.mjs";

visitExample();

let environment, organization;

async function call(method, path, body, apiKey = environment?.api_key) {
  const response = await fetch(new URL(path, saas.ready.emulator), {
    method,
    headers: { "Content-Type": "application/json", ...(apiKey && { Authorization: `Bearer ${apiKey}` }) },
    body: body && JSON.stringify(body),
  });
  const text = await response.text();
  assert.ok(response.ok, `${method} ${path}: ${response.status} ${text}`);
  return text && JSON.parse(text);
}

/** Opens the portal for the organization, by a link of the application. */
async function openPortal(more = {}) {
  const generated = await call("POST", "/portal/generate_link", { organization: organization.id, ...more });
  await page.goto(generated.link);
}

const alert = () => page.getByRole("alert");
const connections = async () => (await call("GET", `/connections?organization_id=${organization.id}`)).data;
const summary = (name) => page.locator("summary").filter({ hasText: name });
const events = async (...names) => {
  const { data } = await call("GET", `/events?${names.map((name) => `events[]=${name}`).join("&")}&limit=100`);
  return data.filter(({ data }) => [data.organization_id, data.connection?.organization_id].includes(organization.id));
};
const eventNames = async (...names) => (await events(...names)).map(({ event }) => event);

/** Chooses an identity provider by its name and its protocol. */
async function choose(name, protocol) {
  await page.getByRole("button", { name: `${name} ${protocol}`, exact: true }).first().click();
}

let number = 0;

beforeEach(async () => {
  const settings = {
    branding: { name: "Acme Rockets", color: "#0f766e" },
    admin_portal: { return_url: saas.ready.app },
  };
  environment ??= await call("POST", "/_emulate/environments", { name: "portal-sso", settings }, null);
  number += 1;
  const name = `Northwind ${number}`;
  const domain = `northwind${number}.example`;
  organization = await call("POST", "/organizations", { name, domain_data: [{ domain, state: "verified" }] });
  organization.email = (local) => `${local}@${domain}`;
});

/** Signs in at the page that stands in for the identity provider. */
async function signInAt(email, more = {}) {
  await heading(/^Who are you at /).waitFor();
  if (!(await field("Email").isVisible())) {
    await page.getByText("Somebody else").click();
  }
  await field("Email").fill(email);
  for (const [label, value] of Object.entries(more)) {
    await field(label).fill(value);
  }
  await button("Sign in").click();
}

describe("the choice of an identity provider", () => {
  test("is found by a part of its name, without a script", async () => {
    await openPortal({ intent: "sso" });
    await heading("Single Sign-On").waitFor();
    await inspect(page, "portal-sso-providers");
    await field("Search identity providers").fill("key saml");
    await page.keyboard.press("Enter");
    await page.getByRole("status").filter({ hasText: "One identity provider" }).waitFor();
    await page.getByRole("button", { name: "Keycloak SAML", exact: true }).first().waitFor();
    await field("Search identity providers").fill("carrier <b>pigeon</b>");
    await button("Search").click();
    await page.getByText("No identity provider is called “carrier <b>pigeon</b>”").waitFor();
    await inspect(page, "portal-sso-providers-none");
    assert.deepEqual(await connections(), []);
  });

  test("is made by the application, if it knows", async () => {
    await openPortal({ intent: "sso", intent_options: { sso: { provider_type: "GoogleSAML" } } });
    await heading("Single Sign-On").waitFor();
    assert.equal(await page.locator(".card > form.idps button").count(), 1);
    await choose("Google Workspace", "SAML");
    await heading("Create an application in Google Workspace").waitFor();
  });
});

describe("the setup", () => {
  test("of OpenID Connect goes from the choice to the first sign-in", async () => {
    await openPortal();
    await page.getByRole("link", { name: /^Single Sign-On/ }).click();
    await choose("Okta", "OpenID Connect");
    await heading("Create an application in Okta").waitFor();
    await page.getByText("Sign-in redirect URIs").waitFor();
    const [draft] = await connections();
    assert.deepEqual([draft.connection_type, draft.state], ["OktaOIDC", "draft"]);
    await inspect(page, "portal-sso-oidc-application");
    await link("Continue").click();
    await heading("Send these claims").waitFor();
    await page.getByRole("cell", { name: "given_name" }).waitFor();
    await inspect(page, "portal-sso-oidc-attributes");
    await link("Continue").click();

    await heading("Tell us about Okta").waitFor();
    await field("Discovery endpoint").fill("https://northwind.okta.example/.well-known/openid-configuration");
    await field("Client ID").fill("0oa1");
    await inspect(page, "portal-sso-oidc-configuration");
    await field("Client secret").fill("s3cret-of-northwind");
    await button("Save and continue").click();

    await heading("Test the sign-in").waitFor();
    assert.equal((await connections())[0].state, "validating");
    await inspect(page, "portal-sso-test");
    await button("Test sign-in").click();
    await signInAt(organization.email("ada"), { "First name": "Ada", Groups: "Engineering, Admins" });
    await heading("The sign-in succeeded").waitFor();
    assert.equal(await detail("Email").innerText(), organization.email("ada"));
    assert.equal(await detail("First name").innerText(), "Ada");
    assert.equal(await detail("Last name").innerText(), "not sent");
    assert.equal(await detail("Groups").innerText(), "Engineering, Admins");
    assert.equal(await page.getByRole("img", { name: "Failed" }).count(), 0);
    await inspect(page, "portal-sso-succeeded");
    const [active] = await connections();
    assert.deepEqual([active.id, active.state], [draft.id, "active"]);
    assert.deepEqual(await eventNames("connection.activated", "connection.deleted"), ["connection.activated"]);

    await link("Single Sign-On").click();
    await heading("Okta").waitFor();
    await page.getByText("Active", { exact: true }).waitFor();
    assert.ok(!(await page.content()).includes("s3cret-of-northwind"));
    await inspect(page, "portal-sso-connection");
    await link("Overview").click();
    await page.getByText("Okta: active").waitFor();
  });

  test("shows why a sign-in failed, and what to do", async () => {
    await openPortal();
    await page.getByRole("link", { name: /^Single Sign-On/ }).click();
    await choose("Microsoft Entra ID", "OpenID Connect");
    await page.getByRole("link", { name: /^Configuration/ }).click();
    await field("Discovery endpoint").fill("https://login.entra.example/.well-known/openid-configuration");
    await field("Client ID").fill("entra");
    await field("Client secret").fill("secret");
    await button("Save and continue").click();
    await button("Test sign-in").click();
    await signInAt("guest@elsewhere.example");
    await heading("The sign-in failed").waitFor();
    const failed = page.locator(".trace-steps li").filter({ has: page.getByRole("img", { name: "Failed" }) });
    assert.equal(await failed.count(), 1);
    assert.match(await failed.innerText(), /elsewhere\.example is no verified domain of Northwind/);
    assert.equal((await connections())[0].state, "validating");
    await inspect(page, "portal-sso-failed");
    await link("Verify a domain").click();
    await heading("Domain verification").waitFor();

    await page.goBack();
    await button("Test again").click();
    await heading(/^Who are you at /).waitFor();
    await page.getByText("Let it fail").click();
    await button("Deny access").click();
    await heading("The sign-in failed").waitFor();
    await page.getByText("assign it to them").waitFor();

    // Half-way, and back another day.
    await page.context().close();
    await openBrowser();
    await openPortal({ intent: "sso" });
    await heading("Test the sign-in").waitFor();
    assert.equal(await page.locator(".sessions li").count(), 2);
    await page.getByRole("link", { name: /guest@elsewhere\.example/ }).click();
    await heading("The sign-in failed").waitFor();
  });

  test("of SAML takes metadata as a file, at an address, or typed", async () => {
    const idp = await IdpCertificate.make("idp.northwind.example");
    await openPortal({ intent: "sso" });
    await choose("Microsoft Entra ID", "SAML");
    await heading("Create an application in Microsoft Entra ID").waitFor();
    await page.getByText("Reply URL (Assertion Consumer Service URL)").waitFor();
    await inspect(page, "portal-sso-saml-application");
    await link("Continue").click();
    await heading("Send these attributes").waitFor();
    await page.getByRole("cell", { name: "user.mail", exact: true }).waitFor();
    await summary("other names").click();
    await field("First name").fill("vorname");
    await button("Save names").click();
    await page.getByRole("cell", { name: "vorname" }).waitFor();
    await inspect(page, "portal-sso-saml-attributes");
    await link("Continue").click();

    await heading("Tell us about Microsoft Entra ID").waitFor();
    await inspect(page, "portal-sso-saml-configuration");
    await summary("Metadata file").click();
    const file = (text) => ({ name: "metadata.xml", mimeType: "text/xml", buffer: Buffer.from(text) });
    await field("Metadata file").setInputFiles(file("<html>no metadata</html>"));
    await button("Save metadata").click();
    await alert().waitFor();
    assert.equal(await field("Metadata file").getAttribute("aria-invalid"), "true");
    await inspect(page, "portal-sso-saml-refused");
    await field("Metadata file").setInputFiles(file(idpMetadata("https://idp.northwind.example", idp)));
    await button("Save metadata").click();
    await heading("Test the sign-in").waitFor();
    const [connection] = await connections();
    const certificates = () => call("GET", `/connections/${connection.id}/saml_idp_signing_certs`);
    assert.deepEqual((await certificates()).data.map(({ value }) => value.trim()), [idp.pem.trim()]);

    await page.getByRole("link", { name: /^Configuration/ }).click();
    await summary("Separate values").waitFor();
    assert.equal(await field("IdP entity ID").inputValue(), "https://idp.northwind.example");
    await summary("Metadata URL").click();
    await page.getByLabel("Metadata URL", { exact: true }).fill("https://idp.northwind.example/metadata");
    await button("Save metadata URL").click();
    await heading("Test the sign-in").waitFor();
    assert.deepEqual((await certificates()).data, []);

    await page.getByRole("link", { name: /^Configuration/ }).click();
    await summary("Separate values").click();
    await field("SSO URL").fill("https://idp.northwind.example/sso");
    await field("IdP entity ID").fill("urn:northwind");
    await field("X.509 certificate").fill("not a certificate");
    await button("Save values").click();
    await page.getByText("The certificate cannot be used").waitFor();
    assert.equal(await field("IdP entity ID").inputValue(), "urn:northwind");
    await inspect(page, "portal-sso-saml-typed");
    await field("X.509 certificate").fill(idp.pem.split("\n").slice(1, -2).join(""));
    await button("Save values").click();
    await button("Test sign-in").click();
    await signInAt(organization.email("grace"), { "First name": "Grace" });
    await heading("The sign-in succeeded").waitFor();
    assert.equal(await detail("First name").innerText(), "Grace");
    await page.getByText("All that was sent").click();
    assert.match(await page.locator("details pre").innerText(), /"vorname"[^]*"Grace"/);
    await link("Single Sign-On").click();
    await inspect(page, "portal-sso-saml-connection");
  });

  test("begins from scratch after a reset", async () => {
    await openPortal({ intent: "sso" });
    await choose("Custom SAML", "SAML");
    await heading("Create an application in your identity provider").waitFor();
    await link("Single Sign-On").click();
    await heading("SAML provider").waitFor();
    await link("Go on with the setup").waitFor();
    await inspect(page, "portal-sso-draft");
    await summary("Reset connection").click();
    await button("Reset connection").click();
    await button("Search").waitFor();
    assert.deepEqual(await connections(), []);
    assert.deepEqual(await eventNames("connection.activated", "connection.deleted"), ["connection.deleted"]);
  });

  test("works with the keyboard alone", async () => {
    await openPortal({ intent: "sso" });
    await tabTo(page.getByRole("button", { name: "Okta OpenID Connect", exact: true }).first());
    await page.keyboard.press("Enter");
    await heading("Create an application in Okta").waitFor();
    await tabTo(link("Continue"));
    await page.keyboard.press("Enter");
    await heading("Send these claims").waitFor();
    await tabTo(link("Continue"));
    await page.keyboard.press("Enter");
    await tabTo(field("Discovery endpoint"));
    await page.keyboard.type("https://idp.northwind.example/.well-known/openid-configuration");
    await page.keyboard.press("Tab");
    await page.keyboard.type("client");
    await page.keyboard.press("Tab");
    await page.keyboard.type("secret");
    await page.keyboard.press("Enter");
    await heading("Test the sign-in").waitFor();
    await tabTo(button("Test sign-in"));
    await page.keyboard.press("Enter");
    await heading(/^Who are you at /).waitFor();
  });
});

describe("certificate renewal", () => {
  test("keeps the old certificate until it is removed", async () => {
    const old = await IdpCertificate.make("idp.northwind.example", 20);
    const renewed = await IdpCertificate.make("idp.northwind.example", 365);
    const connection = await call("POST", "/connections", {
      organization_id: organization.id,
      connection_type: "OktaSAML",
      saml_options: { idp_sso_url: "https://idp.northwind.example/sso", idp_signing_certs: [old.pem] },
    });
    await openPortal({ intent: "certificate_renewal" });
    await heading("Certificate renewal").waitFor();
    const rows = page.locator(".certificates").first().getByRole("listitem");
    assert.equal(await rows.count(), 1);
    assert.match(await rows.innerText(), /Expires in (19|20) days[^]*CN=idp\.northwind\.example/);
    assert.ok((await rows.innerText()).includes(old.fingerprint));
    assert.equal(await page.getByRole("button", { name: /^Remove/ }).count(), 0, "the only one stays");
    await inspect(page, "portal-certificates");

    await page.getByLabel("Or paste the certificate").fill(old.pem);
    await button("Add certificate").click();
    await page.getByText("This certificate is in the list already").waitFor();
    await inspect(page, "portal-certificates-refused");
    const file = { name: "renewed.pem", mimeType: "application/x-pem-file", buffer: Buffer.from(renewed.pem) };
    await field("Certificate or metadata file").setInputFiles(file);
    await page.getByLabel("Or paste the certificate").fill("");
    await button("Add certificate").click();
    await page.getByText(renewed.fingerprint).waitFor();
    assert.equal(await rows.count(), 2);
    assert.deepEqual(await eventNames("connection.saml_certificate_renewed"), ["connection.saml_certificate_renewed"]);
    await inspect(page, "portal-certificates-renewed");

    await rows.filter({ hasText: old.fingerprint }).getByRole("button", { name: /^Remove/ }).click();
    await page.getByText(old.fingerprint).waitFor({ state: "detached" });
    const { data } = await call("GET", `/connections/${connection.id}/saml_idp_signing_certs`);
    assert.deepEqual(data.map(({ value }) => value.trim()), [renewed.pem.trim()]);
    await button("Finish").click();
    await page.waitForURL((url) => url.origin === new URL(saas.ready.app).origin);
  });

  test("says that there is nothing to renew", async () => {
    await openPortal({ intent: "certificate_renewal" });
    await page.getByText("There is nothing to renew").waitFor();
    await inspect(page, "portal-certificates-none");
  });
});
