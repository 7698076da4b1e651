//! Webhooks: events on their way to endpoints.
//!
//! * An **event** ([`crate::api::events`]) is what happened.
//! * An **endpoint** ([`crate::api::webhooks`]) is where somebody wants to hear of it.
//! * A **delivery** ([`outbox`]) is one event for one endpoint, made in the commit of the event itself: whoever sees the
//!   change can rely on its delivery.
//! * The **deliverer** ([`deliverer`]) takes deliveries that are due, and sends them.
//! * An **attempt** ([`outbox::Attempt`]) is one request that was sent ([`sender`]), signed ([`signature`]), and what
//!   came back.
//!
//! As in production a receiver must expect an event twice: when an attempt's outcome is lost (a restart), it is made again.

pub(crate) mod deliverer;
pub(crate) mod outbox;
mod sender;
pub(crate) mod signature;
mod wait;

#[cfg(test)]
mod receiver;
#[cfg(test)]
mod tests;

pub(crate) use self::{
    deliverer::deliver_all,
    sender::reasons,
    wait::{wait_for_delivery, wait_for_event},
};
