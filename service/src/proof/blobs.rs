//! Where the log's files are kept: a folder, or a bucket.
//!
//! The port asks for little, so that S3 can serve it: whole files under slash-separated names.

use std::{
    collections::BTreeMap,
    fs,
    io::{self, Write},
    path::{Path, PathBuf},
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
}

impl Folder {
    /// The folder `root`, made if it is not there.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn open(root: &Path) -> io::Result<Self> {
        fs::create_dir_all(root)?;
        let root = root.to_owned();
        Ok(Self { root })
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

/// One call for all files: the log writes dozens a second, and each by itself would make the
/// payments' own commits wait for the disk.
fn sync_all(root: &Path) -> io::Result<()> {
    #[cfg(target_os = "linux")]
    rustix::fs::syncfs(fs::File::open(root)?)?;
    #[cfg(not(target_os = "linux"))]
    rustix::fs::sync();
    Ok(())
}

/// Input and output wait for the disk, so they have a thread of their own.
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
        apart(move || replace(&path, &bytes, false)).boxed()
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
        let root = self.root.clone();
        apart(move || sync_all(&root)).boxed()
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
