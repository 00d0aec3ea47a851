//! Copying a running store's log.

use std::{io, path::Path, sync::Arc};

use super::{
    BackupError, Progress, advance,
    note::{FORMAT, Mark, Note, hex, read_note, write_note},
};
use crate::{
    disk::{Disk, File, Folder, write_all},
    log::{self, Fault, Frame, Known, OpenError, Reach, Reader, file_name},
};

/// A segment that is being copied. It gets its name when it is whole.
const UNFINISHED: &str = "copy.tmp";

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
