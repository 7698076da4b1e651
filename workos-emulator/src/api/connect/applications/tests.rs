use super::*;
use crate::{
    api::connect::redirect_uris::{self, RedirectUriInput},
    environment::Environment,
};

fn dynamic(name: &str) -> NewApplication {
    let inputs = vec![RedirectUriInput::new("https://app.example/callback")];
    let kind = Kind::OAuth(OAuth {
        redirect_uris: redirect_uris::checked(inputs).unwrap(),
        uses_pkce: true,
        party: Party::Dynamic,
    });
    NewApplication::named(name, kind)
}

/// Anybody can register applications, as often as they like.
#[test]
fn applications_that_registered_themselves_do_not_pile_up() {
    let environment = Environment::for_tests();
    for number in 0..1_005 {
        environment
            .transact(|tx| create(tx, dynamic(&number.to_string())))
            .unwrap();
    }
    let state = environment.state();
    assert_eq!(state.connect_applications.len(), 1_000);
    let oldest = state.connect_applications.iter().next().unwrap();
    assert_eq!(oldest.name, "5", "the oldest have gone");
    assert!(state.is_consistent());
}

#[test]
fn a_client_id_is_taken_once() {
    let environment = Environment::for_tests();
    let pinned = || NewApplication {
        client_id: Some("client_forum".to_owned()),
        ..dynamic("Forum")
    };
    let made = environment.transact(|tx| create(tx, pinned())).unwrap();
    let refused = environment.transact(|tx| create(tx, pinned())).unwrap_err();
    assert_eq!((refused.status, refused.code()), (409, Some("client_id_taken")));
    let state = environment.state();
    assert_eq!(find(&state, "client_forum").unwrap().id, made.id);
    assert_eq!(find(&state, &made.id).unwrap().client_id, "client_forum");
}

#[test]
fn a_copy_has_client_ids_of_its_own() {
    let environment = Environment::for_tests();
    let made = environment.transact(|tx| create(tx, dynamic("Forum"))).unwrap();
    environment.transact(with_new_client_ids).unwrap();
    let state = environment.state();
    let copied = find(&state, &made.id).unwrap();
    assert_ne!(copied.client_id, made.client_id);
    assert!(find(&state, &made.client_id).is_err());
}
