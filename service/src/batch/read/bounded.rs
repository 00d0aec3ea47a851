//! Bounds what one row of a table may take into memory.

use std::{
    cell::Cell,
    io::{self, Read},
    rc::Rc,
};

/// Bytes of a row, as of a request's body; what the reader buffers ahead comes on top.
pub const ROW_BYTES_MAX: usize = 64 * 1024;

/// Input that ends in an error where a row does not end: a quote that is never closed would
/// otherwise take all of the file into memory.
pub struct Bounded<R> {
    /// The input.
    pub input: R,
    /// What may still be taken in for this row.
    pub room: Rc<Cell<usize>>,
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if self.room.get() == 0 {
            return Err(io::Error::other(RowTooLong));
        }
        let read = self.input.read(out)?;
        self.room.set(self.room.get().saturating_sub(read));
        Ok(read)
    }
}

/// A row of more than [`ROW_BYTES_MAX`].
#[derive(Debug, thiserror::Error)]
#[error("a row has at most {ROW_BYTES_MAX} bytes")]
pub struct RowTooLong;
