//! `BACKUP.json`: how far a backup reaches, and where its complete segments end.

use std::{fs, io, path::Path};

use serde::{Deserialize, Serialize};

use crate::{
    disk::{Disk, Folder, write_all},
    log::{self, Known, Position},
};

const NOTE: &str = "BACKUP.json";
pub(super) const FORMAT: u32 = 1;
/// What `BACKUP.json` says.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Note {
    pub(super) format: u32,
    /// The last transaction in the backup.
    pub(super) sequence: u64,
    /// The value of the chain there, in hexadecimal.
    pub(super) chain: String,
    /// The last frame of the last complete segment.
    pub(super) complete: Option<Mark>,
}

/// A frame that is known.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Mark {
    sequence: u64,
    chain: String,
    segment: u32,
    offset: u32,
}

impl Mark {
    pub(super) fn of(known: &Known) -> Self {
        let Position { segment, offset } = known.frame;
        Self {
            sequence: known.sequence,
            chain: hex(&known.hash),
            segment,
            offset,
        }
    }

    pub(super) fn known(&self) -> Option<Known> {
        let frame = Position {
            segment: self.segment,
            offset: self.offset,
        };
        Some(Known {
            sequence: self.sequence,
            hash: unhex(&self.chain)?,
            frame,
        })
    }
}

pub(super) fn read_note(folder: &Path) -> Option<Note> {
    let bytes = fs::read(folder.join(NOTE)).ok()?;
    serde_json::from_slice(&bytes)
        .ok()
        .filter(|note: &Note| note.format == FORMAT)
}

/// Writes the note under another name first, so that there is always a whole one.
pub(super) fn write_note(folder: &Path, note: &Note) -> io::Result<()> {
    let disk = Folder::at(folder)?;
    let file = disk.create("BACKUP.tmp")?;
    write_all(&*file, &serde_json::to_vec_pretty(note)?, 0)?;
    file.sync_data()?;
    disk.rename("BACKUP.tmp", NOTE)?;
    disk.sync_names()
}

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(text: &str) -> Option<log::Hash> {
    let mut hash = [0; 32];
    for (byte, digits) in hash.iter_mut().zip(text.as_bytes().chunks(2)) {
        *byte = u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?;
    }
    (text.len() == 64).then_some(hash)
}
