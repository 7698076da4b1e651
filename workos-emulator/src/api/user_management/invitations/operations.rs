//! The operations on invitations.

use jiff::Timestamp;
use serde::Deserialize;

use super::{
    AcceptancePage, BY_EMAIL, BY_ORGANIZATION, Invitation, InvitationBody, by_token, find, locale, rules,
    rules::NewInvitation,
};
use crate::{
    api::user_management::users,
    server::{call::Call, error::ApiError, reply::Reply},
    store::{List, Select, State},
};

impl Invitation {
    fn body<'a>(&'a self, state: &'a State, now: Timestamp, page: &AcceptancePage) -> InvitationBody<'a> {
        InvitationBody {
            invitation: self.event_data(state, now),
            token: self.token.expose(),
            accept_invitation_url: page.url(state, &self.token),
        }
    }

    fn shown(&self, call: &Call, state: &State, status: u16) -> Result<Reply, ApiError> {
        let now = call.environment.clock.now();
        Reply::json(status, &self.body(state, now, &AcceptancePage::of(call)))
    }
}

/// `GET /user_management/invitations`
///
/// Assumption: an unknown organization has no invitations.
pub(crate) fn list_invitations(call: &Call) -> Result<Reply, ApiError> {
    let given = |name| call.query.get(name).filter(|value: &&str| !value.is_empty());
    let email = given("email")
        .map(|email| {
            let message = "email is an e-mail address.";
            users::email::normalized(email)
                .ok_or_else(|| ApiError::invalid_field("email", "invalid_email", message))
        })
        .transpose()?;
    let organization_id = given("organization_id");
    let select = match (&email, organization_id) {
        (None, None) => Select::all(),
        (None, Some(id)) => Select::group(BY_ORGANIZATION, id),
        (Some(email), None) => Select::group(BY_EMAIL, email),
        // Nobody is invited often.
        (Some(email), id) => Select::group(BY_EMAIL, email)
            .filter(move |invitation: &Invitation| invitation.organization_id.as_deref() == id),
    };
    let state = call.environment.state();
    let List { data, before, after } = select.page(&state.invitations, &call.page()?)?;
    let (now, page) = (call.environment.clock.now(), AcceptancePage::of(call));
    Reply::ok(&List {
        data: data
            .iter()
            .map(|invitation| invitation.body(&state, now, &page))
            .collect(),
        before,
        after,
    })
}

/// `POST /user_management/invitations`
pub(crate) fn send_invitation(call: &Call) -> Result<Reply, ApiError> {
    #[derive(Deserialize)]
    struct SendInvitation {
        email: String,
        organization_id: Option<String>,
        role_slug: Option<String>,
        expires_in_days: Option<i64>,
        inviter_user_id: Option<String>,
        locale: Option<String>,
    }
    let body: SendInvitation = call.body()?;
    locale::check(body.locale.as_deref())?;
    let new = NewInvitation {
        email: body.email,
        organization_id: body.organization_id,
        role_slug: body.role_slug,
        expires_in_days: body.expires_in_days,
        inviter_user_id: body.inviter_user_id,
    };
    let page = AcceptancePage::of(call);
    call.environment
        .transact(|tx| rules::send(tx, &page, new)?.shown(call, tx, 201))
}

/// `GET /user_management/invitations/{id}`
pub(crate) fn get_invitation(call: &Call) -> Result<Reply, ApiError> {
    let state = call.environment.state();
    find(&state, call.param("id"))?.shown(call, &state, 200)
}

/// `GET /user_management/invitations/by_token/{token}`
pub(crate) fn find_invitation_by_token(call: &Call) -> Result<Reply, ApiError> {
    let state = call.environment.state();
    let token = call.param("token");
    match by_token(&state, token) {
        Some(invitation) => invitation.shown(call, &state, 200),
        None => Err(ApiError::not_found("Invitation", token)),
    }
}

/// `POST /user_management/invitations/{id}/accept`
pub(crate) fn accept_invitation(call: &Call) -> Result<Reply, ApiError> {
    call.environment
        .transact(|tx| rules::accept(tx, call.param("id"))?.shown(call, tx, 200))
}

/// `POST /user_management/invitations/{id}/resend`
pub(crate) fn resend_invitation(call: &Call) -> Result<Reply, ApiError> {
    #[derive(Deserialize)]
    struct ResendInvitation {
        locale: Option<String>,
    }
    let ResendInvitation { locale } = call.body()?;
    locale::check(locale.as_deref())?;
    let page = AcceptancePage::of(call);
    call.environment
        .transact(|tx| rules::resend(tx, &page, call.param("id"))?.shown(call, tx, 200))
}

/// `POST /user_management/invitations/{id}/revoke`
pub(crate) fn revoke_invitation(call: &Call) -> Result<Reply, ApiError> {
    call.environment
        .transact(|tx| rules::revoke(tx, call.param("id"))?.shown(call, tx, 200))
}
