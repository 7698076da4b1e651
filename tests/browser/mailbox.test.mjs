// The mailbox page, as a developer reads it.

import assert from "node:assert/strict";
import { before, describe, test } from "node:test";

import { inspect } from "./inspect.mjs";
import { button, field, heading, link, openBrowser, page, saas, visitExample } from "./visitor.mjs";

visitExample();

const PASSWORD = "seven quiet lighthouses";

async function call(method, path, body, apiKey) {
  const response = await fetch(new URL(path, saas.ready.emulator), {
    method,
    headers: { "Content-Type": "application/json", ...(apiKey && { Authorization: `Bearer ${apiKey}` }) },
    body: JSON.stringify(body),
  });
  return { status: response.status, body: await response.json() };
}

/** An environment with Ada in it, and the API key to call it with. */
async function environment(name, settings) {
  const seed = { users: [{ email: "ada@example.com", password: PASSWORD, email_verified: true }] };
  const { status, body } = await call("POST", "/_emulate/environments", { name, seed, settings });
  assert.equal(status, 201, JSON.stringify(body));
  return body;
}

const mailbox = (name, query = "") => new URL(`/mailbox?environment=${name}${query}`, saas.ready.emulator).href;

describe("the mailbox", () => {
  before(async () => {
    await environment("quiet");
    const branding = { name: "Acme Rockets", color: "#0f766e" };
    const busy = await environment("busy", { radar_challenge: "email", branding });
    await call("POST", "/user_management/users", { email: "bob@example.com" }, busy.api_key);
    for (const email of ["bob@example.com", "ada@example.com"]) {
      const { status } = await call("POST", "/user_management/password_reset", { email }, busy.api_key);
      assert.equal(status, 201);
    }
    const credentials = {
      client_id: busy.client_id,
      client_secret: busy.api_key,
      grant_type: "password",
      email: "ada@example.com",
      password: PASSWORD,
    };
    const { body } = await call("POST", "/user_management/authenticate", credentials);
    assert.equal(body.code, "radar_challenge", JSON.stringify(body));
  });

  test("says what will come while it is empty", async () => {
    await page.goto(mailbox("quiet"));
    await heading("Mailbox").waitFor();
    await page.getByRole("heading", { level: 2, name: "No mail yet" }).waitFor();
    await inspect(page, "mailbox-empty");
  });

  test("lists what was sent, newest first, with codes and links", async () => {
    await page.goto(mailbox("busy"));
    const items = page.getByRole("list").getByRole("listitem");
    assert.equal(await items.count(), 3);
    assert.match(await items.nth(0).innerText(), /Confirm that it is you[^]*ada@example\.com[^]*radar_challenge[^]*\d{6}/);
    assert.match(await items.nth(1).innerText(), /Reset your password[^]*ada@example\.com/);
    assert.match(await items.nth(2).innerText(), /Reset your password[^]*bob@example\.com/);
    await inspect(page, "mailbox");
  });

  test("shows the messages to one address", async () => {
    await page.goto(mailbox("busy"));
    await field("Sent to").fill("Bob@example.com");
    await button("Filter").click();
    const items = page.getByRole("list").getByRole("listitem");
    assert.equal(await items.count(), 1);
    assert.equal(await field("Sent to").inputValue(), "Bob@example.com");
    await field("Sent to").fill("eve@example.com");
    await button("Filter").click();
    await page.getByRole("heading", { level: 2, name: "No mail to eve@example.com" }).waitFor();
    await inspect(page, "mailbox-nothing-found");
    await link("Show all messages").click();
    await items.nth(2).waitFor();
  });

  test("shows a message as its reader sees it, and its link leads on", async () => {
    await page.goto(mailbox("busy"));
    await link("Reset your password").first().click();
    await heading("Reset your password").waitFor();
    const mail = page.frameLocator("iframe");
    await mail.getByText("Sent to ada@example.com by Acme Rockets").waitFor();
    await inspect(page, "mailbox-message");
    await page.getByText("As plain text").click();
    await page.getByText("Somebody asked for a new password").last().waitFor();
    await mail.getByRole("link", { name: "Reset password", exact: true }).click();
    await heading("Choose a new password").waitFor();
    assert.equal(new URL(page.url()).pathname, "/authkit/reset-password");
  });

  test("shows a code large", async () => {
    await page.goto(mailbox("busy"));
    await link("Confirm that it is you").click();
    await heading("Confirm that it is you").waitFor();
    await page.getByText(/^\d{6}$/).first().waitFor();
    await inspect(page, "mailbox-code");
  });

  test("works without JavaScript", async () => {
    await page.context().close();
    await openBrowser({ javaScriptEnabled: false });
    await page.goto(mailbox("busy"));
    await field("Sent to").fill("bob@example.com");
    await button("Filter").click();
    await page.getByRole("link", { name: /^Open link/ }).click();
    await heading("Choose a new password").waitFor();
  });
});
