//! The key file: readable by its owner alone, and replaced as a whole when a key is added.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read, Write},
    os::unix::fs::{OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
};

use base64::{Engine, engine::general_purpose::STANDARD};
use lombard_core::time::Timestamp;
use parking_lot::{RwLock, RwLockReadGuard};
use ring::rand::{SecureRandom, SystemRandom};
use serde::{Deserialize, Serialize};
use zeroize::{Zeroize, Zeroizing};

/// No key file that we would make comes near it.
const BYTES_MAX: u64 = 64 * 1024;
const KEY_BYTES: usize = 32;

/// The keys of a vault.
pub struct Secrets {
    /// For sealing, oldest first; never empty.
    pub sealing: Vec<Secret>,
    /// For keyed hashes. There is one for ever: another would find no alias again.
    pub blinding: Secret,
}

/// 256 bits with a name.
pub struct Secret {
    id: String,
    made_at: Timestamp,
    bytes: Zeroizing<[u8; KEY_BYTES]>,
}

impl Secret {
    /// Since when it is there; the epoch for keys of a file that did not say.
    pub const fn made_at(&self) -> Timestamp {
        self.made_at
    }

    /// Its name, which is not secret.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The key.
    pub fn bytes(&self) -> &[u8] {
        self.bytes.as_slice()
    }

    fn written(&self) -> WrittenKey {
        WrittenKey {
            id: self.id.clone(),
            made_at: self.made_at,
            key: STANDARD.encode(self.bytes.as_slice()),
        }
    }
}

/// Why there is no vault.
#[derive(Debug, thiserror::Error)]
pub enum OpenVaultError {
    /// The file cannot be read or made.
    #[error("the key file {path} cannot be used")]
    Io {
        /// Which file.
        path: PathBuf,
        /// What the system says.
        #[source]
        cause: io::Error,
    },
    /// Others can read it.
    #[error("the key file {0} can be read by others; run: chmod 600 {0}")]
    Exposed(PathBuf),
    /// It is not a key file of ours, or is damaged.
    #[error("{0} is not a key file of this version, or is damaged; restore it from its backup")]
    NotKeys(PathBuf),
}

/// As the file is written.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    version: u32,
    sealing: Vec<WrittenKey>,
    blinding: WrittenKey,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenKey {
    id: String,
    #[serde(default)]
    made_at: Timestamp,
    key: String,
}

impl Drop for WrittenKey {
    fn drop(&mut self) {
        self.key.zeroize();
    }
}

impl Secrets {
    /// The key that seals.
    pub fn newest(&self) -> &Secret {
        // Never empty: checked when it is read, and made with one.
        &self.sealing[self.sealing.len() - 1]
    }

    /// The sealing key of a name.
    pub fn find(&self, id: &str) -> Option<&Secret> {
        self.sealing.iter().find(|secret| secret.id == id)
    }

    pub fn load_or_create(path: &Path, random: &SystemRandom) -> Result<Self, OpenVaultError> {
        let io = |cause| OpenVaultError::Io {
            path: path.to_owned(),
            cause,
        };
        match File::open(path) {
            Ok(file) => read(path, file),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                create(path, random).map_err(io)?;
                // Read back what was written, by the path that every later start takes.
                read(path, File::open(path).map_err(io)?)
            }
            Err(error) => Err(io(error)),
        }
    }
}

fn read(path: &Path, file: File) -> Result<Secrets, OpenVaultError> {
    let io = |cause| OpenVaultError::Io {
        path: path.to_owned(),
        cause,
    };
    let mode = file.metadata().map_err(io)?.permissions().mode();
    if mode & 0o077 != 0 {
        return Err(OpenVaultError::Exposed(path.to_owned()));
    }
    // With room for all of it, so that no copy is left behind by growth.
    let mut text = Zeroizing::new(Vec::with_capacity(BYTES_MAX as usize));
    file.take(BYTES_MAX).read_to_end(&mut text).map_err(io)?;
    let not_keys = || OpenVaultError::NotKeys(path.to_owned());
    let written: Written = serde_json::from_slice(&text).map_err(|_| not_keys())?;
    if written.version != 1 || written.sealing.is_empty() {
        return Err(not_keys());
    }
    let sealing = written.sealing.iter().map(secret).collect::<Option<_>>();
    Ok(Secrets {
        sealing: sealing.ok_or_else(not_keys)?,
        blinding: secret(&written.blinding).ok_or_else(not_keys)?,
    })
}

fn secret(written: &WrittenKey) -> Option<Secret> {
    let decoded = Zeroizing::new(STANDARD.decode(&written.key).ok()?);
    let bytes = <[u8; KEY_BYTES]>::try_from(decoded.as_slice()).ok()?;
    Some(Secret {
        id: written.id.clone(),
        made_at: written.made_at,
        bytes: Zeroizing::new(bytes),
    })
}

/// Writes fresh keys beside the path and links them into place: the file is there whole or not
/// at all, and of two processes that start at once one wins and both read the same.
fn create(path: &Path, random: &SystemRandom) -> io::Result<()> {
    let now = Timestamp::default();
    let written = Written {
        version: 1,
        sealing: vec![fresh("k1", now, random)?],
        blinding: fresh("b1", now, random)?,
    };
    let aside = write_aside(path, &written)?;
    let linked = fs::hard_link(&aside, path);
    fs::remove_file(&aside)?;
    match linked {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
        _ => {}
    }
    sync_folder(path)
}

/// Writes a whole key file beside the path.
fn write_aside(path: &Path, written: &Written) -> io::Result<PathBuf> {
    let text = Zeroizing::new(serde_json::to_vec_pretty(written)?);
    let aside = path.with_extension(format!("new-{}", std::process::id()));
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&aside)?;
    file.write_all(&text)?;
    file.sync_all()?;
    Ok(aside)
}

fn sync_folder(path: &Path) -> io::Result<()> {
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    match folder {
        Some(folder) => File::open(folder)?.sync_all(),
        None => Ok(()),
    }
}

/// An open key file, to which keys can be added while it is used.
pub struct KeyFile {
    path: PathBuf,
    secrets: RwLock<Secrets>,
    random: SystemRandom,
}

impl KeyFile {
    /// Opens the file, or makes it with fresh keys.
    ///
    /// # Errors
    /// [`OpenVaultError`].
    pub fn open(path: &Path) -> Result<Self, OpenVaultError> {
        let random = SystemRandom::new();
        let secrets = RwLock::new(Secrets::load_or_create(path, &random)?);
        Ok(Self {
            path: path.to_owned(),
            secrets,
            random,
        })
    }

    /// The keys as they are now.
    pub fn read(&self) -> RwLockReadGuard<'_, Secrets> {
        self.secrets.read()
    }

    /// Adds a sealing key, which seals from now on, and gives its name. The file is replaced as
    /// a whole before anything is sealed with the key: no crash loses a key that was used.
    ///
    /// # Errors
    /// When the file cannot be written; nothing has changed then.
    pub fn add_sealing_key(&self, now: Timestamp) -> io::Result<String> {
        let mut secrets = self.secrets.write();
        let id = format!("k{}", secrets.sealing.len() + 1);
        let made = fresh(&id, now, &self.random)?;
        let not_ours = || io::Error::other("a fresh key cannot be read back");
        let added = secret(&made).ok_or_else(not_ours)?;
        let mut sealing: Vec<WrittenKey> = secrets.sealing.iter().map(Secret::written).collect();
        sealing.push(made);
        let written = Written {
            version: 1,
            sealing,
            blinding: secrets.blinding.written(),
        };
        let aside = write_aside(&self.path, &written)?;
        fs::rename(&aside, &self.path)?;
        sync_folder(&self.path)?;
        secrets.sealing.push(added);
        Ok(id)
    }
}

fn fresh(id: &str, now: Timestamp, random: &SystemRandom) -> io::Result<WrittenKey> {
    let mut bytes = Zeroizing::new([0; KEY_BYTES]);
    random
        .fill(bytes.as_mut_slice())
        .map_err(|_| io::Error::other("the operating system gives no randomness"))?;
    Ok(WrittenKey {
        id: id.to_owned(),
        made_at: now,
        key: STANDARD.encode(bytes.as_slice()),
    })
}
