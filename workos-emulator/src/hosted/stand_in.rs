//! The page that takes a provider's place: whoever is at the browser says who they are there, and nobody asks for a
//! password. It is an OAuth authorization server (RFC 6749 section 4.1) whose only client is AuthKit, so it sends nobody
//! anywhere else.

use std::collections::HashSet;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use url::form_urlencoded;

use super::{
    chrome, error, page,
    pages::{
        Form, TextField,
        provider::{ProviderAccount, StandInPage},
    },
    provider::callback,
};
use crate::{
    api::user_management::{
        authenticate::oauth::Profile,
        identities::{self, Account},
        providers::{self, Provider},
        users::{self, User},
    },
    core::{clock, secret::Secret},
    server::{call::Call, error::ApiError, reply::Reply},
    store::{Expiring, Record, State, Transaction},
};

/// The page of a provider.
pub(super) fn path(provider: &Provider) -> String {
    format!("/authkit/provider/{}", provider.path)
}

/// How many accounts the chooser has at most. Others are typed.
const MOST_ACCOUNTS: usize = 8;
/// The longest name and the longest id of an account, in characters: as long as a user's name may be.
const LONGEST: usize = 255;
/// Life of a provider's code.
const LIFETIME: SignedDuration = SignedDuration::from_mins(10);

/// A code of a provider, for AuthKit: who signed in there, and what of theirs it may see. Its id is the digest of its value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ProviderGrant {
    id: String,
    profile: Profile,
    scopes: Vec<String>,
    #[serde(with = "clock::timestamp")]
    expires_at: Timestamp,
}

impl Record for ProviderGrant {
    fn id(&self) -> &str {
        &self.id
    }
}

impl Expiring for ProviderGrant {
    fn expires_at(&self) -> Timestamp {
        self.expires_at
    }
}

fn grant(tx: &mut Transaction<'_>, profile: Profile, scopes: Vec<String>) -> Result<Secret, ApiError> {
    let code = tx.token(32);
    tx.put_expiring(ProviderGrant {
        id: Secret::digest(&code),
        profile,
        scopes,
        expires_at: clock::saturating_add(tx.now(), LIFETIME),
    })?;
    Ok(Secret::new(code))
}

/// What AuthKit gets for a code of a provider, once.
pub(super) fn redeem(
    tx: &mut Transaction<'_>,
    provider: &Provider,
    code: &str,
) -> Option<(Profile, Vec<String>)> {
    let now = tx.now();
    let grant = tx.delete::<ProviderGrant>(&Secret::digest(code))?;
    let fits = grant.expires_at > now && grant.profile.account.provider == provider.method;
    fits.then(|| (grant.profile.clone(), grant.scopes.clone()))
}

/// What AuthKit asks for.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Request {
    redirect_uri: String,
    state: String,
    scope: String,
    login_hint: String,
}

impl Request {
    fn of(call: &Call) -> Self {
        let text = |name: &str| call.query.get(name).unwrap_or_default().to_owned();
        Self {
            redirect_uri: text("redirect_uri"),
            state: text("state"),
            scope: text("scope"),
            login_hint: text("login_hint"),
        }
    }

    /// The provider that is asked, if it is AuthKit who asks.
    fn check(&self, call: &Call) -> Option<&'static Provider> {
        let provider = providers::by_path(call.param("provider"))?;
        (self.redirect_uri == callback(call, provider)).then_some(provider)
    }

    fn answer(&self, parameters: &[(&str, &str)]) -> Reply {
        let query = form_urlencoded::Serializer::new(String::new())
            .extend_pairs(parameters)
            .append_pair("state", &self.state)
            .finish();
        Reply::redirect(303, format!("{}?{query}", self.redirect_uri)).header("Cache-Control", "no-store")
    }
}

/// `GET /authkit/provider/{provider}`
pub(super) fn show_stand_in(call: &Call) -> Result<Reply, ApiError> {
    let request = Request::of(call);
    match request.check(call) {
        Some(provider) => form(
            call,
            provider,
            &request,
            200,
            &Other::default(),
            &Problems::default(),
        ),
        None => error::provider_not_asked(call),
    }
}

/// An account that nobody offered: typed.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Other {
    email: String,
    first_name: String,
    last_name: String,
    idp_id: String,
}

#[derive(Debug, Default)]
struct Problems {
    error: Option<&'static str>,
    email: Vec<String>,
    first_name: Vec<String>,
    last_name: Vec<String>,
    idp_id: Vec<String>,
}

/// `POST /authkit/provider/{provider}`
pub(super) fn submit_stand_in(call: &Call) -> Result<Reply, ApiError> {
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Fields {
        decision: String,
        /// The account that was chosen.
        account: Option<String>,
    }
    if !call.is_same_origin() {
        return error::cross_site(call);
    }
    let request: Request = call.body()?;
    let Some(provider) = request.check(call) else {
        return error::provider_not_asked(call);
    };
    let Fields { decision, account } = call.body()?;
    if decision == "deny" {
        return Ok(request.answer(&[
            ("error", "access_denied"),
            ("error_description", "The user denied the request."),
        ]));
    }
    let other: Other = call.body()?;
    let chosen = match &account {
        Some(chosen) => offered(&call.environment.state(), provider, chosen).ok_or_else(|| Problems {
            error: Some("This account is not there any more. Choose another one."),
            ..Problems::default()
        }),
        None => other.profile(provider),
    };
    match chosen {
        Ok(profile) => {
            let scopes = request.scope.split_whitespace().map(str::to_owned).collect();
            let code = call.environment.transact(|tx| grant(tx, profile, scopes))?;
            Ok(request.answer(&[("code", code.expose())]))
        }
        Err(problems) => form(call, provider, &request, 400, &other, &problems),
    }
}

impl Other {
    fn profile(&self, provider: &Provider) -> Result<Profile, Problems> {
        let mut problems = Problems::default();
        let email = users::email::normalized(&self.email).unwrap_or_else(|| {
            problems
                .email
                .push("Enter an email address, like name@company.com.".to_owned());
            String::new()
        });
        let checked = |text: &str, problems: &mut Vec<String>| {
            let text = text.trim();
            if text.chars().count() > LONGEST {
                problems.push(format!("At most {LONGEST} characters."));
            }
            Some(text.to_owned()).filter(|text| !text.is_empty())
        };
        let first_name = checked(&self.first_name, &mut problems.first_name);
        let last_name = checked(&self.last_name, &mut problems.last_name);
        let idp_id = checked(&self.idp_id, &mut problems.idp_id);
        let wrong = [
            &problems.email,
            &problems.first_name,
            &problems.last_name,
            &problems.idp_id,
        ];
        if wrong.iter().any(|problems| !problems.is_empty()) {
            return Err(problems);
        }
        let usual = Account::usual(provider, &email);
        Ok(Profile {
            account: Account {
                idp_id: idp_id.unwrap_or_else(|| usual.idp_id.clone()),
                ..usual
            },
            first_name,
            last_name,
        })
    }
}

/// An account of the chooser.
struct Offer {
    account: Account,
    name: Option<String>,
    linked: bool,
}

impl Offer {
    fn of(state: &State, provider: &Provider, user: &User) -> Self {
        let account = Profile::of_user(state, provider, user).account;
        Self {
            linked: identities::find(state, account.provider, &account.idp_id).is_some(),
            name: user.name.clone(),
            account,
        }
    }
}

/// What a provider says of the account with this id, where the chooser has it.
fn offered(state: &State, provider: &Provider, chosen: &str) -> Option<Profile> {
    if let Some(identity) = identities::find(state, provider.method, chosen) {
        let user = state.users.get(&identity.user_id)?;
        return Some(Profile {
            account: identity.account.clone(),
            first_name: user.first_name.clone(),
            last_name: user.last_name.clone(),
        });
    }
    // One that is not linked is named by its address: its id cannot be found by an index.
    let user = users::find_by_email(state, chosen)?;
    Some(Profile {
        account: Account::usual(provider, &user.email),
        first_name: user.first_name.clone(),
        last_name: user.last_name.clone(),
    })
}

/// The accounts to choose from: who was hinted at, those that are linked, and those that other users would have.
fn offers(state: &State, provider: &Provider, login_hint: &str) -> Vec<Offer> {
    let hinted = users::find_by_email(state, login_hint);
    let linked = identities::of_provider(state, provider)
        .take(MOST_ACCOUNTS)
        .filter_map(|identity| {
            let user = state.users.get(&identity.user_id)?;
            Some(Offer {
                account: identity.account.clone(),
                name: user.name.clone(),
                linked: true,
            })
        });
    let others = state
        .users
        .iter()
        .take(MOST_ACCOUNTS)
        .map(|user| Offer::of(state, provider, user));
    let mut seen = HashSet::new();
    hinted
        .map(|user| Offer::of(state, provider, user))
        .into_iter()
        .chain(linked)
        .chain(others)
        .filter(|offer| seen.insert(offer.account.idp_id.clone()))
        .take(MOST_ACCOUNTS)
        .collect()
}

/// What was asked for beyond what every authorization request has.
fn extras(call: &Call) -> Vec<(String, String)> {
    const OWN: [&str; 6] = [
        "client_id",
        "redirect_uri",
        "response_type",
        "scope",
        "state",
        "login_hint",
    ];
    let pairs = call.query.pairs();
    pairs
        .filter(|(name, _)| !OWN.contains(name))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}

fn form(
    call: &Call,
    provider: &Provider,
    request: &Request,
    status: u16,
    other: &Other,
    problems: &Problems,
) -> Result<Reply, ApiError> {
    let state = call.environment.state();
    let offers = offers(&state, provider, &request.login_hint);
    let accounts: Vec<_> = offers
        .iter()
        .map(|offer| ProviderAccount {
            value: if offer.linked {
                &offer.account.idp_id
            } else {
                &offer.account.email
            },
            name: offer.name.as_deref(),
            email: &offer.account.email,
            linked: offer.linked,
        })
        .collect();
    // An address that no user has is one to type.
    let is_stranger =
        !request.login_hint.is_empty() && users::find_by_email(&state, &request.login_hint).is_none();
    let email = if other.email.is_empty() && is_stranger {
        &request.login_hint
    } else {
        &other.email
    };
    let scopes: Vec<&str> = request.scope.split_whitespace().collect();
    let field = |value, problems| TextField { value, problems };
    page(
        status,
        &StandInPage {
            chrome: chrome(&call.environment),
            provider: provider.name,
            form: Form {
                action: &path(provider),
                hidden: &[
                    ("client_id", &call.environment.client_id),
                    ("redirect_uri", &request.redirect_uri),
                    ("state", &request.state),
                    ("scope", &request.scope),
                    ("login_hint", &request.login_hint),
                ],
            },
            error: problems.error,
            accounts: &accounts,
            verifies_email: provider.verifies_email,
            types: accounts.is_empty() || is_stranger || (status != 200 && problems.error.is_none()),
            email: field(email, &problems.email),
            first_name: field(&other.first_name, &problems.first_name),
            last_name: field(&other.last_name, &problems.last_name),
            idp_id: field(&other.idp_id, &problems.idp_id),
            scopes: &scopes,
            extras: &extras(call),
        },
    )
}
