// The emulator's own API: what a test does behind the person's back.

import assert from "node:assert/strict";

import { saas } from "./visitor.mjs";

/** Calls /_emulate. Answers with the JSON. */
export async function control(path, body, method = body ? "POST" : "GET") {
  const response = await fetch(new URL(`/_emulate${path}`, saas.ready.emulator), {
    method,
    headers: { "content-type": "application/json" },
    body: body && JSON.stringify(body),
  });
  assert.ok(response.ok, `${path}: ${response.status}`);
  return response.json();
}

/** Milliseconds since the epoch, by the clock of WorkOS. */
export const now = async () => Date.parse((await control("/clock")).now);

export const advance = (seconds) => control("/clock", { advance: `${seconds}s` });

/** Waits until every webhook was answered, well or badly. Answers with those that are to be sent again, later. */
export async function answered() {
  for (;;) {
    const time = await now();
    const { data } = await control("/webhooks/deliveries?status=pending&limit=100");
    if (data.every(({ next_attempt_at: next }) => next && Date.parse(next) > time)) {
      return data;
    }
  }
}

/** Changes settings of the environment; null is the default again. */
export const set = (settings) => control("/settings", settings, "PATCH");

/** What "Impersonate user" in the WorkOS dashboard does: a link that leads into the app. */
export async function impersonationOf(email, organization_id) {
  const impersonation = await control("/impersonations", {
    email,
    organization_id,
    impersonator_email: "support@paperboat.example",
    reason: "She asked <b>for help</b>",
    redirect_uri: `${saas.ready.app}/auth/callback`,
  });
  return impersonation.url;
}
