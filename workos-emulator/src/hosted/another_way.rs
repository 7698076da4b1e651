//! An organization does not let somebody in by the way they came: the page says so, and offers the ways that it allows.

use super::{
    chrome, error, organization, page,
    pages::{
        Form,
        another_way::{AnotherWayPage, SsoChoice},
    },
    provider, sign_in, sso,
    visit::{self, Visit},
};
use crate::{
    api::user_management::{
        authenticate::{
            method::AuthenticationMethod,
            sign_in::{Destination, NextStep, destination, next_step},
        },
        organization_policies::OtherMethod,
        providers,
    },
    server::{call::Call, error::ApiError, reply::Reply},
};

pub(super) const PATH: &str = "/authkit/another-way";

/// `GET /authkit/another-way`
pub(super) fn show_another_way(call: &Call) -> Result<Reply, ApiError> {
    visit::show(call, |visit| {
        let state = call.environment.state();
        let Some(sign_in) = &visit.session.authenticated else {
            return error::sign_in_not_found(call);
        };
        let Some(user) = state.users.get(&sign_in.user_id) else {
            return error::sign_in_not_found(call);
        };
        match next_step(&state, user, sign_in, call.environment.clock.now()) {
            Ok(NextStep::ComeAnotherWay(other)) => {
                // Another organization may let them in, unless their address is what it is about.
                let may_choose = !other.by_domain
                    && visit.session.request.organization_id.is_none()
                    && matches!(destination(&state, &user.id, None)?, Destination::Choice(_));
                form(visit, &user.email, &other, may_choose)
            }
            // The policy has changed since: the sign-in page decides anew.
            _ => Ok(visit.to(sign_in::PATH)),
        }
    })
}

fn form(visit: &Visit<'_>, email: &str, other: &OtherMethod, may_choose: bool) -> Result<Reply, ApiError> {
    let state = visit.call.environment.state();
    let organization = state.organizations.get(&other.organization_id);
    let hidden = visit.hidden();
    let own = Form {
        action: PATH,
        hidden: &hidden,
    };
    let by_email = [
        AuthenticationMethod::MagicAuth,
        AuthenticationMethod::Passkey,
        AuthenticationMethod::Password,
    ];
    let connections: Vec<_> = other
        .connection_ids(&state)
        .iter()
        .filter_map(|id| state.connections.get(id))
        .map(|connection| SsoChoice {
            id: connection.id.clone(),
            name: connection.name.clone(),
            provider: connection.r#type().name,
        })
        .collect();
    let sign_in_url = visit.url(sign_in::PATH);
    let organization_url = visit.url(organization::PATH);
    page(
        200,
        &AnotherWayPage {
            chrome: chrome(&visit.call.environment),
            organization: organization.map_or("", |organization| &organization.name),
            email,
            by_domain: other.by_domain,
            sso: other.is_sso(),
            sso_form: Form {
                action: sso::PATH,
                hidden: &hidden,
            },
            connections: &connections,
            providers: provider::buttons_of(
                other
                    .allowed
                    .iter()
                    .filter_map(|method| providers::by_method(*method)),
                own,
            ),
            by_email: other.allowed.iter().any(|method| by_email.contains(method)),
            organization_url: may_choose.then_some(&organization_url),
            sign_in_url: &sign_in_url,
        },
    )
}
