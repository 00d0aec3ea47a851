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
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
};

use serde::{Deserialize, Serialize};

use crate::{
    disk::{Disk, File, Folder, write_all},
    index::{self, CACHE_BYTES, Index, IndexError},
    load::Loader,
    lock::{Lock, LockError},
    log::{self, Fault, Frame, Known, OpenError, Position, Reach, Reader, file_name},
};

const NOTE: &str = "BACKUP.json";
const FORMAT: u32 = 1;
/// A segment that is being copied. It gets its name when it is whole.
const UNFINISHED: &str = "copy.tmp";
/// The log of a restored store until it is whole.
const STAGING: &str = "restoring";
/// Memtables of this size are given to the index while a restore makes it.
const BATCH_BYTES: usize = 32 * 1024 * 1024;

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

/// What `BACKUP.json` says.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Note {
    format: u32,
    /// The last transaction in the backup.
    sequence: u64,
    /// The value of the chain there, in hexadecimal.
    chain: String,
    /// The last frame of the last complete segment.
    complete: Option<Mark>,
}

/// A frame that is known.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Mark {
    sequence: u64,
    chain: String,
    segment: u32,
    offset: u32,
}

impl Mark {
    fn of(known: &Known) -> Self {
        let Position { segment, offset } = known.frame;
        Self {
            sequence: known.sequence,
            chain: hex(&known.hash),
            segment,
            offset,
        }
    }

    fn known(&self) -> Option<Known> {
        let frame = Position {
            segment: self.segment,
            offset: self.offset,
        };
        Some(Known {
            sequence: self.sequence,
            hash: unhex(&self.chain)?,
            frame,
        })
    }
}

/// Copies a running store's log into `to`: everything that is durable now. The store goes on meanwhile.
///
/// # Errors
/// [`BackupError`]; what an earlier backup claimed there is still there.
pub fn backup(
    log: &Reader,
    to: &Path,
    progress: &mut dyn FnMut(Progress),
) -> Result<Progress, BackupError> {
    let io = |source| BackupError::Io {
        path: to.into(),
        source,
    };
    let another = || BackupError::AnotherHistory { path: to.into() };
    let disk = Folder::make(&to.join("log")).map_err(io)?;
    let note = read_note(to);
    let complete = match note.as_ref().and_then(|it| it.complete.as_ref()) {
        Some(mark) => Some(mark.known().ok_or_else(another)?),
        None if note.is_none() && !disk.names().map_err(io)?.is_empty() => return Err(another()),
        None => None,
    };
    let mut copy = Copy {
        disk: &disk,
        to,
        complete,
        claimed: note,
        open: None,
        progress,
        done: Progress::default(),
    };
    let mut failed = None;
    let read = log.verify(complete, &mut |frame| {
        if complete.is_some_and(|it| frame.header.last() <= it.sequence) {
            return Ok(()); // Where the last backup's complete segments end. It is there, as it was.
        }
        copy.take(frame).map_err(|error| {
            failed = Some(error);
            Fault::Content
        })
    });
    if let Some(error) = failed {
        return Err(error);
    }
    match read {
        Ok(reach) => copy.finish(reach),
        Err(OpenError::Damaged(damage)) if matches!(damage.fault, Fault::Shorter { .. }) => {
            Err(another())
        }
        Err(error) => Err(error.into()),
    }
}

/// A copy in the making.
struct Copy<'a> {
    disk: &'a Folder,
    to: &'a Path,
    /// The last frame of the last segment that is complete here.
    complete: Option<Known>,
    /// What the backup reached before: the history must still be the same there.
    claimed: Option<Note>,
    /// The segment being copied, with its last frame.
    open: Option<(Arc<dyn File>, Known)>,
    progress: &'a mut dyn FnMut(Progress),
    done: Progress,
}

impl Copy<'_> {
    fn take(&mut self, frame: &Frame) -> Result<(), BackupError> {
        self.check_claim(frame.header.first, frame.header.last(), &frame.header.hash)?;
        let done = self.done;
        self.write(frame).map_err(|source| self.io(source))?;
        advance(&mut self.done, frame);
        if done.sequence > 0 && self.complete.is_some_and(|it| it.sequence == done.sequence) {
            self.note(done.sequence, done.chain)
                .map_err(|source| self.io(source))?;
        }
        (self.progress)(self.done);
        Ok(())
    }

    /// Whether what was claimed before is still true of the history: a frame that holds the last transaction
    /// of the claim ends with it, with the same hash.
    fn check_claim(&self, first: u64, last: u64, hash: &log::Hash) -> Result<(), BackupError> {
        match &self.claimed {
            Some(note) if (first..=last).contains(&note.sequence) => {
                let same = note.sequence == last && note.chain == hex(hash);
                same.then_some(()).ok_or_else(|| self.another())
            }
            _ => Ok(()),
        }
    }

    fn write(&mut self, frame: &Frame) -> io::Result<()> {
        if self
            .open
            .as_ref()
            .is_some_and(|(_, last)| last.frame.segment != frame.at.segment)
        {
            self.complete = self.close()?;
        }
        let hash = frame.header.hash;
        let known = Known {
            sequence: frame.header.last(),
            hash,
            frame: frame.at,
        };
        let (file, last) = match &mut self.open {
            Some(open) => open,
            None => {
                let file = self.disk.create(UNFINISHED)?;
                // Its length says which segment size it was written with; the rest of it is zeroes.
                write_all(&*file, &[0], u64::from(frame.header.segment_bytes) - 1)?;
                self.open.insert((file, known))
            }
        };
        *last = known;
        write_all(&**file, &frame.bytes, u64::from(frame.at.offset))
    }

    /// Gives the open segment its name, durably.
    fn close(&mut self) -> io::Result<Option<Known>> {
        let Some((file, last)) = self.open.take() else {
            return Ok(self.complete);
        };
        file.sync_data()?;
        self.disk
            .rename(UNFINISHED, &file_name(last.frame.segment))?;
        self.disk.sync_names()?;
        Ok(Some(last))
    }

    fn finish(mut self, reach: Reach) -> Result<Progress, BackupError> {
        if self
            .claimed
            .as_ref()
            .is_some_and(|note| note.sequence > reach.sequence)
        {
            return Err(self.another());
        }
        self.close().map_err(|source| self.io(source))?;
        self.note(reach.sequence, reach.hash)
            .map_err(|source| self.io(source))?;
        (self.done.sequence, self.done.chain) = (reach.sequence, reach.hash);
        Ok(self.done)
    }

    fn io(&self, source: io::Error) -> BackupError {
        BackupError::Io {
            path: self.to.into(),
            source,
        }
    }

    fn another(&self) -> BackupError {
        BackupError::AnotherHistory {
            path: self.to.into(),
        }
    }

    fn note(&self, sequence: u64, chain: log::Hash) -> io::Result<()> {
        let complete = self.complete.as_ref().map(Mark::of);
        write_note(
            self.to,
            &Note {
                format: FORMAT,
                sequence,
                chain: hex(&chain),
                complete,
            },
        )
    }
}

/// Makes a store in the empty or new folder `to` from the backup in `from`, and its index.
///
/// # Errors
/// [`BackupError`]; then there is no store in `to` that could be taken for one that is whole.
pub fn restore(
    from: &Path,
    to: &Path,
    progress: &mut dyn FnMut(Progress),
) -> Result<Progress, BackupError> {
    let io = |source| BackupError::Io {
        path: to.into(),
        source,
    };
    let note = read_note(from).ok_or_else(|| BackupError::NoBackup { path: from.into() })?;
    Folder::make(to).map_err(io)?;
    if fs::read_dir(to).map_err(io)?.next().is_some() {
        return Err(BackupError::NotEmpty { path: to.into() });
    }
    let lock = Lock::take(to)?;
    let restored = refill(from, &note, to, progress);
    if restored.is_err() {
        // So that it can be tried again, and nothing half made is taken for a store. What cannot be removed
        // makes the folder one that is not empty.
        let _ = fs::remove_dir_all(to.join(STAGING));
        let _ = fs::remove_file(index::path(to));
        let _ = lock.remove(to);
    }
    restored
}

fn refill(
    from: &Path,
    note: &Note,
    to: &Path,
    progress: &mut dyn FnMut(Progress),
) -> Result<Progress, BackupError> {
    let io = |source| BackupError::Io {
        path: to.into(),
        source,
    };
    let source = source(&from.join("log"), from)?;
    let staging = to.join(STAGING);
    let disk = Folder::make(&staging).map_err(io)?;
    let index = Index::open(&index::path(to), CACHE_BYTES)?;
    let mut loader = Loader::new(&index, None, BATCH_BYTES);
    let mut copy = Refill {
        disk: &disk,
        open: None,
    };
    let mut done = Progress::default();
    let mut failed = None;
    let read = log::verify(source, None, None, &mut |frame| {
        copy.take(frame).map_err(|error| {
            failed = Some(io(error));
            Fault::Content
        })?;
        advance(&mut done, frame);
        progress(done);
        loader.take(frame)
    });
    if let Some(error) = failed {
        return Err(error);
    }
    if let Some(error) = loader.failed {
        return Err(error.into());
    }
    let reach = read?;
    if (reach.sequence, hex(&reach.hash)) != (note.sequence, note.chain.clone()) {
        let (claimed, found) = (note.sequence, reach.sequence);
        return Err(BackupError::Incomplete {
            path: from.into(),
            claimed,
            found,
        });
    }
    copy.close().map_err(io)?;
    index.apply(&loader.memtable)?;
    fs::rename(&staging, to.join("log")).map_err(io)?;
    Folder::at(to).and_then(|it| it.sync_names()).map_err(io)?;
    Ok(done)
}

/// Segments being written anew, with real zeroes: a store never writes into space that is not there yet.
struct Refill<'a> {
    disk: &'a Folder,
    open: Option<(u32, Arc<dyn File>)>,
}

impl Refill<'_> {
    fn take(&mut self, frame: &Frame) -> io::Result<()> {
        let segment = frame.at.segment;
        if self.open.as_ref().is_none_or(|(open, _)| *open != segment) {
            self.close()?;
            let file = log::make_segment(self.disk, segment, frame.header.segment_bytes)?;
            self.open = Some((segment, file));
        }
        match &self.open {
            Some((_, file)) => write_all(&**file, &frame.bytes, u64::from(frame.at.offset)),
            None => Ok(()),
        }
    }

    fn close(&mut self) -> io::Result<()> {
        self.open
            .take()
            .map_or(Ok(()), |(_, file)| file.sync_data())
    }
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

fn read_note(folder: &Path) -> Option<Note> {
    let bytes = fs::read(folder.join(NOTE)).ok()?;
    serde_json::from_slice(&bytes)
        .ok()
        .filter(|note: &Note| note.format == FORMAT)
}

/// Writes the note under another name first, so that there is always a whole one.
fn write_note(folder: &Path, note: &Note) -> io::Result<()> {
    let disk = Folder::at(folder)?;
    let file = disk.create("BACKUP.tmp")?;
    write_all(&*file, &serde_json::to_vec_pretty(note)?, 0)?;
    file.sync_data()?;
    disk.rename("BACKUP.tmp", NOTE)?;
    disk.sync_names()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(text: &str) -> Option<log::Hash> {
    let mut hash = [0; 32];
    for (byte, digits) in hash.iter_mut().zip(text.as_bytes().chunks(2)) {
        *byte = u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?;
    }
    (text.len() == 64).then_some(hash)
}
