//! `GET /auth/sign-in` and `GET /auth/sign-up`: off to AuthKit.

use std::time::Duration;

use actix_web::{HttpRequest, HttpResponse, ResponseError, web::Query};
use serde::Deserialize;
use workos::UserManagementAuthenticationProvider as Provider;

use crate::{AuthKit, authorize::SignIn, context::RequestAuth};

/// What a link to the route may ask for: what only fills in a form, chooses among the person's own ways in, or asks for
/// more proof.
///
/// The rest is not for strangers to choose. With `connection_id`, a link could lead to an identity provider that signs
/// the person in as somebody else without a question; scopes and parameters of the provider would ask for consent in the
/// app's name; the state and the redirect URI are what protects the sign-in.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct SignInQuery {
    return_to: Option<String>,
    organization_id: Option<String>,
    login_hint: Option<String>,
    domain_hint: Option<String>,
    provider: Option<String>,
    invitation_token: Option<String>,
    max_age: Option<String>,
    prompt: Option<String>,
}

pub(crate) async fn sign_in(request: HttpRequest, query: Option<Query<SignInQuery>>) -> HttpResponse {
    begin(&request, query, AuthKit::sign_in)
}

pub(crate) async fn sign_up(request: HttpRequest, query: Option<Query<SignInQuery>>) -> HttpResponse {
    begin(&request, query, AuthKit::sign_up)
}

fn begin(
    request: &HttpRequest,
    query: Option<Query<SignInQuery>>,
    screen: for<'a> fn(&'a AuthKit, &'a HttpRequest) -> SignIn<'a>,
) -> HttpResponse {
    let auth = match RequestAuth::of(request) {
        Ok(auth) => auth,
        Err(error) => return error.error_response(),
    };
    let query = query.map(Query::into_inner).unwrap_or_default();
    asked_for(screen(&auth.authkit, request), query).redirect()
}

fn asked_for(mut sign_in: SignIn<'_>, query: SignInQuery) -> SignIn<'_> {
    let given = |text: Option<String>| text.filter(|text| !text.is_empty());
    if let Some(path) = given(query.return_to) {
        sign_in = sign_in.return_to(path);
    }
    if let Some(email) = given(query.login_hint) {
        sign_in = sign_in.login_hint(email);
    }
    if let Some(domain) = given(query.domain_hint) {
        sign_in = sign_in.domain_hint(domain);
    }
    if let Some(token) = given(query.invitation_token) {
        sign_in = sign_in.invitation_token(token);
    }
    if query.prompt.as_deref() == Some("login") {
        sign_in = sign_in.prompt("login");
    }
    let organization_id = given(query.organization_id);
    let max_age = query.max_age.and_then(|seconds| seconds.parse::<u32>().ok());
    let provider = given(query.provider)
        .map(Provider::from)
        .filter(|provider| !matches!(provider, Provider::Authkit | Provider::Unknown(_)));
    match (organization_id, max_age, provider) {
        // Only AuthKit knows organizations and ages.
        (None, None, Some(provider)) => sign_in.provider(provider),
        (organization_id, max_age, _) => {
            if let Some(id) = organization_id {
                sign_in = sign_in.organization(id);
            }
            if let Some(seconds) = max_age {
                sign_in = sign_in.max_age(Duration::from_secs(seconds.into()));
            }
            sign_in
        }
    }
}
