//! Somebody new makes an organization, becomes its admin, and works in it from then on.

use actix_web::{HttpRequest, Responder, web};
use serde::Deserialize;
use workos_actix::workos::{
    OrganizationInput,
    organization_membership::{
        CreateOrganizationMembershipParams, CreateOrganizationMembershipParamsBody, Role,
    },
    organizations::CreateOrganizationParams,
};

use crate::{problem::Problem, shell::Shell};

#[derive(Deserialize)]
pub(crate) struct NewOrganization {
    name: String,
}

/// `POST /organizations`
#[expect(deprecated, reason = "the SDK's model wants every field named")]
pub(crate) async fn create(
    request: HttpRequest,
    shell: Shell,
    form: web::Form<NewOrganization>,
) -> Result<impl Responder, Problem> {
    let workos = shell.paperboat.workos();
    let organization = workos
        .organizations()
        .create_organization(CreateOrganizationParams::new(OrganizationInput {
            name: form.name.trim().to_owned(),
            allow_profiles_outside_organization: None,
            domains: None,
            domain_data: None,
            metadata: None,
            external_id: None,
        }))
        .await?;
    let mut membership = CreateOrganizationMembershipParamsBody::new(shell.user.id(), &organization.id);
    membership.role = Some(Role::Single {
        role_slug: "admin".to_owned(),
    });
    workos
        .organization_membership()
        .create_organization_membership(CreateOrganizationMembershipParams::new(membership))
        .await?;
    shell
        .paperboat
        .authkit
        .switch_organization(&request, &organization.id)
        .await?;
    Ok(web::Redirect::to("/dashboard").see_other())
}

/// For people who are in none.
pub(crate) fn section() -> String {
    r#"<section><h2>Your first organization</h2>
<p class="soft">Documents belong to an organization. Make one and be its admin, or follow the link in an invitation.</p>
<form class="line" method="post" action="/organizations">
<label>Name of the organization <input name="name" required maxlength="60" autocomplete="organization"></label>
<button>Make an organization</button></form></section>"#
        .to_owned()
}
