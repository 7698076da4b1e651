//! Waits for events and deliveries, for tests of applications.

use std::{sync::Arc, time::Duration};

use super::outbox::{BY_EVENT, Delivery, DeliveryStatus};
use crate::{
    api::events::{BY_TIME, Event},
    environment::Environment,
    store::{Index, Order, Page, Select, State, Stored, group},
};

/// The first event of this name behind the event `after` (its id), or the first at all; nothing after `timeout` of real
/// time.
pub(crate) async fn wait_for_event(
    environment: &Environment,
    name: &str,
    after: Option<&str>,
    timeout: Duration,
) -> Option<Arc<Event>> {
    let group = group(&["", name]);
    environment
        .wait_for(timeout, |state| first(state, BY_TIME, &group, after, |_| true))
        .await
}

/// The first delivery of an event of this name that a receiver has accepted, behind the delivery `after` (its id) or at
/// all; nothing after `timeout` of real time.
pub(crate) async fn wait_for_delivery(
    environment: &Environment,
    name: &str,
    after: Option<&str>,
    timeout: Duration,
) -> Option<Arc<Delivery>> {
    let accepted = |delivery: &Delivery| delivery.status == DeliveryStatus::Delivered;
    environment
        .wait_for(timeout, |state| first(state, BY_EVENT, name, after, accepted))
        .await
}

fn first<R: Stored>(
    state: &State,
    index: Index<R>,
    group: &str,
    after: Option<&str>,
    wanted: impl Fn(&R) -> bool,
) -> Option<Arc<R>> {
    let page = Page {
        limit: 1,
        order: Order::Ascending,
        // Without its row (after a reset) the list begins anew.
        after: after
            .filter(|id| R::table(state).get(id).is_some())
            .map(str::to_owned),
        before: None,
    };
    let select = Select::group(index, group).filter(wanted);
    select.page(R::table(state), &page).ok()?.data.pop()
}
