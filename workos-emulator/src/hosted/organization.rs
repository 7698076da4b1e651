//! The organization picker.

use serde::Deserialize;

use super::{
    chrome, error, page,
    pages::{Form, OrganizationChoice, OrganizationPage},
    sign_in,
    visit::{self, Visit},
};
use crate::{
    api::user_management::{
        authenticate::sign_in::{Destination, check_membership, destination},
        authorize::session,
    },
    server::{call::Call, error::ApiError, reply::Reply},
};

pub(crate) const PATH: &str = "/authkit/organization";

/// `GET /authkit/organization`
pub(super) fn show_organizations(call: &Call) -> Result<Reply, ApiError> {
    visit::show(call, |visit| form(visit, 200))
}

/// `POST /authkit/organization`
pub(super) fn submit_organization(call: &Call) -> Result<Reply, ApiError> {
    #[derive(Deserialize)]
    struct Fields {
        #[serde(default)]
        organization_id: String,
    }
    visit::submit(call, |visit| {
        let Some(sign_in) = &visit.session.authenticated else {
            return error::sign_in_not_found(call);
        };
        let Fields { organization_id } = call.body()?;
        visit.step(
            |tx| {
                // No choice of this page: the memberships have changed, or the form was made up.
                if check_membership(tx, &sign_in.user_id, &organization_id).is_err() {
                    return Ok(Err(()));
                }
                let sign_in = sign_in.clone().to(Some(&organization_id));
                session::go_on(tx, &visit.session, sign_in).map(Ok)
            },
            |()| form(visit, 400),
        )
    })
}

fn form(visit: &Visit<'_>, status: u16) -> Result<Reply, ApiError> {
    let state = visit.call.environment.state();
    let user = visit.session.authenticated.as_ref();
    let Some(user) = user.and_then(|user| state.users.get(&user.user_id)) else {
        return error::sign_in_not_found(visit.call);
    };
    let organizations = match destination(&state, &user.id, None)? {
        Destination::Choice(organizations) => organizations,
        // Memberships have changed since: the sign-in page decides anew.
        Destination::NoOrganization | Destination::Organization(_) => {
            return Ok(visit.to(sign_in::PATH));
        }
    };
    let choices: Vec<_> = organizations
        .iter()
        .map(|organization| OrganizationChoice {
            id: &organization.id,
            name: &organization.name,
        })
        .collect();
    page(
        status,
        &OrganizationPage {
            chrome: chrome(&visit.call.environment),
            form: Form {
                action: PATH,
                hidden: &visit.hidden(),
            },
            email: &user.email,
            organizations: &choices,
            sign_in_url: &visit.url(sign_in::PATH),
        },
    )
}
