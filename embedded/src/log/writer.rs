//! The one writer: a group in, one write and one sync, and it is durable.

use std::{io, sync::Arc};

use super::{
    AppendError, FrameBuffer, LogId,
    frame::{BLOCK, HEADER, Hash, Header},
    reader::{Head, Reader},
    segment::Position,
    spare::Spare,
};
use crate::disk::{File, write_all};

/// Appends frames to a log. There is one for each log that is open.
pub struct Writer {
    pub(super) log: LogId,
    pub(super) reader: Reader,
    pub(super) file: Arc<dyn File>,
    pub(super) segment_bytes: u32,
    pub(super) head: Head,
    pub(super) spare: Spare,
    pub(super) poisoned: bool,
}

/// Where a group is, now that it is durable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Appended {
    /// The number of its first transaction.
    pub first: u64,
    /// Where its frame begins. A byte of the [`FrameBuffer`] is at the same distance from it.
    pub at: Position,
    /// The value of the chain after it.
    pub hash: Hash,
}

impl Writer {
    /// Writes the transactions in `buffer` as one frame and makes them durable. The buffer is empty
    /// afterwards, whatever happened.
    ///
    /// # Errors
    /// The variants of [`AppendError`] say for each whether anything may have been written. After
    /// [`AppendError::Failed`] every call is refused.
    ///
    /// # Panics
    /// If the buffer is empty: a group is of at least one.
    pub fn append(
        &mut self,
        time_ms: u64,
        buffer: &mut FrameBuffer,
    ) -> Result<Appended, AppendError> {
        assert!(!buffer.is_empty(), "a group is of at least one");
        let appended = self.append_frame(time_ms, buffer);
        buffer.clear();
        appended
    }

    fn append_frame(
        &mut self,
        time_ms: u64,
        buffer: &mut FrameBuffer,
    ) -> Result<Appended, AppendError> {
        if self.poisoned {
            return Err(AppendError::Poisoned);
        }
        let bytes = buffer.len();
        let (at, file, segment_bytes) = self.place(bytes)?;
        let mut header = Header {
            log: self.log,
            first: self.head.sequence + 1,
            time_ms,
            count: 0,
            payload: 0,
            segment_bytes,
            previous: self.head.hash,
            hash: [0; 32],
        };
        let Some(frame) = buffer.seal(&mut header) else {
            return Err(AppendError::Unwritable { bytes });
        };
        if let Err(error) = write(&*file, frame, at) {
            // What is on the disk now is not known, so nothing may be built on it.
            self.poisoned = true;
            return Err(AppendError::Failed(error));
        }
        self.file = file;
        self.segment_bytes = segment_bytes;
        self.head = Head {
            sequence: header.last(),
            hash: header.hash,
            frame: Some(at),
            next: at.after(header.extent()),
        };
        self.reader.advance(&self.head, &self.file, header.first);
        Ok(Appended {
            first: header.first,
            at,
            hash: header.hash,
        })
    }

    /// Finds the place for a frame of `bytes` before its end mark: here, or in the next segment.
    fn place(&mut self, bytes: usize) -> Result<(Position, Arc<dyn File>, u32), AppendError> {
        let extent = (bytes as u64 + 1).next_multiple_of(u64::from(BLOCK));
        let at = self.head.next;
        if u64::from(at.offset) + extent <= u64::from(self.segment_bytes) {
            return Ok((at, self.file.clone(), self.segment_bytes));
        }
        if extent > u64::from(self.spare.segment_bytes()) {
            return Err(AppendError::Unwritable { bytes });
        }
        let next = at.next_segment();
        let file = self.spare.take(next.segment)?;
        let size = file.size().map_err(AppendError::Unprepared)?;
        let size = u32::try_from(size)
            .map_err(|_| AppendError::Unprepared(io::ErrorKind::FileTooLarge.into()))?;
        // From here on the old segment is closed: if the write fails, opening again finds its end.
        self.head.next = next;
        self.file = file.clone();
        self.segment_bytes = size;
        Ok((next, file, size))
    }

    /// The number of the last transaction, 0 if there is none.
    pub fn last(&self) -> u64 {
        self.head.sequence
    }

    /// The room that a frame of the largest size leaves for transactions, in bytes.
    pub fn room(&self) -> usize {
        super::FRAME_BYTES_MAX.min(self.spare.segment_bytes() as usize) - HEADER - 1
    }
}

fn write(file: &dyn File, frame: &[u8], at: Position) -> io::Result<()> {
    write_all(file, frame, u64::from(at.offset))?;
    if lombard_core::planted!(SyncSkipped) {
        return Ok(());
    }
    file.sync_data()
}
