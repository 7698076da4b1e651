//! What a refusal looks like: the app's own answer, a page for a person, problem details for a program.

use actix_web::{HttpResponse, ResponseError, dev::ServiceResponse, http::header::RETRY_AFTER};

use crate::{AuthError, context::RequestAuth, navigation, page};

/// What is answered instead of the problem details that an [`AuthError`] makes by itself, which does not know who asked.
pub(crate) fn instead<B>(auth: &RequestAuth, response: &ServiceResponse<B>) -> Option<HttpResponse> {
    let error = response.response().error()?.as_error::<AuthError>()?;
    let request = response.request();
    if let Some(own) = auth.authkit.hooks().refused(error, request) {
        return Some(own);
    }
    // An app without sessions has no pages.
    let needs_page = auth.authkit.config().sources.sessions
        && error.redirect().is_none()
        && navigation::is_navigation(request.head());
    needs_page.then(|| error_page(error))
}

fn error_page(error: &AuthError) -> HttpResponse {
    let mut page = HttpResponse::build(error.status_code());
    let title = match error {
        AuthError::MissingMiddleware | AuthError::SessionNotKept => "Something is wrong here",
        AuthError::Unavailable { .. } => "Just a moment",
        AuthError::SignInRequired { .. } | AuthError::ReauthenticationRequired { .. } => "Sign in",
        _ => "Not allowed",
    };
    if let AuthError::Unavailable { retry_after } = error {
        page.insert_header((RETRY_AFTER, retry_after.as_secs().max(1)));
    }
    page::error_page(&mut page, title, &error.to_string(), ("/", "Back to the start"))
}
