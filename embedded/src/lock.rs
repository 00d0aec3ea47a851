//! One process per folder: an advisory lock on the file `LOCK`, which names its owner.
//!
//! The kernel gives the lock back when its owner ends, in whatever way, so a crash leaves none behind and
//! nobody ever has to remove the file.

use std::{
    fs::{File, OpenOptions, TryLockError},
    io::{self, Read, Seek, Write},
    path::{Path, PathBuf},
    process,
};

use crate::disk::{is_full, is_read_only};

const NAME: &str = "LOCK";

/// The right to use a folder, until it is dropped.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

/// Why the folder may not be used.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Another store has it open: in another process, or in this one.
    #[error(
        "the data folder {} is in use by {}; stop that one first, or choose another folder",
        path.display(), owner(*pid)
    )]
    InUse {
        /// The folder.
        path: PathBuf,
        /// The owner, if it has said so.
        pid: Option<u32>,
    },
    /// The folder may be read but not written.
    #[error(
        "the data folder {} is read-only; give this user the right to write to it, or remount it",
        path.display()
    )]
    ReadOnly {
        /// The folder.
        path: PathBuf,
        /// What the operating system said.
        #[source]
        source: io::Error,
    },
    /// There is no room for a file of a few bytes.
    #[error("storage full: there is no room in the data folder {}; free some space", path.display())]
    Full {
        /// The folder.
        path: PathBuf,
        /// What the operating system said.
        #[source]
        source: io::Error,
    },
    /// The lock could not be taken for another reason.
    #[error("the data folder {} could not be locked", path.display())]
    Io {
        /// The folder.
        path: PathBuf,
        /// What the operating system said.
        #[source]
        source: io::Error,
    },
}

fn owner(pid: Option<u32>) -> String {
    match pid {
        Some(pid) if pid == process::id() => {
            format!("this process ({pid}), which opened it before")
        }
        Some(pid) => format!("process {pid}"),
        None => "another process".into(),
    }
}

impl Lock {
    /// Takes the lock of a folder that exists, or says at once why not.
    ///
    /// # Errors
    /// The variants of [`LockError`] say what to do.
    pub fn take(folder: &Path) -> Result<Self, LockError> {
        let failed = |source| failure(folder, source);
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        let mut file = options.open(folder.join(NAME)).map_err(failed)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut owner = String::new();
                // An owner that has not yet written its number is one whose number we do not know.
                let pid = file
                    .read_to_string(&mut owner)
                    .ok()
                    .and_then(|_| owner.trim().parse().ok());
                return Err(LockError::InUse {
                    path: folder.into(),
                    pid,
                });
            }
            Err(TryLockError::Error(error)) => return Err(failed(error)),
        }
        file.set_len(0)
            .and_then(|()| file.rewind())
            .map_err(failed)?;
        writeln!(file, "{}", process::id()).map_err(failed)?;
        Ok(Self { _file: file })
    }
}

impl Lock {
    /// Gives the lock back and removes its file, so that nothing is left of it.
    pub(crate) fn remove(self, folder: &Path) -> io::Result<()> {
        std::fs::remove_file(folder.join(NAME))
    }
}

fn failure(folder: &Path, source: io::Error) -> LockError {
    let path = folder.into();
    match source {
        source if is_read_only(&source) => LockError::ReadOnly { path, source },
        source if is_full(&source) => LockError::Full { path, source },
        source => LockError::Io { path, source },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_owner_is_told_who_is_the_first() {
        let folder = tempfile::tempdir().expect("a folder");
        let lock = Lock::take(folder.path()).expect("nobody has it");
        let refused = Lock::take(folder.path())
            .expect_err("it is taken")
            .to_string();
        assert!(
            refused.contains(&format!("in use by this process ({})", process::id())),
            "{refused}"
        );
        drop(lock);
        Lock::take(folder.path()).expect("it was given back");
    }

    #[test]
    fn a_folder_that_cannot_be_written_is_named_as_such() {
        for kind in [
            io::ErrorKind::ReadOnlyFilesystem,
            io::ErrorKind::PermissionDenied,
        ] {
            let text = failure(Path::new("/data"), kind.into()).to_string();
            assert_eq!(
                text,
                "the data folder /data is read-only; give this user the right to write to it, or remount it"
            );
        }
        let text = failure(Path::new("/data"), io::ErrorKind::StorageFull.into()).to_string();
        assert!(text.starts_with("storage full"), "{text}");
    }
}
