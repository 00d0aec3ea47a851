//! From the log back to memory and the index, frame by frame: when a store is opened, and when it is restored.

use crate::{
    codec,
    index::{Index, IndexError},
    log::{self, Fault, Frame, Known},
    memtable::{Memtable, Place},
};

/// Takes in the frames that the index does not cover, in the same batches as always.
pub(crate) struct Loader<'a> {
    index: &'a Index,
    known: Option<Known>,
    freeze_bytes: usize,
    /// What the index does not have yet.
    pub(crate) memtable: Memtable,
    /// Why it stopped, if the log was not the reason.
    pub(crate) failed: Option<IndexError>,
}

impl<'a> Loader<'a> {
    pub(crate) fn new(index: &'a Index, known: Option<Known>, freeze_bytes: usize) -> Self {
        Self {
            index,
            known,
            freeze_bytes,
            memtable: Memtable::default(),
            failed: None,
        }
    }

    pub(crate) fn take(&mut self, frame: &Frame) -> Result<(), Fault> {
        if self
            .known
            .is_some_and(|known| frame.header.last() <= known.sequence)
        {
            return Ok(());
        }
        load(frame, &mut self.memtable).ok_or(Fault::Content)?;
        if self.memtable.bytes() >= self.freeze_bytes {
            tracing::info!(
                segment = frame.at.segment,
                transactions = frame.header.last(),
                "bringing the index up to date with the log"
            );
            if let Err(error) = self.index.apply(&self.memtable) {
                self.failed = Some(error);
                return Err(Fault::Content);
            }
            self.memtable = Memtable::default();
        }
        Ok(())
    }
}

/// Puts a frame's changes into a memtable. `None` when they cannot be read.
fn load(frame: &Frame, memtable: &mut Memtable) -> Option<()> {
    let transactions = frame.transactions();
    let mut at = log::HEADER;
    for _ in 0..frame.header.count {
        let mut places = Vec::new();
        let rest = transactions.get(at - log::HEADER..)?;
        let (stored, length) = codec::read(rest, |offset, length| {
            let offset = frame.at.offset + (at + offset) as u32;
            places.push(Place {
                segment: frame.at.segment,
                offset,
                length,
            });
        })?;
        stored
            .into_iter()
            .zip(places)
            .for_each(|(stored, place)| memtable.apply(stored, place));
        at += length;
    }
    let known = Known {
        sequence: frame.header.last(),
        hash: frame.header.hash,
        frame: frame.at,
    };
    memtable.cover(known);
    (at - log::HEADER == transactions.len()).then_some(())
}
