// The whole way of an IT admin: from the app's page of people through the Admin Portal, until the app's database has the
// people of the organization. Single sign-on is set up twice: by SAML metadata, and by OpenID Connect with a provider that
// is another emulator.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";

import { control, set } from "./control.mjs";
import { IdpCertificate, idpMetadata } from "./idp.mjs";
import { inspect } from "./inspect.mjs";
import { startSaas } from "./launch.mjs";
import { people, signIn } from "./product.mjs";
import { Directory } from "./scim.mjs";
import { button, detail, field, heading, link, page, saas, userWith, visitExample } from "./visitor.mjs";

visitExample();

const DOMAIN = "globex.example";

/** Calls WorkOS, be it the app's or the provider's. */
async function call({ emulator, api_key }, method, path, body) {
  const headers = { authorization: `Bearer ${api_key}`, "content-type": "application/json" };
  const response = await fetch(`${emulator}${path}`, { method, headers, body: body && JSON.stringify(body) });
  const text = await response.text();
  assert.ok(response.ok, `${method} ${path}: ${response.status} ${text}`);
  return text && JSON.parse(text);
}

/** Opens the portal from the app's page of people, as Bob, who administers Globex. */
async function openPortal(intent) {
  await page.goto(`${saas.ready.app}/people`);
  await button(intent).click();
  await page.waitForURL((url) => url.origin === new URL(saas.ready.emulator).origin);
}

async function finish() {
  await button("Finish").click();
  await page.waitForURL(`${saas.ready.app}/people`);
}

const choose = (name) => page.getByRole("button", { name, exact: true }).first().click();
const value = (name) => page.locator("dt").filter({ hasText: name }).locator("xpath=following-sibling::dd[1]").innerText();

describe("an IT admin", { concurrency: false }, () => {
  let idp, bob, globex, connection, directory, engineering, sales, ana, ben, cleo;

  before(async () => {
    idp = await startSaas();
  });
  after(() => idp?.stop());

  /** Every test begins with a browser of its own. */
  const begin = async () => {
    bob = userWith(2);
    globex = bob.organizations.find(({ name }) => name === "Globex");
    await signIn(bob, globex);
  };
  const connections = async () => {
    const { data } = await call(saas.ready, "GET", "/connections");
    return data.filter(({ organization_id }) => organization_id === connection?.organization_id || !connection);
  };

  test("verifies the domain of the organization", async () => {
    await begin();
    await set({ domain_verification: "manual" });
    await openPortal("Domains");
    await field("Domain").fill(DOMAIN);
    await button("Add domain").click();
    await heading(DOMAIN).waitFor();
    await button("Check DNS").click();
    await page.getByRole("alert").waitFor();
    const { data } = await call(saas.ready, "GET", `/organizations?domains=${DOMAIN}`);
    const { id } = data[0].domains.find(({ domain }) => domain === DOMAIN);
    await control(`/organization_domains/${id}/dns`, {});
    await button("Check DNS").click();
    await page.getByText("Verified", { exact: true }).waitFor();
    await finish();
  });

  test("sets up SAML with a metadata file, and tests it", async () => {
    await begin();
    await openPortal("Single sign-on");
    await choose("Microsoft Entra ID SAML");
    await link("Continue").click();
    await link("Continue").click();
    const metadata = idpMetadata("https://login.globex.example", await IdpCertificate.make("login.globex.example"));
    const file = { name: "federationmetadata.xml", mimeType: "text/xml", buffer: Buffer.from(metadata) };
    await page.locator("summary").filter({ hasText: "Metadata file" }).click();
    await field("Metadata file").setInputFiles(file);
    await button("Save metadata").click();
    await button("Test sign-in").click();
    await heading("Who are you at Globex?").waitFor();
    await field("Email").fill(`gil@${DOMAIN}`);
    await button("Sign in").click();
    await heading("The sign-in succeeded").waitFor();
    [connection] = await connections();
    assert.deepEqual([connection.connection_type, connection.state], ["AzureSAML", "active"]);
    await link("Single Sign-On").click();
    await page.getByText("Reset connection").first().click();
    await button("Reset connection").click();
    await heading("Single Sign-On").waitFor();
    assert.deepEqual(await connections(), []);
  });

  test("sets up OpenID Connect with a real provider, and tests it", async () => {
    await begin();
    await openPortal("Single sign-on");
    await choose("Custom OIDC OpenID Connect");
    await heading("Create an application in your identity provider").waitFor();

    // What is done at the provider, with the address that the portal shows.
    const uri = await value("Redirect URI");
    const application = await call(idp.ready, "POST", "/connect/applications", {
      name: "Paperboat",
      application_type: "oauth",
      is_first_party: true,
      redirect_uris: [{ uri, default: true }],
    });
    const { secret } = await call(idp.ready, "POST", `/connect/applications/${application.id}/client_secrets`, {});
    const password = "eleven calm harbours";
    const gil = { email: `gil@${DOMAIN}`, first_name: "Gil", last_name: "Gray", password, email_verified: true };
    await call(idp.ready, "POST", "/user_management/users", gil);

    await link("Continue").click();
    await link("Continue").click();
    await field("Discovery endpoint").fill(`${saas.ready.emulator}/.well-known/nothing`);
    await field("Client ID").fill(application.client_id);
    await field("Client secret").fill(secret);
    await button("Save and continue").click();
    await page.getByRole("alert").waitFor();
    assert.equal(await field("Discovery endpoint").getAttribute("aria-invalid"), "true");
    await inspect(page, "portal-journey-oidc-refused");
    await field("Discovery endpoint").fill(`${idp.ready.emulator}/.well-known/openid-configuration`);
    await field("Client secret").fill(secret);
    await button("Save and continue").click();
    await heading("Test the sign-in").waitFor();

    await button("Test sign-in").click();
    await heading("Sign in").waitFor();
    assert.equal(new URL(page.url()).origin, new URL(idp.ready.emulator).origin, "the provider asks who it is");
    await field("Email").fill(gil.email);
    await button("Continue").click();
    await field("Password").fill(password);
    await button("Sign in").click();
    await heading("The sign-in succeeded").waitFor();
    assert.equal(new URL(page.url()).origin, new URL(saas.ready.emulator).origin);
    assert.equal(await detail("First name").innerText(), "Gil");
    await inspect(page, "portal-journey-oidc-succeeded");
    const [active] = await connections();
    assert.deepEqual([active.connection_type, active.state], ["GenericOIDC", "active"]);
    await finish();
  });

  test("links a directory, and three people come", async () => {
    await begin();
    await openPortal("Directory");
    await field("Directory provider").selectOption("Okta");
    await button("Link directory").click();
    await page.getByRole("status").filter({ hasText: "Copy the token now" }).waitFor();
    directory = new Directory(await value("Endpoint"), await value("Token"));
    await page.reload();
    await finish();
    ana = await directory.push("Ana", "Abel", DOMAIN);
    ben = await directory.push("Ben", "Bell", DOMAIN);
    cleo = await directory.push("Cleo", "Cole", DOMAIN);
    engineering = await directory.pushGroup("Engineering");
    sales = await directory.pushGroup("Sales");
    await directory.join(engineering, ana);
    await directory.join(engineering, ben);
    assert.deepEqual(await ofDirectory(), [
      "Ana Abel: member, Engineering, Active, Directory",
      "Ben Bell: member, Engineering, Active, Directory",
      "Cleo Cole: member, –, Active, Directory",
    ]);
  });

  test("moves one of them between groups", async () => {
    await begin();
    await directory.leave(engineering, ben);
    await directory.join(sales, ben);
    assert.deepEqual(await ofDirectory(), [
      "Ana Abel: member, Engineering, Active, Directory",
      "Ben Bell: member, Sales, Active, Directory",
      "Cleo Cole: member, –, Active, Directory",
    ]);
  });

  test("deactivates one, and deletes one", async () => {
    await begin();
    await set({ directory_sync: { inactive_users: "keep" } });
    await directory.setActive(cleo, false);
    assert.equal((await ofDirectory()).at(-1), "Cleo Cole: member, –, Deactivated, Directory");
    await directory.call("DELETE", `/Users/${ben.id}`);
    assert.deepEqual(await ofDirectory(), [
      "Ana Abel: member, Engineering, Active, Directory",
      "Cleo Cole: member, –, Deactivated, Directory",
      "Ben Bell: member, Sales, Removed, Directory",
    ]);
    await openPortal("Directory");
    await page.getByRole("link", { name: /^Okta/ }).click();
    await page.getByText(`ana@${DOMAIN}`).waitFor();
    assert.equal(await page.getByText(`ben@${DOMAIN}`).count(), 0);
  });

  /** What the app's database has of the directory's people. */
  const ofDirectory = async () => (await people()).filter((row) => row.endsWith("Directory"));
});
