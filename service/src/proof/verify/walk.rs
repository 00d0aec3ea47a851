//! Goes through the log in order: grows the tree again, compares every tile, audits the books.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{
        atomic::{AtomicU64, Ordering},
        mpsc::{Receiver, sync_channel},
    },
    thread,
};

use lombard_core::{
    audit,
    id::Id,
    ledger::Transaction,
    proof::{
        Hash,
        audit::{Auditor, Fault},
        tile::{self, HEIGHT, WIDTH},
        tree::{Edge, Head},
    },
};
use tlog_tiles::{HASH_SIZE, Tile};

use super::{
    Demands,
    bundle::{self, Checked},
    report::Report,
    source::{Read, Source, read_tile},
};

/// Bundles that a thread may be ahead.
const AHEAD: usize = 4;

/// What the log says of each transaction, for the comparison with a store.
#[derive(Default)]
pub struct Leaves {
    /// In the order of the log: place, what it is about, hash of the leaf.
    pub all: Vec<(u64, About, Hash)>,
    /// The books that the log adds up to.
    pub books: Auditor,
    /// Whether every leaf could be read.
    pub complete: bool,
}

/// What a leaf is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum About {
    /// A ledger transaction.
    Transaction(Id<Transaction>),
    /// A record of what somebody did.
    Audit(Id<audit::Audit>),
}

impl fmt::Display for About {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Transaction(id) => id.fmt(f),
            Self::Audit(id) => id.fmt(f),
        }
    }
}

struct Walk<'a> {
    source: &'a dyn Source,
    since: Option<Head>,
    head: &'a Head,
    keep: bool,
    report: &'a mut Report,
    edge: Edge,
    /// A bundle is lost with its tile, or too much is wrong, and the tree cannot be grown beyond it.
    broken: bool,
    leaves: Leaves,
    /// Where each record of what somebody did is.
    audits: BTreeMap<Id<audit::Audit>, u64>,
}

/// Verifies everything under `head`. Keeps the hashes of the leaves when `keep` is set.
pub fn walk(
    source: &dyn Source,
    demands: &Demands,
    head: &Head,
    keep: bool,
    report: &mut Report,
    progress: &AtomicU64,
) -> Leaves {
    let mut walk = Walk {
        source,
        since: demands.since,
        head,
        keep,
        report,
        edge: Edge::default(),
        broken: false,
        leaves: Leaves {
            complete: true,
            ..Leaves::default()
        },
        audits: BTreeMap::new(),
    };
    let bundles = head.size.div_ceil(WIDTH);
    let threads = (demands.threads.max(1) as u64).min(bundles.max(1));
    thread::scope(|scope| {
        // Each thread takes every so-manieth bundle, so that they come back in order by turns and
        // no more than a few wait.
        let lanes: Vec<Receiver<Checked>> = (0..threads)
            .map(|lane| {
                let (out, lane_in) = sync_channel(AHEAD);
                scope.spawn(move || {
                    for n in (lane..bundles).step_by(threads as usize) {
                        let width = WIDTH.min(head.size - n * WIDTH);
                        if out.send(bundle::check(source, n, width)).is_err() {
                            return;
                        }
                    }
                });
                lane_in
            })
            .collect();
        for n in 0..bundles {
            let Ok(checked) = lanes[(n % threads) as usize].recv() else {
                walk.report.unread("tile/entries", "a thread ended early");
                walk.leaves.complete = false;
                return;
            };
            walk.take(checked);
            progress.store((n + 1) * WIDTH, Ordering::Relaxed);
            if walk.report.is_full() {
                walk.broken = true;
                walk.leaves.complete = false;
                return;
            }
        }
    });
    walk.finish();
    walk.leaves
}

impl Walk<'_> {
    fn take(&mut self, checked: Checked) {
        let first = checked.index * WIDTH;
        let hashes = self.choose(&checked);
        for problem in checked.problems {
            self.report.add(problem);
        }
        for (place, why) in &checked.unread {
            self.report.unread(place, why);
        }
        self.leaves.complete &= !checked.incomplete;
        let report = &mut self.report;
        let mut told = |index: u64, fault: Fault| {
            report.problem(fault.kind(), &format!("leaf {index}"), &fault.to_string());
        };
        for (place, leaf) in &checked.leaves {
            self.leaves
                .books
                .take(first + *place as u64, leaf, &mut told);
        }
        for (place, id) in &checked.audits {
            let index = first + *place as u64;
            if let Some(before) = self.audits.insert(*id, index) {
                let what = format!("the record is already leaf {before}");
                self.report
                    .problem("leaf_duplicate", &format!("leaf {index}"), &what);
            }
        }
        let Some(hashes) = hashes else {
            self.leaves.complete = false;
            return self.bridge(checked.index);
        };
        if self.keep {
            let transactions = checked.leaves.iter();
            let transactions =
                transactions.map(|(place, leaf)| (*place, About::Transaction(leaf.id)));
            let audits = checked.audits.iter();
            let audits = audits.map(|(place, id)| (*place, About::Audit(*id)));
            let mut all: Vec<(usize, About)> = transactions.chain(audits).collect();
            all.sort_unstable();
            for (place, about) in all {
                let hash = hash_at(&hashes, place);
                self.leaves.all.push((first + place as u64, about, hash));
            }
        }
        self.check_since_within(first, &hashes);
        self.push(&hashes);
    }

    /// The leaf hashes to go on with. Where entries and tile differ, the hash in the tile above
    /// says which of the two was changed; in the last, part-filled tile the root does.
    fn choose(&mut self, checked: &Checked) -> Option<Vec<u8>> {
        let (entries, tile) = match (&checked.by_entries, &checked.by_tile) {
            (Some(entries), Some(tile)) if entries != tile => (entries, tile),
            (Some(one), _) | (None, Some(one)) => return Some(one.clone()),
            (None, None) => return None,
        };
        let by_entries = self.is_right(checked.index, entries);
        let by_tile = self.is_right(checked.index, tile);
        let width = (tile.len() / HASH_SIZE) as u64;
        let path = tile::path(&Tile::new(HEIGHT, 0, checked.index, width as u32, false));
        for (place, (entry, hash)) in entries
            .chunks(HASH_SIZE)
            .zip(tile.chunks(HASH_SIZE))
            .enumerate()
        {
            if entry == hash {
                continue;
            }
            let index = checked.index * WIDTH + place as u64;
            if !by_tile {
                let what = format!("hash {place} is not that of the entry");
                self.report.problem("tile_hash", &path, &what);
            }
            if !by_entries {
                let what = "the entry is not what the tree was made of";
                self.report
                    .problem("entry_hash", &format!("leaf {index}"), what);
            }
        }
        Some(if by_tile {
            tile.clone()
        } else {
            entries.clone()
        })
    }

    fn is_right(&self, index: u64, hashes: &[u8]) -> bool {
        if hashes.len() < WIDTH as usize * HASH_SIZE {
            let mut edge = self.edge.clone();
            for hash in hashes.chunks(HASH_SIZE) {
                edge.push(hash_at(hash, 0), &mut |_, _: &[u8]| ());
            }
            return edge.size() == self.head.size && edge.head() == *self.head;
        }
        self.above(index) == Some(Tile::subtree_hash(hashes))
    }

    /// Goes on over a bundle that is lost with its tile, by the hash in the tile above.
    fn bridge(&mut self, index: u64) {
        match self.above(index) {
            Some(root) if !self.broken => {
                let mut full: Vec<(Tile, Vec<u8>)> = Vec::new();
                self.edge
                    .push_tile(root, &mut |tile, data| full.push((tile, data.to_vec())));
                for (tile, data) in full {
                    self.compare(&tile, &data);
                }
            }
            _ => self.broken = true,
        }
    }

    /// The stored hash of a full leaf tile, in the tile above it.
    fn above(&self, index: u64) -> Option<Hash> {
        let nodes = (self.head.size / WIDTH).checked_sub(index / WIDTH * WIDTH)?;
        if nodes <= index % WIDTH {
            return None;
        }
        let above = Tile::new(HEIGHT, 1, index / WIDTH, nodes.min(WIDTH) as u32, false);
        let place = (index % WIDTH) as usize;
        match read_tile(self.source, &above) {
            Ok(Read::Exact(data) | Read::Wider(data)) if data.len() >= (place + 1) * HASH_SIZE => {
                Some(hash_at(&data, place))
            }
            _ => None,
        }
    }

    fn push(&mut self, hashes: &[u8]) {
        if self.broken {
            return;
        }
        let mut full: Vec<(Tile, Vec<u8>)> = Vec::new();
        let mut take = |tile: Tile, data: &[u8]| full.push((tile, data.to_vec()));
        if hashes.len() == WIDTH as usize * HASH_SIZE {
            self.edge.push_tile(Tile::subtree_hash(hashes), &mut take);
        } else {
            for hash in hashes.chunks(HASH_SIZE) {
                self.edge.push(hash_at(hash, 0), &mut take);
            }
        }
        for (tile, data) in full {
            self.compare(&tile, &data);
        }
    }

    /// A tile above the leaves, as it must be, with what is stored.
    fn compare(&mut self, tile: &Tile, data: &[u8]) {
        let path = tile::path(tile);
        let stored = match read_tile(self.source, tile) {
            Ok(Read::Exact(stored)) if stored.len() == data.len() => stored,
            Ok(Read::Wider(stored)) if stored.len() == WIDTH as usize * HASH_SIZE => stored,
            Ok(Read::Exact(stored) | Read::Wider(stored)) => {
                let what = format!("{} bytes, not {}", stored.len(), data.len());
                return self.report.problem("tile_length", &path, &what);
            }
            Ok(Read::Missing) => {
                return self
                    .report
                    .problem("tile_missing", &path, "the file is missing");
            }
            Err(error) => return self.report.unread(&path, &error.to_string()),
        };
        for (place, (wanted, found)) in data
            .chunks(HASH_SIZE)
            .zip(stored.chunks(HASH_SIZE))
            .enumerate()
        {
            if wanted != found {
                let what = format!("hash {place} is not that of the tile below it");
                self.report.problem("tile_hash", &path, &what);
            }
        }
    }

    /// Compares with the remembered checkpoint when its last leaf is in this bundle.
    fn check_since_within(&mut self, first: u64, hashes: &[u8]) {
        let Some(since) = self.since else { return };
        let width = (hashes.len() / HASH_SIZE) as u64;
        if self.broken || since.size == 0 || since.size <= first || since.size > first + width {
            return;
        }
        let mut edge = self.edge.clone();
        for place in 0..(since.size - first) as usize {
            edge.push(hash_at(hashes, place), &mut |_, _: &[u8]| ());
        }
        if edge.size() == since.size && edge.head() != since {
            let place = format!("leaves 0 to {}", since.size - 1);
            let what = "the log did not grow from the remembered checkpoint: it was rewritten";
            self.report.problem("inconsistent", &place, what);
        }
    }

    fn finish(&mut self) {
        self.audit();
        if self.broken {
            return;
        }
        let tiles: Vec<(Tile, Vec<u8>)> = self
            .edge
            .tiles()
            .filter(|(tile, _)| tile.level() > 0)
            .map(|(tile, data)| (tile, data.to_vec()))
            .collect();
        for (tile, data) in tiles {
            self.compare(&tile, &data);
        }
        let grown = self.edge.head();
        if grown.size == self.head.size && grown != *self.head {
            let what = "the root is not that of the leaves";
            self.report.problem("root_mismatch", "checkpoint", what);
        }
    }

    fn audit(&mut self) {
        self.report.accounts = self.leaves.books.standings().count() as u64;
        // With leaves missing, what is left cannot be expected to add up.
        if self.leaves.complete {
            let report = &mut *self.report;
            self.leaves.books.finish(&mut |index, fault| {
                let place =
                    index.map_or_else(|| "books".to_owned(), |index| format!("leaf {index}"));
                report.problem(fault.kind(), &place, &fault.to_string());
            });
        }
    }
}

fn hash_at(hashes: &[u8], place: usize) -> Hash {
    let mut hash = Hash::default();
    hash.0
        .copy_from_slice(&hashes[place * HASH_SIZE..(place + 1) * HASH_SIZE]);
    hash
}
