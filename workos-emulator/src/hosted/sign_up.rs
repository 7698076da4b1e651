//! Sign-up, with a password or with a code by e-mail.

use serde::Deserialize;
use serde_json::Value;

use super::{
    chrome, error, invitation, magic_auth, page,
    pages::{Form, SignUpPage, TextField},
    password as password_page, provider, sign_in,
    visit::{self, Visit},
    waitlist,
};
use crate::{
    api::user_management::{
        self,
        authenticate::{
            method::{self, AuthenticationMethod},
            sign_in::SignIn,
        },
        authorize::session,
        email_verification,
        users::{
            self, NewUser,
            password::{self, GivenPassword},
        },
    },
    core::secret::Secret,
    server::{call::Call, error::ApiError, reply::Reply},
};

pub(crate) const PATH: &str = "/authkit/sign-up";

/// What a person fills in.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Fields {
    first_name: String,
    last_name: String,
    email: String,
    password: String,
    decision: String,
}

/// What is wrong with it: by field, or as a whole.
#[derive(Default)]
struct Problems {
    error: Option<String>,
    first_name: Vec<String>,
    last_name: Vec<String>,
    email: Vec<String>,
    password: Vec<String>,
}

/// `GET /authkit/sign-up`
pub(super) fn show_sign_up(call: &Call) -> Result<Reply, ApiError> {
    visit::show(call, |visit| {
        if !is_allowed(visit) {
            return Ok(elsewhere(visit));
        }
        let fields = Fields {
            email: visit.session.email.clone().unwrap_or_default(),
            ..Fields::default()
        };
        form(visit, 200, &fields, &Problems::default())
    })
}

/// `POST /authkit/sign-up`: creates the user, who then shows that the address is theirs.
pub(super) fn submit_sign_up(call: &Call) -> Result<Reply, ApiError> {
    visit::submit(call, |visit| {
        if !is_allowed(visit) {
            return if waitlist::is_open(call) {
                Ok(elsewhere(visit))
            } else {
                error::sign_up_closed(call)
            };
        }
        let mut fields: Fields = call.body()?;
        if let Some((email, _)) = invited_email(visit) {
            fields.email = email;
        }
        if let Some(refusal) = invitation::refusal(visit, &fields.email) {
            let problems = Problems {
                email: vec![refusal],
                ..Problems::default()
            };
            return form(visit, 400, &fields, &problems);
        }
        if fields.decision == "code" || !password_page::is_on(call) {
            return sign_up_with_code(visit, &fields);
        }
        let problems = Problems::without_rules(&fields);
        if problems.are_there() {
            return form(visit, 400, &fields, &problems);
        }
        match sign_up(visit, &fields) {
            Ok(Some(step)) => Ok(visit.go(step)),
            Ok(None) => error::sign_in_not_found(call),
            Err(refusal) => form(visit, 400, &fields, &Problems::from(&refusal)),
        }
    })
}

/// Whether this person may sign up here, as everybody or because they are invited, and can: with a password, a code, or
/// through a provider.
pub(super) fn is_allowed(visit: &Visit<'_>) -> bool {
    let call = visit.call;
    let state = call.environment.state();
    let settings = state.settings();
    let by_provider = !settings.sign_in_methods.providers.is_empty();
    let is_open = settings.open_sign_up() || invitation::of(visit).is_some();
    is_open && (password_page::is_on(call) || has_codes(call) || by_provider)
}

/// Where people go who may not sign up.
fn elsewhere(visit: &Visit<'_>) -> Reply {
    visit.to(if waitlist::is_open(visit.call) {
        waitlist::PATH
    } else {
        sign_in::PATH
    })
}

/// The invited address, unless the person wants to use another one. Who came by the link has shown that it is theirs
/// (an assumption): it need not be verified, and cannot be changed. With it goes whether another one may be used.
fn invited_email(visit: &Visit<'_>) -> Option<(String, bool)> {
    let invitation = invitation::of(visit)?;
    let wanted = visit.session.email.as_deref();
    let invited = wanted.is_some_and(|email| invitation.is_to(email));
    invited.then(|| {
        let can_change = invitation::others(&invitation).is_some();
        (invitation.email.clone(), can_change)
    })
}

fn has_codes(call: &Call) -> bool {
    user_management::magic_auth::is_on(&call.environment.state())
}

impl Fields {
    fn first_name(&self) -> Option<String> {
        given(&self.first_name)
    }

    fn last_name(&self) -> Option<String> {
        given(&self.last_name)
    }
}

fn given(name: &str) -> Option<String> {
    Some(name.trim().to_owned()).filter(|name| !name.is_empty())
}

/// Sends a code that signs up, or in, whoever reads the mail: the page does not say whether they are new.
fn sign_up_with_code(visit: &Visit<'_>, fields: &Fields) -> Result<Reply, ApiError> {
    let call = visit.call;
    if !has_codes(call) {
        return Ok(visit.to(sign_in::PATH));
    }
    let problems = Problems::without_rules(fields);
    if problems.are_there() {
        return form(visit, 400, fields, &problems);
    }
    let named = NewUser {
        first_name: fields.first_name(),
        last_name: fields.last_name(),
        ..NewUser::default()
    };
    let sent = call.environment.transact(|tx| {
        if !visit.is_current(tx) {
            return Ok::<_, ApiError>(None);
        }
        let session = session::identified(tx, &visit.session, fields.email.trim())?;
        let visit = Visit { call, session };
        let outcome = magic_auth::send(tx, &visit, &fields.email, named)?;
        Ok(Some((visit, outcome)))
    })?;
    match sent {
        Some((visit, outcome)) => magic_auth::sent(&visit, outcome),
        None => error::sign_in_not_found(call),
    }
}

/// Nothing where another tab finished the sign-in.
///
/// Where addresses are verified, an address that is taken leads to the same page as one that is new: only its owner is told,
/// by mail. Where they are not, the answer cannot help telling, as whoever is new is signed in at once.
fn sign_up(visit: &Visit<'_>, fields: &Fields) -> Result<Option<session::Step>, ApiError> {
    let environment = &visit.call.environment;
    let given = GivenPassword {
        password: Some(Secret::new(&fields.password)),
        ..GivenPassword::default()
    };
    let password_hash = password::prepare(environment, &fields.email, &given)?;
    let new = NewUser {
        email: fields.email.clone(),
        first_name: fields.first_name(),
        last_name: fields.last_name(),
        password_hash,
        ..NewUser::default()
    };
    let device = visit.device();
    environment.transact(|tx| {
        if !visit.is_current(tx) {
            return Ok(None);
        }
        users::email::check_deliverable(tx, &new.email)?;
        // The invitation may have been revoked while the password was hashed.
        let invitation = invitation::presented(tx, &visit.session);
        if invitation.is_none() && !tx.settings().open_sign_up() {
            return Err(ApiError::oauth("sign_up_not_allowed", "Sign-up is closed."));
        }
        let email_verified = invitation.is_some_and(|invitation| invitation.is_to(&fields.email));
        let session = session::identified(tx, &visit.session, new.email.trim())?;
        let user = match users::find_by_email(tx, &new.email).cloned() {
            // The invitation shows whose address it is: a stranger may have signed up with it before.
            Some(user) if email_verified && !user.email_verified => {
                let user = email_verification::verified(tx, &user)?;
                if let Some(hash) = new.password_hash {
                    password::set(tx, &user.id, hash)?;
                }
                user
            }
            Some(_) if tx.settings().email_verification => {
                return session::address_taken(tx, &session).map(Some);
            }
            _ => users::create(
                tx,
                NewUser {
                    email_verified,
                    ..new
                },
            )?,
        };
        let method = AuthenticationMethod::Password;
        method::succeeded(tx, method, &user, &device)?;
        session::go_on(tx, &session, SignIn::new(&user.id, method, device)).map(Some)
    })
}

impl Problems {
    /// What is wrong whoever fills it in. What the rule refuses for new users alone would tell who is new.
    fn without_rules(fields: &Fields) -> Self {
        let mut problems = Self::default();
        if users::email::normalized(&fields.email).is_none() {
            problems.email.push("This email is not valid.".to_owned());
        }
        for (name, problems) in [
            (&fields.first_name, &mut problems.first_name),
            (&fields.last_name, &mut problems.last_name),
        ] {
            if name.chars().count() > users::MAX_NAME_LENGTH {
                problems.push(format!(
                    "A name has at most {} characters.",
                    users::MAX_NAME_LENGTH
                ));
            }
        }
        problems
    }

    fn are_there(&self) -> bool {
        self.error.is_some() || self.by_field().iter().any(|problems| !problems.is_empty())
    }

    fn by_field(&self) -> [&Vec<String>; 4] {
        [&self.first_name, &self.last_name, &self.email, &self.password]
    }
}

/// The API's refusals, as the page shows them.
///
/// That an e-mail address is taken cannot be kept from a person who signs up with it as long as they need not show that
/// it is theirs; the page does at least not say so.
impl From<&ApiError> for Problems {
    fn from(refusal: &ApiError) -> Self {
        let mut problems = Self::default();
        let errors = refusal.body.get("errors").and_then(Value::as_array);
        for error in errors.into_iter().flatten() {
            let text = |name: &str| error.get(name).and_then(Value::as_str).unwrap_or_default();
            let suggestions = error.get("suggestions").and_then(Value::as_array);
            let mut message = text("message").to_owned();
            for suggestion in suggestions.into_iter().flatten().filter_map(Value::as_str) {
                message.extend([" ", suggestion]);
            }
            match (refusal.code(), text("code"), text("field")) {
                (Some("password_strength_error"), ..) => problems.password.push(message),
                (_, "invalid_email", _) => problems.email.push(message),
                (_, _, "first_name") => problems.first_name.push(message),
                (_, _, "last_name") => problems.last_name.push(message),
                _ => {}
            }
        }
        if refusal.code() == Some("email_domain_not_deliverable") {
            problems.email.push(refusal.description().to_owned());
        }
        if !problems.are_there() {
            let message = "Your account was not created. If you have one already, sign in.";
            problems.error = Some(message.to_owned());
        }
        problems
    }
}

fn form(visit: &Visit<'_>, status: u16, fields: &Fields, problems: &Problems) -> Result<Reply, ApiError> {
    let state = visit.call.environment.state();
    let invited = invited_email(visit);
    let hidden = visit.hidden();
    let own = Form {
        action: PATH,
        hidden: &hidden,
    };
    page(
        status,
        &SignUpPage {
            chrome: chrome(&visit.call.environment),
            invitation: invitation::sentence(visit).as_deref(),
            invited_email: invited
                .as_ref()
                .map(|(email, can_change)| (email.as_str(), *can_change)),
            form: own,
            error: problems.error.as_deref(),
            first_name: TextField {
                value: &fields.first_name,
                problems: &problems.first_name,
            },
            last_name: TextField {
                value: &fields.last_name,
                problems: &problems.last_name,
            },
            email: TextField {
                value: &fields.email,
                problems: &problems.email,
            },
            with_password: password_page::is_on(visit.call),
            with_code: has_codes(visit.call),
            password_problems: &problems.password,
            password_hint: &state.settings().password_policy.hint(),
            sign_in_url: &visit.url(sign_in::PATH),
            providers: provider::buttons(&state, own),
        },
    )
}
