//! What a store holds and how it is changed: records under keys, all of a write set or none.
//!
//! The model is the intersection of an embedded transactional store and DynamoDB's
//! `TransactWriteItems`, so that a plan which commits on one commits on the other.
//!
//! **Invariants.** A [`WriteSet`] begins as the checks of everything its [`Snapshot`] read under
//! guard, and a write only ever replaces a check: a decision cannot outlive what it was based on,
//! because no guard can be forgotten. A deleted key is never created again; versions restart at
//! 1, and a stale guard could pass otherwise. There is no counter, no `if balance >= x` and no
//! time in the model: those are rules, and rules live in the plan.

mod write_set;

use std::{collections::BTreeMap, fmt, sync::Arc};

use serde::{Serialize, de::DeserializeOwned};

pub use write_set::{TooLarge, WriteSet};

/// DynamoDB takes at most 100 actions in one transaction, and so does every other adapter.
pub const WRITES_MAX: usize = 100;
/// DynamoDB takes at most 4 MB in one transaction; a quarter is left for keys and attributes.
pub const WRITE_BYTES_MAX: usize = 3 * 1024 * 1024;
/// DynamoDB takes items of at most 400 KB; the rest is left for keys and attributes.
pub const BODY_BYTES_MAX: usize = 384 * 1024;
/// DynamoDB takes partition keys of at most 2,048 bytes and sort keys of at most 1,024.
pub const KEY_BYTES_MAX: usize = 1024;
/// How many secondary orders a record may stand in (on DynamoDB: global secondary indexes).
pub const INDEX_MAX: usize = 2;

/// A partition, and a place in its order. Ranges never cross partitions.
///
/// Kept as one shared text with a NUL between the two, which neither may contain: a key is
/// cloned more often than it is taken apart, and texts sort as pairs do.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key(Arc<str>);

impl Key {
    /// The key of `sort` in `partition`.
    ///
    /// # Panics
    /// When either has a NUL or both together exceed [`KEY_BYTES_MAX`]: keys are made of ids and
    /// digests, never of text that came from outside.
    #[must_use]
    pub fn new(partition: &str, sort: &str) -> Self {
        Self::joined(&[partition], sort)
    }

    /// The key of `sort` in the partition that the parts are together.
    ///
    /// # Panics
    /// As [`Key::new`].
    #[must_use]
    pub fn joined(partition: &[&str], sort: &str) -> Self {
        /// Nearly all keys fit, and need no other memory than their own.
        const USUAL: usize = 128;
        let length = partition.iter().map(|part| part.len()).sum::<usize>() + 1 + sort.len();
        assert!(length <= KEY_BYTES_MAX, "a key of {length} bytes");
        let parts = partition.iter().copied().chain(["\0", sort]);
        if length > USUAL {
            return Self::checked(&parts.collect::<String>());
        }
        let mut bytes = [0; USUAL];
        let mut filled = 0;
        for part in parts {
            bytes[filled..filled + part.len()].copy_from_slice(part.as_bytes());
            filled += part.len();
        }
        // Texts put together are a text.
        Self::checked(std::str::from_utf8(&bytes[..filled]).unwrap_or_default())
    }

    fn checked(text: &str) -> Self {
        let nuls = text.bytes().filter(|byte| *byte == 0).count();
        assert!(nuls == 1, "a NUL in a key");
        Self(text.into())
    }

    /// What the key's neighbours share with it.
    #[must_use]
    pub fn partition(&self) -> &str {
        self.split().0
    }

    /// The key's place among its neighbours.
    #[must_use]
    pub fn sort(&self) -> &str {
        self.split().1
    }

    /// Partition, NUL, sort: as stored by adapters whose keys are bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }

    /// The key that [`Key::as_bytes`] gave, `None` if no key did.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(bytes).ok()?;
        let well_formed =
            text.len() <= KEY_BYTES_MAX && text.bytes().filter(|byte| *byte == 0).count() == 1;
        well_formed.then(|| Self(text.into()))
    }

    /// Looks for the NUL from the end, because most sorts are short.
    fn split(&self) -> (&str, &str) {
        match self.0.bytes().rposition(|byte| byte == 0) {
            Some(at) => (&self.0[..at], &self.0[at + 1..]),
            None => (&self.0, ""),
        }
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}|{}", self.partition(), self.sort())
    }
}

/// Counts the times that a record was written, from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version(u64);

impl Version {
    /// Of a record that was just created.
    pub const FIRST: Self = Self(1);

    /// Of the same record, written once more.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0 + 1)
    }

    /// For adapters, which store the number.
    #[must_use]
    pub const fn get(self) -> u64 {
        self.0
    }

    /// For adapters, which read back what they stored.
    #[must_use]
    pub const fn from_stored(version: u64) -> Self {
        Self(version)
    }
}

/// What a record says, and the secondary orders in which it can be found.
#[derive(Clone, PartialEq, Eq)]
pub struct Body {
    /// The value, in JSON, as its module wrote it.
    pub bytes: Arc<[u8]>,
    /// Up to [`INDEX_MAX`] further keys under which a range finds the record. Not unique, and
    /// not guarded: to look up and list, never to decide on.
    pub index: Vec<Key>,
}

impl Body {
    /// A body without secondary orders.
    #[must_use]
    pub fn of<T: Serialize>(value: &T) -> Self {
        Self {
            bytes: encode(value).into(),
            index: Vec::new(),
        }
    }

    /// The same, also listed under `key`.
    ///
    /// # Panics
    /// When it would stand in more than [`INDEX_MAX`] orders.
    #[must_use]
    pub fn listed(mut self, key: Key) -> Self {
        self.index.push(key);
        assert!(self.index.len() <= INDEX_MAX, "a record in too many orders");
        self
    }
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} {:?}",
            String::from_utf8_lossy(&self.bytes),
            self.index
        )
    }
}

/// A body with the number of times it was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Guards compare it.
    pub version: Version,
    /// What it says.
    pub body: Body,
}

/// One action on one record. The guard is the variant: there is no write without one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Write {
    /// Holds while there is no record.
    CheckAbsent,
    /// Holds while the record has this version.
    Check(Version),
    /// Writes the first version, while there is no record.
    Create(Body),
    /// Writes the next version, while the record has this one.
    Update(Version, Body),
    /// Removes the record, while it has this version.
    Delete(Version),
}

impl Write {
    /// The version that the record must have for this write to hold, `None` for no record.
    #[must_use]
    pub const fn expects(&self) -> Option<Version> {
        match self {
            Self::CheckAbsent | Self::Create(_) => None,
            Self::Check(version) | Self::Update(version, _) | Self::Delete(version) => {
                Some(*version)
            }
        }
    }

    /// The record that is there afterwards: `None` when the write leaves it as it was,
    /// `Some(None)` when there is none.
    #[must_use]
    pub fn result(&self) -> Option<Option<Record>> {
        self.clone().into_result()
    }

    /// The same, of a write that is not needed any more.
    #[must_use]
    pub fn into_result(self) -> Option<Option<Record>> {
        match self {
            Self::CheckAbsent | Self::Check(_) => None,
            Self::Create(body) => Some(Some(Record {
                version: Version::FIRST,
                body,
            })),
            Self::Update(version, body) => Some(Some(Record {
                version: version.next(),
                body,
            })),
            Self::Delete(_) => Some(None),
        }
    }
}

/// What was read. A key that was asked for and not found is present, as `None`.
#[derive(Clone, Debug, Default)]
pub struct Snapshot {
    guarded: BTreeMap<Key, Option<Record>>,
    hints: BTreeMap<Key, Option<Record>>,
}

impl Snapshot {
    /// The record under a key that was read.
    ///
    /// # Panics
    /// When the key was not read: a plan that decides on it has a bug.
    #[must_use]
    pub fn get(&self, key: &Key) -> Option<&Record> {
        match self.found(key) {
            Some(found) => found.as_ref(),
            None => panic!("{key:?} was decided on without being read"),
        }
    }

    /// The value under a key that was read.
    #[must_use]
    pub fn value<T: DeserializeOwned>(&self, key: &Key) -> Option<T> {
        self.get(key).map(|record| decode(&record.body.bytes))
    }

    /// What was found under a key, `None` if it was not asked for.
    #[must_use]
    pub fn found(&self, key: &Key) -> Option<&Option<Record>> {
        self.guarded.get(key).or_else(|| self.hints.get(key))
    }

    /// Whether nothing was asked for yet.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.guarded.is_empty() && self.hints.is_empty()
    }

    /// Whether the key was asked for.
    #[must_use]
    pub fn has(&self, key: &Key) -> bool {
        self.guarded.contains_key(key) || self.hints.contains_key(key)
    }

    /// Takes in what was found under a key. A plan based on it holds only while it is so.
    pub fn put(&mut self, key: Key, found: Option<Record>) {
        self.guarded.insert(key, found);
    }

    /// Takes in what was found under a key that the plan may rely on without guarding it,
    /// because it does not change or because being a moment behind does no harm.
    pub fn put_hint(&mut self, key: Key, found: Option<Record>) {
        self.hints.insert(key, found);
    }

    /// The set that changes nothing and holds only while nothing here has changed.
    #[must_use]
    pub fn checks(&self) -> WriteSet {
        let check = |record: &Option<Record>| match record {
            None => Write::CheckAbsent,
            Some(record) => Write::Check(record.version),
        };
        WriteSet(
            self.guarded
                .iter()
                .map(|(key, it)| (key.clone(), check(it)))
                .collect(),
        )
    }
}

/// One record that a commit changed, as the change feed tells it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// Which record.
    pub key: Key,
    /// What is there now; `None` when it was removed.
    pub record: Option<Record>,
}

/// The changes of one commit, in the order of their keys, at a place in the feed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Commit {
    /// The place in its shard of the feed, from 1, without gaps on the embedded store and
    /// growing on every store.
    pub position: u64,
    /// All that the commit changed. Checks do not appear.
    pub changes: Arc<[Change]>,
}

/// Our own types as JSON.
///
/// # Panics
/// Never for the types of this workspace: they have text keys and no float.
#[must_use]
pub fn encode<T: Serialize>(value: &T) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(512);
    if let Err(error) = serde_json::to_writer(&mut bytes, value) {
        panic!("our own types can be written: {error}");
    }
    bytes
}

/// Whether a body may have a member: its name in quotes, with the colon. A text may say the same, so that
/// `true` asks to look closer; `false` saves reading a body that has nothing to say.
#[must_use]
pub fn mentions(body: &[u8], member: &str) -> bool {
    // Bodies are JSON and so are text; what is not may have anything.
    std::str::from_utf8(body).map_or(true, |text| text.contains(member))
}

/// Reads what [`encode`] wrote.
///
/// # Panics
/// When the bytes are not what this module wrote: the store has checked their checksum, so the
/// program and its data are of different versions, and going on would decide on guesses.
#[must_use]
pub fn decode<T: DeserializeOwned>(bytes: &[u8]) -> T {
    match serde_json::from_slice(bytes) {
        Ok(value) => value,
        Err(error) => panic!(
            "a stored {} cannot be read: {error}",
            std::any::type_name::<T>()
        ),
    }
}

#[cfg(test)]
mod tests;
