//! Whom an assertion is from, whom it is for, and when. Each check says why it passes, or why it does not.

use jiff::Timestamp;

use super::{
    Expected, LEEWAY,
    read::{given, time},
};
use crate::{
    api::sso::saml::ASSERTION,
    core::{clock, xml::Element},
};

impl Expected {
    /// Who says it.
    pub(super) fn issuer(&self, response: &Element<'_>, assertion: &Element<'_>) -> Result<String, String> {
        let of = |element: &Element<'_>| {
            element
                .first(ASSERTION, "Issuer")
                .and_then(|issuer| issuer.text())
        };
        let issuer = of(assertion).ok_or("The assertion has no Issuer.")?;
        if let Some(other) = of(response).filter(|other| *other != issuer) {
            return Err(format!(
                "The response is issued by {other}, and the assertion by {issuer}."
            ));
        }
        match &self.idp_entity_id {
            Some(expected) if *expected != issuer => Err(format!(
                "It is issued by {issuer}, but the entity id of the connection's identity provider is {expected}."
            )),
            Some(_) => Ok(format!("It is issued by {issuer}.")),
            None => Ok(format!(
                "It is issued by {issuer}; the connection has no idp_entity_id to compare it with."
            )),
        }
    }

    /// Where it was sent to.
    pub(super) fn recipient(
        &self,
        response: &Element<'_>,
        confirmation: &Element<'_>,
    ) -> Result<String, String> {
        let acs_url = &self.service_provider.acs_url;
        if let Some(destination) = given(response, "Destination").filter(|destination| destination != acs_url)
        {
            return Err(format!(
                "The Destination is {destination}, but the connection's ACS URL is {acs_url}."
            ));
        }
        match given(confirmation, "Recipient") {
            Some(recipient) if recipient == *acs_url => Ok(format!("It is for {acs_url}.")),
            Some(recipient) => Err(format!(
                "The Recipient is {recipient}, but the connection's ACS URL is {acs_url}."
            )),
            None => Err("The SubjectConfirmationData have no Recipient.".to_owned()),
        }
    }

    /// Each restriction names the service provider.
    pub(super) fn audience(&self, assertion: &Element<'_>) -> Result<String, String> {
        let own = &self.service_provider.entity_id;
        let conditions = assertion
            .first(ASSERTION, "Conditions")
            .ok_or("The assertion has no Conditions.")?;
        let restrictions: Vec<Vec<String>> = conditions
            .all(ASSERTION, "AudienceRestriction")
            .map(|restriction| {
                restriction
                    .all(ASSERTION, "Audience")
                    .filter_map(|one| one.text())
                    .collect()
            })
            .collect();
        if restrictions.is_empty() {
            return Err("The assertion has no AudienceRestriction: it could be for anybody.".to_owned());
        }
        match restrictions.iter().find(|audiences| !audiences.contains(own)) {
            None => Ok(format!("It is for {own}.")),
            Some(audiences) => Err(format!(
                "The audience is {}, but the connection's SP entity id is {own}.",
                audiences.join(", ")
            )),
        }
    }

    /// Until when it is good, by the environment's clock.
    pub(super) fn validity(
        &self,
        response: &Element<'_>,
        assertion: &Element<'_>,
        confirmation: &Element<'_>,
    ) -> Result<Timestamp, String> {
        let now = self.now;
        let conditions = assertion.first(ASSERTION, "Conditions");
        let sessions = assertion.all(ASSERTION, "AuthnStatement");
        let mut ends = Vec::new();
        let limited = [conditions, Some(*confirmation)].into_iter().flatten();
        for (element, from, until) in limited
            .map(|element| (element, "NotBefore", "NotOnOrAfter"))
            .chain(sessions.map(|element| (element, "AuthnInstant", "SessionNotOnOrAfter")))
        {
            if let Some(from) =
                time(&element, from)?.filter(|from| *from > clock::saturating_add(now, LEEWAY))
            {
                return Err(format!(
                    "It is valid from {} on, and it is {} now.",
                    clock::iso8601(from),
                    clock::iso8601(now)
                ));
            }
            ends.extend(time(&element, until)?);
        }
        for element in [response, assertion] {
            let issued = time(element, "IssueInstant")?
                .ok_or_else(|| format!("The {} has no IssueInstant.", element.name()))?;
            if issued > clock::saturating_add(now, LEEWAY) {
                return Err(format!(
                    "It was issued at {}, and it is {} now.",
                    clock::iso8601(issued),
                    clock::iso8601(now)
                ));
            }
        }
        if time(confirmation, "NotOnOrAfter")?.is_none() {
            return Err(
                "The SubjectConfirmationData have no NotOnOrAfter: it could be used forever.".to_owned(),
            );
        }
        let end = ends.into_iter().min().unwrap_or(now);
        if clock::saturating_add(end, LEEWAY) <= now {
            return Err(format!(
                "It was valid until {}, and it is {} now.",
                clock::iso8601(end),
                clock::iso8601(now)
            ));
        }
        Ok(end)
    }
}
