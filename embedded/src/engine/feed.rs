//! The change feed: the log, told in order. Its tail is kept in memory, because whoever follows it reads what
//! was written a moment ago.

use std::{collections::VecDeque, io, sync::Arc};

use lombard_core::store::{Change, Commit};
use lombard_service::ports::ReadError;

use super::shared::Shared;
use crate::{
    codec,
    log::{Fault, Frame, Position, invalid},
};

/// Changes kept in memory: half a second's at full load. Their bodies are mostly those of the memtable,
/// so this costs little beside it.
const RECENT_CHANGES_MAX: usize = 100_000;
/// The bytes of their bodies at most.
const RECENT_BYTES_MAX: usize = 32 * 1024 * 1024;
/// Changes given at once at most, whatever was asked for.
const LIMIT_MAX: usize = 10_000;
/// Places of frames that are remembered for whoever reads on.
const HINTS_MAX: usize = 32;

/// The last commits.
#[derive(Default)]
pub struct Recent {
    commits: VecDeque<Commit>,
    changes: usize,
    bytes: usize,
    /// Frames at which a reading of the log ended: the first transaction, and where.
    hints: VecDeque<(u64, Position)>,
}

impl Recent {
    /// Adds the next commit.
    pub fn push(&mut self, commit: Commit) {
        self.changes += commit.changes.len();
        self.bytes += bytes(&commit);
        self.commits.push_back(commit);
        while self.changes > RECENT_CHANGES_MAX || self.bytes > RECENT_BYTES_MAX {
            let Some(first) = self.commits.pop_front() else {
                break;
            };
            self.changes -= first.changes.len();
            self.bytes -= bytes(&first);
        }
    }

    /// The commits after a position, if they are all here.
    fn after(&self, after: u64, limit: usize) -> Option<Vec<Commit>> {
        let first = self.commits.front()?.position;
        let skip = usize::try_from((after + 1).checked_sub(first)?).ok()?;
        let mut piece = Piece::new(limit);
        let _ = self
            .commits
            .iter()
            .skip(skip)
            .try_for_each(|commit| piece.take(commit.clone()));
        Some(piece.commits)
    }

    /// The nearest place known at or before a transaction.
    fn hint(&self, sequence: u64) -> Option<Position> {
        let before = self.hints.iter().filter(|(first, _)| *first <= sequence);
        before.max_by_key(|(first, _)| *first).map(|(_, at)| *at)
    }

    fn remember(&mut self, first: u64, at: Position) {
        if self.hints.iter().any(|(known, _)| *known == first) {
            return;
        }
        if self.hints.len() == HINTS_MAX {
            self.hints.pop_front();
        }
        self.hints.push_back((first, at));
    }
}

fn bytes(commit: &Commit) -> usize {
    let body = |change: &Change| change.record.as_ref().map_or(0, |it| it.body.bytes.len());
    commit.changes.iter().map(body).sum()
}

/// An answer in the making: whole commits, until there are enough changes.
struct Piece {
    commits: Vec<Commit>,
    room: usize,
}

/// There are enough.
struct Enough;

impl Piece {
    fn new(limit: usize) -> Self {
        Self {
            commits: Vec::new(),
            room: limit.clamp(1, LIMIT_MAX),
        }
    }

    fn take(&mut self, commit: Commit) -> Result<(), Enough> {
        if self.room == 0 {
            return Err(Enough);
        }
        self.room = self.room.saturating_sub(commit.changes.len());
        self.commits.push(commit);
        Ok(())
    }
}

impl Shared {
    /// The commits after a position, those that are published at this moment.
    pub fn commits_after(&self, after: u64, limit: usize) -> Result<Vec<Commit>, ReadError> {
        if after >= *self.last.borrow() {
            return Ok(Vec::new());
        }
        if let Some(found) = self.recent.lock().after(after, limit) {
            return Ok(found);
        }
        self.read_log(after, limit)
            .map_err(|error| match error.kind() {
                io::ErrorKind::InvalidData => {
                    self.note_damage(&error);
                    ReadError::Damaged(Arc::new(error))
                }
                _ => ReadError::Unavailable(Arc::new(error)),
            })
    }

    fn read_log(&self, after: u64, limit: usize) -> io::Result<Vec<Commit>> {
        let last = *self.last.borrow();
        let mut piece = Piece::new(limit);
        let hint = self.recent.lock().hint(after + 1);
        let mut at = self.log.seek(after + 1, hint)?;
        while let Some(position) = at {
            let Some(frame) = self.log.frame(position)? else {
                break;
            };
            if frame.header.first > last {
                break;
            }
            self.recent.lock().remember(frame.header.first, frame.at);
            if told(&frame, after, &mut piece)?.is_err() {
                break;
            }
            at = Some(frame.next());
        }
        Ok(piece.commits)
    }
}

/// Adds a frame's commits after a position.
fn told(frame: &Frame, after: u64, piece: &mut Piece) -> io::Result<Result<(), Enough>> {
    let mut rest = frame.transactions();
    for position in frame.header.first..=frame.header.last() {
        if position <= after {
            let length = codec::length(rest).ok_or_else(|| invalid(frame.at, Fault::Content))?;
            rest = &rest[length..];
            continue;
        }
        let (stored, length) =
            codec::read(rest, |_, _| {}).ok_or_else(|| invalid(frame.at, Fault::Content))?;
        rest = &rest[length..];
        let changes = stored.into_iter().map(|it| it.change).collect();
        if piece.take(Commit { position, changes }).is_err() {
            return Ok(Err(Enough));
        }
    }
    Ok(Ok(()))
}
