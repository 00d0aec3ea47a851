//! Segments of the journal as bytes: commits, deflated, in an encoding of our own.
//!
//! Bodies are mostly JSON of the same few shapes; a segment of many deflates to a tenth or so, and a
//! journal costs by the kilobyte.

use std::{
    collections::BTreeMap,
    io::{Read, Write},
    sync::Arc,
};

use flate2::{Compression, read::DeflateDecoder, write::DeflateEncoder};
use lombard_core::store::{Body, Change, Commit, Key, Record, Version};
use serde::{Deserialize, Serialize};

/// How far each shard of the stream was read.
pub type Progress = BTreeMap<String, Reached>;

/// How far one shard was read.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reached {
    /// Everything up to this sequence number is in the journal.
    pub after: Option<String>,
    /// Later ones that are in the journal too, because an earlier one waits for its commit's rest.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub beyond: Vec<String>,
    /// When that was, in Unix milliseconds; a shard's name is forgotten some days later.
    pub at_ms: u64,
    /// Whether the shard has ended and is in the journal whole.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub ended: bool,
}

/// A part of the journal.
#[derive(Clone, Debug, PartialEq)]
pub struct Segment {
    /// In order of their positions, which have no gaps; at least one.
    pub commits: Vec<Commit>,
    /// How far the stream was read with the last of them.
    pub progress: Progress,
    /// Bytes before compression: what it takes in memory.
    pub weight: usize,
}

impl Segment {
    /// The position of the first commit.
    pub fn first(&self) -> u64 {
        self.commits.first().map_or(0, |commit| commit.position)
    }

    /// The position of the last commit.
    pub fn last(&self) -> u64 {
        self.commits.last().map_or(0, |commit| commit.position)
    }
}

/// A stored segment cannot be read.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("a segment of the feed's journal is damaged")]
pub struct Damaged;

/// The groups of changes, deflated.
pub fn pack(groups: &[Vec<Change>]) -> Vec<u8> {
    let mut plain = Vec::new();
    put_count(&mut plain, groups.len());
    for group in groups {
        put_count(&mut plain, group.len());
        for change in group {
            put(&mut plain, change.key.as_bytes());
            put_record(&mut plain, change.record.as_ref());
        }
    }
    let mut deflater = DeflateEncoder::new(Vec::new(), Compression::default());
    let packed = deflater.write_all(&plain).and_then(|()| deflater.finish());
    // Writing to a vector does not fail.
    packed.unwrap_or_else(|error| panic!("memory cannot be written: {error}"))
}

/// The commits again, numbered from `first`, and their bytes before compression.
pub fn unpack(packed: &[u8], first: u64) -> Result<(Vec<Commit>, usize), Damaged> {
    let mut plain = Vec::new();
    let read = DeflateDecoder::new(packed).read_to_end(&mut plain);
    read.map_err(|_| Damaged)?;
    let mut rest = plain.as_slice();
    let mut commits = Vec::new();
    for n in 0..take_count(&mut rest)? {
        let changes: Result<Vec<Change>, Damaged> = (0..take_count(&mut rest)?)
            .map(|_| {
                let key = take_key(&mut rest)?;
                let record = take_record(&mut rest)?;
                Ok(Change { key, record })
            })
            .collect();
        commits.push(Commit {
            position: first + u64::from(n),
            changes: changes?.into(),
        });
    }
    let whole = rest.is_empty() && !commits.is_empty();
    whole.then_some((commits, plain.len())).ok_or(Damaged)
}

/// About how many bytes a change takes before compression.
pub fn weight(change: &Change) -> usize {
    let record = change.record.as_ref();
    64 + change.key.as_bytes().len() + record.map_or(0, |it| it.body.bytes.len() + 128)
}

fn put_record(plain: &mut Vec<u8>, record: Option<&Record>) {
    let version = record.map_or(0, |record| record.version.get());
    plain.extend_from_slice(&version.to_be_bytes());
    if let Some(Record { body, .. }) = record {
        put_count(plain, body.index.len());
        for key in &body.index {
            put(plain, key.as_bytes());
        }
        put(plain, &body.bytes);
    }
}

fn take_record(rest: &mut &[u8]) -> Result<Option<Record>, Damaged> {
    let (version, after) = rest.split_first_chunk().ok_or(Damaged)?;
    *rest = after;
    let version = u64::from_be_bytes(*version);
    if version == 0 {
        return Ok(None);
    }
    let index: Result<Vec<Key>, Damaged> = (0..take_count(rest)?).map(|_| take_key(rest)).collect();
    let body = Body {
        index: index?,
        bytes: Arc::from(take(rest)?),
    };
    let version = Version::from_stored(version);
    Ok(Some(Record { version, body }))
}

fn put_count(plain: &mut Vec<u8>, count: usize) {
    // A segment has some megabytes at the most.
    let count = u32::try_from(count).unwrap_or(u32::MAX);
    plain.extend_from_slice(&count.to_be_bytes());
}

fn take_count(rest: &mut &[u8]) -> Result<u32, Damaged> {
    let (count, after) = rest.split_first_chunk().ok_or(Damaged)?;
    *rest = after;
    Ok(u32::from_be_bytes(*count))
}

fn put(plain: &mut Vec<u8>, bytes: &[u8]) {
    put_count(plain, bytes.len());
    plain.extend_from_slice(bytes);
}

fn take<'a>(rest: &mut &'a [u8]) -> Result<&'a [u8], Damaged> {
    let length = take_count(rest)? as usize;
    let (bytes, after) = rest.split_at_checked(length).ok_or(Damaged)?;
    *rest = after;
    Ok(bytes)
}

fn take_key(rest: &mut &[u8]) -> Result<Key, Damaged> {
    Key::from_bytes(take(rest)?).ok_or(Damaged)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn groups() -> Vec<Vec<Change>> {
        let change = |n: u64| Change {
            key: Key::new("t/pay_1", &format!("e#{n:06}")),
            record: (n != 2).then(|| Record {
                version: Version::from_stored(n),
                body: Body {
                    bytes: vec![n as u8; 1000].into(),
                    index: (0..n as usize % 3)
                        .map(|i| Key::new("t/list", &i.to_string()))
                        .collect(),
                },
            }),
        };
        vec![
            vec![change(1)],
            vec![change(2)],
            vec![change(3), change(4), change(5)],
        ]
    }

    #[test]
    fn a_segment_comes_back_numbered_and_small() {
        let groups = groups();
        let packed = pack(&groups);
        assert!(packed.len() < 400, "{} bytes", packed.len());
        let (commits, weight) = unpack(&packed, 41).expect("it was packed here");
        assert!(weight > 4000);
        let positions: Vec<_> = commits.iter().map(|commit| commit.position).collect();
        assert_eq!(positions, [41, 42, 43]);
        let changes: Vec<_> = commits
            .iter()
            .map(|commit| commit.changes.to_vec())
            .collect();
        assert_eq!(changes, groups);
    }

    #[test]
    fn damage_is_noticed() {
        let packed = pack(&groups());
        for end in 0..packed.len() {
            assert!(unpack(&packed[..end], 1).is_err(), "cut at {end}");
        }
        assert!(unpack(&pack(&[]), 1).is_err(), "no segment is empty");
    }
}
