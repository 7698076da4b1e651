//! Whatever is enrolled, challenged and deleted, in whatever order: nothing is left of what is gone.

use proptest::prelude::*;

use super::*;
use crate::api::user_management::users;

/// What people do with factors, by number.
#[derive(Debug, Clone)]
enum Act {
    AddUser,
    Enroll { user: Option<usize> },
    Challenge { factor: usize },
    DeleteFactor { factor: usize },
    DeleteUser { user: usize },
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        Just(Act::AddUser),
        proptest::option::of(0..4usize).prop_map(|user| Act::Enroll { user }),
        (0..6usize).prop_map(|factor| Act::Challenge { factor }),
        (0..6usize).prop_map(|factor| Act::Challenge { factor }),
        (0..6usize).prop_map(|factor| Act::DeleteFactor { factor }),
        (0..4usize).prop_map(|user| Act::DeleteUser { user }),
    ]
}

/// The id of the nth row of a table, if it has so many.
macro_rules! nth {
    ($fixture:expr, $table:ident, $n:expr) => {
        $fixture
            .environment
            .state()
            .$table
            .iter()
            .nth($n)
            .map(|row| row.id.clone())
    };
}

fn run(fixture: &Fixture, nth_act: usize, act: &Act) {
    let call = |operation: fn(&Call) -> Result<Reply, ApiError>, id: Option<String>, body: Value| {
        if let Some(id) = id {
            answer(fixture, operation, &[("id", &id)], body);
        }
    };
    match act {
        Act::AddUser => {
            let user = json!({"email": format!("user{nth_act}@example.com")});
            fixture.run(users::create_user, user);
        }
        Act::Enroll { user } => {
            let user_id = user.and_then(|user| nth!(fixture, users, user));
            let mut body = json!({"type": "sms", "phone_number": PHONE});
            if let Some(user_id) = user_id {
                body["user_id"] = user_id.into();
            }
            enrolled(fixture, body);
        }
        Act::Challenge { factor } => {
            call(
                challenge_factor,
                nth!(fixture, authentication_factors, *factor),
                json!({}),
            );
        }
        Act::DeleteFactor { factor } => {
            call(
                delete_factor,
                nth!(fixture, authentication_factors, *factor),
                json!({}),
            );
        }
        Act::DeleteUser { user } => call(users::delete_user, nth!(fixture, users, *user), json!({})),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn nothing_is_left_dangling(acts in proptest::collection::vec(act(), 0..40)) {
        let fixture = Fixture::new();
        for (nth, act) in acts.iter().enumerate() {
            run(&fixture, nth, act);
            let state = fixture.environment.state();
            for factor in state.authentication_factors.iter() {
                prop_assert!(factor.user_id.iter().all(|id| state.users.get(id).is_some()));
            }
            for challenge in state.authentication_challenges.iter() {
                prop_assert!(state.authentication_factors.get(&challenge.factor_id).is_some());
            }
            prop_assert!(state.is_consistent());
        }
    }
}
