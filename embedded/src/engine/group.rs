//! A group in the making: the transactions of one frame, and the records as they will be when it is durable.

use std::collections::HashMap;

use lombard_core::store::{Change, Commit, Key, Record, Snapshot, Version, Write, WriteSet};
use lombard_service::ports::{CommitError, ReadError};

use crate::{
    codec::{self, Stored},
    hash::KeyHasher,
    log::{Appended, FrameBuffer, Known},
    memtable::{Memtable, Place},
};

/// The transactions of a group, in order.
#[derive(Default)]
pub struct Group {
    pub buffer: FrameBuffer,
    /// Where in `staged` each record is as the transactions so far leave it, by transaction and change: a
    /// later one of the group decides on it.
    overlay: HashMap<Key, (u32, u32), KeyHasher>,
    staged: Vec<Vec<Piece>>,
    /// Records that were there before and are changed.
    updated: Vec<Key>,
}

/// A change, and where it is in the frame.
struct Piece {
    stored: Stored,
    offset: u32,
    length: u32,
}

impl Group {
    /// The record as this group leaves it; `None` if the group does not touch it.
    pub fn get(&self, key: &Key) -> Option<&Option<Record>> {
        if lombard_core::planted!(GroupForgets) {
            return None;
        }
        let (transaction, change) = *self.overlay.get(key)?;
        let piece = &self.staged[transaction as usize][change as usize];
        Some(&piece.stored.change.record)
    }

    /// Adds a write set as the next transaction, if its guards hold. `read` finds a record as it is now.
    /// Says whether it changes anything: a set of checks leaves no trace.
    pub fn stage(
        &mut self,
        writes: WriteSet,
        snapshot: &Snapshot,
        mut read: impl FnMut(&Self, &Key) -> Result<Option<Record>, ReadError>,
    ) -> Result<bool, CommitError> {
        if let Some(size) = writes.too_large() {
            return Err(CommitError::TooLarge(size));
        }
        let mut changes = Vec::with_capacity(writes.len());
        for (key, write) in writes {
            // What the plan read was read on this thread a moment ago, and is as it was.
            let before = match snapshot.found(&key) {
                Some(found) => found.clone(),
                None => {
                    read(self, &key).map_err(|error| CommitError::Unavailable(error.cause()))?
                }
            };
            if before.as_ref().map(|it| it.version) != write.expects() {
                return Err(CommitError::Conflict(key));
            }
            changes.extend(stored(key, write, before));
        }
        if changes.is_empty() {
            return Ok(false);
        }
        self.write(changes)?;
        Ok(true)
    }

    fn write(&mut self, changes: Vec<Stored>) -> Result<(), CommitError> {
        let mut places = Vec::with_capacity(changes.len());
        let written = self.buffer.push(|bytes| {
            codec::write(&changes, bytes, |offset, length| {
                places.push((offset as u32, length))
            })
        });
        written.map_err(|error| CommitError::Unavailable(std::sync::Arc::new(error)))?;
        let transaction = self.staged.len() as u32;
        let mut pieces = Vec::with_capacity(changes.len());
        for (stored, (offset, length)) in changes.into_iter().zip(places) {
            let key = &stored.change.key;
            let place = (transaction, pieces.len() as u32);
            let before = self.overlay.insert(key.clone(), place);
            if before.is_none() && !stored.is_new() {
                self.updated.push(key.clone());
            }
            pieces.push(Piece {
                stored,
                offset,
                length,
            });
        }
        self.staged.push(pieces);
        Ok(())
    }

    /// Forgets everything: it did not become durable.
    pub fn discard(&mut self) {
        self.buffer.clear();
        self.overlay.clear();
        self.staged.clear();
        self.updated.clear();
    }

    /// What the feed tells of it.
    pub fn commits(&self, appended: &Appended) -> Vec<Commit> {
        let told = |pieces: &Vec<Piece>| pieces.iter().map(|it| it.stored.change.clone()).collect();
        let commits = (appended.first..).zip(&self.staged);
        commits
            .map(|(position, pieces)| Commit {
                position,
                changes: told(pieces),
            })
            .collect()
    }

    /// The keys that it creates or changes.
    pub fn keys(&self) -> impl Iterator<Item = &Key> {
        self.overlay.keys()
    }

    /// The keys that were there before and that it changes.
    pub fn updated(&self) -> &[Key] {
        &self.updated
    }

    /// Puts everything into the memtable, now that it is durable, and is empty afterwards.
    pub fn publish(&mut self, appended: &Appended, memtable: &mut Memtable) {
        let count = self.staged.len() as u64;
        for piece in self.staged.drain(..).flatten() {
            let place = Place {
                segment: appended.at.segment,
                offset: appended.at.offset + piece.offset,
                length: piece.length,
            };
            memtable.apply(piece.stored, place);
        }
        memtable.cover(Known {
            sequence: appended.first + count - 1,
            hash: appended.hash,
            frame: appended.at,
        });
        self.overlay.clear();
        self.updated.clear();
    }
}

/// What an action changes, if anything.
fn stored(key: Key, write: Write, before: Option<Record>) -> Option<Stored> {
    let record = write.into_result()?;
    let (was, orders) = before.map_or((Version::FIRST, Vec::new()), |it| {
        (it.version, it.body.index)
    });
    let stays = |order: &Key| {
        record
            .as_ref()
            .is_some_and(|it| it.body.index.contains(order))
    };
    let left = orders.into_iter().filter(|order| !stays(order)).collect();
    let version = record.as_ref().map_or(was, |it| it.version);
    Some(Stored {
        change: Change { key, record },
        version,
        left,
    })
}

/// The cause that an error of reading carries to the caller of a commit.
trait IntoCause {
    fn cause(self) -> lombard_service::ports::Cause;
}

impl IntoCause for ReadError {
    fn cause(self) -> lombard_service::ports::Cause {
        std::sync::Arc::new(self)
    }
}
