// The example's people: an identity provider pushes them by SCIM, webhooks carry them on, and the app's database has them.

import assert from "node:assert/strict";
import { after, beforeEach, describe, test } from "node:test";

import { advance, answered, control, set } from "./control.mjs";
import { inspect } from "./inspect.mjs";
import { people as peopleOfTheApp, signIn } from "./product.mjs";
import { Directory } from "./scim.mjs";
import { WebhookPath } from "./webhook_path.mjs";
import { button, heading, link, openBrowser, openSignIn, page, saas, submitCredentials, userWith, visitExample } from "./visitor.mjs";

visitExample();

/** How WorkOS reaches the app: the faults are here. */
let path;

beforeEach(async () => {
  if (!path) {
    path = await WebhookPath.open(saas.ready);
    // Nothing is sent again while a test looks.
    await set({ webhook_retries: [120, 600, 3600, 3600] });
  }
});
after(() => path?.close());

/** What an identity provider pushes to: the directory of the example. */
const directory = () => new Directory(saas.ready.directory.scim_url, saas.ready.directory.bearer_token);
const push = (...name) => directory().push(...name);
const pushGroup = (name) => directory().pushGroup(name);
const patch = (...change) => directory().patch(...change);
const join = (group, user) => directory().join(group, user);
const leave = (group, user) => directory().leave(group, user);
const setActive = (user, active) => directory().setActive(user, active);
const scim = (...request) => directory().call(...request);

/** The table of /people, without Alice, who looks at it. */
const people = async () => (await peopleOfTheApp()).filter((row) => !row.startsWith("Alice"));

const alice = () => signIn(userWith(1), userWith(1).organizations[0]);

describe("people", { concurrency: false }, () => {
  let ana, ben, cleo, engineering, sales, admins;
  beforeEach(alice);

  test("come by SCIM, and by signing in", async () => {
    assert.deepEqual(await people(), []);
    await page.getByRole("row", { name: /Alice Archer.*Active.*admin.*Sign-in/ }).waitFor();
    [ana, ben, cleo] = [await push("Ana", "Abel"), await push("Ben", "Bell"), await push("Cleo", "Cole")];
    assert.deepEqual(await people(), [
      "Ana Abel: member, –, Active, Directory",
      "Ben Bell: member, –, Active, Directory",
      "Cleo Cole: member, –, Active, Directory",
    ]);
  });

  test("get role and department of their groups", async () => {
    engineering = await pushGroup("Engineering");
    sales = await pushGroup("Sales");
    admins = await pushGroup("Platform admins");
    await join(engineering, ana);
    await join(admins, ana);
    await join(engineering, ben);
    assert.deepEqual(await people(), [
      "Ana Abel: admin, Engineering, Active, Directory",
      "Ben Bell: member, Engineering, Active, Directory",
      "Cleo Cole: member, –, Active, Directory",
    ]);
  });

  test("move between groups", async () => {
    await leave(engineering, ben);
    await join(sales, ben);
    await leave(admins, ana);
    assert.deepEqual(await people(), [
      "Ana Abel: member, Engineering, Active, Directory",
      "Ben Bell: member, Sales, Active, Directory",
      "Cleo Cole: member, –, Active, Directory",
    ]);
  });

  test("are deactivated, and may be back", async () => {
    await setActive(cleo, false);
    assert.equal((await people()).at(-1), "Cleo Cole: member, –, Removed, Directory");
    await setActive(cleo, true);
    assert.equal((await people()).at(-1), "Cleo Cole: member, –, Active, Directory");
    await set({ directory_sync: { inactive_users: "keep" } });
    await setActive(cleo, false);
    assert.equal((await people()).at(-1), "Cleo Cole: member, –, Deactivated, Directory");
  });

  test("are deleted", async () => {
    await scim("DELETE", `/Users/${ben.id}`);
    assert.deepEqual(await people(), [
      "Ana Abel: member, Engineering, Active, Directory",
      "Cleo Cole: member, –, Deactivated, Directory",
      "Ben Bell: member, Sales, Removed, Directory",
    ]);
    await inspect(page, "product-people");
  });
});

describe("webhooks", { concurrency: false }, () => {
  let dora, support;
  beforeEach(async () => {
    path.passed = [];
    await alice();
  });

  test("are made up for when the app was down for ten minutes", async () => {
    path.is = "down";
    dora = await push("Dora", "Dean");
    support = await pushGroup("Support");
    await join(support, dora);
    await answered();
    await patch(`/Users/${dora.id}`, { op: "replace", path: "name.familyName", value: "Drew" });
    await advance(300);
    await answered();
    const edda = await push("Edda", "East");
    await scim("DELETE", `/Users/${edda.id}`);
    await advance(300);
    const waiting = await answered();
    assert.equal(waiting.length, 6, "nothing got through, and nothing is given up");
    assert.equal(path.passed.length, 0);

    path.is = "up";
    await control("/webhooks/flush", {});
    assert.deepEqual((await people()).filter((row) => /Dora|Edda/.test(row)), [
      "Dora Drew: member, Support, Active, Directory",
      "Edda East: member, –, Removed, Directory",
    ]);
    const events = path.passed.map(({ id }) => id);
    assert.equal(new Set(events).size, 6, "all of them, and each once");
    assert.equal(events.length, 6);
  });

  test("that come twice change nothing the second time", async () => {
    const before = await people();
    path.is = "forgetful";
    await leave(support, dora);
    await patch(`/Users/${dora.id}`, { op: "replace", path: "name.familyName", value: "Dell" });
    assert.equal((await answered()).length, 2, "the app has worked them off, and WorkOS does not know it");
    path.is = "up";
    await control("/webhooks/flush", {});
    const changed = before.map((row) => row.replace("Dora Drew: member, Support", "Dora Dell: member, –"));
    assert.deepEqual((await people()).toSorted(), changed.toSorted());
    const ids = path.passed.map(({ id }) => id);
    assert.deepEqual(ids.slice(-2).toSorted(), ids.slice(-4, -2).toSorted(), "the same events again");
  });

  test("are not taken from strangers", async () => {
    const forged = { id: "event_1", event: "dsync.deleted", created_at: "2026-01-01T00:00:00.000Z", data: { id: "directory_1" } };
    for (const headers of [{}, { "workos-signature": `t=${Date.now()}, v1=${"0".repeat(64)}` }]) {
      const response = await fetch(`${saas.ready.app}/webhooks/workos`, { method: "POST", headers, body: JSON.stringify(forged) });
      assert.ok([400, 401].includes(response.status), `${response.status}`);
    }
  });
});

test("the page of people is for admins", async () => {
  const bob = userWith(2);
  await signIn(bob, bob.organizations[0]);
  assert.equal(await link("People").count(), 0);
  assert.equal((await page.goto(`${saas.ready.app}/people`)).status(), 403);
});

test("whom the directory has removed does not get in", async () => {
  const bob = userWith(2);
  const user = await push("Bob", "Baker");
  await answered();
  await signIn(bob, bob.organizations[0]);
  await scim("DELETE", `/Users/${user.id}`);
  await answered();
  await page.reload();
  await heading("You have no access any more").waitFor();
  await page.context().close();
  await openBrowser();
  await openSignIn();
  await submitCredentials(bob.email, bob.password);
  await button(bob.organizations[0].name).click();
  await heading("You have no access any more").waitFor();
  await inspect(page, "product-no-access");
  const dashboard = await page.context().request.get(`${saas.ready.app}/dashboard`, { maxRedirects: 0 });
  assert.notEqual(dashboard.status(), 200);
});

test("the Admin Portal is one button away", async () => {
  await alice();
  await link("People").click();
  await button("Domains").click();
  await heading("Domain verification").waitFor();
  assert.equal(new URL(page.url()).origin, new URL(saas.ready.emulator).origin, "the portal is WorkOS's");
});
