//! The public page, and the first page of the product: who is signed in, and what they may do.

use actix_web::{HttpResponse, Responder, web};
use workos_actix::AuthUser;

use crate::{
    Paperboat, documents, organizations,
    page::{self, escape},
    problem::Problem,
    shell::Shell,
};

/// Anybody may see it; whoever is signed in is greeted.
pub(crate) async fn home(user: Option<AuthUser>, paperboat: web::Data<Paperboat>) -> impl Responder {
    let action = match user {
        Some(user) => format!(
            r#"<p class="lead">You are signed in as <strong>{}</strong>.</p>
<p class="actions"><a class="button" href="/dashboard">Open the dashboard</a></p>"#,
            escape(user.email())
        ),
        None => r#"<p class="lead">Documents for teams that like to know who wrote them.</p>
<p class="actions"><a class="button" href="/auth/sign-in?return_to=/dashboard">Sign in</a>
<a class="button quiet" href="/auth/sign-up?return_to=/dashboard">Sign up</a></p>"#
            .to_owned(),
    };
    let body = format!("<h1>Paperboat</h1>\n{action}");
    page::card(HttpResponse::Ok(), "Paperboat", &body, Some(&paperboat.mailbox))
}

/// Asking for a `Shell` is what protects it: it asks for an `AuthUser`.
pub(crate) async fn dashboard(shell: Shell) -> Result<HttpResponse, Problem> {
    let product = if shell.organization().is_some() {
        documents::section(&shell).await?
    } else {
        organizations::section()
    };
    let body = format!("{product}\n{}", access(&shell));
    Ok(shell.page("Dashboard", None, &body))
}

/// What the session says.
fn access(shell: &Shell) -> String {
    let user = &shell.user;
    let organization = shell.organization().map(|(_, name)| name);
    let permissions = match user.permissions() {
        [] => "none".to_owned(),
        granted => granted.join(", "),
    };
    let rows = [
        ("Name", shell.name()),
        ("Email", user.email().to_owned()),
        ("Organization", organization.unwrap_or("none").to_owned()),
        ("Role", user.role().unwrap_or("none").to_owned()),
        ("Permissions", permissions),
    ];
    let rows: String = rows
        .iter()
        .map(|(term, detail)| format!("<dt>{term}</dt><dd>{}</dd>\n", escape(detail)))
        .collect();
    format!("<section><h2>Your access</h2><dl>{rows}</dl></section>")
}
