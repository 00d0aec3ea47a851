//! The segments of a log as they are found on the disk.
//!
//! **Bounds.** A long history has thousands of segments; only one of them is open at a time here.

use std::{cell::RefCell, io, sync::Arc};

use super::{
    Damage, Fault, OpenError,
    frame::{BLOCK, Header},
    reader::read_header,
    segment::{Position, UNFINISHED, file_name, number},
};
use crate::disk::{Disk, File, is_read_only};

/// A segment, seen from outside.
pub(super) struct Segment {
    /// Its size in bytes.
    pub(super) bytes: u32,
    /// The header that it begins with; none if it begins with zeroes.
    pub(super) first: Option<Header>,
}

/// All segments of a log, numbered without a gap.
pub(super) struct Segments {
    disk: Arc<dyn Disk>,
    all: Vec<Segment>,
    open: RefCell<Option<(u32, Arc<dyn File>)>>,
}

impl Segments {
    /// Lists the segments and reads the header that each begins with.
    /// Those after `upto` are left out: they may be in the making.
    pub(super) fn list(disk: Arc<dyn Disk>, upto: Option<u32>) -> Result<Self, OpenError> {
        let names = disk.names().map_err(OpenError::read)?;
        let mut numbers: Vec<u32> = names.iter().filter_map(|name| number(name)).collect();
        numbers.retain(|number| upto.is_none_or(|upto| *number <= upto));
        numbers.sort_unstable();
        let mut segments = Self {
            disk,
            all: Vec::new(),
            open: RefCell::default(),
        };
        for (expected, found) in (0..).zip(numbers) {
            let at = Position {
                segment: expected,
                offset: 0,
            };
            if found != expected {
                return Err(damage(at, Fault::MissingSegment));
            }
            let segment = segments.look(at)?;
            segments.all.push(segment);
        }
        Ok(segments)
    }

    fn look(&self, at: Position) -> Result<Segment, OpenError> {
        let file = self.file(at.segment).map_err(|error| match error {
            it if is_read_only(&it) => OpenError::ReadOnly(it),
            it => OpenError::read(it),
        })?;
        let found = file.size().map_err(OpenError::read)?;
        let first = read_header(&*file, at).map_err(reading)?;
        let expected = first
            .as_ref()
            .map_or(found, |it| u64::from(it.segment_bytes));
        match u32::try_from(found) {
            Ok(bytes) if found == expected && bytes >= BLOCK => Ok(Segment { bytes, first }),
            _ => Err(damage(at, Fault::Length { expected, found })),
        }
    }

    /// The file of a segment, open.
    pub(super) fn file(&self, segment: u32) -> io::Result<Arc<dyn File>> {
        if let Some((open, file)) = &*self.open.borrow()
            && *open == segment
        {
            return Ok(file.clone());
        }
        let file = self.disk.open(&file_name(segment))?;
        *self.open.borrow_mut() = Some((segment, file.clone()));
        Ok(file)
    }

    /// Removes a segment that was never finished. It was never part of the log.
    pub(super) fn remove_unfinished(&self) -> io::Result<()> {
        match self.disk.remove(UNFINISHED) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    /// Takes note of the first segment, which was just made.
    pub(super) fn begin(&mut self, file: Arc<dyn File>, bytes: u32) {
        self.all.push(Segment { bytes, first: None });
        self.open.replace(Some((0, file)));
    }

    pub(super) fn get(&self, segment: u32) -> Option<&Segment> {
        self.all.get(segment as usize)
    }

    /// All of them, from the first on.
    pub(super) fn iter(&self) -> impl Iterator<Item = (u32, &Segment)> {
        (0..).zip(&self.all)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.all.is_empty()
    }
}

pub(super) fn damage(at: Position, fault: Fault) -> OpenError {
    OpenError::Damaged(Damage { at, fault })
}

/// Tells damage that a reader met from a disk that failed.
pub(super) fn reading(error: io::Error) -> OpenError {
    match error.get_ref().and_then(|it| it.downcast_ref::<Damage>()) {
        Some(found) => OpenError::Damaged(found.clone()),
        None => OpenError::read(error),
    }
}
