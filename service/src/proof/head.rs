//! Where the log stands, as one record in the store: the tree and the place in the feed that it
//! was grown from. Whoever writes the record has decided what the log is.

use lombard_core::{
    proof::{Hash, tree::Head},
    store::{Body, Key, Record, Snapshot, WriteSet, decode},
};
use serde::{Deserialize, Serialize};

/// See the module.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeadRecord {
    /// How many leaves.
    pub size: u64,
    /// The root, in base64.
    pub root: String,
    /// The position in each shard of the feed up to which every transaction is a leaf.
    pub reached: Vec<u64>,
    /// How many leaves there were before the last swap. A checkpoint of that size may only be not
    /// published yet; one of any other has been cut.
    pub before: u64,
    /// Staged batches, the oldest first, whose files may not be durable yet.
    pub staged: Vec<String>,
}

impl HeadRecord {
    /// The log before its first leaf, over so many shards of the feed.
    #[must_use]
    pub fn empty(shards: u16) -> Self {
        Self {
            size: 0,
            root: Head::EMPTY.root.to_string(),
            before: 0,
            reached: vec![0; usize::from(shards)],
            staged: Vec::new(),
        }
    }

    /// Size and root; `None` when the root is no hash, which is damage.
    #[must_use]
    pub fn head(&self) -> Option<Head> {
        let root = Hash::parse_hash(&self.root).ok()?;
        let size = self.size;
        Some(Head { size, root })
    }

    /// Reads the record; a log that is not there yet is empty.
    #[must_use]
    pub fn of(record: Option<&Record>, shards: u16) -> Self {
        record.map_or_else(|| Self::empty(shards), |record| decode(&record.body.bytes))
    }

    /// The write that puts this in the place of what was `found`, and of nothing else.
    #[must_use]
    pub fn swap(&self, found: Option<Record>) -> WriteSet {
        let mut snapshot = Snapshot::default();
        snapshot.put(key(), found);
        let mut writes = snapshot.checks();
        writes.put(&key(), Body::of(self));
        writes
    }
}

/// Where the record is.
#[must_use]
pub fn key() -> Key {
    Key::new("log#ledger", "head")
}
