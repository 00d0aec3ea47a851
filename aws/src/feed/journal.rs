//! The journal: the feed as its consumers read it.
//!
//! | attribute | type | what |
//! |---|---|---|
//! | `p` | S, partition key | the shard of the feed; there is one |
//! | `f` | N, sort key | the position of the segment's first commit |
//! | `z` | B | the commits, deflated |
//! | `g` | S | how far the stream was read, as JSON |
//! | `t` | N | when the segment may be removed, in Unix seconds (DynamoDB's TTL) |
//!
//! A segment is put where its position says, if nobody has put one there: that is the commit point,
//! and all that two relays need to keep out of each other's way.
//!
//! **Cost.** A reader that is at the end asks for the one item that would come next, which costs half
//! a unit to a unit; beside a relay in the same process it asks for nothing.

use std::{
    collections::VecDeque,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use aws_sdk_dynamodb::{
    Client,
    operation::{get_item::GetItemOutput, query::QueryOutput},
    primitives::Blob,
    types::{AttributeValue, ReturnConsumedCapacity},
};
use lombard_core::store::{Change, Commit, Key};
use lombard_service::{
    duty,
    ports::{Cause, Host, ReadError},
};
use parking_lot::Mutex;
use tokio::{sync::watch, time::Instant};

use super::segment::{Damaged, Progress, Segment, pack, unpack, weight};
use crate::{
    dynamo::{Class, Failed, failed, persist, table::TTL_ATTRIBUTE},
    meter::{Ended, Meter, Operation, Subject, Units},
};

/// For how long segments are kept.
pub const RETENTION_DAYS: u64 = 30;
/// The partition of the one shard.
const SHARD: &str = "feed#0000";
/// How often a reader without a relay beside it looks for news.
const POLL: Duration = Duration::from_millis(200);
/// The most bytes of segments, before compression, that are kept in memory.
const CACHE_BYTES: usize = 32 * 1024 * 1024;

/// See the module.
pub struct Journal {
    client: Client,
    table: Arc<str>,
    host: Arc<dyn Host>,
    meter: Arc<Meter>,
    /// The newest segments, without gaps.
    cache: Mutex<VecDeque<Arc<Segment>>>,
    tail: watch::Sender<u64>,
    live: AtomicBool,
}

/// Why a segment was not appended.
#[derive(Debug, Clone, thiserror::Error)]
pub enum AppendError {
    /// Somebody else has put a segment there.
    #[error("another relay has appended to the journal")]
    Rival,
    /// It was not put, or it is not known whether it was.
    #[error("the journal cannot be written")]
    NotDone(#[source] Cause),
}

impl Journal {
    pub(crate) fn new(
        client: &Client,
        table: &str,
        host: Arc<dyn Host>,
        meter: Arc<Meter>,
    ) -> Self {
        Self {
            client: client.clone(),
            table: table.into(),
            host,
            meter,
            cache: Mutex::default(),
            tail: watch::Sender::new(0),
            live: AtomicBool::new(false),
        }
    }

    /// The commits after a position, as [`lombard_service::ports::Store::changes`] says.
    pub(crate) async fn changes(
        &self,
        after: u64,
        limit: usize,
        wait_ms: u64,
    ) -> Result<Vec<Commit>, ReadError> {
        let end = Instant::now() + Duration::from_millis(wait_ms);
        let mut tail = self.tail.subscribe();
        loop {
            if let Some(commits) = self.cached(after, limit) {
                return Ok(commits);
            }
            let live = self.live.load(Ordering::Acquire);
            if !(live && after >= *tail.borrow_and_update())
                && let Some(segment) = self.fetch(after).await?
            {
                return Ok(part([&segment].into_iter(), after, limit));
            }
            let news = async {
                match live {
                    // The sender is ours, so there is always one.
                    true => drop(tail.changed().await),
                    false => tokio::time::sleep(POLL).await,
                }
            };
            if tokio::time::timeout_at(end, news).await.is_err() {
                return Ok(self.cached(after, limit).unwrap_or_default());
            }
        }
    }

    fn cached(&self, after: u64, limit: usize) -> Option<Vec<Commit>> {
        let cache = self.cache.lock();
        let first = cache.front()?.first();
        let last = cache.back()?.last();
        if after + 1 < first || after >= last {
            return None;
        }
        Some(part(cache.iter(), after, limit))
    }

    fn remember(&self, segment: Arc<Segment>) {
        let mut cache = self.cache.lock();
        match cache.back().map(|newest| newest.last()) {
            Some(last) if segment.first() == last + 1 => cache.push_back(segment),
            // One that was read for a consumer far behind would make a gap.
            Some(last) if segment.last() <= last => {}
            _ => {
                cache.clear();
                cache.push_back(segment);
            }
        }
        while cache.len() > 1 && cache.iter().map(|it| it.weight).sum::<usize>() > CACHE_BYTES {
            cache.pop_front();
        }
    }

    /// The segment with the position after `after`, if there is one yet.
    async fn fetch(&self, after: u64) -> Result<Option<Arc<Segment>>, ReadError> {
        let next = self.segment_at(after + 1).await?;
        if next.is_some() {
            return Ok(next);
        }
        // At the end of a segment there is nothing more to ask for.
        let at_an_end = self
            .cache
            .lock()
            .iter()
            .any(|segment| segment.last() == after);
        if at_an_end {
            return Ok(None);
        }
        if let Some(within) = self.segment_towards(after + 1, true).await?
            && within.last() > after
        {
            return Ok(Some(within));
        }
        match self.segment_towards(after + 1, false).await? {
            Some(_) => Err(ReadError::Trimmed(after)),
            None => Ok(None),
        }
    }

    /// The newest segment.
    pub(crate) async fn newest(&self) -> Result<Option<Arc<Segment>>, ReadError> {
        self.segment_towards(u64::MAX, true).await
    }

    /// The segment that begins at a position.
    async fn segment_at(&self, first: u64) -> Result<Option<Arc<Segment>>, ReadError> {
        let request = self
            .client
            .get_item()
            .table_name(&*self.table)
            .key("p", AttributeValue::S(SHARD.to_owned()))
            .key("f", AttributeValue::N(first.to_string()))
            .consistent_read(true)
            .return_consumed_capacity(ReturnConsumedCapacity::Total);
        let answer = persist(self.host.as_ref(), || async {
            let answer = request.clone().send().await.map_err(failed);
            let units =
                |it: &GetItemOutput| it.consumed_capacity().and_then(|it| it.capacity_units());
            self.count("GetItem", answer.as_ref().map(units), false);
            answer
        });
        let answer = answer.await.map_err(unreadable)?;
        answer
            .item
            .as_ref()
            .map(|item| self.parse(item))
            .transpose()
    }

    /// The first segment at or before a position, or after it.
    async fn segment_towards(
        &self,
        from: u64,
        back: bool,
    ) -> Result<Option<Arc<Segment>>, ReadError> {
        let comparison = if back { "<=" } else { ">" };
        let request = self
            .client
            .query()
            .table_name(&*self.table)
            .key_condition_expression(format!("p = :p AND f {comparison} :f"))
            .expression_attribute_values(":p", AttributeValue::S(SHARD.to_owned()))
            .expression_attribute_values(":f", AttributeValue::N(from.to_string()))
            .scan_index_forward(!back)
            .limit(1)
            .consistent_read(true)
            .return_consumed_capacity(ReturnConsumedCapacity::Total);
        let answer = persist(self.host.as_ref(), || async {
            let answer = request.clone().send().await.map_err(failed);
            let units =
                |it: &QueryOutput| it.consumed_capacity().and_then(|it| it.capacity_units());
            self.count("Query", answer.as_ref().map(units), false);
            answer
        });
        let answer = answer.await.map_err(unreadable)?;
        answer
            .items()
            .first()
            .map(|item| self.parse(item))
            .transpose()
    }

    fn parse(
        &self,
        item: &std::collections::HashMap<String, AttributeValue>,
    ) -> Result<Arc<Segment>, ReadError> {
        let damaged = || ReadError::Damaged(Arc::new(Damaged));
        let number = item.get("f").and_then(|it| it.as_n().ok());
        let first = number
            .and_then(|text| text.parse().ok())
            .ok_or_else(damaged)?;
        let packed = item
            .get("z")
            .and_then(|it| it.as_b().ok())
            .ok_or_else(damaged)?;
        let progress = item
            .get("g")
            .and_then(|it| it.as_s().ok())
            .ok_or_else(damaged)?;
        let (commits, weight) = unpack(packed.as_ref(), first).map_err(|_| damaged())?;
        let segment = Arc::new(Segment {
            commits,
            progress: serde_json::from_str(progress).map_err(|_| damaged())?,
            weight,
        });
        self.remember(Arc::clone(&segment));
        Ok(segment)
    }

    /// Puts a segment after `last`. Gives the position of its last commit.
    pub(crate) async fn append(
        &self,
        last: u64,
        groups: &[Vec<Change>],
        progress: &Progress,
    ) -> Result<u64, AppendError> {
        let first = last + 1;
        let packed = pack(groups);
        let now = self.host.now().unix_ms();
        let expires = now / 1000 + RETENTION_DAYS * 24 * 60 * 60;
        let told = serde_json::to_string(progress);
        let told = told.map_err(|error| AppendError::NotDone(Arc::new(error)))?;
        let request = self
            .client
            .put_item()
            .table_name(&*self.table)
            .item("p", AttributeValue::S(SHARD.to_owned()))
            .item("f", AttributeValue::N(first.to_string()))
            .item("z", AttributeValue::B(Blob::new(packed)))
            .item("g", AttributeValue::S(told))
            .item(TTL_ATTRIBUTE, AttributeValue::N(expires.to_string()))
            .condition_expression("attribute_not_exists(p)")
            .return_consumed_capacity(ReturnConsumedCapacity::Total);
        let put = persist(self.host.as_ref(), || async {
            let answer = request.clone().send().await.map_err(failed);
            let units = answer
                .as_ref()
                .map(|it| it.consumed_capacity().and_then(|it| it.capacity_units()));
            self.count("PutItem", units, true);
            answer
        });
        if let Err(gave_up) = put.await {
            // When our own first try has succeeded this is wrong, and does no harm: the relay begins
            // again from the newest segment, which is then its own.
            return Err(match gave_up.failed.class {
                Class::Conflict(_) => AppendError::Rival,
                _ => AppendError::NotDone(gave_up.failed.cause),
            });
        }
        let commits = (first..).zip(groups).map(|(position, changes)| Commit {
            position,
            changes: changes.as_slice().into(),
        });
        let segment = Segment {
            commits: commits.collect(),
            progress: progress.clone(),
            weight: groups.iter().flatten().map(weight).sum(),
        };
        let last = segment.last();
        self.remember(Arc::new(segment));
        self.reach(last);
        Ok(last)
    }

    /// The journal ends at `last`, as its relay knows. Readers wait for the relay from now on.
    pub(crate) fn reach(&self, last: u64) {
        self.tail.send_replace(last);
        self.live.store(true, Ordering::Release);
    }

    /// The relay beside it has ended: readers look for themselves.
    pub(crate) fn left_alone(&self) {
        self.live.store(false, Ordering::Release);
        self.tail.send_modify(|_| {});
    }

    fn count(&self, name: &'static str, told: Result<Option<f64>, &Failed>, wrote: bool) {
        let (ended, units) = match told {
            Ok(units) => (Ended::Done, Units::told(units.unwrap_or_default())),
            Err(failed) => (failed.class.ended(), Units::default()),
        };
        let (read_units, write_units) = match wrote {
            true => (Units::default(), units),
            false => (units, Units::default()),
        };
        self.meter.count(Operation {
            component: duty::current(),
            name,
            subject: Subject::of(&[Key::new(SHARD, "")]),
            ended,
            items: 1,
            bytes: 0,
            read_units,
            write_units,
        });
    }
}

fn unreadable(gave_up: crate::dynamo::GaveUp) -> ReadError {
    ReadError::Unavailable(gave_up.failed.cause)
}

/// What of `segments` comes after a position, up to about `limit` changes.
fn part<'a>(
    segments: impl Iterator<Item = &'a Arc<Segment>>,
    after: u64,
    limit: usize,
) -> Vec<Commit> {
    let mut count = 0;
    segments
        .filter(|segment| segment.last() > after)
        .flat_map(|segment| &segment.commits)
        .filter(|commit| commit.position > after)
        .take_while(|commit| {
            let wanted = count < limit.max(1);
            count += commit.changes.len();
            wanted
        })
        .cloned()
        .collect()
}
