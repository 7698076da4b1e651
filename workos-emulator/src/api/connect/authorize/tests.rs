use super::super::fixture::{CALLBACK, Connect};
use crate::{
    api::{
        directory_sync::directories::{self, NewDirectory},
        user_management::{
            authorize::session,
            memberships::{self, MembershipStatus, NewMembership},
        },
    },
    control::settings::Interactive,
    hosted,
};

#[test]
fn a_browser_gets_the_page_and_a_program_an_answer() {
    let connect = Connect::new();
    let path = |headers| {
        let reply = connect.authorize(&[], headers);
        let location = url::Url::parse(&reply.headers[0].1).unwrap();
        location.path().to_owned()
    };
    assert_eq!(path(&[("sec-fetch-mode", "navigate")]), "/authkit/sign-in");
    assert_eq!(path(&[("accept", "*/*")]), hosted::consent::PATH);
    connect
        .fixture
        .set(|settings| settings.interactive = Interactive::Never);
    assert_eq!(path(&[("sec-fetch-mode", "navigate")]), "/callback");
    connect
        .fixture
        .set(|settings| settings.interactive = Interactive::Always);
    assert_eq!(path(&[]), "/authkit/sign-in");
}

/// A refusal leaves no sign-in behind that somebody could go on with.
#[test]
fn who_may_not_be_asked_leaves_nothing_behind() {
    let connect = Connect::new();
    let location = connect.location(&[("prompt", "none")]);
    assert!(location.as_str().starts_with(CALLBACK));
    assert!(location.query().unwrap().contains("error=consent_required"));
    let state = connect.fixture.environment.state();
    assert_eq!(state.authorization_sessions.len(), 0);
    assert_eq!(state.connect_consents.len(), 0);
    assert_eq!(state.connect_authorization_codes.len(), 0);
}

/// The application is deleted while somebody is at its consent page.
#[test]
fn an_application_that_is_gone_gets_nothing() {
    let connect = Connect::new();
    let location = connect.location(&[]);
    assert_eq!(location.path(), hosted::consent::PATH);
    let environment = &connect.fixture.environment;
    let id = connect.application["id"].as_str().unwrap();
    let call = crate::server::call::Call::for_tests(environment, &[("id", id)], "", serde_json::json!({}));
    crate::api::connect::applications::delete_application(&call).unwrap();
    let session = environment
        .state()
        .authorization_sessions
        .iter()
        .next()
        .cloned()
        .unwrap();
    let sign_in = session.authenticated.clone().unwrap();
    let outcome = environment.transact(|tx| session::reach(tx, &session.request, sign_in));
    assert_eq!(outcome.unwrap_err().status, 404);
}

#[test]
fn a_directory_manages_its_members_wherever_they_are() {
    let connect = Connect::new();
    let environment = &connect.fixture.environment;
    let eve = connect.fixture.add_user("eve@example.com");
    let is_managed = || memberships::is_directory_managed(&environment.state(), &eve);
    assert!(!is_managed());
    environment
        .transact(|tx| {
            let directory = NewDirectory {
                organization_id: connect.organization_id.clone(),
                name: "Acme Okta".to_owned(),
                ..NewDirectory::default()
            };
            let directory = directories::create(tx, directory)?;
            let new = NewMembership {
                id: None,
                user_id: eve.clone(),
                organization_id: connect.organization_id.clone(),
                roles: Vec::new(),
                status: MembershipStatus::Inactive,
                directory_id: Some(directory.id.clone()),
            };
            memberships::create(tx, new).map(drop)
        })
        .unwrap();
    assert!(is_managed());
}
