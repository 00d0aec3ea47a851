//! The key of an export: a file of 32 random bytes in hexadecimal, which only its owner may read. It
//! opens everything that is in the export; it is destroyed when the import is done.

use std::{
    fs::{File, OpenOptions},
    io::{self, Read, Write},
    os::unix::fs::{OpenOptionsExt, PermissionsExt},
    path::Path,
};

use ring::rand::{SecureRandom, SystemRandom};
use zeroize::Zeroizing;

use super::{MigrateError, file::failed};

/// What seals an export.
pub struct ExportKey(Zeroizing<[u8; 32]>);

impl ExportKey {
    /// The bytes.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        self.0.as_slice()
    }

    /// The key in a file.
    ///
    /// # Errors
    /// When there is none, or others may read it.
    pub fn read(path: &Path) -> Result<Self, MigrateError> {
        Self::load(path).map_err(|error| failed(path, error))
    }

    /// The key in a file, which is made if there is none.
    ///
    /// # Errors
    /// As [`ExportKey::read`], and when it cannot be written.
    pub fn read_or_make(path: &Path) -> Result<Self, MigrateError> {
        match make(path) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(failed(path, error)),
            _ => Self::read(path),
        }
    }

    fn load(path: &Path) -> io::Result<Self> {
        let file = File::open(path)?;
        if file.metadata()?.permissions().mode() & 0o077 != 0 {
            let why = "others can read it; run chmod 600 on it";
            return Err(io::Error::new(io::ErrorKind::PermissionDenied, why));
        }
        let mut text = Zeroizing::new(String::with_capacity(128));
        file.take(128).read_to_string(&mut text)?;
        let mut bytes = Zeroizing::new([0; 32]);
        hex::decode_to_slice(text.trim(), bytes.as_mut_slice())
            .map_err(|_| io::Error::other("it is not 32 bytes in hexadecimal"))?;
        Ok(Self(bytes))
    }
}

fn make(path: &Path) -> io::Result<()> {
    let mut options = OpenOptions::new();
    let mut file = options
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)?;
    let mut bytes = Zeroizing::new([0; 32]);
    let random = SystemRandom::new();
    random
        .fill(bytes.as_mut_slice())
        .map_err(|_| io::Error::other("the operating system gives no randomness"))?;
    let text = Zeroizing::new(hex::encode(bytes.as_slice()));
    file.write_all(text.as_bytes())?;
    file.sync_all()
}
