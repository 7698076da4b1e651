//! A requirement as one of Actix's route guards: it chooses a route, and refuses nobody.

use std::rc::Rc;

use actix_web::guard::{Guard, GuardContext};

use super::Require;
use crate::context::RequestAuth;

impl Guard for Require {
    fn check(&self, context: &GuardContext<'_>) -> bool {
        let auth = context.req_data().get::<Rc<RequestAuth>>().cloned();
        match auth {
            Some(auth) => self.check_auth(&auth, context.head()).is_ok(),
            None => {
                tracing::error!("{}", crate::AuthError::MissingMiddleware);
                false
            }
        }
    }
}
