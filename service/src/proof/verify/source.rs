//! Where a log is read from: a folder or a URL.

use std::{
    fs, io,
    path::{Path, PathBuf},
    time::Duration,
};

use lombard_core::proof::{
    tile::{self, Resource, WIDTH},
    tree::Head,
};
use reqwest::{Client, StatusCode};
use tlog_tiles::Tile;
use tokio::runtime::Runtime;

use super::report::Report;
use crate::rails::gateway::use_ring;

/// The most bytes of a file of a log: a full bundle of the longest entries.
const FILE_BYTES_MAX: usize = 256 * (65_535 + 2);
/// How long one request may take.
const TIMEOUT: Duration = Duration::from_secs(20);
/// A request that failed on its way is sent again so often.
const TRIES: u32 = 3;

/// Reads the files of a log. Used from several threads.
pub trait Source: Sync {
    /// A file, `None` when there is none.
    ///
    /// # Errors
    /// When it cannot be told.
    fn read(&self, name: &str) -> io::Result<Option<Vec<u8>>>;

    /// The names of all files in a folder of the log and below it, when they can be listed.
    ///
    /// # Errors
    /// When a folder cannot be read.
    fn list(&self, _folder: &str) -> io::Result<Option<Vec<String>>> {
        Ok(None)
    }

    /// Whether there is a log at all, though it may lack its checkpoint.
    fn is_log(&self) -> bool {
        true
    }
}

/// A log in a folder.
pub struct FolderSource(pub PathBuf);

impl Source for FolderSource {
    fn read(&self, name: &str) -> io::Result<Option<Vec<u8>>> {
        match fs::read(self.0.join(name)) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            // A folder in the place of a file, or a file in the place of its folder: it is not there.
            Err(error) if error.kind() == io::ErrorKind::NotADirectory => Ok(None),
            Err(error) if error.kind() == io::ErrorKind::IsADirectory => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn list(&self, folder: &str) -> io::Result<Option<Vec<String>>> {
        let mut names = Vec::new();
        list_into(&self.0.join(folder), folder, &mut names)?;
        names.sort_unstable();
        Ok(Some(names))
    }

    fn is_log(&self) -> bool {
        self.0.join("tile").is_dir()
    }
}

fn list_into(folder: &Path, name: &str, names: &mut Vec<String>) -> io::Result<()> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        entries => entries?,
    };
    for entry in entries {
        let entry = entry?;
        let name = format!("{name}/{}", entry.file_name().to_string_lossy());
        if entry.file_type()?.is_dir() {
            list_into(&entry.path(), &name, names)?;
        } else {
            names.push(name);
        }
    }
    Ok(())
}

/// A log at a URL.
pub struct HttpSource {
    base: String,
    http: Client,
    runtime: Runtime,
}

impl HttpSource {
    /// The log whose checkpoint is at `{base}/checkpoint`.
    ///
    /// # Errors
    /// When this system gives no HTTP client or no threads.
    pub fn new(base: &str) -> io::Result<Self> {
        use_ring();
        let http = Client::builder().timeout(TIMEOUT).build();
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()?;
        Ok(Self {
            base: base.trim_end_matches('/').to_owned(),
            http: http.map_err(io::Error::other)?,
            runtime,
        })
    }

    async fn get(&self, name: &str) -> io::Result<Option<Vec<u8>>> {
        let url = format!("{}/{name}", self.base);
        let answer = self.http.get(url).send().await.map_err(io::Error::other)?;
        match answer.status() {
            StatusCode::NOT_FOUND | StatusCode::GONE => return Ok(None),
            StatusCode::OK => {}
            other => return Err(io::Error::other(format!("the server answers {other}"))),
        }
        let mut answer = answer;
        let mut bytes = Vec::new();
        while let Some(part) = answer.chunk().await.map_err(io::Error::other)? {
            bytes.extend_from_slice(&part);
            if bytes.len() > FILE_BYTES_MAX {
                return Err(io::Error::other("the file is longer than any of a log"));
            }
        }
        Ok(Some(bytes))
    }
}

impl Source for HttpSource {
    fn read(&self, name: &str) -> io::Result<Option<Vec<u8>>> {
        let mut tries = 1;
        loop {
            match self.runtime.block_on(self.get(name)) {
                Err(_) if tries < TRIES => tries += 1,
                done => return done,
            }
        }
    }
}

/// A tile or bundle as it is found: under its own name, or in a wider one.
pub(super) enum Read {
    /// The file of this very width.
    Exact(Vec<u8>),
    /// A full one, of which only the beginning is under the checkpoint.
    Wider(Vec<u8>),
    /// There is none.
    Missing,
}

/// Reads a tile or bundle. A part-filled one may have been superseded by the full one.
pub(super) fn read_tile(source: &dyn Source, tile: &Tile) -> io::Result<Read> {
    if let Some(bytes) = source.read(&tile::path(tile))? {
        return Ok(Read::Exact(bytes));
    }
    if u64::from(tile.width()) == WIDTH {
        return Ok(Read::Missing);
    }
    let (level, index) = (tile.level(), tile.level_index());
    let full = Tile::new(tile::HEIGHT, level, index, WIDTH as u32, tile.is_data());
    let found = source.read(&tile::path(&full))?;
    Ok(found.map_or(Read::Missing, Read::Wider))
}

/// Looks at the files that the tree of the checkpoint does not need: part-filled ones of earlier
/// checkpoints must be the beginnings of later ones, and nothing else may lie there. Gives the number of
/// leaves that the files speak of, where they can be listed.
pub(super) fn check_stray(source: &dyn Source, head: &Head, report: &mut Report) -> u64 {
    let names = source.list("tile").unwrap_or_else(|error| {
        report.unread("tile", &error.to_string());
        None
    });
    let mut longest = 0;
    for name in names.into_iter().flatten() {
        let resource = match tile::parse_path(&name) {
            Some(resource) => resource,
            // What a crash left of a file that was being written; nobody reads it.
            None if name.ends_with(".new") && name.contains("/.") => continue,
            None => {
                report.problem("unexpected_file", &name, "this is no file of a log");
                continue;
            }
        };
        let (Resource::Hashes(tile) | Resource::Entries(tile)) = resource;
        longest = longest.max(leaves_below(&tile));
        let level = u32::from(tile::HEIGHT) * u32::from(tile.level());
        let nodes = head.size.checked_shr(level).unwrap_or(0);
        let first = tile.level_index().saturating_mul(WIDTH);
        let there = nodes.saturating_sub(first).min(WIDTH);
        // The widest under the checkpoint was looked at already; wider ones are not under it yet.
        if u64::from(tile.width()) < there {
            check_superseded(source, &tile, there, &name, report);
        }
    }
    longest
}

/// How many leaves a log has at the least that has this tile.
fn leaves_below(tile: &Tile) -> u64 {
    let nodes = u128::from(tile.level_index()) * u128::from(WIDTH) + u128::from(tile.width());
    let level = u32::from(tile::HEIGHT) * u32::from(tile.level());
    // No log has more than a number of 64 bits counts; a tile that says so is no part of one.
    let leaves = nodes << level.min(u64::BITS);
    u64::try_from(leaves).unwrap_or(u64::MAX)
}

fn check_superseded(source: &dyn Source, tile: &Tile, there: u64, name: &str, report: &mut Report) {
    let (level, index) = (tile.level(), tile.level_index());
    let later = Tile::new(tile::HEIGHT, level, index, there as u32, tile.is_data());
    let (old, new) = match (source.read(name), read_tile(source, &later)) {
        (Ok(old), Ok(Read::Exact(new) | Read::Wider(new))) => (old.unwrap_or_default(), new),
        (Err(error), _) | (_, Err(error)) => return report.unread(name, &error.to_string()),
        (_, Ok(Read::Missing)) => return, // Reported where it is missing.
    };
    let width = tile.width() as usize;
    let whole = if tile.is_data() {
        tile::entries(&old).is_ok_and(|entries| entries.len() == width)
    } else {
        old.len() == width * tlog_tiles::HASH_SIZE
    };
    // A later file that was changed is reported already, and says nothing about this one.
    if report.touches(&later) {
        return;
    }
    if !whole || !new.starts_with(&old) {
        let what = "an earlier, part-filled file is not the beginning of the later one";
        let kind = if tile.is_data() {
            "entry_hash"
        } else {
            "tile_hash"
        };
        report.problem(kind, name, what);
    }
}
