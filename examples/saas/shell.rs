//! What is around every page of the product: who is signed in, where, and the way elsewhere.

use std::{future::Future, pin::Pin};

use actix_web::{Error, FromRequest, HttpRequest, HttpResponse, dev::Payload, web};
use workos_actix::{
    AuthUser,
    workos::{
        PaginationOrder, UserOrganizationMembership,
        organization_membership::ListOrganizationMembershipsParams,
    },
};

use crate::{
    Paperboat,
    database::members,
    page::{self, Notice, escape},
    problem::Problem,
};

/// A handler that takes one is for people who are signed in: anybody else is sent to sign in, and comes back.
pub(crate) struct Shell {
    pub(crate) user: AuthUser,
    pub(crate) paperboat: web::Data<Paperboat>,
    organizations: Vec<UserOrganizationMembership>,
    path: String,
}

impl FromRequest for Shell {
    type Error = Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Error>>>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let user = AuthUser::extract(request);
        let paperboat = web::Data::<Paperboat>::extract(request);
        let path = request.path().to_owned();
        Box::pin(async move {
            let (user, paperboat) = (user.await?, paperboat.await?);
            let (id, organization_id) = (user.id().to_owned(), user.organization_id().map(str::to_owned));
            let database = &paperboat.database;
            let check =
                database.transact(move |db| members::check_access(db, &id, organization_id.as_deref()));
            check.await.map_err(Problem::from)?;
            let params = ListOrganizationMembershipsParams {
                user_id: Some(user.id().to_owned()),
                limit: Some(100),
                order: Some(PaginationOrder::Asc),
                ..Default::default()
            };
            let memberships = paperboat.workos().organization_membership();
            // A page without its switcher is better than none.
            let organizations = memberships.list_organization_memberships(params).await;
            let organizations = organizations.map(|list| list.data).unwrap_or_default();
            Ok(Self {
                user,
                paperboat,
                organizations,
                path,
            })
        })
    }
}

impl Shell {
    /// The name that the person goes by.
    pub(crate) fn name(&self) -> String {
        self.user.name().unwrap_or_else(|| self.user.email().to_owned())
    }

    /// The id and the name of the organization that the session is in.
    pub(crate) fn organization(&self) -> Option<(&str, &str)> {
        let id = self.user.organization_id()?;
        let found = self
            .organizations
            .iter()
            .find(|found| found.organization_id == id);
        Some((id, found.map_or(id, organization_name)))
    }

    pub(crate) fn may(&self, permission: &str) -> bool {
        self.user
            .permissions()
            .iter()
            .any(|granted| granted == permission)
    }

    /// The organization, if the person may do this there.
    pub(crate) fn require(&self, permission: &str) -> Result<(&str, &str), Problem> {
        self.organization()
            .filter(|_| self.may(permission))
            .ok_or(Problem::Forbidden)
    }

    /// What is at stake is the person's own.
    pub(crate) fn require_themselves(&self) -> Result<(), Problem> {
        match self.user.impersonator() {
            Some(_) => Err(Problem::Impersonated),
            None => Ok(()),
        }
    }

    pub(crate) fn page(&self, title: &str, notice: Option<Notice<'_>>, body: &str) -> HttpResponse {
        let main = page::heading(title, notice.as_ref()) + body;
        let header = self.impersonation() + &self.header();
        page::inside(
            &format!("{title} – Paperboat"),
            &header,
            &main,
            &self.paperboat.mailbox,
        )
    }

    fn header(&self) -> String {
        let mut pages = vec![("/dashboard", "Dashboard"), ("/account", "Account")];
        if self.may("members:manage") {
            pages.splice(1..1, [("/members", "Members"), ("/people", "People")]);
        }
        let pages: String = pages
            .into_iter()
            .map(|(path, name)| {
                let current = if self.path.starts_with(path) {
                    r#" aria-current="page""#
                } else {
                    ""
                };
                format!(r#"<li><a href="{path}"{current}>{name}</a></li>"#)
            })
            .collect();
        format!(
            r#"<header>
{}
<nav aria-label="Main"><ul>{pages}</ul></nav>
{}
<div class="you"><span>{}</span>
<form method="post" action="/auth/sign-out"><button class="quiet small">Sign out</button></form></div>
</header>
"#,
            page::brand(),
            self.switcher(),
            escape(&self.name())
        )
    }

    /// The organizations of the person, and the button that moves the session: the route belongs to `workos-actix`.
    fn switcher(&self) -> String {
        match (self.organization(), self.organizations.len()) {
            (Some((_, name)), 1) => format!(r#"<p class="organization">{}</p>"#, escape(name)),
            (_, 0) => String::new(),
            (current, _) => {
                let options: String = self
                    .organizations
                    .iter()
                    .map(|membership| {
                        let is_current = current.is_some_and(|(id, _)| id == membership.organization_id);
                        format!(
                            r#"<option value="{}"{}>{}</option>"#,
                            escape(&membership.organization_id),
                            if is_current { " selected" } else { "" },
                            escape(organization_name(membership))
                        )
                    })
                    .collect();
                format!(
                    r#"<form class="organization" method="post" action="/auth/switch-organization">
<input type="hidden" name="return_to" value="/dashboard">
<label class="hidden" for="organization">Organization</label>
<select id="organization" name="organization_id">{options}</select>
<button class="quiet small">Switch</button></form>"#
                )
            }
        }
    }

    /// Whoever acts as somebody else should not forget it.
    fn impersonation(&self) -> String {
        let Some(impersonator) = self.user.impersonator() else {
            return String::new();
        };
        let reason = impersonator.reason.as_deref().map_or_else(String::new, |reason| {
            format!(r#" <span class="reason">{}</span>"#, escape(reason))
        });
        format!(
            r#"<section class="impersonation" aria-label="Impersonation">
<p><strong>{}</strong> is signed in as <strong>{}</strong>.{reason}</p>
<form method="post" action="/auth/sign-out"><button class="small">Stop</button></form></section>
"#,
            escape(&impersonator.email),
            escape(&self.name())
        )
    }
}

fn organization_name(membership: &UserOrganizationMembership) -> &str {
    membership
        .organization_name
        .as_deref()
        .unwrap_or(&membership.organization_id)
}
