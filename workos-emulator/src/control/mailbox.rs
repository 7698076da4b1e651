//! `/_emulate/mailbox`: every e-mail that WorkOS would have sent.

use std::{sync::Arc, time::Duration};

use serde_json::json;

use super::clock;
use crate::{
    mail::{FILED, Message},
    server::{call::Call, error::ApiError, operation::Answer, reply::Reply},
    store::{List, Order, Page, Select, State, group},
};

/// How long [`wait_for_message`] waits unless it is told, in real time.
const TIMEOUT: &str = "5s";
/// The longest that it waits.
const LONGEST: Duration = Duration::from_secs(300);

/// Which messages are asked for.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Wanted<'a> {
    pub(crate) to: Option<&'a str>,
    pub(crate) kind: Option<&'a str>,
    /// The id of a message: only what came later.
    pub(crate) after: Option<&'a str>,
}

/// A page of the messages with the address and of the kind that is asked for.
pub(crate) fn page(state: &State, wanted: Wanted<'_>, page: &Page) -> Result<List<Arc<Message>>, ApiError> {
    let to = wanted.to.unwrap_or_default().to_lowercase();
    let select = Select::group(FILED, &group(&[&to, wanted.kind.unwrap_or_default()]));
    Ok(select.page(&state.messages, page)?)
}

/// The messages asked for, newest first.
pub(crate) fn messages(state: &State, wanted: Wanted<'_>) -> Result<Vec<Arc<Message>>, ApiError> {
    check_after(state, wanted)?;
    let all = Page {
        limit: state.messages.len(),
        // The list is read from its newest message on: what came later stands before.
        before: wanted.after.map(str::to_owned),
        ..Page::default()
    };
    Ok(page(state, wanted, &all)?.data)
}

/// What somebody who waits gets: the first message behind `after`, or the newest that there is.
pub(crate) fn next(state: &State, wanted: Wanted<'_>) -> Option<Arc<Message>> {
    // It is not known any more after a reset: the mailbox begins anew.
    let after = wanted.after.filter(|id| state.messages.place(id).is_some());
    let first = Page {
        limit: 1,
        order: match after {
            Some(_) => Order::Ascending,
            None => Order::Descending,
        },
        after: after.map(str::to_owned),
        before: None,
    };
    page(state, wanted, &first).ok()?.data.pop()
}

/// The message with this id, or the refusal.
pub(crate) fn find<'a>(state: &'a State, id: &str) -> Result<&'a Arc<Message>, ApiError> {
    state
        .messages
        .get(id)
        .ok_or_else(|| ApiError::not_found("Message", id))
}

fn check_after(state: &State, wanted: Wanted<'_>) -> Result<(), ApiError> {
    match wanted.after {
        Some(after) if state.messages.place(after).is_none() => Err(ApiError::not_found("Message", after)),
        _ => Ok(()),
    }
}

/// What is waited for, in words.
pub(crate) fn described(wanted: Wanted<'_>) -> String {
    let part = |before: &str, value: Option<&str>| {
        value.map_or_else(String::new, |value| format!(" {before}{value}"))
    };
    format!(
        "message{}{}{}",
        part("to ", wanted.to),
        part("of kind ", wanted.kind),
        part("behind ", wanted.after)
    )
}

/// What there is instead of it, in words.
pub(crate) fn instead(state: &State) -> String {
    match state.messages.iter().next_back() {
        None => "the mailbox is empty".to_owned(),
        Some(newest) => format!(
            "the newest of the mailbox's {} is “{}” ({}) to {}",
            state.messages.len(),
            newest.subject,
            newest.kind,
            newest.to
        ),
    }
}

fn wanted(call: &Call) -> Wanted<'_> {
    let given = |name| call.query.get(name).filter(|value| !value.is_empty());
    Wanted {
        to: given("to"),
        kind: given("kind"),
        after: given("after"),
    }
}

/// `GET /_emulate/mailbox?to=&kind=&after=`: newest first.
pub(super) fn list_messages(call: &Call) -> Result<Reply, ApiError> {
    let state = call.environment.state();
    Reply::ok(&json!({"data": messages(&state, wanted(call))?}))
}

/// `GET /_emulate/mailbox/wait?to=&kind=&after=&timeout=5s`: one message, as soon as there is one. With `after`, the first
/// behind that message; else the newest, be it an old one. 408 after `timeout` of real time, 5 minutes at most.
pub(super) fn wait_for_message(call: Call) -> Answer {
    Box::pin(async move {
        let wanted = wanted(&call);
        let timeout = call.query.get("timeout").unwrap_or(TIMEOUT);
        let limit = clock::duration("timeout", timeout)?;
        if limit > LONGEST {
            let message = "timeout is at most 5m: ask again for longer.";
            return Err(ApiError::invalid_field("timeout", "too_long", message));
        }
        check_after(&call.environment.state(), wanted)?;
        let found = call
            .environment
            .wait_for(limit, |state| next(state, wanted))
            .await;
        match found {
            Some(message) => Reply::ok(&message),
            None => Err(ApiError::new(
                408,
                "timeout",
                format!(
                    "No {} came within {timeout}; {}.",
                    described(wanted),
                    instead(&call.environment.state())
                ),
            )),
        }
    })
}

/// `GET /_emulate/mailbox/{id}`
pub(super) fn get_message(call: &Call) -> Result<Reply, ApiError> {
    Reply::ok(find(&call.environment.state(), call.param("id"))?)
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

    const ALL: Wanted<'static> = Wanted {
        to: None,
        kind: None,
        after: None,
    };

    /// Four messages, oldest first: three to Ann, of which the second is an invitation, and one to Bob.
    fn filled() -> (Environment, Vec<String>) {
        let environment = Environment::for_tests();
        let sent = [
            ("Ann@a.example", "magic_auth"),
            ("ann@a.example", "invitation"),
            ("Ann@a.example", "magic_auth"),
            ("bob@a.example", "magic_auth"),
        ];
        let ids = sent.map(|(to, kind)| {
            let mail = Mail {
                kind,
                to,
                ..Mail::default()
            };
            environment.transact(|tx| send(tx, mail)).unwrap().id.clone()
        });
        (environment, ids.to_vec())
    }

    #[test]
    fn finds_by_address_kind_and_place() {
        let (environment, ids) = filled();
        let state = environment.state();
        let found = |wanted| {
            let messages = messages(&state, wanted).unwrap().into_iter();
            messages
                .map(|message| ids.iter().position(|id| *id == message.id).unwrap())
                .collect::<Vec<_>>()
        };
        let to_ann = Wanted {
            to: Some("ann@A.example"),
            ..ALL
        };
        let first = Some(ids[0].as_str());
        assert_eq!(found(ALL), [3, 2, 1, 0]);
        assert_eq!(found(to_ann), [2, 1, 0]);
        for (wanted, expected) in [
            (
                Wanted {
                    kind: Some("magic_auth"),
                    ..to_ann
                },
                vec![2, 0],
            ),
            (
                Wanted {
                    kind: Some("invitation"),
                    ..ALL
                },
                vec![1],
            ),
            (Wanted { after: first, ..ALL }, vec![3, 2, 1]),
            (
                Wanted {
                    after: first,
                    ..to_ann
                },
                vec![2, 1],
            ),
            (
                Wanted {
                    after: Some(&ids[3]),
                    ..to_ann
                },
                vec![],
            ),
        ] {
            assert_eq!(found(wanted), expected, "{wanted:?}");
        }
        let unknown = Wanted {
            after: Some("message_x"),
            ..ALL
        };
        assert_eq!(messages(&state, unknown).unwrap_err().status, 404);
    }

    #[test]
    fn who_waits_gets_the_newest_or_the_first_behind() {
        let (environment, ids) = filled();
        let next = |wanted| next(&environment.state(), wanted).map(|message| message.id.clone());
        let to_ann = Wanted {
            to: Some("ann@a.example"),
            ..ALL
        };
        assert_eq!(next(to_ann).as_ref(), Some(&ids[2]));
        let behind_first = Wanted {
            after: Some(&ids[0]),
            ..to_ann
        };
        assert_eq!(next(behind_first).as_ref(), Some(&ids[1]));
        assert_eq!(
            next(Wanted {
                after: Some(&ids[2]),
                ..to_ann
            }),
            None
        );
        // The message that one has seen may be gone; after a reset nobody knows it.
        environment
            .transact(|tx| {
                tx.delete::<Message>(&ids[0]);
                Ok::<_, ApiError>(())
            })
            .unwrap();
        assert_eq!(next(behind_first).as_ref(), Some(&ids[1]));
        let unknown = Wanted {
            after: Some("message_x"),
            ..to_ann
        };
        assert_eq!(next(unknown).as_ref(), Some(&ids[2]));
    }

    #[test]
    fn says_what_was_missed_and_what_there_is() {
        let (environment, ids) = filled();
        let wanted = Wanted {
            to: Some("eve@a.example"),
            kind: Some("invitation"),
            after: Some(&ids[3]),
        };
        assert_eq!(
            described(wanted),
            format!("message to eve@a.example of kind invitation behind {}", ids[3])
        );
        assert_eq!(
            instead(&environment.state()),
            "the newest of the mailbox's 4 is “” (magic_auth) to bob@a.example"
        );
        assert_eq!(instead(&State::default()), "the mailbox is empty");
    }
}
