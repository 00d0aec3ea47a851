//! The verifiable log: against vectors that nobody here wrote, exhaustively where trees are small,
//! and by breaking it.

mod books;
mod leaves;
mod notes;
mod trees;
mod witnessing;

use lombard_core::proof::{
    Hash,
    key::{KeyKind, SecretKey},
    tile::Fetched,
    tree::{Edge, Head},
};
use tlog_tiles::{Tile, record_hash};

/// A tree of `leaves`, with every tile that it has.
pub fn grow(leaves: &[Vec<u8>]) -> (Head, Fetched) {
    let mut edge = Edge::default();
    let mut tiles = Fetched::default();
    for leaf in leaves {
        edge.push(record_hash(leaf), &mut |tile, data: &[u8]| {
            tiles.put(tile, data.to_vec());
        });
    }
    for (tile, data) in edge.tiles() {
        tiles.put(tile, data.to_vec());
    }
    (edge.head(), tiles)
}

/// `count` different leaves.
pub fn leaves(count: u32) -> Vec<Vec<u8>> {
    (0..count).map(|n| n.to_be_bytes().to_vec()).collect()
}

/// A key of a fixed seed.
pub fn key(name: &str, kind: KeyKind, seed: u8) -> SecretKey {
    SecretKey::from_seed(name, kind, &[seed; 32]).unwrap()
}

/// RFC 6962 §2.1, written down as it is defined and for no other use.
pub fn root_by_definition(leaves: &[Vec<u8>]) -> Hash {
    match leaves {
        [] => tlog_tiles::EMPTY_HASH,
        [one] => record_hash(one),
        many => {
            let split = many.len().next_power_of_two() / 2;
            let (left, right) = many.split_at(split);
            tlog_tiles::node_hash(root_by_definition(left), root_by_definition(right))
        }
    }
}

/// The tile of hashes at `level` and `index`, `width` wide.
pub fn tile(level: u8, index: u64, width: u32) -> Tile {
    Tile::new(8, level, index, width, false)
}
