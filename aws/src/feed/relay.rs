//! Reads the stream and appends to the journal.
//!
//! **Order.** A shard is read when its parents are in the journal whole, so a record's changes, which
//! move from a parent to its child, stay in order. Shards beside each other have no order.
//!
//! **One at a time.** Nothing depends on it: a second relay loses its append and begins again from
//! the journal. It would only cost.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use aws_config::SdkConfig;
use aws_sdk_dynamodb::types::AttributeValue;
use aws_sdk_dynamodbstreams::{
    Client,
    error::{DisplayErrorContext, SdkError},
    types::{AttributeValue as Streamed, OperationType, Record, Shard, ShardIteratorType},
};
use lombard_core::{store::Change, time::Timestamp};
use lombard_service::{
    duty,
    ports::{Host, ReadError},
};
use tokio::{sync::watch, time::Instant};
use tracing::{error, info, warn};

use super::{
    assemble::{Assembler, Told},
    journal::{AppendError, Journal},
    segment::{Progress, weight},
};
use crate::dynamo::{Dynamo, change_of, key_of};

/// Bytes of a segment before compression. Deflated it fits into an item whatever it is made of.
const SEGMENT_BYTES: usize = 256 * 1024;
/// How often new shards are looked for. One that ends is followed at once.
const DISCOVER: Duration = Duration::from_secs(10);
/// The pause between looks at a stream that has nothing.
const IDLE: Duration = Duration::from_millis(200);
/// The pause while there is something: DynamoDB Streams lets a shard be read about five times a
/// second by each of two readers.
const BUSY: Duration = Duration::from_millis(50);
/// Shards are forgotten so long after their last record; the stream forgets them after a day.
const FORGET_MS: u64 = 3 * 24 * 60 * 60 * 1000;

/// Why the relay did not get on. The next step begins from the journal.
#[derive(Debug, thiserror::Error)]
pub enum RelayError {
    /// The stream cannot be read at the moment.
    #[error("the stream cannot be read: {0}")]
    Stream(String),
    /// The journal cannot be read.
    #[error("the journal cannot be read")]
    Journal(#[from] ReadError),
    /// The journal was not appended to.
    #[error(transparent)]
    Append(#[from] AppendError),
    /// The stream no longer has what comes next: the relay was down for more than a day. What the
    /// consumers missed has to be found by reconciliation against the table; a person decides.
    #[error("the stream no longer reaches back to where the journal ends, in shard {0}")]
    Trimmed(String),
    /// The stream tells what no store of ours wrote.
    #[error("a record of the stream cannot be read")]
    Foreign(#[source] lombard_service::ports::Cause),
}

/// See the module.
pub struct Relay {
    client: Client,
    stream: String,
    journal: Arc<Journal>,
    host: Arc<dyn Host>,
    state: Option<State>,
}

/// What the relay knows while nothing fails.
struct State {
    last: u64,
    progress: Progress,
    shards: BTreeMap<String, Reader>,
    discovered: Instant,
}

/// A shard that is being read.
struct Reader {
    iterator: Option<String>,
    assembler: Assembler,
}

impl Relay {
    /// A relay from the stream of that ARN into the journal of `store`.
    #[must_use]
    pub fn new(config: &SdkConfig, stream: &str, store: &Dynamo, host: Arc<dyn Host>) -> Self {
        Self {
            client: Client::new(config),
            stream: stream.to_owned(),
            journal: store.journal().clone(),
            host,
            state: None,
        }
    }

    /// Relays until `stop` turns true.
    pub async fn run(mut self, mut stop: watch::Receiver<bool>) {
        while !*stop.borrow() {
            let stepped = tokio::select! {
                biased;
                _ = stop.changed() => break,
                stepped = duty::on("relay", self.step()) => stepped,
            };
            let pause = match stepped {
                Ok(0) => IDLE,
                Ok(_) => BUSY,
                Err(RelayError::Trimmed(shard)) => {
                    error!(shard, "changes are lost to the feed; see docs/runbooks");
                    Duration::from_secs(10)
                }
                Err(error) => {
                    warn!(error = %lombard_service::http::problem::chain(&error), "the feed is held up");
                    Duration::from_millis(500)
                }
            };
            tokio::select! {
                biased;
                _ = stop.changed() => break,
                () = tokio::time::sleep(pause) => {}
            }
        }
        self.journal.left_alone();
    }

    /// Takes the next part of each shard into the journal; how many commits that were.
    ///
    /// # Errors
    /// See [`RelayError`]; the next step begins from the journal.
    pub async fn step(&mut self) -> Result<usize, RelayError> {
        let mut state = match self.state.take() {
            Some(state) => state,
            None => self.resume().await?,
        };
        if state.discovered.elapsed() >= DISCOVER {
            self.discover(&mut state).await?;
        }
        let mut relayed = 0;
        let names: Vec<String> = state.shards.keys().cloned().collect();
        for name in names {
            relayed += self.advance(&mut state, &name).await?;
        }
        self.state = Some(state);
        Ok(relayed)
    }

    async fn resume(&self) -> Result<State, RelayError> {
        let newest = self.journal.newest().await?;
        let mut state = State {
            last: newest.as_ref().map_or(0, |segment| segment.last()),
            progress: newest
                .map(|segment| segment.progress.clone())
                .unwrap_or_default(),
            shards: BTreeMap::new(),
            discovered: Instant::now(),
        };
        self.journal.reach(state.last);
        self.discover(&mut state).await?;
        info!(
            position = state.last,
            shards = state.shards.len(),
            "the feed goes on"
        );
        Ok(state)
    }

    /// Begins to read the shards whose time has come.
    async fn discover(&self, state: &mut State) -> Result<(), RelayError> {
        let listed = self.list().await?;
        state.discovered = Instant::now();
        let is_there = |id: &str| listed.iter().any(|shard| shard.shard_id() == Some(id));
        let ended = |id: &str| state.progress.get(id).is_some_and(|reached| reached.ended);
        let ready = |shard: &&Shard| {
            let parent = shard.parent_shard_id();
            // A parent that is no longer listed was trimmed with all that it had.
            parent.is_none_or(|parent| !is_there(parent) || ended(parent))
        };
        let now = self.host.now();
        let mut begun = Vec::new();
        for shard in listed.iter().filter(ready) {
            let Some(name) = shard.shard_id() else {
                continue;
            };
            if state.shards.contains_key(name) || ended(name) {
                continue;
            }
            let reached = state.progress.get(name).cloned().unwrap_or_default();
            let iterator = self.iterator(name, reached.after.as_deref()).await?;
            let assembler = Assembler::resume(&reached);
            let iterator = Some(iterator);
            begun.push((
                name.to_owned(),
                Reader {
                    iterator,
                    assembler,
                },
            ));
        }
        state.shards.extend(begun);
        let fresh = |at_ms: u64| now.unix_ms().saturating_sub(at_ms) < FORGET_MS;
        state
            .progress
            .retain(|name, reached| is_there(name) || fresh(reached.at_ms));
        Ok(())
    }

    async fn list(&self) -> Result<Vec<Shard>, RelayError> {
        let mut shards = Vec::new();
        let mut after = None;
        loop {
            let request = self.client.describe_stream().stream_arn(&self.stream);
            let answer = request.set_exclusive_start_shard_id(after).send().await;
            let description = answer.map_err(stream_error)?.stream_description;
            let Some(description) = description else {
                return Err(RelayError::Stream("no description".to_owned()));
            };
            shards.extend(description.shards.unwrap_or_default());
            after = description.last_evaluated_shard_id;
            if after.is_none() {
                return Ok(shards);
            }
        }
    }

    async fn iterator(&self, shard: &str, after: Option<&str>) -> Result<String, RelayError> {
        let request = self
            .client
            .get_shard_iterator()
            .stream_arn(&self.stream)
            .shard_id(shard);
        let request = match after {
            Some(sequence) => request
                .shard_iterator_type(ShardIteratorType::AfterSequenceNumber)
                .sequence_number(sequence),
            None => request.shard_iterator_type(ShardIteratorType::TrimHorizon),
        };
        match request.send().await {
            Ok(answer) => answer
                .shard_iterator
                .ok_or_else(|| RelayError::Stream("no iterator".to_owned())),
            Err(error) => match error.as_service_error() {
                Some(why) if why.is_trimmed_data_access_exception() => {
                    Err(RelayError::Trimmed(shard.to_owned()))
                }
                _ => Err(stream_error(error)),
            },
        }
    }

    /// Reads on in one shard and appends what became whole.
    async fn advance(&self, state: &mut State, name: &str) -> Result<usize, RelayError> {
        let Some(mut reader) = state.shards.remove(name) else {
            return Ok(0);
        };
        let now = self.host.now();
        if let Some(iterator) = &reader.iterator {
            let answer = self
                .client
                .get_records()
                .shard_iterator(iterator)
                .send()
                .await;
            let answer = match answer {
                Ok(answer) => answer,
                Err(error) => match error.as_service_error() {
                    Some(why) if why.is_trimmed_data_access_exception() => {
                        return Err(RelayError::Trimmed(name.to_owned()));
                    }
                    _ => return Err(stream_error(error)),
                },
            };
            for record in answer.records() {
                reader.assembler.push(told(record)?, now);
            }
            reader.iterator = answer.next_shard_iterator;
        }
        let mut relayed = 0;
        let mut segment = Draft::default();
        while let Some(group) = reader.assembler.next(now) {
            for part in parts(group.changes) {
                if !segment.has_room_for(&part) {
                    relayed += self.append(state, name, &reader, &mut segment, now).await?;
                }
                for (place, _) in &part {
                    reader.assembler.given(place);
                }
                segment.push(part);
            }
        }
        if !segment.groups.is_empty() {
            relayed += self.append(state, name, &reader, &mut segment, now).await?;
        }
        self.close_or_keep(state, name, reader, now).await?;
        Ok(relayed)
    }

    /// A shard that has ended makes room for its children.
    async fn close_or_keep(
        &self,
        state: &mut State,
        name: &str,
        reader: Reader,
        now: Timestamp,
    ) -> Result<(), RelayError> {
        if reader.iterator.is_some() || !reader.assembler.is_idle() {
            state.shards.insert(name.to_owned(), reader);
            return Ok(());
        }
        let mut reached = reader.assembler.reached(now);
        reached.ended = true;
        state.progress.insert(name.to_owned(), reached);
        self.discover(state).await
    }

    async fn append(
        &self,
        state: &mut State,
        name: &str,
        reader: &Reader,
        segment: &mut Draft,
        now: Timestamp,
    ) -> Result<usize, RelayError> {
        let reached = reader.assembler.reached(now);
        state.progress.insert(name.to_owned(), reached);
        let Draft { groups, .. } = std::mem::take(segment);
        let appended = self.journal.append(state.last, &groups, &state.progress);
        state.last = appended.await?;
        Ok(groups.len())
    }
}

/// A segment in the making.
#[derive(Default)]
struct Draft {
    groups: Vec<Vec<Change>>,
    bytes: usize,
}

impl Draft {
    /// Whether it stays small enough with one more. The first always has room.
    fn has_room_for(&self, part: &[(String, Change)]) -> bool {
        self.groups.is_empty() || self.bytes + weight_of(part) <= SEGMENT_BYTES
    }

    fn push(&mut self, part: Vec<(String, Change)>) {
        self.bytes += weight_of(&part);
        self.groups
            .push(part.into_iter().map(|(_, change)| change).collect());
    }
}

/// A group as it is told: whole, or change by change when it is too heavy for an item.
fn parts(changes: Vec<(String, Change)>) -> Vec<Vec<(String, Change)>> {
    if weight_of(&changes) <= SEGMENT_BYTES {
        return vec![changes];
    }
    changes.into_iter().map(|change| vec![change]).collect()
}

fn weight_of(part: &[(String, Change)]) -> usize {
    part.iter().map(|(_, change)| weight(change)).sum()
}

/// A record of the stream as the assembler takes it.
fn told(record: &Record) -> Result<Told, RelayError> {
    let foreign = |why: &'static str| RelayError::Foreign(Arc::new(Foreign(why)));
    let data = record.dynamodb().ok_or_else(|| foreign("no data"))?;
    let sequence = data
        .sequence_number()
        .ok_or_else(|| foreign("no number"))?
        .to_owned();
    let item = |image: &std::collections::HashMap<String, Streamed>| {
        image
            .iter()
            .map(|(name, value)| Some((name.clone(), plain(value)?)))
            .collect::<Option<_>>()
    };
    if record.event_name() == Some(&OperationType::Remove) {
        let keys = data
            .keys()
            .and_then(item)
            .ok_or_else(|| foreign("no keys"))?;
        let key = key_of(&keys).map_err(|error| RelayError::Foreign(Arc::new(error)))?;
        let change = Change { key, record: None };
        let stamp = None;
        return Ok(Told {
            sequence,
            change,
            stamp,
        });
    }
    let image = data
        .new_image()
        .and_then(item)
        .ok_or_else(|| foreign("no image"))?;
    let parsed = change_of(&image).map_err(|error| RelayError::Foreign(Arc::new(error)))?;
    let (key, record, stamp) = parsed;
    let change = Change {
        key,
        record: Some(record),
    };
    let stamp = Some(stamp);
    Ok(Told {
        sequence,
        change,
        stamp,
    })
}

/// The three types that our items have. The stream's crate has types of its own for them.
fn plain(value: &Streamed) -> Option<AttributeValue> {
    match value {
        Streamed::S(text) => Some(AttributeValue::S(text.clone())),
        Streamed::N(number) => Some(AttributeValue::N(number.clone())),
        Streamed::B(bytes) => Some(AttributeValue::B(bytes.clone())),
        _ => None,
    }
}

#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Foreign(&'static str);

fn stream_error<E: std::error::Error + 'static>(error: SdkError<E>) -> RelayError {
    RelayError::Stream(DisplayErrorContext(&error).to_string())
}
