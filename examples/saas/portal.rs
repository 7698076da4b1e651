//! The way to WorkOS's Admin Portal, where the IT department of the organization sets up sign-in and directory.

use actix_web::{HttpRequest, HttpResponse, web};
use serde::Deserialize;
use workos_actix::{AdminPortalError, workos::GenerateLinkIntent};

use crate::{
    page::{Notice, escape},
    people::{self, PERMISSION},
    problem::{Problem, explain},
    shell::Shell,
};

/// A part of the page of people.
pub(crate) fn section(organization: &str) -> String {
    format!(
        r#"<section><h2>Set up {}</h2>
<p class="soft">For your IT department. The links lead to the Admin Portal, and work for five minutes.</p>
<form class="actions" method="post" action="/people/portal">
<button class="quiet" name="intent" value="sso">Single sign-on</button>
<button class="quiet" name="intent" value="dsync">Directory</button>
<button class="quiet" name="intent" value="domain_verification">Domains</button></form></section>"#,
        escape(organization)
    )
}

#[derive(Deserialize)]
pub(crate) struct Wanted {
    intent: GenerateLinkIntent,
}

/// `POST /people/portal`
pub(crate) async fn open(
    request: HttpRequest,
    shell: Shell,
    form: web::Form<Wanted>,
) -> Result<HttpResponse, Problem> {
    shell.require(PERMISSION)?;
    let authkit = &shell.paperboat.authkit;
    let portal = authkit.admin_portal(&request, form.into_inner().intent);
    match portal.return_to("/people").redirect().await {
        Err(AdminPortalError::WorkOs(error)) => {
            people::page(&shell, Some(Notice::Failed(&explain(&error)))).await
        }
        Err(AdminPortalError::Auth(error)) => Err(error.into()),
        Err(_) => Err(Problem::Forbidden),
        Ok(redirect) => Ok(redirect),
    }
}
