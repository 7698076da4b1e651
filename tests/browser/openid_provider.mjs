// An OpenID provider that is not ours: the npm package `oidc-provider`, with the pages that it brings along, on loopback.

import { createServer } from "node:http";
import { generateKeyPairSync } from "node:crypto";

import Provider from "oidc-provider";

const key = (type, options, members) => ({
  ...generateKeyPairSync(type, options).privateKey.export({ format: "jwk" }),
  ...members,
});

/**
 * Starts a provider. Everybody whose address is typed into its sign-in page is a person that it knows.
 * `clients(issuer)` gives what it knows of its clients, once its address is certain.
 */
export async function startProvider(clients, claims = {}) {
  const server = createServer();
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const issuer = `http://localhost:${server.address().port}`;
  // It warns at length that it is not set up for production.
  const { warn, info } = console;
  console.warn = console.info = () => {};
  const provider = new Provider(issuer, {
    clients: await clients(issuer),
    claims: {
      openid: ["sub"],
      email: ["email", "email_verified"],
      profile: ["name", "given_name", "family_name"],
      groups: ["groups"],
    },
    scopes: ["openid", "email", "profile", "groups"],
    cookies: { keys: ["not a secret"] },
    jwks: {
      keys: [
        key("rsa", { modulusLength: 2048 }, { kid: "rsa", use: "sig" }),
        key("ec", { namedCurve: "P-256" }, { kid: "ec", use: "sig" }),
      ],
    },
    pkce: { required: () => true },
    findAccount: (_, id) => ({
      accountId: id,
      claims: () => ({ sub: id, email: id, email_verified: true, ...claims }),
    }),
  });
  Object.assign(console, { warn, info });
  const handle = provider.callback();
  server.on("request", handle);
  return {
    issuer,
    stop: () => {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(resolve));
    },
  };
}
