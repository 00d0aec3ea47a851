//! Growing the tree: leaves in, files out. Pure; the sequencer carries the files.

use bytes::Bytes;
use lombard_core::{
    audit,
    id::Id,
    ledger::Transaction,
    proof::{
        leaf::{Leaf, TransactionLeaf},
        tile::{self, WIDTH},
        tree::{Edge, Head},
    },
    store::{Change, Commit, Version, decode},
};
use tlog_tiles::record_hash;

use super::index::Span;

/// A leaf that is not in the log yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewLeaf {
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// When its id was made, in Unix milliseconds; leaves are looked up by it.
    pub made_ms: u64,
    /// When it was committed, in Unix milliseconds.
    pub at_ms: u64,
}

/// The leaves that a commit brings, in the order of its keys: ledger transactions, and records of what
/// somebody did. Each is created once and
/// never written again, so its first version is the only one that counts.
pub fn leaves_of(commit: &Commit) -> impl Iterator<Item = NewLeaf> + '_ {
    commit.changes.iter().filter_map(|change| {
        match change.key.sort() {
            "txn" => {}
            audit::SORT if lombard_core::planted!(AuditUnlogged) => return None,
            audit::SORT => return audit_leaf(change),
            _ => return None,
        }
        let record = change.record.as_ref()?;
        let (tenant, id) = change.key.partition().split_once('/')?;
        if lombard_core::planted!(LeafSkipped) && commit.position.is_multiple_of(16) {
            return None;
        }
        let first = record.version == Version::FIRST && id.parse::<Id<Transaction>>().is_ok();
        let tenant = tenant.parse().ok().filter(|_| first)?;
        let transaction: Transaction = decode(&record.body.bytes);
        let leaf = Leaf::Transaction(TransactionLeaf::of(tenant, &transaction));
        Some(NewLeaf {
            bytes: leaf.encode(),
            made_ms: transaction.id.made_at().unix_ms(),
            at_ms: transaction.at.unix_ms(),
        })
    })
}

/// The leaf of a record of what somebody did: the hash of the record as it is stored.
fn audit_leaf(change: &Change) -> Option<NewLeaf> {
    let stored = change.record.as_ref()?;
    if stored.version != Version::FIRST {
        return None;
    }
    let record: audit::Audit = decode(&stored.body.bytes);
    Some(NewLeaf {
        bytes: Leaf::Audit(record.leaf()).encode(),
        made_ms: record.id.made_at().unix_ms(),
        at_ms: record.at.unix_ms(),
    })
}

/// A file of the log.
pub type File = (String, Bytes);

/// The right edge of the log: all that it takes to let it grow.
#[derive(Clone, Debug, Default)]
pub struct Growth {
    /// Of hashes.
    pub edge: Edge,
    /// The last bundle, while it is not full.
    pub bundle: Vec<u8>,
    /// When the ids in the last bundle were made.
    pub span: Option<Span>,
}

/// What a batch of leaves made of the log.
#[derive(Debug)]
pub struct Batch {
    /// The log after it.
    pub growth: Growth,
    /// Size and root after it.
    pub head: Head,
    /// The files to publish, in no order that matters: nobody reads them before the checkpoint.
    pub files: Vec<File>,
    /// Folders of part-filled files that full ones among [`Batch::files`] supersede.
    pub superseded: Vec<String>,
    /// The spans of the bundles that changed, beginning with the one that was last before.
    pub spans: Vec<Span>,
}

impl Growth {
    /// The log with `leaves` added, at least one.
    #[must_use]
    pub fn add(&self, leaves: &[NewLeaf]) -> Batch {
        let mut growth = self.clone();
        let mut files: Vec<File> = Vec::new();
        let mut superseded = Vec::new();
        let mut spans = Vec::new();
        for leaf in leaves {
            tile::append(&mut growth.bundle, &leaf.bytes);
            growth.span = Some(Span::including(growth.span, leaf.made_ms));
            growth
                .edge
                .push(record_hash(&leaf.bytes), &mut |tile, data| {
                    files.push((tile::path(&tile), Bytes::copy_from_slice(data)));
                    superseded.push(tile::partials(&tile));
                });
            if growth.edge.size().is_multiple_of(WIDTH) {
                let full = tile::bundle(growth.edge.size() / WIDTH - 1, WIDTH);
                let bundle = std::mem::take(&mut growth.bundle);
                files.push((tile::path(&full), bundle.into()));
                superseded.push(tile::partials(&full));
                spans.extend(growth.span.take());
            }
        }
        for (tile, data) in growth.edge.tiles() {
            files.push((tile::path(&tile), Bytes::copy_from_slice(data)));
        }
        if !growth.bundle.is_empty() {
            let size = growth.edge.size();
            let last = tile::bundle(size / WIDTH, size % WIDTH);
            files.push((tile::path(&last), growth.bundle.clone().into()));
            spans.extend(growth.span);
        }
        let head = growth.edge.head();
        Batch {
            growth,
            head,
            files,
            superseded,
            spans,
        }
    }
}
