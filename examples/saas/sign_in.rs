//! What happens when a sign-in comes back, beside what `workos-actix` does.

use std::{future::Future, pin::Pin};

use actix_web::HttpResponse;
use workos_actix::{AfterSignIn, SignInError, SignedIn};

use crate::{
    database::{
        Database, Failure,
        members::{self, Deprovisioned},
    },
    page,
};

type Remembered = Pin<Box<dyn Future<Output = Result<AfterSignIn, Failure>>>>;

/// Whoever signs in is in the database. Whom their organization has deprovisioned does not get in.
pub(crate) fn remember(database: Database) -> impl Fn(SignedIn) -> Remembered + Send + Sync {
    move |signed_in| {
        let database = database.clone();
        Box::pin(async move {
            if let Some(impersonator) = signed_in.user.impersonator() {
                eprintln!(
                    "{} is impersonated by {}",
                    signed_in.user.email(),
                    impersonator.email
                );
            }
            database
                .transact(move |db| members::sign_in(db, &signed_in))
                .await?;
            Ok(AfterSignIn::Return)
        })
    }
}

/// The app's own words for its own refusal; the rest is said well enough.
pub(crate) async fn explain(error: SignInError) -> Option<HttpResponse> {
    let refusal = error.hook_error()?.downcast_ref::<Deprovisioned>()?;
    Some(page::refusal(&refusal.to_string()))
}
