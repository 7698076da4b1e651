//! `POST /oauth2/register`: applications register themselves (RFC 7591), as MCP clients do. Source:
//! <https://workos.com/docs/authkit/mcp>.
//!
//! It is off unless the setting `connect.dynamic_client_registration` is on; the path is then unknown, as in production.
//! Such applications are third parties, whom no organization owns, and have the scopes of OpenID Connect alone.

use serde_json::{Value, json};

use super::{
    applications::{self, Kind, NewApplication, OAuth, Party},
    client_secrets,
    redirect_uris::{self, RedirectUriInput},
    scopes,
};
use crate::server::{call::Call, error::ApiError, reply::Reply};

/// What an application says of itself, checked.
struct Metadata {
    name: String,
    redirect_uris: Vec<RedirectUriInput>,
    method: String,
    grant_types: Vec<String>,
    scopes: Vec<String>,
}

/// How a client can prove itself, in the order in which production lists it.
pub(super) const METHODS: [&str; 3] = ["none", "client_secret_post", "client_secret_basic"];
const GRANT_TYPES: [&str; 3] = [
    "authorization_code",
    "refresh_token",
    "urn:ietf:params:oauth:grant-type:device_code",
];

impl Metadata {
    fn read(body: &Value) -> Result<Self, ApiError> {
        if !body.is_object() {
            return Err(invalid("Send the client's metadata as a JSON object."));
        }
        let redirect_uris = texts(body, "redirect_uris")?.unwrap_or_default();
        if redirect_uris.is_empty() {
            return Err(invalid_redirect_uri("redirect_uris must name at least one."));
        }
        let method = text(body, "token_endpoint_auth_method")?.unwrap_or("client_secret_basic");
        if !METHODS.contains(&method) {
            return Err(invalid(format!(
                "token_endpoint_auth_method must be one of {}.",
                METHODS.join(", ")
            )));
        }
        let grant_types =
            texts(body, "grant_types")?.unwrap_or_else(|| vec!["authorization_code".to_owned()]);
        if !grant_types.iter().any(|grant| grant == "authorization_code")
            || !grant_types
                .iter()
                .all(|grant| GRANT_TYPES.contains(&grant.as_str()))
        {
            return Err(invalid(format!(
                "grant_types has authorization_code, and otherwise some of {}.",
                GRANT_TYPES.join(", ")
            )));
        }
        let response_types = texts(body, "response_types")?;
        if response_types.is_some_and(|types| types != ["code"]) {
            return Err(invalid("response_types must be [\"code\"]."));
        }
        let scopes = match text(body, "scope")? {
            None => scopes::BUILT_IN.map(str::to_owned).to_vec(),
            Some(text) => scopes::parse(text),
        };
        if let Some(scope) = scopes
            .iter()
            .find(|scope| !scopes::BUILT_IN.contains(&scope.as_str()))
        {
            return Err(invalid(format!("There is no scope '{scope}' for such clients.")));
        }
        Ok(Self {
            name: text(body, "client_name")?
                .map(str::trim)
                .filter(|name| !name.is_empty())
                .unwrap_or("Unnamed application")
                .to_owned(),
            redirect_uris: redirect_uris.into_iter().map(RedirectUriInput::new).collect(),
            method: method.to_owned(),
            grant_types,
            scopes,
        })
    }
}

fn text<'a>(body: &'a Value, name: &str) -> Result<Option<&'a str>, ApiError> {
    match body.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(invalid(format!("{name} must be text."))),
    }
}

fn texts(body: &Value, name: &str) -> Result<Option<Vec<String>>, ApiError> {
    let value = body.get(name).filter(|value| !value.is_null());
    let texts = value.map(|value| serde_json::from_value(value.clone()));
    texts
        .transpose()
        .map_err(|_| invalid(format!("{name} must be a list of texts.")))
}

fn invalid(description: impl Into<String>) -> ApiError {
    ApiError::oauth("invalid_client_metadata", description)
}

fn invalid_redirect_uri(description: impl Into<String>) -> ApiError {
    ApiError::oauth("invalid_redirect_uri", description)
}

/// `POST /oauth2/register`
pub(crate) fn register(call: &Call) -> Result<Reply, ApiError> {
    if !call
        .environment
        .state()
        .settings()
        .connect
        .dynamic_client_registration
    {
        let message = "Dynamic client registration is off. Turn it on with the setting \
                       connect.dynamic_client_registration.";
        return Err(ApiError::new(404, "not_found", message));
    }
    let metadata = Metadata::read(call.raw_body())?;
    let redirect_uris = redirect_uris::checked(metadata.redirect_uris)
        .map_err(|refusal| invalid_redirect_uri(refusal.explanation()))?;
    let is_public = metadata.method == "none";
    let kind = Kind::OAuth(OAuth {
        redirect_uris: redirect_uris.clone(),
        uses_pkce: is_public,
        party: Party::Dynamic,
    });
    let new = NewApplication {
        scopes: metadata.scopes.clone(),
        ..NewApplication::named(&metadata.name, kind)
    };
    let (application, secret) = call
        .environment
        .transact(|tx| {
            let application = applications::create(tx, new)?;
            let secret = match is_public {
                true => None,
                false => Some(client_secrets::create(tx, &application.id)?.1),
            };
            Ok::<_, ApiError>((application, secret))
        })
        .map_err(|refusal| invalid(refusal.explanation()))?;
    call.registry
        .add_client(&call.environment, &application.client_id);
    let uris: Vec<_> = redirect_uris.iter().map(|redirect| &redirect.uri).collect();
    let mut body = json!({
        "client_id": application.client_id,
        "client_id_issued_at": application.created_at.as_second(),
        "client_name": application.name,
        "redirect_uris": uris,
        "token_endpoint_auth_method": metadata.method,
        "grant_types": metadata.grant_types,
        "response_types": ["code"],
        "scope": metadata.scopes.join(" "),
    });
    if let Some(secret) = secret {
        body["client_secret"] = secret.expose().into();
        body["client_secret_expires_at"] = 0.into(); // never
    }
    Ok(Reply::created(&body)?.header("Cache-Control", "no-store"))
}
