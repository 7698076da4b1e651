// An identity provider that pushes users and groups by SCIM (RFC 7644).

import assert from "node:assert/strict";

const USER = "urn:ietf:params:scim:schemas:core:2.0:User";
const GROUP = "urn:ietf:params:scim:schemas:core:2.0:Group";
const PATCH = "urn:ietf:params:scim:api:messages:2.0:PatchOp";

/** A directory, as its provider knows it: by its endpoint and a token. */
export class Directory {
  #endpoint;
  #token;

  constructor(endpoint, token) {
    this.#endpoint = endpoint;
    this.#token = token;
  }

  /** Answers with the resource. */
  async call(method, where, body) {
    const response = await fetch(`${this.#endpoint}${where}`, {
      method,
      headers: { authorization: `Bearer ${this.#token}`, "content-type": "application/scim+json" },
      body: body && JSON.stringify(body),
    });
    const text = await response.text();
    assert.ok(response.ok, `${method} ${where}: ${response.status} ${text}`);
    return text && JSON.parse(text);
  }

  push(givenName, familyName, domain = "acme.example") {
    const email = `${givenName.toLowerCase()}@${domain}`;
    const emails = [{ value: email, type: "work", primary: true }];
    const name = { givenName, familyName };
    return this.call("POST", "/Users", { schemas: [USER], userName: email, name, emails, active: true });
  }

  pushGroup(displayName) {
    return this.call("POST", "/Groups", { schemas: [GROUP], displayName });
  }

  patch(where, ...Operations) {
    return this.call("PATCH", where, { schemas: [PATCH], Operations });
  }

  join(group, user) {
    return this.patch(`/Groups/${group.id}`, { op: "add", path: "members", value: [{ value: user.id }] });
  }

  leave(group, user) {
    return this.patch(`/Groups/${group.id}`, { op: "remove", path: `members[value eq "${user.id}"]` });
  }

  setActive(user, active) {
    return this.patch(`/Users/${user.id}`, { op: "replace", path: "active", value: active });
  }
}
