//! Small logs for the tests: opened, filled and compared in one line each.

use std::sync::Arc;

use lombard_embedded::log::{
    self, AppendError, FrameBuffer, Known, OpenError, Options, Reader, Torn, Writer,
};

use crate::disk::SimDisk;

/// A segment of four blocks, so that a few frames fill one.
pub const SEGMENT: u32 = 4 * log::BLOCK;
const ID: log::LogId = *b"a log for a test";

pub fn options() -> Options {
    Options {
        segment_bytes: SEGMENT,
        prepare_ahead: false,
    }
}

/// A log that was opened, with the payload of each frame found.
pub struct Opened {
    pub writer: Writer,
    pub reader: Reader,
    pub torn: Option<Torn>,
    pub found: Vec<Vec<u8>>,
}

pub fn open(disk: &SimDisk) -> Result<Opened, OpenError> {
    open_known(disk, None)
}

pub fn open_known(disk: &SimDisk, known: Option<Known>) -> Result<Opened, OpenError> {
    let mut found = Vec::new();
    let visit = &mut |frame: &log::Frame| {
        found.push(frame.transactions().to_vec());
        Ok(())
    };
    let opened = log::open(Arc::new(disk.clone()), &options(), known, ID, visit)?;
    Ok(Opened {
        writer: opened.writer,
        reader: opened.reader,
        torn: opened.torn,
        found,
    })
}

/// The bytes of the n-th group: of many lengths, some within a sector, some over several blocks.
pub fn group(n: usize) -> Vec<u8> {
    let length = [300, 1, 5000, 384, 3967, 2000, 9000, 700][n % 8];
    (0..length).map(|i| (i * 7 + n * 31) as u8 | 1).collect()
}

pub fn append(writer: &mut Writer, payload: &[u8]) -> Result<log::Appended, AppendError> {
    let mut buffer = FrameBuffer::default();
    let written: Result<(), std::convert::Infallible> = buffer.push(|bytes| {
        bytes.extend_from_slice(payload);
        Ok(())
    });
    written.expect("cannot fail");
    writer.append(1_700_000_000_000, &mut buffer)
}

/// A log of the groups `0..count`.
pub fn filled(count: usize) -> SimDisk {
    let disk = SimDisk::default();
    let mut log = open(&disk).expect("a new log");
    for n in 0..count {
        append(&mut log.writer, &group(n)).expect("nothing fails");
    }
    disk
}

pub fn groups(count: usize) -> Vec<Vec<u8>> {
    (0..count).map(group).collect()
}

/// A generator of numbers for choices that should look random and be the same each time.
pub struct Dice(pub u64);

impl Dice {
    pub fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut it = self.0;
        it = (it ^ (it >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        it = (it ^ (it >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        it ^ (it >> 31)
    }
}
