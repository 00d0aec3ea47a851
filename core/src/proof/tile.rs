//! Tiles and entry bundles: where they are and what is in them (C2SP tlog-tiles).
//!
//! The crate `tlog_tiles` knows the older layout `tile/8/…/data/…` of the Go checksum database;
//! the paths of the present layout, the entry bundles and a reader that says what it lacks are
//! here.

use std::cell::RefCell;

use tlog_tiles::{Error as TlogError, Tile, TileReader};

/// Levels of the tree in a tile.
pub const HEIGHT: u8 = 8;
/// Hashes in a full tile, entries in a full bundle.
pub const WIDTH: u64 = 256;

/// Something that a log serves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resource {
    /// A tile of hashes.
    Hashes(Tile),
    /// A bundle of entries.
    Entries(Tile),
}

impl Resource {
    /// Whether it holds fewer than [`WIDTH`] and will be superseded.
    #[must_use]
    pub fn is_partial(&self) -> bool {
        let (Self::Hashes(tile) | Self::Entries(tile)) = self;
        u64::from(tile.width()) < WIDTH
    }
}

/// The tile of entries `index`, `width` wide.
#[must_use]
pub fn bundle(index: u64, width: u64) -> Tile {
    Tile::new(HEIGHT, 0, index, width as u32, true)
}

/// Where a tile is served, relative to the log's prefix: `tile/0/x001/234.p/7`.
#[must_use]
pub fn path(tile: &Tile) -> String {
    let path = tile.path();
    // `tile/8/data/000` is `tile/entries/000` now, and `tile/8/0/000` is `tile/0/000`.
    let rest = path.strip_prefix("tile/8/").unwrap_or(&path);
    match rest.strip_prefix("data/") {
        Some(index) => format!("tile/entries/{index}"),
        None => format!("tile/{rest}"),
    }
}

/// The folder of a full tile's part-filled predecessors.
#[must_use]
pub fn partials(tile: &Tile) -> String {
    let full = Tile::new(
        HEIGHT,
        tile.level(),
        tile.level_index(),
        WIDTH as u32,
        tile.is_data(),
    );
    format!("{}.p/", path(&full))
}

/// The resource at a path, if it is written the one right way.
#[must_use]
pub fn parse_path(path: &str) -> Option<Resource> {
    let rest = path.strip_prefix("tile/")?;
    let old = match rest.strip_prefix("entries/") {
        Some(index) => format!("tile/8/data/{index}"),
        None => format!("tile/8/{rest}"),
    };
    // The crate panics on a level or width beyond the layout's.
    let level: u8 = match rest.strip_prefix("entries/") {
        Some(_) => 0,
        None => rest.split_once('/')?.0.parse().ok()?,
    };
    if level > 63 || old.ends_with(".p/0") {
        return None;
    }
    let tile = Tile::from_path(&old).ok()?;
    Some(if tile.is_data() {
        Resource::Entries(tile)
    } else {
        Resource::Hashes(tile)
    })
}

/// A bundle that cannot be taken apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the bundle ends within entry {0}")]
pub struct BadBundle(pub usize);

/// Adds an entry to a bundle: its length in 16 bits, then itself.
///
/// # Panics
/// When it is longer than 65,535 bytes: leaves are checked when they are made.
pub fn append(bundle: &mut Vec<u8>, entry: &[u8]) {
    match u16::try_from(entry.len()) {
        Ok(length) => bundle.extend_from_slice(&length.to_be_bytes()),
        Err(_) => panic!("an entry of {} bytes", entry.len()),
    }
    bundle.extend_from_slice(entry);
}

/// The entries of a bundle.
///
/// # Errors
/// [`BadBundle`] with the number of the entry that is cut off.
pub fn entries(bundle: &[u8]) -> Result<Vec<&[u8]>, BadBundle> {
    let mut entries = Vec::with_capacity(WIDTH as usize);
    let mut rest = bundle;
    while !rest.is_empty() {
        let cut = BadBundle(entries.len());
        let (length, after) = rest.split_at_checked(2).ok_or(cut)?;
        let length = usize::from(u16::from_be_bytes([length[0], length[1]]));
        let (entry, after) = after.split_at_checked(length).ok_or(cut)?;
        entries.push(entry);
        rest = after;
    }
    Ok(entries)
}

/// Tiles that were read, and a note of those that were asked for and are not among them.
#[derive(Debug, Default)]
pub struct Fetched {
    tiles: Vec<(Tile, Vec<u8>)>,
    missing: RefCell<Vec<Tile>>,
}

impl Fetched {
    /// Takes in a tile that was read.
    pub fn put(&mut self, tile: Tile, data: Vec<u8>) {
        self.tiles.push((tile, data));
    }

    /// A tile, cut to the width that was asked for when a wider one was read.
    #[must_use]
    pub fn get(&self, asked: &Tile) -> Option<&[u8]> {
        let length = asked.width() as usize * tlog_tiles::HASH_SIZE;
        let same = |tile: &Tile| {
            tile.level() == asked.level()
                && tile.level_index() == asked.level_index()
                && tile.is_data() == asked.is_data()
        };
        self.tiles
            .iter()
            .find(|(tile, data)| same(tile) && data.len() >= length)
            .map(|(_, data)| &data[..length])
    }

    /// What was asked for in vain since the last time.
    pub(super) fn take_missing(&self) -> Vec<Tile> {
        self.missing.take()
    }
}

impl TileReader for Fetched {
    fn height(&self) -> u8 {
        HEIGHT
    }

    fn read_tiles(&self, tiles: &[Tile]) -> Result<Vec<Vec<u8>>, TlogError> {
        let mut found = Vec::with_capacity(tiles.len());
        for tile in tiles {
            match self.get(tile) {
                Some(data) => found.push(data.to_vec()),
                None => self.missing.borrow_mut().push(*tile),
            }
        }
        if found.len() < tiles.len() {
            return Err(TlogError::InvalidTile);
        }
        Ok(found)
    }

    fn save_tiles(&self, _tiles: &[Tile], _data: &[Vec<u8>]) {}
}
