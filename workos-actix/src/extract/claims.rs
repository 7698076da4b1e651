//! `Claims` as a handler argument, with the custom claims in a type of the app's.

use std::future::Ready;

use actix_web::{FromRequest, HttpRequest, dev::Payload};
use serde::de::DeserializeOwned;

use super::from_request;
use crate::{AuthError, Claims, Requirement};

impl<T: DeserializeOwned + 'static> FromRequest for Claims<T> {
    type Error = AuthError;
    type Future = Ready<Result<Self, AuthError>>;

    fn from_request(request: &HttpRequest, _payload: &mut Payload) -> Self::Future {
        from_request(request, |_, context| {
            let forbidden = |requirement| AuthError::Forbidden { requirement };
            let claims = context.claims().ok_or(forbidden(Requirement::AccessToken))?;
            claims.typed().map_err(|error| {
                tracing::warn!(
                    %error,
                    wanted = std::any::type_name::<T>(),
                    "the access token's custom claims do not fit; compare the JWT template in the WorkOS dashboard"
                );
                forbidden(Requirement::CustomClaims)
            })
        })
    }
}
