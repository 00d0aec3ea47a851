//! The next segment, made before it is needed: full of zeroes, durable, and named.
//!
//! **Why ahead.** Writing into blocks that were written before costs half of a write that allocates
//! them, and a full disk is met here, where nothing has been accepted, instead of in the middle of a
//! group. **Why in small steps.** One sync of 64 MiB would keep the syncs of the commits waiting. **Why without
//! pauses.** At full load a segment is used up within a second, and the writer waits for the next. **Why through
//! the system's cache.** Nobody reads the zeroes, but the frames that take their place find memory there, which
//! the commit would otherwise have to find.

use std::{
    io,
    sync::Arc,
    thread::{self, JoinHandle},
    time::Duration,
};

use parking_lot::{Condvar, Mutex};

use super::{
    AppendError, Options,
    segment::{UNFINISHED, file_name},
};
use crate::disk::{Disk, File, is_full, write_all};

/// Zeroes written between two syncs, in bytes: about a millisecond of the disk's time.
const STEP: usize = 1024 * 1024;
/// Zeroes written at once, in bytes. For larger pieces the system looks for larger pages, and may move others'
/// about to make one.
const PIECE: usize = 64 * 1024;
/// How long to wait before trying again to make a segment that could not be made.
const RETRY: Duration = Duration::from_secs(1);

/// Keeps one segment ready.
pub(super) struct Spare {
    inner: Arc<Inner>,
    thread: Option<JoinHandle<()>>,
}

struct Inner {
    disk: Arc<dyn Disk>,
    segment_bytes: u32,
    ahead: bool,
    state: Mutex<State>,
    changed: Condvar,
}

enum State {
    Wanted(u32),
    Ready(u32, Arc<dyn File>),
    Failed(u32, io::Error),
    Stopped,
}

impl Spare {
    /// Begins with `segment`: `found` if it exists already and is all zeroes.
    pub(super) fn start(
        disk: Arc<dyn Disk>,
        options: &Options,
        segment: u32,
        found: Option<Arc<dyn File>>,
    ) -> io::Result<Self> {
        let state = found.map_or(State::Wanted(segment), |file| State::Ready(segment, file));
        let inner = Arc::new(Inner {
            disk,
            segment_bytes: options.segment_bytes,
            ahead: options.prepare_ahead,
            state: Mutex::new(state),
            changed: Condvar::new(),
        });
        let thread = options.prepare_ahead.then(|| {
            let inner = inner.clone();
            thread::Builder::new()
                .name("log-spare".into())
                .spawn(move || inner.run())
        });
        Ok(Self {
            inner,
            thread: thread.transpose()?,
        })
    }

    /// The size of the segments made here, in bytes.
    pub(super) fn segment_bytes(&self) -> u32 {
        self.inner.segment_bytes
    }

    /// Takes the segment, waiting if it is being made at this moment, and has the next one made.
    pub(super) fn take(&self, segment: u32) -> Result<Arc<dyn File>, AppendError> {
        let mut state = self.inner.state.lock();
        if !self.inner.ahead
            && let State::Wanted(wanted) | State::Failed(wanted, _) = *state
        {
            *state = self.inner.make(wanted);
        }
        while matches!(*state, State::Wanted(_)) {
            self.inner.changed.wait(&mut state);
        }
        match &*state {
            State::Ready(ready, file) => {
                assert_eq!(*ready, segment, "segments are taken in order");
                let file = file.clone();
                *state = State::Wanted(segment + 1);
                self.inner.changed.notify_all();
                Ok(file)
            }
            State::Failed(_, error) if is_full(error) => Err(AppendError::Full),
            State::Failed(_, error) => Err(AppendError::Unprepared(error.kind().into())),
            State::Wanted(_) | State::Stopped => {
                unreachable!("waited for, and stopped only in drop")
            }
        }
    }
}

impl Drop for Spare {
    fn drop(&mut self) {
        *self.inner.state.lock() = State::Stopped;
        self.inner.changed.notify_all();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join(); // It panicked: there is nothing left to clean up.
        }
    }
}

impl Inner {
    fn run(&self) {
        let mut state = self.state.lock();
        loop {
            match &*state {
                State::Stopped => return,
                State::Ready(..) => self.changed.wait(&mut state),
                State::Failed(segment, _) => {
                    let segment = *segment;
                    if self.changed.wait_for(&mut state, RETRY).timed_out() {
                        *state = State::Wanted(segment);
                    }
                }
                State::Wanted(segment) => {
                    let segment = *segment;
                    drop(state);
                    let made = self.make(segment);
                    state = self.state.lock();
                    if !matches!(*state, State::Stopped) {
                        *state = made;
                        self.changed.notify_all();
                    }
                }
            }
        }
    }

    fn make(&self, segment: u32) -> State {
        match make(&*self.disk, segment, self.segment_bytes) {
            Ok(file) => State::Ready(segment, file),
            Err(error) => {
                tracing::warn!(segment, %error, "the next log segment could not be made");
                State::Failed(segment, error)
            }
        }
    }
}

/// Makes a segment: zeroes, durable, and only then its name, durable too.
pub(crate) fn make(disk: &dyn Disk, segment: u32, bytes: u32) -> io::Result<Arc<dyn File>> {
    let file = disk.create(UNFINISHED)?;
    let filled = fill(&*file, u64::from(bytes)).and_then(|()| {
        disk.rename(UNFINISHED, &file_name(segment))?;
        disk.sync_names()
    });
    match filled {
        Ok(()) => Ok(file),
        Err(error) => {
            // What was half made holds room that others may need. If it cannot be removed, then opening
            // again does so.
            let _ = disk.remove(UNFINISHED);
            Err(error)
        }
    }
}

fn fill(file: &dyn File, bytes: u64) -> io::Result<()> {
    let zeroes = vec![0; PIECE];
    let mut offset = 0;
    while offset < bytes {
        let end = bytes.min(offset + STEP as u64);
        while offset < end {
            let piece = zeroes.len().min((end - offset) as usize);
            write_all(file, &zeroes[..piece], offset)?;
            offset += piece as u64;
        }
        file.sync_data()?;
    }
    Ok(())
}
