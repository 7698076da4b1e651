// The Admin Portal, as the IT admin of an organization sees it.

import assert from "node:assert/strict";
import { before, describe, test } from "node:test";

import { inspect } from "./inspect.mjs";
import { button, field, heading, link, openBrowser, page, saas, tabTo, visitExample } from "./visitor.mjs";

visitExample();

let environment;

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

const organization = (name, domain_data = []) => call("POST", "/organizations", { name, domain_data });

/** Opens the portal for an organization, by a link of the application. */
async function openPortal(organization, more = {}) {
  const generated = await call("POST", "/portal/generate_link", { organization: organization.id, ...more });
  await page.goto(generated.link);
  return generated.link;
}

const alert = () => page.getByRole("alert");

describe("the Admin Portal", () => {
  before(async () => {
    const settings = {
      domain_verification: "manual",
      branding: { name: "Acme Rockets", color: "#0f766e" },
      admin_portal: { return_url: saas.ready.app },
    };
    const wanted = { name: "portal", settings };
    environment = await call("POST", "/_emulate/environments", wanted, null);
  });

  test("shows the steps of a setup, and leads back to the application", async () => {
    const northwind = await organization("Northwind Traders", [{ domain: "northwind.example", state: "verified" }]);
    await openPortal(northwind);
    await heading("Set up Northwind Traders").waitFor();
    await page.getByText("1 domain verified").waitFor();
    await inspect(page, "portal-overview");
    await page.getByRole("link", { name: /^Log streams/ }).click();
    await heading("Log streams").waitFor();
    await inspect(page, "portal-not-served");
    await link("Overview").click();
    await link("Acme Rockets").click();
    await page.waitForURL((url) => url.origin === new URL(saas.ready.app).origin);
  });

  test("verifies a domain by its DNS record", async () => {
    const tailspin = await organization("Tailspin Toys");
    await openPortal(tailspin, { intent: "domain_verification" });
    await heading("Domain verification").waitFor();
    await inspect(page, "portal-domains-empty");
    await field("Domain").fill("gmail.com");
    await button("Add domain").click();
    await page.getByText("is a consumer domain").waitFor();
    assert.equal(await field("Domain").getAttribute("aria-invalid"), "true");
    await inspect(page, "portal-domains-refused");
    await field("Domain").fill("tailspin.example");
    await button("Add domain").click();
    await heading("tailspin.example").waitFor();
    await inspect(page, "portal-domain-pending");
    await button("Check DNS").click();
    await alert().waitFor();
    assert.ok(await alert().evaluate((element) => element === document.activeElement), "the focus is on the alert");
    await inspect(page, "portal-domain-not-found");

    const { domains } = await call("GET", `/organizations/${tailspin.id}`);
    await call("POST", `/_emulate/organization_domains/${domains[0].id}/dns`);
    await button("Check DNS").click();
    await page.getByText("Verified", { exact: true }).waitFor();
    await inspect(page, "portal-domain-verified");
    await button("Finish").click();
    await page.waitForURL((url) => url.origin === new URL(saas.ready.app).origin);
  });

  test("says why a domain failed", async () => {
    const fabrikam = await organization("Fabrikam", [{ domain: "fabrikam.example", state: "pending" }]);
    await call("PATCH", `/_emulate/organization_domains/${fabrikam.domains[0].id}`, { state: "failed" });
    await openPortal(fabrikam, { intent: "domain_verification" });
    await page.getByRole("link", { name: /fabrikam\.example/ }).click();
    await alert().waitFor();
    await inspect(page, "portal-domain-failed");
    await button("Try again").click();
    await page.getByText("Pending", { exact: true }).waitFor();
  });

  test("links a directory, and shows its token once", async () => {
    const contoso = await organization("Contoso");
    await openPortal(contoso, { intent: "dsync" });
    await heading("Directory Sync").waitFor();
    await inspect(page, "portal-directory-choice");
    await field("Directory provider").selectOption("Microsoft Entra ID");
    await button("Link directory").click();
    await heading("Microsoft Entra ID").waitFor();
    await page.getByRole("status").waitFor();
    const token = await page.getByText(/^se_/).innerText();
    await inspect(page, "portal-directory-linked");
    const { data } = await call("GET", `/directories?organization_id=${contoso.id}`);
    for (const name of ["Ada Lovelace", "Grace Hopper"]) {
      const [first_name, last_name] = name.split(" ");
      const email = `${first_name.toLowerCase()}@contoso.example`;
      const user = { email, first_name, last_name, groups: ["Engineering"] };
      await call("POST", `/_emulate/directories/${data[0].id}/users`, user);
    }
    await link("Directory Sync").click();
    await page.getByRole("link", { name: /Microsoft Entra ID/ }).click();
    await page.getByText("ada@contoso.example").waitFor();
    await page.getByText("Engineering").waitFor();
    assert.ok(!(await page.content()).includes(token), "the token is not shown again");
    await inspect(page, "portal-directory-synced");
  });

  test("opens by the mail to an IT contact, and ends with the setup", async () => {
    const wingtip = await organization("Wingtip Toys", [{ domain: "wingtip.example", state: "verified" }]);
    const contact = await call("POST", `/organizations/${wingtip.id}/it_contacts`, { email: "it@wingtip.example" });
    const intents = ["domain_verification", "directory_sync"];
    await call("POST", `/organizations/${wingtip.id}/it_contacts/${contact.id}/invite`, { intents });
    const { data } = await call("GET", "/_emulate/mailbox?to=it@wingtip.example");
    await page.goto(data[0].url);
    await heading("Set up Wingtip Toys").waitFor();
    await page.getByRole("link", { name: /^Directory Sync/ }).click();
    await button("Link directory").click();
    await button("Finish").click();
    await heading("Setup finished").waitFor();
    await inspect(page, "portal-finished");
  });

  test("works with the keyboard alone", async () => {
    const adatum = await organization("Adatum");
    await openPortal(adatum, { intent: "domain_verification" });
    await tabTo(field("Domain"));
    await page.keyboard.type("adatum.example");
    await page.keyboard.press("Enter");
    await heading("adatum.example").waitFor();
    await tabTo(button("Check DNS"));
    await page.keyboard.press("Enter");
    await alert().waitFor();
  });

  test("does not open twice, nor in another browser", async () => {
    const litware = await organization("Litware");
    const opened = await openPortal(litware, { intent: "domain_verification" });
    await heading("Domain verification").waitFor();
    const inside = page.url();
    await page.context().close();
    await openBrowser();
    await page.goto(inside);
    await heading("This page is not open to you").waitFor();
    await page.goto(opened);
    await heading("This link is over").waitFor();
    await inspect(page, "portal-link-over");
  });
});
