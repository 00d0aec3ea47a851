//! What comes after the last good frame: nothing, a torn write, or what should not be there.

use super::{
    BLOCK, Fault, OpenError, SECTOR, Torn,
    frame::{FRAME_BYTES_MAX, Header, LogId, is_zero},
    segment::Position,
    segments::{Segments, damage},
};
use crate::disk::read_exact;

/// Bytes read at once while looking for what is not zero.
const STEP: usize = 1024 * 1024;

/// Decides what is in the space from `end` on, to the end of the last segment.
///
/// `broken` is the extent of a frame that begins at `end`, has a good header, and is not whole.
/// Without it, `end` is zero or the end of its segment, and a torn write may have begun there or, had it
/// not fitted, in the next segment.
pub(super) fn examine(
    segments: &Segments,
    end: Position,
    broken: Option<u64>,
    log: Option<LogId>,
) -> Result<Option<Torn>, OpenError> {
    let mut torn = None;
    for (segment, it) in segments.iter().skip(end.segment as usize) {
        let here = segment == end.segment;
        let at = if here {
            end
        } else {
            Position { segment, offset: 0 }
        };
        let Some((first, last)) = nonzero(segments, at)? else {
            continue;
        };
        let reach = match (here, broken) {
            (true, Some(extent)) => extent,
            (false, Some(_)) => return Err(later(segments, at, first.into(), log)?),
            (_, None) => FRAME_BYTES_MAX as u64,
        };
        // One write was under way, so what it left is in one place, and no longer than a frame.
        let bytes = u64::from(last - at.offset) + SECTOR as u64;
        if torn.is_some() || segment > end.segment + 1 || bytes > reach.min(it.bytes.into()) {
            return Err(later(segments, at, u64::from(at.offset) + reach, log)?);
        }
        let after = if broken.is_some() {
            u64::from(at.offset) + reach
        } else {
            first.into()
        };
        if let Some(at) = good_header(segments, at, after, log)? {
            return Err(damage(at, Fault::LaterFrame));
        }
        torn = Some(Torn { at, bytes });
    }
    Ok(torn)
}

/// Names what is wrong when there is something after `offset` that should not be: a frame, or stray bytes.
fn later(
    segments: &Segments,
    at: Position,
    offset: u64,
    log: Option<LogId>,
) -> Result<OpenError, OpenError> {
    Ok(match good_header(segments, at, offset, log)? {
        Some(at) => damage(at, Fault::LaterFrame),
        None => damage(at, Fault::Stray),
    })
}

/// The first and the last sector of the segment, from `from` on, that are not zero.
pub(super) fn nonzero(
    segments: &Segments,
    from: Position,
) -> Result<Option<(u32, u32)>, OpenError> {
    let file = segments.file(from.segment).map_err(OpenError::read)?;
    let end = segments
        .get(from.segment)
        .map_or(0, |it| u64::from(it.bytes));
    let mut found = None;
    let mut buffer = vec![0; STEP];
    let mut offset = u64::from(from.offset);
    while offset < end {
        let length = STEP.min((end - offset) as usize);
        let bytes = &mut buffer[..length];
        read_exact(&*file, bytes, offset).map_err(OpenError::read)?;
        if !is_zero(bytes) {
            let sectors = bytes.chunks(SECTOR).enumerate();
            for (n, _) in sectors.filter(|(_, sector)| !is_zero(sector)) {
                let sector = offset as u32 + (n * SECTOR) as u32;
                let (first, _) = found.unwrap_or((sector, sector));
                found = Some((first, sector));
            }
        }
        offset += length as u64;
    }
    Ok(found)
}

/// The first block of the segment, from `from` bytes on, that begins with a header of this log, or of any if
/// it has no id yet.
fn good_header(
    segments: &Segments,
    at: Position,
    from: u64,
    log: Option<LogId>,
) -> Result<Option<Position>, OpenError> {
    let file = segments.file(at.segment).map_err(OpenError::read)?;
    let end = segments.get(at.segment).map_or(0, |it| u64::from(it.bytes));
    let mut offset = from.next_multiple_of(u64::from(BLOCK));
    let mut sector = [0; SECTOR];
    while offset + u64::from(BLOCK) <= end {
        read_exact(&*file, &mut sector, offset).map_err(OpenError::read)?;
        let header = Header::decode(&sector);
        if header.is_some_and(|it| log.is_none_or(|log| log == it.log)) {
            return Ok(Some(Position {
                segment: at.segment,
                offset: offset as u32,
            }));
        }
        offset += u64::from(BLOCK);
    }
    Ok(None)
}
