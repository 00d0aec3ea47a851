//! Reading what is durable: frames in order, and single stretches of bytes by their place.
//!
//! **Bounds.** At most [`OPEN_MAX`] segments are kept open at once; others are opened again when
//! they are asked for. **Ordering.** A reader sees a frame once it is durable, never before.

use std::{collections::BTreeMap, io, sync::Arc};

use parking_lot::{Mutex, RwLock};

use super::{
    Damage, Fault, Known, OpenError, Reach,
    frame::{BLOCK, HEADER, Hash, Header, hash, is_zero},
    segment::{Position, file_name},
};
use crate::disk::{Disk, File, read_exact, read_full};

/// Segments kept open, far below the 1,024 files that a process may open by default.
pub const OPEN_MAX: usize = 128;

/// Where the log ends.
#[derive(Clone, Debug)]
pub(super) struct Head {
    /// The last transaction, 0 if there is none.
    pub(super) sequence: u64,
    /// The hash of the last frame, zeroes if there is none.
    pub(super) hash: Hash,
    /// Where the last frame begins.
    pub(super) frame: Option<Position>,
    /// Where the next frame will begin, if it fits.
    pub(super) next: Position,
}

/// Reads a log. Clones are of the same log.
#[derive(Clone)]
pub struct Reader(Arc<Shared>);

struct Shared {
    disk: Arc<dyn Disk>,
    head: RwLock<Head>,
    /// The first transaction of each segment; the number of the segment is the place in here.
    firsts: RwLock<Vec<u64>>,
    open: Mutex<BTreeMap<u32, Arc<dyn File>>>,
}

/// A frame that was read.
#[derive(Clone, Debug)]
pub struct Frame {
    /// Where it begins.
    pub at: Position,
    /// What its header says.
    pub header: Header,
    /// Header and payload, without the zeroes after them.
    pub bytes: Vec<u8>,
}

impl Frame {
    /// The bytes of the transactions, without header and end mark.
    pub fn transactions(&self) -> &[u8] {
        &self.bytes[HEADER..self.bytes.len() - 1]
    }

    /// Where the frame after it begins, if it is in the same segment.
    pub fn next(&self) -> Position {
        self.at.after(self.header.extent())
    }

    /// Whether the bytes are those that were hashed.
    pub fn is_whole(&self) -> bool {
        hash(&self.bytes) == self.header.hash || lombard_core::planted!(TornAccepted)
    }
}

impl Reader {
    pub(super) fn new(disk: Arc<dyn Disk>, head: Head, firsts: Vec<u64>) -> Self {
        let open = Mutex::default();
        Self(Arc::new(Shared {
            disk,
            head: RwLock::new(head),
            firsts: RwLock::new(firsts),
            open,
        }))
    }

    /// Takes note of a frame that is durable now.
    pub(super) fn advance(&self, head: &Head, file: &Arc<dyn File>, first: u64) {
        let segment = head.next.segment;
        let mut firsts = self.0.firsts.write();
        if firsts.len() == segment as usize {
            firsts.push(first);
            self.keep(segment, file.clone());
        }
        drop(firsts);
        *self.0.head.write() = head.clone();
    }

    /// The number of the last transaction, 0 if there is none, and the value of the chain there.
    pub fn head(&self) -> (u64, Hash) {
        let head = self.0.head.read();
        (head.sequence, head.hash)
    }

    /// Where the last frame begins, if there is one.
    pub fn last_frame(&self) -> Option<Position> {
        self.0.head.read().frame
    }

    /// Where the next frame will begin, if it fits there.
    pub fn end(&self) -> Position {
        self.0.head.read().next
    }

    /// Reads `length` bytes at `offset` of a segment.
    ///
    /// # Errors
    /// What the disk says; `UnexpectedEof` if there are fewer.
    pub fn bytes(&self, segment: u32, offset: u32, length: usize) -> io::Result<Vec<u8>> {
        let mut bytes = vec![0; length];
        read_exact(&*self.segment(segment)?, &mut bytes, u64::from(offset))?;
        Ok(bytes)
    }

    /// Reads the frame at `at`, or, if the segment ends there, the first of the next. `None` at the end
    /// of the log. The header is verified, the payload is not: see [`Frame::is_whole`].
    ///
    /// # Errors
    /// What the disk says; [`Damage`] as `InvalidData` if there is no frame.
    pub fn frame(&self, mut at: Position) -> io::Result<Option<Frame>> {
        let end = self.end();
        loop {
            if at >= end {
                return Ok(None);
            }
            let file = self.segment(at.segment)?;
            if let Some(frame) = read_frame(&*file, at)? {
                return Ok(Some(frame));
            }
            at = at.next_segment();
        }
    }

    /// Reads and verifies everything that is durable at this moment, from `known` on or from the beginning.
    ///
    /// # Errors
    /// As [`super::open`].
    pub fn verify(
        &self,
        known: Option<Known>,
        visit: &mut dyn FnMut(&Frame) -> Result<(), Fault>,
    ) -> Result<Reach, OpenError> {
        super::verify(self.0.disk.clone(), known, Some(self.end()), visit)
    }

    /// Finds the frame that holds the transaction, by the headers alone, from its segment's first frame on, or
    /// from `hint`, a frame that is known to come before it. `None` if it is not there yet.
    ///
    /// # Errors
    /// As [`Reader::frame`].
    pub fn seek(&self, sequence: u64, hint: Option<Position>) -> io::Result<Option<Position>> {
        if sequence > self.head().0 {
            return Ok(None);
        }
        let later = self
            .0
            .firsts
            .read()
            .partition_point(|first| *first <= sequence);
        let start = Position {
            segment: later.saturating_sub(1) as u32,
            offset: 0,
        };
        let mut at = hint.filter(|hint| *hint > start).unwrap_or(start);
        let file = self.segment(at.segment)?;
        loop {
            let header = read_header(&*file, at)?.ok_or_else(|| invalid(at, Fault::Header))?;
            if sequence <= header.last() {
                return Ok(Some(at));
            }
            at = at.after(header.extent());
        }
    }

    fn segment(&self, segment: u32) -> io::Result<Arc<dyn File>> {
        if let Some(file) = self.0.open.lock().get(&segment) {
            return Ok(file.clone());
        }
        let file = self.0.disk.open(&file_name(segment))?;
        self.keep(segment, file.clone());
        Ok(file)
    }

    /// Keeps a segment open. The one with the lowest number gives way: the newest are read most.
    fn keep(&self, segment: u32, file: Arc<dyn File>) {
        let mut open = self.0.open.lock();
        if open.len() >= OPEN_MAX {
            open.pop_first();
        }
        open.insert(segment, file);
    }
}

/// Reads the header at `at`. `None` where the segment ends: no room for a block, or a zero sector.
///
/// # Errors
/// What the disk says; [`Damage`] as `InvalidData` if the sector is neither zero nor a header.
pub(super) fn read_header(file: &dyn File, at: Position) -> io::Result<Option<Header>> {
    let mut sector = [0; super::SECTOR];
    let read = read_full(file, &mut sector, u64::from(at.offset))?;
    if read < sector.len() || is_zero(&sector) {
        return Ok(None);
    }
    Header::decode(&sector)
        .map(Some)
        .ok_or_else(|| invalid(at, Fault::Header))
}

/// Reads the frame at `at`, as [`read_header`] does its header.
pub(super) fn read_frame(file: &dyn File, at: Position) -> io::Result<Option<Frame>> {
    let mut bytes = vec![0; BLOCK as usize];
    let read = read_full(file, &mut bytes, u64::from(at.offset))?;
    if read < bytes.len() || is_zero(&bytes[..super::SECTOR]) {
        return Ok(None);
    }
    let Some(header) = Header::decode(&bytes) else {
        return Err(invalid(at, Fault::Header));
    };
    bytes.resize(header.length(), 0);
    if header.length() > BLOCK as usize {
        read_exact(
            file,
            &mut bytes[BLOCK as usize..],
            u64::from(at.offset + BLOCK),
        )?;
    }
    Ok(Some(Frame { at, header, bytes }))
}

/// Damage that was met while reading.
pub(crate) fn invalid(at: Position, fault: Fault) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, Damage { at, fault })
}
