//! Authentication factors. Source: <https://workos.com/docs/reference/mfa/factor>.

use std::{borrow::Cow, sync::Arc};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{challenges, totp_factor::TotpFactor};
use crate::{
    api::user_management::users::User,
    core::{clock, phone_number, qr_code, totp::TotpSecret},
    server::{
        call::Call,
        error::{ApiError, FieldError},
        reply::Reply,
    },
    store::{Index, Record, State, Transaction},
};

/// A factor, as kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct AuthenticationFactor {
    pub(crate) id: String,
    /// Whose it is. None: the application keeps its own account of it.
    pub(crate) user_id: Option<String>,
    pub(crate) kind: FactorKind,
    #[serde(with = "clock::timestamp")]
    pub(crate) created_at: Timestamp,
}

/// How a code comes to the person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(crate) enum FactorKind {
    /// The application brings it to them, by a way of its own.
    GenericOtp,
    Sms {
        phone_number: String,
    },
    Totp(TotpFactor),
}

impl FactorKind {
    fn name(&self) -> &'static str {
        match self {
            Self::GenericOtp => "generic_otp",
            Self::Sms { .. } => "sms",
            Self::Totp(_) => "totp",
        }
    }
}

/// The factors of a user.
pub(crate) const BY_USER: Index<AuthenticationFactor> = Index::ordered("user", |factor| {
    let user_id = factor.user_id.iter();
    user_id.map(|id| (id.as_str().into(), 0)).collect()
});

impl Record for AuthenticationFactor {
    const INDEXES: &'static [Index<Self>] = &[BY_USER];

    fn id(&self) -> &str {
        &self.id
    }
}

/// A factor as the API shows it.
#[derive(Debug, Serialize)]
#[serde(tag = "object", rename = "authentication_factor")]
pub(super) struct FactorBody<'a> {
    id: &'a str,
    r#type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    user_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sms: Option<SmsBody<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    totp: Option<TotpBody<'a>>,
    #[serde(with = "clock::timestamp")]
    created_at: Timestamp,
    #[serde(with = "clock::timestamp")]
    updated_at: Timestamp,
}

#[derive(Debug, Serialize)]
struct SmsBody<'a> {
    phone_number: &'a str,
}

#[derive(Debug, Serialize)]
struct TotpBody<'a> {
    issuer: &'a str,
    user: &'a str,
    #[serde(flatten)]
    enrollment: Option<EnrollmentBody>,
}

/// What an authenticator app needs, shown once.
#[derive(Serialize)]
struct EnrollmentBody {
    secret: String,
    qr_code: String,
    uri: String,
}

/// Shows no secret.
impl std::fmt::Debug for EnrollmentBody {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("EnrollmentBody")
    }
}

impl AuthenticationFactor {
    /// The same, after a code of its app.
    pub(super) fn with(&self, totp: TotpFactor) -> Self {
        Self {
            kind: FactorKind::Totp(totp),
            ..self.clone()
        }
    }

    pub(super) fn body(&self) -> FactorBody<'_> {
        let (sms, totp) = match &self.kind {
            FactorKind::GenericOtp => (None, None),
            FactorKind::Sms { phone_number } => (Some(SmsBody { phone_number }), None),
            FactorKind::Totp(TotpFactor { issuer, user, .. }) => {
                let enrollment = None;
                (
                    None,
                    Some(TotpBody {
                        issuer,
                        user,
                        enrollment,
                    }),
                )
            }
        };
        FactorBody {
            id: &self.id,
            r#type: self.kind.name(),
            user_id: self.user_id.as_deref(),
            sms,
            totp,
            created_at: self.created_at,
            // What is shown of it never changes.
            updated_at: self.created_at,
        }
    }

    /// With what an authenticator app needs: for the answer to the enrollment alone. Drawing the QR code takes a while, so
    /// that this comes after the transaction.
    pub(super) fn enrolled_body(&self) -> Result<FactorBody<'_>, ApiError> {
        let mut body = self.body();
        if let (FactorKind::Totp(totp), Some(shown)) = (&self.kind, &mut body.totp) {
            let uri = uri(&totp.issuer, &totp.user, &totp.secret)?;
            shown.enrollment = Some(EnrollmentBody {
                secret: totp.secret.expose(),
                qr_code: picture(&uri)?,
                uri,
            });
        }
        Ok(body)
    }

    /// What the refusal of a sign-in says of it.
    pub(crate) fn reference(&self) -> serde_json::Value {
        serde_json::json!({"id": self.id, "type": self.kind.name()})
    }
}

/// The factor with this id, or the refusal.
pub(crate) fn find<'a>(state: &'a State, id: &str) -> Result<&'a Arc<AuthenticationFactor>, ApiError> {
    state
        .authentication_factors
        .get(id)
        .ok_or_else(|| ApiError::not_found("Authentication factor", id))
}

/// The authenticator apps of a user: of all factors, the ones that AuthKit asks for.
///
/// Source: <https://workos.com/docs/migrate/auth0>, which rules out SMS.
pub(crate) fn totp_of_user(state: &State, user_id: &str) -> Vec<Arc<AuthenticationFactor>> {
    let factors = state.authentication_factors.group(BY_USER, user_id);
    let totp = factors.filter(|factor| matches!(factor.kind, FactorKind::Totp(_)));
    totp.cloned().collect()
}

/// Enrolls a factor, which counts from now on.
///
/// Assumption: production does not say whether a factor counts before it has answered a challenge. The API's words
/// ("enrolls a user"), and secrets that are brought along from elsewhere, say that it does.
pub(super) fn enroll(
    tx: &mut Transaction<'_>,
    user_id: Option<&str>,
    kind: FactorKind,
) -> Result<Arc<AuthenticationFactor>, ApiError> {
    if let FactorKind::Totp(totp) = &kind {
        uri(&totp.issuer, &totp.user, &totp.secret)?;
    }
    let factor = AuthenticationFactor {
        id: tx.id("auth_factor"),
        user_id: user_id.map(str::to_owned),
        kind,
        created_at: tx.now(),
    };
    Ok(tx.put(factor)?)
}

/// What an authenticator app is to be set up with.
#[derive(Debug, Default)]
pub(crate) struct NewTotp {
    /// Without it, the environment's name.
    pub(crate) issuer: Option<String>,
    /// Without it, the user's e-mail address.
    pub(crate) user: Option<String>,
    /// Without it, a random one.
    pub(crate) secret: Option<TotpSecret>,
    /// The step of the code that proved that the app is set up, where there was one.
    pub(crate) last_step: Option<u64>,
}

/// Enrolls an authenticator app of a user.
pub(crate) fn enroll_totp(
    tx: &mut Transaction<'_>,
    user: &User,
    new: NewTotp,
) -> Result<Arc<AuthenticationFactor>, ApiError> {
    let totp = TotpFactor::new(
        new.issuer
            .unwrap_or_else(|| default_issuer(tx.shown_name()).into_owned()),
        new.user.unwrap_or_else(|| user.email.clone()),
        new.secret.unwrap_or_else(|| TotpSecret::new(tx.bytes())),
        new.last_step,
    );
    enroll(tx, Some(&user.id), FactorKind::Totp(totp))
}

/// An environment's name as apps can show it.
pub(crate) fn default_issuer(name: &str) -> Cow<'_, str> {
    if name.contains(':') {
        name.replace(':', " ").into()
    } else {
        name.into()
    }
}

/// What a QR code says; refuses names that do not fit into it.
///
/// Source: <https://github.com/google/google-authenticator/wiki/Key-Uri-Format>.
pub(crate) fn uri(issuer: &str, user: &str, secret: &TotpSecret) -> Result<String, ApiError> {
    for (field, text) in [("totp_issuer", issuer), ("totp_user", user)] {
        if text.trim().is_empty() {
            return Err(ApiError::invalid_field(
                field,
                "required",
                format!("{field} is required."),
            ));
        }
        if text.contains(':') {
            let message =
                format!("{field} must not contain a colon: authenticator apps take it for a separator.");
            return Err(ApiError::invalid_field(field, "invalid", message));
        }
    }
    let uri = secret
        .uri(issuer, user)
        .map_err(|error| ApiError::invalid_field("totp_user", "invalid", error.to_string()))?;
    if uri.len() > qr_code::MAX_LENGTH {
        let message = "totp_issuer and totp_user are too long for a QR code.";
        return Err(ApiError::invalid_field("totp_issuer", "too_long", message));
    }
    Ok(uri)
}

/// The QR code of an `otpauth` URI.
pub(crate) fn picture(uri: &str) -> Result<String, ApiError> {
    qr_code::data_uri(uri).map_err(|error| ApiError::message(500, error.to_string()))
}

/// Deletes a factor and its challenges.
pub(super) fn delete(tx: &mut Transaction<'_>, id: &str) -> Result<(), ApiError> {
    find(tx, id)?;
    challenges::delete_of_factor(tx, id);
    tx.delete::<AuthenticationFactor>(id);
    Ok(())
}

/// Deletes the factors of a user that goes.
pub(crate) fn delete_of_user(tx: &mut Transaction<'_>, user_id: &str) -> Result<(), ApiError> {
    let factors = tx.authentication_factors.group(BY_USER, user_id);
    let ids: Vec<String> = factors.map(|factor| factor.id.clone()).collect();
    ids.iter().try_for_each(|id| delete(tx, id))
}

/// `POST /auth/factors/enroll`
///
/// Assumption: production does not document the answer to a `user_id` that is not there; the operation's only refusal is 422.
pub(crate) fn enroll_factor(call: &Call) -> Result<Reply, ApiError> {
    #[derive(Deserialize)]
    #[serde(rename_all = "snake_case")]
    enum Type {
        GenericOtp,
        Sms,
        Totp,
    }
    #[derive(Deserialize)]
    struct EnrollFactor {
        r#type: Type,
        phone_number: Option<String>,
        totp_issuer: Option<String>,
        totp_user: Option<String>,
        user_id: Option<String>,
    }
    let wanted: EnrollFactor = call.body()?;
    let factor = call.environment.transact(|tx| {
        if let Some(id) = &wanted.user_id
            && tx.users.get(id).is_none()
        {
            let message = format!("User not found: '{id}'.");
            return Err(ApiError::invalid_field("user_id", "user_not_found", message));
        }
        let kind = match wanted.r#type {
            Type::GenericOtp => FactorKind::GenericOtp,
            Type::Sms => FactorKind::Sms {
                phone_number: checked_number(wanted.phone_number)?,
            },
            Type::Totp => {
                let (issuer, user) = named(wanted.totp_issuer, wanted.totp_user)?;
                FactorKind::Totp(TotpFactor::new(issuer, user, TotpSecret::new(tx.bytes()), None))
            }
        };
        enroll(tx, wanted.user_id.as_deref(), kind)
    })?;
    Reply::created(&factor.enrolled_body()?)
}

/// Source of the refusal: tests of WorkOS's official Node SDK, <https://github.com/workos/workos-node>.
fn checked_number(number: Option<String>) -> Result<String, ApiError> {
    let number = number.ok_or_else(|| {
        let message = "phone_number is required when type is 'sms'.";
        ApiError::invalid_field("phone_number", "required", message)
    })?;
    if phone_number::is_e164(&number) {
        return Ok(number);
    }
    let message = format!("Phone number is invalid: '{number}'.");
    Err(ApiError::new(422, "invalid_phone_number", message))
}

fn named(issuer: Option<String>, user: Option<String>) -> Result<(String, String), ApiError> {
    match (issuer, user) {
        (Some(issuer), Some(user)) => Ok((issuer, user)),
        (issuer, user) => {
            let fields = [("totp_issuer", issuer), ("totp_user", user)];
            let missing = fields.into_iter().filter(|(_, given)| given.is_none());
            Err(ApiError::invalid(missing.map(|(field, _)| {
                let message = format!("{field} is required when type is 'totp'.");
                FieldError::new(field, "required").message(message)
            })))
        }
    }
}

/// `GET /auth/factors/{id}`
pub(crate) fn get_factor(call: &Call) -> Result<Reply, ApiError> {
    Reply::ok(&find(&call.environment.state(), call.param("id"))?.body())
}

/// `DELETE /auth/factors/{id}`
pub(crate) fn delete_factor(call: &Call) -> Result<Reply, ApiError> {
    call.environment.transact(|tx| delete(tx, call.param("id")))?;
    Reply::empty(204)
}
