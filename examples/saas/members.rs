//! The members of the organization, and invitations to it: for those with the permission `members:manage`.

use actix_web::{HttpResponse, Responder, web};
use serde::Deserialize;
use workos_actix::workos::{
    CreateUserInviteOptions, PaginationOrder, ResendUserInviteOptions, UserInvite, UserInviteState,
    organization_membership::ListOrganizationMembershipsParams,
    user_management::{ListInvitationsParams, ResendInvitationParams, SendInvitationParams},
};

use crate::{
    page::{Notice, escape, time},
    problem::{Problem, explain},
    shell::Shell,
};

const PERMISSION: &str = "members:manage";

#[derive(Deserialize, Clone, Copy)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Done {
    Invited,
    Resent,
    Revoked,
}

#[derive(Deserialize)]
pub(crate) struct After {
    done: Option<Done>,
}

/// `GET /members`
pub(crate) async fn members(shell: Shell, after: web::Query<After>) -> Result<HttpResponse, Problem> {
    let notice = after.done.map(|done| {
        Notice::Done(match done {
            Done::Invited => "The invitation is on its way.",
            Done::Resent => "The invitation is on its way again.",
            Done::Revoked => "The invitation is revoked. Its link does not work any more.",
        })
    });
    page(&shell, notice, "").await
}

/// With the address that was typed, where it has to be corrected.
async fn page(shell: &Shell, notice: Option<Notice<'_>>, email: &str) -> Result<HttpResponse, Problem> {
    let (organization_id, organization) = shell.require(PERMISSION)?;
    let body = [
        member_list(shell, organization_id, organization).await?,
        invitation_form(email),
        invitation_list(shell, organization_id).await,
    ];
    Ok(shell.page("Members", notice, &body.concat()))
}

async fn member_list(shell: &Shell, organization_id: &str, organization: &str) -> Result<String, Problem> {
    let params = ListOrganizationMembershipsParams {
        organization_id: Some(organization_id.to_owned()),
        limit: Some(100),
        order: Some(PaginationOrder::Asc),
        ..Default::default()
    };
    let memberships = shell.paperboat.workos().organization_membership();
    let memberships = memberships.list_organization_memberships(params).await?;
    let rows: String = memberships
        .data
        .iter()
        .map(|membership| {
            let user = &membership.user;
            let names = [user.first_name.as_deref(), user.last_name.as_deref()];
            let name = names.into_iter().flatten().collect::<Vec<_>>().join(" ");
            let (name, email) = if name.is_empty() {
                (user.email.as_str(), "")
            } else {
                (name.as_str(), user.email.as_str())
            };
            format!(
                r#"<li><div><strong>{}</strong> <span class="badge">{}</span><br><span class="soft">{}</span></div></li>"#,
                escape(name),
                escape(&membership.role.slug),
                escape(email)
            )
        })
        .collect();
    Ok(format!(
        r#"<section><h2>Members of {}</h2><ul class="list">{rows}</ul></section>"#,
        escape(organization)
    ))
}

fn invitation_form(email: &str) -> String {
    format!(
        r#"<section><h2>Invite somebody</h2>
<form class="line" method="post" action="/members/invitations">
<label>Email <input type="email" name="email" value="{}" required autocomplete="off"></label>
<label>Role <select name="role"><option value="member">Member</option><option value="admin">Admin</option></select></label>
<button>Send invitation</button></form></section>"#,
        escape(email)
    )
}

async fn invitation_list(shell: &Shell, organization_id: &str) -> String {
    let params = ListInvitationsParams {
        organization_id: Some(organization_id.to_owned()),
        limit: Some(100),
        ..Default::default()
    };
    let workos = shell.paperboat.workos();
    let body = match workos.user_management().list_invitations(params).await {
        Ok(list) => {
            let is_pending = |invitation: &&UserInvite| invitation.state == UserInviteState::Pending;
            list.data.iter().filter(is_pending).map(invitation_row).collect()
        }
        Err(error) => format!(r#"<li class="soft">{}</li>"#, escape(&explain(&error))),
    };
    let body = if body.is_empty() {
        r#"<p class="soft">None: everybody has answered.</p>"#.to_owned()
    } else {
        format!(r#"<ul class="list">{body}</ul>"#)
    };
    format!("<section><h2>Pending invitations</h2>{body}</section>")
}

fn invitation_row(invitation: &UserInvite) -> String {
    let (id, email) = (escape(&invitation.id), escape(&invitation.email));
    let button = |action: &str, name: &str| {
        format!(
            r#"<form method="post" action="/members/invitations/{id}/{action}"><button class="quiet small" aria-label="{name} invitation to {email}">{name}</button></form>"#
        )
    };
    format!(
        r#"<li><div><strong>{email}</strong> <span class="badge">{}</span><br><span class="soft">until {}</span></div>
<div class="actions">{}{}</div></li>"#,
        escape(invitation.role_slug.as_deref().unwrap_or("member")),
        time(&invitation.expires_at),
        button("resend", "Resend"),
        button("revoke", "Revoke")
    )
}

#[derive(Deserialize)]
pub(crate) struct NewInvitation {
    email: String,
    role: String,
}

/// `POST /members/invitations`
pub(crate) async fn invite(shell: Shell, form: web::Form<NewInvitation>) -> Result<HttpResponse, Problem> {
    let (organization_id, _) = shell.require(PERMISSION)?;
    let params = SendInvitationParams::new(CreateUserInviteOptions {
        email: form.email.trim().to_owned(),
        organization_id: Some(organization_id.to_owned()),
        role_slug: Some(form.role.clone()),
        expires_in_days: None,
        inviter_user_id: Some(shell.user.id().to_owned()),
        locale: None,
    });
    let workos = shell.paperboat.workos();
    match workos.user_management().send_invitation(params).await {
        Ok(_) => Ok(see("/members?done=invited")),
        Err(error) => page(&shell, Some(Notice::Failed(&explain(&error))), &form.email).await,
    }
}

/// `POST /members/invitations/{id}/resend`
pub(crate) async fn resend(shell: Shell, id: web::Path<String>) -> Result<impl Responder, Problem> {
    let invitation = own_invitation(&shell, &id).await?;
    let params = ResendInvitationParams::new(ResendUserInviteOptions { locale: None });
    let workos = shell.paperboat.workos();
    workos
        .user_management()
        .resend_invitation(&invitation.id, params)
        .await?;
    Ok(see("/members?done=resent"))
}

/// `POST /members/invitations/{id}/revoke`
pub(crate) async fn revoke(shell: Shell, id: web::Path<String>) -> Result<impl Responder, Problem> {
    let invitation = own_invitation(&shell, &id).await?;
    let workos = shell.paperboat.workos();
    workos.user_management().revoke_invitation(&invitation.id).await?;
    Ok(see("/members?done=revoked"))
}

/// The id comes from a form, so it may be another organization's.
async fn own_invitation(shell: &Shell, id: &str) -> Result<UserInvite, Problem> {
    let (organization_id, _) = shell.require(PERMISSION)?;
    let workos = shell.paperboat.workos();
    let invitation = workos.user_management().get_invitation(id).await?;
    if invitation.organization_id.as_deref() == Some(organization_id) {
        Ok(invitation)
    } else {
        Err(Problem::NotFound)
    }
}

fn see(path: &str) -> HttpResponse {
    HttpResponse::SeeOther()
        .insert_header(("Location", path))
        .finish()
}
