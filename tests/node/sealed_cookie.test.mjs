// One session of an Actix app and of WorkOS's JavaScript kits. The kits are the real packages of npm:
//
// - `@workos-inc/node` with its sealed sessions, as the guides use it;
// - `@workos/authkit-session`, on which the kits of several frameworks stand;
// - of `@workos-inc/authkit-nextjs`, which needs Next.js around it, the cookie's attributes, and `iron-session`, with which it
//   seals and opens.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { after, before, test } from "node:test";
import { promisify } from "node:util";

import { WorkOS } from "@workos-inc/node";
import { AuthKitCore, sessionEncryption } from "@workos/authkit-session";
import { sealData, unsealData } from "iron-session";

import { startApp, startEmulator } from "./programs.mjs";
import { Visitor } from "./visitor.mjs";

const PASSWORD = "0123456789abcdef0123456789abcdef";
const CLIENT_ID = "client_emulate";
const CREDENTIALS = { email: "ada@example.com", password: "seven quiet lighthouses" };
const SEAL = { sealSession: true, cookiePassword: PASSWORD };

let emulator, environment, app, workos, authkit, acme, globex, ada;

before(async () => {
  emulator = await startEmulator();
  const { hostname, port } = new URL(emulator.url);
  environment = {
    WORKOS_API_KEY: emulator.apiKey,
    WORKOS_CLIENT_ID: CLIENT_ID,
    WORKOS_COOKIE_PASSWORD: PASSWORD,
    WORKOS_API_HOSTNAME: hostname,
    WORKOS_API_PORT: port,
    WORKOS_API_HTTPS: "false",
  };
  app = await startApp(environment);
  workos = new WorkOS(emulator.apiKey, {
    clientId: CLIENT_ID,
    apiHostname: hostname,
    port: Number(port),
    https: false,
  });
  authkit = new AuthKitCore({ clientId: CLIENT_ID, cookiePassword: PASSWORD }, workos, sessionEncryption);
  acme = await workos.organizations.createOrganization({ name: "Acme" });
  globex = await workos.organizations.createOrganization({ name: "Globex" });
  ada = await workos.userManagement.createUser({
    ...CREDENTIALS,
    emailVerified: true,
    firstName: "Ada",
    lastName: "Lovelace",
    externalId: "7",
  });
  await workos.userManagement.createOrganizationMembership({ userId: ada.id, organizationId: acme.id });
});

after(async () => {
  await app?.stop();
  await emulator?.stop();
});

/** Signs Ada in as a kit does. */
const authenticate = () => workos.userManagement.authenticateWithPassword({ ...CREDENTIALS, session: SEAL });

/** The same, so long ago that the access token has expired. */
async function authenticateLongAgo() {
  await control("/clock", { set: new Date(Date.now() - 600_000).toISOString() });
  try {
    return await authenticate();
  } finally {
    await control("/clock", { reset: true });
  }
}

async function control(path, body) {
  const answer = await new Visitor().post(emulator.url, `/_emulate${path}`, body);
  assert.ok(answer.status < 300, `${path}: ${answer.status} ${answer.text}`);
  return JSON.parse(answer.text);
}

/** What `@workos-inc/node` makes of a cookie. */
const load = (sessionData) => workos.userManagement.loadSealedSession({ sessionData, cookiePassword: PASSWORD });

test("a session that a kit began is one of the app", async (t) => {
  const { accessToken, refreshToken, user, impersonator, authenticationMethod, sealedSession } = await authenticate();
  const session = { accessToken, refreshToken, user, impersonator, authenticationMethod };
  const seals = {
    "@workos-inc/node": sealedSession,
    "authkit-nextjs": await sealData(session, { password: PASSWORD, ttl: 0 }),
    "authkit-session": await authkit.encryptSession(session),
  };
  for (const [kit, seal] of Object.entries(seals)) {
    await t.test(kit, async () => {
      const visitor = new Visitor(seal);
      const me = await visitor.me(app.url);
      assert.equal(me.user.id, ada.id);
      assert.equal(me.user.first_name, "Ada");
      assert.equal(me.user.external_id, "7");
      assert.equal(me.user.last_sign_in_at, user.lastSignInAt);
      assert.equal(me.organization_id, acme.id);
      assert.equal(me.role, "member");
      assert.equal(visitor.session, seal, "nothing was due");
    });
  }
});

test("a session that the app began is one of the kits", async (t) => {
  const visitor = new Visitor();
  await visitor.signIn(app.url, ada.email);
  const { session } = visitor;
  const me = await visitor.me(app.url);
  const user = await workos.userManagement.getUser(ada.id);

  await t.test("@workos-inc/node", async () => {
    const { authenticated, ...known } = await load(session).authenticate();
    assert.ok(authenticated);
    assert.equal(known.sessionId, me.session_id);
    assert.equal(known.organizationId, acme.id);
    assert.equal(known.authenticationMethod, "Password");
    assert.equal(known.impersonator, undefined);
    assert.deepEqual(known.user, user);
  });
  await t.test("authkit-nextjs", async () => {
    const known = await unsealData(session, { password: PASSWORD });
    assert.deepEqual(Object.keys(known).sort(), ["accessToken", "authenticationMethod", "refreshToken", "user"]);
    assert.deepEqual(known.user, user);
  });
  await t.test("authkit-session", async () => {
    const known = await authkit.validateAndRefresh(await authkit.decryptSession(session));
    assert.deepEqual([known.valid, known.refreshed], [true, false]);
    assert.deepEqual(known.session.user, user);
  });
});

test("either refreshes the session of both", async () => {
  const { sealedSession } = await authenticateLongAgo();
  assert.equal((await load(sealedSession).authenticate()).authenticated, false, "it has expired");

  const visitor = new Visitor(sealedSession);
  const { session_id } = await visitor.me(app.url);
  assert.notEqual(visitor.session, sealedSession, "the app has refreshed it");
  assert.equal((await load(visitor.session).authenticate()).sessionId, session_id);

  for (let turn = 0; turn < 3; turn++) {
    const refreshed = await load(visitor.session).refresh();
    assert.ok(refreshed.authenticated, refreshed.reason);
    visitor.session = refreshed.sealedSession;
    assert.equal((await visitor.me(app.url)).session_id, session_id);

    const answer = await visitor.post(app.url, "/auth/switch-organization", { organization_id: acme.id });
    assert.equal(answer.status, 200, answer.text);
    assert.notEqual(visitor.session, refreshed.sealedSession);
    const known = await authkit.validateAndRefresh(await authkit.decryptSession(visitor.session));
    assert.equal(known.claims.sid, session_id);
    assert.equal(known.refreshed, false);
  }
});

test("both may refresh it at the same time", async () => {
  const { sealedSession } = await authenticateLongAgo();
  const visitor = new Visitor(sealedSession);
  const [me, refreshed] = await Promise.all([visitor.me(app.url), load(sealedSession).refresh()]);
  assert.equal(me.user.id, ada.id);
  assert.ok(refreshed.authenticated, refreshed.reason);
  assert.ok((await load(visitor.session).authenticate()).authenticated);
  assert.equal((await new Visitor(refreshed.sealedSession).me(app.url)).session_id, me.session_id);
});

test("an organization that was switched at one is switched at the other", async () => {
  const bob = await workos.userManagement.createUser({ email: "bob@example.com", emailVerified: true });
  for (const { id } of [acme, globex]) {
    await workos.userManagement.createOrganizationMembership({ userId: bob.id, organizationId: id });
  }
  const { refresh_token: refreshToken } = await control("/sign_in", { user_id: bob.id, organization_id: acme.id });
  const begun = await workos.userManagement.authenticateWithRefreshToken({ refreshToken, session: SEAL });
  const visitor = new Visitor(begun.sealedSession);
  assert.equal((await visitor.me(app.url)).organization_id, acme.id);

  const answer = await visitor.post(app.url, "/auth/switch-organization", { organization_id: globex.id });
  assert.equal(answer.status, 200, answer.text);
  assert.equal((await load(visitor.session).authenticate()).organizationId, globex.id);
  const { sealedSession } = await load(visitor.session).refresh({ organizationId: acme.id });
  assert.equal((await new Visitor(sealedSession).me(app.url)).organization_id, acme.id);
});

test("what a newer kit knows of the user outlives a refresh by the app", async () => {
  const { accessToken, refreshToken, user } = await authenticateLongAgo();
  const newer = { ...user, favouriteColour: { first_choice: ["blue"] } };
  const visitor = new Visitor(await authkit.encryptSession({ accessToken, refreshToken, user: newer }));
  assert.equal((await visitor.me(app.url)).user.id, ada.id);
  const first = await authkit.decryptSession(visitor.session);
  assert.notEqual(first.refreshToken, refreshToken);
  assert.deepEqual(first.user, newer);
  // Also of the session that the app has in its memory.
  await visitor.post(app.url, "/auth/switch-organization", { organization_id: acme.id });
  const second = await authkit.decryptSession(visitor.session);
  assert.notEqual(second.refreshToken, first.refreshToken);
  assert.deepEqual(second.user, newer);
});

test("impersonators are seen by both", async () => {
  const { url } = await control("/impersonations", {
    email: ada.email,
    organization_id: acme.id,
    impersonator_email: "support@example.com",
    reason: "She asked for help",
    redirect_uri: `${app.url}/auth/callback`,
  });
  const { headers } = await new Visitor().ask(url);
  const code = new URL(headers.location).searchParams.get("code");
  const { sealedSession } = await workos.userManagement.authenticateWithCode({ code, session: SEAL });
  const impersonator = { email: "support@example.com", reason: "She asked for help" };

  const visitor = new Visitor(sealedSession);
  assert.deepEqual((await visitor.me(app.url)).impersonator, impersonator);
  const answer = await visitor.post(app.url, "/auth/switch-organization", { organization_id: acme.id });
  assert.equal(answer.status, 200, answer.text);
  const known = await load(visitor.session).authenticate();
  assert.deepEqual(known.impersonator, impersonator);
  assert.equal(known.authenticationMethod, "Impersonation");
});

test("a sign-out at either is one for both", async () => {
  const atTheApp = new Visitor();
  await atTheApp.signIn(app.url, ada.email);
  const kept = atTheApp.session;
  const out = await atTheApp.ask(`${app.url}/auth/sign-out`);
  await new Visitor().ask(out.headers.location);
  assert.equal(atTheApp.session, undefined);
  assert.equal((await load(kept).refresh()).reason, "invalid_grant");

  const atTheKit = new Visitor();
  await atTheKit.signIn(app.url, ada.email);
  await new Visitor().ask(await load(atTheKit.session).getLogoutUrl());
  const answer = await atTheKit.post(app.url, "/auth/switch-organization", { organization_id: acme.id });
  assert.ok([401, 403].includes(answer.status), answer.text);
});

test("without the password nobody reads the other's cookie", async () => {
  const cookiePassword = "another password of 32 characters";
  const { refreshToken } = await authenticate();
  const session = { sealSession: true, cookiePassword };
  const { sealedSession } = await workos.userManagement.authenticateWithRefreshToken({ refreshToken, session });
  assert.equal((await new Visitor(sealedSession).ask(`${app.url}/me`)).status, 401);

  const visitor = new Visitor();
  await visitor.signIn(app.url, ada.email);
  const foreign = workos.userManagement.loadSealedSession({ sessionData: visitor.session, cookiePassword });
  assert.deepEqual(await foreign.authenticate(), { authenticated: false, reason: "invalid_session_cookie" });
});

test("what else the kits seal with the password is no session", async () => {
  const state = { nonce: "n", codeVerifier: "v", returnPathname: "/" };
  const { sealedSession } = await authenticate();
  const { refreshToken, ...incomplete } = await authkit.decryptSession(sealedSession);
  for (const content of [state, incomplete, {}, [], "text", { ...incomplete, refreshToken: 7 }]) {
    const seal = await sealData(content, { password: PASSWORD, ttl: 0 });
    assert.equal((await new Visitor(seal).ask(`${app.url}/me`)).status, 401, JSON.stringify(content));
  }
});

test("a seal that has expired is no session", async () => {
  const { sealedSession } = await authenticate();
  const session = await authkit.decryptSession(sealedSession);
  const status = async (seal) => (await new Visitor(seal).ask(`${app.url}/me`)).status;
  assert.equal(await status(await sealData(session, { password: PASSWORD, ttl: 60 })), 200);
  // The kits accept one for another minute.
  const { now } = Date;
  Date.now = () => now() - 180_000;
  try {
    assert.equal(await status(await sealData(session, { password: PASSWORD, ttl: 60 })), 401);
  } finally {
    Date.now = now;
  }
});

test("the cookie has the attributes of authkit-nextjs", async (t) => {
  const settings = {
    "as set by default": {},
    "over https": { WORKOS_REDIRECT_URI: "https://app.example.com/auth/callback" },
    "for other sites, on subdomains, for an hour": {
      WORKOS_COOKIE_SAMESITE: "none",
      WORKOS_COOKIE_DOMAIN: "example.com",
      WORKOS_COOKIE_MAX_AGE: "3600",
    },
    strictly: { WORKOS_COOKIE_SAMESITE: "Strict" },
  };
  for (const [name, variables] of Object.entries(settings)) {
    await t.test(name, async () => {
      const machine = await startApp({ ...environment, ...variables });
      try {
        const url = variables.WORKOS_REDIRECT_URI ?? `${machine.url}/auth/callback`;
        const wanted = await attributesOfAuthkitNextjs(url, variables);
        const { sealedSession } = await authenticateLongAgo();
        const visitor = new Visitor(sealedSession);
        assert.equal((await visitor.me(machine.url)).user.id, ada.id);
        assert.deepEqual(visitor.attributes, wanted);
      } finally {
        await machine.stop();
      }
    });
  }
});

/** It reads its environment once, when it is loaded, and exports nothing of this: a program of its own. */
async function attributesOfAuthkitNextjs(url, variables) {
  const program = `
    import { getCookieOptions } from "./node_modules/@workos-inc/authkit-nextjs/dist/esm/cookie.js";
    console.log(getCookieOptions(process.argv[1], true));
  `;
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ["--input-type=module", "--eval", program, url],
    { cwd: import.meta.dirname, env: { ...process.env, ...variables } },
  );
  return stdout.trim().split("; ").sort();
}
