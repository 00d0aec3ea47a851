//! A folder of the operating system.

use std::{
    fs, io,
    os::unix::fs::{DirBuilderExt, FileExt},
    path::{Path, PathBuf},
    sync::Arc,
};

use super::{Disk, File};

/// A folder that exists.
#[derive(Clone, Debug)]
pub struct Folder {
    path: PathBuf,
    writable: bool,
}

impl Folder {
    /// Takes the folder at `path`, made together with those above it if it was absent, for its owner
    /// alone: what is in it concerns nobody else on the machine.
    ///
    /// # Errors
    /// What the operating system says, for instance that it may not be made.
    pub fn make(path: &Path) -> io::Result<Self> {
        let mut maker = fs::DirBuilder::new();
        maker.recursive(true).mode(0o700).create(path)?;
        // The folder's own name must survive too, or a new store could vanish whole.
        if let Some(parent) = path.canonicalize()?.parent() {
            fs::File::open(parent)?.sync_all()?;
        }
        Ok(Self {
            path: path.to_path_buf(),
            writable: true,
        })
    }

    /// Takes the folder at `path`, which must exist.
    ///
    /// # Errors
    /// `NotFound` or `NotADirectory`, or what else the operating system says.
    pub fn at(path: &Path) -> io::Result<Self> {
        fs::read_dir(path)?;
        Ok(Self {
            path: path.to_path_buf(),
            writable: true,
        })
    }

    /// Takes the folder at `path`, whose files will only be read.
    ///
    /// # Errors
    /// As [`Folder::at`].
    pub fn read_only(path: &Path) -> io::Result<Self> {
        Ok(Self {
            writable: false,
            ..Self::at(path)?
        })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    fn file(file: fs::File) -> Arc<dyn File> {
        Arc::new(Real(file))
    }
}

impl Disk for Folder {
    fn names(&self) -> io::Result<Vec<String>> {
        let entries = fs::read_dir(&self.path)?;
        // A name that is not Unicode is none of ours.
        entries
            .filter_map(|entry| {
                entry
                    .map(|it| it.file_name().into_string().ok())
                    .transpose()
            })
            .collect()
    }

    fn open(&self, name: &str) -> io::Result<Arc<dyn File>> {
        let path = self.path.join(name);
        fs::OpenOptions::new()
            .read(true)
            .write(self.writable)
            .open(path)
            .map(Self::file)
    }

    fn create(&self, name: &str) -> io::Result<Arc<dyn File>> {
        let path = self.path.join(name);
        let mut options = fs::OpenOptions::new();
        options
            .read(true)
            .write(true)
            .create(true)
            .truncate(true)
            .open(path)
            .map(Self::file)
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        fs::rename(self.path.join(from), self.path.join(to))
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        fs::remove_file(self.path.join(name))
    }

    fn sync_names(&self) -> io::Result<()> {
        fs::File::open(&self.path)?.sync_all()
    }
}

struct Real(fs::File);

impl File for Real {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        self.0.read_at(buffer, offset)
    }

    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<usize> {
        self.0.write_at(bytes, offset)
    }

    fn sync_data(&self) -> io::Result<()> {
        self.0.sync_data()
    }

    fn size(&self) -> io::Result<u64> {
        Ok(self.0.metadata()?.len())
    }
}
