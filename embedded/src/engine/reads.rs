//! Reading, on the reader's own thread: what is in memory under a short lock, the rest from parts that never
//! change.
//!
//! A read of the index or the log may wait for the disk. Its pages are nearly always in memory, and handing
//! such a short read to another thread would cost more than the read.

use std::{iter::Peekable, ops::Bound, sync::Arc};

use lombard_core::store::{Key, Record};
use lombard_service::ports::{Found, Of, RANGE_MAX, Range, ReadError};

use super::shared::{Hit, Shared, unreadable};
use crate::memtable::{Bounds, Slot, listing_pair};

/// What one layer says of a place: `None` if there is nothing, and what older layers say is hidden.
type Entry<T> = Result<(Vec<u8>, Option<T>), ReadError>;

impl Shared {
    /// Reads keys of one moment; the answers are in their order.
    pub fn get(&self, keys: &[Key]) -> Result<Vec<Option<Record>>, ReadError> {
        let (found, view) = {
            let published = self.published.read();
            let found: Vec<_> = keys
                .iter()
                .map(|key| published.in_memory(key).cloned())
                .collect();
            (found, published.view.clone())
        };
        let complete = found.into_iter().zip(keys).map(|(found, key)| match found {
            Some(found) => Ok(found),
            None => self.find_indexed(&view, key),
        });
        complete.collect()
    }

    /// Reads a part of a partition.
    pub fn range(&self, range: &Range) -> Result<Vec<Found>, ReadError> {
        let limit = range.limit.min(RANGE_MAX);
        let bounds = bounds(range);
        if limit == 0 || is_empty(&bounds) {
            return Ok(Vec::new());
        }
        match range.of {
            Of::Records => self.records(&bounds, range, limit),
            Of::Index => self.listed(bounds, range, limit),
        }
    }

    fn records(
        &self,
        bounds: &Bounds,
        range: &Range,
        limit: usize,
    ) -> Result<Vec<Found>, ReadError> {
        let backwards = range.backwards;
        let hit = |slot: &Slot| slot.record.clone().map(Hit::Record);
        let (active, frozen, view) = {
            let published = self.published.read();
            let entries = published.active.records(bounds);
            let entries = entries.map(|(name, slot)| (name.key().as_bytes().to_vec(), hit(slot)));
            (
                some(entries, backwards, limit),
                published.frozen.clone(),
                published.view.clone(),
            )
        };
        let entries = frozen.iter().flat_map(|it| it.records(bounds));
        let entries = entries.map(|(name, slot)| (name.key().as_bytes().to_vec(), hit(slot)));
        let frozen = all(entries, backwards);
        let indexed = view.records(bounds, backwards).map_err(unreadable)?;
        let indexed = indexed.map(|entry| {
            let (key, place) = entry.map_err(unreadable)?;
            Ok((key, Some(Hit::At(place))))
        });
        let merged = Merge::new(active, frozen, indexed, backwards);
        let found = merged.map(|entry| {
            let (bytes, hit) = entry?;
            let key = Key::from_bytes(&bytes).ok_or_else(broken_index)?;
            let record = match hit {
                Hit::Record(record) => record,
                Hit::At(place) => self.record_at(&key, place)?,
            };
            Ok(Found { at: key, record })
        });
        let kept = found.filter(|found| !range.past_damage || !is_damaged(found));
        kept.take(limit).collect()
    }

    /// The records that a secondary order lists. The places are of one moment and the records of a later
    /// one; a record that has left its place by then is passed over.
    fn listed(
        &self,
        mut bounds: Bounds,
        range: &Range,
        limit: usize,
    ) -> Result<Vec<Found>, ReadError> {
        let backwards = range.backwards;
        let mut found = Vec::new();
        loop {
            let places = self.listings(&bounds, backwards, limit - found.len())?;
            let Some((last, _, _)) = places.last() else {
                return Ok(found);
            };
            let beyond = Bound::Excluded(last.clone());
            if backwards {
                bounds.1 = beyond
            } else {
                bounds.0 = beyond
            };
            let keys: Vec<Key> = places.iter().map(|(_, _, key)| key.clone()).collect();
            let records = match self.get(&keys) {
                Err(ReadError::Damaged(_)) if range.past_damage => self.get_sound(&keys)?,
                records => records?,
            };
            for ((_, at, _), record) in places.into_iter().zip(records) {
                if let Some(record) = record.filter(|it| it.body.index.contains(&at)) {
                    found.push(Found { at, record });
                }
            }
            if found.len() == limit || is_empty(&bounds) {
                return Ok(found);
            }
        }
    }

    /// Reads keys one by one; those whose records are damaged are as if they were not there.
    fn get_sound(&self, keys: &[Key]) -> Result<Vec<Option<Record>>, ReadError> {
        let one = |key| match self.get(std::slice::from_ref(key)) {
            Ok(found) => Ok(found.into_iter().next().flatten()),
            Err(ReadError::Damaged(_)) => Ok(None),
            Err(error) => Err(error),
        };
        keys.iter().map(one).collect()
    }

    fn listings(
        &self,
        bounds: &Bounds,
        backwards: bool,
        limit: usize,
    ) -> Result<Vec<(Vec<u8>, Key, Key)>, ReadError> {
        let (active, frozen, view) = {
            let published = self.published.read();
            let entries = published.active.listings(bounds);
            let entries = entries.map(|(place, it)| (place.to_vec(), it.present.then_some(())));
            (
                some(entries, backwards, limit),
                published.frozen.clone(),
                published.view.clone(),
            )
        };
        let entries = frozen.iter().flat_map(|it| it.listings(bounds));
        let entries = entries.map(|(place, it)| (place.to_vec(), it.present.then_some(())));
        let frozen = all(entries, backwards);
        let indexed = view.listings(bounds, backwards).map_err(unreadable)?;
        let indexed = indexed.map(|entry| Ok((entry.map_err(unreadable)?, Some(()))));
        let merged = Merge::new(active, frozen, indexed, backwards).take(limit);
        let pairs = merged.map(|entry| {
            let (bytes, ()) = entry?;
            let (at, key) = listing_pair(&bytes).ok_or_else(broken_index)?;
            Ok((bytes, at, key))
        });
        pairs.collect()
    }
}

fn is_damaged<T>(found: &Result<T, ReadError>) -> bool {
    matches!(found, Err(ReadError::Damaged(_)))
}

/// Takes from the newest layer what a range of `limit` can need: entries until `limit` of them are there.
/// Nothing hides those, so the range ends at the last of them at the latest. That is true of the newest
/// layer alone: what an older one has may be hidden, and the range then goes on beyond it.
fn some<T>(
    mut entries: impl DoubleEndedIterator<Item = (Vec<u8>, Option<T>)>,
    backwards: bool,
    limit: usize,
) -> std::vec::IntoIter<(Vec<u8>, Option<T>)> {
    let mut taken = Vec::new();
    let mut present = 0;
    while present < limit {
        let next = if backwards {
            entries.next_back()
        } else {
            entries.next()
        };
        let Some(entry) = next else { break };
        present += usize::from(entry.1.is_some());
        taken.push(entry);
    }
    taken.into_iter()
}

/// A layer that does not change, read as far as the range goes.
fn all<'a, T: 'a>(
    entries: impl DoubleEndedIterator<Item = (Vec<u8>, Option<T>)> + 'a,
    backwards: bool,
) -> Box<dyn Iterator<Item = (Vec<u8>, Option<T>)> + 'a> {
    if backwards {
        Box::new(entries.rev())
    } else {
        Box::new(entries)
    }
}

/// Three layers in one order; the newest says what there is at a place.
struct Merge<A: Iterator, B: Iterator, C: Iterator> {
    active: Peekable<A>,
    frozen: Peekable<B>,
    indexed: Peekable<C>,
    backwards: bool,
}

impl<T, A, B, C> Merge<A, B, C>
where
    A: Iterator<Item = (Vec<u8>, Option<T>)>,
    B: Iterator<Item = (Vec<u8>, Option<T>)>,
    C: Iterator<Item = Entry<T>>,
{
    fn new(active: A, frozen: B, indexed: C, backwards: bool) -> Self {
        let (active, frozen, indexed) = (active.peekable(), frozen.peekable(), indexed.peekable());
        Self {
            active,
            frozen,
            indexed,
            backwards,
        }
    }

    /// The place that comes first in any layer.
    fn first(&mut self) -> Option<Vec<u8>> {
        let places = [
            self.active.peek().map(|(place, _)| place),
            self.frozen.peek().map(|(place, _)| place),
            self.indexed
                .peek()
                .and_then(|it| it.as_ref().ok())
                .map(|(place, _)| place),
        ];
        let places = places.into_iter().flatten();
        if self.backwards {
            places.max()
        } else {
            places.min()
        }
        .cloned()
    }
}

impl<T, A, B, C> Iterator for Merge<A, B, C>
where
    A: Iterator<Item = (Vec<u8>, Option<T>)>,
    B: Iterator<Item = (Vec<u8>, Option<T>)>,
    C: Iterator<Item = Entry<T>>,
{
    type Item = Result<(Vec<u8>, T), ReadError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(Err(error)) = self.indexed.next_if(Result::is_err) {
                return Some(Err(error));
            }
            let place = self.first()?;
            let active = self.active.next_if(|it| it.0 == place);
            let frozen = self.frozen.next_if(|it| it.0 == place);
            let indexed = self
                .indexed
                .next_if(|it| it.as_ref().is_ok_and(|it| it.0 == place));
            let newest = active.or(frozen).or(indexed.and_then(Result::ok));
            if let Some((place, Some(found))) = newest {
                return Some(Ok((place, found)));
            }
        }
    }
}

/// The bytes between which a range lies. Keys are partition, NUL, sort; places in secondary orders are such
/// a key, NUL, and the record's key. A byte of 1 comes after every NUL and before every longer text.
fn bounds(range: &Range) -> Bounds {
    let at =
        |sort: &str, end: &[u8]| [range.partition.as_bytes(), &[0], sort.as_bytes(), end].concat();
    let past = |sort: &str| match range.of {
        Of::Records => Bound::Excluded(at(sort, &[])),
        Of::Index => Bound::Included(at(sort, &[1])),
    };
    let upto = |sort: &str| match range.of {
        Of::Records => Bound::Included(at(sort, &[])),
        Of::Index => Bound::Excluded(at(sort, &[1])),
    };
    let begin = Bound::Included(at("", &[]));
    let end = Bound::Excluded([range.partition.as_bytes(), &[1]].concat());
    let (after, until) = (range.after.as_deref(), range.until.as_deref());
    if range.backwards {
        let upper = after.map_or(end, |after| Bound::Excluded(at(after, &[])));
        (
            until.map_or(begin, |until| Bound::Included(at(until, &[]))),
            upper,
        )
    } else {
        (after.map_or(begin, past), until.map_or(end, upto))
    }
}

/// Whether nothing can lie between the bounds. Ordered maps do not like to be asked then.
fn is_empty(bounds: &Bounds) -> bool {
    match (&bounds.0, &bounds.1) {
        (Bound::Included(from), Bound::Included(to)) => from > to,
        (Bound::Included(from) | Bound::Excluded(from), Bound::Excluded(to))
        | (Bound::Excluded(from), Bound::Included(to)) => from >= to,
        _ => false,
    }
}

fn broken_index() -> ReadError {
    ReadError::Damaged(Arc::new(BrokenIndex))
}

/// The index holds what cannot be a key.
#[derive(Debug, thiserror::Error)]
#[error("the index is broken; stop the store, remove index.redb and start again to make it anew")]
struct BrokenIndex;

#[cfg(test)]
mod tests;
