//! Keeps an uploaded file while it is read twice: first to its end, so that nothing is paid of a file that
//! does not add up, and then to be paid.
//!
//! **Two ways.** Given a folder, the file is kept there until all its rows are decided ([`Kept`]), and a run that
//! a crash ended is gone on with ([`super::resume`]). Without one it is in memory while it is small, then in
//! a file without a name, and gone when the process is.
//!
//! **Shape.** Payment files are personal data, so nothing can be read on the disk: chunks of [`CHUNK`] bytes, each
//! sealed by AES-256-GCM with its number as nonce. The key seals one file and is never used again, so no
//! nonce repeats; it is in memory and, of a kept file, sealed by the vault in the batch's record.

use std::{
    fs::File,
    io::{self, BufRead, Read, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
    sync::Arc,
};

use lombard_core::{id::Id, payment::Batch, payment::Sealed, tenant::TenantId};
use parking_lot::Mutex;
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use tempfile::TempPath;
use zeroize::Zeroizing;

use crate::ports::{Host, Vault, VaultError};

/// Bytes sealed at once.
const CHUNK: usize = 64 * 1024;
/// Bytes that are kept in memory before the file is begun.
const MEMORY: usize = 16 * CHUNK;
/// Bytes that sealing adds to a chunk.
const TAG: usize = 16;

/// How the names of kept files begin.
const PREFIX: &str = "batch-";

/// Where a file is kept, and what opens it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kept {
    /// Its name in the folder.
    pub file: String,
    /// Its key, sealed for the batch.
    pub key: Sealed,
}

/// A file that is arriving.
pub struct Incoming {
    folder: Option<PathBuf>,
    secret: Zeroizing<[u8; 32]>,
    key: LessSafeKey,
    hash: Sha256,
    bytes: u64,
    /// What is not sealed yet. All of it, while there is no file.
    plain: Zeroizing<Vec<u8>>,
    file: Option<(File, Option<TempPath>)>,
    chunks: u64,
}

/// A file that has arrived whole.
pub struct Spool {
    held: Arc<Held>,
    /// SHA-256 of the file.
    pub digest: [u8; 32],
    /// How long it is.
    pub bytes: u64,
}

enum Held {
    Memory(Zeroizing<Vec<u8>>),
    Disk {
        file: File,
        key: Box<LessSafeKey>,
        /// Of a file with a name that goes when this does, and what opens it.
        named: Mutex<Option<TempPath>>,
        secret: Zeroizing<[u8; 32]>,
    },
}

impl Incoming {
    /// Nothing yet. What arrives can be kept if there is a folder.
    #[must_use]
    pub fn new(host: &dyn Host, folder: Option<&Path>) -> Self {
        let mut secret = Zeroizing::new([0; 32]);
        secret[..16].copy_from_slice(&host.random().to_be_bytes());
        secret[16..].copy_from_slice(&host.random().to_be_bytes());
        Self {
            folder: folder.map(Path::to_owned),
            key: key_of(&secret),
            secret,
            hash: Sha256::new(),
            bytes: 0,
            plain: Zeroizing::default(),
            file: None,
            chunks: 0,
        }
    }

    /// How much has arrived.
    #[must_use]
    pub const fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Takes in the next bytes. Blocks on the disk.
    ///
    /// # Errors
    /// When the disk takes no more.
    pub fn push(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.hash.update(bytes);
        self.bytes += bytes.len() as u64;
        self.plain.extend_from_slice(bytes);
        if self.file.is_none() {
            self.file = match &self.folder {
                Some(folder) => {
                    let named = tempfile::Builder::new()
                        .prefix(PREFIX)
                        .tempfile_in(folder)?;
                    let (file, path) = named.into_parts();
                    Some((file, Some(path)))
                }
                None if self.plain.len() > MEMORY => Some((tempfile::tempfile()?, None)),
                None => None,
            };
        }
        if self.file.is_some() {
            self.write_full_chunks()?;
        }
        Ok(())
    }

    fn write_full_chunks(&mut self) -> io::Result<()> {
        let mut written = 0;
        while self.plain.len() - written >= CHUNK {
            let chunk = self.plain[written..written + CHUNK].to_vec();
            self.write_chunk(chunk)?;
            written += CHUNK;
        }
        self.plain.drain(..written);
        Ok(())
    }

    fn write_chunk(&mut self, mut chunk: Vec<u8>) -> io::Result<()> {
        let sealed =
            self.key
                .seal_in_place_append_tag(nonce(self.chunks), Aad::empty(), &mut chunk);
        sealed.map_err(|_| io::Error::other("a chunk cannot be sealed"))?;
        self.chunks += 1;
        match &mut self.file {
            Some((file, _)) => file.write_all(&chunk),
            None => Ok(()),
        }
    }

    /// That was all.
    ///
    /// # Errors
    /// When the disk takes no more.
    pub fn end(mut self) -> io::Result<Spool> {
        if self.file.is_some() && !self.plain.is_empty() {
            let rest = std::mem::take(&mut *self.plain);
            self.write_chunk(rest)?;
        }
        let held = match self.file {
            Some((file, named)) => {
                if named.is_some() {
                    file.sync_all()?;
                }
                Held::Disk {
                    file,
                    key: Box::new(self.key),
                    named: Mutex::new(named),
                    secret: self.secret,
                }
            }
            None => Held::Memory(self.plain),
        };
        Ok(Spool {
            held: Arc::new(held),
            digest: self.hash.finalize().into(),
            bytes: self.bytes,
        })
    }
}

fn key_of(secret: &[u8; 32]) -> LessSafeKey {
    let Ok(key) = UnboundKey::new(&AES_256_GCM, secret) else {
        unreachable!("AES-256 takes any 32 bytes");
    };
    LessSafeKey::new(key)
}

fn nonce(chunk: u64) -> Nonce {
    let mut bytes = [0; 12];
    bytes[4..].copy_from_slice(&chunk.to_be_bytes());
    Nonce::assume_unique_for_key(bytes)
}

/// The bytes on the disk of a file of so many.
const fn sealed_bytes(plain: u64) -> u64 {
    plain + plain.div_ceil(CHUNK as u64) * TAG as u64
}

impl Spool {
    /// How a later process finds it and opens it; `None` if it goes with this one.
    ///
    /// # Errors
    /// See [`VaultError`].
    pub fn kept(
        &self,
        vault: &dyn Vault,
        tenant: TenantId,
        batch: Id<Batch>,
    ) -> Result<Option<Kept>, VaultError> {
        let Held::Disk { named, secret, .. } = &*self.held else {
            return Ok(None);
        };
        let name = named.lock().as_ref().and_then(|path| {
            let name = path.file_name()?.to_str()?;
            Some(name.to_owned())
        });
        let Some(file) = name else { return Ok(None) };
        let key = vault.seal(tenant, &batch.to_string(), &**secret)?;
        Ok(Some(Kept { file, key }))
    }

    /// From now on it stays until it is removed by its name.
    ///
    /// # Errors
    /// When the system does not let it stay.
    pub fn keep(&self) -> io::Result<()> {
        if let Held::Disk { named, .. } = &*self.held
            && let Some(path) = named.lock().take()
        {
            path.keep()?;
        }
        Ok(())
    }

    /// Opens a file that an earlier process kept for a batch, of which its record knows digest and length.
    ///
    /// # Errors
    /// When it is not there, or cannot be what was kept.
    pub fn reopen(path: &Path, secret: &[u8], digest: [u8; 32], bytes: u64) -> io::Result<Self> {
        let invalid = |text: &str| io::Error::new(io::ErrorKind::InvalidData, text.to_owned());
        let secret: [u8; 32] = secret.try_into().map_err(|_| invalid("not a key"))?;
        let secret = Zeroizing::new(secret);
        let file = File::open(path)?;
        if file.metadata()?.len() != sealed_bytes(bytes) {
            return Err(invalid("the kept file is not as long as it was"));
        }
        let held = Held::Disk {
            file,
            key: Box::new(key_of(&secret)),
            named: Mutex::new(None),
            secret,
        };
        Ok(Self {
            held: Arc::new(held),
            digest,
            bytes,
        })
    }

    /// Reads it from the beginning. One reader at a time: they share the file's place.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn read(&mut self) -> io::Result<SpoolReader> {
        if let Held::Disk { file, .. } = &*self.held {
            (&*file).seek(SeekFrom::Start(0))?;
        }
        Ok(SpoolReader {
            held: self.held.clone(),
            chunk: Zeroizing::default(),
            at: 0,
            next: 0,
        })
    }
}

/// Reads a spooled file. Blocks on the disk.
pub struct SpoolReader {
    held: Arc<Held>,
    /// The opened chunk; the whole is read in place while it is in memory.
    chunk: Zeroizing<Vec<u8>>,
    at: usize,
    next: u64,
}

impl SpoolReader {
    fn open_next(&mut self) -> io::Result<()> {
        let Held::Disk { file, key, .. } = &*self.held else {
            return Ok(());
        };
        let mut sealed = std::mem::take(&mut *self.chunk);
        sealed.clear();
        let rest: &File = file;
        rest.take((CHUNK + TAG) as u64).read_to_end(&mut sealed)?;
        if !sealed.is_empty() {
            let opened = key.open_in_place(nonce(self.next), Aad::empty(), &mut sealed);
            let plain = opened
                .map_err(|_| io::Error::new(io::ErrorKind::InvalidData, "a chunk was changed"))?
                .len();
            sealed.truncate(plain);
        }
        self.next += 1;
        self.at = 0;
        *self.chunk = sealed;
        Ok(())
    }
}

impl BufRead for SpoolReader {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if matches!(*self.held, Held::Disk { .. }) && self.at >= self.chunk.len() {
            self.open_next()?;
        }
        match &*self.held {
            Held::Memory(whole) => Ok(&whole[self.at.min(whole.len())..]),
            Held::Disk { .. } => Ok(&self.chunk[self.at..]),
        }
    }

    fn consume(&mut self, amount: usize) {
        self.at += amount;
    }
}

impl Read for SpoolReader {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let available = self.fill_buf()?;
        let taken = available.len().min(out.len());
        out[..taken].copy_from_slice(&available[..taken]);
        self.consume(taken);
        Ok(taken)
    }
}

/// Removes what no batch needs any more from the folder of kept files. Blocks on the disk.
///
/// # Errors
/// When the folder cannot be read, or a file in it not removed.
pub fn tidy(folder: &Path, needed: impl Fn(&str) -> bool) -> io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name();
        let ours = |name: &&str| name.starts_with(PREFIX);
        if name.to_str().filter(ours).is_some_and(|name| !needed(name)) {
            std::fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
