//! Reading again what opening did not: the part of the log that the index covers.
//!
//! Opening trusts the index for that part, or a start would take as long as the log. So a disk that
//! loses a bit of an old segment would be found out only by whoever asks for that record, and by a
//! backup. This reads every old frame once after each start, slowly enough to be in nobody's way.

use std::{error::Error, io, sync::Arc, time::Duration};

use super::shared::Shared;
use crate::log::{Damage, Fault, Hash, Known, Position};

/// A gibibyte a minute: a twentieth of what one core hashes.
const BYTES_PER_SECOND: u64 = 16 * 1024 * 1024;
/// Pauses are no shorter than this, in bytes read.
const STRETCH_BYTES: u64 = 1024 * 1024;

impl Shared {
    /// Verifies the frames up to the last that the index covered when the store was opened, until
    /// one is damaged or the store closes.
    pub fn scrub(&self, known: &Known) {
        match self.scrub_to(known.frame) {
            Ok(()) => {}
            Err(error) => self.note_damage(&error),
        }
    }

    fn scrub_to(&self, end: Position) -> io::Result<()> {
        let (mut at, mut last, mut read) = (Position::START, (0, Hash::default()), 0);
        while at < end {
            let Some(frame) = self.log.frame(at)? else {
                return Ok(());
            };
            let header = &frame.header;
            let fault = if !frame.is_whole() {
                Some(Fault::Payload)
            } else if (header.first, header.previous) != (last.0 + 1, last.1) {
                Some(Fault::Chain {
                    expected: last.0 + 1,
                    found: header.first,
                })
            } else {
                None
            };
            if let Some(fault) = fault {
                let damage = Damage {
                    at: frame.at,
                    fault,
                };
                return Err(io::Error::new(io::ErrorKind::InvalidData, damage));
            }
            last = (header.last(), header.hash);
            at = frame.next();
            read += frame.bytes.len() as u64;
            if read >= STRETCH_BYTES {
                let pause = Duration::from_millis(read * 1000 / BYTES_PER_SECOND);
                read = 0;
                let mut indexing = self.indexing.lock();
                if !indexing.closing {
                    self.indexed.wait_for(&mut indexing, pause);
                }
                if indexing.closing {
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    /// Keeps in mind that something stored is damaged: the first of it, for there may be much.
    pub fn note_damage(&self, error: &dyn Error) {
        let words: Arc<str> = error.to_string().into();
        if self.damaged.set(words).is_ok() {
            tracing::error!(%error, "what is stored is damaged");
        }
    }
}
