// The example as a product: what a person does in it, from organization to organization, with the account, with others.

import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { impersonationOf, set } from "./control.mjs";
import { inspect } from "./inspect.mjs";
import { post, row, signIn, status, switchTo } from "./product.mjs";
import {
  assertDashboard,
  button,
  detail,
  field,
  heading,
  link,
  openBrowser,
  page,
  saas,
  userWith,
  visitExample,
} from "./visitor.mjs";

visitExample();

describe("organizations", () => {
  test("are switched in the header, and each has its own documents and rights", async () => {
    const user = userWith(2);
    const [member, admin] = user.organizations;
    await signIn(user, admin);
    await field("Title").fill("Plans for <i>spring</i>");
    await button("Add a document").click();
    await row("Plans for <i>spring</i>").waitFor();
    await inspect(page, "product-dashboard");

    await switchTo(member);
    await assertDashboard(user, member);
    assert.equal(await row("Plans for").count(), 0);
    assert.equal(await button("Add a document").count(), 0, "a member reads");
    assert.equal(await link("Members").count(), 0);
    const refused = await page.goto(`${saas.ready.app}/members`);
    assert.equal(refused.status(), 403);
    await heading("That did not work").waitFor();
    await inspect(page, "product-forbidden");

    await page.goto(`${saas.ready.app}/dashboard`);
    await switchTo(admin);
    await assertDashboard(user, admin);
    await row("Plans for <i>spring</i>").waitFor();
  });

  test("of others cannot be switched to", async () => {
    const user = userWith(1);
    const stranger = userWith(2);
    await signIn(stranger, stranger.organizations[1]);
    const foreign = await field("Organization").inputValue();
    await page.context().close();
    await openBrowser();
    await signIn(user, user.organizations[0]);
    assert.equal(await post("/auth/switch-organization", { organization_id: foreign }), 403);
    await page.reload();
    await assertDashboard(user, user.organizations[0]);
  });

  test("are made by whoever signs up, as their admin", async () => {
    const person = { first_name: "Nora", last_name: "New", email: "nora@example.com", password: "seven quiet lighthouses drift" };
    await set({ email_verification: false });
    await page.goto(saas.ready.app);
    await link("Sign up").first().click();
    await field("First name").fill(person.first_name);
    await field("Last name").fill(person.last_name);
    await field("Email").fill(person.email);
    await field("Password").fill(person.password);
    await button("Create account").click();
    await heading("Dashboard").waitFor();
    assert.equal((await detail("Organization").innerText()).trim(), "none");
    await inspect(page, "product-no-organization");
    await field("Name of the organization").fill("Nora & Daughters");
    await button("Make an organization").click();
    await page.getByRole("heading", { name: "Documents of Nora & Daughters" }).waitFor();
    assert.equal((await detail("Role").innerText()).trim(), "admin");
    assert.equal((await detail("Organization").innerText()).trim(), "Nora & Daughters");
    await link("Members").click();
    await row(person.email).waitFor();
    await set({ email_verification: null });
  });
});

describe("the account", () => {
  test("shows the profile, and where the person is signed in, and ends that elsewhere", async () => {
    const user = userWith(1);
    await signIn(user, user.organizations[0]);
    const elsewhere = page;
    await openBrowser();
    await signIn(user, user.organizations[0]);
    await link("Account").click();
    await heading("Account").waitFor();
    assert.equal((await detail("Name").innerText()).trim(), user.name);
    assert.equal(await row("this browser").count(), 1);
    const before = await row("Chrome on Linux").count();
    assert.ok(before >= 2, `${before} sessions`);
    await inspect(page, "product-account");
    await button("Sign out everywhere else").click();
    await status().filter({ hasText: "signed out everywhere else" }).waitFor();
    assert.equal(await row("Chrome on Linux").count(), 1);
    await inspect(page, "product-account-done");
    await elsewhere.context().close();
  });
});

describe("members", () => {
  test("are listed for an admin", async () => {
    const user = userWith(1);
    await signIn(user, user.organizations[0]);
    await link("Members").click();
    await heading("Members").waitFor();
    for (const { email } of saas.ready.users) {
      await row(email).waitFor();
    }
    await inspect(page, "product-members");
  });
});

describe("impersonation", () => {
  test("is seen on every page, keeps away from what is personal, and stops", async () => {
    const user = userWith(1);
    await page.goto(await impersonationOf(user.email));
    await heading("Dashboard").waitFor();
    await assertDashboard(user, user.organizations[0]);
    const banner = page.getByRole("region", { name: "Impersonation" });
    const text = await banner.innerText();
    assert.ok(text.includes(`support@paperboat.example is signed in as ${user.name}.`), text);
    assert.ok(text.includes("She asked <b>for help</b>"), text);
    await inspect(page, "product-impersonation");
    await link("Account").click();
    await heading("Account").waitFor();
    await banner.waitFor();
    assert.equal(await button("Reset password").count(), 0);
    assert.equal(await post("/account/password", {}), 403);
    await inspect(page, "product-impersonation-account");
    await button("Stop").click();
    await link("Sign in").waitFor();
    await page.goto(`${saas.ready.app}/dashboard`);
    await heading("Sign in").waitFor();
  });
});

describe("a form on another site", () => {
  test("changes nothing, with the session or without", async () => {
    const user = userWith(1);
    await signIn(user, user.organizations[0]);
    const cookies = await page.context().cookies(saas.ready.app);
    const cookie = cookies.map(({ name, value }) => `${name}=${value}`).join("; ");
    for (const path of ["/documents", "/organizations", "/account/password", "/account/two-step", "/members/invitations", "/auth/switch-organization"]) {
      for (const headers of [{ origin: "https://foreign.example" }, { origin: "null" }, { "sec-fetch-site": "cross-site" }]) {
        const send = async (more) => {
          const response = await fetch(`${saas.ready.app}${path}`, { method: "POST", headers: { ...headers, ...more }, redirect: "manual" });
          return response.status;
        };
        assert.equal(await send({ cookie }), 403, `${path} ${JSON.stringify(headers)}`);
        const stranger = path.startsWith("/auth/") ? 403 : 401;
        assert.equal(await send({}), stranger, `${path} ${JSON.stringify(headers)}`);
      }
    }
  });
});
