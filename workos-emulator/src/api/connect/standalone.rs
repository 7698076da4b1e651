//! Standalone Connect: people sign in at an application of yours instead of at AuthKit. Source:
//! <https://workos.com/docs/authkit/connect/standalone>.
//!
//! 1. The authorization request of a browser goes on to the setting `connect.login_uri`, with an `external_auth_id`.
//! 2. The application signs the person in, and says who it is by `POST /authkit/oauth2/complete`.
//! 3. It sends the browser to the address that it gets for that, and AuthKit goes on with consent and code.
//!
//! Only the browser that began can go on: whoever is led to another one's sign-in cannot be signed in to it.

use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use url::Url;

use super::{
    authorize::request::ConnectRequest,
    consent_options::{self, ConsentOption},
};
use crate::{
    api::{
        metadata,
        user_management::{
            authenticate::{method::AuthenticationMethod, sign_in::SignIn},
            authorize::{
                request::{AuthorizationRequest, Goal},
                session::{self, AuthorizationSession},
            },
            memberships,
            sessions::Device,
            users::{self, BY_EXTERNAL_ID, NewUser, User, UserChanges},
        },
    },
    core::{clock, secret::Secret},
    hosted,
    server::{body::Patch, call::Call, error::ApiError, reply::Reply},
    store::{Expiring, Index, Record, State, Transaction},
};

/// A sign-in that somebody else makes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ExternalAuth {
    /// `ext_auth_…`, which the application gets with the browser.
    id: String,
    authorization_session_id: String,
    device: Device,
    /// The digest of what the browser comes back with, and who has signed in.
    completed: Option<(String, SignIn)>,
    #[serde(with = "clock::timestamp")]
    expires_at: Timestamp,
}

const BY_TOKEN: Index<ExternalAuth> = Index::unique("token", |row| {
    let completed = row.completed.iter();
    completed.map(|(token, _)| (token.as_str().into(), 0)).collect()
});

impl Record for ExternalAuth {
    const INDEXES: &'static [Index<Self>] = &[BY_TOKEN];
    const REMEMBERS_DELETED: bool = false;

    fn id(&self) -> &str {
        &self.id
    }
}

impl Expiring for ExternalAuth {
    fn expires_at(&self) -> Timestamp {
        self.expires_at
    }
}

/// Begins a sign-in at the application that does it.
pub(super) fn begin(call: &Call, request: AuthorizationRequest) -> Result<Reply, ApiError> {
    let device = crate::api::user_management::authorize::device(call);
    let (session, external) = call.environment.transact(|tx| {
        let session = session::begin(tx, request)?;
        let id = tx.id("ext_auth");
        let external = tx.put_expiring(ExternalAuth {
            id,
            authorization_session_id: session.id.clone(),
            device,
            completed: None,
            expires_at: session.expires_at,
        })?;
        Ok::<_, ApiError>((session, external))
    })?;
    let login_uri = call.environment.state().settings().connect.login_uri.clone();
    let login_uri = login_uri.as_deref().and_then(|uri| Url::parse(uri).ok());
    let Some(mut url) = login_uri else {
        return Ok(hosted::visit::first_page(call, &session));
    };
    url.query_pairs_mut()
        .append_pair("external_auth_id", &external.id);
    Ok(hosted::visit::leave_for(call, &session, url))
}

/// The person who has signed in.
#[derive(Debug, Deserialize)]
struct ExternalUser {
    id: String,
    email: String,
    first_name: Option<String>,
    last_name: Option<String>,
    name: Option<String>,
    metadata: Option<Map<String, Value>>,
}

/// `POST /authkit/oauth2/complete`
#[derive(Debug, Deserialize)]
struct CompleteLogin {
    external_auth_id: String,
    user: ExternalUser,
    user_consent_options: Option<Vec<ConsentOption>>,
}

/// `POST /authkit/oauth2/complete`
pub(crate) fn complete_oauth2(call: &Call) -> Result<Reply, ApiError> {
    let login: CompleteLogin = call.body()?;
    let (client_id, token) = call.environment.transact(|tx| complete(tx, login))?;
    let query = url::form_urlencoded::Serializer::new(String::new())
        .append_pair("client_id", &client_id)
        .append_pair("state", token.expose())
        .finish();
    let redirect_uri = format!("{}{}?{query}", call.base_url(), hosted::external_auth::PATH);
    Ok(Reply::ok(&json!({"redirect_uri": redirect_uri}))?.header("Cache-Control", "no-store"))
}

/// Notes who has signed in, and gives the client id of the application, and what the browser comes back with.
///
/// Assumptions: an unknown or expired `external_auth_id` is 404; first-party applications, which ask for no consent, take
/// no consent options.
fn complete(tx: &mut Transaction<'_>, login: CompleteLogin) -> Result<(String, Secret), ApiError> {
    let id = &login.external_auth_id;
    let not_found = || ApiError::not_found("External auth session", id);
    let external = tx.unexpired::<ExternalAuth>(id).cloned().ok_or_else(not_found)?;
    if external.completed.is_some() {
        return Err(ApiError::bad_request(
            "external_auth_session_already_completed",
            "This external auth session has already been completed.",
        ));
    }
    let session = tx
        .unexpired::<AuthorizationSession>(&external.authorization_session_id)
        .cloned()
        .ok_or_else(not_found)?;
    let Goal::Connect(request) = &session.request.goal else {
        return Err(not_found());
    };
    let options = login.user_consent_options.unwrap_or_default();
    check_options(tx, request, &options)?;
    let user = upsert(tx, login.user)?;
    let goal = Goal::Connect(Box::new(ConnectRequest {
        options,
        ..ConnectRequest::clone(request)
    }));
    tx.put(session.with_goal(goal))?;
    let token = Secret::new(tx.token(43));
    let sign_in = SignIn::new(
        &user.id,
        AuthenticationMethod::ExternalAuth,
        external.device.clone(),
    );
    tx.put(ExternalAuth {
        completed: Some((Secret::digest(token.expose()), sign_in)),
        ..ExternalAuth::clone(&external)
    })?;
    Ok((session.request.client_id.clone(), token))
}

fn check_options(state: &State, request: &ConnectRequest, options: &[ConsentOption]) -> Result<(), ApiError> {
    let application = state.connect_applications.get(&request.application_id);
    if !options.is_empty() && application.is_none_or(|application| application.is_first_party()) {
        return Err(ApiError::bad_request(
            "user_consent_options_not_supported",
            "User consent options are for applications that people are asked about: not for first-party ones.",
        ));
    }
    consent_options::check(options)
}

/// The user with the application's id for them, created or changed to be as they are there.
///
/// Assumptions: AuthKit has not verified the address itself, so that a new user's is unverified; a user whom a directory
/// manages keeps the address that the directory gives.
fn upsert(tx: &mut Transaction<'_>, given: ExternalUser) -> Result<Arc<User>, ApiError> {
    metadata::check_external_id(&given.id)?;
    let email = users::email::normalized(&given.email)
        .ok_or_else(|| ApiError::bad_request("invalid_email", "This email is not valid."))?;
    let taken = || ApiError::bad_request("email_not_available", "This email is not available.");
    let known = tx.users.find(BY_EXTERNAL_ID, &given.id).cloned();
    let Some(known) = known else {
        if users::find_by_email(tx, &email).is_some() {
            return Err(taken());
        }
        let new = NewUser {
            email,
            first_name: given.first_name,
            last_name: given.last_name,
            name: given.name,
            external_id: Some(given.id),
            metadata: given.metadata,
            ..NewUser::default()
        };
        return users::create(tx, new);
    };
    if email != known.email && memberships::is_directory_managed(tx, &known.id) {
        return Err(ApiError::bad_request(
            "email_change_not_allowed",
            "The email of this user is managed by a directory.",
        ));
    }
    let differs = |name: &Option<String>, present: &Option<String>| name.is_some() && name != present;
    let metadata_differs = given.metadata.as_ref().is_some_and(|metadata| {
        let present = json!(known.metadata);
        metadata.is_empty() != known.metadata.is_empty()
            || metadata
                .iter()
                .any(|(key, value)| present.get(key) != Some(value))
    });
    let unchanged = email == known.email
        && !differs(&given.first_name, &known.first_name)
        && !differs(&given.last_name, &known.last_name)
        && !differs(&given.name, &known.name)
        && !metadata_differs;
    if unchanged {
        return Ok(known);
    }
    let set = |name: Option<String>| name.map_or(Patch::Keep, Patch::Set);
    let changes = UserChanges {
        email: (email != known.email).then_some(email),
        first_name: set(given.first_name),
        last_name: set(given.last_name),
        name: set(given.name),
        metadata: given.metadata,
        ..UserChanges::default()
    };
    users::update(tx, &known.id, changes)
}

/// The session of the sign-in that a browser comes back to, which has to prove that it is the one that began it.
pub(crate) fn session_of(state: &State, token: &str) -> Option<String> {
    let external = state.external_auths.find(BY_TOKEN, &Secret::digest(token))?;
    Some(external.authorization_session_id.clone())
}

/// Who has signed in, once.
pub(crate) fn take(tx: &mut Transaction<'_>, token: &str) -> Option<SignIn> {
    let external = tx.external_auths.find(BY_TOKEN, &Secret::digest(token))?;
    let id = external.id.clone();
    let now = tx.now();
    let external = tx.delete::<ExternalAuth>(&id)?;
    let (_, sign_in) = external.completed.clone()?;
    (external.expires_at > now).then_some(sign_in)
}
