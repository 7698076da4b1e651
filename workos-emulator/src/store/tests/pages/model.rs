//! Pages of random lists, compared with a list that is sorted and cut by hand.

use proptest::{collection::vec, prelude::*, sample::subsequence};

use super::*;

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
            let of_group = |row: &&Known| !row.deleted && row.groups.iter().any(|group| group == "a");
            let ids = known.iter().enumerate().filter(|(_, row)| of_group(row)).map(|(at, _)| id(at));
            let slice = table.slice(BY_GROUP, "a", 1, 2);
            let slice: Vec<_> = slice.iter().map(|row| row.id.clone()).collect();
            prop_assert_eq!(slice, ids.skip(1).take(2).collect::<Vec<_>>());
            prop_assert_eq!(table.len(), known.iter().filter(|row| !row.deleted).count());
        }
    }
}
