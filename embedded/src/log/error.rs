//! What can be wrong with a log, in words that an operator can act on.

use std::{fmt, io};

use super::segment::{Position, file_name};

/// Why a log was not opened. Nothing in it was changed.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The log holds what no crash can leave behind.
    #[error(transparent)]
    Damaged(#[from] Damage),
    /// There is no room for the first segment, or for the space that the next write needs.
    #[error(
        "storage full: there is no room for the next log segment; free some space and start again"
    )]
    Full(#[source] io::Error),
    /// The folder may be read but not written.
    #[error("the data folder is read-only; give this user the right to write to it, or remount it")]
    ReadOnly(#[source] io::Error),
    /// The disk failed.
    #[error("the log could not be {act}")]
    Io {
        /// What was being done: "read", "written".
        act: &'static str,
        /// What the disk said.
        #[source]
        source: io::Error,
    },
}

impl OpenError {
    pub(super) fn read(source: io::Error) -> Self {
        Self::Io {
            act: "read",
            source,
        }
    }

    /// Words a failure to write by its kind.
    pub(super) fn written(source: io::Error) -> Self {
        match source {
            it if crate::disk::is_full(&it) => Self::Full(it),
            it if crate::disk::is_read_only(&it) => Self::ReadOnly(it),
            source => Self::Io {
                act: "written",
                source,
            },
        }
    }
}

/// Why a group was not appended.
#[derive(Debug, thiserror::Error)]
pub enum AppendError {
    /// There is no room for the next segment. Nothing was written; later there may be room.
    #[error("storage full: there is no room for the next log segment")]
    Full,
    /// The next segment could not be made, for another reason. Nothing was written; it is tried again.
    #[error("the next log segment could not be made")]
    Unprepared(#[source] io::Error),
    /// The group is larger than a frame or a segment can be, or holds 256 zero bytes. Nothing was written.
    #[error("the group of {bytes} bytes cannot be written as one frame")]
    Unwritable {
        /// The length of the frame.
        bytes: usize,
    },
    /// The disk failed during this append: it may be durable or not, and only opening again can tell.
    #[error("the log could not be written, and takes no more until it is opened again")]
    Failed(#[source] io::Error),
    /// The disk failed during an earlier append. Nothing was written.
    #[error("the log takes no more since a write failed; open it again")]
    Poisoned,
}

/// Damage: what is wrong, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Damage {
    /// Where the frame begins, or should.
    pub at: Position,
    /// What is wrong there.
    pub fault: Fault,
}

/// What is wrong at one place of a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// A header is neither zero nor right.
    Header,
    /// A frame is whole, and its hash is not that of its bytes.
    Payload,
    /// A frame of another log.
    Foreign,
    /// A frame does not follow the one before: its number or its previous hash is another.
    Chain {
        /// The number that should follow.
        expected: u64,
        /// The number that is there.
        found: u64,
    },
    /// There are bytes after the end of the log, or between two frames, that no torn write leaves.
    Stray,
    /// A good frame comes after a torn or missing one.
    LaterFrame,
    /// A segment is not there, though later ones are.
    MissingSegment,
    /// A segment has not the length that it was made with.
    Length {
        /// As its frames say, in bytes.
        expected: u64,
        /// As its file is.
        found: u64,
    },
    /// The index has durably recorded transactions that the log does not hold, or holds otherwise.
    Shorter {
        /// The last transaction that the index knows.
        known: u64,
    },
    /// A transaction within a whole frame cannot be read.
    Content,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Header => write!(f, "the frame header is neither empty nor valid"),
            Self::Payload => write!(f, "the frame's bytes do not match its hash"),
            Self::Foreign => write!(f, "the frame belongs to another log"),
            Self::Chain { expected, found } => write!(
                f,
                "the frame does not follow the one before: transaction {expected} should be next, \
                 and {found} is there, or its previous hash is another"
            ),
            Self::Stray => write!(f, "there are bytes where nothing was ever written"),
            Self::LaterFrame => write!(f, "a valid frame follows one that is missing or broken"),
            Self::MissingSegment => write!(f, "the segment is missing, though later ones exist"),
            Self::Length { expected, found } => {
                write!(
                    f,
                    "the segment should be {expected} bytes long and is {found}"
                )
            }
            Self::Shorter { known } => write!(
                f,
                "the index knows transactions up to {known}, and the log does not hold them as it \
                 knew them"
            ),
            Self::Content => write!(f, "a transaction in a whole frame cannot be read"),
        }
    }
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "the log is damaged in segment {} at offset {}: {}. This is not the trace of a crash. \
             Nothing was changed: copy the folder, check the disk, and restore the segment from a \
             backup",
            file_name(self.at.segment),
            self.at.offset,
            self.fault
        )
    }
}

impl std::error::Error for Damage {}
