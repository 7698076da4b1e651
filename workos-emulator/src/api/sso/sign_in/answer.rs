//! What the organization, the connection and the settings say of what an identity provider answers.

use std::sync::Arc;

use super::{
    domains,
    session::{Purpose, SsoSession},
};
use crate::{
    api::{
        sso::{
            connections,
            identity_provider::{self, Assertion, Refusal},
            profiles::{self, Profile},
            traces::{self, StepName},
        },
        user_management::{authorize::request::AuthorizationError, users},
    },
    server::error::ApiError,
    store::Transaction,
};

/// What the organization, the connection and the settings say of an answer. The inner error is for the application.
pub(crate) fn answer(
    tx: &mut Transaction<'_>,
    session: &SsoSession,
    answer: Result<Assertion, Refusal>,
) -> Result<Result<Arc<Profile>, AuthorizationError>, ApiError> {
    let id = session.id.as_str();
    let Some(connection) = tx.connections.get(&session.connection_id).cloned() else {
        return Ok(Err(AuthorizationError::new(
            "connection_invalid",
            "The connection does not exist any more.",
        )));
    };
    let provider = connection.r#type().name;
    let assertion = match answer {
        Ok(assertion) => {
            let names: Vec<_> = assertion.attributes.keys().map(String::as_str).collect();
            let detail = format!("{provider} sent an assertion with {}.", names.join(", "));
            traces::step(tx, id, StepName::Response, true, detail)?;
            assertion
        }
        Err(refusal) => {
            let (detail, error) = refused(provider, &refusal);
            traces::step(tx, id, StepName::Response, false, detail)?;
            return Ok(Err(error));
        }
    };
    if matches!(session.purpose, Purpose::Unsolicited { .. }) {
        if !connection.idp_initiated_sso {
            let detail = "IdP-initiated SSO is disabled for the connection.";
            traces::step(tx, id, StepName::Correlation, false, detail)?;
            return Ok(Err(AuthorizationError::new("idp_initiated_sso_disabled", detail)));
        }
        let detail = "IdP-initiated SSO is allowed for the connection.";
        traces::step(tx, id, StepName::Correlation, true, detail)?;
    } else {
        let detail = "It came to the browser that asked, for this sign-in, once.";
        traces::step(tx, id, StepName::Correlation, true, detail)?;
    }
    if !connection.state.is_linked() {
        let detail = "The connection is not active.";
        traces::step(tx, id, StepName::Connection, false, detail)?;
        return Ok(Err(unlinked()));
    }
    traces::step(
        tx,
        id,
        StepName::Connection,
        true,
        "The connection is active, or validating.",
    )?;
    let person = match identity_provider::person(&connection, &assertion) {
        Ok(person) => person,
        Err(missing) => {
            let detail = format!(
                "The profile's {} is missing: {provider} has to send it as '{}', or the connection has to map it.",
                missing.field, missing.attribute
            );
            traces::step(tx, id, StepName::Attributes, false, detail)?;
            return Ok(Err(failed()));
        }
    };
    let Some(email) = users::email::normalized(&person.email) else {
        let detail = format!("'{}' is not an email address.", person.email);
        traces::step(tx, id, StepName::Attributes, false, detail)?;
        return Ok(Err(failed()));
    };
    traces::identified(tx, id, &email, None)?;
    let detail = format!("{email}, known to {provider} as {}.", person.idp_id);
    traces::step(tx, id, StepName::Attributes, true, detail)?;
    let (allowed, detail) = domains::check(tx, &connection, &email);
    traces::step(tx, id, StepName::Domain, allowed, detail)?;
    if !allowed {
        return Ok(Err(AuthorizationError::new(
            "profile_not_allowed_outside_organization",
            "A profile was received that has an email that is outside the organization's domain, and the organization \
             does not allow this.",
        )));
    }
    let known = profiles::by_idp_id(tx, &connection.id, &person.idp_id).is_some();
    let profile = match profiles::record(tx, &connection, person, assertion.attributes) {
        Ok(profile) => profile,
        Err(refusal) => {
            traces::step(tx, id, StepName::Profile, false, refusal.explanation())?;
            return Ok(Err(failed()));
        }
    };
    traces::identified(tx, id, &email, Some(&profile.id))?;
    let what = if known { "is known" } else { "is new" };
    traces::step(
        tx,
        id,
        StepName::Profile,
        true,
        format!("The profile {} {what}.", profile.id),
    )?;
    if !connection.group_roles.is_empty() {
        let detail = format!(
            "Groups [{}] give the roles [{}].",
            profile.groups.join(", "),
            profile.roles.join(", ")
        );
        traces::step(tx, id, StepName::Roles, true, detail)?;
    }
    connections::activate(tx, &connection)?;
    Ok(Ok(profile))
}

fn refused(provider: &str, refusal: &Refusal) -> (String, AuthorizationError) {
    match refusal {
        Refusal::Denied => (
            format!("{provider} denied the person access."),
            AuthorizationError::new(
                "access_denied",
                "The identity provider denied the user's access to the client application.",
            ),
        ),
        Refusal::Failed(reason) => (format!("{provider} failed: {reason}"), failed()),
        Refusal::Untrusted(reason) => (format!("The answer is not to be believed: {reason}"), failed()),
    }
}

/// The sentence is that of the documentation of the code.
fn failed() -> AuthorizationError {
    AuthorizationError::new(
        "server_error",
        "The SSO authentication failed for the user. More detailed errors and steps to resolve are available in the \
         Sessions tab on the connection page in the WorkOS Dashboard.",
    )
}

/// The refusal of a connection that cannot be used.
pub(crate) fn unlinked() -> AuthorizationError {
    AuthorizationError::new(
        "connection_unlinked",
        "The connection associated with the request is unlinked.",
    )
}
