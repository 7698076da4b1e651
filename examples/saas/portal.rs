//! The way to WorkOS's Admin Portal, where the IT department of the organization sets up sign-in and directory.

use actix_web::{HttpResponse, web};
use serde::Deserialize;
use workos_actix::workos::{GenerateLink, GenerateLinkIntent, admin_portal::GenerateLinkParams};

use crate::{
    page::{Notice, escape},
    people::{self, PERMISSION},
    problem::{Problem, explain},
    shell::Shell,
};

/// What there is to set up.
#[derive(Deserialize, Clone, Copy)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Intent {
    Sso,
    Dsync,
    DomainVerification,
}

impl Intent {
    fn for_workos(self) -> GenerateLinkIntent {
        match self {
            Self::Sso => GenerateLinkIntent::SSO,
            Self::Dsync => GenerateLinkIntent::Dsync,
            Self::DomainVerification => GenerateLinkIntent::DomainVerification,
        }
    }
}

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
    intent: Intent,
}

/// `POST /people/portal`
pub(crate) async fn open(shell: Shell, form: web::Form<Wanted>) -> Result<HttpResponse, Problem> {
    let (organization_id, _) = shell.require(PERMISSION)?;
    let params = GenerateLinkParams::new(GenerateLink {
        organization: organization_id.to_owned(),
        intent: Some(form.intent.for_workos()),
        return_url: Some(format!("{}/people", shell.paperboat.url)),
        success_url: None,
        external_user_id: Some(shell.user.id().to_owned()),
        it_contact_emails: None,
    });
    match shell
        .paperboat
        .workos()
        .admin_portal()
        .generate_link(params)
        .await
    {
        Ok(portal) => Ok(HttpResponse::SeeOther()
            .insert_header(("Location", portal.link.expose()))
            .finish()),
        Err(error) => people::page(&shell, Some(Notice::Failed(&explain(&error)))).await,
    }
}
