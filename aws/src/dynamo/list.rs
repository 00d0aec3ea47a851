//! Reading a list: the shards of both indexes merged, the records from the table.
//!
//! The indexes have keys alone, and on AWS they follow the table by a moment. So the records are
//! read from the table, and one that is no longer listed where the index said is passed over; the
//! merge goes on until the page is full, because a short page means the end of the list.

use std::{
    cmp::Ordering,
    collections::{BTreeMap, VecDeque},
};

use aws_sdk_dynamodb::{
    operation::batch_get_item::BatchGetItemOutput,
    types::{KeysAndAttributes, ReturnConsumedCapacity},
};
use futures_util::future::try_join_all;
use lombard_core::store::{Key, Record};
use lombard_service::ports::{Found, RANGE_MAX, Range, ReadError};

use super::{
    Dynamo, INDEXES, LIST_SHARDS, failed,
    item::{INDEX_KEYS, item_key, key_of, list_partition, listed_at},
    range::{Place, damaged, interval},
    read::{capacity, parse, unreadable},
    retry::persist,
};

/// `BatchGetItem` takes at most so many.
const BATCH_MAX: usize = 100;
/// The names of the indexes.
pub const INDEX_NAMES: [&str; INDEXES] = ["list1", "list2"];

/// Where a record is said to be listed, and which.
type Entry = (Key, Key);

/// One shard of one index.
struct Source {
    index: usize,
    partition: String,
    entries: VecDeque<Entry>,
    place: Place,
    ended: bool,
}

impl Dynamo {
    pub(super) async fn listed(&self, range: &Range) -> Result<Vec<Found>, ReadError> {
        let limit = range.limit.min(RANGE_MAX);
        let Some(interval) = interval(range).filter(|_| limit > 0) else {
            return Ok(Vec::new());
        };
        let mut sources = sources(&range.partition);
        let mut found: Vec<Found> = Vec::new();
        while found.len() < limit {
            let wanted = limit - found.len();
            let mut entries = Vec::new();
            while entries.len() < wanted {
                self.fill(&mut sources, range, &interval, wanted).await?;
                match take_next(&mut sources, range.backwards) {
                    Some(entry) => entries.push(entry),
                    None => break,
                }
            }
            if entries.is_empty() {
                break;
            }
            let records = self.batch(&entries).await?;
            for (at, key) in entries {
                let record = records.get(&key);
                if let Some(record) = record.filter(|it| it.body.index.contains(&at)) {
                    let record = record.clone();
                    found.push(Found { at, record });
                }
            }
        }
        Ok(found)
    }

    /// Lets every source that has not ended show its next entry.
    async fn fill(
        &self,
        sources: &mut [Source],
        range: &Range,
        interval: &(String, String),
        wanted: usize,
    ) -> Result<(), ReadError> {
        let empty = sources
            .iter_mut()
            .filter(|source| source.entries.is_empty() && !source.ended);
        let fills = empty.map(|source| self.fill_one(source, range, interval, wanted));
        try_join_all(fills).await?;
        Ok(())
    }

    async fn fill_one(
        &self,
        source: &mut Source,
        range: &Range,
        interval: &(String, String),
        wanted: usize,
    ) -> Result<(), ReadError> {
        while source.entries.is_empty() && !source.ended {
            let keys = INDEX_KEYS[source.index];
            let request = self
                .query(keys, &source.partition, interval, range.backwards)
                .index_name(INDEX_NAMES[source.index])
                .set_exclusive_start_key(source.place.take())
                .limit((wanted + 1).try_into().unwrap_or(i32::MAX));
            let page = self.page(request, &range.partition).await?;
            for item in &page.items {
                let at = listed_at(item, source.index).map_err(damaged)?;
                if range.after.as_deref() != Some(at.sort()) {
                    source
                        .entries
                        .push_back((at, key_of(item).map_err(damaged)?));
                }
            }
            source.ended = page.next.is_none();
            source.place = page.next;
        }
        Ok(())
    }

    /// The records of entries, from the table.
    async fn batch(&self, entries: &[Entry]) -> Result<BTreeMap<Key, Record>, ReadError> {
        let mut keys: Vec<&Key> = entries.iter().map(|(_, key)| key).collect();
        keys.sort_unstable();
        keys.dedup();
        let mut records = BTreeMap::new();
        let mut left: VecDeque<_> = keys.into_iter().map(item_key).collect();
        while !left.is_empty() {
            let part: Vec<_> = left.drain(..left.len().min(BATCH_MAX)).collect();
            let request = KeysAndAttributes::builder()
                .set_keys(Some(part))
                .consistent_read(true)
                .build()
                .map_err(|error| ReadError::Unavailable(std::sync::Arc::new(error)))?;
            let request = self
                .client
                .batch_get_item()
                .request_items(&*self.table, request)
                .return_consumed_capacity(ReturnConsumedCapacity::Total);
            let about = entries[0].1.clone();
            let answer = persist(self.host.as_ref(), || async {
                let answer = request.clone().send().await.map_err(failed);
                let units = capacity(&answer, |it: &BatchGetItemOutput| {
                    it.consumed_capacity()
                        .iter()
                        .filter_map(|it| it.capacity_units())
                        .sum()
                });
                self.count_read("BatchGetItem", std::slice::from_ref(&about), &answer, units);
                answer
            });
            let answer = answer.await.map_err(unreadable)?;
            for item in answer.responses.unwrap_or_default().values().flatten() {
                records.insert(key_of(item).map_err(damaged)?, parse(item)?);
            }
            // What did not fit into one answer is asked for again.
            let unread = answer.unprocessed_keys.unwrap_or_default();
            left.extend(unread.into_values().flat_map(|it| it.keys));
        }
        Ok(records)
    }
}

fn sources(partition: &str) -> Vec<Source> {
    let of = |(index, shard)| Source {
        index,
        partition: list_partition(shard, partition),
        entries: VecDeque::new(),
        place: None,
        ended: false,
    };
    let all = (0..INDEXES).flat_map(|index| (0..LIST_SHARDS).map(move |shard| (index, shard)));
    all.map(of).collect()
}

/// Takes the entry that comes next in the order of the reading.
fn take_next(sources: &mut [Source], backwards: bool) -> Option<Entry> {
    let order = |a: &Entry, b: &Entry| match backwards {
        false => a.cmp(b),
        true => b.cmp(a),
    };
    let fronts = sources
        .iter_mut()
        .filter(|source| !source.entries.is_empty());
    let first = fronts.min_by(|a, b| match (a.entries.front(), b.entries.front()) {
        (Some(a), Some(b)) => order(a, b),
        _ => Ordering::Equal,
    });
    first.and_then(|source| source.entries.pop_front())
}
