//! Guards for scopes and resources.

use std::{
    future::{Future, Ready, ready},
    pin::Pin,
};

use actix_web::{
    Error, ResponseError,
    body::{EitherBody, MessageBody},
    dev::{Service, ServiceRequest, ServiceResponse, Transform, forward_ready},
};

use crate::{context::RequestAuth, error::AuthError};

/// Lets only signed-in users into a scope or resource: a navigating browser is redirected to sign-in, everyone else
/// gets 401. API keys and machines are no users: 403.
///
/// ```
/// use actix_web::{App, web};
/// use workos_actix::ensure_signed_in;
///
/// # async fn index() -> &'static str { "" }
/// let app = App::new()
///     // .wrap(authkit.middleware()) goes around it
///     .service(web::scope("/app").wrap(ensure_signed_in()).route("/", web::get().to(index)));
/// ```
#[must_use]
pub fn ensure_signed_in() -> EnsureSignedIn {
    EnsureSignedIn(())
}

/// Made by [`ensure_signed_in`].
#[derive(Debug, Clone, Copy)]
pub struct EnsureSignedIn(());

impl<S, B> Transform<S, ServiceRequest> for EnsureSignedIn
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error> + 'static,
    B: MessageBody + 'static,
{
    type Response = ServiceResponse<EitherBody<B>>;
    type Error = Error;
    type InitError = ();
    type Transform = EnsureSignedInService<S>;
    type Future = Ready<Result<Self::Transform, Self::InitError>>;

    fn new_transform(&self, service: S) -> Self::Future {
        ready(Ok(EnsureSignedInService { service }))
    }
}

#[doc(hidden)]
#[derive(Debug)]
pub struct EnsureSignedInService<S> {
    service: S,
}

impl<S, B> Service<ServiceRequest> for EnsureSignedInService<S>
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error> + 'static,
    B: MessageBody + 'static,
{
    type Response = ServiceResponse<EitherBody<B>>;
    type Error = Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Error>>>>;

    forward_ready!(service);

    fn call(&self, request: ServiceRequest) -> Self::Future {
        match check(&request) {
            Ok(()) => {
                let response = self.service.call(request);
                Box::pin(async move { Ok(response.await?.map_into_left_body()) })
            }
            Err(error) => {
                let response = request
                    .into_response(error.error_response())
                    .map_into_right_body();
                Box::pin(ready(Ok(response)))
            }
        }
    }
}

fn check(request: &ServiceRequest) -> Result<(), AuthError> {
    RequestAuth::of_service_request(request)?
        .require_person(request.head())
        .map(drop)
}
