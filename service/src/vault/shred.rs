//! A file of secrets that can be destroyed one by one.
//!
//! **Shape.** An array of 32-byte secrets. One goes into the wrapping of each data key, so that
//! a data key whose slot was overwritten cannot be unwrapped from any copy of its record: not
//! from an append-only log, not from a backup. Slots are drawn at random a block at a time, so
//! giving one out costs no write.
//!
//! **Invariants.** A slot is given out once: what a process leaves over of its block is skipped
//! by the next. A slot of zeros was destroyed. The file is never copied with the store; to put an
//! old copy of it back is harmless only together with the list of what was erased, which
//! [`super::subjects`] goes through at each start.
//!
//! **What it cannot do.** Overwriting reaches the file system's block. Whether a flash drive
//! keeps an older copy of it is for full-disk encryption to make harmless.

use std::{
    fs::{File, OpenOptions},
    io,
    os::unix::fs::{FileExt, OpenOptionsExt, PermissionsExt},
    path::Path,
};

use parking_lot::Mutex;
use ring::rand::{SecureRandom, SystemRandom};
use zeroize::Zeroizing;

/// Bytes of a slot.
const SLOT_BYTES: usize = 32;
/// How many slots are drawn at once.
const BLOCK: u64 = 1024;

/// See the module.
pub struct ShredFile {
    file: File,
    random: SystemRandom,
    free: Mutex<Free>,
}

/// The slots that are drawn and not given out.
struct Free {
    next: u64,
    end: u64,
}

impl ShredFile {
    /// Opens the file, or makes it.
    ///
    /// # Errors
    /// When it cannot be, or others can read it.
    pub fn open(path: &Path) -> io::Result<Self> {
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(path)?;
        let metadata = file.metadata()?;
        if metadata.permissions().mode() & 0o077 != 0 {
            let why = "the shred file can be read by others; run chmod 600 on it";
            return Err(io::Error::new(io::ErrorKind::PermissionDenied, why));
        }
        // A block that was torn when the machine stopped was never given out.
        let end = metadata.len().div_ceil(SLOT_BYTES as u64);
        let free = Mutex::new(Free { next: end, end });
        let random = SystemRandom::new();
        Ok(Self { file, random, free })
    }

    /// A slot that was never given out before.
    ///
    /// # Errors
    /// When a new block cannot be written, once in 1,024 times.
    pub fn take(&self) -> io::Result<u64> {
        let mut free = self.free.lock();
        if free.next == free.end {
            let mut block = Zeroizing::new(vec![0; SLOT_BYTES * BLOCK as usize]);
            self.random
                .fill(&mut block)
                .map_err(|_| io::Error::other("the operating system gives no randomness"))?;
            self.file
                .write_all_at(&block, free.end * SLOT_BYTES as u64)?;
            self.file.sync_data()?;
            free.end += BLOCK;
        }
        let slot = free.next;
        free.next += 1;
        Ok(slot)
    }

    /// The secret of a slot; `None` when it was destroyed, or never there.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn read(&self, slot: u64) -> io::Result<Option<Zeroizing<[u8; SLOT_BYTES]>>> {
        let mut secret = Zeroizing::new([0; SLOT_BYTES]);
        let at = slot.checked_mul(SLOT_BYTES as u64);
        // No file reaches beyond what a signed number can say, and the kernel refuses to look there.
        let Some(at) = at.filter(|at| i64::try_from(*at).is_ok()) else {
            return Ok(None);
        };
        match self.file.read_exact_at(secret.as_mut_slice(), at) {
            Ok(()) if secret.iter().all(|byte| *byte == 0) => Ok(None),
            Ok(()) => Ok(Some(secret)),
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Overwrites a slot. Returns when that is on disk.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn destroy(&self, slot: u64) -> io::Result<()> {
        let at = slot.saturating_mul(SLOT_BYTES as u64);
        self.file.write_all_at(&[0; SLOT_BYTES], at)?;
        self.file.sync_data()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_destroyed_slot_is_gone_and_the_others_stay() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("shred");
        let file = ShredFile::open(&path).unwrap();
        let (a, b) = (file.take().unwrap(), file.take().unwrap());
        let (secret_a, secret_b) = (file.read(a).unwrap().unwrap(), file.read(b).unwrap());
        file.destroy(a).unwrap();
        assert!(file.read(a).unwrap().is_none());
        assert_eq!(file.read(b).unwrap(), secret_b);
        let bytes = std::fs::read(&path).unwrap();
        assert!(
            !bytes
                .windows(SLOT_BYTES)
                .any(|it| it == secret_a.as_slice())
        );

        let again = ShredFile::open(&path).unwrap();
        assert!(again.read(a).unwrap().is_none());
        assert_eq!(again.read(b).unwrap(), secret_b);
        let c = again.take().unwrap();
        assert!(c > b, "no slot is given out twice");
        assert!(again.read(u64::MAX).unwrap().is_none());
    }
}
