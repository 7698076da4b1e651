//! Invitations of a test's set-up.

use std::fmt;

use super::{EmulatedEnvironment, EmulatorError, Organization, User};
use crate::api::user_management::invitations::{self, AcceptancePage, NewInvitation};

/// An invitation that was sent. `Debug` does not show what accepts it.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Invitation {
    /// `invitation_…`
    pub id: String,
    /// The invited address.
    pub email: String,
    /// The `invitation_token`, for applications with pages of their own.
    pub token: String,
    /// The link that accepts it, as in the e-mail.
    pub url: String,
}

impl fmt::Debug for Invitation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Invitation")
            .field("id", &self.id)
            .field("email", &self.email)
            .finish_non_exhaustive()
    }
}

/// An invitation to be sent: to the application, unless [`to`](Self::to) names an organization.
#[derive(Debug)]
#[must_use = "call create() to send the invitation"]
pub struct InvitationBuilder {
    environment: EmulatedEnvironment,
    new: NewInvitation,
}

impl InvitationBuilder {
    pub(super) fn new(environment: EmulatedEnvironment, email: String) -> Self {
        Self {
            environment,
            new: NewInvitation {
                email,
                ..NewInvitation::default()
            },
        }
    }

    /// The organization to join.
    pub fn to(mut self, organization: &Organization) -> Self {
        self.new.organization_id = Some(organization.id.clone());
        self
    }

    /// The role in the organization; without it, the default role.
    pub fn role(mut self, slug: impl Into<String>) -> Self {
        self.new.role_slug = Some(slug.into());
        self
    }

    /// Who invites; the e-mail names them.
    pub fn invited_by(mut self, user: &User) -> Self {
        self.new.inviter_user_id = Some(user.id.clone());
        self
    }

    /// How many days it is good, from 1 to 30; 7 unless set.
    pub fn expires_in_days(mut self, days: u8) -> Self {
        self.new.expires_in_days = Some(days.into());
        self
    }

    /// Sends the invitation: its e-mail is in the [`mailbox`](EmulatedEnvironment::mailbox).
    ///
    /// ```
    /// # async fn invite() -> Result<(), workos_emulator::EmulatorError> {
    /// let emulator = workos_emulator::Emulator::start().await?;
    /// let acme = emulator.organization("Acme").create()?;
    /// let invitation = emulator.invitation("ann@acme.example").to(&acme).create()?;
    /// let mail = emulator.mailbox().last_to("ann@acme.example").expect("it was sent");
    /// assert_eq!(mail.url(), Some(invitation.url.as_str()));
    /// # Ok(())
    /// # }
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(invite()).unwrap();
    /// ```
    ///
    /// # Errors
    /// When the address is wrong or invited already, its user is a member already, or there is no such role.
    pub fn create(self) -> Result<Invitation, EmulatorError> {
        let what = format!("inviting {}", self.new.email);
        let EmulatedEnvironment {
            inner, registry, url, ..
        } = &self.environment;
        let page = AcceptancePage::new(registry, inner, url);
        let new = self.new;
        let sent = inner.transact(|tx| {
            let invitation = invitations::send(tx, &page, new)?;
            Ok(Invitation {
                id: invitation.id.clone(),
                email: invitation.email.clone(),
                token: invitation.token.expose().to_owned(),
                url: page.url(tx, &invitation.token),
            })
        });
        sent.map_err(EmulatorError::refused(what))
    }
}
