//! Bringing the index up to date, off the answer path: one memtable at a time, frozen, in one sorted batch.
//!
//! **Back-pressure.** The writer fills a second memtable meanwhile. When that is full too, it waits; when the
//! indexer cannot go on (no room on the disk), the store takes no writes and says why, until it can.

use std::{
    path::{Path, PathBuf},
    sync::{Arc, atomic::Ordering::Relaxed},
    time::Duration,
};

use lombard_service::ports::Cause;

use super::shared::Shared;
use crate::{index::Index, memtable::Memtable};

/// Room that must be free on the disk before a batch is begun, in bytes. A batch rewrites at most the pages
/// that it touches, far less than this; redb does not recover from a write that found no room before it
/// is opened again, so none is risked.
const ROOM_BYTES: u64 = 256 * 1024 * 1024;
/// How long to wait before looking again whether there is room.
const RETRY: Duration = Duration::from_secs(1);

/// The index cannot be brought up to date, so no writes are taken.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Stuck(Arc<str>);

/// The indexer and what only it uses.
pub struct Indexer {
    pub shared: Arc<Shared>,
    pub index: Index,
    /// Where to look how much room there is; none for tests without a disk.
    pub folder: Option<PathBuf>,
}

impl Indexer {
    /// Works until the store closes.
    pub fn run(self) {
        while let Some(frozen) = self.wait() {
            match self.bring_up(&frozen) {
                Ok(()) => self.shared.indexing.lock().stuck = None,
                Err(reason) => {
                    tracing::error!(%reason, "the index is not up to date");
                    let mut indexing = self.shared.indexing.lock();
                    indexing.stuck = Some(reason.into());
                    self.shared.indexed.notify_all();
                    self.shared.indexed.wait_for(&mut indexing, RETRY);
                }
            }
            self.shared.indexed.notify_all();
        }
    }

    /// Waits for a frozen memtable. `None` when the store closes: what is not indexed is in the log.
    fn wait(&self) -> Option<Arc<Memtable>> {
        loop {
            let mut indexing = self.shared.indexing.lock();
            if indexing.closing {
                return None;
            }
            if !indexing.wanted {
                self.shared.indexed.wait(&mut indexing);
                continue;
            }
            drop(indexing);
            match self.shared.published.read().frozen.clone() {
                Some(frozen) => return Some(frozen),
                None => self.shared.indexing.lock().wanted = false,
            }
        }
    }

    fn bring_up(&self, frozen: &Memtable) -> Result<(), String> {
        self.check_room()?;
        let words = |error| {
            let cause = std::error::Error::source(&error).map(ToString::to_string);
            format!(
                "{error}: {}; free space or repair the disk, and restart",
                cause.unwrap_or_default()
            )
        };
        self.index.apply(frozen).map_err(words)?;
        let view = Arc::new(self.index.view().map_err(words)?);
        self.shared.indexing.lock().wanted = false;
        let mut published = self.shared.published.write();
        let old = (
            published.frozen.take(),
            std::mem::replace(&mut published.view, view),
        );
        drop(published);
        if let Some(known) = frozen.covers() {
            self.shared.covered.store(known.sequence, Relaxed);
        }
        drop(old); // Freeing a hundred thousand records takes a while; not under the lock.
        Ok(())
    }

    fn check_room(&self) -> Result<(), String> {
        let Some(folder) = &self.folder else {
            return Ok(());
        };
        match free_bytes(folder) {
            Some(free) if free < ROOM_BYTES => Err(format!(
                "storage full: {} MiB are free and the index needs {} MiB; free some space",
                free >> 20,
                ROOM_BYTES >> 20
            )),
            // Where it cannot be asked, the batch itself finds out.
            _ => Ok(()),
        }
    }
}

/// Room on the disk of a folder in bytes, where it can be asked.
pub fn free_bytes(folder: &Path) -> Option<u64> {
    let found = rustix::fs::statvfs(folder).ok()?;
    Some(found.f_bavail * found.f_frsize)
}

impl Shared {
    /// Adds to the filter what was written before the store was opened. The view that it reads is of the moment
    /// of opening or later; what is written after that is added by whoever writes it.
    pub fn fill_filter(&self) {
        let view = {
            let published = self.published.read();
            published
                .active
                .all_records()
                .for_each(|(key, _)| self.filter.add(key.as_bytes()));
            published.frozen.iter().for_each(|it| {
                it.all_records()
                    .for_each(|(key, _)| self.filter.add(key.as_bytes()));
            });
            published.view.clone()
        };
        let filled = view.for_each_key(|key| {
            self.filter.add(key);
            !self.indexing.lock().closing
        });
        match filled {
            Ok(true) => self.filter.complete(),
            Ok(false) => {} // The store closes.
            Err(error) => tracing::warn!(%error, "new records cost more until the next start"),
        }
    }

    /// Waits until there is room for another group in memory. Says why there will be none for now, if so.
    pub fn wait_for_room(&self, freeze_bytes: usize) -> Option<Cause> {
        loop {
            {
                let published = self.published.read();
                if published.active.bytes() < 2 * freeze_bytes {
                    return None;
                }
                if published.frozen.is_none() {
                    drop(published);
                    self.freeze();
                    return None;
                }
            }
            let mut indexing = self.indexing.lock();
            if let Some(reason) = &indexing.stuck {
                return Some(Arc::new(Stuck(reason.clone())));
            }
            if indexing.wanted {
                self.indexed.wait_for(&mut indexing, RETRY);
            }
        }
    }

    /// Hands the active memtable to the indexer, if it is free.
    pub fn freeze(&self) {
        {
            let mut published = self.published.write();
            if published.frozen.is_some() {
                return;
            }
            let active = std::mem::take(&mut published.active);
            published.frozen = Some(Arc::new(active));
        }
        self.indexing.lock().wanted = true;
        self.indexed.notify_all();
    }
}
