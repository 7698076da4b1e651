//! Two-step verification: an authenticator app as the second factor, by WorkOS's multi-factor API.

use actix_web::{HttpResponse, Responder, web};
use serde::Deserialize;
use workos_actix::workos::{
    AuthenticationChallengesVerifyRequest, AuthenticationFactor, AuthenticationFactorType,
    ChallengeAuthenticationFactor, EnrollUserAuthenticationFactor, Error,
    multi_factor_auth::{
        ChallengeFactorParams, CreateUserAuthFactorParams, ListUserAuthFactorsParams, VerifyChallengeParams,
    },
};

use crate::{
    page::{Notice, escape, time},
    problem::{Problem, explain},
    shell::Shell,
};

const TITLE: &str = "Set up two-step verification";

/// The part of the account page.
pub(crate) async fn section(shell: &Shell) -> String {
    let body = match factors(shell).await {
        Ok(factors) if factors.is_empty() => {
            r#"<p class="soft">A code from an app on your phone, beside your password. Nobody gets in with the password alone.</p>
<form method="post" action="/account/two-step"><button>Set up an authenticator app</button></form>"#
                .to_owned()
        }
        Ok(factors) => {
            let rows: String = factors.iter().map(row).collect();
            format!(r#"<ul class="list">{rows}</ul>"#)
        }
        Err(error) => format!(r#"<p class="soft">{}</p>"#, escape(&explain(&error))),
    };
    format!("<section><h2>Two-step verification</h2>{body}</section>")
}

fn row(factor: &AuthenticationFactor) -> String {
    format!(
        r#"<li><div><strong>Authenticator app</strong> <span class="badge">on</span><br><span class="soft">since {}</span></div>
<form method="post" action="/account/two-step/remove"><input type="hidden" name="factor_id" value="{}">
<button class="quiet small">Remove</button></form></li>"#,
        time(&factor.created_at),
        escape(&factor.id)
    )
}

/// `POST /account/two-step`: the one time that the secret is shown.
pub(crate) async fn begin(shell: Shell) -> Result<HttpResponse, Problem> {
    shell.require_themselves()?;
    if !factors(&shell).await?.is_empty() {
        return Ok(see("/account"));
    }
    let params = CreateUserAuthFactorParams::new(EnrollUserAuthenticationFactor {
        type_: "totp".to_owned(),
        totp_issuer: Some("Paperboat".to_owned()),
        totp_user: Some(shell.user.email().to_owned()),
        totp_secret: None,
    });
    let workos = shell.paperboat.workos();
    let enrolled = workos
        .multi_factor_auth()
        .create_user_auth_factor(shell.user.id(), params)
        .await?;
    let totp = enrolled.authentication_factor.totp.ok_or(Problem::NotFound)?;
    let steps = format!(
        r#"<section><h2>1. Add Paperboat to your app</h2>
<p class="soft">Scan this with an authenticator app, or type the secret into it.</p>
<div class="enrol"><img src="{}" width="200" height="200" alt="QR code with the secret for your authenticator app">
<p>Secret<br><code>{}</code></p></div></section>
<section><h2>2. Enter the code that it shows</h2>{}</section>"#,
        escape(totp.qr_code.expose()),
        escape(&in_groups(totp.secret.expose())),
        code_form(
            &enrolled.authentication_factor.id,
            &enrolled.authentication_challenge.id
        )
    );
    Ok(shell.page(TITLE, None, &steps))
}

/// As people type it.
fn in_groups(secret: &str) -> String {
    let letters: Vec<char> = secret.chars().collect();
    let groups: Vec<String> = letters.chunks(4).map(|group| group.iter().collect()).collect();
    groups.join(" ")
}

fn code_form(factor_id: &str, challenge_id: &str) -> String {
    let factor_id = escape(factor_id);
    format!(
        r#"<form class="line" method="post" action="/account/two-step/confirm">
<input type="hidden" name="factor_id" value="{factor_id}">
<input type="hidden" name="challenge_id" value="{}">
<label>Code <input name="code" required inputmode="numeric" autocomplete="one-time-code" pattern="[0-9 ]*" maxlength="7"></label>
<button>Turn on</button></form>
<form method="post" action="/account/two-step/remove"><input type="hidden" name="factor_id" value="{factor_id}">
<button class="quiet small">Cancel</button></form>"#,
        escape(challenge_id)
    )
}

#[derive(Deserialize)]
pub(crate) struct Confirmation {
    factor_id: String,
    challenge_id: String,
    code: String,
}

/// `POST /account/two-step/confirm`
pub(crate) async fn confirm(shell: Shell, form: web::Form<Confirmation>) -> Result<HttpResponse, Problem> {
    let factor = own_factor(&shell, &form.factor_id).await?;
    let code: String = form.code.chars().filter(char::is_ascii_digit).collect();
    let params = VerifyChallengeParams::new(AuthenticationChallengesVerifyRequest { code: code.into() });
    let workos = shell.paperboat.workos();
    let verified = workos
        .multi_factor_auth()
        .verify_challenge(&form.challenge_id, params)
        .await?;
    if verified.challenge.authentication_factor_id != factor.id {
        return Err(Problem::NotFound);
    }
    if verified.valid {
        return Ok(see("/account?done=two-step-on"));
    }
    let params = ChallengeFactorParams::new(ChallengeAuthenticationFactor { sms_template: None });
    let challenge = workos
        .multi_factor_auth()
        .challenge_factor(&factor.id, params)
        .await?;
    let body = format!(
        r#"<section><h2>Enter the code that your app shows</h2>
<p class="soft">It changes every 30 seconds. If the app does not know Paperboat, cancel and begin again.</p>{}</section>"#,
        code_form(&factor.id, &challenge.id)
    );
    let notice = Notice::Failed("That is not the code. Enter the one that the app shows now.");
    Ok(shell.page(TITLE, Some(notice), &body))
}

#[derive(Deserialize)]
pub(crate) struct Removal {
    factor_id: String,
}

/// `POST /account/two-step/remove`
pub(crate) async fn remove(shell: Shell, form: web::Form<Removal>) -> Result<impl Responder, Problem> {
    let factor = own_factor(&shell, &form.factor_id).await?;
    let workos = shell.paperboat.workos();
    workos.multi_factor_auth().delete_factor(&factor.id).await?;
    Ok(see("/account?done=two-step-off"))
}

/// The id comes from a form, so it may be anybody's.
async fn own_factor(shell: &Shell, id: &str) -> Result<AuthenticationFactor, Problem> {
    shell.require_themselves()?;
    let mut factors = factors(shell).await?.into_iter();
    factors.find(|factor| factor.id == id).ok_or(Problem::NotFound)
}

async fn factors(shell: &Shell) -> Result<Vec<AuthenticationFactor>, Error> {
    let workos = shell.paperboat.workos();
    let list = workos
        .multi_factor_auth()
        .list_user_auth_factors(shell.user.id(), ListUserAuthFactorsParams::default())
        .await?;
    let is_app = |factor: &AuthenticationFactor| factor.type_ == AuthenticationFactorType::Totp;
    Ok(list.data.into_iter().filter(is_app).collect())
}

fn see(path: &str) -> HttpResponse {
    HttpResponse::SeeOther()
        .insert_header(("Location", path))
        .finish()
}
