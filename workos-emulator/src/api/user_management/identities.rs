//! Identities: the accounts at providers that a user signs in with.
//!
//! Source: <https://workos.com/docs/authkit/identity-linking>, <https://workos.com/docs/reference/authkit/identity>.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::{
    authenticate::method::AuthenticationMethod,
    providers::{self, Provider},
    users,
};
use crate::{
    core::secret::Secret,
    server::{call::Call, error::ApiError, reply::Reply},
    store::{Index, Record, State, Transaction, group},
};

/// A user's account at a provider.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Identity {
    id: String,
    pub(crate) user_id: String,
    #[serde(flatten)]
    pub(crate) account: Account,
}

/// An account at a provider.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Account {
    /// The method of one of the [`providers`].
    pub(crate) provider: AuthenticationMethod,
    /// What the provider knows the account by: it stays the same when the address changes.
    pub(crate) idp_id: String,
    /// The address that the provider gave last.
    pub(crate) email: String,
}

const BY_ACCOUNT: Index<Identity> = Index::unique("account", |identity| {
    vec![(key(identity.account.provider, &identity.account.idp_id), 0)]
});
/// The identities at one provider.
pub(crate) const BY_PROVIDER: Index<Identity> = Index::ordered("provider", |identity| {
    vec![(key(identity.account.provider, ""), 0)]
});
const BY_USER: Index<Identity> =
    Index::ordered("user", |identity| vec![(identity.user_id.as_str().into(), 0)]);

impl Record for Identity {
    const INDEXES: &'static [Index<Self>] = &[BY_ACCOUNT, BY_PROVIDER, BY_USER];
    const REMEMBERS_DELETED: bool = false;

    fn id(&self) -> &str {
        &self.id
    }
}

fn key(provider: AuthenticationMethod, idp_id: &str) -> Arc<str> {
    let slug = providers::by_method(provider).map_or("", |provider| provider.slug);
    group(&[slug, idp_id])
}

impl Identity {
    /// The identity as the API shows it.
    fn body(&self) -> Option<Value> {
        let provider = providers::by_method(self.account.provider)?;
        Some(json!({"idp_id": self.account.idp_id, "type": "OAuth", "provider": provider.identity}))
    }
}

/// The identity of an account, where it is linked to a user.
pub(crate) fn find<'a>(
    state: &'a State,
    provider: AuthenticationMethod,
    idp_id: &str,
) -> Option<&'a Arc<Identity>> {
    state.identities.find(BY_ACCOUNT, &key(provider, idp_id))
}

/// A user's identities, the oldest first.
pub(crate) fn of_user<'a>(state: &'a State, user_id: &str) -> impl Iterator<Item = &'a Arc<Identity>> {
    state.identities.group(BY_USER, user_id)
}

/// The identities at a provider, the oldest first.
pub(crate) fn of_provider<'a>(
    state: &'a State,
    provider: &Provider,
) -> impl Iterator<Item = &'a Arc<Identity>> {
    state.identities.group(BY_PROVIDER, &key(provider.method, ""))
}

/// Links an account to a user, or takes over what the provider says of an account that is linked to them already. An
/// account of somebody else stays theirs.
pub(crate) fn link(tx: &mut Transaction<'_>, user_id: &str, account: Account) -> Result<(), ApiError> {
    let id = match find(tx, account.provider, &account.idp_id) {
        Some(identity) if identity.user_id != user_id => {
            return Err(ApiError::conflict(
                "identity_already_linked",
                format!("The account '{}' is linked to another user.", account.idp_id),
            ));
        }
        Some(identity) if identity.account == account => return Ok(()),
        Some(identity) => identity.id.clone(),
        None => tx.id("identity"),
    };
    tx.put(Identity {
        id,
        user_id: user_id.to_owned(),
        account,
    })?;
    Ok(())
}

/// Unlinks what does not match a user's new address.
///
/// Source: <https://workos.com/docs/reference/authkit/user/update>.
pub(crate) fn unlink_others(tx: &mut Transaction<'_>, user_id: &str, email: &str) {
    unlink(tx, user_id, |identity| {
        !identity.account.email.eq_ignore_ascii_case(email)
    });
}

/// Deletes the identities of a user who is deleted.
pub(crate) fn delete_of_user(tx: &mut Transaction<'_>, user_id: &str) {
    unlink(tx, user_id, |_| true);
}

fn unlink(tx: &mut Transaction<'_>, user_id: &str, is_meant: impl Fn(&Identity) -> bool) {
    let ids: Vec<_> = of_user(tx, user_id)
        .filter(|identity| is_meant(identity))
        .map(|identity| identity.id.clone())
        .collect();
    for id in ids {
        tx.delete::<Identity>(&id);
    }
}

impl Account {
    /// The account that a provider has for an address as long as nobody says otherwise: always the same one.
    pub(crate) fn usual(provider: &Provider, email: &str) -> Self {
        let email = email.trim().to_lowercase();
        let digest = Secret::digest(&key(provider.method, &email));
        let number = u64::from_str_radix(digest.get(..16).unwrap_or_default(), 16).unwrap_or_default();
        Self {
            provider: provider.method,
            idp_id: format!("1{number:020}"),
            email,
        }
    }
}

/// `user.identities` of JWT templates: the id of the account by provider, of the newest where there are several.
///
/// Source: seen in production, see <https://github.com/workos/emulate>; that the names are those of authorization
/// requests is an assumption, and tells for GitHub alone.
pub(crate) fn claims_context(state: &State, user_id: &str) -> Map<String, Value> {
    of_user(state, user_id)
        .filter_map(|identity| {
            let provider = providers::by_method(identity.account.provider)?;
            Some((provider.slug.to_owned(), identity.account.idp_id.as_str().into()))
        })
        .collect()
}

/// `GET /user_management/users/{id}/identities`: all of them, as a plain array.
pub(crate) fn get_user_identities(call: &Call) -> Result<Reply, ApiError> {
    let state = call.environment.state();
    let user = users::find(&state, call.param("id"))?;
    let identities: Vec<Value> = of_user(&state, &user.id)
        .filter_map(|identity| identity.body())
        .collect();
    Reply::ok(&identities)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{
        api::user_management::{
            authenticate::fixture::{EMAIL, Fixture},
            users::UserChanges,
        },
        server::call::Call,
    };

    fn account(provider: AuthenticationMethod, idp_id: &str, email: &str) -> Account {
        Account {
            provider,
            idp_id: idp_id.to_owned(),
            email: email.to_owned(),
        }
    }

    fn linked(fixture: &Fixture, user_id: &str, account: Account) -> Result<(), ApiError> {
        fixture.environment.transact(|tx| link(tx, user_id, account))
    }

    fn listed(fixture: &Fixture) -> Result<Value, ApiError> {
        let call = Call::for_tests(&fixture.environment, &[("id", &fixture.user_id)], "", Value::Null);
        get_user_identities(&call).map(|reply| serde_json::from_slice(&reply.body).unwrap())
    }

    use AuthenticationMethod::{GitHubOAuth, GoogleOAuth};

    #[test]
    fn are_listed_oldest_first_in_the_spelling_of_identities() {
        let fixture = Fixture::new();
        assert_eq!(listed(&fixture).unwrap(), json!([]));
        let ada = &fixture.user_id;
        linked(&fixture, ada, account(GoogleOAuth, "1", EMAIL)).unwrap();
        linked(&fixture, ada, account(GitHubOAuth, "1", EMAIL)).unwrap();
        // The same account again is the same identity.
        linked(&fixture, ada, account(GoogleOAuth, "1", EMAIL)).unwrap();
        let expected = json!([
            {"idp_id": "1", "type": "OAuth", "provider": "GoogleOAuth"},
            {"idp_id": "1", "type": "OAuth", "provider": "GithubOAuth"},
        ]);
        assert_eq!(listed(&fixture).unwrap(), expected);
        let context = claims_context(&fixture.environment.state(), ada);
        assert_eq!(
            Value::from(context),
            json!({"GoogleOAuth": "1", "GitHubOAuth": "1"})
        );
    }

    #[test]
    fn an_account_belongs_to_one_user() {
        let fixture = Fixture::new();
        linked(&fixture, &fixture.user_id, account(GoogleOAuth, "1", EMAIL)).unwrap();
        let eve = fixture.add_user("eve@example.com");
        let refused = linked(&fixture, &eve, account(GoogleOAuth, "1", "eve@example.com")).unwrap_err();
        assert_eq!(
            (refused.status, refused.code()),
            (409, Some("identity_already_linked"))
        );
    }

    #[test]
    fn a_new_address_unlinks_what_does_not_match_it() {
        let fixture = Fixture::new();
        let ada = &fixture.user_id;
        linked(&fixture, ada, account(GoogleOAuth, "1", EMAIL)).unwrap();
        linked(&fixture, ada, account(GitHubOAuth, "2", "Ada@new.example")).unwrap();
        let change =
            |changes: UserChanges| fixture.environment.transact(|tx| users::update(tx, ada, changes));
        change(UserChanges {
            first_name: crate::server::body::Patch::Set("Ada".to_owned()),
            ..UserChanges::default()
        })
        .unwrap();
        assert_eq!(listed(&fixture).unwrap().as_array().unwrap().len(), 2);
        change(UserChanges {
            email: Some("ada@new.example".to_owned()),
            ..UserChanges::default()
        })
        .unwrap();
        let left = json!([{"idp_id": "2", "type": "OAuth", "provider": "GithubOAuth"}]);
        assert_eq!(listed(&fixture).unwrap(), left);
    }

    #[test]
    fn go_with_their_user() {
        let fixture = Fixture::new();
        linked(&fixture, &fixture.user_id, account(GoogleOAuth, "1", EMAIL)).unwrap();
        fixture
            .environment
            .transact(|tx| users::delete(tx, &fixture.user_id))
            .unwrap();
        assert_eq!(fixture.environment.state().identities.len(), 0);
        assert_eq!(listed(&fixture).unwrap_err().status, 404);
    }

    #[test]
    fn an_address_has_the_same_account_whenever_it_is_asked_for() {
        let usual = |slug: &str, email: &str| Account::usual(providers::by_slug(slug).unwrap(), email).idp_id;
        let google = usual("GoogleOAuth", EMAIL);
        assert_eq!(google, usual("GoogleOAuth", "ADA@example.com"));
        assert_eq!(google.len(), 21);
        assert_ne!(google, usual("GitHubOAuth", EMAIL));
        assert_ne!(google, usual("GoogleOAuth", "eve@example.com"));
    }
}
