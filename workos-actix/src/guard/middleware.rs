//! A requirement around a scope or a resource.

use std::{
    future::{Future, Ready, ready},
    pin::Pin,
    rc::Rc,
};

use actix_web::{
    Error,
    body::{EitherBody, MessageBody},
    dev::{Service, ServiceRequest, ServiceResponse, Transform, forward_ready},
};

use super::Require;
use crate::{context::RequestAuth, error::AuthError};

impl<S, B> Transform<S, ServiceRequest> for Require
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error> + 'static,
    B: MessageBody + 'static,
{
    type Response = ServiceResponse<EitherBody<B>>;
    type Error = Error;
    type InitError = ();
    type Transform = RequireService<S>;
    type Future = Ready<Result<Self::Transform, Self::InitError>>;

    fn new_transform(&self, service: S) -> Self::Future {
        ready(Ok(RequireService {
            service,
            require: Rc::new(self.clone()),
        }))
    }
}

#[doc(hidden)]
#[derive(Debug)]
pub struct RequireService<S> {
    service: S,
    require: Rc<Require>,
}

impl<S, B> Service<ServiceRequest> for RequireService<S>
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error> + 'static,
    B: MessageBody + 'static,
{
    type Response = ServiceResponse<EitherBody<B>>;
    type Error = Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Error>>>>;

    forward_ready!(service);

    fn call(&self, request: ServiceRequest) -> Self::Future {
        match check(&self.require, &request) {
            Ok(()) => {
                let response = self.service.call(request);
                Box::pin(async move { Ok(response.await?.map_into_left_body()) })
            }
            Err(error) => {
                let response = request.error_response(error).map_into_right_body();
                Box::pin(ready(Ok(response)))
            }
        }
    }
}

fn check(require: &Require, request: &ServiceRequest) -> Result<(), AuthError> {
    let auth = RequestAuth::of_service_request(request)?;
    require.check_auth(&auth, request.head()).map(drop)
}
