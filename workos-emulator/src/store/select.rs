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
    /// Descending, with the cursors' meaning reversed: `after` asks for newer rows, `before` for older ones.
    Normal,
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

#[cfg(test)]
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

type RankOf<'a> = Box<dyn Fn(&str) -> Option<i64> + 'a>;
type Filter<'a, R> = Box<dyn Fn(&R) -> bool + 'a>;

/// Which rows of a table a list is made of.
pub(crate) struct Select<'a, R> {
    source: Option<(Index<R>, Vec<Arc<str>>)>,
    ranks: RangeInclusive<i64>,
    cursors: Option<RankOf<'a>>,
    filter: Option<Filter<'a, R>>,
}

/// Rank, then creation.
type Place = (i64, u64);

/// The first and the last place that a cursor names: one row, or all rows of a rank.
type Cursor = (Place, Place);

impl<'a, R: Record> Select<'a, R> {
    /// Every row; each has the rank 0.
    pub(crate) fn all() -> Self {
        Self {
            source: None,
            ranks: 0..=0,
            cursors: None,
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
            ranks: i64::MIN..=i64::MAX,
            ..Self::all()
        }
    }

    /// Only ranks in this range.
    pub(crate) fn ranked(mut self, ranks: RangeInclusive<i64>) -> Self {
        self.ranks = ranks;
        self
    }

    /// Cursors name other things than rows of this table: `rank` tells which rank such an id stands for.
    pub(crate) fn cursors(mut self, rank: impl Fn(&str) -> Option<i64> + 'a) -> Self {
        self.cursors = Some(Box::new(rank));
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
            Some(id) => self.cursor(table, id).map(Some).ok_or(unknown),
            None => Ok(None),
        };
        let (before, after) = (
            cursor(&page.before, UnknownCursor::Before)?,
            cursor(&page.after, UnknownCursor::After)?,
        );
        if page.order == Order::Normal {
            let List { data, before, after } = self.between(table, page, after, before);
            return Ok(List {
                data,
                before: after,
                after: before,
            });
        }
        Ok(self.between(table, page, before, after))
    }

    /// The page between two cursors, of which `after` comes first in the page's order.
    fn between(
        &self,
        table: &Table<R>,
        page: &Page,
        before: Option<Cursor>,
        after: Option<Cursor>,
    ) -> List<Arc<R>> {
        let descending = page.order != Order::Ascending;
        // Read away from the cursor: `before` alone asks for the rows nearest to it, so it is read backwards.
        let backwards = before.is_some() && after.is_none();
        let (low, high) = if descending {
            (before, after)
        } else {
            (after, before)
        };
        let mut rows = self.read(table, low, high, descending != backwards, page.limit + 1);
        let more = rows.len() > page.limit;
        rows.truncate(page.limit);
        if backwards {
            rows.reverse();
        }
        let (more_before, more_after) = if backwards {
            (more, true)
        } else {
            (after.is_some(), more)
        };
        let cursor = |more: bool, row: Option<&Arc<R>>| row.filter(|_| more).map(|row| row.id().to_owned());
        List {
            before: cursor(more_before, rows.first()),
            after: cursor(more_after, rows.last()),
            data: rows,
        }
    }

    /// What the row with this id, which may be deleted, means in this list.
    fn cursor(&self, table: &Table<R>, id: &str) -> Option<Cursor> {
        if let Some(rank) = &self.cursors {
            let rank = rank(id)?;
            return Some(((rank, 0), (rank, u64::MAX)));
        }
        let place = table.place(id)?;
        let rank = match &self.source {
            Some((index, groups)) => table.rank(*index, groups, place),
            None => 0,
        };
        Some(((rank, place), (rank, place)))
    }

    /// Up to `limit` rows strictly between two cursors.
    fn read(
        &self,
        table: &Table<R>,
        low: Option<Cursor>,
        high: Option<Cursor>,
        descending: bool,
        limit: usize,
    ) -> Vec<Arc<R>> {
        let (mut first, mut last) = ((*self.ranks.start(), 0), (*self.ranks.end(), u64::MAX));
        if let Some((_, (rank, place))) = low {
            first = first.max(match place.checked_add(1) {
                Some(place) => (rank, place),
                None => (rank.saturating_add(1), 0),
            });
        }
        if let Some(((rank, place), _)) = high {
            last = last.min(match place.checked_sub(1) {
                Some(place) => (rank, place),
                None => (rank.saturating_sub(1), u64::MAX),
            });
        }
        if first > last {
            return Vec::new();
        }
        let wanted = |row: &&Arc<R>| self.filter.as_ref().is_none_or(|filter| filter(row));
        let Some((index, groups)) = &self.source else {
            let range = table.rows.range(first.1..=last.1);
            return in_direction(range.map(|(_, row)| row), descending, |rows| {
                rows.filter(wanted).take(limit).map(Arc::clone).collect()
            });
        };
        let Some(entries) = table.index(*index) else {
            return Vec::new();
        };
        let mut found: Vec<(Place, Arc<R>)> = Vec::new();
        for group in groups {
            let from = (Arc::clone(group), first.0, first.1);
            let to = (Arc::clone(group), last.0, last.1);
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
