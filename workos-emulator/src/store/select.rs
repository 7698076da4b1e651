//! One page of a table: the rows of some groups of an index, or all, from a cursor on.

use std::{ops::RangeInclusive, sync::Arc};

use serde::Serialize;

use super::table::{Index, Record, Table};

/// The order of a list. Newest first unless asked otherwise.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Order {
    Ascending,
    #[default]
    Descending,
}

/// What part of a list is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Page {
    pub(crate) limit: usize,
    pub(crate) order: Order,
    /// The page that ends before this row.
    pub(crate) before: Option<String>,
    /// The page that begins behind this row.
    pub(crate) after: Option<String>,
}

impl Default for Page {
    fn default() -> Self {
        Self {
            limit: 10,
            order: Order::default(),
            before: None,
            after: None,
        }
    }
}

/// A cursor that names no row of this list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum UnknownCursor {
    Before,
    After,
}

/// A page of rows, and the cursors to its neighbours: null where there is nothing more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct List<T> {
    pub(crate) data: Vec<T>,
    pub(crate) before: Option<String>,
    pub(crate) after: Option<String>,
}

impl<T> List<T> {
    pub(crate) fn map<U>(self, shape: impl FnMut(T) -> U) -> List<U> {
        List {
            data: self.data.into_iter().map(shape).collect(),
            before: self.before,
            after: self.after,
        }
    }
}

impl<T: Serialize> Serialize for List<T> {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Cursors<'a> {
            before: &'a Option<String>,
            after: &'a Option<String>,
        }
        #[derive(Serialize)]
        #[serde(tag = "object", rename = "list")]
        struct Body<'a, T> {
            data: &'a [T],
            list_metadata: Cursors<'a>,
        }
        Body {
            data: &self.data,
            list_metadata: Cursors {
                before: &self.before,
                after: &self.after,
            },
        }
        .serialize(to)
    }
}

/// Which rows of a table a list is made of.
pub(crate) struct Select<'a, R> {
    source: Option<(Index<R>, Vec<Arc<str>>)>,
    ranks: RangeInclusive<i64>,
    filter: Option<Box<dyn Fn(&R) -> bool + 'a>>,
}

/// Rank, then creation.
type Place = (i64, u64);

impl<'a, R: Record> Select<'a, R> {
    /// Every row.
    pub(crate) fn all() -> Self {
        Self {
            source: None,
            ranks: i64::MIN..=i64::MAX,
            filter: None,
        }
    }

    /// The rows of one group of an index.
    pub(crate) fn group(index: Index<R>, group: &str) -> Self {
        Self::groups(index, [group])
    }

    /// The rows of several groups of an index, merged.
    pub(crate) fn groups<'g>(index: Index<R>, groups: impl IntoIterator<Item = &'g str>) -> Self {
        let mut groups: Vec<Arc<str>> = groups.into_iter().map(Arc::from).collect();
        groups.sort();
        groups.dedup();
        Self {
            source: Some((index, groups)),
            ..Self::all()
        }
    }

    /// Only ranks in this range.
    pub(crate) fn ranked(mut self, ranks: RangeInclusive<i64>) -> Self {
        self.ranks = ranks;
        self
    }

    /// Only rows for which `filter` holds. It costs a look at each row passed over: declare an index where that can be many.
    pub(crate) fn filter(mut self, filter: impl Fn(&R) -> bool + 'a) -> Self {
        self.filter = Some(Box::new(filter));
        self
    }

    /// The page of `table` that is asked for.
    pub(crate) fn page(&self, table: &Table<R>, page: &Page) -> Result<List<Arc<R>>, UnknownCursor> {
        let cursor = |id: &Option<String>, unknown| match id {
            Some(id) => self.place_of(table, id).map(Some).ok_or(unknown),
            None => Ok(None),
        };
        let after = cursor(&page.after, UnknownCursor::After)?;
        let before = cursor(&page.before, UnknownCursor::Before)?;
        let descending = page.order == Order::Descending;
        // Read away from the cursor: `before` alone asks for the rows nearest to it, so it is read backwards.
        let backwards = before.is_some() && after.is_none();
        let (low, high) = match (descending, after, before) {
            (false, after, before) => (after, before),
            (true, after, before) => (before, after),
        };
        let mut rows = self.read(table, low, high, descending != backwards, page.limit + 1);
        let more = rows.len() > page.limit;
        rows.truncate(page.limit);
        if backwards {
            rows.reverse();
        }
        let (more_before, more_after) = if backwards {
            (more, before.is_some())
        } else {
            (after.is_some(), more)
        };
        let cursor = |more: bool, row: Option<&Arc<R>>| row.filter(|_| more).map(|row| row.id().to_owned());
        Ok(List {
            before: cursor(more_before, rows.first()),
            after: cursor(more_after, rows.last()),
            data: rows,
        })
    }

    /// Where the row with this id stands, or stood, in this list. A row of another group stands where its rank puts it:
    /// a reader of events goes on behind its last one with another choice of names.
    fn place_of(&self, table: &Table<R>, id: &str) -> Option<Place> {
        let place = *table.places.get(id)?;
        let rank = match (&self.source, table.rows.get(&place)) {
            (Some((index, groups)), Some(row)) => {
                let entries = index.entries(row);
                entries
                    .iter()
                    .find(|(group, _)| groups.binary_search(group).is_ok())
                    .or(entries.first())
                    .map_or(0, |(_, rank)| *rank)
            }
            _ => 0,
        };
        Some((rank, place))
    }

    /// Up to `limit` rows strictly between two places.
    fn read(
        &self,
        table: &Table<R>,
        low: Option<Place>,
        high: Option<Place>,
        descending: bool,
        limit: usize,
    ) -> Vec<Arc<R>> {
        let (first, last) = ((*self.ranks.start(), 0), (*self.ranks.end(), u64::MAX));
        // Places begin at one, so that there is always one before.
        let low = low.map_or(first, |(rank, place)| (rank, place + 1).max(first));
        let high = high.map_or(last, |(rank, place)| (rank, place - 1).min(last));
        if low > high {
            return Vec::new();
        }
        let wanted = |row: &&Arc<R>| self.filter.as_ref().is_none_or(|filter| filter(row));
        let Some((index, groups)) = &self.source else {
            let range = table.rows.range(low.1..=high.1);
            return in_direction(range.map(|(_, row)| row), descending, |rows| {
                rows.filter(wanted).take(limit).map(Arc::clone).collect()
            });
        };
        let Some(entries) = table.index(*index) else {
            return Vec::new();
        };
        let mut found: Vec<(Place, Arc<R>)> = Vec::new();
        for group in groups {
            let from = (Arc::clone(group), low.0, low.1);
            let to = (Arc::clone(group), high.0, high.1);
            let rows = entries
                .range(from..=to)
                .filter_map(|((_, rank, place), ())| Some(((*rank, *place), table.rows.get(place)?)));
            found.extend(in_direction(rows, descending, |rows| {
                rows.filter(|(_, row)| wanted(row))
                    .take(limit)
                    .map(|(place, row)| (place, Arc::clone(row)))
                    .collect::<Vec<_>>()
            }));
        }
        found.sort_by_key(|(place, _)| *place);
        found.dedup_by_key(|(place, _)| *place);
        let rows = found.into_iter().map(|(_, row)| row);
        in_direction(rows, descending, |rows| rows.take(limit).collect())
    }
}

/// Hands `rows` to `read`, reversed where wanted.
fn in_direction<'i, T: 'i, U>(
    rows: impl DoubleEndedIterator<Item = T> + 'i,
    descending: bool,
    read: impl FnOnce(Box<dyn Iterator<Item = T> + 'i>) -> U,
) -> U {
    if descending {
        read(Box::new(rows.rev()))
    } else {
        read(Box::new(rows))
    }
}
