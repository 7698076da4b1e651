//! A table: rows in the order in which they were created, found by id and by declared indexes.

use std::{fmt, sync::Arc};

use imbl::{OrdMap, Vector};
use serde::{Serialize, de::DeserializeOwned};

/// A row of a table.
pub(crate) trait Record:
    Clone + fmt::Debug + Serialize + DeserializeOwned + Send + Sync + 'static
{
    /// The indexes over this kind of row.
    const INDEXES: &'static [Index<Self>] = &[];

    /// The ids of deleted rows stay known, so that a list can be continued behind one. Rows that come and go without
    /// end turn it off.
    const REMEMBERS_DELETED: bool = true;

    /// Unique in the table, and never changed.
    fn id(&self) -> &str;
}

/// What an index files a row under: a group, and a rank within the group.
pub(crate) type Entry = (Arc<str>, i64);

/// A declared index: unique, or ordered by rank and then by creation.
pub(crate) struct Index<R> {
    name: &'static str,
    unique: bool,
    numbered: bool,
    entries: fn(&R) -> Vec<Entry>,
}

impl<R> Index<R> {
    /// At most one row per group.
    pub(crate) const fn unique(name: &'static str, entries: fn(&R) -> Vec<Entry>) -> Self {
        Self {
            name,
            unique: true,
            numbered: false,
            entries,
        }
    }

    /// Any number of rows per group.
    pub(crate) const fn ordered(name: &'static str, entries: fn(&R) -> Vec<Entry>) -> Self {
        Self {
            name,
            unique: false,
            numbered: false,
            entries,
        }
    }

    /// As [`ordered`](Self::ordered), and the rows of a group are numbered in order of creation as well, so that
    /// [`Table::slice`] finds the hundred thousandth like the first.
    pub(crate) const fn numbered(name: &'static str, entries: fn(&R) -> Vec<Entry>) -> Self {
        Self {
            name,
            unique: false,
            numbered: true,
            entries,
        }
    }

    pub(super) fn entries(&self, row: &R) -> Vec<Entry> {
        (self.entries)(row)
    }
}

impl<R: Record> Index<R> {
    /// Where the index stands among those of its table.
    fn position(&self) -> Option<usize> {
        let at = R::INDEXES.iter().position(|index| index.name == self.name);
        debug_assert!(at.is_some(), "{} is not in INDEXES", self.name);
        at
    }
}

impl<R> Clone for Index<R> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<R> Copy for Index<R> {}

impl<R> fmt::Debug for Index<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Index")
            .field("name", &self.name)
            .field("unique", &self.unique)
            .finish_non_exhaustive()
    }
}

/// An index entry made of several parts.
pub(crate) fn group(parts: &[&str]) -> Arc<str> {
    parts.join("\0").into()
}

/// Another row stands already where the index allows one only.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("another row has the same {index}")]
pub(crate) struct Conflict {
    /// The name of the unique index.
    pub(crate) index: &'static str,
}

/// The position of an index entry: group, rank, and the row's place in the order of creation.
pub(super) type Position = (Arc<str>, i64, u64);

/// Rows in order of creation. A clone costs a few pointers; both then go their own way.
pub(crate) struct Table<R> {
    pub(super) rows: OrdMap<u64, Arc<R>>,
    /// Where each id stands, or stood: [`Record::REMEMBERS_DELETED`].
    pub(super) places: OrdMap<Arc<str>, u64>,
    pub(super) indexes: Vec<OrdMap<Position, ()>>,
    /// The ranks, other than 0, that deleted rows had: index and place to rank.
    deleted_ranks: OrdMap<(usize, u64), i64>,
    /// The places in each group of the numbered indexes, ascending.
    numbers: OrdMap<(usize, Arc<str>), Vector<u64>>,
    /// The place of the next row; the first is 1.
    next: u64,
}

impl<R> Clone for Table<R> {
    fn clone(&self) -> Self {
        Self {
            rows: self.rows.clone(),
            places: self.places.clone(),
            indexes: self.indexes.clone(),
            deleted_ranks: self.deleted_ranks.clone(),
            numbers: self.numbers.clone(),
            next: self.next,
        }
    }
}

impl<R: Record> Default for Table<R> {
    fn default() -> Self {
        Self {
            rows: OrdMap::new(),
            places: OrdMap::new(),
            indexes: vec![OrdMap::new(); R::INDEXES.len()],
            deleted_ranks: OrdMap::new(),
            numbers: OrdMap::new(),
            next: 1,
        }
    }
}

impl<R: Record> fmt::Debug for Table<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Table")
            .field("rows", &self.rows.len())
            .finish_non_exhaustive()
    }
}

impl<R: Record> Table<R> {
    pub(crate) fn len(&self) -> usize {
        self.rows.len()
    }

    pub(crate) fn get(&self, id: &str) -> Option<&Arc<R>> {
        self.rows.get(self.places.get(id)?)
    }

    /// The row that a unique index has under `group`.
    pub(crate) fn find(&self, index: Index<R>, group: &str) -> Option<&Arc<R>> {
        self.group(index, group).next()
    }

    /// The rows that an index has under `group`, by rank and creation.
    pub(crate) fn group<'a>(
        &'a self,
        index: Index<R>,
        group: &str,
    ) -> impl DoubleEndedIterator<Item = &'a Arc<R>> + use<'a, R> {
        let group: Arc<str> = group.into();
        let range = (Arc::clone(&group), i64::MIN, 0)..=(group, i64::MAX, u64::MAX);
        self.index(index)
            .into_iter()
            .flat_map(move |entries| entries.range(range.clone()))
            .filter_map(|((_, _, place), ())| self.rows.get(place))
    }

    /// Up to `count` rows of a group of a [numbered](Index::numbered) index, from the one with the number `from` on; the
    /// first is 0.
    pub(crate) fn slice(&self, index: Index<R>, group: &str, from: usize, count: usize) -> Vec<Arc<R>> {
        let numbers = index
            .position()
            .and_then(|at| self.numbers.get(&(at, Arc::from(group))));
        let Some(numbers) = numbers else {
            return Vec::new();
        };
        let to = from.saturating_add(count).min(numbers.len());
        (from..to)
            .filter_map(|number| self.rows.get(numbers.get(number)?).map(Arc::clone))
            .collect()
    }

    /// How many entries an index has.
    pub(crate) fn filed(&self, index: Index<R>) -> usize {
        self.index(index).map_or(0, OrdMap::len)
    }

    /// All rows in order of creation.
    pub(crate) fn iter(&self) -> impl DoubleEndedIterator<Item = &Arc<R>> {
        self.rows.values()
    }

    /// Where the row with this id stands, or stood, in the order of creation.
    pub(crate) fn place(&self, id: &str) -> Option<u64> {
        self.places.get(id).copied()
    }

    pub(super) fn index(&self, index: Index<R>) -> Option<&OrdMap<Position, ()>> {
        self.indexes.get(index.position()?)
    }

    /// The rank that the row at `place` has in an index, or had when it was deleted: that of the entry in one of
    /// `groups`, else of any.
    pub(super) fn rank(&self, index: Index<R>, groups: &[Arc<str>], place: u64) -> i64 {
        let Some(row) = self.rows.get(&place) else {
            let deleted = index
                .position()
                .and_then(|at| self.deleted_ranks.get(&(at, place)));
            return deleted.copied().unwrap_or_default();
        };
        let entries = index.entries(row);
        let listed = entries.iter().find(|(group, _)| groups.contains(group));
        listed.or(entries.first()).map_or(0, |(_, rank)| *rank)
    }

    /// Where `row` is to stand: its present place, or the next one.
    pub(super) fn place_for(&self, id: &str) -> u64 {
        match self.places.get(id) {
            Some(place) if self.rows.contains_key(place) => *place,
            _ => self.next,
        }
    }

    /// Puts `row` at `place`; refuses, changing nothing, where a unique index has another row already.
    pub(super) fn put(&mut self, place: u64, row: Arc<R>) -> Result<(), Conflict> {
        let entries: Vec<_> = R::INDEXES.iter().map(|i| i.entries(&row)).collect();
        for (at, index) in R::INDEXES.iter().enumerate().filter(|(_, i)| i.unique) {
            let taken = entries[at].iter().any(|(group, _)| {
                let from = (Arc::clone(group), i64::MIN, 0);
                let to = (Arc::clone(group), i64::MAX, u64::MAX);
                self.indexes[at]
                    .range(from..=to)
                    .any(|((_, _, other), ())| *other != place)
            });
            if taken {
                return Err(Conflict { index: index.name });
            }
        }
        self.renumber(place, &entries);
        self.unfile(place);
        for (at, entries) in entries.into_iter().enumerate() {
            for (group, rank) in entries {
                let group = self.as_filed(at, group);
                self.indexes[at].insert((group, rank, place), ());
            }
        }
        self.places.insert(row.id().into(), place);
        self.rows.insert(place, row);
        self.next = self.next.max(place + 1);
        Ok(())
    }

    /// Brings the numbers in step with the entries that the row at `place` is going to have.
    fn renumber(&mut self, place: u64, after: &[Vec<Entry>]) {
        for (at, index) in R::INDEXES.iter().enumerate().filter(|(_, i)| i.numbered) {
            let before = self.rows.get(&place).map(|row| index.entries(row));
            let before = before.unwrap_or_default();
            let after = after.get(at).map_or(&[][..], Vec::as_slice);
            let lacks = |entries: &[Entry], group: &str| entries.iter().all(|(other, _)| **other != *group);
            for (group, _) in before.iter().filter(|(group, _)| lacks(after, group)) {
                let key = (at, Arc::clone(group));
                if let Some(numbers) = self.numbers.get_mut(&key) {
                    if let Ok(number) = numbers.binary_search(&place) {
                        numbers.remove(number);
                    }
                    if numbers.is_empty() {
                        self.numbers.remove(&key);
                    }
                }
            }
            for (group, _) in after.iter().filter(|(group, _)| lacks(&before, group)) {
                let numbers = self.numbers.entry((at, Arc::clone(group))).or_default();
                match numbers.binary_search(&place) {
                    Ok(_) => {}
                    Err(number) if number == numbers.len() => numbers.push_back(place),
                    Err(number) => numbers.insert(number, place),
                }
            }
        }
    }

    /// The group as the index has it already: the rows of a large group share its text.
    fn as_filed(&self, at: usize, group: Arc<str>) -> Arc<str> {
        let from = (Arc::clone(&group), i64::MIN, 0);
        match self.indexes[at].range(from..).next() {
            Some(((filed, ..), ())) if *filed == group => Arc::clone(filed),
            _ => group,
        }
    }

    pub(super) fn delete(&mut self, id: &str) -> Option<Arc<R>> {
        let place = *self.places.get(id)?;
        if R::REMEMBERS_DELETED {
            self.remember_ranks(place);
        } else {
            self.places.remove(id);
        }
        self.renumber(place, &[]);
        self.unfile(place);
        self.rows.remove(&place)
    }

    fn remember_ranks(&mut self, place: u64) {
        let Some(row) = self.rows.get(&place) else {
            return;
        };
        for (at, index) in R::INDEXES.iter().enumerate() {
            if let Some((_, rank)) = index.entries(row).first().filter(|(_, rank)| *rank != 0) {
                self.deleted_ranks.insert((at, place), *rank);
            }
        }
    }

    /// Takes the row at `place` out of every index.
    fn unfile(&mut self, place: u64) {
        let Some(row) = self.rows.get(&place) else {
            return;
        };
        for (at, index) in R::INDEXES.iter().enumerate() {
            for (group, rank) in index.entries(row) {
                self.indexes[at].remove(&(group, rank, place));
            }
        }
    }
}

#[cfg(test)]
impl<R: Record> Table<R> {
    /// Every index has exactly the entries of the rows that are there.
    pub(crate) fn is_consistent(&self) -> bool {
        let ids = self
            .rows
            .iter()
            .all(|(place, row)| self.places.get(row.id()) == Some(place));
        let indexes = R::INDEXES.iter().enumerate().all(|(at, index)| {
            let mut expected: Vec<Position> = self
                .rows
                .iter()
                .flat_map(|(place, row)| {
                    let entries = index.entries(row).into_iter();
                    entries.map(|(group, rank)| (group, rank, *place))
                })
                .collect();
            expected.sort();
            expected.dedup();
            let mut groups: Vec<_> = expected.iter().map(|(group, ..)| group).collect();
            let all = groups.len();
            groups.dedup();
            (!index.unique || groups.len() == all) && self.indexes[at].keys().eq(expected.iter())
        });
        let numbers = R::INDEXES
            .iter()
            .enumerate()
            .filter(|(_, i)| i.numbered)
            .all(|(at, _)| {
                let mut expected: Vec<_> = self.indexes[at]
                    .keys()
                    .map(|(group, _, place)| (Arc::clone(group), *place))
                    .collect();
                expected.sort();
                let own = self.numbers.iter().filter(|((other, _), _)| *other == at);
                let numbered: Vec<_> = own
                    .flat_map(|((_, group), places)| places.iter().map(|place| (Arc::clone(group), *place)))
                    .collect();
                numbered == expected
            });
        let next = self.rows.keys().all(|place| *place < self.next);
        ids && indexes && numbers && next
    }

    /// All that the table knows, for comparison.
    pub(crate) fn dump(&self) -> serde_json::Value {
        let rows: Vec<_> = self.rows.iter().collect();
        let places: Vec<_> = self.places.iter().collect();
        let deleted_ranks: Vec<_> = self.deleted_ranks.iter().collect();
        serde_json::json!([rows, places, self.indexes.len(), deleted_ranks, self.next])
    }
}
