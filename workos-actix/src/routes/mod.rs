//! The routes of the sign-in.

pub(crate) mod callback;
mod fields;
mod sign_in;
mod sign_out;
mod switch_organization;
mod token;

use actix_web::{
    HttpRequest, HttpResponse, HttpResponseBuilder,
    http::{StatusCode, header::LOCATION},
    web::{self, ServiceConfig},
};

use crate::{AuthKit, config::Paths, context::RequestAuth, navigation, page, return_path::ReturnPath};

/// All routes, at a glance.
pub(crate) fn configure(app: &mut ServiceConfig, paths: &Paths) {
    app.route(&paths.sign_in, web::get().to(sign_in::sign_in))
        .route(&paths.sign_up, web::get().to(sign_in::sign_up))
        .route(&paths.callback, web::get().to(callback::callback))
        .service(
            web::resource(paths.sign_out.as_str())
                .route(web::get().to(sign_out::get))
                .route(web::post().to(sign_out::post)),
        )
        .service(
            web::resource(paths.switch_organization.as_str())
                .route(web::post().to(switch_organization::post)),
        );
    if let Some(path) = &paths.token {
        let token = web::resource(path.as_str())
            .route(web::get().to(token::get))
            .route(web::post().to(token::post));
        app.service(token);
    }
}

pub(crate) fn redirect(status: StatusCode, location: &str) -> HttpResponse {
    HttpResponse::build(status)
        .insert_header((LOCATION, location))
        .finish()
}

/// What the person asked to see, if it is a page of this site and not one of the routes here (which would loop).
pub(crate) fn return_path(authkit: &AuthKit, return_to: Option<&str>) -> Option<ReturnPath> {
    return_to
        .and_then(ReturnPath::parse)
        .filter(|path| !authkit.config().paths.is_auth_route(path.path()))
}

/// The answer to another site's form or script, which may not change anything here.
fn refuse_other_site(auth: &RequestAuth, request: &HttpRequest, message: &str) -> Option<HttpResponse> {
    let is_own = auth.authkit.config().origins.may_send(request.headers());
    (!is_own).then(|| {
        refuse(
            request,
            StatusCode::FORBIDDEN,
            "cross_origin_request",
            message,
            ("/", "Back"),
        )
    })
}

/// An answer for a person or a program, whoever asked.
pub(crate) fn refuse(
    request: &HttpRequest,
    status: StatusCode,
    code: &str,
    message: &str,
    link: (&str, &str),
) -> HttpResponse {
    let mut response: HttpResponseBuilder = HttpResponse::build(status);
    if status == StatusCode::SERVICE_UNAVAILABLE {
        response.insert_header((actix_web::http::header::RETRY_AFTER, "5"));
    }
    response.insert_header((actix_web::http::header::CACHE_CONTROL, "no-store"));
    if navigation::is_navigation(request.head()) {
        page::error_page(&mut response, "Sign-in", message, link)
    } else {
        page::problem(&mut response, code, message)
    }
}
