//! Pages: case by case, and compared with a naive [`model`].

mod model;

use std::{cell::Cell, sync::Arc};

use serde::{Deserialize, Serialize};

use crate::store::{Index, List, Order, Page, Record, Select, UnknownCursor, table::Table};

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Row {
    id: String,
    groups: Vec<String>,
    rank: i64,
}

const BY_GROUP: Index<Row> = Index::numbered("group", |row| {
    row.groups
        .iter()
        .map(|group| (group.as_str().into(), row.rank))
        .collect()
});

impl Record for Row {
    const INDEXES: &'static [Index<Self>] = &[BY_GROUP];

    fn id(&self) -> &str {
        &self.id
    }
}

fn id(row: usize) -> String {
    format!("row_{row}")
}

/// A table with the rows 0, 1, … of one group.
fn rows(count: usize) -> Table<Row> {
    let mut table = Table::default();
    (0..count).for_each(|row| add(&mut table, row));
    table
}

fn add(table: &mut Table<Row>, row: usize) {
    let row = Row {
        id: id(row),
        groups: vec!["a".to_owned()],
        rank: 0,
    };
    table.put(table.place_for(&row.id), Arc::new(row)).unwrap();
}

fn page(table: &Table<Row>, page: &Page) -> List<String> {
    Select::all().page(table, page).unwrap().map(|row| row.id.clone())
}

#[test]
fn a_walk_sees_each_row_once_while_others_come_and_go() {
    let mut table = rows(23);
    let mut seen = Vec::new();
    let mut after = None;
    for turn in 0.. {
        let list = page(
            &table,
            &Page {
                limit: 5,
                after,
                ..Page::default()
            },
        );
        seen.extend(list.data);
        after = list.after;
        let Some(last) = &after else { break };
        // Newer rows do not shift the pages, and the row that the next page begins behind may be gone.
        add(&mut table, 100 + turn);
        table.delete(last);
    }
    let expected: Vec<_> = (0..23).rev().map(id).collect();
    assert_eq!(seen, expected);
}

#[test]
fn a_walk_back_sees_the_same_in_reverse() {
    let table = rows(12);
    for order in [Order::Ascending, Order::Descending] {
        let (mut pages, mut after) = (Vec::new(), None);
        loop {
            let list = page(
                &table,
                &Page {
                    limit: 5,
                    order,
                    after,
                    ..Page::default()
                },
            );
            after = list.after.clone();
            pages.push(list);
            if after.is_none() {
                break;
            }
        }
        assert_eq!(
            pages.iter().map(|page| page.data.len()).collect::<Vec<_>>(),
            [5, 5, 2]
        );
        let mut before = pages[2].before.clone();
        for forwards in pages[..2].iter().rev() {
            let list = page(
                &table,
                &Page {
                    limit: 5,
                    order,
                    before,
                    ..Page::default()
                },
            );
            assert_eq!(list.data, forwards.data);
            assert_eq!(list.before, forwards.before);
            before = list.before;
        }
        assert_eq!(before, None);
    }
}

#[test]
fn normal_is_descending_with_its_cursors_reversed() {
    let table = rows(4);
    let order = Order::Normal;
    let newest = page(
        &table,
        &Page {
            limit: 3,
            order,
            ..Page::default()
        },
    );
    assert_eq!(newest.data, [id(3), id(2), id(1)]);
    assert_eq!((&newest.before, &newest.after), (&Some(id(1)), &None));
    let older = page(
        &table,
        &Page {
            limit: 3,
            order,
            before: newest.before,
            ..Page::default()
        },
    );
    assert_eq!(older.data, [id(0)]);
    assert_eq!((&older.before, &older.after), (&None, &Some(id(0))));
    let newer = page(
        &table,
        &Page {
            limit: 3,
            order,
            after: older.after,
            ..Page::default()
        },
    );
    assert_eq!(newer.data, [id(3), id(2), id(1)]);
}

#[test]
fn nothing_comes_behind_the_first_row_of_all() {
    let list = page(
        &rows(3),
        &Page {
            after: Some(id(0)),
            ..Page::default()
        },
    );
    assert_eq!(
        list,
        List {
            data: Vec::new(),
            before: None,
            after: None
        }
    );
}

#[test]
fn an_unknown_cursor_is_refused() {
    let unknown = |page: Page| Select::all().page(&rows(3), &page).map(|_| ()).unwrap_err();
    let cursor = || Some("row_9".to_owned());
    assert_eq!(
        unknown(Page {
            after: cursor(),
            ..Page::default()
        }),
        UnknownCursor::After
    );
    assert_eq!(
        unknown(Page {
            before: cursor(),
            ..Page::default()
        }),
        UnknownCursor::Before
    );
    let refused: crate::server::error::ApiError = UnknownCursor::After.into();
    assert_eq!(
        (refused.status, &refused.body["errors"][0]["field"]),
        (422, &"after".into())
    );
}

#[test]
fn cursors_may_name_what_stands_for_a_rank() {
    let mut table = Table::default();
    for row in 0..6_i64 {
        let row = Row {
            id: id(row as usize),
            groups: vec!["a".to_owned()],
            rank: 10 - row,
        };
        table.put(table.place_for(&row.id), Arc::new(row)).unwrap();
    }
    let select = Select::group(BY_GROUP, "a").cursors(|rank| rank.parse().ok());
    let ids = |page: Page| {
        let list = select.page(&table, &page).unwrap();
        list.data.iter().map(|row| row.rank).collect::<Vec<_>>()
    };
    let cursor = |rank: &str| Some(rank.to_owned());
    let ascending = Page {
        order: Order::Ascending,
        limit: 2,
        ..Page::default()
    };
    assert_eq!(
        ids(Page {
            after: cursor("7"),
            ..ascending.clone()
        }),
        [8, 9]
    );
    assert_eq!(
        ids(Page {
            before: cursor("8"),
            ..ascending.clone()
        }),
        [6, 7]
    );
    assert_eq!(
        ids(Page {
            after: cursor("7"),
            limit: 2,
            ..Page::default()
        }),
        [6, 5]
    );
    assert_eq!(
        ids(Page {
            after: cursor("99"),
            limit: 2,
            ..Page::default()
        }),
        [10, 9]
    );
    assert!(
        select
            .page(
                &table,
                &Page {
                    after: cursor("x"),
                    ..Page::default()
                }
            )
            .is_err()
    );
}

#[test]
fn a_page_looks_at_no_more_rows_than_it_shows() {
    let table = rows(10_000);
    let looks = Cell::new(0);
    let count = |_: &Row| {
        looks.set(looks.get() + 1);
        true
    };
    for select in [Select::all(), Select::group(BY_GROUP, "a")] {
        let select = select.filter(count);
        for order in [Order::Ascending, Order::Descending, Order::Normal] {
            for (before, after) in [(None, None), (Some(5_000), None), (None, Some(5_000))] {
                looks.set(0);
                let (before, after) = (before.map(id), after.map(id));
                let page = Page {
                    limit: 10,
                    order,
                    before,
                    after,
                };
                assert_eq!(select.page(&table, &page).unwrap().data.len(), 10);
                assert_eq!(looks.get(), 11, "{page:?}");
            }
        }
    }
}
