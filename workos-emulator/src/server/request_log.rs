//! The last requests to an environment, as they came and were answered. They are kept as bytes: what a request costs more is a
//! few pointers, and only who reads the log parses them.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use actix_web::web::Bytes;
use jiff::Timestamp;

use super::reply::Reply;

/// The most requests that are kept.
const MOST: usize = 1_000;
/// The most bytes of bodies that are kept, of all requests together.
const MOST_BYTES: usize = 16 * 1024 * 1024;
/// A longer body is not kept; its length is.
pub(crate) const LONGEST_BODY: usize = 64 * 1024;

/// A request and its answer.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    /// `X-Request-ID`, which clients may choose.
    pub(crate) request_id: String,
    pub(crate) method: String,
    pub(crate) path: String,
    /// Without the question mark.
    pub(crate) query: String,
    /// The official SDK's name of the operation; None where there is no such operation.
    pub(crate) operation: Option<&'static str>,
    /// The request's.
    pub(crate) content_type: Option<String>,
    pub(crate) request_body: Bytes,
    pub(crate) status: u16,
    /// Where to, of a redirection.
    pub(crate) location: Option<String>,
    /// Of an answer in JSON.
    pub(crate) response_body: Bytes,
    /// Real time from the request's head to the answer.
    pub(crate) duration: Duration,
    /// The environment's time of the answer.
    pub(crate) created_at: Timestamp,
}

/// An entry and its number, which tells entries apart: they ascend by one for as long as the environment lives.
pub(crate) type Numbered = (u64, Arc<Entry>);

/// The log. It stands beside the environment's state: a fork begins with an empty one.
#[derive(Debug, Default)]
pub(crate) struct RequestLog(Mutex<Kept>);

#[derive(Debug, Default)]
struct Kept {
    /// Oldest first.
    entries: VecDeque<Numbered>,
    /// Of their bodies.
    bytes: usize,
    /// The number of the newest entry that there ever was.
    last: u64,
}

impl Entry {
    fn bytes(&self) -> usize {
        let kept = |body: &Bytes| if body.len() > LONGEST_BODY { 0 } else { body.len() };
        kept(&self.request_body) + kept(&self.response_body)
    }
}

impl RequestLog {
    fn with<T>(&self, run: impl FnOnce(&mut Kept) -> T) -> T {
        run(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Adds a request; the oldest ones go where there are too many.
    pub(crate) fn record(&self, entry: Entry) {
        self.with(|kept| {
            kept.bytes += entry.bytes();
            kept.last += 1;
            kept.entries.push_back((kept.last, Arc::new(entry)));
            while kept.entries.len() > MOST || kept.bytes > MOST_BYTES {
                let Some((_, oldest)) = kept.entries.pop_front() else {
                    break;
                };
                kept.bytes -= oldest.bytes();
            }
        });
    }

    /// Newest first, behind the entry with this number; 0 for all.
    pub(crate) fn after(&self, number: u64) -> Vec<Numbered> {
        self.with(|kept| {
            let entries = kept.entries.iter().rev();
            entries.take_while(|(own, _)| *own > number).cloned().collect()
        })
    }

    /// The number of the newest entry that there ever was.
    pub(crate) fn last(&self) -> u64 {
        self.with(|kept| kept.last)
    }

    pub(crate) fn empty(&self) {
        self.with(|kept| {
            kept.entries.clear();
            kept.bytes = 0;
        });
    }
}

/// A reply whose body both the client and the log have.
pub(crate) struct Answered {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: Bytes,
}

impl From<Reply> for Answered {
    fn from(reply: Reply) -> Self {
        Self {
            status: reply.status,
            headers: reply.headers,
            body: reply.body.into(),
        }
    }
}

impl Answered {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.headers.iter();
        let (_, value) = headers.find(|(own, _)| own.eq_ignore_ascii_case(name))?;
        Some(value)
    }

    pub(crate) fn is_json(&self) -> bool {
        self.header("Content-Type")
            .is_some_and(|media_type| media_type.contains("json"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(body: usize) -> Entry {
        Entry {
            request_id: "req".to_owned(),
            method: "POST".to_owned(),
            path: "/organizations".to_owned(),
            query: String::new(),
            operation: None,
            content_type: None,
            request_body: Bytes::from(vec![b' '; body]),
            status: 201,
            location: None,
            response_body: Bytes::new(),
            duration: Duration::ZERO,
            created_at: Timestamp::UNIX_EPOCH,
        }
    }

    fn numbers(log: &RequestLog, after: u64) -> Vec<u64> {
        log.after(after).iter().map(|(number, _)| *number).collect()
    }

    #[test]
    fn keeps_the_newest_in_bounded_memory() {
        let log = RequestLog::default();
        for _ in 0..MOST + 2 {
            log.record(entry(10));
        }
        let kept = numbers(&log, 0);
        assert_eq!((kept.len(), kept[0], kept[MOST - 1]), (MOST, 1_002, 3));
        assert_eq!(numbers(&log, 1_000), [1_002, 1_001]);
        // Long bodies push others out; too long ones are not kept.
        for _ in 0..MOST_BYTES / LONGEST_BODY + 1 {
            log.record(entry(LONGEST_BODY));
        }
        assert_eq!(numbers(&log, 0).len(), MOST_BYTES / LONGEST_BODY);
        let before = numbers(&log, 0).len();
        log.record(entry(LONGEST_BODY + 1));
        assert_eq!(numbers(&log, 0).len(), before + 1);
        log.empty();
        assert_eq!(numbers(&log, 0), [0; 0]);
        log.record(entry(1));
        assert_eq!(numbers(&log, 0), [log.last()], "numbers go on");
    }
}
