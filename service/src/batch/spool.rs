//! Keeps an uploaded file while it is read twice: in memory while it is small, then in a file
//! without a name, encrypted under a key that exists only in this process.
//!
//! A batch is first read to its end, so that nothing is paid of a file that does not add up, and
//! then read again to be paid. Payment files are personal data, so what is on the disk in between
//! cannot be read by anybody, and is gone when the process is.
//!
//! **Shape.** Chunks of [`CHUNK`] bytes, each sealed by AES-256-GCM with its number as nonce; the
//! key seals one file and is never used again, so no nonce repeats.

use std::{
    fs::File,
    io::{self, BufRead, Read, Seek, SeekFrom, Write},
    sync::Arc,
};

use ring::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::ports::Host;

/// Bytes sealed at once.
const CHUNK: usize = 64 * 1024;
/// Bytes that are kept in memory before the file is begun.
const MEMORY: usize = 16 * CHUNK;
/// Bytes that sealing adds to a chunk.
const TAG: usize = 16;

/// A file that is arriving.
pub struct Incoming {
    key: LessSafeKey,
    hash: Sha256,
    bytes: u64,
    /// What is not sealed yet. All of it, while there is no file.
    plain: Zeroizing<Vec<u8>>,
    file: Option<File>,
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
    Disk { file: File, key: Box<LessSafeKey> },
}

impl Incoming {
    /// Nothing yet.
    #[must_use]
    pub fn new(host: &dyn Host) -> Self {
        let mut bytes = Zeroizing::new([0; 32]);
        bytes[..16].copy_from_slice(&host.random().to_be_bytes());
        bytes[16..].copy_from_slice(&host.random().to_be_bytes());
        let Ok(key) = UnboundKey::new(&AES_256_GCM, &*bytes) else {
            unreachable!("AES-256 takes any 32 bytes");
        };
        Self {
            key: LessSafeKey::new(key),
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
        if self.file.is_none() && self.plain.len() > MEMORY {
            self.file = Some(tempfile::tempfile()?);
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
            Some(file) => file.write_all(&chunk),
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
            Some(file) => Held::Disk {
                file,
                key: Box::new(self.key),
            },
            None => Held::Memory(self.plain),
        };
        Ok(Spool {
            held: Arc::new(held),
            digest: self.hash.finalize().into(),
            bytes: self.bytes,
        })
    }
}

fn nonce(chunk: u64) -> Nonce {
    let mut bytes = [0; 12];
    bytes[4..].copy_from_slice(&chunk.to_be_bytes());
    Nonce::assume_unique_for_key(bytes)
}

impl Spool {
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
        let Held::Disk { file, key } = &*self.held else {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::SystemHost;

    fn spooled(length: usize, piece: usize) -> (Vec<u8>, Spool) {
        let file: Vec<u8> = (0..length).map(|n| (n * 31 % 251) as u8).collect();
        let mut incoming = Incoming::new(&SystemHost::default());
        for part in file.chunks(piece.max(1)) {
            incoming.push(part).unwrap();
        }
        (file, incoming.end().unwrap())
    }

    #[test]
    fn what_goes_in_comes_out_as_often_as_it_is_read() {
        for (length, piece) in [
            (0, 1),
            (1, 1),
            (MEMORY, 4096),
            (MEMORY + 1, 100_000),
            (MEMORY + CHUNK, CHUNK),
            (3 * MEMORY + 17, 7777),
        ] {
            let (file, mut spool) = spooled(length, piece);
            assert_eq!(spool.bytes, length as u64);
            assert_eq!(spool.digest, <[u8; 32]>::from(Sha256::digest(&file)));
            for _ in 0..2 {
                let mut read = Vec::new();
                spool.read().unwrap().read_to_end(&mut read).unwrap();
                assert!(read == file, "{length} in pieces of {piece}");
            }
        }
    }

    #[test]
    fn a_large_file_is_not_readable_on_the_disk() {
        let (file, spool) = spooled(2 * MEMORY, CHUNK);
        let Held::Disk { file: on_disk, .. } = &*spool.held else {
            panic!("it is large enough for the disk");
        };
        let mut raw = Vec::new();
        (&*on_disk).seek(SeekFrom::Start(0)).unwrap();
        (&*on_disk).read_to_end(&mut raw).unwrap();
        assert!(raw.len() > file.len());
        assert!(!raw.windows(32).any(|part| part == &file[..32]));
    }
}
