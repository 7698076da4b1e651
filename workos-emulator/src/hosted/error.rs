//! The error page: for requests that must not be sent on, as it is not known where to.

use super::{chrome, page, pages::ErrorPage};
use crate::{
    api::{connect::applications::ConnectApplication, user_management::invitations::InvitationState},
    server::{call::Call, error::ApiError, reply::Reply},
};

/// What the page says, and how to mend it.
struct Problem<'a> {
    title: &'a str,
    what_happened: &'a str,
    why: &'a str,
    what_to_do: &'a str,
    example: Option<&'a str>,
}

fn show(call: &Call, status: u16, problem: &Problem<'_>) -> Result<Reply, ApiError> {
    page(
        status,
        &ErrorPage {
            chrome: chrome(&call.environment),
            title: problem.title,
            what_happened: problem.what_happened,
            why: problem.why,
            what_to_do: problem.what_to_do,
            example: problem.example,
            request_id: call.request_id(),
        },
    )
}

/// `client_id` is missing, or of no environment.
pub(crate) fn unknown_client(call: &Call, client_id: &str) -> Result<Reply, ApiError> {
    let known = &call.registry.default_environment().client_id;
    show(
        call,
        400,
        &Problem {
            title: "Unknown client ID",
            what_happened: &format!("An application asked for a sign-in with the client_id “{client_id}”."),
            why: "No environment of this emulator has this client ID.",
            what_to_do: "Set WORKOS_CLIENT_ID in the application to the client ID of its environment. \
                         The default environment's is:",
            example: Some(&format!("WORKOS_CLIENT_ID={known}")),
        },
    )
}

/// `client_id` is of no Connect application that people can sign in to.
pub(crate) fn unknown_application(call: &Call, client_id: &str) -> Result<Reply, ApiError> {
    let base_url = call.base_url();
    show(
        call,
        400,
        &Problem {
            title: "Unknown application",
            what_happened: &format!("An application asked for a sign-in with the client_id “{client_id}”."),
            why: "No Connect application of the type oauth has this client ID. The client ID of AuthKit itself, and \
                  those of M2M applications, do not work here.",
            what_to_do: "Use the client ID of a Connect application, or create one:",
            example: Some(&format!(
                "curl {base_url}/connect/applications -H 'Authorization: Bearer sk_…' \\\n  \
                 -H 'Content-Type: application/json' -d '{{\"name\": \"…\", \"application_type\": \"oauth\", \
                 \"is_first_party\": true, \"redirect_uris\": [{{\"uri\": \"https://…\"}}]}}'"
            )),
        },
    )
}

/// `redirect_uri` is not one of the Connect application's.
pub(crate) fn not_a_redirect_uri_of(
    call: &Call,
    application: &ConnectApplication,
    redirect_uri: &str,
) -> Result<Reply, ApiError> {
    let base_url = call.base_url();
    show(
        call,
        400,
        &Problem {
            title: "This redirect URI is not registered",
            what_happened: &format!(
                "The application “{}” asked for people to be sent to “{redirect_uri}” after the sign-in.",
                application.name
            ),
            why: "It must equal one of the redirect URIs of the application, to the letter.",
            what_to_do: "Correct the redirect URI in the application, or register it:",
            example: Some(&format!(
                "curl -X PUT {base_url}/connect/applications/{} -H 'Authorization: Bearer sk_…' \\\n  \
                 -H 'Content-Type: application/json' -d '{{\"redirect_uris\": [{{\"uri\": \"https://…\"}}]}}'",
                application.id
            )),
        },
    )
}

/// The link of an impersonation that was opened before, is too old, or never was one.
pub(crate) fn impersonation_over(call: &Call) -> Result<Reply, ApiError> {
    show(
        call,
        400,
        &Problem {
            title: "This impersonation link is over",
            what_happened: "Somebody opened a link that begins an impersonation.",
            why: "Such a link can be opened once, within ten minutes.",
            what_to_do: "Ask for a new one:",
            example: Some(&format!(
                "curl {}/_emulate/impersonations -H 'Content-Type: application/json' \\\n  \
                 -d '{{\"email\": \"…\", \"impersonator_email\": \"…\", \"reason\": \"…\"}}'",
                call.base_url()
            )),
        },
    )
}

/// The link of an invitation that cannot be accepted: what became of it, or nothing is known of it.
pub(super) fn invitation_over(call: &Call, state: Option<InvitationState>) -> Result<Reply, ApiError> {
    let (title, what_happened, why, what_to_do) = match state {
        Some(InvitationState::Accepted) => (
            "This invitation was accepted already",
            "You opened the link of an invitation that was accepted.",
            "An invitation can be accepted once.",
            "If it was you, go to the application and sign in: you have joined. If it was not, tell the person who \
             invited you.",
        ),
        Some(InvitationState::Expired) => (
            "This invitation has expired",
            "You opened the link of an invitation that is too old.",
            "An invitation is good for as many days as its e-mail says, a week for the most part.",
            "Ask the person who invited you for a new invitation.",
        ),
        Some(InvitationState::Revoked) => (
            "This invitation was withdrawn",
            "You opened the link of an invitation that is good no more.",
            "Whoever sent it has withdrawn it.",
            "If you think that this is a mistake, ask the person who invited you.",
        ),
        Some(InvitationState::Pending) | None => (
            "This invitation is not known",
            "You opened the link of an invitation that there is not.",
            "The link is not complete, or the invitation was deleted.",
            "Open the link in the e-mail once more, or copy all of it. If that does not help, ask the person who \
             invited you for a new invitation.",
        ),
    };
    let problem = Problem {
        title,
        what_happened,
        why,
        what_to_do,
        example: None,
    };
    show(call, 400, &problem)
}

/// An invitation leads to the default redirect URI, and there is none.
pub(super) fn no_default_redirect_uri(call: &Call) -> Result<Reply, ApiError> {
    let base_url = call.base_url();
    show(
        call,
        400,
        &Problem {
            title: "There is no application to go to",
            what_happened: "Somebody accepted an invitation.",
            why: "After that, the browser goes to the default redirect URI of the environment, and it has none.",
            what_to_do: "Register the redirect URI of the application (the first one is the default), or let the \
                         setting invitation_url name a page of the application:",
            example: Some(&format!(
                "curl {base_url}/user_management/redirect_uris -H 'Authorization: Bearer sk_…' \\\n  \
                 -H 'Content-Type: application/json' -d '{{\"uri\": \"https://…\"}}'"
            )),
        },
    )
}

/// `redirect_uri` is missing, malformed, or not one of the environment's.
pub(crate) fn redirect_uri_not_allowed(call: &Call, redirect_uri: &str) -> Result<Reply, ApiError> {
    let why = if call.environment.state().redirect_uris.len() == 0 {
        "The environment has no registered redirect URIs. As long as that is so, only addresses of this machine are \
         allowed, such as http://localhost:3000/callback."
    } else {
        "It must equal a redirect URI that is registered for the environment, to the letter."
    };
    let base_url = call.base_url();
    show(
        call,
        400,
        &Problem {
            title: "This redirect URI is not registered",
            what_happened: &format!("An application asked to be sent to “{redirect_uri}” after the sign-in."),
            why,
            what_to_do: "Correct the redirect URI of the application, or register it:",
            example: Some(&format!(
                "curl {base_url}/user_management/redirect_uris -H 'Authorization: Bearer sk_…' \\\n  \
                 -H 'Content-Type: application/json' -d '{{\"uri\": \"https://…\"}}'"
            )),
        },
    )
}

/// `return_to` of a sign-out leads to a site that is not the application's.
pub(crate) fn return_to_not_allowed(call: &Call, return_to: &str) -> Result<Reply, ApiError> {
    show(
        call,
        400,
        &Problem {
            title: "You are signed out, but cannot go there",
            what_happened: &format!("An application asked to be sent to “{return_to}” after the sign-out."),
            why: "After a sign-out the browser is only sent to one of the environment's sign-out redirects. As long as it \
                  has none: to this machine, or to the site of a registered redirect URI.",
            what_to_do: "Correct return_to, or add it to the sign-out redirects:",
            example: Some(&format!(
                "curl -X PATCH {}/_emulate/settings -H 'Content-Type: application/json' \\\n  \
                 -d '{{\"sign_out_redirect_uris\": [\"https://…\"]}}'",
                call.base_url()
            )),
        },
    )
}

/// A page of the control API was opened for an environment that is not there.
pub(crate) fn unknown_environment(call: &Call) -> Result<Reply, ApiError> {
    let wanted = call.query.get("environment").unwrap_or_default();
    show(
        call,
        404,
        &Problem {
            title: "Unknown environment",
            what_happened: &format!("Somebody opened this page for the environment “{wanted}”."),
            why: "No environment of this emulator has this name, or this ID.",
            what_to_do: "Leave environment away to see the default one, or ask for those that there are:",
            example: Some(&format!("curl {}/_emulate/environments", call.base_url())),
        },
    )
}

/// A message is not in the mailbox.
pub(super) fn message_not_found(call: &Call, mailbox: &str) -> Result<Reply, ApiError> {
    show(
        call,
        404,
        &Problem {
            title: "There is no such message",
            what_happened: "Somebody opened a message of the mailbox.",
            why: "It was never sent in this environment, or the mailbox has forgotten it since: after a reset, or for newer \
                  ones.",
            what_to_do: "Look for it among those that are there:",
            example: Some(&format!("{}{mailbox}", call.base_url())),
        },
    )
}

/// The sign-in is over, timed out, or was started by another browser: all the same to who has no part in it.
pub(super) fn sign_in_not_found(call: &Call) -> Result<Reply, ApiError> {
    show(
        call,
        400,
        &Problem {
            title: "This sign-in is over",
            what_happened: "The sign-in that this page belongs to has ended, or was started in another browser.",
            why: "A sign-in can be finished once, within ten minutes unless set otherwise, and only in the browser \
                  that started it, with cookies.",
            what_to_do: "Go back to the application and sign in again.",
            example: None,
        },
    )
}

/// Somebody signs up where nobody can.
pub(super) fn sign_up_closed(call: &Call) -> Result<Reply, ApiError> {
    show(
        call,
        403,
        &Problem {
            title: "Nobody can sign up here",
            what_happened: "Somebody tried to create an account.",
            why: "The environment's sign-up is switched off: accounts are made by the application, or by invitation.",
            what_to_do: "Sign in with an account that is there, or switch sign-up on:",
            example: Some(&format!(
                "curl -X PATCH {}/_emulate/settings -H 'Content-Type: application/json' \\\n  -d '{{\"sign_up\": true}}'",
                call.base_url()
            )),
        },
    )
}

/// The page of a provider was opened by somebody else than AuthKit.
pub(super) fn provider_not_asked(call: &Call) -> Result<Reply, ApiError> {
    show(
        call,
        400,
        &Problem {
            title: "This is no way to a provider",
            what_happened: "Somebody opened the page that stands in for a provider of social login, and not by AuthKit.",
            why: "It takes the requests of AuthKit only, and sends people back to AuthKit only.",
            what_to_do: "Go back to the application and sign in again. If the emulator stands behind a proxy, \
                         give it the address that browsers use:",
            example: Some("workos-emulator --public-url https://…"),
        },
    )
}

/// The page of an identity provider was opened for a sign-in that is over, or for no connection.
pub(super) fn identity_provider_not_asked(call: &Call) -> Result<Reply, ApiError> {
    show(
        call,
        400,
        &Problem {
            title: "This is no way to an identity provider",
            what_happened: "Somebody opened the page that stands in for an organization’s identity provider, for a \
                            connection that is not there or a sign-in that is over.",
            why: "It takes the requests of WorkOS, within ten minutes unless set otherwise, and people who begin there.",
            what_to_do: "Go back to the application and sign in again, or begin at the address that is the idp_url of:",
            example: Some(&format!(
                "curl -X PATCH {}/_emulate/connections/conn_… -H 'Content-Type: application/json' -d '{{}}'",
                call.base_url()
            )),
        },
    )
}

/// The test identity provider was asked for something that it does not do.
pub(super) fn saml_request_refused(call: &Call, why: &str) -> Result<Reply, ApiError> {
    show(
        call,
        400,
        &Problem {
            title: "This request is not answered",
            what_happened: "A service provider sent a SAML request to the page that stands in for an organization’s \
                            identity provider.",
            why: &format!("It cannot be answered: {why}."),
            what_to_do: "Go back to the application and sign in again. A service provider that is not WorkOS takes \
                         answers at one of the environment’s redirect URIs.",
            example: None,
        },
    )
}

/// There is no SAML connection with this key.
pub(super) fn saml_connection_not_found(call: &Call) -> Result<Reply, ApiError> {
    show(
        call,
        404,
        &Problem {
            title: "This is the address of no connection",
            what_happened: "An identity provider sent a SAML response, or somebody asked for the metadata of a service \
                            provider.",
            why: "No SAML connection has the key at the end of the address.",
            what_to_do: "Take the addresses from the connection, where they are saml.acs_url and saml.metadata_url:",
            example: Some(&format!(
                "curl -X PATCH {}/_emulate/connections/conn_… -H 'Content-Type: application/json' -d '{{}}'",
                call.base_url()
            )),
        },
    )
}

/// Somebody began at their identity provider, and the environment does not say where to go.
pub(super) fn identity_provider_leads_nowhere(call: &Call) -> Result<Reply, ApiError> {
    show(
        call,
        400,
        &Problem {
            title: "There is no default redirect URI",
            what_happened: "Somebody signed in at their identity provider, without an application that asked for it.",
            why: "Such a sign-in leads to the default redirect URI of the environment, or to the one of its RelayState; \
                  there is neither.",
            what_to_do: "Register a redirect URI: the first one is the default.",
            example: Some(&format!(
                "curl {}/user_management/redirect_uris -H 'Authorization: Bearer sk_…' \\\n  \
                 -H 'Content-Type: application/json' -d '{{\"uri\": \"https://…\"}}'",
                call.base_url()
            )),
        },
    )
}

/// A link to the Admin Portal that was opened before, is too old, was revoked, or never was one.
pub(super) fn portal_link_over(call: &Call) -> Result<Reply, ApiError> {
    show(
        call,
        400,
        &Problem {
            title: "This link is over",
            what_happened: "Somebody opened a link to the Admin Portal.",
            why: "A link of an application can be opened once, within five minutes; one in an e-mail works for 30 days, \
                  until the setup is done or the link is revoked.",
            what_to_do: "Go back to the application and open the portal again, or ask for another invitation.",
            example: None,
        },
    )
}

/// A page of the Admin Portal without a session that may see it: all the same to who has no part in it.
pub(super) fn portal_session_over(call: &Call) -> Result<Reply, ApiError> {
    show(
        call,
        400,
        &Problem {
            title: "This page is not open to you",
            what_happened: "The session of the Admin Portal has ended, was started in another browser, or is for something \
                            else.",
            why: "A link opens the portal for a few hours, for what it was made for, and only in the browser that opened \
                  it, with cookies.",
            what_to_do: "Go back to the application and open the portal again.",
            example: None,
        },
    )
}

/// A form of the Admin Portal was sent by a page of another site.
pub(super) fn cross_site_portal(call: &Call) -> Result<Reply, ApiError> {
    show(
        call,
        403,
        &Problem {
            title: "This form was sent from another site",
            what_happened: "Another site tried to change the setup of your organization in your place.",
            why: "Forms of the Admin Portal are only taken from its own pages.",
            what_to_do: "Go back to the application and open the portal again. If the emulator stands behind a proxy, \
                         give it the address that browsers use:",
            example: Some("workos-emulator --public-url https://…"),
        },
    )
}

/// A form was sent by a page of another site.
pub(super) fn cross_site(call: &Call) -> Result<Reply, ApiError> {
    show(
        call,
        403,
        &Problem {
            title: "This form was sent from another site",
            what_happened: "Another site tried to sign in, or to choose an organization, in your place.",
            why: "Forms of the sign-in pages are only taken from these pages.",
            what_to_do: "Go back to the application and sign in again. If the emulator stands behind a proxy, \
                         give it the address that browsers use:",
            example: Some("workos-emulator --public-url https://…"),
        },
    )
}
