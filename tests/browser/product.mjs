// What a person does on the pages of the example.

import { assertDashboard, button, field, openSignIn, page, saas, submitCredentials } from "./visitor.mjs";

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

/** Sends a form that no page has, with the session of the page; answers with the status. */
export async function post(path, form) {
  const { app } = saas.ready;
  const options = { form, headers: { origin: app }, maxRedirects: 0 };
  return (await page.context().request.post(`${app}${path}`, options)).status();
}
