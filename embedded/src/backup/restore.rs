//! Making a store from a backup.

use std::{fs, io, path::Path, sync::Arc};

use super::{
    BackupError, Progress, advance,
    note::{Note, hex, read_note},
    source,
};
use crate::{
    disk::{Disk, File, Folder, write_all},
    index::{self, CACHE_BYTES, Index},
    load::Loader,
    lock::Lock,
    log::{self, Fault, Frame},
};

/// The log of a restored store until it is whole.
const STAGING: &str = "restoring";
/// Memtables of this size are given to the index while a restore makes it.
const BATCH_BYTES: usize = 32 * 1024 * 1024;

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
