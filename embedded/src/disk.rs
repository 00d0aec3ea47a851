//! The file system, as far as the store uses it: a flat folder of files that are read and written
//! at offsets.
//!
//! **Why a port.** What the store promises is about the worst moments of a disk: a write cut short,
//! a sync that fails, power lost between two sectors. Those moments are made in tests by another
//! implementation of this port; [`Folder`] is the real one.
//!
//! **Shape.** Names are plain file names, never paths. A [`File`] may be used from many threads;
//! every read and write says where.
//!
//! **Invariant.** Nothing here buffers. What [`File::sync_data`] has confirmed survives the loss of
//! power; what has not been confirmed may survive in part, by whole sectors. A name survives only
//! after [`Disk::sync_names`].

use std::{io, sync::Arc};

mod folder;
#[cfg(feature = "simulated")]
pub mod simulated;

pub use folder::Folder;

/// A folder of files.
pub trait Disk: Send + Sync + 'static {
    /// The names of all files, in no order.
    fn names(&self) -> io::Result<Vec<String>>;

    /// Opens a file that exists, for reading and writing.
    fn open(&self, name: &str) -> io::Result<Arc<dyn File>>;

    /// Makes an empty file, in place of any of that name.
    fn create(&self, name: &str) -> io::Result<Arc<dyn File>>;

    /// Gives a file another name, in place of any file of that name.
    fn rename(&self, from: &str, to: &str) -> io::Result<()>;

    /// Removes a file.
    fn remove(&self, name: &str) -> io::Result<()>;

    /// Makes the names durable: those created, renamed and removed until now.
    fn sync_names(&self) -> io::Result<()>;
}

/// A file that is read and written at offsets, in bytes.
pub trait File: Send + Sync {
    /// Reads some bytes at `offset`; fewer than asked for is no error, and 0 is the end.
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize>;

    /// Writes some of `bytes` at `offset` and says how many; fewer than all is no error.
    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<usize>;

    /// Makes everything written until now durable, with the length if it grew.
    fn sync_data(&self) -> io::Result<()>;

    /// The length in bytes.
    fn size(&self) -> io::Result<u64>;
}

/// Writes all of `bytes` at `offset`, in as many writes as the disk needs.
///
/// # Errors
/// The first error of the disk, whatever was written before it; `WriteZero` if it stops taking bytes.
pub fn write_all(file: &dyn File, mut bytes: &[u8], mut offset: u64) -> io::Result<()> {
    while !bytes.is_empty() {
        match file.write_at(bytes, offset) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(written) => {
                bytes = &bytes[written..];
                offset += written as u64;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Fills `buffer` from `offset` on and says how much of it there was before the end of the file.
///
/// # Errors
/// The first error of the disk.
pub fn read_full(file: &dyn File, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match file.read_at(&mut buffer[filled..], offset + filled as u64) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

/// Fills `buffer` from `offset` on.
///
/// # Errors
/// `UnexpectedEof` if the file ends before; else the first error of the disk.
pub fn read_exact(file: &dyn File, buffer: &mut [u8], offset: u64) -> io::Result<()> {
    match read_full(file, buffer, offset)? {
        read if read == buffer.len() => Ok(()),
        _ => Err(io::ErrorKind::UnexpectedEof.into()),
    }
}

/// Whether an error says that there is no room: no free blocks, or no more for this user or for
/// this process's files (`ulimit -f`).
pub fn is_full(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge
    )
}

/// Whether an error says that the folder may not be written.
pub fn is_read_only(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ReadOnlyFilesystem | io::ErrorKind::PermissionDenied
    )
}
