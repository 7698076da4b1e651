//! Domain verification in the portal: the domains of the organization, and the TXT record of each.

use serde::Deserialize;

use super::{
    page,
    pages::{
        Form, TextField,
        portal::{DomainPage, DomainRow, DomainsPage},
    },
    visit::{self, Visit},
};
use crate::{
    api::{
        admin_portal::intent::Intent,
        organization_domains,
        organizations::domains::{DomainState, OrganizationDomain},
    },
    hosted::error,
    server::{call::Call, error::ApiError, reply::Reply},
};

pub(crate) const PATH: &str = "/portal/domains";

const INTENT: Option<Intent> = Some(Intent::DomainVerification);

fn path(domain: &OrganizationDomain) -> String {
    format!("{PATH}/{}", domain.id)
}

/// What a state is called on a page.
fn state(domain: &OrganizationDomain) -> &'static str {
    match domain.state {
        DomainState::Pending => "Pending",
        DomainState::Verified => "Verified",
        DomainState::Failed => "Failed",
    }
}

/// `GET /portal/domains`
pub(crate) fn show_domains(call: &Call) -> Result<Reply, ApiError> {
    visit::show(call, INTENT, |visit| {
        let suggested = visit
            .session
            .access
            .options
            .domain_verification
            .domain_name
            .as_deref();
        let is_there = |domain: &&str| {
            let mut domains = visit.organization.domains.iter();
            !domains.any(|one| one.domain == *domain)
        };
        let suggested = suggested.filter(is_there).unwrap_or_default();
        list(visit, 200, TextField::filled(suggested))
    })
}

/// `POST /portal/domains`: adds a domain.
pub(crate) fn submit_domain(call: &Call) -> Result<Reply, ApiError> {
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Fields {
        domain: String,
    }
    visit::submit(call, INTENT, |visit| {
        let Fields { domain } = call.body()?;
        let organization_id = &visit.organization.id;
        let created = call
            .environment
            .transact(|tx| organization_domains::create(tx, organization_id, &domain));
        match created {
            Ok(created) => Ok(visit.to(&path(&created))),
            Err(refusal) if refusal.status < 500 => {
                let problems = [match refusal.code() {
                    Some("domain_already_exists") => "This domain is in the list already.".to_owned(),
                    _ => refusal.field_messages().join(" "),
                }];
                let field = TextField {
                    value: &domain,
                    problems: &problems,
                };
                list(visit, 400, field)
            }
            Err(failure) => Err(failure),
        }
    })
}

fn list(visit: &Visit<'_>, status: u16, field: TextField<'_>) -> Result<Reply, ApiError> {
    let domains: Vec<_> = visit
        .organization
        .domains
        .iter()
        .map(|domain| DomainRow {
            domain: &domain.domain,
            state: state(domain),
            url: visit.url(&path(domain)),
        })
        .collect();
    page(
        status,
        &DomainsPage {
            chrome: visit.chrome(),
            frame: visit.frame(PATH),
            form: Form {
                action: PATH,
                hidden: &visit.hidden(),
            },
            domains: &domains,
            field,
        },
    )
}

/// `GET /portal/domains/{id}`
pub(crate) fn show_domain(call: &Call) -> Result<Reply, ApiError> {
    visit::show(call, INTENT, |visit| match own(visit) {
        Some(domain) => detail(visit, 200, domain, false),
        None => error::portal_session_over(call),
    })
}

/// `POST /portal/domains/{id}`: looks for the record, starts once more, or takes the domain away.
///
/// Assumption: a verified domain is the application's to take away, as people sign in by it.
pub(crate) fn change_domain(call: &Call) -> Result<Reply, ApiError> {
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Fields {
        decision: String,
    }
    visit::submit(call, INTENT, |visit| {
        let Some(domain) = own(visit) else {
            return error::portal_session_over(call);
        };
        let Fields { decision } = call.body()?;
        let environment = &call.environment;
        match (decision.as_str(), domain.state) {
            (_, DomainState::Verified) => Ok(visit.to(&path(domain))),
            ("remove", _) => {
                environment.transact(|tx| organization_domains::delete(tx, &domain.id))?;
                Ok(visit.to(PATH))
            }
            ("restart", DomainState::Failed) => {
                environment.transact(|tx| organization_domains::restart(tx, domain))?;
                Ok(visit.to(&path(domain)))
            }
            _ => {
                let checked = environment.transact(|tx| organization_domains::check(tx, &domain.id))?;
                match checked.state {
                    DomainState::Pending => detail(visit, 200, &checked, true),
                    _ => Ok(visit.to(&path(&checked))),
                }
            }
        }
    })
}

/// The domain of the path, if it is the organization's.
fn own<'a>(visit: &'a Visit<'_>) -> Option<&'a OrganizationDomain> {
    let id = visit.call.param("id");
    visit.organization.domains.iter().find(|domain| domain.id == id)
}

fn detail(
    visit: &Visit<'_>,
    status: u16,
    domain: &OrganizationDomain,
    not_found: bool,
) -> Result<Reply, ApiError> {
    let environment = &visit.call.environment;
    let days_left = domain.expires_at().map(|end| {
        let left = end.duration_since(environment.clock.now()).as_secs();
        (left + 86_399) / 86_400
    });
    let path = path(domain);
    let frame = visit.frame(&path);
    let command = format!(
        "curl -X POST {}/_emulate/organization_domains/{}/dns",
        visit.call.base_url(),
        domain.id
    );
    page(
        status,
        &DomainPage {
            chrome: visit.chrome(),
            frame: frame.back_to(visit.url(PATH), "All domains"),
            form: Form {
                action: &path,
                hidden: &visit.hidden(),
            },
            domain: &domain.domain,
            state: state(domain),
            txt_value: &domain.txt_value(),
            days_left: days_left.unwrap_or_default(),
            not_found,
            taken: organization_domains::is_of_another(&environment.state(), domain),
            command: &command,
        },
    )
}
