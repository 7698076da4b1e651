// The pages with what real environments have: long names, names from right to left, many choices, large letters.

import assert from "node:assert/strict";
import { afterEach, describe, test } from "node:test";

import { inspect } from "./inspect.mjs";
import { button, field, heading, link, openSignIn, page, saas, userWith, visitExample } from "./visitor.mjs";

visitExample();

const LONG = `${"Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft".repeat(2)} GmbH & Co. KG`;
const RTL = "شركة الأمثلة المحدودة";
const PROVIDERS = [
  "AppleOAuth", "BitbucketOAuth", "GitHubOAuth", "GitLabOAuth", "GoogleOAuth", "IntuitOAuth", "LinkedInOAuth", "MicrosoftOAuth",
  "SalesforceOAuth", "SlackOAuth", "VercelMarketplaceOAuth", "VercelOAuth", "XeroOAuth",
];

async function call(method, path, body) {
  const answer = await fetch(new URL(path, saas.ready.emulator), {
    method,
    headers: { "Content-Type": "application/json", Authorization: `Bearer ${await key()}` },
    body: JSON.stringify(body),
  });
  const text = await answer.text();
  assert.ok(answer.ok, `${method} ${path}: ${answer.status} ${text}`);
  return text ? JSON.parse(text) : null;
}

async function key() {
  const answer = await fetch(new URL("/_emulate/environments", saas.ready.emulator));
  return (await answer.json()).data[0].api_key;
}

const set = (settings) => call("PATCH", "/_emulate/settings", settings);

async function identify(email) {
  await openSignIn();
  await field("Email").fill(email);
  await button("Continue").click();
}

/** As somebody who needs letters twice as large: half as many of them fit (WCAG 1.4.4 and 1.4.10). */
async function assertFitsAt200Percent() {
  const before = page.viewportSize();
  await page.setViewportSize({ width: 320, height: 512 });
  const width = await page.evaluate(() => document.documentElement.scrollWidth);
  await page.setViewportSize(before);
  assert.ok(width <= 320, `${page.url()} is ${width} px wide at 320 px`);
  await page.addStyleTag({ content: "html { font-size: 200% }" }).catch(() => {});
}

afterEach(() => set({ sign_in_methods: null, branding: null, sign_up: null, email_verification: null }));

describe("pages hold", () => {
  test("thirteen providers", async () => {
    await set({ sign_in_methods: { providers: PROVIDERS } });
    await openSignIn();
    await inspect(page, "sign-in-13-providers");
    await assertFitsAt200Percent();
    await link("Sign up").click();
    await heading("Create your account").waitFor();
    await inspect(page, "sign-up-13-providers");
    await assertFitsAt200Percent();
  });

  test("a long name of the environment, and one from right to left", async () => {
    for (const [name, shown] of [["long", LONG], ["rtl", RTL]]) {
      await set({ branding: { name: shown } });
      await openSignIn();
      await inspect(page, `sign-in-${name}`);
      await assertFitsAt200Percent();
    }
  });

  test("a long address on each page that shows it", async () => {
    const email = `${"a".repeat(64)}@${"b".repeat(63)}.${"c".repeat(63)}.example`;
    await identify(email);
    await heading("Enter your password").waitFor();
    await inspect(page, "password-long-address");
    await assertFitsAt200Percent();
    await button("Email me a sign-in code").click();
    await heading("Check your email").waitFor();
    await inspect(page, "magic-auth-long-address");
    await assertFitsAt200Percent();
  });

  test("fifty organizations, with long names and names from right to left", async () => {
    const email = "many@example.com";
    const password = "seven quiet lighthouses";
    const user = await call("POST", "/user_management/users", { email, password, email_verified: true });
    const names = Array.from({ length: 50 }, (_, at) => `Organization ${at + 1}`);
    names[3] = LONG;
    names[7] = RTL;
    for (const name of names) {
      const organization = await call("POST", "/organizations", { name });
      await call("POST", "/user_management/organization_memberships", { user_id: user.id, organization_id: organization.id });
    }
    await identify(email);
    await field("Password").fill(password);
    await button("Sign in").click();
    await heading("Choose an organization").waitFor();
    assert.equal(await page.locator("button.choice").count(), 50);
    await inspect(page, "organizations-50");
    await assertFitsAt200Percent();
  });
});

describe("a sign-up", () => {
  test("with an address that is taken asks for a code like any other, and its owner is told", async () => {
    const user = userWith(1);
    await openSignIn();
    await link("Sign up").click();
    await field("Email").fill(user.email);
    await field("Password").fill("nine patient windmills");
    await button("Create account").click();
    await heading("Verify your email").waitFor();
    await inspect(page, "sign-up-address-taken");
    await field("Code").fill("123456");
    await button("Verify").click();
    await page.getByRole("alert").waitFor();
    const answer = await fetch(new URL(`/_emulate/mailbox?to=${encodeURIComponent(user.email)}`, saas.ready.emulator));
    const [mail] = (await answer.json()).data;
    assert.equal(mail.subject, "You already have an account");
    await page.goto(mail.url);
    await heading("Sign in").waitFor();
    await page.goto(new URL(`/mailbox/${mail.id}`, saas.ready.emulator).href);
    await inspect(page, "mail-account-exists");
  });
});

describe("where nobody can sign in", () => {
  test("the page says so", async () => {
    await set({ sign_in_methods: { password: false, magic_auth: false } });
    await openSignIn();
    assert.ok((await page.locator("main").innerText()).includes("every way to sign in is switched off"));
    await inspect(page, "sign-in-closed");
  });
});
