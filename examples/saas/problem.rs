//! What can go wrong in a handler, and the page that says so.

use std::fmt;

use actix_web::{HttpResponse, ResponseError, http::StatusCode};
use workos_actix::{AuthError, workos};

use crate::{
    database::{Failure, members::Deprovisioned},
    page::{self, escape},
};

pub(crate) const FOR_THEMSELVES: &str = "Password, two-step verification and sessions are for the person alone, not for whoever impersonates them.";

#[derive(Debug)]
pub(crate) enum Problem {
    /// WorkOS refused, or cannot be reached.
    WorkOs(workos::Error),
    /// About the session. `workos-actix` knows the answer.
    Auth(AuthError),
    /// Our own database has failed.
    Database(Failure),
    /// The directory of the organization has taken the person's access away.
    Deprovisioned,
    /// The person is signed in, and may not do this.
    Forbidden,
    /// Somebody acts as the person, and this is for the person alone.
    Impersonated,
    /// There is nothing here that is theirs.
    NotFound,
}

impl From<workos::Error> for Problem {
    fn from(error: workos::Error) -> Self {
        Self::WorkOs(error)
    }
}

impl From<AuthError> for Problem {
    fn from(error: AuthError) -> Self {
        Self::Auth(error)
    }
}

impl From<Failure> for Problem {
    fn from(failure: Failure) -> Self {
        if failure.is::<Deprovisioned>() {
            Self::Deprovisioned
        } else {
            Self::Database(failure)
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::WorkOs(error) => f.write_str(&explain(error)),
            Self::Auth(error) => error.fmt(f),
            Self::Database(_) => f.write_str("Something is wrong on our side. Try again in a moment."),
            Self::Deprovisioned => Deprovisioned.fmt(f),
            Self::Forbidden => f.write_str("Only an admin of the organization may do this."),
            Self::Impersonated => f.write_str(FOR_THEMSELVES),
            Self::NotFound => f.write_str("It does not exist any more, or it is not yours."),
        }
    }
}

impl ResponseError for Problem {
    fn status_code(&self) -> StatusCode {
        match self {
            Self::WorkOs(error) if is_refusal(error) => StatusCode::BAD_REQUEST,
            Self::WorkOs(_) => StatusCode::BAD_GATEWAY,
            Self::Auth(error) => error.status_code(),
            Self::Database(_) => StatusCode::INTERNAL_SERVER_ERROR,
            Self::Deprovisioned | Self::Forbidden | Self::Impersonated => StatusCode::FORBIDDEN,
            Self::NotFound => StatusCode::NOT_FOUND,
        }
    }

    fn error_response(&self) -> HttpResponse {
        if let Self::Auth(error) = self {
            return error.error_response();
        }
        match self {
            Self::Deprovisioned => return page::refusal(&self.to_string()),
            Self::Database(failure) => eprintln!("the database has failed: {failure}"),
            _ => {}
        }
        let body = format!(
            r#"<h1>That did not work</h1>
<p class="lead">{}</p>
<p class="actions"><a class="button" href="/dashboard">Back to the dashboard</a></p>"#,
            escape(&self.to_string())
        );
        let response = HttpResponse::build(self.status_code());
        page::card(response, "That did not work – Paperboat", &body, None)
    }
}

/// What a person can make of an answer of the API.
pub(crate) fn explain(error: &workos::Error) -> String {
    match error.api() {
        Some(api) if api.status == 501 => "The emulator does not have this yet.".to_owned(),
        Some(api) if is_refusal(error) => api.message.clone(),
        _ => "WorkOS cannot be reached at the moment. Try again.".to_owned(),
    }
}

/// Whether WorkOS has understood, and said no.
fn is_refusal(error: &workos::Error) -> bool {
    error
        .api()
        .is_some_and(|api| (400..500).contains(&api.status) && ![401, 408, 429].contains(&api.status))
}
