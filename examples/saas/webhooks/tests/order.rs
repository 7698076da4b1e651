//! Events that come in another order, twice, or after a failure.

use super::*;

/// Every order of a few things.
fn orders<T: Clone>(things: &[T]) -> Vec<Vec<T>> {
    let [first, rest @ ..] = things else {
        return vec![Vec::new()];
    };
    let mut all = Vec::new();
    for order in orders(rest) {
        for at in 0..=order.len() {
            let mut order = order.clone();
            order.insert(at, first.clone());
            all.push(order);
        }
    }
    all
}

#[test]
fn the_order_of_events_changes_nothing() {
    let mut events = vec![
        news("dsync.user.created", 1, person("u1", "Carol", "active", 1)),
        news("dsync.group.user_added", 2, in_group("Engineering")),
        news("dsync.group.user_added", 3, in_group("Admins")),
        news("dsync.group.user_removed", 4, in_group("Admins")),
        news("dsync.user.updated", 5, person("u1", "Caroline", "suspended", 5)),
    ];
    for order in orders(&events) {
        let db = database();
        order.iter().for_each(|event| tell(&db, event));
        assert_eq!(
            people(&db),
            one("Caroline", "member", Some("Engineering"), false, false),
            "{order:?}"
        );
    }
    events.push(news(
        "dsync.user.deleted",
        6,
        person("u1", "Caroline", "suspended", 5),
    ));
    for order in orders(&events) {
        let db = database();
        order.iter().for_each(|event| tell(&db, event));
        assert_eq!(
            people(&db),
            one("Caroline", "member", Some("Engineering"), false, true),
            "{order:?}"
        );
    }
}

#[test]
fn an_event_is_worked_off_once() {
    let db = database();
    tell(
        &db,
        &event(
            "event_1",
            "dsync.user.created",
            1,
            person("u1", "Carol", "active", 1),
        ),
    );
    tell(
        &db,
        &event(
            "event_1",
            "dsync.user.updated",
            2,
            person("u1", "Mallory", "active", 2),
        ),
    );
    assert_eq!(people(&db), one("Carol", "member", None, true, false));
}

#[actix_web::test]
async fn an_event_that_failed_is_new_again() {
    let database = crate::database::Database::open(None).unwrap();
    let broken = event("event_1", "dsync.user.created", 1, json!({"id": "u1"}));
    let failed = database.transact(move |db| work_off(db, &broken, None)).await;
    assert!(failed.unwrap_err().to_string().contains("missing field"));
    let whole = event(
        "event_1",
        "dsync.user.created",
        1,
        person("u1", "Carol", "active", 1),
    );
    let found = database.transact(move |db| {
        work_off(db, &whole, None)?;
        Ok(people(db))
    });
    assert_eq!(found.await.unwrap(), one("Carol", "member", None, true, false));
}
