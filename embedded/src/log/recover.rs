//! Opening a log: find its end, tell a torn write from damage, make the end durable.
//!
//! The scan begins at the frame that the index knows durably, or at the beginning, and verifies each
//! frame from there on whole. Segments before are only looked at from outside: that they are there, have
//! their length, and begin with a frame whose number rises. (`verify` reads all of them.)

use std::{io, sync::Arc};

use super::{
    Damage, Fault, OpenError, Options, Writer,
    frame::{BLOCK, Hash, Header, LogId, has_zero_sector, is_zero},
    reader::{Frame, Head, Reader, read_frame, read_header},
    segment::{Position, UNFINISHED, file_name, number},
    spare::{self, Spare},
    tail::{self, Segment},
};
use crate::disk::{Disk, is_read_only, read_exact, write_all};

/// What the index durably knows about the log: it must hold at least this.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Known {
    /// The last transaction that the index holds.
    pub sequence: u64,
    /// The value of the chain there.
    pub hash: Hash,
    /// Where the frame begins whose last transaction that is.
    pub frame: Position,
}

/// A write that was cut short and has been cut off. It was never acknowledged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Torn {
    /// Where its frame began, or should have.
    pub at: Position,
    /// How many bytes were made zero again.
    pub bytes: u64,
}

/// A log that is open.
pub struct Recovered {
    /// Appends to it.
    pub writer: Writer,
    /// Reads it.
    pub reader: Reader,
    /// The torn write at its end, if there was one.
    pub torn: Option<Torn>,
}

/// Opens the log on `disk`, or begins one with the id `fresh` where there is none.
///
/// Every frame from `known` on, or from the beginning, is given to `visit`, in order and verified.
/// If `visit` finds that it cannot read the transactions, that is damage too.
///
/// # Errors
/// [`OpenError::Damaged`] when the log holds what no crash leaves behind; then nothing was changed.
pub fn open(
    disk: Arc<dyn Disk>,
    options: &Options,
    known: Option<Known>,
    fresh: LogId,
    visit: &mut dyn FnMut(&Frame) -> Result<(), Fault>,
) -> Result<Recovered, OpenError> {
    let mut segments = list(&*disk)?;
    let mut scan = Scan::begin(&segments, known)?;
    let torn = if segments.is_empty() {
        let file = spare::make(&*disk, 0, options.segment_bytes).map_err(OpenError::written)?;
        segments.push(Segment::empty(file, options.segment_bytes));
        None
    } else {
        scan.run(&segments, visit)?;
        scan.find_torn(&segments)?
    };
    if let Some(torn) = torn {
        cut(&segments, torn).map_err(OpenError::written)?;
        tracing::warn!(
            segment = torn.at.segment,
            offset = torn.at.offset,
            bytes = torn.bytes,
            "a write that was cut short and never acknowledged was removed from the log"
        );
    }
    settle(&*disk, &segments, &scan.head)?;
    let firsts: Vec<u64> = segments
        .iter()
        .map_while(|it| it.first.as_ref().map(|it| it.first))
        .collect();
    let current = &segments[scan.head.next.segment as usize];
    let next = scan.head.next.segment + 1;
    let found = segments.get(next as usize).map(|it| it.file.clone());
    let spare = Spare::start(disk.clone(), options, next, found).map_err(OpenError::written)?;
    let reader = Reader::new(disk, scan.head.clone(), firsts);
    let writer = Writer {
        log: scan.log.unwrap_or(fresh),
        reader: reader.clone(),
        file: current.file.clone(),
        segment_bytes: current.bytes,
        head: scan.head,
        spare,
        poisoned: false,
    };
    Ok(Recovered {
        writer,
        reader,
        torn,
    })
}

/// Opens all segments and reads the header that each begins with.
fn list(disk: &dyn Disk) -> Result<Vec<Segment>, OpenError> {
    let names = disk.names().map_err(OpenError::read)?;
    let mut numbers: Vec<u32> = names.iter().filter_map(|name| number(name)).collect();
    numbers.sort_unstable();
    if let Some(missing) = (0..)
        .zip(&numbers)
        .find_map(|(n, it)| (n != *it).then_some(n))
    {
        return Err(damage(
            Position {
                segment: missing,
                offset: 0,
            },
            Fault::MissingSegment,
        ));
    }
    if names.iter().any(|name| name == UNFINISHED) {
        disk.remove(UNFINISHED).map_err(OpenError::written)?;
    }
    numbers
        .into_iter()
        .map(|segment| look(disk, segment))
        .collect()
}

fn look(disk: &dyn Disk, segment: u32) -> Result<Segment, OpenError> {
    let at = Position { segment, offset: 0 };
    let file = disk
        .open(&file_name(segment))
        .map_err(|error| match error {
            it if is_read_only(&it) => OpenError::ReadOnly(it),
            it => OpenError::read(it),
        })?;
    let found = file.size().map_err(OpenError::read)?;
    let first = read_header(&*file, at).map_err(reading)?;
    let expected = first
        .as_ref()
        .map_or(found, |it| u64::from(it.segment_bytes));
    match u32::try_from(found) {
        Ok(bytes) if found == expected && bytes >= BLOCK => Ok(Segment { file, bytes, first }),
        _ => Err(damage(at, Fault::Length { expected, found })),
    }
}

/// The scan: how far it is, and what it knows.
struct Scan {
    head: Head,
    log: Option<LogId>,
    /// The last segment that begins with a frame; 0 if none does.
    last_used: u32,
    known: Option<Known>,
    /// A frame with zero sectors inside, where the log ends.
    broken: Option<Header>,
}

impl Scan {
    fn begin(segments: &[Segment], known: Option<Known>) -> Result<Self, OpenError> {
        let used = segments.iter().rposition(|it| it.first.is_some());
        let log = used
            .and_then(|_| segments[0].first.as_ref())
            .map(|it| it.log);
        let mut before = 0;
        for (segment, it) in (0..).zip(&segments[..used.map_or(0, |it| it + 1)]) {
            let at = Position { segment, offset: 0 };
            match &it.first {
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
            if used.is_none_or(|used| known.frame.segment as usize > used) {
                return Err(damage(
                    known.frame,
                    Fault::Shorter {
                        known: known.sequence,
                    },
                ));
            }
        }
        Ok(Self {
            head,
            log,
            last_used: used.unwrap_or(0) as u32,
            known,
            broken: None,
        })
    }

    /// Goes from frame to frame to the end of the log.
    fn run(
        &mut self,
        segments: &[Segment],
        visit: &mut dyn FnMut(&Frame) -> Result<(), Fault>,
    ) -> Result<(), OpenError> {
        loop {
            let at = self.head.next;
            let segment = &segments[at.segment as usize];
            let frame = match self
                .room(segment)
                .then(|| read_frame(&*segment.file, at))
                .transpose()
            {
                Ok(frame) => frame.flatten(),
                // A frame that reaches past the end of its segment was never written there.
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                    return Err(damage(at, Fault::Header));
                }
                Err(error) => return Err(reading(error)),
            };
            let Some(frame) = frame else {
                if at.segment >= self.last_used {
                    return self.check_known();
                }
                if tail::nonzero(segment, at.offset)
                    .map_err(OpenError::read)?
                    .is_some()
                {
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
                return self.check_known();
            }
            padding(segment, &frame)?;
            visit(&frame).map_err(|fault| damage(at, fault))?;
            self.head = Head {
                sequence: frame.header.last(),
                hash: frame.header.hash,
                frame: Some(at),
                next: at.after(frame.header.extent()),
            };
        }
    }

    fn room(&self, segment: &Segment) -> bool {
        u64::from(self.head.next.offset) + u64::from(BLOCK) <= u64::from(segment.bytes)
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

    /// At the end: whether what the index knows was found.
    fn check_known(&self) -> Result<(), OpenError> {
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

    /// Looks at everything after the last good frame.
    fn find_torn(&self, segments: &[Segment]) -> Result<Option<Torn>, OpenError> {
        let end = self.head.next;
        let broken = self.broken.as_ref().map(Header::extent);
        tail::examine(segments, end, broken, self.log)
    }
}

/// Checks that the rest of a frame's last block is zero.
fn padding(segment: &Segment, frame: &Frame) -> Result<(), OpenError> {
    let length = frame.header.length() as u64;
    let mut rest = vec![0; (frame.header.extent() - length) as usize];
    read_exact(
        &*segment.file,
        &mut rest,
        u64::from(frame.at.offset) + length,
    )
    .map_err(OpenError::read)?;
    is_zero(&rest)
        .then_some(())
        .ok_or_else(|| damage(frame.at, Fault::Stray))
}

/// Makes the space of a torn write zero again, durably.
fn cut(segments: &[Segment], torn: Torn) -> io::Result<()> {
    let file = &segments[torn.at.segment as usize].file;
    let zeroes = vec![0; torn.bytes as usize];
    write_all(&**file, &zeroes, u64::from(torn.at.offset))?;
    file.sync_data()
}

/// Makes sure that what was read will be there after a loss of power too.
///
/// The last frame may have been read from memory only: its writer was killed before the sync, or the sync
/// failed and the kernel dropped it. Writing the same bytes once more makes it durable for certain;
/// every frame before it was synced before the last was begun.
fn settle(disk: &dyn Disk, segments: &[Segment], head: &Head) -> Result<(), OpenError> {
    if let Some(at) = head.frame {
        let file = &segments[at.segment as usize].file;
        if let Some(frame) = read_frame(&**file, at).map_err(reading)? {
            write_all(&**file, &frame.bytes, u64::from(at.offset))
                .and_then(|()| file.sync_data())
                .map_err(OpenError::written)?;
        }
    }
    disk.sync_names().map_err(OpenError::written)
}

fn damage(at: Position, fault: Fault) -> OpenError {
    OpenError::Damaged(Damage { at, fault })
}

/// Tells damage that a reader met from a disk that failed.
fn reading(error: io::Error) -> OpenError {
    match error.get_ref().and_then(|it| it.downcast_ref::<Damage>()) {
        Some(found) => OpenError::Damaged(found.clone()),
        None => OpenError::read(error),
    }
}
