//! The log: the one file format that is the truth. Everything else can be made again from it.
//!
//! # Shape
//! A log is a row of **segments**, files of one size named by number. A segment is a row of
//! **frames** and then zeroes. A frame is what one group of transactions became: a header of
//! 128 bytes, a payload, an end mark, and zeroes up to the next block of 4 KiB. Transactions are
//! numbered from 1 without a gap, through all frames and segments.
//!
//! Each header carries the SHA-256 of the frame before and its own, so a frame vouches for
//! everything before it: the log is a hash chain.
//!
//! # Writing
//! One [`Writer`] appends. A group is one `pwrite` and one `fdatasync`; it is durable when
//! [`Writer::append`] returns, and not before. Segments are written full of zeroes, synced and
//! named by another thread before their first use, so an append never grows a file, never
//! allocates a block and never meets a full disk.
//!
//! # The fault model
//! We assume, and no more than this:
//! * A sector of 512 bytes is written whole or not at all. Sectors of one write reach the disk in any
//!   order, and when power is lost any subset of those not yet synced may be there.
//! * What `fdatasync` confirmed stays, bit for bit, unless the disk damages it. Damage changes bits
//!   anywhere, or loses a whole file.
//! * A failed write or sync says nothing about what reached the disk. After one, nothing more is
//!   written by this process (the kernel may have dropped the dirty pages and would call the next
//!   sync a success); opening again reads what is there, and settles it by writing the last frame
//!   a second time before building on it.
//! * Beyond it: a disk that confirms a sync and then forgets whole sectors of the very last frame.
//!   That looks like a torn write. Only the index, when it knows a longer log, finds it out.
//!
//! # Torn or damaged
//! Because the space ahead is zeroes, a write that was cut short leaves whole zero sectors within
//! its frame; and because no frame that is whole has even half a zero sector between its header and
//! its end mark (the [`Writer`] refuses to write one), the two can be told apart:
//!
//! | what is found | is |
//! |---|---|
//! | zeroes to the end | the end of the log |
//! | at the end: a frame with zero sectors inside, nothing after it | a torn write: cut, reported |
//! | a header that is neither zero nor right | damage |
//! | a frame without zero sectors whose hash is wrong | damage |
//! | a good frame after a bad one, or after zeroes | damage |
//! | a number or a hash that does not follow the one before | damage |
//! | a missing segment, or one of another length | damage |
//! | a log that ends before what the index durably knows | damage |
//!
//! Torn frames were never acknowledged. Damage is refused with a [`Damage`] that says what and
//! where; nothing is changed then, so that the disk can still be examined, or repaired from a
//! backup.
//!
//! **Invariant.** No block that holds acknowledged bytes is ever written again with other bytes:
//! frames do not share blocks.

mod buffer;
mod error;
mod frame;
mod reader;
mod recover;
mod scan;
mod segment;
mod segments;
mod spare;
mod tail;
mod writer;

pub use buffer::FrameBuffer;
pub use error::{AppendError, Damage, Fault, OpenError};
pub use frame::{BLOCK, FRAME_BYTES_MAX, HEADER, Hash, Header, LogId, SECTOR};
pub(crate) use reader::invalid;
pub use reader::{Frame, Reader};
pub use recover::{Reach, Recovered, Torn, open, verify};
pub use scan::Known;
pub use segment::{Position, SEGMENT_BYTES, file_name};
pub(crate) use spare::make as make_segment;
pub use writer::{Appended, Writer};

/// How a log is kept.
#[derive(Clone, Debug)]
pub struct Options {
    /// The size of a new segment in bytes; a multiple of [`BLOCK`]. Old segments keep theirs.
    pub segment_bytes: u32,
    /// Whether another thread makes the next segment ahead of time. Without it the writer does so
    /// itself when it needs one, which tests use to know the order of all that happens.
    pub prepare_ahead: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            segment_bytes: SEGMENT_BYTES,
            prepare_ahead: true,
        }
    }
}
