// The other sides of SAML, made of libraries that know nothing of ours: a service provider (node-saml) and an identity
// provider (samlify). Both are at "localhost", so that browsers take them for another site than the emulator's 127.0.0.1.

import { readFileSync } from "node:fs";
import { createServer } from "node:http";

import { SAML, ValidateInResponseTo } from "@node-saml/node-saml";
import samlify from "samlify";

const KEYS = readFileSync(new URL("saml_idp.pem", import.meta.url), "utf8");
const block = (label) => KEYS.match(new RegExp(`-----BEGIN ${label}-----[^-]+-----END ${label}-----`))[0];

// samlify wants to be told how to validate schemas; its own checks of signatures and times are what counts here.
samlify.setSchemaValidator({ validate: async () => "not validated" });

const escape = (text) => text.replaceAll("&", "&amp;").replaceAll('"', "&quot;").replaceAll("<", "&lt;");

const form = (action, fields) => `<!doctype html><title>On</title><form method="post" action="${escape(action)}">
  ${Object.entries(fields).map(([name, value]) => `<input type="hidden" name="${name}" value="${escape(value)}">`).join("\n")}
  </form><script>document.forms[0].submit()</script>`;

/** Serves `answer(request, url, body)`, which gives `{status, headers, body}` or a page. */
async function serve(answer) {
  const server = createServer(async (request, response) => {
    let text = "";
    for await (const chunk of request) {
      text += chunk;
    }
    try {
      const url = new URL(request.url, "http://localhost");
      const given = await answer(url, Object.fromEntries(new URLSearchParams(text)));
      const { status = 200, headers = {}, body = "" } = typeof given === "string" ? { body: given } : given;
      response.writeHead(status, { "Content-Type": "text/html; charset=utf-8", ...headers }).end(body);
    } catch (error) {
      response.writeHead(500, { "Content-Type": "text/plain" }).end(`Refused: ${error.message}`);
    }
  });
  await new Promise((resolve) => server.listen(0, "localhost", resolve));
  return { origin: `http://localhost:${server.address().port}`, stop: () => new Promise((resolve) => server.close(resolve)) };
}

/** A service provider that learns the identity provider from its metadata: /login begins, and its ACS shows who it is. */
export async function startServiceProvider(idpMetadata) {
  const meta = samlify.IdentityProvider({ metadata: idpMetadata }).entityMeta;
  let saml;
  const server = await serve(async (url, body) => {
    if (url.pathname === "/login") {
      return { status: 302, headers: { Location: await saml.getAuthorizeUrlAsync("to the start", undefined, {}) } };
    }
    const { profile } = await saml.validatePostResponseAsync(body);
    return `<!doctype html><title>In</title><pre>${escape(JSON.stringify({ ...profile, relayState: body.RelayState }))}</pre>`;
  });
  const issuer = `${server.origin}/metadata`;
  saml = new SAML({
    callbackUrl: `${server.origin}/acs`,
    entryPoint: meta.getSingleSignOnService("redirect"),
    idpCert: meta.getX509Certificate("signing"),
    idpIssuer: meta.getEntityID(),
    issuer,
    audience: issuer,
    wantAssertionsSigned: true,
    wantAuthnResponseSigned: true,
    validateInResponseTo: ValidateInResponseTo.always,
    signatureAlgorithm: "sha256",
    identifierFormat: null,
    disableRequestedAuthnContext: true,
  });
  return { ...server, acs: `${server.origin}/acs`, login: `${server.origin}/login` };
}

const value = (name, tag) => ({
  name,
  valueTag: tag,
  nameFormat: "urn:oasis:names:tc:SAML:2.0:attrname-format:basic",
  valueXsiType: "xs:string",
});

/** An identity provider that says of everybody that they are `user`. `spMetadata` gives those of WorkOS. */
export async function startIdentityProvider(spMetadata, user, { encrypts = false } = {}) {
  let idp;
  const seen = [];
  const server = await serve(async (url) => {
    if (url.pathname === "/metadata") {
      return { headers: { "Content-Type": "application/samlmetadata+xml" }, body: idp.getMetadata() };
    }
    const { data, key } = samlify.Constants.algorithms.encryption;
    const sp = samlify.ServiceProvider({
      metadata: await spMetadata(),
      dataEncryptionAlgorithm: data.AES_256,
      keyEncryptionAlgorithm: key.RSA_OAEP_MGF1P,
    });
    const query = Object.fromEntries(url.searchParams);
    // It refuses what is not signed with the key in the metadata of WorkOS.
    const octetString = url.search.slice(1).replace(/&Signature=.*$/, "");
    const request = await idp.parseLoginRequest(sp, "redirect", { query, octetString });
    seen.push(request.extract);
    const acs = sp.entityMeta.getAssertionConsumerService("post");
    const now = Date.now();
    const time = (minutes) => new Date(now + minutes * 60_000).toISOString();
    const fill = (template) => {
      const id = `_${crypto.randomUUID()}`;
      const tags = {
        ID: id,
        AssertionID: `_${crypto.randomUUID()}`,
        Destination: acs,
        Audience: sp.entityMeta.getEntityID(),
        SubjectRecipient: acs,
        AssertionConsumerServiceURL: acs,
        Issuer: idp.entityMeta.getEntityID(),
        IssueInstant: time(0),
        StatusCode: samlify.Constants.StatusCode.Success,
        ConditionsNotBefore: time(-1),
        ConditionsNotOnOrAfter: time(5),
        SubjectConfirmationDataNotOnOrAfter: time(5),
        NameIDFormat: samlify.Constants.namespace.format.emailAddress,
        NameID: user.email,
        InResponseTo: request.extract.request.id,
        AuthnStatement: "",
        attrUserEmail: user.email,
        attrUserFirstName: user.firstName,
        attrUserLastName: user.lastName,
        attrUserGroups: user.group,
      };
      return { id, context: samlify.SamlLib.replaceTagsByValue(template, tags) };
    };
    const options = { relayState: query.RelayState, customTagReplacement: fill };
    const { context } = await idp.createLoginResponse(sp, request, "post", user, options);
    return form(acs, { SAMLResponse: context, RelayState: query.RelayState });
  });
  idp = samlify.IdentityProvider({
    entityID: `${server.origin}/metadata`,
    privateKey: block("PRIVATE KEY"),
    signingCert: block("CERTIFICATE"),
    requestSignatureAlgorithm: "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256",
    wantAuthnRequestsSigned: true,
    isAssertionEncrypted: encrypts,
    nameIDFormat: [samlify.Constants.namespace.format.emailAddress],
    singleSignOnService: [
      { Binding: samlify.Constants.namespace.binding.redirect, Location: `${server.origin}/sso` },
      { Binding: samlify.Constants.namespace.binding.post, Location: `${server.origin}/sso` },
    ],
    singleLogoutService: [{ Binding: samlify.Constants.namespace.binding.redirect, Location: `${server.origin}/slo` }],
    loginResponseTemplate: {
      context: samlify.SamlLib.defaultLoginResponseTemplate.context,
      attributes: [
        value("email", "user.email"),
        value("firstName", "user.firstName"),
        value("lastName", "user.lastName"),
        value("groups", "user.groups"),
      ],
    },
  });
  return { ...server, metadata: `${server.origin}/metadata`, seen };
}
