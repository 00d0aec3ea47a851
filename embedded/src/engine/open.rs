//! Opening: lock the folder, open the index, read the log after what the index covers, start the threads. What
//! the index covers is read afterwards, in the background.

use std::{
    io,
    path::Path,
    sync::{Arc, OnceLock, atomic::AtomicU64},
};

use lombard_core::command::Render;
use lombard_service::{metrics::label::Store, ports::Host, seldom::Seldom};
use parking_lot::{Condvar, Mutex, RwLock};
use tokio::sync::{mpsc, watch};

use super::{
    Engine,
    feed::Recent,
    group::Group,
    hot::Hot,
    indexer::Indexer,
    shared::{Published, Shared},
    spawn,
    writer::{Answers, QUEUE_MAX, Writer},
};
use crate::{
    disk::{Disk, Folder, is_full, is_read_only},
    filter::Filter,
    index::{self, CACHE_BYTES, Index, IndexError},
    load::Loader,
    lock::{Lock, LockError},
    log::{self, OpenError},
};

/// How the store is kept.
#[derive(Clone, Debug)]
pub struct Options {
    /// How its log is kept.
    pub log: log::Options,
    /// The size at which a memtable is handed to the indexer, in bytes of memory. A larger one makes larger
    /// batches, which cost less; it also makes opening after a crash slower, and takes memory: three are
    /// there at the most.
    pub freeze_bytes: usize,
    /// The page cache of the index in bytes.
    pub index_cache_bytes: usize,
    /// Under which name it is measured.
    pub store: Store,
}

impl Default for Options {
    fn default() -> Self {
        let log = log::Options::default();
        Self {
            log,
            freeze_bytes: 32 * 1024 * 1024,
            index_cache_bytes: CACHE_BYTES,
            store: Store::Ledger,
        }
    }
}

/// Why a store was not opened.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The folder may not be used.
    #[error(transparent)]
    Lock(#[from] LockError),
    /// The log was not opened.
    #[error(transparent)]
    Log(#[from] OpenError),
    /// The index can neither be used nor made again.
    #[error(transparent)]
    Index(#[from] IndexError),
    /// There is no room.
    #[error("storage full: there is no room in the data folder; free some space and start again")]
    Full(#[source] io::Error),
    /// The folder may not be written.
    #[error("the data folder is read-only; give this user the right to write to it, or remount it")]
    ReadOnly(#[source] io::Error),
    /// The operating system refused something else.
    #[error("the data folder cannot be used")]
    Io(#[source] io::Error),
}

impl From<io::Error> for StartError {
    fn from(error: io::Error) -> Self {
        match error {
            error if is_full(&error) => Self::Full(error),
            error if is_read_only(&error) => Self::ReadOnly(error),
            error => Self::Io(error),
        }
    }
}

pub fn open(
    folder: &Path,
    host: Arc<dyn Host>,
    render: Arc<dyn Render>,
    options: &Options,
) -> Result<Engine, StartError> {
    Folder::make(folder)?;
    let lock = Lock::take(folder)?;
    let disk = Arc::new(Folder::make(&folder.join("log"))?);
    let index = index::path(folder);
    let mut engine = open_on(disk, &index, Some(folder), host, render, options)?;
    engine._lock = Some(lock);
    Ok(engine)
}

pub fn open_on(
    disk: Arc<dyn Disk>,
    index: &Path,
    folder: Option<&Path>,
    host: Arc<dyn Host>,
    render: Arc<dyn Render>,
    options: &Options,
) -> Result<Engine, StartError> {
    let index = Index::open(index, options.index_cache_bytes)?;
    let known = index.covered()?;
    let mut loader = Loader::new(&index, known, options.freeze_bytes);
    let id = host.random().to_le_bytes();
    let opened = log::open(disk, &options.log, known, id, &mut |frame| {
        loader.take(frame)
    });
    if let Some(error) = loader.failed {
        return Err(error.into()); // The log was fine; that it was said to be damaged is our doing.
    }
    let opened = opened?;
    let active = loader.memtable;
    let (last, _) = opened.reader.head();
    let filter = Filter::new(last == 0);
    let published = Published {
        active,
        frozen: None,
        view: Arc::new(index.view()?),
    };
    let shared = Arc::new(Shared {
        published: RwLock::new(published),
        log: opened.reader,
        filter,
        recent: Mutex::new(Recent::default()),
        last: watch::Sender::new(last),
        covered: AtomicU64::new(known.map_or(0, |known| known.sequence)),
        indexing: Mutex::default(),
        indexed: Condvar::new(),
        failed: watch::Sender::default(),
        damaged: OnceLock::new(),
    });
    let (jobs, queue) = mpsc::channel(QUEUE_MAX);
    let freeze_bytes = options.freeze_bytes;
    let writer = Writer {
        shared: shared.clone(),
        log: opened.writer,
        host,
        render,
        freeze_bytes,
        store: options.store,
        hot: Hot::default(),
        group: Group::default(),
        answers: Answers::default(),
        traced: Vec::new(),
        refusals: Seldom::new(),
    };
    let indexer = Indexer {
        shared: shared.clone(),
        index,
        folder: folder.map(Path::to_path_buf),
    };
    let filling = shared.clone();
    let mut threads = vec![
        spawn("store-writer", move || writer.run(queue))?,
        spawn("store-index", move || indexer.run())?,
        spawn("store-filter", move || filling.fill_filter())?,
    ];
    // Tests that bring their own disk count what is read of it.
    if let (Some(known), Some(_)) = (known, folder) {
        let scrubbing = shared.clone();
        threads.push(spawn("store-scrub", move || scrubbing.scrub(&known))?);
    }
    Ok(Engine {
        shared,
        folder: folder.map(Path::to_path_buf),
        jobs: Some(jobs),
        threads,
        torn: opened.torn,
        _lock: None,
    })
}
