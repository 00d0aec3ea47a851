//! The index's file, written so that the log's syncs do not wait for it.
//!
//! A batch of the index is tens of megabytes. Synced at once, they occupy the disk for a tenth of a second, and
//! every payment waits behind them. Here every [`STEP`] is synced by itself, which delays nobody by
//! more than a millisecond or two; the indexer has time.

use std::{
    fs::{File, OpenOptions},
    io,
    os::unix::fs::FileExt,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use redb::StorageBackend;

use super::pace::Pace;

/// Bytes written between two syncs.
const STEP: u64 = 1024 * 1024;

/// A file that is synced in small steps. That only one store has it open is seen to by the folder's lock.
#[derive(Debug)]
pub struct Gentle {
    file: File,
    unsynced: AtomicU64,
    pace: Arc<Pace>,
}

impl Gentle {
    /// Opens the file, or makes it.
    pub fn open(path: &Path, pace: Arc<Pace>) -> io::Result<Self> {
        let mut options = OpenOptions::new();
        let file = options
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(path)?;
        Ok(Self {
            file,
            unsynced: AtomicU64::new(0),
            pace,
        })
    }
}

impl StorageBackend for Gentle {
    fn len(&self) -> Result<u64, io::Error> {
        Ok(self.file.metadata()?.len())
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> Result<(), io::Error> {
        self.file.read_exact_at(out, offset)
    }

    fn set_len(&self, len: u64) -> Result<(), io::Error> {
        self.file.set_len(len)
    }

    fn sync_data(&self) -> Result<(), io::Error> {
        self.unsynced.store(0, Ordering::Relaxed);
        self.file.sync_data()
    }

    fn write(&self, offset: u64, data: &[u8]) -> Result<(), io::Error> {
        self.file.write_all_at(data, offset)?;
        self.pace.step();
        let written = data.len() as u64;
        if self.unsynced.fetch_add(written, Ordering::Relaxed) + written >= STEP {
            return self.sync_data();
        }
        Ok(())
    }
}
