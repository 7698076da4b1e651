//! Whatever is made, changed and deleted in whatever order: no row is left that names a thing which is not there.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use proptest::{collection::vec, prelude::*};
use serde_json::{Value, json};

use crate::{
    environment::Environment,
    server::{call::Call, error::ApiError, operation::Handler, reply::Reply, routes::Routes},
};

/// What the environment remembers although it is over: what happened, who was told, and what sessions were exchanged for.
const HISTORY: [&str; 5] = ["events", "deliveries", "attempts", "messages", "refresh_tokens"];

/// Sign-ins in progress: they end by themselves within minutes, and look again at all that they name when they go on.
const IN_PROGRESS: [&str; 10] = [
    "sso_sessions",
    "sso_logouts",
    "idp_grants",
    "saml_answers",
    "authorization_sessions",
    "authorization_codes",
    "connect_authorization_codes",
    "device_authorizations",
    "impersonations",
    "pending_authentications",
];

/// A certificate of an identity provider. Its key is known to nobody.
const IDP_CERTIFICATE: &str = concat!(
    r#"{"value": ""#,
    r"-----BEGIN CERTIFICATE-----\n",
    r"MIIBiTCCAS+gAwIBAgIUdXxQe3ja1idHc0kF2wcixTy2wBAwCgYIKoZIzj0EAwIw\n",
    r"GjEYMBYGA1UEAwwPaWRwLmV4YW1wbGUuY29tMB4XDTI2MTEyNTE0MzkxOFoXDTI3\n",
    r"MTEyNTE0MzkxOFowGjEYMBYGA1UEAwwPaWRwLmV4YW1wbGUuY29tMFkwEwYHKoZI\n",
    r"zj0CAQYIKoZIzj0DAQcDQgAEjsd+EOGKoTVKOPhRfV4PMV5NZTGeUlz9iaJ8Br1t\n",
    r"OJVHwYVPXA5rX5oAEaoyNm2EJABqT+p5u162BWLXIpW0kKNTMFEwHQYDVR0OBBYE\n",
    r"FE6sl2bG4SX+wHL7xvsf0ArOCXYPMB8GA1UdIwQYMBaAFE6sl2bG4SX+wHL7xvsf\n",
    r"0ArOCXYPMA8GA1UdEwEB/wQFMAMBAf8wCgYIKoZIzj0EAwIDSAAwRQIhAJsuusia\n",
    r"XQ/GgV2VH6EeOmF3hDvJiwnAbFO5NU29ecvnAiBnbR/sdNh8pSH011jJ1U0KvyIr\n",
    r"RaB7rz8cNLtZwKLVug==\n",
    r"-----END CERTIFICATE-----\n",
    r#""}"#
);

/// A call: method, path and body. `{users}` in either is the id of a row of that table, `{new}` a word that was not used, `{code}`
/// the last one that a redirect brought to an application, `{waitlist}` the environment's.
type Step = (&'static str, &'static str, &'static str);

#[rustfmt::skip]
const STEPS: &[Step] = &[
    ("POST", "/user_management/users", r#"{"email": "{new}@example.com", "email_verified": true}"#),
    ("POST", "/user_management/users", r#"{"email": "{new}@example.com"}"#),
    ("POST", "/user_management/password_reset", r#"{"email": "{users.email}"}"#),
    ("POST", "/user_management/magic_auth", r#"{"email": "{users.email}"}"#),
    ("POST", "/user_management/users/{users}/email_verification/send", ""),
    ("POST", "/user_management/users/{users}/email_change/send", r#"{"new_email": "{new}@example.com"}"#),
    ("POST", "/auth/factors/enroll", r#"{"type": "sms", "phone_number": "+15555550123"}"#),
    ("POST", "/auth/factors/{authentication_factors}/challenge", ""),
    ("POST", "/organizations", r#"{"name": "{new}"}"#),
    ("POST", "/organizations", r#"{"name": "{new}", "domain_data": [{"domain": "{new}.example", "state": "verified"}]}"#),
    ("POST", "/user_management/organization_memberships", r#"{"user_id": "{users}", "organization_id": "{organizations}"}"#),
    ("POST", "/user_management/organization_memberships", r#"{"user_id": "{users}", "organization_id": "{organizations}", "role_slug": "{roles.slug}"}"#),
    ("PUT", "/user_management/organization_memberships/{organization_memberships}/deactivate", ""),
    ("PUT", "/user_management/organization_memberships/{organization_memberships}/reactivate", ""),
    ("POST", "/_emulate/sign_in", r#"{"user_id": "{users}"}"#),
    ("POST", "/_emulate/sign_in", r#"{"user_id": "{users}", "organization_id": "{organizations}"}"#),
    ("POST", "/_emulate/impersonations", r#"{"user_id": "{users}", "impersonator_email": "help@example.com", "reason": "r", "redirect_uri": "{redirect_uris.uri}"}"#),
    ("POST", "/user_management/authorize/device", r#"{"client_id": "client_x"}"#),
    ("POST", "/authorization/permissions", r#"{"slug": "{new}", "name": "P"}"#),
    ("POST", "/authorization/roles", r#"{"slug": "{new}", "name": "R"}"#),
    ("POST", "/authorization/organizations/{organizations}/roles", r#"{"slug": "org-{new}", "name": "R"}"#),
    ("POST", "/authorization/organizations/{organizations}/roles/{roles.slug}/permissions", r#"{"slug": "{permissions.slug}"}"#),
    ("POST", "/organizations/{organizations}/groups", r#"{"name": "{new}"}"#),
    ("POST", "/organizations/{organizations}/groups/{groups}/organization-memberships", r#"{"organization_membership_id": "{organization_memberships}"}"#),
    ("POST", "/organizations/{organizations}/api_keys", r#"{"name": "K"}"#),
    ("POST", "/user_management/users/{users}/api_keys", r#"{"name": "K", "organization_id": "{organizations}"}"#),
    ("POST", "/_emulate/connections", r#"{"organization_id": "{organizations}", "connection_type": "GenericOIDC", "domains": ["{new}.example"], "profiles": [{"email": "ada@{new}.example"}]}"#),
    ("POST", "/_emulate/connections", r#"{"organization_id": "{organizations}", "connection_type": "OktaSAML", "domains": ["{new}.example"], "profiles": [{"email": "ada@{new}.example"}]}"#),
    ("POST", "/_emulate/connections/{connections}/profiles", r#"{"email": "{new}@example.com"}"#),
    ("POST", "/connections/{connections}/saml_idp_signing_certs", IDP_CERTIFICATE),
    ("POST", "/sso/logout/authorize", r#"{"profile_id": "{profiles}"}"#),
    ("PATCH", "/_emulate/settings", r#"{"interactive": "always"}"#),
    ("GET", "/sso/authorize?response_type=code&client_id=client_x&redirect_uri={redirect_uris.uri}&connection={connections}", ""),
    ("POST", "/organization_domains", r#"{"organization_id": "{organizations}", "domain": "{new}.example"}"#),
    ("PATCH", "/_emulate/organization_domains/{organizations.domains.0.id}", r#"{"state": "verified"}"#),
    ("POST", "/portal/generate_link", r#"{"organization": "{organizations}", "it_contact_emails": ["{new}@example.com"]}"#),
    ("POST", "/organizations/{organizations}/it_contacts", r#"{"email": "{new}@example.com"}"#),
    ("POST", "/organizations/{organizations}/it_contacts/{it_contacts}/invite", r#"{"intents": ["sso"]}"#),
    ("POST", "/_emulate/directories", r#"{"organization_id": "{organizations}", "name": "D"}"#),
    ("PATCH", "/_emulate/settings", r#"{"directory_sync": {"provisioning": true}}"#),
    ("POST", "/_emulate/directories/{directories}/users", r#"{"email": "{new}@example.com", "groups": ["{new}"]}"#),
    ("POST", "/_emulate/directories/{directories}/groups", r#"{"name": "{new}"}"#),
    ("PATCH", "/_emulate/directory_groups/{directory_groups}", r#"{"role": "{roles.slug}"}"#),
    ("PATCH", "/_emulate/directory_users/{directory_users}", r#"{"state": "inactive"}"#),
    ("PATCH", "/_emulate/directory_users/{directory_users}", r#"{"state": "active"}"#),
    ("PUT", "/_emulate/directory_groups/{directory_groups}/users/{directory_users}", ""),
    ("POST", "/_emulate/feature_flags", r#"{"slug": "{new}"}"#),
    ("POST", "/feature-flags/{feature_flags.slug}/targets/{users}", ""),
    ("POST", "/feature-flags/{feature_flags.slug}/targets/{organizations}", ""),
    ("PATCH", "/_emulate/organizations/{organizations}", r#"{"entitlements": ["audit"]}"#),
    ("PATCH", "/_emulate/settings", r#"{"radar_challenge": "email"}"#),
    ("POST", "/_emulate/seed", r#"{"users": [{"email": "{new}@example.com", "oauth_provider": "GoogleOAuth", "totp": true}]}"#),

    ("POST", "/user_management/invitations", r#"{"email": "{new}@example.com"}"#),
    ("POST", "/user_management/invitations", r#"{"organization_id": "{organizations}", "email": "{users.email}", "inviter_user_id": "{users}"}"#),
    ("POST", "/user_management/invitations", r#"{"email": "{new}@example.com", "organization_id": "{organizations}", "role_slug": "{roles.slug}"}"#),
    ("POST", "/user_management/invitations/{invitations}/accept", ""),
    ("POST", "/user_management/invitations/{invitations}/resend", ""),
    ("POST", "/user_management/invitations/{invitations}/revoke", ""),
    ("POST", "/_emulate/seed", r#"{"users": [{"email": "{new}@example.com", "password": "correct horse battery"}]}"#),
    ("POST", "/user_management/waitlists/{waitlist}/entries", r#"{"email": "{new}@example.com"}"#),
    ("POST", "/user_management/waitlist_entries/{waitlist_entries}/deny", ""),
    ("POST", "/user_management/waitlist_entries/{waitlist_entries}/approve", ""),

    ("POST", "/connect/applications", r#"{"application_type": "oauth", "name": "A", "is_first_party": true, "uses_pkce": true, "redirect_uris": [{"uri": "http://localhost/callback"}]}"#),
    ("POST", "/connect/applications", r#"{"application_type": "oauth", "name": "A", "is_first_party": false, "organization_id": "{organizations}", "uses_pkce": true, "scopes": ["{permissions.slug}"], "redirect_uris": [{"uri": "http://localhost/callback"}]}"#),
    ("POST", "/connect/applications", r#"{"application_type": "m2m", "name": "A", "organization_id": "{organizations}"}"#),
    ("POST", "/connect/applications/{connect_applications}/client_secrets", ""),
    ("PATCH", "/_emulate/settings", r#"{"interactive": "never"}"#),
    // RFC 7636, appendix B
    ("GET", "/oauth2/authorize?response_type=code&login_hint={users.email}&client_id={connect_applications.client_id}&redirect_uri=http://localhost/callback&scope=openid%20offline_access&code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&code_challenge_method=S256", ""),
    ("POST", "/oauth2/token", r#"{"state": "{users}", "grant_type": "authorization_code", "client_id": "{connect_applications.client_id}", "redirect_uri": "http://localhost/callback", "code": "{code}", "code_verifier": "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"}"#),
    ("GET", "/user_management/authorize?response_type=code&client_id=client_x&redirect_uri={redirect_uris.uri}&provider=GitHubOAuth&login_hint={users.email}", ""),
    ("POST", "/user_management/users/{users}/auth_factors", r#"{"type": "totp"}"#),
    ("PATCH", "/_emulate/organizations/{organizations}", r#"{"organization_policy": {"mfa_required": true}, "domain_policy": {"auth_methods": ["SSO"]}}"#),
    ("POST", "/user_management/authkit_oauth_resources", r#"{"uri": "https://{new}.example"}"#),
    ("POST", "/user_management/redirect_uris", r#"{"uri": "http://localhost/{new}"}"#),
    ("POST", "/user_management/cors_origins", r#"{"origin": "https://{new}.example"}"#),
    ("POST", "/webhook_endpoints", r#"{"endpoint_url": "http://localhost/{new}", "events": ["user.created"]}"#),
    ("PUT", "/user_management/jwt_template", r#"{"content": "{\"mail\": {{ user.email }}}"}"#),

    ("DELETE", "/user_management/users/{users}", ""),
    ("DELETE", "/organizations/{organizations}", ""),
    ("DELETE", "/user_management/organization_memberships/{organization_memberships}", ""),
    ("DELETE", "/organizations/{organizations}/groups/{groups}", ""),
    ("DELETE", "/organization_domains/{organizations.domains.0.id}", ""),
    ("DELETE", "/organizations/{organizations}/it_contacts/{it_contacts}", ""),
    ("DELETE", "/authorization/permissions/{permissions.slug}", ""),
    ("DELETE", "/authorization/organizations/{organizations}/roles/{roles.slug}", ""),
    ("DELETE", "/connections/{connections}", ""),
    ("DELETE", "/directories/{directories}", ""),
    ("DELETE", "/_emulate/directory_users/{directory_users}", ""),
    ("DELETE", "/_emulate/directory_groups/{directory_groups}", ""),
    ("DELETE", "/_emulate/directory_groups/{directory_groups}/users/{directory_users}", ""),
    ("DELETE", "/api_keys/{api_keys}", ""),
    ("DELETE", "/_emulate/feature_flags/{feature_flags.slug}", ""),
    ("DELETE", "/user_management/waitlist_entries/{waitlist_entries}", ""),
    ("DELETE", "/auth/factors/{authentication_factors}", ""),
    ("DELETE", "/connect/applications/{connect_applications}", ""),
    ("DELETE", "/connect/client_secrets/{connect_application_secrets}", ""),
    ("DELETE", "/user_management/authkit_oauth_resources/{authkit_oauth_resources}", ""),
    ("DELETE", "/user_management/redirect_uris/{redirect_uris}", ""),
    ("DELETE", "/webhook_endpoints/{webhook_endpoints}", ""),
];

struct World {
    environment: Arc<Environment>,
    routes: Routes,
    words: usize,
    code: Option<String>,
}

impl World {
    fn new() -> Self {
        Self {
            environment: Arc::new(Environment::for_tests()),
            routes: Routes::new(),
            words: 0,
            code: None,
        }
    }

    /// The rows of every table.
    fn rows(&self) -> BTreeMap<String, Vec<Value>> {
        let dump = self.environment.state().dump();
        let tables = dump.as_object().unwrap().iter();
        tables
            .filter_map(|(name, table)| {
                let rows = table.get(0)?.as_array()?.iter().map(|row| row[1].clone());
                Some((name.clone(), rows.collect()))
            })
            .collect()
    }

    /// Makes a step with some of the things that are there. Whether it succeeded.
    fn step(&mut self, (method, path, body): Step, pick: usize) -> bool {
        let rows = self.rows();
        self.words += 1;
        let words = Words {
            new: &format!("w{}", self.words),
            code: self.code.as_deref().unwrap_or("none"),
            waitlist: &format!("waitlist_{}", self.environment.id.rsplit('_').next().unwrap()),
        };
        let Some(path) = fill(path, &rows, words, pick) else {
            return false;
        };
        let Some(body) = fill(body, &rows, words, pick) else {
            return false;
        };
        let body = if body.is_empty() {
            json!({})
        } else {
            serde_json::from_str(&body).unwrap()
        };
        let events = self.environment.state().events.len();
        let answer = self.call(method, &path, body);
        if let Ok(code) = answer.as_ref().map(code_in) {
            self.code = code.or(self.code.take());
        }
        let status = answer.map_or_else(|refusal| refusal.status, |reply| reply.status);
        assert!(status < 500, "{method} {path}: {status}");
        // Who could not sign in may still have shown who they are.
        if status >= 400 && path != "/_emulate/sign_in" {
            let now = self.environment.state().events.len();
            assert_eq!(now, events, "{method} {path} was refused: {status}");
        }
        status < 400
    }

    fn call(&self, method: &str, path: &str, body: Value) -> Result<Reply, ApiError> {
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let (operations, values) = self.routes.operations(path).unwrap();
        let operation = operations.iter().find(|one| one.method == method).unwrap();
        let names = operation
            .path
            .split('/')
            .filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
        let params: Vec<_> = names.zip(values.iter().map(String::as_str)).collect();
        let call = Call::for_tests(&self.environment, &params, query, body);
        match operation.handler {
            Handler::Quick(handler) | Handler::Slow(handler) => handler(&call),
            Handler::Waiting(_) => panic!("{path} waits"),
            Handler::NotBuilt => panic!("{path} is not built"),
        }
    }

    /// Every id that a row names, and that no row has.
    fn dangling(&self) -> BTreeSet<String> {
        let rows = self.rows();
        let mut there = BTreeSet::new();
        let mut named = Vec::new();
        for (table, rows) in &rows {
            for row in rows {
                there.extend(row["id"].as_str());
                // Domains are part of their organization's row.
                let domains = row["domains"].as_array().into_iter().flatten();
                there.extend(domains.filter_map(|domain| domain["id"].as_str()));
                let ended = table == "sessions" && row["status"] == "revoked";
                if ended {
                    named.push((table, row["user_id"].as_str().unwrap().to_owned()));
                } else if ![&HISTORY[..], &IN_PROGRESS[..]]
                    .iter()
                    .any(|tables| tables.contains(&table.as_str()))
                {
                    visit(row, &mut |text| named.push((table, text.to_owned())));
                }
            }
        }
        named
            .into_iter()
            .filter(|(_, id)| is_id(id) && !there.contains(id.as_str()))
            .map(|(table, id)| format!("{table}: {id}"))
            .collect()
    }
}

/// The code with which a reply sends a browser back.
fn code_in(reply: &Reply) -> Option<String> {
    let (_, location) = reply.headers.iter().find(|(name, _)| *name == "Location")?;
    let (_, code) = location.split_once("?code=")?;
    Some(code.split('&').next()?.to_owned())
}

/// What names stand for that are no tables.
#[derive(Clone, Copy)]
struct Words<'a> {
    new: &'a str,
    code: &'a str,
    waitlist: &'a str,
}

/// Puts things of the world in place of their names.
fn fill(
    template: &str,
    rows: &BTreeMap<String, Vec<Value>>,
    words: Words<'_>,
    pick: usize,
) -> Option<String> {
    let mut filled = String::new();
    let mut rest = template;
    let mut pick = pick;
    while let Some((before, name, after)) = placeholder(rest) {
        filled.push_str(before);
        match name {
            "new" => filled.push_str(words.new),
            "code" => filled.push_str(words.code),
            "waitlist" => filled.push_str(words.waitlist),
            name => {
                let (table, member) = name.split_once('.').unwrap_or((name, "id"));
                let rows = rows.get(table).unwrap_or_else(|| panic!("no table {table}"));
                let row = rows.get(pick.checked_rem(rows.len())?)?;
                let members = member
                    .split('.')
                    .map(|member| member.parse::<usize>().map_err(|_| member));
                let found = members.fold(row, |value, member| match member {
                    Ok(at) => &value[at],
                    Err(name) => &value[name],
                });
                // A row that has no such thing does not do.
                filled.push_str(found.as_str()?);
                pick /= 3;
            }
        }
        rest = after;
    }
    filled.push_str(rest);
    Some(filled)
}

/// The first `{name}`, with what is before and behind it.
fn placeholder(text: &str) -> Option<(&str, &str, &str)> {
    for (at, _) in text.match_indices('{') {
        let (name, after) = text[at + 1..].split_once('}')?;
        if !name.is_empty()
            && name
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"_.".contains(&byte))
        {
            return Some((&text[..at], name, after));
        }
    }
    None
}

fn visit(value: &Value, found: &mut impl FnMut(&str)) {
    match value {
        Value::String(text) => found(text),
        Value::Array(values) => values.iter().for_each(|value| visit(value, found)),
        Value::Object(members) => members.values().for_each(|value| visit(value, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// `prefix_` and a ULID; the environment and its client are no rows.
fn is_id(text: &str) -> bool {
    text.rsplit_once('_').is_some_and(|(prefix, ulid)| {
        ulid.len() == 26
            && ulid
                .bytes()
                .all(|byte| byte.is_ascii_digit() || byte.is_ascii_uppercase())
            && !["environment", "client"].contains(&prefix)
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn nothing_is_left_that_names_what_is_gone(steps in vec((0..STEPS.len(), 0..10_000_usize), 1..80)) {
        let mut world = World::new();
        for (step, pick) in steps {
            world.step(STEPS[step], pick);
            prop_assert_eq!(world.dangling(), BTreeSet::new(), "after {:?}", STEPS[step]);
        }
        // Without people and organizations, nothing of theirs is left.
        for (table, path) in [("users", "/user_management/users"), ("organizations", "/organizations")] {
            for row in &world.rows()[table] {
                world.call("DELETE", &format!("{path}/{}", row["id"].as_str().unwrap()), json!({})).unwrap();
            }
        }
        prop_assert_eq!(world.dangling(), BTreeSet::new(), "at the end");
    }
}

/// Tables that no step fills: what the environment is, what the pages and receivers of webhooks make, and what a test orders.
const BY_OTHER_MEANS: [&str; 21] = [
    "attempts",
    "authorization_sessions",
    "directory_remains",
    "dns_records",
    "external_auths",
    "hooks",
    "idp_grants",
    "invitation_blocks",
    "passkey_challenges",
    "passkey_reminders",
    "passkeys",
    "pending_authentications",
    "portal_sessions",
    "provider_grants",
    "radar_challenges",
    "saml_answers",
    "saml_consumed",
    "saml_test_idps",
    "secret_keys",
    "signing_keys",
    "totp_enrollments",
];

/// A small world in which everything was made, the steps that succeeded on the way, and the tables that had rows.
fn small_world() -> (World, BTreeSet<Step>, BTreeSet<String>) {
    let mut world = World::new();
    let (mut succeeded, mut filled) = (BTreeSet::new(), BTreeSet::new());
    for pick in 0..4 {
        for making in STEPS.iter().filter(|(method, _, _)| *method != "DELETE") {
            if world.step(*making, pick) {
                succeeded.insert(*making);
            }
            let rows = world.rows().into_iter();
            filled.extend(rows.filter(|(_, rows)| !rows.is_empty()).map(|(name, _)| name));
        }
    }
    (world, succeeded, filled)
}

/// The property is about something: it is about every table.
#[test]
fn the_steps_fill_every_table() {
    let (world, _, filled) = small_world();
    let mut empty: Vec<_> = world.rows().into_keys().collect();
    empty.retain(|name| !filled.contains(name));
    assert_eq!(empty, BY_OTHER_MEANS);
}

/// And each step succeeds with some things of a small world.
#[test]
fn every_step_succeeds_with_some_things() {
    let (mut world, succeeded, _) = small_world();
    let small = world.environment.snapshot();
    let mut failed = Vec::new();
    for step in STEPS.iter().filter(|step| !succeeded.contains(*step)) {
        world.environment.restore(&small);
        if !(0..300).any(|pick| world.step(*step, pick)) {
            failed.push(step);
        }
    }
    assert_eq!(failed, [] as [&Step; 0]);
}
