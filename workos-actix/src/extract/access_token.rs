//! `AccessToken` as a handler argument.

use std::future::Ready;

use actix_web::{FromRequest, HttpRequest, dev::Payload};

use super::part_of;
use crate::{AccessToken, AuthError, Requirement};

impl FromRequest for AccessToken {
    type Error = AuthError;
    type Future = Ready<Result<Self, AuthError>>;

    fn from_request(request: &HttpRequest, _payload: &mut Payload) -> Self::Future {
        part_of(request, Requirement::AccessToken, |context| {
            context.token().cloned()
        })
    }
}
