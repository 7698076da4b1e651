//! An API without pages: people come with access tokens, customers' programs with API keys, machines with tokens of their own.
//!
//!     cargo run --example api
//!
//! Complete and offline: the emulator stands in for WorkOS and gives out a credential of each kind. It prints `curl` lines to
//! try them with; `--once` ends there. `tests/it/example_api.rs` starts it as well.
//!
//! A single-page app of another origin needs CORS too: wrap `actix_cors::Cors` around the AuthKit middleware (`.wrap` it
//! afterwards), and let it allow the header `Authorization`. Then refusals have its headers as well, and preflight requests,
//! which carry no credential, are answered by it.

use std::{error::Error, net::TcpListener};

use actix_web::{App, HttpResponse, HttpServer, dev::Server, web};
use serde_json::{Value, json};
use workos_actix::{
    ApiKey, AuthContext, AuthKit, AuthUser, MachineTokens, OrganizationId, Require, Required, Requires,
    require,
    workos::{
        CreateOrganizationApiKey, api_keys::CreateOrganizationApiKeyParams,
        user_management::AuthenticateWithPasswordParams,
    },
};
use workos_emulator::Emulator;

const EMAIL: &str = "ada@example.com";
const PASSWORD: &str = "nine patient windmills";

/// One credential of each kind.
pub(crate) struct Credentials {
    /// Ada's, who may read and write.
    pub(crate) access_token: String,
    /// Of Acme's, which may read.
    pub(crate) api_key: String,
    /// Of a robot that works for Acme.
    pub(crate) machine_token: String,
}

#[actix_web::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let (url, _emulator, credentials, server) = start(3000).await?;
    for (path, method, who, credential) in [
        ("/me", "GET", "Ada", &credentials.access_token),
        ("/documents", "GET", "Ada", &credentials.access_token),
        ("/documents", "POST", "Ada", &credentials.access_token),
        ("/documents", "GET", "the API key", &credentials.api_key),
        (
            "/documents",
            "POST",
            "the API key, which may not",
            &credentials.api_key,
        ),
        ("/import", "POST", "the API key", &credentials.api_key),
        ("/jobs", "GET", "the machine", &credentials.machine_token),
        (
            "/me",
            "GET",
            "the machine, which is nobody",
            &credentials.machine_token,
        ),
    ] {
        println!("# as {who}\ncurl -i -X {method} {url}{path} -H 'Authorization: Bearer {credential}'\n");
    }
    println!("# as nobody\ncurl -i {url}/me");
    if std::env::args().any(|argument| argument == "--once") {
        return Ok(());
    }
    Ok(server.await?)
}

/// The API, its WorkOS, and what opens it; port 0 takes a free one.
pub(crate) async fn start(port: u16) -> Result<(String, Emulator, Credentials, Server), Box<dyn Error>> {
    let emulator = Emulator::start().await?;
    // Against the real WorkOS: `.env()`, and `issued_by("https://your-app.authkit.app")`.
    let authkit = AuthKit::builder()
        .api_base_url(emulator.url())
        .api_key(emulator.api_key())
        .client_id(emulator.client_id())
        .without_sessions()
        .bearer_tokens()
        .api_keys()
        .machine_tokens(MachineTokens::issued_by(emulator.url()))
        .require_auth()
        .build()?;
    let credentials = credentials(&emulator, &authkit).await?;

    let listener = TcpListener::bind(("127.0.0.1", port))?;
    let url = format!("http://localhost:{}", listener.local_addr()?.port());
    let server = HttpServer::new(move || App::new().wrap(authkit.middleware()).configure(api))
        .workers(1)
        .listen(listener)?
        .run();
    Ok((url, emulator, credentials, server))
}

fn api(app: &mut web::ServiceConfig) {
    app.route("/me", web::get().to(me))
        .route("/import", web::post().to(import))
        .route("/jobs", web::get().to(jobs))
        .service(
            web::resource("/documents")
                .wrap(require().permission("documents:read"))
                .route(web::get().to(documents))
                .route(web::post().to(new_document)),
        );
}

struct CanWrite;

impl Requires for CanWrite {
    fn require() -> Require {
        require().permission("documents:write")
    }
}

/// For people: keys and machines are 403.
async fn me(user: AuthUser) -> HttpResponse {
    HttpResponse::Ok().json(json!({ "id": user.id(), "email": user.email(), "role": user.role() }))
}

/// For whoever may read, of whatever kind.
async fn documents(organization: OrganizationId) -> HttpResponse {
    HttpResponse::Ok().json(json!({ "organization": organization, "documents": ["Plan", "Budget"] }))
}

async fn new_document(auth: Required<CanWrite>) -> HttpResponse {
    HttpResponse::Created().json(json!({ "author": auth.subject() }))
}

/// For the programs of customers.
async fn import(key: ApiKey) -> HttpResponse {
    HttpResponse::Accepted().json(json!({ "key": key.name(), "into": key.organization_id() }))
}

/// For whoever was granted a scope.
async fn jobs(auth: AuthContext) -> HttpResponse {
    if auth.scopes().any(|scope| scope == "jobs:read") {
        HttpResponse::Ok().json(json!({ "jobs": ["nightly report"], "for": auth.subject() }))
    } else {
        HttpResponse::Forbidden().json(json!({ "code": "scope_required" }))
    }
}

/// What the WorkOS dashboard and a sign-in elsewhere give out.
async fn credentials(emulator: &Emulator, authkit: &AuthKit) -> Result<Credentials, Box<dyn Error>> {
    let acme = emulator.organization("Acme").create()?;
    emulator
        .role("editor")
        .permissions(["documents:read", "documents:write"])
        .create()?;
    emulator
        .user(EMAIL)
        .password(PASSWORD)
        .member_of(&acme, "editor")
        .create()?;
    let ada = authkit
        .client()
        .user_management()
        .authenticate_with_password(AuthenticateWithPasswordParams::new(EMAIL, PASSWORD))
        .await?;

    let key: CreateOrganizationApiKey =
        serde_json::from_value(json!({ "name": "CI", "permissions": ["documents:read"] }))?;
    let key = authkit
        .client()
        .api_keys()
        .create_organization_api_key(&acme.id, CreateOrganizationApiKeyParams::new(key))
        .await?;

    let robot = emulator.connect_application("Robot").m2m(&acme);
    let robot = robot.scopes(["jobs:read"]).create()?;
    let form = [
        ("grant_type", "client_credentials"),
        ("client_id", &robot.client_id),
        (
            "client_secret",
            robot.client_secret.as_deref().unwrap_or_default(),
        ),
    ];
    let http = reqwest::Client::builder().no_proxy().build()?;
    let token = http.post(format!("{}/oauth2/token", emulator.url())).form(&form);
    let token: Value = token.send().await?.error_for_status()?.json().await?;
    Ok(Credentials {
        access_token: ada.access_token.expose().to_owned(),
        api_key: key.value.expose().to_owned(),
        machine_token: token["access_token"].as_str().unwrap_or_default().to_owned(),
    })
}
