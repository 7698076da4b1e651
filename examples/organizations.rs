//! One app, many organizations: a person works in one of theirs at a time, with the role that they have there.
//!
//!     cargo run --example organizations
//!
//! Complete and offline: the emulator stands in for WorkOS. Bob is a member of Acme and the admin of Globex; switch, and
//! see the role change and the way into the Admin Portal appear.

use std::{error::Error, net::TcpListener};

use actix_web::{App, HttpRequest, HttpResponse, HttpServer, dev::Server, web};
use workos_actix::{
    AdminPortalError, AuthKit, AuthUser,
    workos::{self, GenerateLinkIntent, organization_membership::ListOrganizationMembershipsParams},
};
use workos_emulator::Emulator;

pub(crate) const EMAIL: &str = "bob@example.com";
pub(crate) const PASSWORD: &str = "nine patient windmills";

#[actix_web::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let (url, _emulator, server) = start(3000).await?;
    println!("\n  Open {url} and sign in as {EMAIL}, password: {PASSWORD}\n");
    Ok(server.await?)
}

/// The app and its WorkOS; port 0 takes a free one. `tests/it/example_organizations.rs` starts it as well.
pub(crate) async fn start(port: u16) -> Result<(String, Emulator, Server), Box<dyn Error>> {
    let listener = TcpListener::bind(("127.0.0.1", port))?;
    let url = format!("http://localhost:{}", listener.local_addr()?.port());

    let emulator = Emulator::start().await?;
    let acme = emulator.organization("Acme").create()?;
    let globex = emulator.organization("Globex").create()?;
    emulator.role("admin").create()?;
    emulator
        .user(EMAIL)
        .password(PASSWORD)
        .member_of(&acme, "member")
        .member_of(&globex, "admin")
        .create()?;

    // Against the real WorkOS: `AuthKit::from_env()?`.
    let authkit = AuthKit::builder()
        .api_base_url(emulator.url())
        .api_key(emulator.api_key())
        .client_id(emulator.client_id())
        .cookie_password("only-for-this-example-and-32-characters-long")
        .redirect_uri(format!("{url}/auth/callback"))
        .after_sign_out(&url)
        .build()?;
    let server = HttpServer::new(move || {
        App::new()
            .app_data(web::Data::new(authkit.clone()))
            .wrap(authkit.middleware())
            .configure(authkit.routes())
            .route("/", web::get().to(home))
            .route("/portal", web::post().to(portal))
    })
    .workers(1)
    .listen(listener)?
    .run();
    Ok((url, emulator, server))
}

/// Where the person is, who they are there, and the way to their other organizations.
async fn home(user: AuthUser, authkit: web::Data<AuthKit>) -> Result<HttpResponse, Box<dyn Error>> {
    let (organizations, current) = (organizations(&user, &authkit).await?, user.organization_id());
    let name = organizations
        .iter()
        .find(|(id, _)| Some(id.as_str()) == current)
        .map_or("no organization", |(_, name)| name);
    let switches: String = organizations
        .iter()
        .filter(|(id, _)| Some(id.as_str()) != current)
        .map(|(id, name)| {
            format!(
                r#"<button name="organization_id" value="{}">Go to {}</button>"#,
                escape(id),
                escape(name)
            )
        })
        .collect();
    let portal = if is_admin(&user) {
        r#"<form method="post" action="/portal"><button>Set up single sign-on</button></form>"#
    } else {
        ""
    };
    Ok(HttpResponse::Ok()
        .content_type("text/html; charset=utf-8")
        .body(format!(
            r#"<!doctype html><html lang="en"><title>{name}</title><h1>{name}</h1>
<p>{} is {} here.</p>{portal}
<form method="post" action="/auth/switch-organization">{switches}</form>
<form method="post" action="/auth/sign-out"><button>Sign out</button></form></html>"#,
            escape(user.email()),
            escape(user.role().unwrap_or("nobody in particular")),
            name = escape(name),
        )))
}

/// Ids and names.
async fn organizations(user: &AuthUser, authkit: &AuthKit) -> Result<Vec<(String, String)>, workos::Error> {
    let params = ListOrganizationMembershipsParams {
        user_id: Some(user.id().to_owned()),
        ..Default::default()
    };
    let memberships = authkit.client().organization_membership();
    let list = memberships.list_organization_memberships(params).await?;
    Ok(list
        .data
        .into_iter()
        .map(|membership| {
            let name = membership.organization_name;
            (
                membership.organization_id,
                name.unwrap_or_else(|| "Unnamed".to_owned()),
            )
        })
        .collect())
}

/// For the admins of the organization that the session is in: to WorkOS's Admin Portal, and back.
async fn portal(
    request: HttpRequest,
    user: AuthUser,
    authkit: web::Data<AuthKit>,
) -> Result<HttpResponse, AdminPortalError> {
    if !is_admin(&user) {
        return Ok(HttpResponse::Forbidden().body("Only an admin of the organization may do this."));
    }
    let portal = authkit.admin_portal(&request, GenerateLinkIntent::SSO);
    portal.return_to("/").redirect().await
}

fn is_admin(user: &AuthUser) -> bool {
    user.role() == Some("admin")
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('"', "&quot;")
}
