//! Where the log's files are kept: a folder, or a bucket.
//!
//! The port asks for little, so that S3 can serve it: whole files under slash-separated names.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    io::{self, Write},
    path::{Path, PathBuf},
    sync::Arc,
};

use bytes::Bytes;
use futures_util::{FutureExt, future::BoxFuture};
use parking_lot::Mutex;

/// Files under names.
pub trait Blobs: Send + Sync + 'static {
    /// Writes a file, or replaces it whole: nobody ever reads a part. It survives a crash of the
    /// machine once [`Blobs::sync`] has returned; until then it may be lost or be damaged by one.
    fn put(&self, name: &str, bytes: Bytes) -> BoxFuture<'_, io::Result<()>>;

    /// The same, and it survives when this returns.
    fn put_durable(&self, name: &str, bytes: Bytes) -> BoxFuture<'_, io::Result<()>>;

    /// Reads a file, `None` when there is none.
    fn get(&self, name: &str) -> BoxFuture<'_, io::Result<Option<Bytes>>>;

    /// Makes everything that was put before durable.
    fn sync(&self) -> BoxFuture<'_, io::Result<()>>;

    /// Removes every file whose name begins with `prefix`, which ends with a slash, or the one
    /// file of this name. Best effort: what cannot be removed (an object lock) may stay.
    fn remove(&self, name_or_prefix: &str) -> BoxFuture<'_, io::Result<()>>;
}

/// Files in a folder.
pub struct Folder {
    root: PathBuf,
    /// What was put and may not be durable yet.
    unsynced: Arc<Mutex<BTreeSet<PathBuf>>>,
}

impl Folder {
    /// The folder `root`, made if it is not there.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn open(root: &Path) -> io::Result<Self> {
        fs::create_dir_all(root)?;
        Ok(Self {
            root: root.to_owned(),
            unsynced: Arc::default(),
        })
    }
}

/// Writes beside the file and renames, so that a reader sees the old or the new one.
fn replace(path: &Path, bytes: &[u8], durable: bool) -> io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let beside = folder.join(format!(".{name}.new"));
    let mut file = match fs::File::create(&beside) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            fs::create_dir_all(folder)?;
            fs::File::create(&beside)?
        }
        made => made?,
    };
    file.write_all(bytes)?;
    if durable {
        file.sync_all()?;
    }
    fs::rename(&beside, path)?;
    if durable {
        fs::File::open(folder)?.sync_all()?;
    }
    Ok(())
}

/// Makes files durable, one by one, and then their names.
///
/// One call for the whole file system (`syncfs`) would be shorter and, at dozens of files a second,
/// cheaper. It also waits for whatever anybody else has written, and the payments' own commits wait
/// with it: up to a tenth of a second on a disk that others use too. File by file, nobody waits longer
/// than for one small file.
fn sync_all(root: &Path, files: BTreeSet<PathBuf>) -> io::Result<()> {
    let mut folders = BTreeSet::from([root.to_owned()]);
    for path in &files {
        match fs::File::open(path) {
            Ok(file) => file.sync_data()?,
            // Superseded and removed meanwhile: there is nothing to keep.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
        let above = path.ancestors().skip(1);
        folders.extend(above.take_while(|it| *it != root).map(Path::to_owned));
    }
    for folder in folders {
        match fs::File::open(&folder) {
            Ok(folder) => folder.sync_all()?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

async fn apart<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done,
        Err(error) => Err(io::Error::other(error)),
    }
}

impl Blobs for Folder {
    fn put(&self, name: &str, bytes: Bytes) -> BoxFuture<'_, io::Result<()>> {
        let path = self.root.join(name);
        let unsynced = self.unsynced.clone();
        apart(move || {
            replace(&path, &bytes, false)?;
            unsynced.lock().insert(path);
            Ok(())
        })
        .boxed()
    }

    fn put_durable(&self, name: &str, bytes: Bytes) -> BoxFuture<'_, io::Result<()>> {
        let path = self.root.join(name);
        apart(move || replace(&path, &bytes, true)).boxed()
    }

    fn get(&self, name: &str) -> BoxFuture<'_, io::Result<Option<Bytes>>> {
        let path = self.root.join(name);
        apart(move || match fs::read(&path) {
            Ok(bytes) => Ok(Some(bytes.into())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            // `tile/0/000.p` is asked for as a file and is a folder, or the other way round.
            Err(error) if error.kind() == io::ErrorKind::NotADirectory => Ok(None),
            Err(error) if error.kind() == io::ErrorKind::IsADirectory => Ok(None),
            Err(error) => Err(error),
        })
        .boxed()
    }

    fn sync(&self) -> BoxFuture<'_, io::Result<()>> {
        let (root, unsynced) = (self.root.clone(), self.unsynced.clone());
        apart(move || {
            let files = std::mem::take(&mut *unsynced.lock());
            let synced = sync_all(&root, files.clone());
            if synced.is_err() {
                // They are not known to be durable, and the next sync must not say so.
                unsynced.lock().extend(files);
            }
            synced
        })
        .boxed()
    }

    fn remove(&self, name_or_prefix: &str) -> BoxFuture<'_, io::Result<()>> {
        let path = self.root.join(name_or_prefix.trim_end_matches('/'));
        let whole = name_or_prefix.ends_with('/');
        apart(move || {
            let removed = if whole {
                fs::remove_dir_all(&path)
            } else {
                fs::remove_file(&path)
            };
            match removed {
                Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
                _ => Ok(()),
            }
        })
        .boxed()
    }
}

/// Files in memory, for tests and simulations.
#[derive(Default)]
pub struct MemoryBlobs {
    files: Mutex<BTreeMap<String, Bytes>>,
}

impl MemoryBlobs {
    /// Every file, in the order of the names.
    #[must_use]
    pub fn files(&self) -> BTreeMap<String, Bytes> {
        self.files.lock().clone()
    }
}

impl Blobs for MemoryBlobs {
    fn put(&self, name: &str, bytes: Bytes) -> BoxFuture<'_, io::Result<()>> {
        self.files.lock().insert(name.to_owned(), bytes);
        async { Ok(()) }.boxed()
    }

    fn put_durable(&self, name: &str, bytes: Bytes) -> BoxFuture<'_, io::Result<()>> {
        self.put(name, bytes)
    }

    fn get(&self, name: &str) -> BoxFuture<'_, io::Result<Option<Bytes>>> {
        let found = self.files.lock().get(name).cloned();
        async move { Ok(found) }.boxed()
    }

    fn sync(&self) -> BoxFuture<'_, io::Result<()>> {
        async { Ok(()) }.boxed()
    }

    fn remove(&self, name_or_prefix: &str) -> BoxFuture<'_, io::Result<()>> {
        let of_it = |name: &str| {
            if name_or_prefix.ends_with('/') {
                name.starts_with(name_or_prefix)
            } else {
                name == name_or_prefix
            }
        };
        self.files.lock().retain(|name, _| !of_it(name));
        async { Ok(()) }.boxed()
    }
}
