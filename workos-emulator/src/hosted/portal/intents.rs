//! The steps of the portal: where each intent has its page, and how far the organization has come with it.

use super::{certificates, directories, domains, not_served, sso, visit::Visit};
use crate::api::{admin_portal::intent::Intent, organizations::domains::DomainState};

/// How far an intent has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Progress {
    /// In a few words.
    pub(super) text: String,
    pub(super) done: bool,
}

/// The page of an intent.
pub(super) fn path(intent: Intent) -> &'static str {
    match intent {
        Intent::DomainVerification => domains::PATH,
        Intent::Sso => sso::PATH,
        Intent::Dsync => directories::PATH,
        Intent::CertificateRenewal => certificates::PATH,
        Intent::AuditLogs => not_served::AUDIT_LOGS,
        Intent::LogStreams => not_served::LOG_STREAMS,
        Intent::BringYourOwnKey => not_served::KEYS,
    }
}

/// What an intent is called, and what it is for.
pub(super) fn title(intent: Intent) -> (&'static str, &'static str) {
    match intent {
        Intent::DomainVerification => (
            "Domain verification",
            "Prove that your organization owns its domains.",
        ),
        Intent::Sso => (
            "Single Sign-On",
            "Let people sign in through your identity provider.",
        ),
        Intent::Dsync => (
            "Directory Sync",
            "Keep users and groups in step with your directory.",
        ),
        Intent::CertificateRenewal => (
            "Certificate renewal",
            "Renew the certificates of your SAML connection.",
        ),
        Intent::AuditLogs => ("Audit logs", "See what people of your organization have done."),
        Intent::LogStreams => ("Log streams", "Send audit logs to your own systems."),
        Intent::BringYourOwnKey => ("Bring your own key", "Encrypt data with a key of your own."),
    }
}

pub(super) fn progress(visit: &Visit<'_>, intent: Intent) -> Progress {
    match intent {
        Intent::DomainVerification => {
            let count = |state| {
                let domains = visit.organization.domains.iter();
                domains.filter(|domain| domain.state == state).count()
            };
            let (verified, pending) = (count(DomainState::Verified), count(DomainState::Pending));
            let text = match (verified, pending) {
                (0, 0) => "Not started".to_owned(),
                (0, 1) => "1 domain waits for its DNS record".to_owned(),
                (0, pending) => format!("{pending} domains wait for their DNS records"),
                (1, _) => "1 domain verified".to_owned(),
                (verified, _) => format!("{verified} domains verified"),
            };
            Progress {
                text,
                done: verified > 0,
            }
        }
        Intent::Dsync => {
            let state = visit.call.environment.state();
            let synced = directories::synced(&state, &visit.organization.id);
            let text = match synced {
                None => "Not started".to_owned(),
                Some(0) => "Linked; nobody has come yet".to_owned(),
                Some(1) => "Linked; 1 active user".to_owned(),
                Some(users) => format!("Linked; {users} active users"),
            };
            Progress {
                text,
                done: synced.is_some(),
            }
        }
        Intent::Sso => sso::progress(visit),
        Intent::CertificateRenewal => match certificates::next_end(visit) {
            Some(days) => Progress {
                text: format!("The certificate {}", certificates::told(days)),
                done: !certificates::is_soon(days),
            },
            None => Progress {
                text: "There is no certificate to renew".to_owned(),
                done: false,
            },
        },
        Intent::AuditLogs | Intent::LogStreams | Intent::BringYourOwnKey => Progress {
            text: "Not served by this emulator".to_owned(),
            done: false,
        },
    }
}

pub(super) fn is_any_done(visit: &Visit<'_>) -> bool {
    let mut intents = visit.session.access.intents.iter();
    intents.any(|intent| progress(visit, *intent).done)
}

pub(super) fn are_all_done(visit: &Visit<'_>) -> bool {
    let mut intents = visit.session.access.intents.iter();
    intents.all(|intent| progress(visit, *intent).done)
}
