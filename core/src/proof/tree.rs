//! The tree: its head, its growing edge, and proofs about it, as RFC 6962 §2.1 defines them.
//!
//! Only the right edge of the tree is needed to let it grow: one part-filled tile a level. A
//! tile that becomes full is handed out once and never changes.

use tlog_tiles::{
    EMPTY_HASH, Hash, HashReader, Tile, TileHashReader, check_record, check_tree, prove_record,
    prove_tree, tree_hash,
};

use super::tile::{Fetched, HEIGHT, WIDTH};

/// The size and the root of a tree: all that there is to say about a list of leaves.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Head {
    /// How many leaves.
    pub size: u64,
    /// The Merkle tree hash of all leaves.
    pub root: Hash,
}

impl Head {
    /// The head of the log without leaves.
    pub const EMPTY: Self = Self {
        size: 0,
        root: EMPTY_HASH,
    };
}

/// The part-filled tile of each level at the right of a tree.
#[derive(Clone, Debug, Default)]
pub struct Edge {
    size: u64,
    levels: Vec<Vec<u8>>,
}

/// A tile of the edge is not what the size of the tree asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the tile at level {level} of the edge has not the width that the size asks for")]
pub struct BadEdge {
    /// At which level.
    pub level: u8,
}

impl Edge {
    /// The tiles that [`Edge::restore`] needs for a tree of `size` leaves, lowest level first.
    #[must_use]
    pub fn tiles_of(size: u64) -> Vec<Tile> {
        let mut tiles = Vec::new();
        let mut level = 0;
        let mut nodes = size;
        while nodes > 0 {
            let (index, width) = (nodes / WIDTH, (nodes % WIDTH) as u32);
            if width > 0 {
                tiles.push(Tile::new(HEIGHT, level, index, width, false));
            }
            nodes /= WIDTH;
            level += 1;
        }
        tiles
    }

    /// The edge of a tree of `size` leaves out of its tiles. Whether they are the right ones only
    /// the root can tell: see [`Edge::head`].
    ///
    /// # Errors
    /// [`BadEdge`] when a tile is missing or of another width.
    pub fn restore(size: u64, tiles: &Fetched) -> Result<Self, BadEdge> {
        let mut levels = Vec::new();
        for tile in Self::tiles_of(size) {
            let level = tile.level();
            let data = tiles.get(&tile).ok_or(BadEdge { level })?;
            if data.len() != tile.width() as usize * tlog_tiles::HASH_SIZE {
                return Err(BadEdge { level });
            }
            levels.resize(usize::from(level), Vec::new());
            levels.push(data.to_vec());
        }
        Ok(Self { size, levels })
    }

    /// How many leaves.
    #[must_use]
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// Adds a leaf. Tiles that become full go to `full`.
    pub fn push(&mut self, leaf: Hash, full: &mut impl FnMut(Tile, &[u8])) {
        self.size += 1;
        self.push_at(0, leaf, full);
    }

    /// Adds the root of a full tile of leaves at once, where the size is a multiple of a tile's.
    ///
    /// # Panics
    /// When the tree does not end between two tiles: the caller counts.
    pub fn push_tile(&mut self, root: Hash, full: &mut impl FnMut(Tile, &[u8])) {
        assert!(self.size.is_multiple_of(WIDTH), "a tile within a tile");
        self.size += WIDTH;
        self.push_at(1, root, full);
    }

    fn push_at(&mut self, level: u8, hash: Hash, full: &mut impl FnMut(Tile, &[u8])) {
        let place = usize::from(level);
        if self.levels.len() <= place {
            self.levels.resize(place + 1, Vec::new());
        }
        let data = &mut self.levels[place];
        data.extend_from_slice(&hash.0);
        if data.len() < WIDTH as usize * tlog_tiles::HASH_SIZE {
            return;
        }
        let data = std::mem::take(data);
        let nodes = self.size >> (u32::from(HEIGHT) * u32::from(level));
        let tile = Tile::new(HEIGHT, level, nodes / WIDTH - 1, WIDTH as u32, false);
        full(tile, &data);
        self.push_at(level + 1, Tile::subtree_hash(&data), full);
    }

    /// The part-filled tiles, lowest level first.
    pub fn tiles(&self) -> impl Iterator<Item = (Tile, &[u8])> {
        Self::tiles_of(self.size)
            .into_iter()
            .map(|tile| (tile, self.levels[usize::from(tile.level())].as_slice()))
    }

    /// Size and root of the tree.
    ///
    /// # Panics
    /// Never: every hash that the root of a tree is made of lies in a tile of its edge.
    #[must_use]
    pub fn head(&self) -> Head {
        match tree_hash(self.size, self) {
            Ok(root) => Head {
                size: self.size,
                root,
            },
            Err(error) => panic!("the edge of a tree holds what its root is made of: {error}"),
        }
    }
}

impl HashReader for Edge {
    fn read_hashes(&self, indexes: &[u64]) -> Result<Vec<Hash>, tlog_tiles::Error> {
        let read = |index: &u64| {
            let asked = Tile::from_index(HEIGHT, *index);
            let data = self
                .levels
                .get(usize::from(asked.level()))
                .ok_or(tlog_tiles::Error::IndexesNotInTree)?;
            let width = (data.len() / tlog_tiles::HASH_SIZE) as u32;
            if width < asked.width() {
                return Err(tlog_tiles::Error::IndexesNotInTree);
            }
            Tile::new(HEIGHT, asked.level(), asked.level_index(), width, false)
                .hash_at_index(data, *index)
        };
        indexes.iter().map(read).collect()
    }
}

/// Why there is no proof.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProveError {
    /// These tiles are needed first.
    #[error("{} more tiles are needed", .0.len())]
    Missing(Vec<Tile>),
    /// The tiles are not those of the tree.
    #[error("the tiles do not belong to the tree: {0}")]
    Inconsistent(String),
    /// No such leaf or no such earlier size in the tree.
    #[error("not in the tree")]
    OutOfRange,
}

/// The proof that leaf `index` is in the tree: the audit path of RFC 6962 §2.1.1.
///
/// # Errors
/// [`ProveError::Missing`] until `tiles` holds all that is needed.
pub fn prove_inclusion(head: &Head, index: u64, tiles: &Fetched) -> Result<Vec<Hash>, ProveError> {
    if index >= head.size {
        return Err(ProveError::OutOfRange);
    }
    prove(head, tiles, |reader| prove_record(head.size, index, reader))
}

/// The proof that the tree of the first `size` leaves is where this tree grew from: RFC 6962
/// §2.1.2.
///
/// # Errors
/// [`ProveError::Missing`] until `tiles` holds all that is needed; [`ProveError::OutOfRange`]
/// when `size` is 0 or larger than the tree.
pub fn prove_consistency(head: &Head, size: u64, tiles: &Fetched) -> Result<Vec<Hash>, ProveError> {
    if size == 0 || size > head.size {
        return Err(ProveError::OutOfRange);
    }
    prove(head, tiles, |reader| prove_tree(head.size, size, reader))
}

/// The root of the tree of the first `size` leaves.
///
/// # Errors
/// As [`prove_consistency`].
pub fn root_at(head: &Head, size: u64, tiles: &Fetched) -> Result<Hash, ProveError> {
    match size {
        0 => Ok(EMPTY_HASH),
        size if size > head.size => Err(ProveError::OutOfRange),
        size => prove(head, tiles, |reader| tree_hash(size, reader)),
    }
}

fn prove<T>(
    head: &Head,
    tiles: &Fetched,
    proof: impl FnOnce(&TileHashReader<'_>) -> Result<T, tlog_tiles::Error>,
) -> Result<T, ProveError> {
    let reader = TileHashReader::new(head.size, head.root, tiles);
    let proof = proof(&reader);
    let missing = tiles.take_missing();
    if !missing.is_empty() {
        return Err(ProveError::Missing(missing));
    }
    proof.map_err(|error| ProveError::Inconsistent(error.to_string()))
}

/// The proof does not prove it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the proof does not hold")]
pub struct NotProven;

/// Checks that leaf `index` of the tree has this hash.
///
/// # Errors
/// [`NotProven`].
pub fn check_inclusion(
    proof: &Vec<Hash>,
    head: &Head,
    index: u64,
    leaf: Hash,
) -> Result<(), NotProven> {
    check_record(proof, head.size, head.root, index, leaf).map_err(|_| NotProven)
}

/// Checks that `new` grew from `old`. An empty log proves nothing about what comes after it, so
/// there is no such proof from size 0.
///
/// # Errors
/// [`NotProven`].
pub fn check_consistency(proof: &Vec<Hash>, old: &Head, new: &Head) -> Result<(), NotProven> {
    check_tree(proof, new.size, new.root, old.size, old.root).map_err(|_| NotProven)
}
