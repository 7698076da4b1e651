//! A person's own account: profile, password, two-step verification, sessions.

use actix_web::{HttpRequest, HttpResponse, Responder, web};
use serde::Deserialize;
use workos_actix::workos::{
    CreatePasswordResetToken, Error, UserSessionsListItem,
    user_management::{ListSessionsParams, ResetPasswordParams},
};

use crate::{
    page::{Notice, escape, time},
    problem::{FOR_THEMSELVES, Problem, explain},
    shell::Shell,
    two_step,
};

/// What a form has done, told by the page that comes after it.
#[derive(Deserialize, Clone, Copy)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Done {
    PasswordLink,
    Sessions,
    TwoStepOn,
    TwoStepOff,
}

#[derive(Deserialize)]
pub(crate) struct After {
    done: Option<Done>,
}

impl Done {
    fn text(self) -> &'static str {
        match self {
            Self::PasswordLink => "We have sent you an e-mail with a link to choose a new password.",
            Self::Sessions => "You are signed out everywhere else.",
            Self::TwoStepOn => "Two-step verification is on. We ask for a code when you sign in.",
            Self::TwoStepOff => "Two-step verification is off.",
        }
    }
}

/// `GET /account`
pub(crate) async fn account(shell: Shell, after: web::Query<After>) -> HttpResponse {
    let mut body = profile(&shell);
    if shell.user.impersonator().is_some() {
        body += &format!(r#"<section><p class="soft">{FOR_THEMSELVES}</p></section>"#);
    } else {
        body += PASSWORD;
        body += &two_step::section(&shell).await;
        body += &sessions(&shell).await;
    }
    let notice = after.done.map(|done| Notice::Done(done.text()));
    shell.page("Account", notice, &body)
}

fn profile(shell: &Shell) -> String {
    let user = shell.user.user();
    let verified = if user.email_verified {
        "verified"
    } else {
        "not verified yet"
    };
    format!(
        r#"<section><h2>Profile</h2>
<dl><dt>Name</dt><dd>{}</dd>
<dt>Email</dt><dd>{} <span class="soft">({verified})</span></dd>
<dt>Member since</dt><dd>{}</dd></dl></section>"#,
        escape(&shell.name()),
        escape(&user.email),
        time(&user.created_at)
    )
}

const PASSWORD: &str = r#"<section><h2>Password</h2>
<p class="soft">We e-mail you a link to choose a new password. Choosing one signs you out everywhere.</p>
<form method="post" action="/account/password"><button class="quiet">Reset password</button></form></section>"#;

/// `POST /account/password`: to the address of the account, whoever is at the browser.
pub(crate) async fn send_password_link(shell: Shell) -> Result<impl Responder, Problem> {
    shell.require_themselves()?;
    let email = shell.user.email().to_owned();
    let params = ResetPasswordParams::new(CreatePasswordResetToken { email });
    let workos = shell.paperboat.workos();
    workos.user_management().reset_password(params).await?;
    Ok(web::Redirect::to("/account?done=password-link").see_other())
}

async fn sessions(shell: &Shell) -> String {
    let list = match active_sessions(shell).await {
        Ok(sessions) => sessions
            .iter()
            .map(|session| session_row(shell, session))
            .collect::<String>(),
        Err(error) => format!(r#"<li class="soft">{}</li>"#, escape(&explain(&error))),
    };
    format!(
        r#"<section><h2>Where you are signed in</h2>
<ul class="list">{list}</ul>
<form method="post" action="/account/sessions"><button class="quiet">Sign out everywhere else</button></form></section>"#
    )
}

fn session_row(shell: &Shell, session: &UserSessionsListItem) -> String {
    let here = if session.id == shell.user.session_id() {
        r#" <span class="badge">this browser</span>"#
    } else {
        ""
    };
    let impersonator = session
        .impersonator
        .as_ref()
        .map_or_else(String::new, |impersonator| {
            format!(", {} as you", escape(&impersonator.email))
        });
    format!(
        r#"<li><div><strong>{}</strong>{here}<br><span class="soft">{}{impersonator}, since {}</span></div></li>"#,
        escape(&device(session.user_agent.as_deref().unwrap_or_default())),
        escape(session.ip_address.as_deref().unwrap_or("unknown address")),
        time(&session.created_at)
    )
}

/// `POST /account/sessions`: ends all but this one. Their access tokens run out within minutes.
pub(crate) async fn end_other_sessions(
    request: HttpRequest,
    shell: Shell,
) -> Result<impl Responder, Problem> {
    shell.require_themselves()?;
    shell.paperboat.authkit.sign_out_elsewhere(&request).await?;
    Ok(web::Redirect::to("/account?done=sessions").see_other())
}

async fn active_sessions(shell: &Shell) -> Result<Vec<UserSessionsListItem>, Error> {
    let params = ListSessionsParams {
        limit: Some(100),
        ..Default::default()
    };
    let workos = shell.paperboat.workos();
    let page = workos
        .user_management()
        .list_sessions(shell.user.id(), params)
        .await?;
    Ok(page.data)
}

/// Roughly what a person calls their browser.
fn device(user_agent: &str) -> String {
    let known = |names: &[(&str, &str)], otherwise: &str| {
        let found = names.iter().find(|(mark, _)| user_agent.contains(mark));
        found.map_or(otherwise, |(_, name)| name).to_owned()
    };
    let browser = known(
        &[
            ("Firefox/", "Firefox"),
            ("Edg/", "Edge"),
            ("Chrome/", "Chrome"),
            ("Safari/", "Safari"),
        ],
        "A program",
    );
    let system = known(
        &[
            ("Android", " on Android"),
            ("iPhone", " on iPhone"),
            ("Windows", " on Windows"),
            ("Mac OS X", " on Mac"),
            ("Linux", " on Linux"),
        ],
        "",
    );
    browser + &system
}
