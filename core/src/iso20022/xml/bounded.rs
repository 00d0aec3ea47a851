//! A reader that hands out at most so many bytes for one token.

use std::io::{self, BufRead, Read};

use super::{Stop, refuse};
use crate::iso20022::violation::Rule;

/// The input, with a meter.
pub(super) struct Bounded<R> {
    input: R,
    max: usize,
    left: usize,
    exceeded: bool,
}

impl<R: BufRead> Bounded<R> {
    pub(super) const fn new(input: R, max: usize) -> Self {
        Self {
            input,
            max,
            left: max,
            exceeded: false,
        }
    }

    /// Starts the meter anew.
    pub(super) const fn begin_token(&mut self) {
        self.left = self.max;
    }

    /// Whether a token was longer than allowed.
    pub(super) const fn is_exceeded(&self) -> bool {
        self.exceeded
    }

    /// UTF-16 shows in the first bytes, by its mark or by the zeros around the first `<`.
    pub(super) fn refuse_utf16(&mut self) -> Result<(), Stop> {
        let first = self.input.fill_buf().map_err(Stop::Io)?;
        let utf16 = [[0xfe, 0xff], [0xff, 0xfe], [0x00, b'<'], [b'<', 0x00]];
        if utf16.iter().any(|mark| first.starts_with(mark)) {
            return refuse(Rule::Encoding, "the bytes are UTF-16, not UTF-8");
        }
        Ok(())
    }
}

impl<R: BufRead> Read for Bounded<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let mut available = self.fill_buf()?;
        let read = available.read(out)?;
        self.consume(read);
        Ok(read)
    }
}

impl<R: BufRead> BufRead for Bounded<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        let available = self.input.fill_buf()?;
        if available.is_empty() {
            return Ok(available);
        }
        if self.left == 0 {
            self.exceeded = true;
            return Err(io::Error::other("a token is too long"));
        }
        Ok(&available[..available.len().min(self.left)])
    }

    fn consume(&mut self, count: usize) {
        self.left -= count.min(self.left);
        self.input.consume(count);
    }
}
