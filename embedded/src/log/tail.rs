//! What comes after the last good frame: nothing, a torn write, or what should not be there.

use std::{io, sync::Arc};

use super::{
    BLOCK, Damage, Fault, OpenError, SECTOR, Torn,
    frame::{FRAME_BYTES_MAX, Header, LogId, is_zero},
    segment::Position,
};
use crate::disk::{File, read_exact};

/// Bytes read at once while looking for what is not zero.
const STEP: usize = 1024 * 1024;

/// A segment, as it is found.
pub(super) struct Segment {
    pub(super) file: Arc<dyn File>,
    /// Its size in bytes.
    pub(super) bytes: u32,
    /// The header that it begins with; none if it begins with zeroes.
    pub(super) first: Option<Header>,
}

impl Segment {
    pub(super) fn empty(file: Arc<dyn File>, bytes: u32) -> Self {
        Self {
            file,
            bytes,
            first: None,
        }
    }
}

/// Decides what is in the space from `end` on, to the end of the last segment.
///
/// `broken` is the extent of a frame that begins at `end`, has a good header, and is not whole.
/// Without it, `end` is zero or the end of its segment, and a torn write may have begun there or, had it
/// not fitted, in the next segment.
pub(super) fn examine(
    segments: &[Segment],
    end: Position,
    broken: Option<u64>,
    log: Option<LogId>,
) -> Result<Option<Torn>, OpenError> {
    let mut torn = None;
    for (segment, it) in (end.segment..).zip(&segments[end.segment as usize..]) {
        let from = if segment == end.segment {
            end.offset
        } else {
            0
        };
        let at = Position {
            segment,
            offset: from,
        };
        let Some((first, last)) = nonzero(it, from).map_err(OpenError::read)? else {
            continue;
        };
        let reach = match (segment == end.segment, broken) {
            (true, Some(extent)) => extent,
            (false, Some(_)) => return Err(later(it, at, first, log)),
            (_, None) => FRAME_BYTES_MAX as u64,
        };
        // One write was under way, so what it left is in one place, and no longer than a frame.
        let bytes = u64::from(last - from) + SECTOR as u64;
        if torn.is_some() || segment > end.segment + 1 || bytes > reach {
            return Err(later(it, at, from + u32::try_from(reach).unwrap_or(0), log));
        }
        let after = if broken.is_some() {
            u64::from(from) + reach
        } else {
            u64::from(first)
        };
        if let Some(offset) = good_header(it, after, log).map_err(OpenError::read)? {
            let at = Position { segment, offset };
            return Err(Damage {
                at,
                fault: Fault::LaterFrame,
            }
            .into());
        }
        torn = Some(Torn { at, bytes });
    }
    Ok(torn)
}

/// Names what is wrong when there is something after `offset` that should not be: a frame, or stray bytes.
fn later(segment: &Segment, at: Position, offset: u32, log: Option<LogId>) -> OpenError {
    match good_header(segment, u64::from(offset), log) {
        Err(error) => OpenError::read(error),
        Ok(Some(offset)) => {
            let at = Position {
                segment: at.segment,
                offset,
            };
            Damage {
                at,
                fault: Fault::LaterFrame,
            }
            .into()
        }
        Ok(None) => Damage {
            at,
            fault: Fault::Stray,
        }
        .into(),
    }
}

/// The first and the last sector from `from` on that are not zero.
pub(super) fn nonzero(segment: &Segment, from: u32) -> io::Result<Option<(u32, u32)>> {
    let mut found = None;
    let mut buffer = vec![0; STEP];
    let mut offset = u64::from(from);
    while offset < u64::from(segment.bytes) {
        let length = STEP.min((u64::from(segment.bytes) - offset) as usize);
        let bytes = &mut buffer[..length];
        read_exact(&*segment.file, bytes, offset)?;
        if !is_zero(bytes) {
            for (n, _) in bytes
                .chunks(SECTOR)
                .enumerate()
                .filter(|(_, sector)| !is_zero(sector))
            {
                let sector = offset as u32 + (n * SECTOR) as u32;
                let (first, _) = found.unwrap_or((sector, sector));
                found = Some((first, sector));
            }
        }
        offset += length as u64;
    }
    Ok(found)
}

/// The first block from `from` on that begins with a header of this log, or of any if it has no id yet.
fn good_header(segment: &Segment, from: u64, log: Option<LogId>) -> io::Result<Option<u32>> {
    let mut offset = from.next_multiple_of(u64::from(BLOCK));
    let mut sector = [0; SECTOR];
    while offset + u64::from(BLOCK) <= u64::from(segment.bytes) {
        read_exact(&*segment.file, &mut sector, offset)?;
        let header = Header::decode(&sector);
        if header.is_some_and(|it| log.is_none_or(|log| log == it.log)) {
            return Ok(Some(offset as u32));
        }
        offset += u64::from(BLOCK);
    }
    Ok(None)
}
