use serde_json::{Value, json};

use super::*;
use crate::api::user_management::{
    authenticate::fixture::{EMAIL, Fixture, PASSWORD, refusal},
    organization_policies,
    sessions::Device,
    users,
};

const PASSWORD_METHOD: AuthenticationMethod = AuthenticationMethod::Password;

impl Fixture {
    fn set_policies(&self, id: &str, changes: PolicyChanges) -> Result<(), ApiError> {
        self.environment
            .transact(|tx| organization_policies::change(tx, id, changes).map(drop))
    }

    fn require_of(&self, id: &str, sso_required: bool, mfa_required: bool) {
        let policy = OrganizationPolicy {
            sso_required,
            mfa_required,
        };
        self.set_policies(
            id,
            PolicyChanges {
                organization_policy: Patch::Set(policy),
                ..PolicyChanges::default()
            },
        )
        .unwrap();
    }

    fn allow_only(&self, id: &str, auth_methods: &[AuthenticationMethod]) -> Result<(), ApiError> {
        let policy = DomainPolicy {
            auth_methods: auth_methods.to_vec(),
        };
        self.set_policies(
            id,
            PolicyChanges {
                domain_policy: Patch::Set(policy),
                ..PolicyChanges::default()
            },
        )
    }

    /// An organization with the domain of Ada's address, which she need not be a member of.
    fn add_organization_with_domain(&self, state: &str) -> String {
        let domain = json!([{"domain": "example.com", "state": state}]);
        let body = json!({"name": "Example", "domain_data": domain});
        let created = self.run(organizations::create_organization, body);
        created["id"].as_str().unwrap().to_owned()
    }

    fn policy_step(
        &self,
        organization_id: &str,
        method: AuthenticationMethod,
        second_factor: bool,
    ) -> Option<NextStep> {
        let state = self.environment.state();
        let sign_in = SignIn {
            second_factor,
            ..SignIn::new(&self.user_id, method, Device::default())
        };
        let user = users::find(&state, &self.user_id).unwrap();
        check(&state, organization_id, user, &sign_in).unwrap()
    }

    fn select_organization(&self, token: &Value, organization_id: &str) -> Result<Value, ApiError> {
        self.authenticate(json!({
            "grant_type": "urn:workos:oauth:grant-type:organization-selection",
            "pending_authentication_token": token,
            "organization_id": organization_id,
        }))
    }

    fn switch_organization(&self, signed_in: &Value, organization_id: &str) -> Result<Value, ApiError> {
        self.authenticate(json!({
            "grant_type": "refresh_token",
            "refresh_token": signed_in["refresh_token"],
            "organization_id": organization_id,
        }))
    }
}

fn sso_required() -> Value {
    json!({
        "error": "sso_required",
        "error_description": "User must authenticate using one of the matching connections.",
        "email": EMAIL, "connection_ids": [], "pending_authentication_token": null,
    })
}

#[test]
fn an_organization_that_requires_sso_takes_no_password() {
    let fixture = Fixture::new();
    let acme = fixture.add_own_organization("Acme");
    fixture.require_of(&acme, true, false);
    let refused = fixture.with_password(PASSWORD).unwrap_err();
    assert_eq!((refused.status, Value::from(refused.body)), (400, sso_required()));
    assert_eq!(fixture.policy_step(&acme, AuthenticationMethod::Sso, false), None);
    assert_eq!(fixture.environment.state().sessions.len(), 0);
}

#[test]
fn who_selects_it_among_others_may_select_again() {
    let fixture = Fixture::new();
    let [acme, globex] = ["Acme", "Globex"].map(|name| fixture.add_own_organization(name));
    fixture.require_of(&acme, true, false);
    let choice = fixture.with_password(PASSWORD).unwrap_err();
    assert_eq!(choice.code(), Some("organization_selection_required"));
    let token = &choice.body["pending_authentication_token"];
    let refused = fixture.select_organization(token, &acme).unwrap_err();
    assert_eq!(refused.status, 400);
    assert_eq!(
        Value::from(refused.body),
        json!({"message": "Must use SSO for selected organization"})
    );
    assert_eq!(
        fixture.select_organization(token, &globex).unwrap()["organization_id"],
        *globex
    );
}

#[test]
fn a_session_moves_into_no_organization_whose_policy_it_does_not_satisfy() {
    let fixture = Fixture::new();
    let [acme, globex] = ["Acme", "Globex"].map(|name| fixture.add_own_organization(name));
    let choice = fixture.with_password(PASSWORD).unwrap_err();
    let token = &choice.body["pending_authentication_token"];
    let signed_in = fixture.select_organization(token, &globex).unwrap();
    fixture.require_of(&acme, true, false);
    let refused = fixture.switch_organization(&signed_in, &acme).unwrap_err();
    assert_eq!((refused.status, Value::from(refused.body)), (400, sso_required()));
    fixture.require_of(&acme, false, true);
    assert_eq!(
        refusal(fixture.switch_organization(&signed_in, &acme)),
        (400, "mfa_enrollment".to_owned())
    );
    // A refusal uses nothing up, and a session stays where it is whatever becomes of the policy.
    fixture.require_of(&globex, true, true);
    let stays = json!({"grant_type": "refresh_token", "refresh_token": signed_in["refresh_token"]});
    let refreshed = fixture.authenticate(stays).unwrap();
    assert_eq!(refreshed["organization_id"], *globex);
    fixture.require_of(&acme, false, false);
    assert_eq!(
        fixture.switch_organization(&refreshed, &acme).unwrap()["organization_id"],
        *acme
    );
}

#[test]
fn an_organization_that_requires_a_second_factor_asks_for_it() {
    let fixture = Fixture::new();
    let acme = fixture.add_own_organization("Acme");
    assert_eq!(fixture.policy_step(&acme, PASSWORD_METHOD, false), None);
    fixture.require_of(&acme, false, true);
    assert_eq!(
        fixture.policy_step(&acme, PASSWORD_METHOD, false),
        Some(NextStep::EnrollFactor)
    );
    assert_eq!(fixture.policy_step(&acme, PASSWORD_METHOD, true), None);
    assert_eq!(fixture.policy_step(&acme, AuthenticationMethod::Sso, false), None);
    let globex = fixture.add_own_organization("Globex");
    assert_eq!(fixture.policy_step(&globex, PASSWORD_METHOD, false), None);
}

#[test]
fn a_domain_policy_is_for_all_who_have_the_domain_wherever_they_sign_in_to() {
    let fixture = Fixture::new();
    let example = fixture.add_organization_with_domain("verified");
    let acme = fixture.add_own_organization("Acme");
    let allowed = [AuthenticationMethod::GoogleOAuth, AuthenticationMethod::Sso];
    fixture.allow_only(&example, &allowed).unwrap();
    let refused = fixture.with_password(PASSWORD).unwrap_err();
    assert_eq!(
        (refused.status, Value::from(refused.body)),
        (
            400,
            json!({
                "error": "organization_authentication_methods_required",
                "error_description": "User must authenticate using one of the methods allowed by the organization.",
                "email": EMAIL, "sso_connection_ids": [],
                "auth_methods": {
                    "apple_oauth": false, "github_oauth": false, "google_oauth": true, "magic_auth": false,
                    "microsoft_oauth": false, "password": false,
                },
            })
        )
    );
    // Nobody else has to do with it, and who has the domain can come by what is allowed.
    fixture.add_user("eve@elsewhere.example");
    let eve = json!({"grant_type": "password", "email": "eve@elsewhere.example", "password": PASSWORD});
    fixture.authenticate(eve).unwrap();
    fixture.allow_only(&example, &[PASSWORD_METHOD]).unwrap();
    assert_eq!(fixture.signed_in()["organization_id"], *acme);
}

#[test]
fn a_domain_policy_of_sso_alone_is_told_as_such() {
    let fixture = Fixture::new();
    let example = fixture.add_organization_with_domain("verified");
    fixture
        .allow_only(&example, &[AuthenticationMethod::Sso])
        .unwrap();
    let refused = fixture.with_password(PASSWORD).unwrap_err();
    assert_eq!(Value::from(refused.body), sso_required());
}

#[test]
fn a_domain_that_is_not_verified_decides_nothing() {
    let fixture = Fixture::new();
    let example = fixture.add_organization_with_domain("pending");
    fixture
        .allow_only(&example, &[AuthenticationMethod::Sso])
        .unwrap();
    fixture.signed_in();
}

#[test]
fn an_impersonator_is_subject_to_no_policy() {
    let fixture = Fixture::new();
    let example = fixture.add_organization_with_domain("verified");
    fixture.add_membership(&example, json!({}));
    fixture
        .allow_only(&example, &[AuthenticationMethod::Sso])
        .unwrap();
    fixture.require_of(&example, true, true);
    let state = fixture.environment.state();
    let user = users::find(&state, &fixture.user_id).unwrap();
    let impersonator = serde_json::from_value(json!({"email": "admin@example.com", "reason": null})).unwrap();
    let sign_in = SignIn {
        impersonator: Some(impersonator),
        ..SignIn::new(&user.id, AuthenticationMethod::Impersonation, Device::default())
    };
    assert_eq!(check_domain(&state, user, &sign_in), None);
    assert_eq!(check(&state, &example, user, &sign_in), Ok(None));
}

#[test]
fn what_is_no_policy_changes_nothing() {
    let fixture = Fixture::new();
    let acme = fixture.add_organization("Acme");
    for methods in [&[][..], &[PASSWORD_METHOD, AuthenticationMethod::Impersonation]] {
        let refused = fixture.allow_only(&acme, methods).unwrap_err();
        assert_eq!(refused.status, 422);
        assert_eq!(refused.body["errors"][0]["field"], "domain_policy.auth_methods");
    }
    assert_eq!(
        fixture
            .allow_only("org_none", &[PASSWORD_METHOD])
            .unwrap_err()
            .status,
        404
    );
    assert_eq!(fixture.environment.state().organization_policies.len(), 0);
}

#[test]
fn policies_go_with_their_organization() {
    let fixture = Fixture::new();
    let acme = fixture.add_organization_with_domain("verified");
    fixture.allow_only(&acme, &[AuthenticationMethod::Sso]).unwrap();
    let call = crate::server::call::Call::for_tests(&fixture.environment, &[("id", &acme)], "", Value::Null);
    organizations::delete_organization(&call).unwrap();
    assert_eq!(fixture.environment.state().organization_policies.len(), 0);
    fixture.signed_in();
}
