//! Opening a log: find its end, tell a torn write from damage, make the end durable. And the same without
//! opening, to verify or to copy.

use std::{io, sync::Arc};

use super::{
    Fault, OpenError, Options, Writer,
    frame::{Hash, LogId},
    reader::{Frame, Head, Reader, read_frame},
    scan::{Known, Scan},
    segment::Position,
    segments::{Segments, reading},
    spare::{self, Spare},
};
use crate::disk::{Disk, write_all};

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
    let mut segments = Segments::list(disk.clone(), None)?;
    let (head, log, torn) = {
        let mut scan = Scan::begin(&segments, known, None)?;
        scan.run(visit)?;
        let torn = if segments.is_empty() {
            None
        } else {
            scan.find_torn()?
        };
        (scan.head, scan.log, torn)
    };
    segments.remove_unfinished().map_err(OpenError::written)?;
    if segments.is_empty() {
        let file = spare::make(&*disk, 0, options.segment_bytes).map_err(OpenError::written)?;
        segments.begin(file, options.segment_bytes);
    }
    if let Some(torn) = torn {
        cut(&segments, torn).map_err(OpenError::written)?;
        tracing::warn!(
            segment = torn.at.segment,
            offset = torn.at.offset,
            bytes = torn.bytes,
            "a write that was cut short and never acknowledged was removed from the log"
        );
    }
    settle(&*disk, &segments, &head)?;
    let writer = writer(disk, options, &segments, head, log.unwrap_or(fresh))?;
    Ok(Recovered {
        reader: writer.reader.clone(),
        writer,
        torn,
    })
}

fn writer(
    disk: Arc<dyn Disk>,
    options: &Options,
    segments: &Segments,
    head: Head,
    log: LogId,
) -> Result<Writer, OpenError> {
    let next = head.next.segment + 1;
    let found = segments.get(next).map(|_| segments.file(next)).transpose();
    let found = found.map_err(OpenError::read)?;
    let spare = Spare::start(disk.clone(), options, next, found).map_err(OpenError::written)?;
    let file = segments.file(head.next.segment).map_err(OpenError::read)?;
    let segment_bytes = segments.get(head.next.segment).map_or(0, |it| it.bytes);
    let firsts = segments
        .iter()
        .map_while(|(_, it)| it.first.as_ref().map(|it| it.first));
    let reader = Reader::new(disk, head.clone(), firsts.collect());
    Ok(Writer {
        log,
        reader,
        file,
        segment_bytes,
        head,
        spare,
        poisoned: false,
    })
}

/// How far a log reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reach {
    /// The last transaction, 0 if there is none.
    pub sequence: u64,
    /// The value of the chain there.
    pub hash: Hash,
    /// Where the last frame begins.
    pub frame: Option<Position>,
}

/// Reads and verifies the log on `disk` from `known` on, or from the beginning, up to a place or to its end,
/// without changing anything. A torn write at the end is passed over: the next opening will cut it.
///
/// # Errors
/// As [`open`].
pub fn verify(
    disk: Arc<dyn Disk>,
    known: Option<Known>,
    upto: Option<Position>,
    visit: &mut dyn FnMut(&Frame) -> Result<(), Fault>,
) -> Result<Reach, OpenError> {
    let segments = Segments::list(disk, upto.map(|it| it.segment))?;
    let mut scan = Scan::begin(&segments, known, upto)?;
    scan.run(visit)?;
    if upto.is_none() && !segments.is_empty() {
        scan.find_torn()?;
    }
    let head = scan.head;
    Ok(Reach {
        sequence: head.sequence,
        hash: head.hash,
        frame: head.frame,
    })
}

/// Makes the space of a torn write zero again, durably.
fn cut(segments: &Segments, torn: Torn) -> io::Result<()> {
    let file = segments.file(torn.at.segment)?;
    let zeroes = vec![0; torn.bytes as usize];
    write_all(&*file, &zeroes, u64::from(torn.at.offset))?;
    file.sync_data()
}

/// Makes sure that what was read will be there after a loss of power too.
///
/// The last frame may have been read from memory only: its writer was killed before the sync, or the sync
/// failed and the kernel dropped it. Writing the same bytes once more makes it durable for certain;
/// every frame before it was synced before the last was begun.
fn settle(disk: &dyn Disk, segments: &Segments, head: &Head) -> Result<(), OpenError> {
    if let Some(at) = head.frame {
        let file = segments.file(at.segment).map_err(OpenError::read)?;
        if let Some(frame) = read_frame(&*file, at).map_err(reading)? {
            write_all(&*file, &frame.bytes, u64::from(at.offset))
                .and_then(|()| file.sync_data())
                .map_err(OpenError::written)?;
        }
    }
    disk.sync_names().map_err(OpenError::written)
}
