// What a person does on the pages of the example.

import assert from "node:assert/strict";

import { answered } from "./control.mjs";
import { assertDashboard, button, field, heading, openSignIn, page, saas, submitCredentials } from "./visitor.mjs";

/** What a page says has been done. */
export const status = () => page.getByRole("status");
/** The item of a list that says `text`. */
export const row = (text) => page.getByRole("listitem").filter({ hasText: text });

/** Signs in and, where there is a choice, into `organization`. */
export async function signIn(user, organization) {
  await openSignIn();
  await submitCredentials(user.email, user.password);
  if (user.organizations.length > 1) {
    await button(organization.name).click();
  }
  await assertDashboard(user, organization);
}

export async function switchTo(organization) {
  await field("Organization").selectOption({ label: organization.name });
  await button("Switch").click();
}

/** The app's database, as the table of /people shows it: "Bea Bell: member, Sales, Active, Directory". */
export async function people() {
  assert.deepEqual(await answered(), [], "webhooks that are still to come");
  await page.goto(`${saas.ready.app}/people`);
  await heading("People").waitFor();
  const rows = await page.getByRole("row").allInnerTexts();
  const cells = rows.slice(1).map((row) => row.split("\t").map((cell) => cell.split("\n")[0].trim()));
  return cells.map(([name, state, role, department, source]) => `${name}: ${role}, ${department}, ${state}, ${source}`);
}

/** Sends a form that no page has, with the session of the page; answers with the status. */
export async function post(path, form) {
  const { app } = saas.ready;
  const options = { form, headers: { origin: app }, maxRedirects: 0 };
  return (await page.context().request.post(`${app}${path}`, options)).status();
}
