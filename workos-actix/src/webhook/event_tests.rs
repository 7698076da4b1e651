use std::{collections::BTreeSet, path::Path};

use super::*;

fn webhook(event: &str, data: &Value) -> Webhook {
    let event =
        json!({"id": "event_1", "event": event, "created_at": "2026-01-01T12:00:00.000Z", "data": data});
    serde_json::from_value(event).unwrap()
}

fn directory_group() -> Value {
    json!({"object": "directory_group", "id": "directory_group_1", "idp_id": "1", "directory_id": "directory_1",
        "organization_id": "org_1", "name": "Pilots", "created_at": "2026-01-01T12:00:00.000Z",
        "updated_at": "2026-01-01T12:00:00.000Z"})
}

#[test]
fn the_catalogue_is_whole_and_in_order() {
    assert!(Event::NAMES.is_sorted());
    assert_eq!(Event::NAMES.len(), 123);
    assert_eq!(Event::NAMES.iter().collect::<BTreeSet<_>>().len(), 123);
    // WorkOS's table of events, where it lies beside the repository.
    let table = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/spec/events.tsv");
    let Ok(table) = std::fs::read_to_string(table) else {
        return;
    };
    let names: Vec<_> = table
        .lines()
        .skip(1)
        .filter_map(|line| line.split('\t').next())
        .collect();
    assert_eq!(names, Event::NAMES);
}

#[test]
fn every_name_is_read_as_the_model_of_its_name() {
    for name in Event::NAMES {
        // No model takes this, so whoever is asked says so: the name is known.
        let refusal = webhook(name, &Value::Null).typed().unwrap_err();
        let WebhookError::UnexpectedShape { id, event, .. } = refusal else {
            panic!("{name}: {refusal:?}");
        };
        assert_eq!((id.as_str(), event.as_str()), ("event_1", *name));
    }
    fn name_of<T: TypedEvent>() -> &'static str {
        T::NAME
    }
    assert_eq!(name_of::<models::DsyncGroupUserAdded>(), "dsync.group.user_added");
    assert_eq!(
        name_of::<models::AuthenticationSSOFailed>(),
        "authentication.sso_failed"
    );
    assert_eq!(name_of::<models::UserDeleted>(), "user.deleted");
}

#[test]
fn an_event_is_read_whole() {
    let mut webhook = webhook("dsync.group.created", &directory_group());
    webhook.context = Some(json!({"client_id": "client_1", "something_new": [1]}));
    let Event::DsyncGroupCreated(event) = webhook.typed().unwrap() else {
        panic!()
    };
    assert_eq!((event.id.as_str(), event.object.as_str()), ("event_1", "event"));
    assert_eq!(event.created_at, "2026-01-01T12:00:00.000Z");
    assert_eq!(event.data.name, "Pilots");
    assert_eq!(event.context.unwrap().client_id.as_deref(), Some("client_1"));
}

#[test]
fn members_that_are_new_do_no_harm() {
    let mut data = directory_group();
    data["something_new"] = json!({"a": 1});
    let event = webhook("dsync.group.deleted", &data).typed().unwrap();
    assert!(matches!(event, Event::DsyncGroupDeleted(event) if event.data.id == "directory_group_1"));
}

#[test]
fn an_unknown_event_is_whole() {
    let unknown = webhook("tomorrow.invented", &json!({"a": [1, 2]}));
    let Event::Unknown(kept) = unknown.typed().unwrap() else {
        panic!()
    };
    assert_eq!(kept, unknown);
}

#[test]
fn a_known_event_of_another_shape_is_told_from_an_unknown_one() {
    let mut data = directory_group();
    data.as_object_mut().unwrap().remove("name");
    let error = webhook("dsync.group.created", &data).typed().unwrap_err();
    assert_eq!(
        error.to_string(),
        "dsync.group.created (event_1) has an unexpected shape: missing field `name`"
    );
}
