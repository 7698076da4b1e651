//! What tests see of the events that a rule recorded.

use serde_json::Value;

use crate::store::State;

/// The names and the data of all events, in order.
pub(crate) fn events(state: &State) -> Vec<(String, Value)> {
    let data = |text: &str| serde_json::from_str(text).unwrap();
    state
        .events
        .iter()
        .map(|event| (event.event.clone(), data(event.data.get())))
        .collect()
}

/// The names of all events, in order.
pub(crate) fn event_names(state: &State) -> Vec<String> {
    events(state).into_iter().map(|(name, _)| name).collect()
}
