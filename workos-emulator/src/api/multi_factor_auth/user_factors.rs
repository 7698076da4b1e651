//! The factors of users of AuthKit. Source: <https://workos.com/docs/reference/authkit/mfa>.

use serde::{Deserialize, Serialize};

use super::{
    challenges::{self, ChallengeBody},
    factors::{self, BY_USER, FactorBody, NewTotp},
};
use crate::{
    api::user_management::users,
    core::totp::TotpSecret,
    server::{call::Call, error::ApiError, reply::Reply},
    store::{List, Select},
};

/// `GET /user_management/users/{userlandUserId}/auth_factors`
pub(crate) fn list_user_auth_factors(call: &Call) -> Result<Reply, ApiError> {
    let state = call.environment.state();
    let user = users::find(&state, call.param("userlandUserId"))?;
    let page = Select::group(BY_USER, &user.id).page(&state.authentication_factors, &call.page()?)?;
    Reply::ok(&List {
        data: page.data.iter().map(|factor| factor.body()).collect(),
        before: page.before,
        after: page.after,
    })
}

/// `POST /user_management/users/{userlandUserId}/auth_factors`: with a challenge, whose answer ends the sign-in that may wait
/// for the factor.
pub(crate) fn create_user_auth_factor(call: &Call) -> Result<Reply, ApiError> {
    #[derive(Deserialize)]
    #[serde(rename_all = "snake_case")]
    enum Type {
        Totp,
    }
    #[derive(Deserialize)]
    struct EnrollUserAuthFactor {
        /// There is one kind only.
        #[serde(rename = "type")]
        _type: Type,
        totp_issuer: Option<String>,
        totp_user: Option<String>,
        totp_secret: Option<String>,
    }
    #[derive(Serialize)]
    struct Body<'a> {
        authentication_factor: FactorBody<'a>,
        authentication_challenge: ChallengeBody<'a>,
    }
    let wanted: EnrollUserAuthFactor = call.body()?;
    let secret = wanted.totp_secret.as_deref().map(TotpSecret::parse).transpose();
    let secret = secret.map_err(|error| {
        ApiError::invalid_field("totp_secret", "invalid", format!("totp_secret {error}."))
    })?;
    let (factor, challenge) = call.environment.transact(|tx| {
        let user = users::find(tx, call.param("userlandUserId"))?.clone();
        let new = NewTotp {
            issuer: wanted.totp_issuer,
            user: wanted.totp_user,
            secret,
            last_step: None,
        };
        let factor = factors::enroll_totp(tx, &user, new)?;
        let challenge = challenges::create(tx, &factor, None)?;
        Ok::<_, ApiError>((factor, challenge))
    })?;
    Reply::created(&Body {
        authentication_factor: factor.enrolled_body()?,
        authentication_challenge: challenge.body(&factor),
    })
}
