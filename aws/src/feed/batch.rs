//! A batch of the table's stream as a function is handed it: single items as JSON, in the order of
//! their partitions, cut anywhere. Made into commits here, without the journal, for consumers whose
//! jobs depend on nothing but their own commit.
//!
//! **A commit that the batch cut in two** is completed from the table, in both halves, so its jobs
//! may run twice; they are idempotent. What was written over since then is taken as it is now: who
//! acts on it decides again on what is there, and the later change comes with jobs of its own.

use std::collections::{BTreeMap, HashMap};

use aws_sdk_dynamodb::{primitives::Blob, types::AttributeValue};
use lombard_core::store::{Change, Commit, Version};
use lombard_service::ports::{Cause, ReadError};
use serde::Deserialize;
use serde_json::Value;

use super::assemble::Told;
use crate::dynamo::{Dynamo, Item, change_of, key_of};

/// Why a record of a batch is not one of ours.
#[derive(Debug, thiserror::Error)]
pub enum Foreign {
    /// It is not of the form that DynamoDB Streams has.
    #[error("not a record of a stream")]
    Form(#[from] serde_json::Error),
    /// Its image is not an item that the store writes.
    #[error("not a record of the store: {0}")]
    Item(Cause),
}

/// A record as Lambda hands it over.
#[derive(Deserialize)]
struct Record {
    #[serde(rename = "eventName")]
    name: String,
    dynamodb: Data,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Data {
    sequence_number: String,
    #[serde(default)]
    keys: HashMap<String, Attribute>,
    #[serde(default)]
    new_image: HashMap<String, Attribute>,
}

/// The three types that our items have.
#[derive(Deserialize)]
enum Attribute {
    S(String),
    N(String),
    B(#[serde(deserialize_with = "base64")] Vec<u8>),
}

fn base64<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Vec<u8>, D::Error> {
    let text = String::deserialize(from)?;
    aws_smithy_types::base64::decode(text).map_err(serde::de::Error::custom)
}

fn item(of: HashMap<String, Attribute>) -> Item {
    let plain = |attribute| match attribute {
        Attribute::S(text) => AttributeValue::S(text),
        Attribute::N(number) => AttributeValue::N(number),
        Attribute::B(bytes) => AttributeValue::B(Blob::new(bytes)),
    };
    let of = of.into_iter();
    of.map(|(name, value)| (name, plain(value))).collect()
}

/// The place of a record in its shard, also of one that is otherwise unreadable.
#[must_use]
pub fn sequence_of(record: &Value) -> Option<&str> {
    record.pointer("/dynamodb/SequenceNumber")?.as_str()
}

/// Reads a record.
///
/// # Errors
/// [`Foreign`]: it is poison, and stays so however often it is read.
pub fn read(record: &Value) -> Result<Told, Foreign> {
    let foreign = |error| Foreign::Item(std::sync::Arc::new(error));
    let Record { name, dynamodb } = Record::deserialize(record)?;
    let sequence = dynamodb.sequence_number;
    if name == "REMOVE" {
        let key = key_of(&item(dynamodb.keys)).map_err(foreign)?;
        return Ok(Told {
            sequence,
            change: Change { key, record: None },
            stamp: None,
        });
    }
    let parsed = change_of(&item(dynamodb.new_image)).map_err(foreign)?;
    let (key, record, stamp) = parsed;
    let record = Some(record);
    Ok(Told {
        sequence,
        change: Change { key, record },
        stamp: Some(stamp),
    })
}

/// What of one commit is in the batch.
#[derive(Clone, Debug)]
pub struct Part {
    /// Never empty; all of one partition and, unless something was removed, of one commit.
    pub told: Vec<Told>,
}

impl Part {
    /// Of which partition.
    #[must_use]
    pub fn partition(&self) -> &str {
        self.told[0].change.key.partition()
    }

    /// The place of its first record: where a batch that failed here is taken up again.
    #[must_use]
    pub fn sequence(&self) -> &str {
        &self.told[0].sequence
    }

    fn misses(&self) -> usize {
        let wanted = self.told[0].stamp.map_or(1, |it| usize::from(it.siblings));
        wanted.saturating_sub(self.told.len())
    }
}

/// The parts of commits in a batch, by partition, in the order in which they were committed.
#[must_use]
pub fn parts(told: Vec<Told>) -> BTreeMap<String, Vec<Part>> {
    let mut parts: BTreeMap<String, Vec<Part>> = BTreeMap::new();
    for one in told {
        let partition = parts
            .entry(one.change.key.partition().to_owned())
            .or_default();
        let goes_on = |part: &&mut Part| one.stamp.is_some() && part.told[0].stamp == one.stamp;
        match partition.last_mut().filter(goes_on) {
            Some(part) => part.told.push(one),
            None => partition.push(Part { told: vec![one] }),
        }
    }
    parts
}

/// The most items of a partition that a cut commit is looked for in: a payment's partition has tens.
const PARTITION_MAX: usize = 1_000;

impl Dynamo {
    /// The commit that a part is of. Its position is 0: it has none outside the journal.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn whole(&self, part: &Part) -> Result<Commit, ReadError> {
        let mut changes: Vec<Change> = part.told.iter().map(|it| it.change.clone()).collect();
        let mut missing = part.misses();
        if missing > 0 {
            let mut overwritten = Vec::new();
            for item in self.items(part.partition(), PARTITION_MAX).await? {
                let damaged = |error| ReadError::Damaged(std::sync::Arc::new(error));
                let (key, record, stamp) = change_of(&item).map_err(damaged)?;
                if changes.iter().any(|known| known.key == key) {
                    continue;
                }
                let is_new = record.version == Version::FIRST;
                let change = Change {
                    key,
                    record: Some(record),
                };
                if part.told[0].stamp == Some(stamp) {
                    changes.push(change);
                    missing = missing.saturating_sub(1);
                } else if !is_new {
                    overwritten.push(change);
                }
            }
            if missing > 0 {
                changes.extend(overwritten);
            }
        }
        changes.sort_by(|a, b| a.key.cmp(&b.key));
        Ok(Commit {
            position: 0,
            changes: changes.into(),
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn record(sequence: u64, partition: &str, sort: &str, commit: u8, siblings: u8) -> Value {
        let stamp = [[0; 15].as_slice(), &[commit, siblings]].concat();
        json!({"eventName": "INSERT", "dynamodb": {
            "SequenceNumber": sequence.to_string(),
            "NewImage": {
                "p": {"S": partition}, "s": {"S": format!(".{sort}")}, "v": {"N": "1"},
                "b": {"B": "e30="}, "c": {"B": aws_smithy_types::base64::encode(stamp)},
            },
        }})
    }

    #[test]
    fn a_batch_falls_into_commits_by_partition() {
        let batch = [
            record(1, "a/p", "x", 1, 2),
            record(2, "b/p", "x", 2, 1),
            record(3, "a/p", "y", 1, 2),
            record(4, "a/p", "x", 3, 2),
        ];
        let told = batch.iter().map(|it| read(it).expect("ours")).collect();
        let parts = parts(told);
        let shape: Vec<_> = parts["a/p"]
            .iter()
            .map(|part| (part.sequence(), part.told.len(), part.misses()))
            .collect();
        assert_eq!(shape, [("1", 2, 0), ("4", 1, 1)]);
        assert_eq!(parts["b/p"].len(), 1);
    }

    #[test]
    fn what_is_not_ours_is_poison_with_a_place() {
        let mut foreign = record(7, "a/p", "x", 1, 1);
        foreign["dynamodb"]["NewImage"]["s"] = json!({"S": "no mark"});
        assert!(matches!(read(&foreign), Err(Foreign::Item(_))));
        assert_eq!(sequence_of(&foreign), Some("7"));
        foreign["dynamodb"]["NewImage"] = json!({"list": {"L": []}});
        assert!(matches!(read(&foreign), Err(Foreign::Form(_))));
        let removed = json!({"eventName": "REMOVE", "dynamodb": {
            "SequenceNumber": "8", "Keys": {"p": {"S": "a"}, "s": {"S": ".k"}},
        }});
        assert!(read(&removed).expect("ours").change.record.is_none());
    }
}
