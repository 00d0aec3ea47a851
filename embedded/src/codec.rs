//! Transactions as bytes of the log: what a commit changed, so that each record can be read by itself.
//!
//! ```text
//! transaction   length of the rest, u32; number of changes, u16; the changes
//! change        CRC-32 of what follows, u32
//!               length of what follows, u32
//!               kind, u8: 1 removed, 2 written
//!               veil, u8: 0 for none
//!               how many orders the record stands in, u8; how many it left, u8
//!               length of the key, u16
//!               version, u64: of the record, or of the one that was removed
//!               key; for each order, length u16 and key; the same for those it left; the body
//! ```
//! Numbers are little-endian. The orders that a record left are kept so that the index can be brought up
//! to date, or made anew, without reading what was there before.
//!
//! **Veil.** The log forbids long runs of zeroes, which only a body can have: see [`crate::log`]. Such a
//! body is stored combined with a stream of bytes that depends on a small number, kept beside it. Our
//! bodies are JSON and have no zeroes at all; this is here so that the store takes every body.

use lombard_core::store::{Body, Change, Key, Record, Version};

const REMOVED: u8 = 1;
const WRITTEN: u8 = 2;
/// CRC and length.
const PREFIX: usize = 8;
/// Kind, veil, counts, length of the key, version.
const FIXED: usize = 14;
/// Zeroes in a row that a body may have unveiled. What is around it has far fewer than as many again.
const ZEROES_MAX: usize = 128;

/// A change as it is stored, before or after.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    /// The record, and what it is now.
    pub change: Change,
    /// The version now, or that of the record that was removed.
    pub version: Version,
    /// The orders in which the record stood before, and does no longer.
    pub left: Vec<Key>,
}

impl Stored {
    /// Whether there was no record under the key before.
    pub fn is_new(&self) -> bool {
        self.change.record.is_some() && self.version == Version::FIRST
    }
}

/// Why a transaction cannot be stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a body looks like empty space of the log under every veil")]
pub struct Unstorable;

/// Writes a transaction to the end of `out`. `place` is told of each change where it begins in `out` and
/// how long it is.
///
/// # Errors
/// [`Unstorable`]; then `out` is as it was.
pub fn write(
    changes: &[Stored],
    out: &mut Vec<u8>,
    mut place: impl FnMut(usize, u32),
) -> Result<(), Unstorable> {
    let from = out.len();
    out.extend_from_slice(&[0; 4]);
    out.extend_from_slice(&(changes.len() as u16).to_le_bytes());
    for change in changes {
        let at = out.len();
        if write_change(change, out).is_err() {
            out.truncate(from);
            return Err(Unstorable);
        }
        place(at, (out.len() - at) as u32);
    }
    let length = (out.len() - from - 4) as u32;
    out[from..from + 4].copy_from_slice(&length.to_le_bytes());
    Ok(())
}

fn write_change(stored: &Stored, out: &mut Vec<u8>) -> Result<(), Unstorable> {
    let from = out.len();
    let record = stored.change.record.as_ref();
    let body: &[u8] = record.map_or(&[], |it| &it.body.bytes);
    let orders: &[Key] = record.map_or(&[], |it| &it.body.index);
    let veil = veil_for(body).ok_or(Unstorable)?;
    out.extend_from_slice(&[0; PREFIX]);
    out.push(if record.is_some() { WRITTEN } else { REMOVED });
    out.extend_from_slice(&[veil, orders.len() as u8, stored.left.len() as u8]);
    let key = stored.change.key.as_bytes();
    out.extend_from_slice(&(key.len() as u16).to_le_bytes());
    out.extend_from_slice(&stored.version.get().to_le_bytes());
    out.extend_from_slice(key);
    for order in orders.iter().chain(&stored.left) {
        out.extend_from_slice(&(order.as_bytes().len() as u16).to_le_bytes());
        out.extend_from_slice(order.as_bytes());
    }
    let body_at = out.len();
    out.extend_from_slice(body);
    apply_veil(veil, &mut out[body_at..]);
    let length = (out.len() - from - PREFIX) as u32;
    out[from + 4..from + 8].copy_from_slice(&length.to_le_bytes());
    let crc = crc32fast::hash(&out[from + 4..]);
    out[from..from + 4].copy_from_slice(&crc.to_le_bytes());
    Ok(())
}

/// Reads the next transaction of `bytes`. `place` is told of each change where it begins, counted from
/// the beginning of `bytes`, and how long it is. Says too how many bytes the transaction took.
///
/// `None` when the bytes are not what [`write`] wrote.
pub fn read(bytes: &[u8], mut place: impl FnMut(usize, u32)) -> Option<(Vec<Stored>, usize)> {
    let length = u32::from_le_bytes(bytes.get(..4)?.try_into().ok()?) as usize;
    let end = 4_usize.checked_add(length)?;
    let transaction = bytes.get(..end)?;
    let count = u16::from_le_bytes(transaction.get(4..6)?.try_into().ok()?);
    let mut changes = Vec::with_capacity(count.into());
    let mut at = 6;
    for _ in 0..count {
        let (change, taken) = read_change(&transaction[at..])?;
        place(at, taken as u32);
        changes.push(change);
        at += taken;
    }
    (at == end).then_some((changes, end))
}

/// How many bytes the next transaction takes, without reading it. `None` when there are fewer.
pub fn length(bytes: &[u8]) -> Option<usize> {
    let rest = u32::from_le_bytes(bytes.get(..4)?.try_into().ok()?) as usize;
    4_usize
        .checked_add(rest)
        .filter(|length| *length <= bytes.len())
}

/// Reads one change at the beginning of `bytes`, and says how many it took. `None` when the bytes are not
/// what [`write`] wrote, the checksum included.
pub fn read_change(bytes: &[u8]) -> Option<(Stored, usize)> {
    let crc = u32::from_le_bytes(bytes.get(..4)?.try_into().ok()?);
    let length = u32::from_le_bytes(bytes.get(4..8)?.try_into().ok()?) as usize;
    let taken = PREFIX.checked_add(length)?;
    if crc32fast::hash(bytes.get(4..taken)?) != crc || length < FIXED {
        return None;
    }
    let fixed = &bytes[PREFIX..PREFIX + FIXED];
    let (kind, veil, orders, left) = (fixed[0], fixed[1], fixed[2], fixed[3]);
    let key_length = usize::from(u16::from_le_bytes([fixed[4], fixed[5]]));
    let version = Version::from_stored(u64::from_le_bytes(fixed[6..14].try_into().ok()?));
    let mut rest = &bytes[PREFIX + FIXED..taken];
    let key = take_key(&mut rest, key_length)?;
    let index = (0..orders)
        .map(|_| take_sized(&mut rest))
        .collect::<Option<Vec<_>>>()?;
    let left = (0..left)
        .map(|_| take_sized(&mut rest))
        .collect::<Option<Vec<_>>>()?;
    let record = match kind {
        WRITTEN => Some(Record {
            version,
            body: Body {
                bytes: unveil(veil, rest),
                index,
            },
        }),
        REMOVED => None,
        _ => return None,
    };
    Some((
        Stored {
            change: Change { key, record },
            version,
            left,
        },
        taken,
    ))
}

fn take_sized(rest: &mut &[u8]) -> Option<Key> {
    let length = u16::from_le_bytes(rest.get(..2)?.try_into().ok()?);
    *rest = &rest[2..];
    take_key(rest, length.into())
}

fn take_key(rest: &mut &[u8], length: usize) -> Option<Key> {
    let (key, after) = rest.split_at_checked(length)?;
    *rest = after;
    Key::from_bytes(key)
}

/// The first veil, 0 first of all, under which the body has no long run of zeroes.
fn veil_for(body: &[u8]) -> Option<u8> {
    if !may_have_run(body) {
        return Some(0);
    }
    let veiled = |veil| {
        let mut bytes = body.to_vec();
        apply_veil(veil, &mut bytes);
        bytes
    };
    (0..=u8::MAX).find(|veil| !has_run(&veiled(*veil)))
}

/// Whether there may be a long run of zeroes: it would cover a whole word at every half of its length.
fn may_have_run(body: &[u8]) -> bool {
    body.chunks_exact(ZEROES_MAX / 2)
        .any(|half| half[..8] == [0; 8])
}

fn has_run(bytes: &[u8]) -> bool {
    bytes
        .split(|byte| *byte != 0)
        .any(|run| run.len() >= ZEROES_MAX)
}

fn unveil(veil: u8, bytes: &[u8]) -> std::sync::Arc<[u8]> {
    if veil == 0 {
        return bytes.into();
    }
    let mut bytes = bytes.to_vec();
    apply_veil(veil, &mut bytes);
    bytes.into()
}

/// Combines the bytes with the veil's stream. Twice is not at all; veil 0 is none.
fn apply_veil(veil: u8, bytes: &mut [u8]) {
    if veil == 0 {
        return;
    }
    let mut state = u64::from(veil);
    for word in bytes.chunks_mut(8) {
        // SplitMix64 (Steele, Lea, Flood 2014): here only to have no pattern in common with any body.
        state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = (state ^ (state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^= mixed >> 31;
        word.iter_mut()
            .zip(mixed.to_le_bytes())
            .for_each(|(byte, veil)| *byte ^= veil);
    }
}

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, prelude::*};

    use super::*;

    fn key() -> impl Strategy<Value = Key> {
        ("[a-z]{0,9}", "[a-z0-9]{0,30}").prop_map(|(partition, sort)| Key::new(&partition, &sort))
    }

    fn body() -> impl Strategy<Value = Vec<u8>> {
        prop_oneof![
            vec(any::<u8>(), 0..700),
            (0_usize..2000, any::<u8>()).prop_map(|(length, byte)| vec![byte; length]),
            (0_usize..300, 0_usize..600).prop_map(|(a, b)| [vec![1; a], vec![0; b]].concat()),
        ]
    }

    prop_compose! {
        fn stored()(
            key in key(), version in 1_u64.., body in body(), removed in any::<bool>(),
            index in vec(key(), 0..3), left in vec(key(), 0..3),
        ) -> Stored {
            let version = Version::from_stored(version);
            let body = Body { bytes: body.into(), index };
            let record = (!removed).then_some(Record { version, body });
            Stored { change: Change { key, record }, version, left }
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(transactions in vec(vec(stored(), 0..6), 1..4)) {
            let mut bytes = Vec::new();
            let mut places = Vec::new();
            for changes in &transactions {
                write(changes, &mut bytes, |at, length| places.push((at, length))).unwrap();
            }
            prop_assert!(!has_zeroes(&bytes, 256), "a frame could be taken for a torn one");
            let all: Vec<&Stored> = transactions.iter().flatten().collect();
            for (stored, (at, length)) in all.iter().zip(&places) {
                let alone = &bytes[*at..*at + *length as usize];
                let (found, taken) = read_change(alone).unwrap();
                prop_assert_eq!(&found, *stored);
                prop_assert_eq!(taken, *length as usize);
            }
            let mut rest = &bytes[..];
            for changes in &transactions {
                let (found, taken) = read(rest, |_, _| {}).unwrap();
                prop_assert_eq!(&found, changes);
                rest = &rest[taken..];
            }
            prop_assert!(rest.is_empty());
        }

        #[test]
        fn a_changed_byte_is_found(change in stored(), at in any::<prop::sample::Index>(), bit in 0..8) {
            let mut bytes = Vec::new();
            write(&[change], &mut bytes, |_, _| {}).unwrap();
            let change = &mut bytes[6..];
            let at = at.index(change.len());
            change[at] ^= 1_u8 << bit;
            prop_assert_eq!(read_change(change), None);
        }

        #[test]
        fn any_bytes_are_read_without_panic(bytes in vec(any::<u8>(), 0..200)) {
            let _ = read(&bytes, |_, _| {});
            let _ = read_change(&bytes);
        }
    }

    fn has_zeroes(bytes: &[u8], length: usize) -> bool {
        bytes
            .split(|byte| *byte != 0)
            .any(|run| run.len() >= length)
    }
}
