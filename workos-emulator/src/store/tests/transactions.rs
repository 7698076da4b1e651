//! Transactions: all or nothing, indexes that agree with their tables, and commits that give the state again.

use jiff::Timestamp;
use proptest::{collection::vec, prelude::*, sample::subsequence};
use rand::{SeedableRng, rngs::StdRng};
use serde_json::json;

use crate::{
    api::{
        authorization::roles::{Role, RoleType},
        user_management::users::User,
    },
    core::ids::IdGenerator,
    environment::Environment,
    server::error::ApiError,
    store::{Of, State, Transaction, state::Commit},
};

#[derive(Debug, Clone)]
enum Step {
    /// Few ids and few addresses: they often meet.
    PutUser {
        id: u8,
        email: u8,
        external_id: Option<u8>,
    },
    DeleteUser {
        id: u8,
    },
    PutRole {
        id: u8,
        owner: Option<u8>,
        slug: u8,
        priority: i64,
        permissions: Vec<String>,
    },
    DeleteRole {
        id: u8,
    },
    Emit {
        id: u8,
    },
    Fail,
}

/// Steps of one transaction, and whether a refused step ends it: a rule may also go on after a conflict.
type Rule = (Vec<Step>, bool);

fn step() -> impl Strategy<Value = Step> {
    let permissions = subsequence(vec!["p:1".to_owned(), "p:2".to_owned(), "p:3".to_owned()], 0..=3);
    let role = (
        0..5_u8,
        proptest::option::of(0..2_u8),
        0..3_u8,
        -2..2_i64,
        permissions,
    );
    prop_oneof![
        4 => (0..6_u8, 0..4_u8, proptest::option::of(0..3_u8))
            .prop_map(|(id, email, external_id)| Step::PutUser { id, email, external_id }),
        2 => (0..6_u8).prop_map(|id| Step::DeleteUser { id }),
        4 => role.prop_map(|(id, owner, slug, priority, permissions)| {
            Step::PutRole { id, owner, slug, priority, permissions }
        }),
        2 => (0..5_u8).prop_map(|id| Step::DeleteRole { id }),
        2 => (0..6_u8).prop_map(|id| Step::Emit { id }),
        1 => Just(Step::Fail),
    ]
}

fn user(id: u8, email: u8, external_id: Option<u8>, now: Timestamp) -> User {
    User {
        id: format!("user_{id}"),
        // The case alone does not make another address.
        email: format!("{}{email}@example.com", if id < 3 { "a" } else { "A" }),
        email_verified: false,
        first_name: None,
        last_name: None,
        name: None,
        profile_picture_url: None,
        last_sign_in_at: None,
        locale: None,
        external_id: external_id.map(|id| id.to_string()),
        metadata: [("k".to_owned(), "v".to_owned())].into(),
        created_at: now,
        updated_at: now,
    }
}

fn run(tx: &mut Transaction<'_>, step: Step) -> Result<(), ApiError> {
    let now = tx.now();
    match step {
        Step::PutUser {
            id,
            email,
            external_id,
        } => drop(tx.put(user(id, email, external_id, now))?),
        Step::DeleteUser { id } => drop(tx.delete::<User>(&format!("user_{id}"))),
        Step::PutRole {
            id,
            owner,
            slug,
            priority,
            permissions,
        } => {
            tx.put(Role {
                id: format!("role_{id}"),
                slug: format!("slug-{slug}"),
                name: "Role".to_owned(),
                description: None,
                r#type: RoleType::EnvironmentRole,
                organization_id: owner.map(|id| format!("org_{id}")),
                resource_type_slug: "organization".to_owned(),
                permissions,
                is_default: false,
                priority,
                created_at: now,
                updated_at: now,
            })?;
        }
        Step::DeleteRole { id } => drop(tx.delete::<Role>(&format!("role_{id}"))),
        Step::Emit { id } => {
            tx.emit(
                "user.updated",
                &json!({"object": "user", "id": format!("user_{id}")}),
            )?;
        }
        Step::Fail => return Err(ApiError::message(400, "no")),
    }
    Ok(())
}

fn run_all(tx: &mut Transaction<'_>, (steps, goes_on): Rule) -> Result<(), ApiError> {
    for step in steps {
        match run(tx, step) {
            Err(refused) if !goes_on || refused.status == 400 => return Err(refused),
            _ => assert!(tx.is_consistent()),
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn commits_are_whole_and_give_the_state_again(
        rules in vec((vec(step(), 0..8), any::<bool>()), 1..20)
    ) {
        let now: Timestamp = "2026-01-15T12:00:00Z".parse().unwrap();
        let mut ids = IdGenerator::new(StdRng::seed_from_u64(1));
        let mut state = State::default();
        let mut replayed = State::default();
        let mut commits = 0;
        let of = Of { environment_id: "environment_1", environment_name: "test", client_id: "client_1", base_url: None };
        for rule in rules {
            let before = state.dump();
            let mut tx = Transaction::new(of, state.clone(), now, &mut ids);
            let finished = run_all(&mut tx, rule).ok().and_then(|()| tx.finish());
            prop_assert_eq!(state.dump(), before, "a transaction works on a copy");
            let Some((after, commit)) = finished else { continue };
            commits += 1;
            prop_assert_eq!(commit.sequence, commits);
            prop_assert!(!commit.changes.is_empty());
            let text = serde_json::to_string(&commit).unwrap();
            replayed.apply(serde_json::from_str::<Commit>(&text).unwrap()).unwrap();
            state = after;
            prop_assert!(state.is_consistent() && replayed.is_consistent());
            prop_assert_eq!(state.dump(), replayed.dump());
        }
    }

    #[test]
    fn a_refused_rule_leaves_its_environment_as_it_was(rule in (vec(step(), 0..8), any::<bool>())) {
        let environment = Environment::for_tests();
        environment.transact(|tx| run(tx, Step::PutUser { id: 0, email: 0, external_id: Some(0) })).unwrap();
        let before = environment.state();
        let outcome = environment.transact(|tx| {
            run_all(tx, rule)?;
            run(tx, Step::Fail)
        });
        prop_assert!(outcome.is_err());
        prop_assert_eq!(before.dump(), environment.state().dump());
        prop_assert_eq!(*environment.commits().borrow(), 1);
    }
}

#[test]
fn readers_keep_the_state_that_they_took() {
    let environment = Environment::for_tests();
    let put = |email| {
        environment.transact(|tx| {
            run(
                tx,
                Step::PutUser {
                    id: 0,
                    email,
                    external_id: None,
                },
            )
        })
    };
    put(1).unwrap();
    let taken = environment.state();
    put(2).unwrap();
    assert_eq!(taken.users.get("user_0").unwrap().email, "a1@example.com");
    assert_eq!(
        environment.state().users.get("user_0").unwrap().email,
        "a2@example.com"
    );
    assert_eq!((taken.sequence, environment.state().sequence), (1, 2));
}

#[test]
fn an_attempt_that_is_refused_leaves_nothing_behind() {
    let environment = Environment::for_tests();
    let put = |id| Step::PutUser {
        id,
        email: id,
        external_id: None,
    };
    let (state, commit) = {
        let mut ids = IdGenerator::new(StdRng::seed_from_u64(1));
        let of = Of {
            environment_id: "environment_1",
            environment_name: "one",
            client_id: "client_1",
            base_url: None,
        };
        let mut tx = Transaction::new(of, State::default(), environment.clock.now(), &mut ids);
        run(&mut tx, put(0)).unwrap();
        let refused: Result<(), _> = tx.attempt(|tx| {
            run(tx, put(1))?;
            run(tx, Step::Emit { id: 1 })?;
            run(tx, Step::DeleteUser { id: 0 })?;
            Err(ApiError::unauthorized())
        });
        assert_eq!(refused, Err(ApiError::unauthorized()));
        tx.attempt(|tx| run(tx, put(2))).unwrap();
        tx.finish().unwrap()
    };
    let ids: Vec<_> = state.users.iter().map(|user| user.id.as_str()).collect();
    assert_eq!((ids, state.events.len()), (vec!["user_0", "user_2"], 0));
    // Nor in the commit, which gives the state again.
    let mut again = State::default();
    again.apply(commit).unwrap();
    assert_eq!(again.dump(), state.dump());
}

#[test]
fn a_rule_that_changes_nothing_makes_no_commit() {
    let environment = Environment::for_tests();
    environment
        .transact(|tx| {
            tx.delete::<User>("user_0");
            Ok::<_, ApiError>(())
        })
        .unwrap();
    assert_eq!(environment.state().sequence, 0);
}

#[test]
fn writers_do_not_lose_each_others_changes() {
    let environment = Environment::for_tests();
    std::thread::scope(|threads| {
        for thread in 0..4_u8 {
            let environment = &environment;
            threads.spawn(move || {
                for round in 0..25 {
                    let id = thread * 25 + round;
                    environment
                        .transact(|tx| {
                            run(
                                tx,
                                Step::PutUser {
                                    id,
                                    email: id,
                                    external_id: None,
                                },
                            )
                        })
                        .unwrap();
                }
            });
        }
    });
    let state = environment.state();
    assert_eq!((state.users.len(), state.sequence), (100, 100));
    assert!(state.is_consistent());
}
