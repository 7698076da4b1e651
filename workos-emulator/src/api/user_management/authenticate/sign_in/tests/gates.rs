//! The order of the gates, for every way in.

use serde_json::{Value, json};
use url::Url;

use crate::{
    api::{
        multi_factor_auth::{
            factors::{BY_USER, FactorKind},
            user_factors::create_user_auth_factor,
        },
        organizations,
        user_management::{
            authenticate::{
                fixture::{CLIENT_ID, EMAIL, Fixture, PASSWORD, REDIRECT_URI, merged},
                method::AuthenticationMethod,
            },
            authorize::get_authorization_url,
            device_authorization::create_device,
            invitations::send_invitation,
            magic_auth::create_magic_auth,
            organization_policies::{self, DomainPolicy, OrganizationPolicy, PolicyChanges},
            radar_challenges::Channel,
            users::{self, User},
        },
    },
    control::{device_authorizations::approve_device, settings::Mfa},
    server::{body::Patch, call::Call, error::ApiError},
};

/// What stands between a credential and a session, in its order.
#[derive(Debug, Clone, Copy)]
enum Gate {
    Radar,
    DomainPolicy,
    Email,
    SecondFactor,
    Organization,
    OrganizationPolicy,
}

const ORDER: [Gate; 6] = [
    Gate::Radar,
    Gate::DomainPolicy,
    Gate::Email,
    Gate::SecondFactor,
    Gate::Organization,
    Gate::OrganizationPolicy,
];

/// Ada, and gates that are all closed to her.
struct Gates {
    fixture: Fixture,
    domain: String,
    acme: String,
    globex: String,
    in_globex: String,
}

impl Gates {
    fn closed() -> Self {
        let fixture = Fixture::new();
        let domain =
            json!({"name": "Example", "domain_data": [{"domain": "example.com", "state": "verified"}]});
        let domain = fixture.run(organizations::create_organization, domain)["id"].clone();
        let acme = fixture.add_own_organization("Acme");
        let globex = fixture.add_organization("Globex");
        let in_globex = fixture.add_membership(&globex, json!({}));
        let gates = Self {
            domain: domain.as_str().unwrap().to_owned(),
            acme,
            globex,
            in_globex,
            fixture,
        };
        gates.fixture.set(|settings| {
            settings.radar_challenge = Some(Channel::Email);
            settings.mfa = Mfa::Required;
            settings.rate_limits = false;
        });
        let google = vec![AuthenticationMethod::GoogleOAuth];
        gates.set_domain_policy(Patch::Set(DomainPolicy { auth_methods: google }));
        gates.require_sso(true);
        gates.set_email_verified(false);
        gates
    }

    fn open(&self, gate: Gate) {
        match gate {
            Gate::Radar => self.fixture.set(|settings| settings.radar_challenge = None),
            Gate::DomainPolicy => self.set_domain_policy(Patch::Clear),
            Gate::Email => self.set_email_verified(true),
            Gate::SecondFactor => self.fixture.set(|settings| settings.mfa = Mfa::Off),
            Gate::Organization => self.fixture.deactivate(&self.in_globex),
            Gate::OrganizationPolicy => self.require_sso(false),
        }
    }

    fn set_domain_policy(&self, domain_policy: Patch<DomainPolicy>) {
        let changes = PolicyChanges {
            domain_policy,
            ..PolicyChanges::default()
        };
        self.change(&self.domain, changes);
    }

    fn require_sso(&self, sso_required: bool) {
        let policy = OrganizationPolicy {
            sso_required,
            mfa_required: false,
        };
        let changes = PolicyChanges {
            organization_policy: Patch::Set(policy),
            ..PolicyChanges::default()
        };
        self.change(&self.acme, changes);
    }

    fn change(&self, id: &str, changes: PolicyChanges) {
        self.fixture
            .environment
            .transact(|tx| organization_policies::change(tx, id, changes).map(drop))
            .unwrap();
    }

    fn set_email_verified(&self, email_verified: bool) {
        let change = |user: &User| User {
            email_verified,
            ..user.clone()
        };
        self.fixture
            .environment
            .transact(|tx| {
                let user = change(users::find(tx, &self.fixture.user_id)?);
                Ok::<_, ApiError>(tx.put(user)?)
            })
            .unwrap();
    }

    /// What a way in comes to: with a wrong credential, and then while these gates are opened, one after the other.
    fn answers(&self, way: impl Fn(&Fixture, bool) -> Result<Value, ApiError>) -> Vec<String> {
        let told = |outcome: Result<Value, ApiError>| match outcome {
            Ok(answer) => format!("session by {}", answer["authentication_method"].as_str().unwrap()),
            Err(refused) => refused.code().unwrap_or_default().to_owned(),
        };
        let mut answers = vec![told(way(&self.fixture, false))];
        for gate in ORDER {
            answers.push(told(way(&self.fixture, true)));
            self.open(gate);
        }
        answers.push(told(way(&self.fixture, true)));
        answers
    }
}

fn password(fixture: &Fixture, right: bool) -> Result<Value, ApiError> {
    fixture.with_password(if right { PASSWORD } else { "wrong" })
}

/// By a password and an invitation that is for somebody else.
fn invited(fixture: &Fixture, right: bool) -> Result<Value, ApiError> {
    let state = fixture.environment.state();
    let invitation = json!({
        "email": format!("bob{}@other.example", state.invitations.len()),
        "organization_id": state.organizations.iter().next().unwrap().id,
    });
    let invitation = fixture.run(send_invitation, invitation);
    fixture.authenticate(json!({
        "grant_type": "password", "email": EMAIL, "password": if right { PASSWORD } else { "wrong" },
        "invitation_token": invitation["token"],
    }))
}

fn magic_auth(fixture: &Fixture, right: bool) -> Result<Value, ApiError> {
    let created = fixture.run(create_magic_auth, json!({"email": EMAIL}));
    let code = if right {
        created["code"].clone()
    } else {
        "x".into()
    };
    let grant_type = "urn:workos:oauth:grant-type:magic-auth:code";
    fixture.authenticate(json!({"grant_type": grant_type, "email": EMAIL, "code": code}))
}

/// By a code that a program without a browser has got.
fn code(fixture: &Fixture, provider: &str, right: bool) -> Result<Value, ApiError> {
    let query = format!(
        "response_type=code&client_id={CLIENT_ID}&redirect_uri={REDIRECT_URI}&provider={provider}&login_hint={EMAIL}"
    );
    let reply = get_authorization_url(&fixture.call(&query, Value::Null)).unwrap();
    let location = Url::parse(&reply.headers[0].1).unwrap();
    let code = location.query_pairs().find(|(name, _)| name == "code");
    let code = code.unwrap_or_else(|| panic!("{location}")).1.into_owned();
    let code = if right { code } else { "x".to_owned() };
    fixture.authenticate(json!({"grant_type": "authorization_code", "code": code}))
}

fn device_code(fixture: &Fixture, right: bool) -> Result<Value, ApiError> {
    let device = fixture.run(create_device, json!({"client_id": CLIENT_ID}));
    let user_code = device["user_code"].as_str().unwrap();
    let approval = json!({"email": EMAIL});
    let call = Call::for_tests(&fixture.environment, &[("user_code", user_code)], "", approval);
    approve_device(&call).unwrap();
    let device_code = if right {
        device["device_code"].clone()
    } else {
        "x".into()
    };
    let grant_type = "urn:ietf:params:oauth:grant-type:device_code";
    fixture.authenticate(json!({"grant_type": grant_type, "device_code": device_code}))
}

const DOMAIN_POLICY: &str = "organization_authentication_methods_required";
const EMAIL_VERIFICATION: &str = "email_verification_required";
const INVITATION: &str = "invitation_cannot_be_used_for_email";
const SELECTION: &str = "organization_selection_required";

/// Each line: the credential, then one answer per gate that is still closed, and what is behind them.
#[test]
fn every_way_in_passes_the_same_gates_in_the_same_order() {
    type Way = fn(&Fixture, bool) -> Result<Value, ApiError>;
    #[rustfmt::skip]
    let ways: [(&str, Way, [&str; 8]); 6] = [
        ("password", password, [
            "invalid_credentials", "radar_challenge", DOMAIN_POLICY, EMAIL_VERIFICATION, "mfa_enrollment", SELECTION,
            "sso_required", "session by Password",
        ]),
        ("another's invitation", invited, [
            "invalid_credentials", "radar_challenge", DOMAIN_POLICY, EMAIL_VERIFICATION, "mfa_enrollment", INVITATION, INVITATION,
            INVITATION,
        ]),
        // Radar looks at passwords alone, and the code has shown whose the address is.
        ("magic auth", magic_auth, [
            "invalid_one_time_code", DOMAIN_POLICY, DOMAIN_POLICY, "mfa_enrollment", "mfa_enrollment", SELECTION,
            "sso_required", "session by MagicAuth",
        ]),
        // Nobody checks the address of who comes without a page.
        ("code", |fixture, right| code(fixture, "authkit", right), [
            "invalid_grant", DOMAIN_POLICY, DOMAIN_POLICY, "mfa_enrollment", "mfa_enrollment", SELECTION, "sso_required",
            "session by Password",
        ]),
        // Whose the address of the account is has to be shown, although the user's own is known.
        ("code of a provider", |fixture, right| code(fixture, "GitHubOAuth", right), [
            "invalid_grant", DOMAIN_POLICY, DOMAIN_POLICY, EMAIL_VERIFICATION, EMAIL_VERIFICATION, EMAIL_VERIFICATION,
            EMAIL_VERIFICATION, EMAIL_VERIFICATION,
        ]),
        ("device code", device_code, [
            "invalid_grant", DOMAIN_POLICY, DOMAIN_POLICY, EMAIL_VERIFICATION, "mfa_enrollment", SELECTION, "sso_required",
            "session by Password",
        ]),
    ];
    let answers = ways.map(|(name, way, _)| (name, Gates::closed().answers(way)));
    let expected = ways.map(|(name, _, expected)| (name, expected.map(str::to_owned).to_vec()));
    assert_eq!(answers, expected);
}

#[test]
fn who_answers_one_gate_stands_at_the_next() {
    let gates = Gates::closed();
    gates.open(Gate::DomainPolicy);
    let fixture = &gates.fixture;
    let last_code = || {
        let state = fixture.environment.state();
        state.messages.iter().last().unwrap().code.clone().unwrap()
    };
    let answer = |refused: Value, grant: &str, with: Value| {
        let body = json!({
            "grant_type": format!("urn:workos:oauth:grant-type:{grant}"),
            "pending_authentication_token": refused["pending_authentication_token"],
        });
        fixture.authenticate(merged(body, with))
    };
    let stopped = |outcome: Result<Value, ApiError>, code: &str| -> Value {
        let refused = outcome.unwrap_err();
        assert_eq!(refused.code(), Some(code));
        refused.body.into()
    };

    let refused = stopped(fixture.with_password(PASSWORD), "radar_challenge");
    let id = refused["radar_challenge_id"].clone();
    let code = json!({"code": last_code(), "radar_challenge_id": id});
    let refused = stopped(
        answer(refused, "radar-email-challenge:code", code),
        EMAIL_VERIFICATION,
    );

    let code = json!({"code": last_code()});
    let refused = stopped(answer(refused, "email-verification:code", code), "mfa_enrollment");

    let user = [("userlandUserId", fixture.user_id.as_str())];
    let call = Call::for_tests(&fixture.environment, &user, "", json!({"type": "totp"}));
    let enrolled: Value = serde_json::from_slice(&create_user_auth_factor(&call).unwrap().body).unwrap();
    let state = fixture.environment.state();
    let factor = state
        .authentication_factors
        .group(BY_USER, &fixture.user_id)
        .next();
    let FactorKind::Totp(totp) = &factor.unwrap().kind else {
        panic!("another kind")
    };
    let code = json!({
        "code": totp.next_code(fixture.environment.clock.now()),
        "authentication_challenge_id": enrolled["authentication_challenge"]["id"],
    });
    let refused = stopped(answer(refused, "mfa-totp", code), SELECTION);

    let acme = json!({"organization_id": gates.acme});
    let selection = "organization-selection";
    let elsewhere = answer(refused.clone(), selection, acme).unwrap_err();
    assert_eq!(elsewhere.description(), "Must use SSO for selected organization");
    assert_eq!(fixture.events("session."), [], "no gate was gone around");
    let globex = json!({"organization_id": gates.globex});
    let signed_in = answer(refused, selection, globex).unwrap();
    assert_eq!(signed_in["organization_id"], *gates.globex);
}
