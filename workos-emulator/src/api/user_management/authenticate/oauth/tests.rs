use serde_json::{Value, json};
use url::Url;

use super::*;
use crate::{
    api::user_management::{
        authenticate::{
            fixture::{CLIENT_ID, EMAIL, Fixture, PASSWORD, REDIRECT_URI, refusal},
            sign_in::{NextStep, next_step},
        },
        authorize,
        sessions::AuthMethod,
    },
    environment::Environment,
};

const GOOGLE: AuthenticationMethod = AuthenticationMethod::GoogleOAuth;
const GITHUB: AuthenticationMethod = AuthenticationMethod::GitHubOAuth;

fn of(method: AuthenticationMethod) -> &'static Provider {
    providers::by_method(method).unwrap()
}

fn arrival(method: AuthenticationMethod, idp_id: &str, email: &str) -> Arrival {
    let mut profile = Profile::of_stranger(of(method), email);
    profile.account.idp_id = idp_id.to_owned();
    Arrival {
        profile,
        tokens: None,
        device: Device::default(),
        invitation: None,
    }
}

fn client(environment: &Environment) -> Client {
    Client::new(&environment.state(), "http://auth.test", CLIENT_ID)
}

impl Fixture {
    /// What an application that named the provider gets.
    fn arrive_from(&self, arrival: Arrival) -> Result<Authentication, ApiError> {
        let client = client(&self.environment);
        let outcome = self.environment.transact(|tx| sign_in(tx, &client, arrival));
        outcome.and_then(|outcome| outcome)
    }

    fn begin_arrival(&self, arrival: Arrival) -> SignIn {
        self.environment
            .transact(|tx| conclude(tx, arrival))
            .unwrap()
            .unwrap()
    }

    fn step_after_arrival(&self, sign_in: &SignIn) -> NextStep {
        let state = self.environment.state();
        let user = users::find(&state, &sign_in.user_id).unwrap();
        next_step(&state, user, sign_in, self.environment.clock.now()).unwrap()
    }

    /// Names, addresses and ids of the accounts of a user.
    fn linked_accounts(&self, user_id: &str) -> Vec<(AuthenticationMethod, String, String)> {
        let state = self.environment.state();
        let accounts = identities::of_user(&state, user_id).map(|identity| identity.account.clone());
        accounts
            .map(|account| (account.provider, account.idp_id, account.email))
            .collect()
    }

    fn user_row(&self, id: &str) -> Arc<User> {
        users::find(&self.environment.state(), id).unwrap().clone()
    }

    /// The code that a plain HTTP client gets at once.
    fn code_at_once(&self, with: &str) -> String {
        let query = format!("response_type=code&client_id={CLIENT_ID}&redirect_uri={REDIRECT_URI}{with}");
        let reply = authorize::get_authorization_url(&self.call(&query, Value::Null)).unwrap();
        assert_eq!(reply.status, 302);
        let location = Url::parse(&reply.headers[0].1).unwrap();
        let code = location.query_pairs().find(|(name, _)| name == "code");
        code.unwrap_or_else(|| panic!("{location}")).1.into_owned()
    }

    fn redeem_arrival(&self, code: &str) -> Result<Value, ApiError> {
        self.authenticate(json!({"grant_type": "authorization_code", "code": code}))
    }

    fn all_event_names(&self) -> Vec<String> {
        self.events("").into_iter().map(|(name, _)| name).collect()
    }
}

#[test]
fn somebody_new_signs_up_and_is_linked() {
    let fixture = Fixture::new();
    let before = fixture.all_event_names().len();
    let code = fixture.code_at_once("&provider=GoogleOAuth&login_hint=Grace@example.com");
    // Who it is is decided when the code is redeemed.
    assert_eq!(fixture.all_event_names().len(), before);
    let response = fixture.redeem_arrival(&code).unwrap();
    assert_eq!(response["authentication_method"], "GoogleOAuth");
    assert_eq!(response["user"]["email"], "grace@example.com");
    assert_eq!(response["user"]["email_verified"], true);
    assert!(response.get("oauth_tokens").is_none());
    assert_eq!(
        fixture.all_event_names()[before..],
        [
            "user.created",
            "authentication.oauth_succeeded",
            "session.created"
        ]
    );
    let (_, told) = fixture.events("authentication.").pop().unwrap();
    assert_eq!(told["type"], "oauth");
    assert_eq!(told["user_id"], response["user"]["id"]);
    assert_eq!(told["email"], "grace@example.com");
    let session_id = fixture.claims(&response).sid;
    let state = fixture.environment.state();
    assert_eq!(
        state.sessions.get(&session_id).unwrap().auth_method,
        AuthMethod::Oauth
    );
    let linked = fixture.linked_accounts(response["user"]["id"].as_str().unwrap());
    assert_eq!(linked.len(), 1);
    assert_eq!((linked[0].0, linked[0].2.as_str()), (GOOGLE, "grace@example.com"));

    // The next time it is the same account, and the same user.
    let again = fixture.code_at_once("&provider=GoogleOAuth&login_hint=grace@example.com");
    let again = fixture.redeem_arrival(&again).unwrap();
    assert_eq!(again["user"]["id"], response["user"]["id"]);
    assert_eq!(fixture.environment.state().identities.len(), 1);
}

#[test]
fn where_nobody_signs_up_a_stranger_is_refused_and_that_is_told() {
    let fixture = Fixture::new();
    fixture.set(|settings| settings.sign_up = false);
    let code = fixture.code_at_once("&provider=GoogleOAuth&login_hint=grace@example.com");
    let refused = refusal(fixture.redeem_arrival(&code));
    assert_eq!(refused, (400, "sign_up_not_allowed".to_owned()));
    assert_eq!(fixture.environment.state().users.len(), 1);
    let events = fixture.events("authentication.");
    assert_eq!(events.len(), 1);
    assert_eq!(events[0].0, "authentication.oauth_failed");
    assert_eq!(
        events[0].1,
        json!({
            "type": "oauth", "status": "failed", "ip_address": null, "user_agent": null, "user_id": null,
            "email": "grace@example.com",
            "error": {"code": "sign_up_not_allowed", "message": "Sign-up is not allowed."},
        })
    );
    // The code was used up, and who has an account comes in.
    assert_eq!(refusal(fixture.redeem_arrival(&code)).1, "invalid_grant");
    let known = fixture.code_at_once(&format!("&provider=GoogleOAuth&login_hint={EMAIL}"));
    assert_eq!(
        fixture.redeem_arrival(&known).unwrap()["user"]["id"],
        *fixture.user_id
    );
}

#[test]
fn a_provider_that_verifies_addresses_links_at_once_and_verifies() {
    let fixture = Fixture::new();
    let created = fixture.run(users::create_user, json!({"email": "eve@example.com"}));
    assert_eq!(created["email_verified"], false);
    let signed_in = fixture
        .arrive_from(arrival(GOOGLE, "7", "eve@example.com"))
        .unwrap();
    assert_eq!(signed_in.user.id, created["id"]);
    assert!(signed_in.user.email_verified);
    let updated = fixture.events("user.updated");
    assert_eq!(updated.len(), 1);
    assert_eq!(updated[0].1["email_verified"], true);
    let linked = [(GOOGLE, "7".to_owned(), "eve@example.com".to_owned())];
    assert_eq!(fixture.linked_accounts(&signed_in.user.id), linked);
}

/// Otherwise anybody could sign in as Ada, by an account at GitHub that they gave her address.
#[test]
fn one_that_does_not_links_only_after_the_address_was_shown() {
    let fixture = Fixture::new();
    let begun = fixture.begin_arrival(Arrival {
        profile: Profile {
            first_name: Some("Mallory".to_owned()),
            ..arrival(GITHUB, "666", EMAIL).profile
        },
        ..arrival(GITHUB, "666", EMAIL)
    });
    assert_eq!(begun.user_id, fixture.user_id);
    assert_eq!(fixture.step_after_arrival(&begun), NextStep::VerifyEmail);
    assert_eq!(fixture.linked_accounts(&fixture.user_id), []);
    assert_eq!(fixture.user_row(&fixture.user_id).first_name, None);

    let shown = begun.with_verified_email();
    assert_eq!(fixture.step_after_arrival(&shown), NextStep::Enter(None));
    let client = client(&fixture.environment);
    let entered = fixture
        .environment
        .transact(|tx| sign_in::sign_in(tx, &client, shown))
        .unwrap()
        .unwrap();
    assert_eq!(entered.user.id, fixture.user_id);
    let linked = [(GITHUB, "666".to_owned(), EMAIL.to_owned())];
    assert_eq!(fixture.linked_accounts(&fixture.user_id), linked);
    // From now on the account is theirs.
    assert_eq!(
        fixture
            .arrive_from(arrival(GITHUB, "666", EMAIL))
            .unwrap()
            .user
            .id,
        fixture.user_id
    );
}

#[test]
fn a_new_user_of_such_a_provider_has_to_show_the_address_too() {
    let fixture = Fixture::new();
    let begun = fixture.begin_arrival(arrival(GITHUB, "1", "grace@example.com"));
    assert!(!fixture.user_row(&begun.user_id).email_verified);
    assert_eq!(fixture.step_after_arrival(&begun), NextStep::VerifyEmail);
    assert_eq!(fixture.linked_accounts(&begun.user_id), []);
    fixture.set(|settings| settings.email_verification = false);
    assert_eq!(fixture.step_after_arrival(&begun), NextStep::Enter(None));
    let entered = fixture
        .arrive_from(arrival(GITHUB, "1", "grace@example.com"))
        .unwrap();
    assert_eq!(entered.user.id, begun.user_id);
    assert_eq!(fixture.linked_accounts(&begun.user_id).len(), 1);
}

#[test]
fn an_account_stays_its_users_when_the_address_changes_at_the_provider() {
    let fixture = Fixture::new();
    let id = fixture
        .arrive_from(arrival(GOOGLE, "1", EMAIL))
        .unwrap()
        .user
        .id
        .clone();
    assert_eq!(id, fixture.user_id);

    // The only identity: the address follows, and stays linked.
    let moved = fixture
        .arrive_from(arrival(GOOGLE, "1", "ada@new.example"))
        .unwrap();
    assert_eq!(
        (moved.user.id.as_str(), moved.user.email.as_str()),
        (id.as_str(), "ada@new.example")
    );
    assert!(moved.user.email_verified);
    assert_eq!(
        fixture.linked_accounts(&id),
        [(GOOGLE, "1".to_owned(), "ada@new.example".to_owned())]
    );

    // Somebody else has the address: nothing changes.
    fixture.add_user("taken@example.com");
    let kept = fixture
        .arrive_from(arrival(GOOGLE, "1", "taken@example.com"))
        .unwrap();
    assert_eq!(
        (kept.user.id.as_str(), kept.user.email.as_str()),
        (id.as_str(), "ada@new.example")
    );

    // One of two identities: nothing changes.
    fixture
        .arrive_from(arrival(AuthenticationMethod::AppleOAuth, "2", "ada@new.example"))
        .unwrap();
    let kept = fixture
        .arrive_from(arrival(GOOGLE, "1", "ada@third.example"))
        .unwrap();
    assert_eq!(kept.user.email, "ada@new.example");
}

#[test]
fn an_address_that_follows_an_unsure_provider_is_to_be_verified_again() {
    let fixture = Fixture::new();
    let shown = fixture
        .begin_arrival(arrival(GITHUB, "1", EMAIL))
        .with_verified_email();
    let client = client(&fixture.environment);
    fixture
        .environment
        .transact(|tx| sign_in::sign_in(tx, &client, shown))
        .unwrap()
        .unwrap();
    fixture.begin_arrival(arrival(GITHUB, "1", "ceo@bank.example"));
    let user = fixture.user_row(&fixture.user_id);
    assert_eq!(
        (user.email.as_str(), user.email_verified),
        ("ceo@bank.example", false)
    );
}

#[test]
fn the_provider_says_what_people_are_called() {
    let fixture = Fixture::new();
    let named = |first: Option<&str>| {
        let mut arrival = arrival(GOOGLE, "1", EMAIL);
        arrival.profile.first_name = first.map(str::to_owned);
        arrival.profile.last_name = Some("Lovelace".to_owned());
        fixture.arrive_from(arrival).unwrap().user
    };
    let user = named(Some("Ada"));
    assert_eq!(user.name.as_deref(), Some("Ada Lovelace"));
    assert_eq!(named(None).first_name.as_deref(), Some("Ada"));
    // What is the same is no change.
    assert_eq!(fixture.events("user.updated").len(), 1);
}

#[test]
fn tokens_of_the_provider_are_given_once_and_where_that_is_on() {
    let fixture = Fixture::new();
    let wanted = format!("&provider=GoogleOAuth&login_hint={EMAIL}&provider_scopes=calendar,drive");
    let code = fixture.code_at_once(&wanted);
    assert!(
        fixture
            .redeem_arrival(&code)
            .unwrap()
            .get("oauth_tokens")
            .is_none()
    );
    fixture.set(|settings| settings.return_oauth_tokens = true);
    let response = fixture.redeem_arrival(&fixture.code_at_once(&wanted)).unwrap();
    let tokens = &response["oauth_tokens"];
    assert_eq!(tokens["provider"], "GoogleOAuth");
    assert_eq!(
        tokens["scopes"],
        json!(["openid", "profile", "email", "calendar", "drive"])
    );
    let now = fixture.environment.clock.now().as_second();
    assert_eq!(tokens["expires_at"], now + 3600);
    assert_eq!(tokens["access_token"].as_str().unwrap().len(), 40);
    assert_ne!(tokens["access_token"], tokens["refresh_token"]);
    let refresh = json!({"grant_type": "refresh_token", "refresh_token": response["refresh_token"]});
    let refreshed = fixture.authenticate(refresh.clone()).unwrap();
    assert!(refreshed.get("oauth_tokens").is_none());
    assert_eq!(refreshed["authentication_method"], "GoogleOAuth");
    assert!(
        fixture
            .authenticate(refresh)
            .unwrap()
            .get("oauth_tokens")
            .is_none()
    );
}

#[test]
fn an_account_that_became_another_users_lets_nobody_in() {
    let fixture = Fixture::new();
    let begun = fixture
        .begin_arrival(arrival(GITHUB, "1", EMAIL))
        .with_verified_email();
    let eve = fixture.add_user("eve@example.com");
    let account = arrival(GITHUB, "1", "eve@example.com").profile.account;
    fixture
        .environment
        .transact(|tx| identities::link(tx, &eve, account))
        .unwrap();
    let client = client(&fixture.environment);
    let refused = fixture
        .environment
        .transact(|tx| sign_in::sign_in(tx, &client, begun))
        .unwrap()
        .unwrap_err();
    assert_eq!((refused.status, refused.code()), (400, Some("invalid_grant")));
    assert_eq!(fixture.environment.state().sessions.len(), 0);
}

#[test]
fn a_way_that_is_turned_off_meanwhile_is_refused() {
    let fixture = Fixture::new();
    for name in ["Acme", "Globex"] {
        fixture.add_own_organization(name);
    }
    let waiting = fixture.with_password(PASSWORD).unwrap_err();
    let code = fixture.code_at_once(&format!("&provider=authkit&login_hint={EMAIL}"));
    fixture.set(|settings| settings.sign_in_methods.password = false);
    assert_eq!(
        refusal(fixture.redeem_arrival(&code)),
        (400, "authentication_method_not_allowed".to_owned())
    );
    let organization = fixture
        .environment
        .state()
        .organizations
        .iter()
        .next()
        .unwrap()
        .id
        .clone();
    let refused = fixture
        .authenticate(json!({
            "grant_type": "urn:workos:oauth:grant-type:organization-selection",
            "pending_authentication_token": waiting.body["pending_authentication_token"],
            "organization_id": organization,
        }))
        .unwrap_err();
    assert_eq!(refused.status, 403);
    assert_eq!(refused.body["code"], "authentication_method_not_allowed");
}

#[test]
fn a_password_is_not_even_looked_at_where_passwords_are_off() {
    let fixture = Fixture::new();
    fixture.set(|settings| settings.sign_in_methods.password = false);
    for password in [PASSWORD, "wrong"] {
        let refused = fixture.with_password(password).unwrap_err();
        assert_eq!(refused.status, 403);
        assert_eq!(refused.body["code"], "email_password_auth_disabled");
    }
    assert_eq!(fixture.events("authentication."), []);
}

#[test]
fn who_does_not_say_how_comes_by_what_they_have() {
    let fixture = Fixture::new();
    let method = || {
        let code = fixture.code_at_once(&format!("&provider=authkit&login_hint={EMAIL}"));
        fixture.redeem_arrival(&code).unwrap()["authentication_method"].clone()
    };
    assert_eq!(method(), "Password");
    fixture.set(|settings| settings.sign_in_methods.password = false);
    assert_eq!(method(), "MagicAuth");
    fixture.set(|settings| {
        settings.sign_in_methods.magic_auth = false;
        settings.sign_in_methods.providers = vec!["XeroOAuth".to_owned()];
    });
    assert_eq!(method(), "XeroOAuth");
    fixture.arrive_from(arrival(GOOGLE, "1", EMAIL)).unwrap();
    assert_eq!(method(), "GoogleOAuth");
}
