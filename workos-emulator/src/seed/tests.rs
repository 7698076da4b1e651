use crate::{
    api::{
        api_keys::{self, Owner},
        multi_factor_auth::factors::FactorKind,
    },
    control::environments::{Start, api_key, fill},
    environment::Environment,
};

use super::*;

fn problems(text: &str) -> Vec<String> {
    validate_seed(text).unwrap_err().problems()
}

fn planted(text: &str) -> Environment {
    let environment = Environment::for_tests();
    let seed = Seed::read(text).unwrap();
    let start = Start {
        api_key: Some("sk_test_default"),
        seed: Some(&seed),
        ..Start::default()
    };
    fill(&environment, start).unwrap();
    environment
}

#[test]
fn tells_every_problem_with_its_path() {
    let text = r#"
users:
  - {email: a@b@c, email_verified: "yes", id: "user x", metadata: 5}
  - just text
  - {email: "", password: 1234}
organizations:
  - domains: [{state: owned, domain: a.example}]
    memberships: [{user_id: user_1}]
roles: [{slug: a, type: OrganizationRole}]
apiKeys: {pk_1: {}}
errorHooks: [{method: GET, path: /a}]
"#;
    assert_eq!(
        problems(text),
        [
            r#"users[0].id: must consist of letters, digits, _ and - (got: "user x")"#,
            r#"users[0].email: must be an e-mail address (got: "a@b@c")"#,
            r#"users[0].email_verified: invalid type: string "yes", expected a boolean (got: "yes")"#,
            "users[0].metadata: invalid type: integer `5`, expected a map (got: 5)",
            r#"users[1]: must be an object (got: "just text")"#,
            "users[2].email: must not be empty",
            "users[2].password: invalid type: integer `1234`, expected a string",
            "organizations[0].name: is required",
            r#"organizations[0].domains[0].state: unknown variant `owned`, expected `pending` or `verified` (got: "owned")"#,
            r#"organizations[0].memberships[0].user_id: name the user by email, not by id (got: "user_1")"#,
            "organizations[0].memberships[0].email: is required",
            "roles[0].organization_id: is required for an OrganizationRole",
            "roles[0].name: is required",
            "apiKeys: a key starts with sk_",
            "errorHooks[0].status: is required",
        ]
    );
}

#[test]
fn reads_yaml_1_2_and_json_alike() {
    for text in [
        "users: [{email: a@b.example, first_name: yes, last_name: no}]",
        r#"{"users": [{"email": "a@b.example", "first_name": "yes", "last_name": "no"}]}"#,
    ] {
        let environment = planted(text);
        let state = environment.state();
        let user = state.users.iter().next().unwrap();
        assert_eq!(
            (user.first_name.as_deref(), user.last_name.as_deref()),
            (Some("yes"), Some("no"))
        );
    }
    assert_eq!(validate_seed("").unwrap(), Vec::<String>::new());
    assert_eq!(problems("users: [")[0].split(':').next(), Some("(document)"));
    assert_eq!(
        problems("{\"users\": [}")[0].split(':').next(),
        Some("(document)")
    );
    assert_eq!(problems("- a"), [r#"(document): must be an object (got: ["a"])"#]);
}

#[test]
fn does_not_expand_bombs() {
    let mut text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..12 {
        let alias = format!("*a{}, ", level - 1).repeat(10);
        text.push_str(&format!("a{level}: &a{level} [{alias}]\n"));
    }
    assert!(problems(&text)[0].starts_with("(document): is not YAML"));
}

#[test]
fn the_first_key_of_the_file_is_the_one_that_is_shown() {
    let environment = planted("apiKeys:\n  sk_test_z: {environment: test}\n  sk_test_a: {}\n");
    assert_eq!(api_key(&environment).as_deref(), Some("sk_test_z"));
    assert_eq!(environment.state().secret_keys.len(), 2);
    let environment = planted("apiKeys: [{name: CI, value: sk_test_ci}]");
    assert_eq!(api_key(&environment).as_deref(), Some("sk_test_ci"));
    assert_eq!(api_key(&planted("users: []")).as_deref(), Some("sk_test_default"));
}

#[test]
fn plants_all_of_it() {
    let environment = planted(
        "
users: [{email: ann@acme.example, password: weak, metadata: {a: b}}, {email: bob@acme.example, password: weak}]
permissions: [{slug: 'posts:write', name: Write posts}]
roles:
  - {slug: editor, name: Editor, permissions: ['posts:write']}
  - {slug: member, name: Colleague, description: Everybody}
  - {slug: org-owner, name: Owner, type: OrganizationRole, organization_id: org_acme}
organizations:
  - id: org_acme
    name: Acme
    domains: [{domain: acme.example, state: verified}]
    memberships:
      - {email: Ann@acme.example, role: org-owner}
      - {email: bob@acme.example, status: inactive}
webhookEndpoints: [{url: 'http://localhost:1/hook', secret: pinned}]
redirectUris: ['http://localhost:3000/callback']
settings: {access_token_lifetime: 60}
",
    );
    let state = environment.state();
    assert_eq!(state.settings().access_token_lifetime, 60);
    let names: Vec<_> = state.roles.iter().map(|role| role.name.as_str()).collect();
    assert_eq!(names, ["Colleague", "Editor", "Owner"]);
    let memberships: Vec<_> = state
        .organization_memberships
        .iter()
        .map(|membership| (membership.roles[0].as_str(), membership.status.as_str()))
        .collect();
    assert_eq!(memberships, [("org-owner", "active"), ("member", "inactive")]);
    assert!(
        state
            .passwords
            .iter()
            .all(|password| password.hash.verify("weak"))
    );
    assert_eq!(
        state.webhook_endpoints.iter().next().unwrap().secret.expose(),
        "pinned"
    );
    // The endpoint hears of nothing that the seed itself created.
    assert_eq!(state.deliveries.len(), 0);
    assert!(state.events.iter().any(|event| event.event == "user.created"));
    assert_eq!(state.redirect_uris.len(), 1);
    assert!(state.is_consistent());
}

#[test]
fn an_authenticator_app_has_a_secret_of_the_seed() {
    let environment = planted(
        "
users:
  - {email: ann@acme.example, totp: true}
  - {email: bob@acme.example, totp_secret: krugkidrovuwg2za}
  - {email: eve@acme.example, totp: false, totp_secret: KRUGKIDROVUWG2ZA}
",
    );
    let state = environment.state();
    let secrets: Vec<_> = state
        .authentication_factors
        .iter()
        .map(|factor| match &factor.kind {
            FactorKind::Totp(totp) => (totp.user.as_str(), totp.secret.expose()),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(
        secrets,
        [
            ("ann@acme.example", "JBSWY3DPEHPK3PXP".to_owned()),
            ("bob@acme.example", "KRUGKIDROVUWG2ZA".to_owned()),
        ]
    );
    assert_eq!(
        problems("users: [{email: a@b.example, totp: 'yes', totp_secret: 'hush-hush!'}]"),
        [
            r#"users[0].totp: invalid type: string "yes", expected a boolean (got: "yes")"#,
            "users[0].totp_secret: must be base32: letters A to Z and digits 2 to 7, like JBSWY3DPEHPK3PXP",
        ]
    );
}

#[test]
fn a_key_of_an_organization_opens_the_api_as_well() {
    let environment = planted(
        "
users: [{id: user_ada, email: ada@acme.example}]
permissions: [{slug: 'posts:read', name: Read posts}]
organizations: [{id: org_acme, name: Acme, memberships: [{email: ada@acme.example}]}]
apiKeys:
  - {name: CI, organization: Acme, value: sk_test_ci, permissions: ['posts:read']}
  - {name: Ada's, organization: Acme, user_id: user_ada, value: sk_test_ada, expires_at: '2020-01-01T00:00:00Z'}
",
    );
    let state = environment.state();
    assert_eq!(state.secret_keys.len(), 2);
    let owners: Vec<_> = state
        .api_keys
        .iter()
        .map(|key| (key.name.as_str(), key.owner.clone(), key.permissions.len()))
        .collect();
    let id = "org_acme".to_owned();
    let of_user = Owner::User {
        id: "user_ada".to_owned(),
        organization_id: id.clone(),
    };
    assert_eq!(
        owners,
        [("CI", Owner::Organization { id }, 1), ("Ada's", of_user, 0)]
    );
    let valid = |value: &str| environment.transact(|tx| api_keys::validate(tx, value)).unwrap();
    assert_eq!(valid("sk_test_ci").unwrap().obfuscated_value, "sk_...t_ci");
    assert_eq!(valid("sk_test_ada"), None, "it has expired");
}

#[test]
fn says_whose_key_it_does_not_know() {
    assert_eq!(
        problems("apiKeys: [{name: CI, permissions: [x]}]"),
        ["apiKeys[0].organization: is required for a key with an owner or permissions"]
    );
    assert_eq!(
        problems("apiKeys: [{name: CI, organization: Acme}]"),
        [r#"apiKeys[0].organization: no organization has this name (got: "Acme")"#]
    );
}

#[test]
fn plants_groups_flags_entitlements_and_the_jwt_template() {
    let environment = planted(
        "
users: [{id: ann, email: ann@acme.example}, {email: bob@acme.example}]
organizations:
  - id: org_acme
    name: Acme
    entitlements: [audit-logs]
    memberships: [{email: ann@acme.example}]
    groups: [{name: Engineering, description: Builds, members: [Ann@acme.example]}, {name: Empty}]
featureFlags:
  - id: flag_beta
    slug: beta
    owner: {email: jane@example.com}
    tags: [new]
    targets: {users: [ann@acme.example], organizations: [Acme]}
  - {slug: all, enabled: false, default_value: true}
jwtTemplate: {content: '{\"a\": {{ user.email }}}'}
",
    );
    let state = environment.state();
    let groups: Vec<_> = state
        .groups
        .iter()
        .map(|group| (group.name.as_str(), group.members))
        .collect();
    assert_eq!(groups, [("Engineering", 1), ("Empty", 0)]);
    let flags: Vec<_> = state.feature_flags.iter().collect();
    assert_eq!((flags[0].id.as_str(), flags[0].enabled), ("flag_beta", true));
    assert_eq!(flags[0].targets, ["ann", "org_acme"]);
    assert_eq!((flags[1].enabled, flags[1].default_value), (false, true));
    assert_eq!(
        state.entitlements.get("org_acme").unwrap().entitlements,
        ["audit-logs"]
    );
    assert_eq!(state.jwt_templates.len(), 1);
}

#[test]
fn tells_what_groups_flags_and_templates_cannot_refer_to() {
    let text = r#"
users: [{email: ann@acme.example}, {email: bob@acme.example}]
organizations:
  - name: Acme
    memberships: [{email: ann@acme.example}]
    groups: [{name: A, members: [bob@acme.example, eve@acme.example]}]
featureFlags:
  - {slug: beta, targets: {users: [eve@acme.example], organizations: [Globex]}}
  - {slug: "b c"}
jwtTemplate: {content: "{{ user.email }}"}
"#;
    let environment = Environment::for_tests();
    let seed = Seed::read(text).unwrap();
    let prepared = seed.prepare(&environment).unwrap();
    let refused = environment.transact(|tx| prepared.plant(tx)).unwrap_err();
    assert_eq!(
        refused.problems(),
        [
            r#"organizations[0].groups[0].members[0]: this user is no member of the organization (got: "bob@acme.example")"#,
            r#"organizations[0].groups[0].members[1]: no user has this e-mail address (got: "eve@acme.example")"#,
            r#"featureFlags[0].targets.users[0]: no user has this e-mail address (got: "eve@acme.example")"#,
            r#"featureFlags[0].targets.organizations[0]: no organization has this name (got: "Globex")"#,
            "featureFlags[1]: Validation failed. slug has 1 to 128 letters, digits, -, _ and . only.",
            "jwtTemplate.content: Validation failed. Template must render to an object with at least one explicitly defined top-level key",
        ]
    );
}
