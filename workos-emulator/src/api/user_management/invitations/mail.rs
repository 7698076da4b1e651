//! The e-mail that invites, and the link in it.

use std::sync::Arc;

use url::form_urlencoded;

use super::Invitation;
use crate::{
    core::secret::Secret,
    environment::Environment,
    hosted,
    mail::{self, Mail},
    server::{call::Call, error::ApiError, registry::Registry},
    store::{State, Transaction},
};

/// Where people accept invitations: the emulator's own page on the host that the client uses, or the application's where
/// the setting `invitation_url` names it.
#[derive(Debug, Clone)]
pub(crate) struct AcceptancePage {
    base_url: String,
    /// None where no client id is needed to find the environment.
    client_id: Option<String>,
}

impl AcceptancePage {
    pub(crate) fn of(call: &Call) -> Self {
        Self::new(&call.registry, &call.environment, &call.base_url())
    }

    pub(crate) fn new(registry: &Registry, environment: &Arc<Environment>, base_url: &str) -> Self {
        let is_default = Arc::ptr_eq(registry.default_environment(), environment);
        Self {
            base_url: base_url.to_owned(),
            client_id: (!is_default).then(|| environment.client_id.clone()),
        }
    }

    /// For a rule that does not know who called it. None where no client says how it reaches the emulator.
    pub(super) fn within(tx: &Transaction<'_>) -> Option<Self> {
        Some(Self {
            base_url: tx.base_url()?.to_owned(),
            client_id: Some(tx.client_id().to_owned()),
        })
    }

    /// The link that accepts the invitation with this token.
    pub(crate) fn url(&self, state: &State, token: &Secret) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        let page = match &state.settings().invitation_url {
            Some(url) => url.clone(),
            None => {
                query.extend_pairs(self.client_id.iter().map(|id| ("client_id", id)));
                format!("{}{}", self.base_url, hosted::invitation::PATH)
            }
        };
        let query = query.append_pair("invitation_token", token.expose()).finish();
        let separator = if page.contains('?') { '&' } else { '?' };
        format!("{page}{separator}{query}")
    }
}

/// Who invites, and to what, in a sentence: `Ada Lovelace invited you to join Acme.`
///
/// `application` is what the application is called.
pub(crate) fn sentence(state: &State, invitation: &Invitation, application: &str) -> String {
    let organization = invitation
        .organization_id
        .as_deref()
        .and_then(|id| state.organizations.get(id));
    let to = organization.map_or(application, |organization| organization.name.as_str());
    let inviter = invitation
        .inviter_user_id
        .as_deref()
        .and_then(|id| state.users.get(id));
    match inviter {
        Some(inviter) => {
            let name = inviter.name.as_deref().unwrap_or(&inviter.email);
            format!("{name} invited you to join {to}.")
        }
        None => format!("You are invited to join {to}."),
    }
}

/// Puts the invitation into the mailbox. Assumption: its text is English, whatever `locale` was asked for.
pub(super) fn send(
    tx: &mut Transaction<'_>,
    page: &AcceptancePage,
    invitation: &Invitation,
) -> Result<(), ApiError> {
    let sentence = sentence(tx, invitation, tx.shown_name());
    let url = page.url(tx, &invitation.token);
    let ends = invitation.expires_at.strftime("%-d %B %Y, %H:%M UTC");
    let mail = Mail {
        kind: "invitation",
        to: &invitation.email,
        subject: sentence.trim_end_matches('.'),
        lead: &sentence,
        token: Some(invitation.token.expose()),
        link: Some(("Accept the invitation", &url)),
        note: &format!(
            "The link is good until {ends}. If you do not know who invites you, ignore this e-mail."
        ),
        ..Mail::default()
    };
    mail::send(tx, mail).map(drop)
}
