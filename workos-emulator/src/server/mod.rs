//! HTTP: from a request to an operation, and from its outcome to a response.
//!
//! [`routes`] is the table of everything that is served; [`dispatch`] takes a request through it.

pub(crate) mod api_key;
pub(crate) mod body;
pub(crate) mod call;
mod client_id;
mod cors;
pub(crate) mod dispatch;
pub(crate) mod error;
mod multipart;
pub(crate) mod operation;
mod origin;
pub(crate) mod pagination;
pub(crate) mod registry;
pub(crate) mod reply;
pub(crate) mod request_log;
pub(crate) mod routes;

#[cfg(test)]
mod hostile_tests;
