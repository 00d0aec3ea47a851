//! A frame: the header, and how it vouches for the payload and for the frame before.
//!
//! ```text
//! 0    magic and version "LMBRLOG1"
//! 8    the log's id, 16 random bytes: a frame of another log, or one forged in a body, is not ours
//! 24   number of the first transaction, u64
//! 32   time of the group, Unix ms, u64
//! 40   number of transactions, u32
//! 44   length of the payload with its end mark, u32
//! 48   size of the segment, u32
//! 52   hash of the frame before, 32 bytes; zeroes for the first
//! 84   hash of this frame: SHA-256 of the bytes 0..84 and the payload
//! 116  zeroes, 8 bytes
//! 124  CRC-32 of the bytes 0..124
//! 128  payload
//! ```
//! Numbers are little-endian. A frame begins at a block, so its header lies within one sector and is
//! there whole or not at all.

use sha2::{Digest, Sha256};

/// What a disk writes whole or not at all, in bytes (see the fault model of [`super`]).
pub const SECTOR: usize = 512;
/// The unit that two frames never share, in bytes: a page of the page cache, and the physical sector of
/// most disks. So writing a frame never touches the bytes of another, not even with the same value.
pub const BLOCK: u32 = 4096;
/// The size of a header in bytes.
pub const HEADER: usize = 128;
/// The last byte of a payload: not zero, so that the last sector of a frame is never zero.
pub const END: u8 = 0xE5;
/// The largest frame in bytes, header and payload. A group closes long before; one write set of the
/// largest size ([`lombard_core`] allows 3 MiB) must fit beside those that came first.
pub const FRAME_BYTES_MAX: usize = 12 * 1024 * 1024;

const MAGIC: [u8; 8] = *b"LMBRLOG1";
const HASHED: usize = 84;
const CRC_AT: usize = 124;

/// A value of the hash chain.
pub type Hash = [u8; 32];
/// Which log a frame belongs to.
pub type LogId = [u8; 16];

/// What a header says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// The log it belongs to.
    pub log: LogId,
    /// The number of its first transaction, from 1.
    pub first: u64,
    /// When the group was closed, Unix ms.
    pub time_ms: u64,
    /// How many transactions it holds, at least 1.
    pub count: u32,
    /// The length of the payload in bytes, its end mark included.
    pub payload: u32,
    /// The size of the segment that it was written to, in bytes.
    pub segment_bytes: u32,
    /// The hash of the frame before, zeroes if there is none.
    pub previous: Hash,
    /// The hash of this frame.
    pub hash: Hash,
}

impl Header {
    /// Reads a header. `None` if the bytes are not one: magic, checksum, or counts that cannot be.
    ///
    /// # Panics
    /// If `bytes` is shorter than [`HEADER`].
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let bytes: &[u8; HEADER] = bytes[..HEADER].try_into().expect("cut to this length");
        let crc = u32::from_le_bytes(at(bytes, CRC_AT));
        if at(bytes, 0) != MAGIC || crc32fast::hash(&bytes[..CRC_AT]) != crc {
            return None;
        }
        let header = Self {
            log: at(bytes, 8),
            first: u64::from_le_bytes(at(bytes, 24)),
            time_ms: u64::from_le_bytes(at(bytes, 32)),
            count: u32::from_le_bytes(at(bytes, 40)),
            payload: u32::from_le_bytes(at(bytes, 44)),
            segment_bytes: u32::from_le_bytes(at(bytes, 48)),
            previous: at(bytes, 52),
            hash: at(bytes, 84),
        };
        let sound = header.first > 0
            && header.count > 0
            && header.first.checked_add(u64::from(header.count)).is_some()
            && header.payload > 0
            && header.length() <= FRAME_BYTES_MAX
            && bytes[116..CRC_AT] == [0; 8];
        sound.then_some(header)
    }

    /// Writes the header over the first [`HEADER`] bytes of a frame whose payload follows them, and sets
    /// [`Header::hash`] to the hash over both.
    pub(super) fn seal(&mut self, frame: &mut [u8]) {
        frame[0..8].copy_from_slice(&MAGIC);
        frame[8..24].copy_from_slice(&self.log);
        frame[24..32].copy_from_slice(&self.first.to_le_bytes());
        frame[32..40].copy_from_slice(&self.time_ms.to_le_bytes());
        frame[40..44].copy_from_slice(&self.count.to_le_bytes());
        frame[44..48].copy_from_slice(&self.payload.to_le_bytes());
        frame[48..52].copy_from_slice(&self.segment_bytes.to_le_bytes());
        frame[52..84].copy_from_slice(&self.previous);
        self.hash = hash(frame);
        frame[84..116].copy_from_slice(&self.hash);
        frame[116..CRC_AT].fill(0);
        let crc = crc32fast::hash(&frame[..CRC_AT]);
        frame[CRC_AT..HEADER].copy_from_slice(&crc.to_le_bytes());
    }

    /// The number of its last transaction.
    pub fn last(&self) -> u64 {
        self.first + u64::from(self.count) - 1
    }

    /// The length of header and payload in bytes.
    pub fn length(&self) -> usize {
        HEADER + self.payload as usize
    }

    /// The room that the frame takes in its segment, in bytes: whole blocks.
    pub fn extent(&self) -> u64 {
        (self.length() as u64).next_multiple_of(u64::from(BLOCK))
    }
}

/// The hash of a frame: of what its header says and of its payload. `frame` is both, without the
/// zeroes after them.
pub(super) fn hash(frame: &[u8]) -> Hash {
    let mut hasher = Sha256::new();
    hasher.update(&frame[..HASHED]);
    hasher.update(&frame[HEADER..]);
    hasher.finalize().into()
}

/// Whether all bytes are zero.
pub(super) fn is_zero(bytes: &[u8]) -> bool {
    let (words, rest) = bytes.as_chunks::<8>();
    words.iter().all(|word| *word == [0; 8]) && rest.iter().all(|byte| *byte == 0)
}

/// Whether a sector of `frame`, which begins at a sector, is all zero. The last may be part of one.
pub(super) fn has_zero_sector(frame: &[u8]) -> bool {
    frame.chunks(SECTOR).any(is_zero)
}

/// Whether half a sector of `frame` is all zero. A frame without one is two damaged bytes away from having
/// a zero sector, so no single fault makes it look torn.
pub(super) fn has_zero_half(frame: &[u8]) -> bool {
    frame.chunks(SECTOR / 2).any(is_zero)
}

fn at<const N: usize>(bytes: &[u8; HEADER], from: usize) -> [u8; N] {
    bytes[from..from + N]
        .try_into()
        .expect("the fields lie within the header")
}
