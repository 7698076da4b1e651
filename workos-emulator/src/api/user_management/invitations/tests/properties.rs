//! Whatever happens, in whatever order: no invitation names what is not there, and no membership is pending for nothing.

use proptest::{collection::vec, prelude::*};
use serde_json::json;

use super::*;
use crate::environment::Environment;

#[derive(Debug, Clone, Copy)]
enum Step {
    AddUser(usize),
    DeleteUser(usize),
    DeleteOrganization(usize),
    Invite {
        address: usize,
        to: Option<usize>,
        by: usize,
    },
    Accept(usize),
    Resend(usize),
    Revoke(usize),
    SignIn {
        address: usize,
        invitation: usize,
    },
    Membership(usize, Change),
    Wait,
}

#[derive(Debug, Clone, Copy)]
enum Change {
    Deactivate,
    Reactivate,
    Delete,
}

const ADDRESSES: [&str; 3] = ["a@corp.example", "b@corp.example", "c@gmail.com"];

fn step() -> impl Strategy<Value = Step> {
    let some = || 0..4_usize;
    let address = || 0..ADDRESSES.len();
    let change = prop_oneof![
        Just(Change::Deactivate),
        Just(Change::Reactivate),
        Just(Change::Delete)
    ];
    prop_oneof![
        4 => address().prop_map(Step::AddUser),
        1 => address().prop_map(Step::DeleteUser),
        1 => some().prop_map(Step::DeleteOrganization),
        6 => (address(), prop::option::of(some()), address())
            .prop_map(|(address, to, by)| Step::Invite { address, to, by }),
        3 => some().prop_map(Step::Accept),
        1 => some().prop_map(Step::Resend),
        2 => some().prop_map(Step::Revoke),
        4 => (address(), some()).prop_map(|(address, invitation)| Step::SignIn { address, invitation }),
        3 => (some(), change).prop_map(|(nth, change)| Step::Membership(nth, change)),
        1 => Just(Step::Wait),
    ]
}

struct Model {
    fixture: Fixture,
    organizations: Vec<String>,
    users: [Option<String>; 3],
}

impl Model {
    fn new() -> Self {
        // Without Ada: hashing her password takes most of the time.
        let fixture = Fixture {
            environment: Arc::new(Environment::for_tests()),
            user_id: String::new(),
        };
        fixture.environment.transact(roles::seed_defaults).unwrap();
        fixture.set(|settings| settings.email_verification = false);
        Self {
            organizations: ["Acme", "Globex"]
                .map(|name| fixture.add_organization(name))
                .into(),
            users: [None, None, None],
            fixture,
        }
    }

    /// Refusals are fine: they change nothing.
    fn make(&mut self, step: Step) {
        let fixture = &self.fixture;
        let by_id =
            |operation: Operation, id: &str| drop(run(fixture, operation, &[("id", id)], "", json!({})));
        let state = fixture.environment.state();
        let invitation = |nth: usize| state.invitations.iter().rev().nth(nth);
        match step {
            Step::AddUser(nth) => {
                if self.users[nth].is_none() {
                    let body = json!({"email": ADDRESSES[nth]});
                    self.users[nth] = run(fixture, users::create_user, &[], "", body)
                        .ok()
                        .and_then(|user| user["id"].as_str().map(str::to_owned));
                }
            }
            Step::DeleteUser(nth) => {
                if let Some(id) = self.users[nth].take() {
                    by_id(users::delete_user, &id);
                }
            }
            Step::DeleteOrganization(nth) => {
                if nth < self.organizations.len() {
                    by_id(
                        organizations::delete_organization,
                        &self.organizations.remove(nth),
                    );
                }
            }
            Step::Invite { address, to, by } => {
                let body = json!({
                    "email": ADDRESSES[address], "organization_id": to.and_then(|nth| self.organizations.get(nth)),
                    "inviter_user_id": self.users[by],
                });
                drop(send(fixture, body));
            }
            Step::Accept(nth) => invitation(nth)
                .into_iter()
                .for_each(|row| by_id(accept_invitation, &row.id)),
            Step::Resend(nth) => invitation(nth)
                .into_iter()
                .for_each(|row| by_id(resend_invitation, &row.id)),
            Step::Revoke(nth) => invitation(nth)
                .into_iter()
                .for_each(|row| by_id(revoke_invitation, &row.id)),
            Step::SignIn {
                address,
                invitation: nth,
            } => {
                let user = self.users[address].as_deref().and_then(|id| state.users.get(id));
                if let (Some(user), Some(row)) = (user, invitation(nth)) {
                    let sign_in = SignIn::new(
                        &user.id,
                        crate::api::user_management::authenticate::method::AuthenticationMethod::Password,
                        crate::api::user_management::sessions::Device::default(),
                    );
                    let sign_in = sign_in.invited_by(Some(row.token.expose()));
                    drop(fixture.environment.transact(|tx| spend(tx, user, &sign_in)));
                }
            }
            Step::Membership(nth, change) => {
                let Some(membership) = state.organization_memberships.iter().rev().nth(nth) else {
                    return;
                };
                let operation: Operation = match change {
                    Change::Deactivate => memberships::deactivate_organization_membership,
                    Change::Reactivate => memberships::reactivate_organization_membership,
                    Change::Delete => memberships::delete_organization_membership,
                };
                by_id(operation, &membership.id);
            }
            Step::Wait => fixture.advance(4 * DAY),
        }
    }

    fn check(&self) -> Result<(), TestCaseError> {
        let state = self.fixture.environment.state();
        let now = self.fixture.environment.clock.now();
        prop_assert!(state.is_consistent());
        for row in state.invitations.iter() {
            for id in [&row.inviter_user_id, &row.accepted_user_id]
                .into_iter()
                .flatten()
            {
                prop_assert!(state.users.get(id).is_some(), "{row:?}");
            }
            if let Some(id) = &row.organization_id {
                prop_assert!(state.organizations.get(id).is_some(), "{row:?}");
            }
            if let Some(id) = &row.membership_id {
                let status = state
                    .organization_memberships
                    .get(id)
                    .map(|membership| membership.status);
                prop_assert_eq!(status, Some(memberships::MembershipStatus::Pending));
            }
            let again = pending(&state, &row.email, row.organization_id.as_deref(), now);
            prop_assert_eq!(again.is_some_and(|other| other.id == row.id), row.is_pending(now));
        }
        for membership in state.organization_memberships.iter() {
            let stands_for = state.invitations.group(BY_MEMBERSHIP, &membership.id).count();
            let is_pending = membership.status == memberships::MembershipStatus::Pending;
            prop_assert_eq!(stands_for > 0, is_pending, "{:?}", membership);
        }
        Ok(())
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 160, ..ProptestConfig::default() })]

    #[test]
    fn nothing_dangles(steps in vec(step(), 1..40)) {
        let mut model = Model::new();
        for step in steps {
            model.make(step);
            model.check()?;
        }
    }
}
