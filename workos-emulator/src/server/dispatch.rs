//! A request's way: route → environment → fault → body → operation → response.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Instant,
};

use actix_web::{
    HttpRequest, HttpResponse, HttpResponseBuilder,
    http::{
        Method, StatusCode,
        header::{self, HeaderMap},
    },
    web,
};
use base64::{Engine, engine::general_purpose::STANDARD};
use rand::{RngExt, rngs::StdRng};
use serde_json::Value;

use super::{
    api_key, body,
    call::{Call, Query},
    client_id, cors,
    error::ApiError,
    multipart,
    operation::{Access, Handler, Operation},
    origin,
    registry::Registry,
    reply::Reply,
    request_log::{Answered, Entry},
    routes::Routes,
};
use crate::{api::sso::connections, environment::Environment, hosted, scim};

/// What every worker shares.
#[derive(Debug)]
pub(crate) struct Server {
    pub(crate) registry: Arc<Registry>,
    pub(crate) routes: Routes,
    /// Of their own, so that a request does not wait for an environment's writer.
    pub(crate) request_ids: Mutex<StdRng>,
}

/// Serves one request. Whatever happens, the answer is a response with `X-Request-ID`.
pub(crate) async fn dispatch(
    request: HttpRequest,
    payload: web::Payload,
    server: web::Data<Server>,
) -> HttpResponse {
    #[expect(clippy::disallowed_methods, reason = "how long an answer really took")]
    let started = Instant::now();
    let request_id = request_id(&request, &server);
    let mut seen = Seen::default();
    let reply = match serve(&request, payload, &server, &request_id, &mut seen).await {
        Ok(reply) => reply,
        Err(error) => {
            tracing::debug!(%error, method = %request.method(), path = request.path(), "refused");
            if request.path().starts_with(scim::PREFIX) {
                scim::refusal(error)
            } else {
                error.into()
            }
        }
    };
    let reply = Answered::from(reply);
    if seen.is_logged {
        let environment = seen
            .environment
            .as_ref()
            .unwrap_or_else(|| server.registry.default_environment());
        environment.requests.record(Entry {
            request_id: request_id.clone(),
            method: request.method().to_string(),
            path: request.path().to_owned(),
            query: request.query_string().to_owned(),
            operation: seen.operation,
            content_type: text(&request, "content-type").map(str::to_owned),
            request_body: seen.body,
            status: reply.status,
            location: reply.header("Location").map(str::to_owned),
            response_body: if reply.is_json() {
                reply.body.clone()
            } else {
                web::Bytes::new()
            },
            duration: started.elapsed(),
            created_at: environment.clock.now(),
        });
    }
    respond(reply, request_id)
}

/// What became known of a request on its way.
#[derive(Default)]
struct Seen {
    /// Whether it belongs into the log: what a test asks of the emulator itself does not.
    is_logged: bool,
    operation: Option<&'static str>,
    environment: Option<Arc<Environment>>,
    body: web::Bytes,
}

async fn serve(
    request: &HttpRequest,
    payload: web::Payload,
    server: &web::Data<Server>,
    request_id: &str,
    seen: &mut Seen,
) -> Result<Reply, ApiError> {
    if let Some(wanted) = cors::preflighted(request.method(), request.headers())
        && let Ok((operation, _)) = server.routes.find(&wanted, request.path())
        && operation.cross_origin
    {
        return cors::preflight(&operation, request.headers(), &server.registry);
    }
    seen.is_logged = !request.path().starts_with("/_emulate");
    let (operation, params) = server.routes.find(request.method(), request.path())?;
    seen.is_logged = !matches!(operation.access, Access::Control | Access::Page);
    seen.operation = Some(operation.name);
    if operation.single_use && request.method() == Method::HEAD {
        return Ok(Reply::html(200, String::new()).header("Cache-Control", "no-store"));
    }
    let query = Query::parse(request.query_string());
    let content_type = request
        .headers()
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok());
    // The key is checked before the body is read: strangers cannot make the emulator read much.
    let by_key = match operation.access {
        Access::ApiKey => Some(authenticate(&server.registry, request)?),
        Access::Control => Some(controlled(&server.registry, request)?),
        Access::Page => shown(&server.registry, request, &query)?,
        Access::Directory => {
            let (_, key) = params.first().ok_or_else(ApiError::unauthorized)?;
            Some(scim::environment(&server.registry, key, request.headers())?)
        }
        Access::Client => None,
    };
    seen.environment.clone_from(&by_key);
    let body = match operation.access {
        // A seed may be YAML, which is not for this place to read.
        Access::Control => body::parse_or_text(content_type, &read(payload, body::CONTROL_LIMIT).await?),
        Access::Directory => {
            seen.body = read(payload, scim::BODY_LIMIT).await?;
            scim::parse_body(content_type, &seen.body)
        }
        Access::Client if operation.uploads && multipart::is_sent_as(content_type) => {
            multipart::parse(content_type, &read(payload, body::LIMIT).await?).await
        }
        Access::ApiKey | Access::Client | Access::Page => {
            seen.body = read(payload, body::LIMIT).await?;
            body::parse(content_type, &seen.body)
        }
    }?;
    // Who opened a page is told on a page.
    let is_of_none = operation.access == Access::Page && by_key.is_none();
    let environment =
        by_key.unwrap_or_else(|| of_client(&server.registry, &params, &query, &body, request.headers()));
    seen.environment = Some(Arc::clone(&environment));
    let cors = if operation.cross_origin {
        cors::headers(&environment, request.headers())
    } else {
        Vec::new()
    };
    let call = Call {
        registry: Arc::clone(&server.registry),
        environment,
        query,
        headers: request.headers().clone(),
        peer: request.peer_addr().map(|address| address.ip()),
        params,
        body,
        request_id: request_id.to_owned(),
    };
    if is_of_none {
        return hosted::error::unknown_environment(&call);
    }
    match perform(&operation, call, request).await {
        Ok(mut reply) => {
            reply.headers.extend(cors);
            Ok(reply)
        }
        Err(mut refusal) => {
            refusal.headers.extend(cors);
            Err(refusal)
        }
    }
}

/// The fault that a test ordered, else what the operation says.
async fn perform(operation: &Operation, call: Call, request: &HttpRequest) -> Result<Reply, ApiError> {
    if !matches!(operation.access, Access::Control | Access::Page)
        && let Some(fault) =
            crate::control::hooks::fault(&call.environment, request.method(), request.path())?
    {
        return Ok(fault);
    }
    match operation.handler {
        Handler::Quick(handler) => handler(&call),
        // Password hashing would hold up the other requests of this worker.
        Handler::Slow(handler) => web::block(move || handler(&call))
            .await
            .map_err(|error| ApiError::message(503, error.to_string()))?,
        Handler::Waiting(handler) => handler(call).await,
        Handler::NotBuilt => Err(ApiError::not_implemented(
            operation.name,
            operation.method,
            operation.path,
        )),
    }
}

/// The environment whose API key the request carries.
fn authenticate(registry: &Registry, request: &HttpRequest) -> Result<Arc<Environment>, ApiError> {
    let key = api_key::bearer(request.headers()).ok_or_else(ApiError::unauthorized)?;
    registry.by_api_key(key).ok_or_else(ApiError::unauthorized)
}

/// The environment that a control call is about: by API key, by `X-Emulate-Environment`, or the default one.
fn controlled(registry: &Registry, request: &HttpRequest) -> Result<Arc<Environment>, ApiError> {
    if let Some(key) = registry.control_key()
        && !text(request, "x-emulate-key").is_some_and(|given| key.matches(given))
    {
        return Err(ApiError::new(
            401,
            "unauthorized",
            "Send the emulator's --control-key as X-Emulate-Key.",
        ));
    }
    origin::check_control(request.method(), request.headers(), registry)?;
    if let Some(key) = api_key::bearer(request.headers()) {
        return registry.by_api_key(key).ok_or_else(ApiError::unauthorized);
    }
    named(registry, text(request, "x-emulate-environment"))
}

/// The environment that a page is about; None, if there is none of this name. A browser asks its user for the control key,
/// as a password.
fn shown(
    registry: &Registry,
    request: &HttpRequest,
    query: &Query,
) -> Result<Option<Arc<Environment>>, ApiError> {
    if let Some(key) = registry.control_key() {
        let given = text(request, "x-emulate-key").map(str::to_owned);
        let given = given.or_else(|| basic_password(text(request, "authorization")?));
        if !given.is_some_and(|given| key.matches(&given)) {
            let message = "Give the emulator's --control-key as the password, with any user name.";
            return Err(ApiError::new(401, "unauthorized", message).header(
                "WWW-Authenticate",
                r#"Basic realm="WorkOS emulator", charset="UTF-8""#,
            ));
        }
    }
    origin::check_control(request.method(), request.headers(), registry)?;
    Ok(named(registry, query.get("environment")).ok())
}

/// The password of RFC 7617.
fn basic_password(header: &str) -> Option<String> {
    let (scheme, credentials) = header.split_once(' ')?;
    let credentials = STANDARD.decode(credentials.trim()).ok()?;
    let credentials = String::from_utf8(credentials).ok()?;
    let (_, password) = credentials.split_once(':')?;
    scheme.eq_ignore_ascii_case("basic").then(|| password.to_owned())
}

fn named(registry: &Registry, wanted: Option<&str>) -> Result<Arc<Environment>, ApiError> {
    match wanted {
        Some(wanted) => registry
            .by_id_or_name(wanted)
            .ok_or_else(|| ApiError::not_found("Environment", wanted)),
        None => Ok(Arc::clone(registry.default_environment())),
    }
}

/// A header's value, where it is readable text.
fn text<'a>(request: &'a HttpRequest, name: &str) -> Option<&'a str> {
    request.headers().get(name)?.to_str().ok()
}

/// The environment whose client id is in the path, the query, the body or the credentials; the operation itself refuses an
/// unknown one.
fn of_client(
    registry: &Registry,
    params: &[(String, String)],
    query: &Query,
    body: &Value,
    headers: &HeaderMap,
) -> Arc<Environment> {
    let in_path = || {
        params
            .iter()
            .find(|(name, _)| name == "clientId" || name == "client_id")
            .map(|(_, id)| id.as_str())
    };
    let in_body = || body.get("client_id").and_then(Value::as_str);
    in_path()
        .or_else(|| query.get("client_id"))
        .or_else(in_body)
        .map(str::to_owned)
        .or_else(|| client_id::in_credentials(headers))
        .or_else(|| client_id::in_token(query.get("token")?))
        .and_then(|client_id| registry.by_client_id(&client_id))
        .or_else(|| of_connection(registry, params))
        .unwrap_or_else(|| Arc::clone(registry.default_environment()))
}

/// The environment of the connection that the path names: identity providers know nothing of environments.
fn of_connection(registry: &Registry, params: &[(String, String)]) -> Option<Arc<Environment>> {
    let (name, value) = params.first()?;
    match name.as_str() {
        "connection_id" => registry.by_state(|state| state.connections.get(value).is_some()),
        "external_key" => registry.by_state(|state| connections::by_external_key(state, value).is_some()),
        _ => None,
    }
}

async fn read(payload: web::Payload, limit: usize) -> Result<web::Bytes, ApiError> {
    match payload.to_bytes_limited(limit).await {
        Ok(Ok(bytes)) => Ok(bytes),
        Ok(Err(error)) => Err(ApiError::bad_request(
            "invalid_request_body",
            format!("The body could not be read: {error}."),
        )),
        Err(_) => Err(ApiError::new(
            413,
            "request_entity_too_large",
            format!("The body is larger than {limit} bytes."),
        )),
    }
}

/// The client's own id where it sent a plain one, else a new UUID: it is echoed in a header.
fn request_id(request: &HttpRequest, server: &Server) -> String {
    let sent = request
        .headers()
        .get("x-request-id")
        .and_then(|value| value.to_str().ok());
    match sent {
        Some(id) if !id.is_empty() && id.len() <= 128 && id.bytes().all(|byte| byte.is_ascii_graphic()) => {
            id.to_owned()
        }
        _ => {
            let mut randomness = server.request_ids.lock().unwrap_or_else(PoisonError::into_inner);
            uuid::Builder::from_random_bytes(randomness.random())
                .into_uuid()
                .to_string()
        }
    }
}

fn respond(reply: Answered, request_id: String) -> HttpResponse {
    let status = StatusCode::from_u16(reply.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = HttpResponseBuilder::new(status);
    for (name, value) in reply.headers {
        response.append_header((name, value));
    }
    response.insert_header(("X-Request-ID", request_id));
    response.body(reply.body)
}

impl Routes {
    fn find(&self, method: &Method, path: &str) -> Result<(Operation, Vec<(String, String)>), ApiError> {
        let unknown = || ApiError::new(404, "not_found", format!("The WorkOS API has no {path}."));
        let (operations, values) = self.operations(path).ok_or_else(unknown)?;
        let served = |method: &str| operations.iter().find(|operation| operation.method == method);
        let operation = match method.as_str() {
            // The server leaves the body out (RFC 9110 section 9.3.2).
            "HEAD" => served("GET"),
            method => served(method),
        };
        let operation = operation.ok_or_else(|| {
            let mut allowed: Vec<_> = operations.iter().map(|operation| operation.method).collect();
            if served("GET").is_some() {
                allowed.push("HEAD");
            }
            ApiError::method_not_allowed(method.as_str(), path, &allowed)
        })?;
        let names = operation
            .path
            .split('/')
            .filter_map(|segment| segment.strip_prefix('{')?.strip_suffix('}'));
        let params = names.map(str::to_owned).zip(values).collect();
        Ok((*operation, params))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(method: &Method, path: &str) -> Result<&'static str, ApiError> {
        Routes::new()
            .find(method, path)
            .map(|(operation, _)| operation.name)
    }

    #[test]
    fn head_is_get_without_a_body() {
        assert_eq!(found(&Method::HEAD, "/organizations"), Ok("list_organizations"));
        assert_eq!(found(&Method::HEAD, "/_emulate/reset").unwrap_err().status, 405);
    }

    #[test]
    fn says_which_methods_a_path_takes() {
        for (method, path, allow) in [
            (&Method::PATCH, "/organizations", "GET, POST, HEAD"),
            (&Method::OPTIONS, "/user_management/authenticate", "POST"),
            (&Method::TRACE, "/health", "GET, HEAD"),
        ] {
            let refused = Reply::from(found(method, path).unwrap_err());
            assert_eq!(refused.status, 405);
            assert!(
                refused.headers.contains(&("Allow", allow.to_owned())),
                "{path}: {:?}",
                refused.headers
            );
        }
        assert_eq!(found(&Method::GET, "/nowhere").unwrap_err().status, 404);
    }
}
