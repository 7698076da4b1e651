//! Invitations. They are there already, like the rest of a seed, and no e-mail goes out.

use super::{super::format::Document, Planting};
use crate::api::user_management::invitations::{self, NewInvitation};

impl Planting<'_, '_> {
    pub(super) fn invitations(&mut self, document: &Document) {
        for (at, invitation) in document.invitations.iter().enumerate() {
            let new = NewInvitation {
                email: invitation.email.clone(),
                organization_id: invitation.organization_id.clone(),
                role_slug: invitation.role_slug.clone(),
                expires_in_days: invitation.expires_in_days,
                inviter_user_id: invitation.inviter_user_id.clone(),
            };
            let created = invitations::create(self.tx, new);
            if let Some(invitation) = self.accept(|| format!("invitations[{at}]"), created) {
                self.seeded.add("invitations", &invitation.email, &invitation.id);
            }
        }
    }
}
