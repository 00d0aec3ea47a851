//! The bytes of the next frame while transactions are put into it. One buffer serves all frames, so
//! the commit path allocates nothing once it has grown.

use super::frame::{BLOCK, END, FRAME_BYTES_MAX, HEADER, Header, has_zero_half};

/// A frame being filled: room for the header, then the payload so far.
#[derive(Debug)]
pub struct FrameBuffer {
    bytes: Vec<u8>,
    count: u32,
}

impl Default for FrameBuffer {
    fn default() -> Self {
        Self {
            bytes: vec![0; HEADER],
            count: 0,
        }
    }
}

impl FrameBuffer {
    /// Adds a transaction: `write` puts its bytes at the end of the buffer, or leaves it as it is and fails.
    /// Offsets into the buffer are offsets from the beginning of the frame.
    ///
    /// What `write` adds must not hold 256 zero bytes in a row: see [`super`], "Torn or damaged".
    ///
    /// # Errors
    /// That of `write`.
    pub fn push<T, E>(&mut self, write: impl FnOnce(&mut Vec<u8>) -> Result<T, E>) -> Result<T, E> {
        let written = write(&mut self.bytes)?;
        self.count += 1;
        Ok(written)
    }

    /// The length in bytes so far, with the header.
    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    /// The number of transactions so far.
    pub fn count(&self) -> u32 {
        self.count
    }

    /// Whether there is no transaction yet.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Empties it for the next frame.
    pub fn clear(&mut self) {
        self.bytes.truncate(HEADER);
        self.count = 0;
    }

    /// Closes the frame: the end mark, the sealed header, and zeroes up to the end of the block.
    /// `None` if it is too large, or has half a zero sector and could be taken for a torn one.
    pub(super) fn seal(&mut self, header: &mut Header) -> Option<&[u8]> {
        self.bytes.push(END);
        if self.bytes.len() > FRAME_BYTES_MAX {
            return None;
        }
        header.count = self.count;
        header.payload = u32::try_from(self.bytes.len() - HEADER).ok()?;
        header.seal(&mut self.bytes);
        if has_zero_half(&self.bytes) {
            return None;
        }
        self.bytes
            .resize(self.bytes.len().next_multiple_of(BLOCK as usize), 0);
        Some(&self.bytes)
    }
}
