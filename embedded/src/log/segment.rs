//! Segments: their names, and places in them.

use super::frame::BLOCK;

/// The size of a segment in bytes. Large enough that a new one is needed once a second at the very most,
/// small enough that a backup that goes by segments has little to do again.
pub const SEGMENT_BYTES: u32 = 64 * 1024 * 1024;

const SUFFIX: &str = ".log";
/// A segment that is being made. It is given its name when it is whole; until then it is nothing.
pub(super) const UNFINISHED: &str = "next.tmp";

/// The name of the segment's file.
pub fn file_name(segment: u32) -> String {
    format!("{segment:010}{SUFFIX}")
}

/// The segment that a file is, if it is one.
pub(super) fn number(name: &str) -> Option<u32> {
    let digits = name.strip_suffix(SUFFIX)?;
    (digits.len() == 10).then(|| digits.parse().ok())?
}

/// A place in the log where a frame begins or may begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// The number of the segment.
    pub segment: u32,
    /// The distance from the segment's beginning in bytes, a multiple of [`BLOCK`].
    pub offset: u32,
}

impl Position {
    /// Where a log begins.
    pub const START: Self = Self {
        segment: 0,
        offset: 0,
    };

    /// The beginning of the next segment.
    pub(super) fn next_segment(self) -> Self {
        Self {
            segment: self.segment + 1,
            offset: 0,
        }
    }

    /// The place after a frame that takes `extent` bytes. The segment's size fits in 32 bits, so this does.
    pub(super) fn after(self, extent: u64) -> Self {
        debug_assert_eq!(extent % u64::from(BLOCK), 0);
        Self {
            segment: self.segment,
            offset: self.offset + extent as u32,
        }
    }
}
