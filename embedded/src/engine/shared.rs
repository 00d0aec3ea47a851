//! What the writer, the indexer and all readers share.
//!
//! **Invariant.** [`Published`] is one moment: the active memtable hides the frozen one, which hides the
//! view of the index. It is changed only under its lock, by whole groups that are durable, so whoever
//! looks under the lock, and then goes on in the parts that never change, reads of one moment.

use std::sync::{Arc, OnceLock, atomic::AtomicU64};

use lombard_core::store::{Key, Record};
use parking_lot::{Condvar, Mutex, RwLock};
use tokio::sync::watch;

use super::{feed::Recent, group::Group};
use crate::{
    codec,
    filter::Filter,
    index::{IndexError, View},
    log::{AppendError, Appended, Reader},
    memtable::{Memtable, Name, Place},
};
use lombard_service::ports::ReadError;

/// The records as they are, in three layers.
pub struct Published {
    /// What was committed last.
    pub active: Memtable,
    /// What is being indexed.
    pub frozen: Option<Arc<Memtable>>,
    /// Everything before.
    pub view: Arc<View>,
}

/// Shared by all threads of a store.
pub struct Shared {
    pub published: RwLock<Published>,
    pub log: Reader,
    pub filter: Filter,
    /// The tail of the feed.
    pub recent: Mutex<Recent>,
    /// The last transaction that is durable and published.
    pub last: watch::Sender<u64>,
    /// The last transaction that the index covers.
    pub covered: AtomicU64,
    pub indexing: Mutex<Indexing>,
    /// Signalled when the frozen memtable changes, or the store closes.
    pub indexed: Condvar,
    /// Why the log takes no more, once a write failed.
    pub failed: watch::Sender<Option<Arc<str>>>,
    /// What was found damaged first, in words.
    pub damaged: OnceLock<Arc<str>>,
}

/// How indexing goes.
#[derive(Default)]
pub struct Indexing {
    /// A memtable is frozen and waits to be indexed.
    pub wanted: bool,
    /// Why it is not being indexed at the moment, in words.
    pub stuck: Option<Arc<str>>,
    pub closing: bool,
}

/// A record, in memory or by its place in the log.
pub enum Hit {
    Record(Record),
    At(Place),
}

impl Published {
    /// The record in memory: `None` if only the index can tell.
    pub fn in_memory(&self, key: &Key) -> Option<&Option<Record>> {
        let name = Name::new(key.clone());
        let slot = self.active.get(&name);
        let slot = slot.or_else(|| self.frozen.as_ref().and_then(|it| it.get(&name)));
        slot.map(|slot| &slot.record)
    }
}

impl Shared {
    /// Makes a durable group visible, and hands the memtable to the indexer when it is large enough.
    pub fn publish(&self, group: &mut Group, appended: &Appended, freeze_bytes: usize) {
        let commits = group.commits(appended);
        let last = commits.last().map_or(0, |it| it.position);
        let full = {
            group.keys().for_each(|key| self.filter.add(key.as_bytes()));
            let mut published = self.published.write();
            group.publish(appended, &mut published.active);
            published.active.bytes() >= freeze_bytes
        };
        let mut recent = self.recent.lock();
        commits.into_iter().for_each(|commit| recent.push(commit));
        drop(recent);
        self.last.send_replace(last);
        if full {
            self.freeze();
        }
    }

    /// Keeps in mind that the log takes no more.
    pub fn note_failure(&self, error: &AppendError) {
        if let AppendError::Failed(cause) = error {
            let reason = format!("{error}: {cause}").into();
            self.failed.send_replace(Some(reason));
        }
    }

    /// Why no writes are taken, if so.
    pub fn refuses(&self) -> Option<Arc<str>> {
        let failed = self.failed.borrow().clone();
        failed.or_else(|| self.indexing.lock().stuck.clone())
    }

    /// Lets the indexer end.
    pub fn close(&self) {
        self.indexing.lock().closing = true;
        self.indexed.notify_all();
    }

    /// Reads a record from its place in the log, and makes sure that it is the one.
    pub fn record_at(&self, key: &Key, place: Place) -> Result<Record, ReadError> {
        let bytes = self
            .log
            .bytes(place.segment, place.offset, place.length as usize);
        let bytes = bytes.map_err(|error| ReadError::Unavailable(Arc::new(error)))?;
        let found = codec::read_change(&bytes).filter(|(it, _)| it.change.key == *key);
        let record = found.and_then(|(stored, _)| stored.change.record);
        record.ok_or_else(|| {
            let key = key.clone();
            let damaged = DamagedRecord { key, place };
            self.note_damage(&damaged);
            ReadError::Damaged(Arc::new(damaged))
        })
    }

    /// Reads a record that is not in memory.
    pub fn find_indexed(&self, view: &View, key: &Key) -> Result<Option<Record>, ReadError> {
        match view.find(key).map_err(unreadable)? {
            Some(place) => self.record_at(key, place).map(Some),
            None => Ok(None),
        }
    }
}

/// A record in the log is not what its checksum says.
#[derive(Debug, thiserror::Error)]
#[error(
    "{key:?} is damaged in segment {:010} at offset {}; restore the segment from a backup",
    place.segment, place.offset
)]
pub struct DamagedRecord {
    key: Key,
    place: Place,
}

/// The index cannot be read.
pub fn unreadable(error: IndexError) -> ReadError {
    ReadError::Unavailable(Arc::new(error))
}
