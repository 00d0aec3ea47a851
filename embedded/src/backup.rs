//! Backup and restore: copies of the log, verified frame by frame while they are made.
//!
//! # Shape
//! A backup is a folder with a folder `log` of segments, as in a store, and the file `BACKUP.json`, which says
//! how far it reaches. There is no index in it: that can be made again.
//!
//! A segment that is complete is copied once. The next backup into the same folder verifies that the store
//! still has the history that was copied (by the hash chain, at the last frame of the last complete
//! segment) and goes on from there, so it costs what is new, and one that was interrupted is taken up
//! again by doing it again.
//!
//! **Invariant.** `BACKUP.json` is written last and durably, segment after segment: what it claims is there.
//! A restore checks that all of it is there, every frame of it, and only then is there a store.

use std::{
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

use crate::{
    disk::{Disk, Folder},
    index::IndexError,
    lock::LockError,
    log::{self, Frame, OpenError},
};

mod copy;
mod note;
mod restore;

pub use copy::backup;
pub use restore::restore;

/// Why there is no backup, or no restored store.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// What was to be copied is damaged, or cannot be read.
    #[error(transparent)]
    Log(#[from] OpenError),
    /// The folder holds the backup of another store, or of another history of this one.
    #[error("{} holds the backup of another history; choose an empty folder", path.display())]
    AnotherHistory {
        /// The folder.
        path: PathBuf,
    },
    /// The folder for the store is not empty.
    #[error("{} is not empty; a store is restored into an empty folder only", path.display())]
    NotEmpty {
        /// The folder.
        path: PathBuf,
    },
    /// There is no backup in the folder, or none that this program can read.
    #[error("there is no backup in {} that can be read", path.display())]
    NoBackup {
        /// The folder.
        path: PathBuf,
    },
    /// The backup does not hold what it says.
    #[error("the backup in {} should reach transaction {claimed} and reaches {found}", path.display())]
    Incomplete {
        /// The folder.
        path: PathBuf,
        /// The transaction that `BACKUP.json` names.
        claimed: u64,
        /// The last one that is there.
        found: u64,
    },
    /// The folder may not be used.
    #[error(transparent)]
    Lock(#[from] LockError),
    /// The index of the restored store could not be made.
    #[error(transparent)]
    Index(#[from] IndexError),
    /// A file could not be read or written.
    #[error("{} could not be used", path.display())]
    Io {
        /// The folder.
        path: PathBuf,
        /// What the operating system said.
        #[source]
        source: io::Error,
    },
}

/// How far a backup, a restore or a verification is, and how far it came in the end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// Transactions read and verified.
    pub transactions: u64,
    /// Bytes of frames read and verified.
    pub bytes: u64,
    /// The last transaction.
    pub sequence: u64,
    /// The value of the chain there.
    pub chain: log::Hash,
}

/// Reads and verifies the whole history of a store or a backup, without changing anything. A store that is
/// running must be verified through its own [`Reader::verify`].
///
/// # Errors
/// [`BackupError::Log`] names the damage.
pub fn verify(folder: &Path, progress: &mut dyn FnMut(Progress)) -> Result<Progress, BackupError> {
    let source = source(&folder.join("log"), folder)?;
    let mut done = Progress::default();
    log::verify(source, None, None, &mut |frame| {
        advance(&mut done, frame);
        progress(done);
        Ok(())
    })?;
    Ok(done)
}

fn advance(done: &mut Progress, frame: &Frame) {
    done.transactions += u64::from(frame.header.count);
    done.bytes += frame.header.extent();
    (done.sequence, done.chain) = (frame.header.last(), frame.header.hash);
}

fn source(log: &Path, folder: &Path) -> Result<Arc<dyn Disk>, BackupError> {
    let disk = Folder::read_only(log);
    disk.map(|it| Arc::new(it) as Arc<dyn Disk>)
        .map_err(|source| BackupError::Io {
            path: folder.into(),
            source,
        })
}
