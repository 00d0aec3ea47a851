//! The scan: from frame to frame, each verified whole, to the end of the log. It changes nothing.
//!
//! It begins at a frame that is known, or at the beginning. Segments before are only looked at from outside:
//! that they are there, have their length, and begin with a frame whose number rises.

use std::io;

use super::{
    Fault, OpenError, Torn,
    frame::{BLOCK, Hash, Header, LogId, has_zero_sector, is_zero},
    reader::{Frame, Head, read_frame},
    segment::Position,
    segments::{Segment, Segments, damage, reading},
    tail,
};
use crate::disk::read_exact;

/// What somebody durably knows about the log: it must hold at least this.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Known {
    /// A transaction, the last of its frame.
    pub sequence: u64,
    /// The value of the chain there.
    pub hash: Hash,
    /// Where the frame begins.
    pub frame: Position,
}

/// The scan: how far it is, and what it knows.
pub(super) struct Scan<'a> {
    segments: &'a Segments,
    pub(super) head: Head,
    pub(super) log: Option<LogId>,
    /// The last segment that begins with a frame; 0 if none does.
    last_used: u32,
    known: Option<Known>,
    /// Where to stop, though the log may go on.
    upto: Option<Position>,
    /// A frame with zero sectors inside, where the log ends.
    broken: Option<Header>,
}

impl<'a> Scan<'a> {
    pub(super) fn begin(
        segments: &'a Segments,
        known: Option<Known>,
        upto: Option<Position>,
    ) -> Result<Self, OpenError> {
        let used = segments
            .iter()
            .filter(|(_, it)| it.first.is_some())
            .map(|(n, _)| n)
            .last();
        let first = |segment: u32| segments.get(segment).and_then(|it| it.first.as_ref());
        let log = first(0).map(|it| it.log);
        let mut before = 0;
        for segment in 0..used.map_or(0, |it| it + 1) {
            let at = Position { segment, offset: 0 };
            match first(segment) {
                None => return Err(damage(at, Fault::LaterFrame)),
                Some(it) if Some(it.log) != log => return Err(damage(at, Fault::Foreign)),
                Some(it) if it.first <= before => {
                    let (expected, found) = (before + 1, it.first);
                    return Err(damage(at, Fault::Chain { expected, found }));
                }
                Some(it) => before = it.last(),
            }
        }
        let mut head = Head {
            sequence: 0,
            hash: [0; 32],
            frame: None,
            next: Position::START,
        };
        if let Some(known) = known {
            head.next = known.frame;
            if used.is_none_or(|used| known.frame.segment > used) {
                return Err(damage(
                    known.frame,
                    Fault::Shorter {
                        known: known.sequence,
                    },
                ));
            }
        }
        let last_used = used.unwrap_or(0);
        Ok(Self {
            segments,
            head,
            log,
            last_used,
            known,
            upto,
            broken: None,
        })
    }

    /// Goes from frame to frame to the end.
    pub(super) fn run(
        &mut self,
        visit: &mut dyn FnMut(&Frame) -> Result<(), Fault>,
    ) -> Result<(), OpenError> {
        while let Some(segment) = self.segments.get(self.head.next.segment) {
            let at = self.head.next;
            if self.upto.is_some_and(|upto| at >= upto) {
                break;
            }
            let Some(frame) = self.frame(segment)? else {
                if at.segment >= self.last_used {
                    break;
                }
                if tail::nonzero(self.segments, at)?.is_some() {
                    return Err(damage(at, Fault::Stray));
                }
                self.head.next = at.next_segment();
                continue;
            };
            self.follows(segment, &frame)
                .map_err(|fault| damage(at, fault))?;
            if !frame.is_whole() {
                if at.segment < self.last_used || !has_zero_sector(&frame.bytes) {
                    return Err(damage(at, Fault::Payload));
                }
                self.broken = Some(frame.header);
                break;
            }
            self.padding(&frame)?;
            visit(&frame).map_err(|fault| damage(at, fault))?;
            self.head = Head {
                sequence: frame.header.last(),
                hash: frame.header.hash,
                frame: Some(at),
                next: frame.next(),
            };
        }
        match self.known {
            Some(known) if self.head.frame.is_none() => Err(damage(
                known.frame,
                Fault::Shorter {
                    known: known.sequence,
                },
            )),
            _ => Ok(()),
        }
    }

    /// The frame that begins here, if one does.
    fn frame(&self, segment: &Segment) -> Result<Option<Frame>, OpenError> {
        let at = self.head.next;
        if u64::from(at.offset) + u64::from(BLOCK) > u64::from(segment.bytes) {
            return Ok(None);
        }
        let file = self.segments.file(at.segment).map_err(OpenError::read)?;
        read_frame(&*file, at).map_err(|error| match error.kind() {
            // A frame that reaches past the end of its segment was never written there.
            io::ErrorKind::UnexpectedEof => damage(at, Fault::Header),
            _ => reading(error),
        })
    }

    /// Whether a frame is the one that must come next.
    fn follows(&self, segment: &Segment, frame: &Frame) -> Result<(), Fault> {
        let header = &frame.header;
        if Some(header.log) != self.log {
            return Err(Fault::Foreign);
        }
        let bytes = u64::from(segment.bytes);
        if header.segment_bytes != segment.bytes {
            return Err(Fault::Length {
                expected: header.segment_bytes.into(),
                found: bytes,
            });
        }
        if u64::from(frame.at.offset) + header.extent() > bytes {
            return Err(Fault::Header);
        }
        match (&self.head.frame, self.known) {
            (None, Some(known)) => {
                let same = header.last() == known.sequence && header.hash == known.hash;
                same.then_some(()).ok_or(Fault::Shorter {
                    known: known.sequence,
                })
            }
            _ if header.first == self.head.sequence + 1 && header.previous == self.head.hash => {
                Ok(())
            }
            _ => Err(Fault::Chain {
                expected: self.head.sequence + 1,
                found: header.first,
            }),
        }
    }

    /// Checks that the rest of a frame's last block is zero.
    fn padding(&self, frame: &Frame) -> Result<(), OpenError> {
        let length = frame.header.length() as u64;
        let mut rest = vec![0; (frame.header.extent() - length) as usize];
        let file = self
            .segments
            .file(frame.at.segment)
            .map_err(OpenError::read)?;
        read_exact(&*file, &mut rest, u64::from(frame.at.offset) + length)
            .map_err(OpenError::read)?;
        is_zero(&rest)
            .then_some(())
            .ok_or_else(|| damage(frame.at, Fault::Stray))
    }

    /// Looks at everything after the last good frame.
    pub(super) fn find_torn(&self) -> Result<Option<Torn>, OpenError> {
        let broken = self.broken.as_ref().map(Header::extent);
        tail::examine(self.segments, self.head.next, broken, self.log)
    }
}
