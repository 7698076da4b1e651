//! Forms of other sites change nothing here, although the browser sends the session along.

use actix_web::{
    Error, HttpResponse,
    body::{EitherBody, MessageBody},
    dev::{ServiceRequest, ServiceResponse},
    http::header::{HOST, HeaderMap, ORIGIN},
    middleware::Next,
};

/// The routes of `workos-actix` check this themselves; the forms of the product need it as well.
pub(crate) async fn guard<B: MessageBody + 'static>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<EitherBody<B>>, Error> {
    if request.method().is_safe() || is_own(request.headers()) {
        return next.call(request).await.map(ServiceResponse::map_into_left_body);
    }
    let refusal = HttpResponse::Forbidden().body("This form is on another site.");
    Ok(request.into_response(refusal).map_into_right_body())
}

/// By fetch metadata, which browsers send to `https` and to `localhost`, else by the origin. What sends neither is no
/// browser that could be tricked.
fn is_own(headers: &HeaderMap) -> bool {
    let text = |name: &str| headers.get(name).map(|value| value.to_str().unwrap_or_default());
    if let Some(site) = text("sec-fetch-site") {
        return matches!(site, "same-origin" | "none");
    }
    let Some(origin) = text(ORIGIN.as_str()) else {
        return true;
    };
    let host = origin.split_once("://").map(|(_, host)| host);
    host.is_some() && host == text(HOST.as_str())
}
