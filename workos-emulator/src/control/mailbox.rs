//! `/_emulate/mailbox`: every e-mail that WorkOS would have sent.

use std::{collections::HashSet, sync::Arc};

use serde_json::json;

use crate::{
    mail::{BY_RECIPIENT, Message},
    server::{call::Call, error::ApiError, reply::Reply},
    store::State,
};

/// Which messages are asked for.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Wanted<'a> {
    pub(crate) to: Option<&'a str>,
    pub(crate) kind: Option<&'a str>,
    /// The id of a message: only what came later.
    pub(crate) after: Option<&'a str>,
}

/// The messages asked for, newest first.
pub(crate) fn messages<'a>(state: &'a State, wanted: Wanted<'_>) -> Result<Vec<&'a Arc<Message>>, ApiError> {
    let mut found: Vec<_> = match wanted.to {
        Some(to) => state.messages.group(BY_RECIPIENT, &to.to_lowercase()).collect(),
        None => state.messages.iter().collect(),
    };
    if let Some(after) = wanted.after {
        let from = state
            .messages
            .get(after)
            .ok_or_else(|| ApiError::not_found("Message", after))?;
        // Ids ascend within a millisecond, and the clock may have been set back: the order of the table counts.
        let later: HashSet<_> = state
            .messages
            .iter()
            .skip_while(|message| message.id != from.id)
            .skip(1)
            .map(|message| message.id.as_str())
            .collect();
        found.retain(|message| later.contains(message.id.as_str()));
    }
    if let Some(kind) = wanted.kind {
        found.retain(|message| message.kind == kind);
    }
    found.reverse();
    Ok(found)
}

/// `GET /_emulate/mailbox?to=&kind=&after=`: newest first.
pub(super) fn list_messages(call: &Call) -> Result<Reply, ApiError> {
    let given = |name| call.query.get(name).filter(|value| !value.is_empty());
    let wanted = Wanted {
        to: given("to"),
        kind: given("kind"),
        after: given("after"),
    };
    let state = call.environment.state();
    Reply::ok(&json!({"data": messages(&state, wanted)?}))
}

/// `DELETE /_emulate/mailbox`
pub(super) fn empty_mailbox(call: &Call) -> Result<Reply, ApiError> {
    call.environment.transact(|tx| {
        let ids: Vec<_> = tx.messages.iter().map(|message| message.id.clone()).collect();
        for id in ids {
            tx.delete::<Message>(&id);
        }
        Ok::<_, ApiError>(())
    })?;
    Reply::empty(204)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        environment::Environment,
        mail::{Mail, send},
    };

    fn mail<'a>(to: &'a str, kind: &'a str) -> Mail<'a> {
        Mail {
            kind,
            to,
            ..Mail::default()
        }
    }

    #[test]
    fn finds_by_address_kind_and_place() {
        let environment = Environment::for_tests();
        environment
            .transact(|tx| {
                for kind in ["magic_auth", "invitation", "magic_auth"] {
                    send(tx, mail("Ann@a.example", kind))?;
                }
                send(tx, mail("bob@a.example", "magic_auth"))
            })
            .unwrap();
        let state = environment.state();
        let found = |wanted| {
            messages(&state, wanted)
                .unwrap()
                .into_iter()
                .map(|message| message.id.clone())
                .collect::<Vec<_>>()
        };
        let of_ann = Wanted {
            to: Some("ann@A.example"),
            ..Wanted::default()
        };
        assert_eq!(found(of_ann).len(), 3);
        assert_eq!(
            found(Wanted {
                kind: Some("magic_auth"),
                ..of_ann
            })
            .len(),
            2
        );
        assert_eq!(
            found(Wanted::default())[0],
            *state.messages.iter().last().unwrap().id
        );
        let first = state.messages.iter().next().unwrap().id.clone();
        assert_eq!(
            found(Wanted {
                after: Some(&first),
                ..Wanted::default()
            })
            .len(),
            3
        );
        assert_eq!(
            messages(
                &state,
                Wanted {
                    after: Some("message_x"),
                    ..Wanted::default()
                }
            )
            .unwrap_err()
            .status,
            404
        );
    }
}
