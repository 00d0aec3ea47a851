//! What was committed last, in memory: every record that the index does not know yet, as it is now.
//!
//! **Shape.** Two ordered maps: records by key, and places in secondary orders. A record that was removed
//! stays as such, because it hides what the index still holds. **Bounds.** [`Memtable::bytes`] counts
//! what it holds; the engine freezes it at a bound, has it indexed, and drops it.

use std::{
    borrow::Borrow,
    collections::{BTreeMap, btree_map},
    ops::Bound,
};

use lombard_core::store::{Key, Record};

use crate::{codec::Stored, log};

/// Where a change is in the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// The segment.
    pub segment: u32,
    /// The distance from its beginning, in bytes.
    pub offset: u32,
    /// The length in bytes.
    pub length: u32,
}

/// A record in memory, as it is now: `None` when it was removed.
#[derive(Clone, Debug)]
pub struct Slot {
    /// What it is.
    pub record: Option<Record>,
    /// Where that is in the log.
    pub place: Place,
}

/// A place in a secondary order.
#[derive(Clone, Debug)]
pub struct Listing {
    /// Whether the record stands there, or left.
    pub present: bool,
    /// The place.
    pub at: Key,
    /// The record.
    pub key: Key,
}

/// Bytes that bound a range, in the order of keys.
pub type Bounds = (Bound<Vec<u8>>, Bound<Vec<u8>>);

/// The memory that an entry takes beside its texts, about.
const ENTRY_BYTES: usize = 184;

/// A key that can be compared with any bytes, and with another by its first ones, which are kept beside the
/// others in the tree: most comparisons need not go and see the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Name {
    head: [u64; HEAD],
    key: Key,
}

/// Words of a key's beginning: a tenant, and of an id what tells two milliseconds apart.
const HEAD: usize = 3;

impl Name {
    /// The name of a key.
    pub fn new(key: Key) -> Self {
        let mut first = [0; HEAD * 8];
        let bytes = key.as_bytes();
        let length = bytes.len().min(first.len());
        first[..length].copy_from_slice(&bytes[..length]);
        let (words, _) = first.as_chunks::<8>();
        let mut head = [0; HEAD];
        for (place, word) in head.iter_mut().zip(words) {
            *place = u64::from_be_bytes(*word);
        }
        Self { head, key }
    }

    /// The key.
    pub fn key(&self) -> &Key {
        &self.key
    }
}

/// As the keys. A short key's head is filled up with zeroes, which sort before everything that may follow;
/// where that does not tell, the texts do.
impl Ord for Name {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        let heads = self.head.cmp(&other.head);
        heads.then_with(|| self.key.cmp(&other.key))
    }
}

impl PartialOrd for Name {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Borrow<[u8]> for Name {
    fn borrow(&self) -> &[u8] {
        self.key.as_bytes() // A key is ordered as its text is, and a text as its bytes are.
    }
}

/// The changes since the index was last brought up to date.
#[derive(Debug, Default)]
pub struct Memtable {
    records: BTreeMap<Name, Slot>,
    listings: BTreeMap<Box<[u8]>, Listing>,
    bytes: usize,
    covers: Option<log::Known>,
}

impl Memtable {
    /// Takes in a change that is durable.
    pub fn apply(&mut self, stored: Stored, place: Place) {
        let key = stored.change.key;
        for at in stored.left {
            self.list(at, &key, false);
        }
        let record = stored.change.record;
        for at in record.iter().flat_map(|it| &it.body.index) {
            if lombard_core::planted!(IndexForgets) && at.partition().ends_with("/ledger") {
                continue;
            }
            self.list(at.clone(), &key, true);
        }
        let body = |record: &Option<Record>| record.as_ref().map_or(0, |it| it.body.bytes.len());
        self.bytes += body(&record);
        match self.records.entry(Name::new(key)) {
            btree_map::Entry::Occupied(mut slot) => {
                self.bytes -= body(&slot.get().record);
                slot.insert(Slot { record, place });
            }
            btree_map::Entry::Vacant(slot) => {
                self.bytes += slot.key().key.as_bytes().len() + ENTRY_BYTES;
                slot.insert(Slot { record, place });
            }
        }
    }

    fn list(&mut self, at: Key, key: &Key, present: bool) {
        let place = listing_bytes(&at, key).into_boxed_slice();
        self.bytes += 2 * place.len() + ENTRY_BYTES;
        self.listings.insert(
            place,
            Listing {
                present,
                at,
                key: key.clone(),
            },
        );
    }

    /// Notes that everything up to and with this frame is in here or in what came before.
    pub fn cover(&mut self, known: log::Known) {
        self.covers = Some(known);
    }

    /// The last frame that it holds.
    pub fn covers(&self) -> Option<log::Known> {
        self.covers
    }

    /// The memory that it takes, about.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// The record as it is now. `None` when it has not changed since.
    pub fn get(&self, name: &Name) -> Option<&Slot> {
        self.records.get(name)
    }

    /// The records within the bounds.
    pub fn records(&self, bounds: &Bounds) -> btree_map::Range<'_, Name, Slot> {
        self.records.range::<[u8], _>(as_slices(bounds))
    }

    /// The places in secondary orders within the bounds.
    pub fn listings(&self, bounds: &Bounds) -> btree_map::Range<'_, Box<[u8]>, Listing> {
        self.listings.range::<[u8], _>(as_slices(bounds))
    }

    /// All records in order.
    pub fn all_records(&self) -> impl Iterator<Item = (&Key, &Slot)> {
        self.records.iter().map(|(name, slot)| (&name.key, slot))
    }

    /// All places in order: as bytes, and whether a record stands there.
    pub fn all_listings(&self) -> impl Iterator<Item = (&[u8], bool)> {
        self.listings
            .iter()
            .map(|(place, listing)| (&**place, listing.present))
    }
}

/// A place in a secondary order as bytes: the place, NUL, the record's key. They sort as the pairs do.
pub fn listing_bytes(at: &Key, key: &Key) -> Vec<u8> {
    [at.as_bytes(), &[0], key.as_bytes()].concat()
}

/// The pair that [`listing_bytes`] joined.
pub fn listing_pair(bytes: &[u8]) -> Option<(Key, Key)> {
    let mut nuls = bytes
        .iter()
        .enumerate()
        .filter(|(_, byte)| **byte == 0)
        .map(|(n, _)| n);
    let middle = nuls.nth(1)?;
    Some((
        Key::from_bytes(&bytes[..middle])?,
        Key::from_bytes(&bytes[middle + 1..])?,
    ))
}

fn as_slices(bounds: &Bounds) -> (Bound<&[u8]>, Bound<&[u8]>) {
    (
        bounds.0.as_ref().map(Vec::as_slice),
        bounds.1.as_ref().map(Vec::as_slice),
    )
}
