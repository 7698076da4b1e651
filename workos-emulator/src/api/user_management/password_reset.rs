//! Password resets. Source: <https://workos.com/docs/reference/authkit/password-reset>.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::json;
use url::Url;

use super::{
    authenticate::{in_progress, method::AuthenticationMethod, sign_in::SignIn},
    email_verification, organization_policies,
    rate_limit::{self, Limit},
    sessions::{self, Device},
    users::{self, User, UserChanges, password},
};
use crate::{
    core::{clock, password::policy::PasswordProblem, secret::Secret},
    environment::Environment,
    hosted,
    mail::{self, Mail},
    server::{call::Call, error::ApiError, reply::Reply},
    store::{Expiring, Index, Record, State, Transaction},
};

/// How long a token is good. Source: the times in the example at
/// <https://workos.com/docs/reference/authkit/password-reset/create>.
const LIFETIME: SignedDuration = SignedDuration::from_mins(15);

/// How long a reset can still be read, and its token still says why it is not taken.
const AFTERLIFE: SignedDuration = SignedDuration::from_hours(30 * 24);

/// A password reset, as kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct PasswordReset {
    pub(crate) id: String,
    pub(crate) user_id: String,
    pub(crate) email: String,
    /// Kept as it is: the API shows it to the application, which may send the mail itself.
    token: Secret,
    state: TokenState,
    /// The hosted sign-in in which it was asked for.
    pub(crate) authorization_session_id: Option<String>,
    #[serde(with = "clock::timestamp")]
    expires_at: Timestamp,
    #[serde(with = "clock::timestamp")]
    created_at: Timestamp,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
enum TokenState {
    Open,
    Used,
    /// A newer one was asked for, or the password was changed in another way.
    Replaced,
}

const BY_TOKEN: Index<PasswordReset> = Index::unique("token", |reset| {
    vec![(Secret::digest(reset.token.expose()).into(), 0)]
});
const BY_USER: Index<PasswordReset> =
    Index::ordered("user", |reset| vec![(reset.user_id.as_str().into(), 0)]);
/// The only one of a user that can be used.
const OPEN_BY_USER: Index<PasswordReset> = Index::ordered("open, by user", |reset| {
    let group = (reset.user_id.as_str().into(), 0);
    (reset.state == TokenState::Open)
        .then_some(group)
        .into_iter()
        .collect()
});

impl Record for PasswordReset {
    const INDEXES: &'static [Index<Self>] = &[BY_TOKEN, BY_USER, OPEN_BY_USER];
    const REMEMBERS_DELETED: bool = false;

    fn id(&self) -> &str {
        &self.id
    }
}

impl Expiring for PasswordReset {
    fn expires_at(&self) -> Timestamp {
        clock::saturating_add(self.expires_at, AFTERLIFE)
    }
}

/// Why a token is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TokenRefusal {
    Unknown,
    Expired,
    Used,
    Replaced,
}

/// Why a password is not reset.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ResetRefusal {
    /// The environment has no sign-in with a password.
    PasswordsOff,
    Token(TokenRefusal),
    Password(Vec<PasswordProblem>),
}

/// A password that was reset.
#[derive(Debug)]
pub(crate) struct Confirmed {
    pub(crate) user: Arc<User>,
    pub(crate) reset: Arc<PasswordReset>,
}

/// As shown; events have no token and no URL.
#[derive(Serialize)]
#[serde(tag = "object", rename = "password_reset")]
struct Body<'a> {
    id: &'a str,
    user_id: &'a str,
    email: &'a str,
    #[serde(with = "clock::timestamp")]
    expires_at: Timestamp,
    #[serde(with = "clock::timestamp")]
    created_at: Timestamp,
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    secrets: Option<Secrets<'a>>,
}

#[derive(Serialize)]
struct Secrets<'a> {
    password_reset_token: &'a str,
    password_reset_url: &'a str,
}

impl PasswordReset {
    fn body<'a>(&'a self, url: Option<&'a str>) -> Body<'a> {
        Body {
            id: &self.id,
            user_id: &self.user_id,
            email: &self.email,
            expires_at: self.expires_at,
            created_at: self.created_at,
            secrets: url.map(|url| Secrets {
                password_reset_token: self.token.expose(),
                password_reset_url: url,
            }),
        }
    }

    /// Where the user sets the new password: the application's own page, where it has one, or the hosted page.
    fn url(&self, state: &State, client_id: &str, base_url: &str) -> String {
        let own = state.settings().password_reset_url.as_deref();
        match own.and_then(|own| Url::parse(own).ok()) {
            Some(mut url) => {
                url.query_pairs_mut().append_pair("token", self.token.expose());
                url.into()
            }
            None => format!(
                "{base_url}{}",
                hosted::reset_password::address(self.token.expose(), client_id)
            ),
        }
    }
}

/// Whether people may sign in, and therefore reset, with a password.
pub(crate) fn are_passwords_on(state: &State) -> bool {
    state.settings().sign_in_methods.password
}

/// Whether the user could sign in with the new password: the policy for the domain of their address may not allow it.
///
/// Assumption: production does not say when it answers `password_reset_not_allowed`.
fn may_use_password(state: &State, user: &User) -> bool {
    let sign_in = SignIn::new(&user.id, AuthenticationMethod::Password, Device::default());
    organization_policies::check_domain(state, user, &sign_in).is_none()
}

/// Asks for a new password of the user with this e-mail address, and sends them the link.
pub(crate) fn request(
    tx: &mut Transaction<'_>,
    email: &str,
    base_url: &str,
    authorization_session_id: Option<&str>,
) -> Result<Arc<PasswordReset>, ApiError> {
    if !are_passwords_on(tx) {
        return Err(passwords_off());
    }
    let user = users::find_by_email(tx, email).ok_or_else(|| ApiError::not_found("User", email))?;
    let user = Arc::clone(user);
    if !may_use_password(tx, &user) {
        return Err(ApiError::new(
            403,
            "password_reset_not_allowed",
            "The user cannot sign in with a password.",
        ));
    }
    rate_limit::count(tx, Limit::PasswordReset, &user.email)?;
    void(tx, &user.id)?;
    let reset = PasswordReset {
        id: tx.id("password_reset"),
        user_id: user.id.clone(),
        email: user.email.clone(),
        token: Secret::new(tx.token(25)),
        state: TokenState::Open,
        authorization_session_id: authorization_session_id.map(str::to_owned),
        expires_at: clock::saturating_add(tx.now(), LIFETIME),
        created_at: tx.now(),
    };
    let reset = tx.put_expiring(reset)?;
    tx.emit("password_reset.created", &reset.body(None))?;
    let url = reset.url(tx, tx.client_id(), base_url);
    let mail = Mail {
        kind: "password_reset",
        to: &reset.email,
        subject: "Reset your password",
        lead: "Somebody asked for a new password for your account. Follow the link to choose one.",
        token: Some(reset.token.expose()),
        link: Some(("Reset password", &url)),
        note: "The link works once, for 15 minutes. If you did not ask for it, do nothing: your password stays as it is.",
        ..Mail::default()
    };
    mail::send(tx, mail)?;
    Ok(reset)
}

/// The reset that `token` can be used for.
///
/// A token is bound to the address that it was sent to: who has moved to another one must not be surprised by whoever reads
/// the old one's mail.
pub(crate) fn find<'a>(
    state: &'a State,
    token: &str,
    now: Timestamp,
) -> Result<&'a Arc<PasswordReset>, TokenRefusal> {
    let found = state.password_resets.find(BY_TOKEN, &Secret::digest(token));
    let reset = found.ok_or(TokenRefusal::Unknown)?;
    let user = state.users.get(&reset.user_id).ok_or(TokenRefusal::Unknown)?;
    match reset.state {
        TokenState::Used => Err(TokenRefusal::Used),
        TokenState::Replaced => Err(TokenRefusal::Replaced),
        TokenState::Open if now >= reset.expires_at => Err(TokenRefusal::Expired),
        TokenState::Open if user.email != reset.email => Err(TokenRefusal::Replaced),
        TokenState::Open => Ok(reset),
    }
}

/// The hosted sign-in in which `token` was asked for, whether or not it is still good.
pub(crate) fn asked_in<'a>(state: &'a State, token: &str) -> Option<&'a str> {
    let reset = state.password_resets.find(BY_TOKEN, &Secret::digest(token))?;
    reset.authorization_session_id.as_deref()
}

/// Sets the new password: the token is used up, the e-mail address is verified, and all sessions of the user end,
/// as do sign-ins that have begun with the old password.
///
/// A password that the policy refuses leaves the token as it is: the person tries another one.
///
/// Assumption: the order of the events, `user.updated`, `password_reset.succeeded`, `session.revoked`, is not documented.
pub(crate) fn confirm(
    environment: &Environment,
    token: &str,
    new_password: &Secret,
) -> Result<Result<Confirmed, ResetRefusal>, ApiError> {
    let state = environment.state();
    if !are_passwords_on(&state) {
        return Ok(Err(ResetRefusal::PasswordsOff));
    }
    let reset = match find(&state, token, environment.clock.now()) {
        Ok(reset) => reset,
        Err(refusal) => return Ok(Err(ResetRefusal::Token(refusal))),
    };
    // It takes milliseconds, and so comes before the transaction.
    let hash = match password::hash_new(environment, Some(&reset.user_id), &reset.email, new_password)? {
        Ok(hash) => hash,
        Err(problems) => return Ok(Err(ResetRefusal::Password(problems))),
    };
    environment.transact(|tx| {
        let reset = match find(tx, token, tx.now()) {
            Ok(reset) => PasswordReset::clone(reset),
            Err(refusal) => return Ok(Err(ResetRefusal::Token(refusal))),
        };
        let reset = tx.put(PasswordReset {
            state: TokenState::Used,
            ..reset
        })?;
        let user = users::find(tx, &reset.user_id)?.clone();
        email_verification::drop_unproven(tx, &user)?;
        in_progress::end(tx, &user.id)?;
        let changes = UserChanges {
            email_verified: Some(true),
            password_hash: Some(hash),
            ..UserChanges::default()
        };
        let user = users::update(tx, &user.id, changes)?;
        tx.emit("password_reset.succeeded", &reset.body(None))?;
        sessions::revoke_all(tx, &user.id)?;
        Ok(Ok(Confirmed { user, reset }))
    })
}

/// Makes the user's token void.
pub(crate) fn void(tx: &mut Transaction<'_>, user_id: &str) -> Result<(), ApiError> {
    let open = tx.password_resets.group(OPEN_BY_USER, user_id);
    let open: Vec<_> = open.map(Arc::clone).collect();
    for reset in open {
        tx.put(PasswordReset {
            state: TokenState::Replaced,
            ..PasswordReset::clone(&reset)
        })?;
    }
    Ok(())
}

/// Forgets the resets of a user who is deleted.
pub(crate) fn forget(tx: &mut Transaction<'_>, user_id: &str) {
    let resets = tx.password_resets.group(BY_USER, user_id);
    let ids: Vec<_> = resets.map(|reset| reset.id.clone()).collect();
    for id in ids {
        tx.delete::<PasswordReset>(&id);
    }
}

fn passwords_off() -> ApiError {
    ApiError::new(
        403,
        "email_password_auth_disabled",
        "Email and password authentication is disabled.",
    )
}

/// Assumptions: an unknown token is the 404 of the API's description; the inner codes for others are not documented. No
/// refusal repeats the token.
impl From<TokenRefusal> for ApiError {
    fn from(refusal: TokenRefusal) -> Self {
        let (code, message) = match refusal {
            TokenRefusal::Unknown => {
                return Self::new(404, "entity_not_found", "Password reset token not found.");
            }
            TokenRefusal::Expired => (
                "password_reset_token_expired",
                "The password reset token has expired.",
            ),
            TokenRefusal::Used => (
                "password_reset_token_used",
                "The password reset token has been used already.",
            ),
            TokenRefusal::Replaced => (
                "password_reset_token_replaced",
                "The password reset token has been replaced by a newer one.",
            ),
        };
        Self::bad_request("password_reset_error", message)
            .with("errors", json!([{"code": code, "message": message}]))
    }
}

impl From<ResetRefusal> for ApiError {
    fn from(refusal: ResetRefusal) -> Self {
        match refusal {
            ResetRefusal::PasswordsOff => passwords_off(),
            ResetRefusal::Token(refusal) => refusal.into(),
            ResetRefusal::Password(problems) => password::too_weak("password_reset_error", &problems),
        }
    }
}

fn show(call: &Call, status: u16, reset: &PasswordReset) -> Result<Reply, ApiError> {
    let state = call.environment.state();
    let url = reset.url(&state, &call.environment.client_id, &call.base_url());
    Reply::json(status, &reset.body(Some(&url)))
}

/// `POST /user_management/password_reset`
pub(crate) fn reset_password(call: &Call) -> Result<Reply, ApiError> {
    #[derive(Deserialize)]
    struct CreatePasswordReset {
        email: String,
    }
    let CreatePasswordReset { email } = call.body()?;
    let base_url = call.base_url();
    let reset = call
        .environment
        .transact(|tx| request(tx, &email, &base_url, None))?;
    show(call, 201, &reset)
}

/// `POST /user_management/password_reset/confirm`
pub(crate) fn confirm_password_reset(call: &Call) -> Result<Reply, ApiError> {
    #[derive(Deserialize)]
    struct ConfirmPasswordReset {
        token: String,
        new_password: Secret,
    }
    let ConfirmPasswordReset { token, new_password } = call.body()?;
    let Confirmed { user, .. } = confirm(&call.environment, &token, &new_password)??;
    Reply::ok(&json!({"user": user}))
}

/// `GET /user_management/password_reset/{id}`
pub(crate) fn get_password_reset(call: &Call) -> Result<Reply, ApiError> {
    let state = call.environment.state();
    let id = call.param("id");
    let reset = state.password_resets.get(id);
    let reset = reset.ok_or_else(|| ApiError::not_found("Password reset", id))?;
    show(call, 200, reset)
}

#[cfg(test)]
mod tests;
