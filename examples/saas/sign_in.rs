//! What happens when a sign-in comes back, beside what `workos-actix` does.

use actix_web::HttpResponse;
use workos_actix::{AfterSignIn, SignInError, SignedIn};

use crate::{
    database::{
        Database, Failure,
        members::{self, Deprovisioned},
    },
    page,
};

/// Whoever signs in is in the database. Whom their organization has deprovisioned does not get in.
pub(crate) async fn remember(database: Database, signed_in: SignedIn) -> Result<AfterSignIn, Failure> {
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
}

/// The app's own words for its own refusal; the rest is said well enough.
pub(crate) async fn explain(error: SignInError) -> Option<HttpResponse> {
    let refusal = error.hook_error()?.downcast_ref::<Deprovisioned>()?;
    Some(page::refusal(&refusal.to_string()))
}
