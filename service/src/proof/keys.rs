//! The keys that sign the log's checkpoints: a file, a key service, or both for as long as one takes the
//! place of the other.

use std::{fs, io, io::Write, os::unix::fs::OpenOptionsExt, path::Path, sync::Arc};

use futures_util::{
    FutureExt,
    future::{BoxFuture, try_join_all},
};
use lombard_core::proof::key::{KeyError, KeyKind, PublicKey, SecretKey, parse_secret_keys};
use signed_note::Signature;

use crate::ports::{Cause, Host};

/// Signs for the log. All keys have the same name: the log's origin.
pub trait LogKeys: Send + Sync + 'static {
    /// What signatures are checked with, the newest last.
    fn public(&self) -> Vec<PublicKey>;

    /// Signs the text of a checkpoint with every key. The same text gives the same signatures.
    fn sign<'a>(&'a self, text: &'a [u8]) -> BoxFuture<'a, Result<Vec<Signature>, Cause>>;
}

/// Keys of one log in several places, all of which sign: whoever knows one of them goes on verifying
/// while another takes its place.
pub struct Several(Vec<Arc<dyn LogKeys>>);

impl Several {
    /// These, if all are of one log.
    #[must_use]
    pub fn of(keys: Vec<Arc<dyn LogKeys>>) -> Option<Self> {
        let all = Self(keys);
        let public = all.public();
        let name = public.first()?.name();
        let one = public.iter().all(|key| key.name() == name);
        one.then_some(all)
    }
}

impl LogKeys for Several {
    fn public(&self) -> Vec<PublicKey> {
        self.0.iter().flat_map(|keys| keys.public()).collect()
    }

    fn sign<'a>(&'a self, text: &'a [u8]) -> BoxFuture<'a, Result<Vec<Signature>, Cause>> {
        async move {
            let signed = try_join_all(self.0.iter().map(|keys| keys.sign(text))).await?;
            Ok(signed.concat())
        }
        .boxed()
    }
}

/// Keys in a file: see [`lombard_core::proof::key`] for its form.
pub struct FileKeys(Vec<SecretKey>);

/// Why there are no keys.
#[derive(Debug, thiserror::Error)]
pub enum KeysError {
    /// The file cannot be read or written.
    #[error("the key file {file} cannot be read or made")]
    File {
        /// Which.
        file: String,
        /// Why.
        #[source]
        why: io::Error,
    },
    /// What is in it are not keys of a log.
    #[error("the key file {file}: {why}")]
    Key {
        /// Which.
        file: String,
        /// Why.
        why: KeyError,
    },
    /// The keys are of several names; a log has one.
    #[error("the keys in {file} are not all of one log")]
    Names {
        /// Which.
        file: String,
    },
}

impl FileKeys {
    /// Reads the keys of a log.
    ///
    /// # Errors
    /// See [`KeysError`].
    pub fn read(file: &Path) -> Result<Self, KeysError> {
        let keys = read_secret_keys(file)?;
        let name = keys[0].public().name().to_owned();
        let fits = |key: &SecretKey| {
            let public = key.public();
            public.kind() == KeyKind::Log && public.name() == name
        };
        if keys.iter().all(fits) {
            Ok(Self(keys))
        } else {
            let file = file.display().to_string();
            Err(KeysError::Names { file })
        }
    }

    /// Keys that were made otherwise.
    ///
    /// # Panics
    /// When there is none.
    #[must_use]
    pub fn of(keys: Vec<SecretKey>) -> Self {
        assert!(!keys.is_empty(), "a log without a key");
        Self(keys)
    }
}

impl LogKeys for FileKeys {
    fn public(&self) -> Vec<PublicKey> {
        self.0.iter().map(SecretKey::public).collect()
    }

    fn sign<'a>(&'a self, text: &'a [u8]) -> BoxFuture<'a, Result<Vec<Signature>, Cause>> {
        let signatures = self.0.iter().map(|key| key.sign(text, 0)).collect();
        async move { Ok(signatures) }.boxed()
    }
}

/// The secret keys in a file, at least one.
///
/// # Errors
/// See [`KeysError`].
pub fn read_secret_keys(file: &Path) -> Result<Vec<SecretKey>, KeysError> {
    let name = file.display().to_string();
    let text = match fs::read_to_string(file) {
        Ok(text) => text,
        Err(why) => return Err(KeysError::File { file: name, why }),
    };
    parse_secret_keys(&text).map_err(|why| KeysError::Key { file: name, why })
}

/// Makes a key and writes it to `file`, which only its owner may read, and its public part to
/// `file.pub`. A file that is there is never replaced; with `add` the key is added to it, which
/// begins a rotation.
///
/// # Errors
/// See [`KeysError`].
pub fn make(
    host: &dyn Host,
    name: &str,
    kind: KeyKind,
    file: &Path,
    add: bool,
) -> Result<PublicKey, KeysError> {
    let file_name = file.display().to_string();
    let mut seed = [0; 32];
    seed[..16].copy_from_slice(&host.random().to_be_bytes());
    seed[16..].copy_from_slice(&host.random().to_be_bytes());
    let key = SecretKey::from_seed(name, kind, &seed).map_err(|why| KeysError::Key {
        file: file_name.clone(),
        why,
    })?;
    let public = key.public();
    let mut public_file = file.as_os_str().to_owned();
    public_file.push(".pub");
    write(file, &format!("{}\n", key.text()), 0o600, add)
        .and_then(|()| write(Path::new(&public_file), &format!("{public}\n"), 0o644, add))
        .map_err(|why| KeysError::File {
            file: file_name,
            why,
        })?;
    Ok(public)
}

fn write(file: &Path, line: &str, mode: u32, add: bool) -> io::Result<()> {
    let mut options = fs::OpenOptions::new();
    if add {
        options.append(true).create(true);
    } else {
        options.write(true).create_new(true);
    }
    let mut file = options.mode(mode).open(file)?;
    file.write_all(line.as_bytes())?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use lombard_core::proof::{checkpoint, key::Keys, tree::Head};

    use super::*;

    fn key(name: &str, seed: u8) -> Arc<dyn LogKeys> {
        let key = SecretKey::from_seed(name, KeyKind::Log, &[seed; 32]);
        Arc::new(FileKeys::of(vec![key.expect("a name")]))
    }

    #[tokio::test]
    async fn either_of_the_keys_of_one_log_verifies_it() {
        let (old, new) = (key("log", 1), key("log", 2));
        let both = Several::of(vec![old.clone(), new.clone()]).expect("of one log");
        let text = checkpoint::text("log", &Head::EMPTY);
        let signed = both.sign(&text).await.expect("signed");
        let note = checkpoint::assemble(&text, &signed);
        for one in [old, new] {
            let trusted = Keys::new(one.public());
            assert!(checkpoint::open(&note, &trusted).is_ok());
        }
        assert!(Several::of(vec![key("log", 1), key("other", 2)]).is_none());
        assert!(Several::of(Vec::new()).is_none());
    }
}
