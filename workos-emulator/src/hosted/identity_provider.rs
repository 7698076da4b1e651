//! The page that takes an identity provider's place: whoever is at the browser says who they are there, and nobody asks for
//! a password.
//!
//! People come to it from a sign-in, or begin here, as on the dashboard of their identity provider. For SAML connections it is
//! an identity provider as SAML knows them: [`saml`]. For the others its only client is WorkOS, so it sends nobody anywhere
//! else: a code says to WorkOS what the page said.

mod saml;

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use url::form_urlencoded;

use self::saml::{Came, SamlAsked};
pub(super) use self::saml::{SCRIPT, SCRIPT_PATH, entity_id, show_idp_metadata, sso_url};
use super::{
    chrome, error, page,
    pages::{
        Form, TextField,
        sso::{IdentityProviderPage, IdpPerson, IdpSignedOutPage},
    },
    sso,
};
use crate::{
    api::{
        sso::{
            connections::Connection,
            identity_provider::{self, Assertion, Person},
            profiles::{self, Profile},
            saml::test_idp::{self, Said},
            sign_in::{SsoSession, is_domain_verified},
        },
        user_management::users,
    },
    core::{clock, secret::Secret},
    server::{call::Call, error::ApiError, reply::Reply},
    store::{Expiring, Record, State, Transaction},
};

/// Life of a code of the stand-in.
const LIFETIME: SignedDuration = SignedDuration::from_mins(10);
/// How many people the chooser has at most. Others are typed.
const MOST_PEOPLE: usize = 10;

/// A code of the stand-in: what it says, and to which sign-in. Its id is the digest of its value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct IdpGrant {
    id: String,
    connection_id: String,
    /// The digest of the state of the sign-in that asked. None: nobody did.
    in_response_to: Option<String>,
    relay_state: Option<String>,
    assertion: Assertion,
    #[serde(with = "clock::timestamp")]
    expires_at: Timestamp,
}

impl Record for IdpGrant {
    const REMEMBERS_DELETED: bool = false;

    fn id(&self) -> &str {
        &self.id
    }
}

impl Expiring for IdpGrant {
    fn expires_at(&self) -> Timestamp {
        self.expires_at
    }
}

/// What the stand-in says for a code, once, to whom it is for; and the `RelayState` that came with it.
pub(super) fn redeem(
    tx: &mut Transaction<'_>,
    connection_id: &str,
    code: &str,
    state: Option<&str>,
) -> Option<(Assertion, Option<String>)> {
    let now = tx.now();
    let grant = tx.delete::<IdpGrant>(&Secret::digest(code))?;
    let fits = grant.expires_at > now
        && grant.connection_id == connection_id
        && grant.in_response_to == state.map(Secret::digest);
    fits.then(|| (grant.assertion.clone(), grant.relay_state.clone()))
}

fn path(connection_id: &str) -> String {
    format!("/idp/{connection_id}")
}

/// The stand-in's page for a sign-in.
pub(super) fn sign_in_url(call: &Call, session: &SsoSession) -> String {
    let query = form_urlencoded::Serializer::new(String::new())
        .append_pair("client_id", &call.environment.client_id)
        .append_pair("state", session.state.expose())
        .finish();
    format!("{}{}?{query}", call.base_url(), path(&session.connection_id))
}

/// Where the stand-in signs people out.
pub(crate) fn sign_out_url(call: &Call, connection_id: &str) -> String {
    let client_id = &call.environment.client_id;
    let path = path(connection_id);
    format!("{}{path}/signed-out?client_id={client_id}", call.base_url())
}

/// Who is asked, and by which sign-in.
struct Asked {
    connection: Arc<Connection>,
    /// None: nobody asked and the person begins here, or somebody asked who is not WorkOS.
    session: Option<Arc<SsoSession>>,
    /// None: the connection speaks another language.
    saml: Option<SamlAsked>,
}

/// Why nobody is asked.
enum NotAsked {
    NotFound,
    Refused(String),
}

impl NotAsked {
    fn reply(&self, call: &Call) -> Result<Reply, ApiError> {
        match self {
            Self::NotFound => error::identity_provider_not_asked(call),
            Self::Refused(why) => error::saml_request_refused(call, why),
        }
    }
}

impl Asked {
    /// `get` gives what the request says: its query, or its form.
    fn of<'a>(call: &Call, get: impl Fn(&str) -> Option<&'a str>) -> Result<Self, NotAsked> {
        let present = call.environment.state();
        let connection = present.connections.get(call.param("connection_id"));
        // Social login and codes have pages of their own, and an identity provider that is named answers for itself.
        let connection = connection
            .filter(|connection| connection.organization_id.is_some())
            .filter(|connection| !identity_provider::provider(connection).is_spoken_to())
            .ok_or(NotAsked::NotFound)?;
        let connection = Arc::clone(connection);
        if saml::speaks_for(&connection) {
            let (saml, session) =
                saml::asked(call, &present, &connection, Came::of(get)).map_err(NotAsked::Refused)?;
            return Ok(Self {
                connection,
                session,
                saml: Some(saml),
            });
        }
        let session = match get("state").filter(|state| !state.is_empty()) {
            None => None,
            Some(given) => {
                let session = present.sso_sessions.get(SsoSession::id_in(given));
                let fits = |session: &&Arc<SsoSession>| {
                    session.state.matches(given)
                        && session.connection_id == connection.id
                        && session.expires_at() > call.environment.clock.now()
                };
                Some(session.filter(fits).map(Arc::clone).ok_or(NotAsked::NotFound)?)
            }
        };
        Ok(Self {
            connection,
            session,
            saml: None,
        })
    }

    /// Nobody asked: the person begins here.
    fn begins_here(&self) -> bool {
        let is_asked_by_saml = self.saml.as_ref().is_some_and(|saml| saml.came.is_some());
        self.session.is_none() && !is_asked_by_saml
    }

    fn state(&self) -> Option<&str> {
        self.session.as_ref().map(|session| session.state.expose())
    }

    /// What the page's forms take along.
    fn hidden(&self) -> Vec<(&str, &str)> {
        match &self.saml {
            Some(saml) => saml.came.iter().flat_map(Came::hidden).collect(),
            None => self.state().map(|state| ("state", state)).into_iter().collect(),
        }
    }

    fn answer(&self, call: &Call, parameters: &[(&str, &str)]) -> Reply {
        let mut query = form_urlencoded::Serializer::new(String::new());
        query
            .append_pair("client_id", &call.environment.client_id)
            .extend_pairs(parameters);
        if let Some(state) = self.state() {
            query.append_pair("state", state);
        }
        let url = format!("{}?{}", sso::callback(call, &self.connection.id), query.finish());
        Reply::redirect(303, url).header("Cache-Control", "no-store")
    }

    /// Says that somebody is not signed in.
    fn fail(&self, call: &Call, failure: &Failure) -> Result<Reply, ApiError> {
        let Failure {
            error,
            status,
            message,
        } = *failure;
        let Some(saml) = &self.saml else {
            return Ok(self.answer(call, &[("error", error), ("error_description", message)]));
        };
        let said = |_| Said::Failure {
            code: status,
            message,
        };
        saml::respond(call, self, saml, said, "")
    }

    /// Says who somebody is.
    fn tell(&self, call: &Call, assertion: Assertion, relay_state: &str) -> Result<Reply, ApiError> {
        if let Some(saml) = &self.saml {
            return saml::respond(call, self, saml, |id| Said::of(&assertion, id), relay_state);
        }
        let code = call.environment.transact(|tx| {
            let code = tx.token(32);
            let relay_state = Some(relay_state.to_owned());
            tx.put_expiring(IdpGrant {
                id: Secret::digest(&code),
                connection_id: self.connection.id.clone(),
                in_response_to: self.state().map(Secret::digest),
                relay_state: relay_state.filter(|text| !text.is_empty() && self.session.is_none()),
                assertion,
                expires_at: clock::saturating_add(tx.now(), LIFETIME),
            })?;
            Ok::<_, ApiError>(Secret::new(code))
        })?;
        Ok(self.answer(call, &[("code", code.expose())]))
    }
}

/// How somebody is not signed in, in the words of OAuth and of SAML.
struct Failure {
    error: &'static str,
    status: &'static str,
    message: &'static str,
}

const DENIED: Failure = Failure {
    error: "access_denied",
    status: test_idp::DENIED,
    message: "The user was refused.",
};
const FAILED: Failure = Failure {
    error: "server_error",
    status: test_idp::FAILED,
    message: "The stand-in was asked to fail.",
};

/// `GET /idp/{connection_id}`, with a SAML request by the HTTP redirect binding where the connection speaks SAML.
pub(super) fn show_identity_provider(call: &Call) -> Result<Reply, ApiError> {
    show(call, Asked::of(call, |name| call.query.get(name)))
}

/// `POST /idp/{connection_id}/saml`: a SAML request by the HTTP POST binding.
pub(super) fn ask_identity_provider(call: &Call) -> Result<Reply, ApiError> {
    show(call, Asked::of(call, |name| call.raw_body().get(name)?.as_str()))
}

fn show(call: &Call, asked: Result<Asked, NotAsked>) -> Result<Reply, ApiError> {
    match asked {
        Ok(asked) => form(call, &asked, 200, &Typed::default(), &Problems::default()),
        Err(not_asked) => not_asked.reply(call),
    }
}

/// A person whom nobody offered: typed.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Typed {
    email: String,
    first_name: String,
    last_name: String,
    idp_id: String,
    /// Separated by commas.
    groups: String,
    /// `name: value` on each line.
    attributes: String,
    relay_state: String,
}

#[derive(Debug, Default)]
struct Problems {
    error: Option<&'static str>,
    email: Vec<String>,
    attributes: Vec<String>,
}

/// `POST /idp/{connection_id}`
pub(super) fn submit_identity_provider(call: &Call) -> Result<Reply, ApiError> {
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Fields {
        decision: String,
        /// The person who was chosen.
        profile: Option<String>,
    }
    if !call.is_same_origin() {
        return error::cross_site(call);
    }
    let fields: Fields = call.body()?;
    let asked = match Asked::of(call, |name| call.raw_body().get(name)?.as_str()) {
        Ok(asked) => asked,
        Err(not_asked) => return not_asked.reply(call),
    };
    match fields.decision.as_str() {
        "deny" if !asked.begins_here() => return asked.fail(call, &DENIED),
        "error" if !asked.begins_here() => return asked.fail(call, &FAILED),
        _ => {}
    }
    let typed: Typed = call.body()?;
    let connection = &asked.connection;
    let person = match &fields.profile {
        Some(id) => chosen(&call.environment.state(), connection, id).ok_or_else(|| Problems {
            error: Some("This person is not there any more. Choose another one."),
            ..Problems::default()
        }),
        None => typed.person(connection),
    };
    let (person, more) = match person {
        Ok(person) => person,
        Err(problems) => return form(call, &asked, 400, &typed, &problems),
    };
    let index = call
        .environment
        .transact(|tx| Ok::<_, ApiError>(format!("_{}", tx.token(20))))?;
    let assertion = identity_provider::assertion(connection, &person, &more, Some(index));
    asked.tell(call, assertion, typed.relay_state.trim())
}

/// What the provider says of somebody whom it knows.
fn chosen(state: &State, connection: &Connection, id: &str) -> Option<(Person, Map<String, Value>)> {
    let profile = state.profiles.get(id)?;
    let is_here = profile.connection_id == connection.id;
    is_here.then(|| (profile.person(), profile.raw_attributes.clone()))
}

impl Typed {
    fn person(&self, connection: &Connection) -> Result<(Person, Map<String, Value>), Problems> {
        let mut problems = Problems::default();
        let email = users::email::normalized(&self.email).unwrap_or_else(|| {
            problems
                .email
                .push("Enter an email address, like name@company.com.".to_owned());
            String::new()
        });
        let mut more = Map::new();
        for line in self.attributes.lines().filter(|line| !line.trim().is_empty()) {
            match line.split_once(':') {
                Some((name, value)) if !name.trim().is_empty() => {
                    more.insert(name.trim().to_owned(), value.trim().into());
                }
                _ => problems
                    .attributes
                    .push(format!("Write “name: value”, not “{}”.", line.trim())),
            }
        }
        if !problems.email.is_empty() || !problems.attributes.is_empty() {
            return Err(problems);
        }
        let optional = |text: &str| Some(text.trim().to_owned()).filter(|text| !text.is_empty());
        let groups = self.groups.split(',').filter_map(optional).collect();
        let person = Person {
            idp_id: optional(&self.idp_id).unwrap_or_else(|| profiles::usual_idp_id(connection, &email)),
            email,
            first_name: optional(&self.first_name),
            last_name: optional(&self.last_name),
            groups,
            ..Person::default()
        };
        Ok((person, more))
    }
}

/// The people to choose from: who was hinted at first.
fn people(state: &State, connection: &Connection, hint: &str) -> Vec<Arc<Profile>> {
    let hinted = profiles::by_email(state, &connection.id, hint);
    let others = profiles::of_connection(state, &connection.id)
        .filter(|profile| hinted.is_none_or(|hinted| hinted.id != profile.id));
    hinted
        .into_iter()
        .chain(others)
        .take(MOST_PEOPLE)
        .map(Arc::clone)
        .collect()
}

fn form(
    call: &Call,
    asked: &Asked,
    status: u16,
    typed: &Typed,
    problems: &Problems,
) -> Result<Reply, ApiError> {
    let state = call.environment.state();
    let connection = &asked.connection;
    let hint = asked
        .session
        .as_ref()
        .and_then(|session| session.login_hint.as_deref());
    let people = people(&state, connection, hint.unwrap_or_default());
    let shown: Vec<_> = people
        .iter()
        .map(|profile| IdpPerson {
            id: &profile.id,
            name: profile.full_name(),
            email: &profile.email,
            groups: profile.groups.join(", "),
            is_guest: !is_domain_verified(&state, connection, &profile.email),
        })
        .collect();
    let is_stranger = hint.is_some_and(|hint| profiles::by_email(&state, &connection.id, hint).is_none());
    let email = match hint {
        Some(hint) if typed.email.is_empty() && is_stranger => hint,
        _ => &typed.email,
    };
    let organization = connection
        .organization_id
        .as_deref()
        .and_then(|id| state.organizations.get(id));
    let mut hidden = vec![("client_id", call.environment.client_id.as_str())];
    hidden.extend(asked.hidden());
    page(
        status,
        &IdentityProviderPage {
            chrome: chrome(&call.environment),
            provider: connection.r#type().name,
            connection_type: &connection.connection_type,
            connection_name: &connection.name,
            organization: organization.map_or("", |organization| &organization.name),
            begins_here: asked.begins_here(),
            form: Form {
                action: &path(&connection.id),
                hidden: &hidden,
            },
            error: problems.error,
            people: &shown,
            types: shown.is_empty() || is_stranger || (status != 200 && problems.error.is_none()),
            email: TextField {
                value: email,
                problems: &problems.email,
            },
            first_name: TextField::filled(&typed.first_name),
            last_name: TextField::filled(&typed.last_name),
            idp_id: TextField::filled(&typed.idp_id),
            groups: TextField::filled(&typed.groups),
            attributes: TextField {
                value: &typed.attributes,
                problems: &problems.attributes,
            },
            relay_state: TextField::filled(&typed.relay_state),
        },
    )
}

/// `GET /idp/{connection_id}/signed-out`
pub(super) fn show_idp_signed_out(call: &Call) -> Result<Reply, ApiError> {
    match Asked::of(call, |_| None) {
        Ok(asked) => page(
            200,
            &IdpSignedOutPage {
                chrome: chrome(&call.environment),
                provider: asked.connection.r#type().name,
            },
        ),
        Err(not_asked) => not_asked.reply(call),
    }
}
