//! One bundle: every entry hashed, compared with the leaf tile, and read strictly. Runs beside
//! others on its own thread.

use lombard_core::proof::{
    Hash,
    audit::check_alone,
    leaf::{Leaf, LeafError, TransactionLeaf},
    tile::{self, HEIGHT, WIDTH},
};
use lombard_core::{audit, id::Id};
use tlog_tiles::{HASH_SIZE, Tile, record_hash};

use super::{
    report::Problem,
    source::{Read, Source, read_tile},
};

/// What a bundle came to.
pub struct Checked {
    /// Which bundle.
    pub index: u64,
    /// The leaf hashes that the entries give, as a tile; `None` when they cannot be read.
    pub by_entries: Option<Vec<u8>>,
    /// The leaf tile as it is stored; `None` when it cannot be read.
    pub by_tile: Option<Vec<u8>>,
    /// The leaves that could be read, each with its place in the bundle.
    pub leaves: Vec<(usize, TransactionLeaf)>,
    /// The records of what somebody did, each with its place in the bundle.
    pub audits: Vec<(usize, Id<audit::Audit>)>,
    /// Whether an entry could not be read, so that the books cannot be complete.
    pub incomplete: bool,
    /// What is wrong.
    pub problems: Vec<Problem>,
    /// What could not be looked at.
    pub unread: Vec<(String, String)>,
}

/// Looks at bundle `index`, of which `width` entries are under the checkpoint.
pub fn check(source: &dyn Source, index: u64, width: u64) -> Checked {
    let mut checked = Checked {
        index,
        by_entries: None,
        by_tile: None,
        leaves: Vec::with_capacity(width as usize),
        audits: Vec::new(),
        incomplete: false,
        problems: Vec::new(),
        unread: Vec::new(),
    };
    let hashes = Tile::new(HEIGHT, 0, index, width as u32, false);
    let bundle = tile::bundle(index, width);
    checked.by_tile = checked
        .read(source, &hashes, "tile_missing")
        .and_then(|read| {
            let fits = |bytes: &[u8], exact: bool| {
                let wanted = width as usize * HASH_SIZE;
                bytes.len() == wanted || (!exact && bytes.len() == WIDTH as usize * HASH_SIZE)
            };
            let (mut bytes, exact) = read;
            if !fits(&bytes, exact) {
                let what = format!("{} bytes, not {width} hashes", bytes.len());
                checked.problem("tile_length", &tile::path(&hashes), &what);
                return None;
            }
            bytes.truncate(width as usize * HASH_SIZE);
            Some(bytes)
        });
    match checked.read(source, &bundle, "bundle_missing") {
        Some((bytes, exact)) => checked.take_entries(&bytes, exact, width as usize, &bundle),
        None => checked.incomplete = true,
    }
    checked
}

/// SHA-256 in lower-case hexadecimal.
fn is_digest(text: &str) -> bool {
    let digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    text.len() == 64 && text.bytes().all(digit)
}

impl Checked {
    fn problem(&mut self, kind: &'static str, place: &str, what: &str) {
        self.problems.push(Problem {
            kind,
            place: place.to_owned(),
            what: what.to_owned(),
        });
    }

    /// A file, and whether it is the one of this very width.
    fn read(
        &mut self,
        source: &dyn Source,
        tile: &Tile,
        missing: &'static str,
    ) -> Option<(Vec<u8>, bool)> {
        match read_tile(source, tile) {
            Ok(Read::Exact(bytes)) => Some((bytes, true)),
            Ok(Read::Wider(bytes)) => Some((bytes, false)),
            Ok(Read::Missing) => {
                self.problem(missing, &tile::path(tile), "the file is missing");
                None
            }
            Err(error) => {
                self.unread.push((tile::path(tile), error.to_string()));
                None
            }
        }
    }

    fn take_entries(&mut self, bytes: &[u8], exact: bool, width: usize, bundle: &Tile) {
        let path = tile::path(bundle);
        let entries = match tile::entries(bytes) {
            Ok(entries) => entries,
            Err(error) => {
                self.incomplete = true;
                return self.problem("bundle_malformed", &path, &error.to_string());
            }
        };
        if entries.len() < width || (exact && entries.len() > width) {
            self.incomplete = true;
            let what = format!("{} entries, not {width}", entries.len());
            return self.problem("bundle_length", &path, &what);
        }
        let mut hashes = Vec::with_capacity(width * HASH_SIZE);
        for (place, entry) in entries[..width].iter().enumerate() {
            let hash = record_hash(entry);
            let genuine = self.is_genuine(place, &hash);
            hashes.extend_from_slice(&hash.0);
            // What an entry that was changed says is of no interest.
            if genuine {
                self.take_leaf(place, entry);
            } else {
                self.incomplete = true;
            }
        }
        self.by_entries = Some(hashes);
    }

    fn is_genuine(&self, place: usize, hash: &Hash) -> bool {
        self.by_tile
            .as_ref()
            .is_none_or(|tile| tile[place * HASH_SIZE..(place + 1) * HASH_SIZE] == hash.0)
    }

    fn take_leaf(&mut self, place: usize, entry: &[u8]) {
        let index = self.index * WIDTH + place as u64;
        match Leaf::decode(entry) {
            Ok(Leaf::Transaction(leaf)) => match check_alone(&leaf) {
                Ok(()) => self.leaves.push((place, leaf)),
                Err(fault) => {
                    self.incomplete = true;
                    self.problem(fault.kind(), &format!("leaf {index}"), &fault.to_string());
                }
            },
            Ok(Leaf::Audit(leaf)) => match leaf.id.parse() {
                Ok(id) if is_digest(&leaf.digest) => self.audits.push((place, id)),
                _ => {
                    self.incomplete = true;
                    let what = "not the id of a record with its SHA-256";
                    self.problem("leaf_malformed", &format!("leaf {index}"), what);
                }
            },
            Err(error) => {
                let kind = match &error {
                    LeafError::NotCanonical => "leaf_not_canonical",
                    LeafError::UnknownKind(_) | LeafError::UnknownVersion(_) => "leaf_unknown",
                    LeafError::Malformed(_) | LeafError::TooLong(_) => "leaf_malformed",
                };
                self.incomplete = true;
                self.problem(kind, &format!("leaf {index}"), &error.to_string());
            }
        }
    }
}
