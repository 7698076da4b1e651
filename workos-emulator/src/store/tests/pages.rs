//! Pages, compared with a list that is sorted and cut by hand.

use std::{cell::Cell, sync::Arc};

use proptest::{collection::vec, prelude::*, sample::subsequence};
use serde::{Deserialize, Serialize};

use crate::store::{Index, List, Order, Page, Record, Select, UnknownCursor, table::Table};

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Row {
    id: String,
    groups: Vec<String>,
    rank: i64,
}

const BY_GROUP: Index<Row> = Index::ordered("group", |row| {
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

#[derive(Debug, Clone)]
enum Step {
    Create {
        groups: Vec<String>,
        rank: i64,
    },
    Change {
        row: usize,
        groups: Vec<String>,
        rank: i64,
    },
    Delete {
        row: usize,
    },
    Read(Reading),
}

#[derive(Debug, Clone)]
struct Reading {
    /// All rows where there are none.
    groups: Vec<String>,
    ranks: Option<(i64, i64)>,
    only_even: bool,
    order: Order,
    limit: usize,
    before: Option<usize>,
    after: Option<usize>,
}

fn groups() -> impl Strategy<Value = Vec<String>> {
    subsequence(vec!["a".to_owned(), "b".to_owned(), "c".to_owned()], 0..=3)
}

fn step() -> impl Strategy<Value = Step> {
    let order = prop_oneof![
        Just(Order::Ascending),
        Just(Order::Descending),
        Just(Order::Normal)
    ];
    let cursor = || proptest::option::of(0..40_usize);
    let ranks = proptest::option::of((-3..3_i64, -3..3_i64));
    let reading = (
        groups(),
        ranks,
        any::<bool>(),
        order,
        1..6_usize,
        cursor(),
        cursor(),
    )
        .prop_map(|(groups, ranks, only_even, order, limit, before, after)| {
            Step::Read(Reading {
                groups,
                ranks,
                only_even,
                order,
                limit,
                before,
                after,
            })
        });
    prop_oneof![
        3 => (groups(), -2..2_i64).prop_map(|(groups, rank)| Step::Create { groups, rank }),
        1 => (0..40_usize, groups(), -2..2_i64).prop_map(|(row, groups, rank)| Step::Change { row, groups, rank }),
        1 => (0..40_usize).prop_map(|row| Step::Delete { row }),
        3 => reading,
    ]
}

/// A row of the naive list; its place is its position. Deleted rows stay.
#[derive(Debug, Clone)]
struct Known {
    groups: Vec<String>,
    rank: i64,
    deleted: bool,
}

impl Known {
    fn rank_in(&self, reading: &Reading) -> i64 {
        if reading.groups.is_empty() || self.groups.is_empty() {
            0
        } else {
            self.rank
        }
    }
}

fn id(row: usize) -> String {
    format!("row_{row}")
}

/// The page as anybody would make it: sort all, cut at the cursors, take the first or the last rows.
fn naive(known: &[Known], reading: &Reading) -> Result<List<String>, UnknownCursor> {
    let place = |row: usize| Some((known.get(row)?.rank_in(reading), row));
    let cursor = |row: Option<usize>, unknown| row.map(|row| place(row).ok_or(unknown)).transpose();
    let mut before = cursor(reading.before, UnknownCursor::Before)?;
    let mut after = cursor(reading.after, UnknownCursor::After)?;
    if reading.order == Order::Normal {
        (before, after) = (after, before);
    }
    let (low, high) = match (reading.ranks, reading.groups.is_empty()) {
        (Some(ranks), false) => ranks,
        _ => (i64::MIN, i64::MAX),
    };
    let mut places: Vec<(i64, usize)> = known
        .iter()
        .enumerate()
        .filter(|(_, row)| !row.deleted)
        .filter(|(_, row)| reading.groups.is_empty() || row.groups.iter().any(|g| reading.groups.contains(g)))
        .filter(|(_, row)| !reading.only_even || row.rank % 2 == 0)
        .map(|(at, row)| (row.rank_in(reading), at))
        .filter(|(rank, _)| (low..=high).contains(rank))
        .collect();
    places.sort();
    if reading.order != Order::Ascending {
        places.reverse();
    }
    let comes_first = |a: (i64, usize), b: (i64, usize)| {
        if reading.order == Order::Ascending {
            a < b
        } else {
            a > b
        }
    };
    places.retain(|place| {
        after.is_none_or(|after| comes_first(after, *place))
            && before.is_none_or(|before| comes_first(*place, before))
    });
    let all = places.len();
    let backwards = before.is_some() && after.is_none();
    let cut = all.saturating_sub(reading.limit);
    if backwards {
        places.drain(..cut);
    } else {
        places.truncate(reading.limit);
    }
    let data: Vec<String> = places.iter().map(|(_, row)| id(*row)).collect();
    let first = data
        .first()
        .filter(|_| if backwards { cut > 0 } else { after.is_some() })
        .cloned();
    let last = data.last().filter(|_| backwards || cut > 0).cloned();
    Ok(if reading.order == Order::Normal {
        List {
            data,
            before: last,
            after: first,
        }
    } else {
        List {
            data,
            before: first,
            after: last,
        }
    })
}

fn read(table: &Table<Row>, reading: &Reading) -> Result<List<String>, UnknownCursor> {
    let mut select = if reading.groups.is_empty() {
        Select::all()
    } else {
        let select = Select::groups(BY_GROUP, reading.groups.iter().map(String::as_str));
        match reading.ranks {
            Some((low, high)) => select.ranked(low..=high),
            None => select,
        }
    };
    if reading.only_even {
        select = select.filter(|row: &Row| row.rank % 2 == 0);
    }
    let page = Page {
        limit: reading.limit,
        order: reading.order,
        before: reading.before.map(id),
        after: reading.after.map(id),
    };
    Ok(select.page(table, &page)?.map(|row| row.id.clone()))
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 512, ..ProptestConfig::default() })]

    #[test]
    fn pages_are_those_of_the_sorted_list(steps in vec(step(), 1..60)) {
        let mut table = Table::<Row>::default();
        let mut known: Vec<Known> = Vec::new();
        for step in steps {
            match step {
                Step::Create { groups, rank } => {
                    let row = Row { id: id(known.len()), groups: groups.clone(), rank };
                    table.put(table.place_for(&row.id), Arc::new(row)).unwrap();
                    known.push(Known { groups, rank, deleted: false });
                }
                Step::Change { row, groups, rank } => {
                    if let Some(old) = known.get_mut(row).filter(|row| !row.deleted) {
                        let row = Row { id: id(row), groups: groups.clone(), rank };
                        table.put(table.place_for(&row.id), Arc::new(row)).unwrap();
                        *old = Known { groups, rank, deleted: false };
                    }
                }
                Step::Delete { row } => {
                    let there = known.get(row).is_some_and(|row| !row.deleted);
                    prop_assert_eq!(table.delete(&id(row)).is_some(), there);
                    if let Some(row) = known.get_mut(row) {
                        row.deleted = true;
                    }
                }
                Step::Read(reading) => {
                    prop_assert_eq!(read(&table, &reading), naive(&known, &reading), "{:?}", reading);
                }
            }
            prop_assert!(table.is_consistent());
            prop_assert_eq!(table.len(), known.iter().filter(|row| !row.deleted).count());
        }
    }
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
