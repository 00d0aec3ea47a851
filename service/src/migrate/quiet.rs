//! Whether a source is at rest: no consumer of the feed has anything left to do.
//!
//! The consumers of the target begin behind everything that was imported. What one of the source had
//! not done yet (a payment that was not sent, a webhook that was not told) would never be done; so a
//! source that has such work is not exported. What follows from it by itself does not count: the
//! places of consumers, the log's head, sums of house accounts.

use lombard_core::{
    event::Event,
    ledger::{Rollup, Transaction},
    store::{Change, Commit, Key, decode, mentions},
};

use super::{MigrateError, Moved, Side, prove::Proven};
use crate::proof::growth::leaves_of;

/// Changes that are read of the feed at once.
const PAGE: usize = 1_000;
/// For how long nothing may come that is still on its way into the feed, in milliseconds: a stream
/// is relayed in less.
const REST_MS: u64 = 3_000;
/// Consumers that every server runs. One that has no place yet has done nothing.
const ALWAYS: [&str; 2] = ["funds", "webhooks"];

/// The end of each shard of the feed, when every consumer has nothing to do up to there.
///
/// # Errors
/// [`MigrateError::NotQuiet`] says who has work.
pub async fn quiet(side: &Side, proven: &Proven) -> Result<Vec<u64>, MigrateError> {
    let mut ends = Vec::new();
    for shard in 0..side.store.shards() {
        let readers = readers(shard, &proven.cursors)?;
        let sequenced = proven.head.reached.get(usize::from(shard));
        let sequenced = sequenced.copied().unwrap_or(0);
        let mut at = readers.iter().map(|(_, at)| *at).min().unwrap_or(0);
        at = at.min(sequenced);
        loop {
            let commits = side.store.changes(shard, at, PAGE, REST_MS).await?;
            let Some(last) = commits.last() else { break };
            for commit in &commits {
                for (consumer, reached) in &readers {
                    if commit.position > *reached && asks(consumer, commit) {
                        return Err(MigrateError::NotQuiet(format!(
                            "`{consumer}` has not done what commit {} asks",
                            commit.position
                        )));
                    }
                }
                if commit.position > sequenced && leaves_of(commit).next().is_some() {
                    let what = "the verifiable log lacks the last entries".to_owned();
                    return Err(MigrateError::NotQuiet(what));
                }
            }
            at = last.position;
        }
        ends.push(at);
    }
    Ok(ends)
}

/// The consumers of a shard, each with the place up to which it has done everything.
fn readers(shard: u16, cursors: &[Moved]) -> Result<Vec<(String, u64)>, MigrateError> {
    let mut readers = Vec::new();
    let ours = format!("#{shard:04}");
    for (key, body) in cursors {
        let name = key.partition().strip_prefix("cursor#");
        let Some(name) = name.and_then(|it| it.strip_suffix(&ours)) else {
            continue;
        };
        readers.push((name.to_owned(), place(key, &body.bytes)?));
    }
    for name in ALWAYS {
        if !readers.iter().any(|(known, _)| known == name) {
            readers.push((name.to_owned(), 0));
        }
    }
    Ok(readers)
}

/// The position in a consumer's record: the record, or its member `reached`.
fn place(key: &Key, body: &[u8]) -> Result<u64, MigrateError> {
    let value: serde_json::Value = decode(body);
    let reached = value.as_u64().or_else(|| value["reached"].as_u64());
    reached.ok_or_else(|| MigrateError::Unfit(format!("{key:?} does not say how far it has read")))
}

/// A consumer's record that says the same of another position.
///
/// # Errors
/// [`MigrateError::Unfit`] when it says no position.
pub fn moved_to(key: &Key, body: &[u8], position: u64) -> Result<serde_json::Value, MigrateError> {
    place(key, body)?;
    let mut value: serde_json::Value = decode(body);
    match value.get_mut("reached") {
        Some(reached) => *reached = position.into(),
        None => value = position.into(),
    }
    Ok(value)
}

/// Whether a commit may ask a consumer for something. Those that note a place only when they had work
/// are asked for exactly that work; of all others anything counts that is not mere bookkeeping.
fn asks(consumer: &str, commit: &Commit) -> bool {
    match consumer {
        "rollup" => commit.changes.iter().any(has_house_leg),
        "batches" => commit.changes.iter().any(is_move) && commit.changes.iter().any(is_of_a_batch),
        _ => commit.changes.iter().any(|change| !is_bookkeeping(change)),
    }
}

fn has_house_leg(change: &Change) -> bool {
    change.record.as_ref().is_some_and(|record| {
        change.key.sort() == "txn" && {
            let transaction: Transaction = decode(&record.body.bytes);
            let accounts = transaction.accounts();
            { accounts.into_iter() }.any(|id| id.rollup() == Rollup::House)
        }
    })
}

fn is_move(change: &Change) -> bool {
    change.record.as_ref().is_some_and(|record| {
        change.key.sort().starts_with("e#") && {
            let event: Event = decode(&record.body.bytes);
            event.moved || event.number == 1
        }
    })
}

fn is_of_a_batch(change: &Change) -> bool {
    change.record.as_ref().is_some_and(|record| {
        change.key.sort() == "payment" && mentions(&record.body.bytes, "\"batch\":")
    })
}

/// A change that follows from others, or only says how far somebody has come.
fn is_bookkeeping(change: &Change) -> bool {
    let Some(record) = &change.record else {
        return true; // Something was done, and is no longer due.
    };
    let (partition, sort) = (change.key.partition(), change.key.sort());
    let of_a_worker = ["cursor#", "log#", "risk#profiles", "migration#"];
    of_a_worker.iter().any(|it| partition.starts_with(it))
        || sort.starts_with("n#")
        || sort.starts_with("tally#")
        || (sort == "balance" && !mentions(&record.body.bytes, "\"waiting\":"))
}
