//! Opens what is in the data folder: the store and the vault's key file. Each way in which this
//! can fail has a sentence that says what to do, and an exit code.

use std::{io::ErrorKind, path::Path, sync::Arc};

use lombard_embedded::{
    engine::{Engine, Options, StartError},
    lock::LockError,
    log::OpenError,
};
use lombard_service::{
    host::SystemHost,
    http::wire::Wire,
    metrics::{label, sample::Gauged},
    migrate::{ByFeed, Census},
    ports::{Bank, Host, Store, Vault},
    proof::{Blobs, keys::LogKeys},
    vault::{FileKeys, KeyFile, LocalVault, OpenVaultError, keys::Keys},
};
use tracing::warn;

use crate::exit::{Exit, Failure, OrExit, failure};

/// The name of the key file in the data folder.
pub const KEY_FILE: &str = "vault.keys";
/// The name of the file of secrets that erasing somebody destroys.
pub const SHRED_FILE: &str = "vault.shred";
/// The folder of the vault's own store in the data folder.
pub const VAULT_FOLDER: &str = "vault";

/// What the platform stands on, wherever its records are.
pub struct Parts {
    /// Records.
    pub store: Arc<dyn Store>,
    /// All of them, for moving house.
    pub records: Arc<dyn Census>,
    /// Who decides over them.
    pub bank: Arc<dyn Bank>,
    /// Personal data.
    pub vault: Arc<dyn Vault>,
    /// The vault's own records.
    pub vault_store: Arc<dyn Store>,
    /// All of those.
    pub vault_records: Arc<dyn Census>,
    /// Who decides over those.
    pub vault_bank: Arc<dyn Bank>,
    /// What wraps the keys of subjects.
    pub keys: Arc<dyn Keys>,
    /// The clock, and chance.
    pub host: Arc<dyn Host>,
    /// The same clock, where a demonstration may put it ahead.
    pub clock: Option<Arc<SystemHost>>,
    /// Where the verifiable log is, when it is not in the data folder.
    pub log: Option<Arc<dyn Blobs>>,
    /// What signs for it, when that is not, or not only, a file in the data folder.
    pub log_keys: Option<Arc<dyn LogKeys>>,
    /// The stores of this process, which have depths and sizes to tell.
    pub gauged: Vec<(label::Store, Arc<dyn Gauged>)>,
}

/// An open data folder.
pub struct Opened {
    /// The store, which also decides.
    pub engine: Arc<Engine>,
    /// Personal data.
    pub vault: Arc<dyn Vault>,
    /// The vault's own store: tokens and subjects.
    pub vault_engine: Arc<Engine>,
    /// What wraps the keys of subjects.
    pub keys: Arc<dyn Keys>,
    /// The clock, and chance.
    pub host: Arc<SystemHost>,
}

impl Opened {
    /// Opens the folder, or makes it.
    ///
    /// # Errors
    /// [`Exit::InUse`], [`Exit::NotWritable`], [`Exit::Damaged`] or [`Exit::Internal`].
    pub fn open(folder: &Path) -> Result<Self, Failure> {
        let clock = Arc::new(SystemHost::default());
        let host: Arc<dyn Host> = clock.clone();
        let engine = open_engine(folder, &host, label::Store::Ledger)?;
        let keys = folder.join(KEY_FILE);
        if engine.health().last > 0 && !keys.exists() {
            // A fresh one would be made, and everything sealed so far never opened again.
            let keys = keys.display();
            let what = format!("the key file {keys} is missing; put it back from where it is kept");
            return Err(failure(Exit::Damaged, what));
        }
        let key_file = open_key_file(folder)?;
        let vault_engine = open_engine(&folder.join(VAULT_FOLDER), &host, label::Store::Vault)?;
        let keys = open_keys(folder, &key_file, vault_engine.health().last > 0)?;
        Ok(Self {
            engine: Arc::new(engine),
            vault: Arc::new(LocalVault::over(key_file)),
            vault_engine: Arc::new(vault_engine),
            keys,
            host: clock,
        })
    }

    /// What the platform stands on, all of it here.
    #[must_use]
    pub fn parts(&self) -> Parts {
        Parts {
            store: self.engine.clone(),
            records: Arc::new(ByFeed(self.engine.clone())),
            bank: self.engine.clone(),
            vault: self.vault.clone(),
            vault_store: self.vault_engine.clone(),
            vault_records: Arc::new(ByFeed(self.vault_engine.clone())),
            vault_bank: self.vault_engine.clone(),
            keys: self.keys.clone(),
            host: self.host.clone(),
            clock: Some(self.host.clone()),
            log: None,
            log_keys: None,
            gauged: vec![
                (label::Store::Ledger, self.engine.clone()),
                (label::Store::Vault, self.vault_engine.clone()),
            ],
        }
    }

    /// The stores: the platform's and the vault's own.
    #[must_use]
    pub fn engines(&self) -> [&Arc<Engine>; 2] {
        [&self.engine, &self.vault_engine]
    }

    /// Writes what was taken, and closes the store.
    pub fn close(self) {
        drop((self.vault, self.keys));
        let ended = [self.vault_engine, self.engine].map(Arc::into_inner);
        if ended.iter().any(Option::is_none) {
            // Every task has ended, so this is a bug; what was answered is on disk all the same.
            warn!("the store is still in use and is not closed in order");
        }
    }
}

fn open_engine(
    folder: &Path,
    host: &Arc<dyn Host>,
    store: label::Store,
) -> Result<Engine, Failure> {
    let wire = Arc::new(Wire);
    let options = Options {
        store,
        ..Options::default()
    };
    let engine = Engine::open(folder, Arc::clone(host), wire, &options);
    let engine = engine.map_err(|error| {
        let failure = failed(exit_of(&error), error);
        let error = failure.error.context(folder.display().to_string());
        Failure { error, ..failure }
    })?;
    if let Some(torn) = engine.torn() {
        warn!(
            ?torn,
            "the last write before a crash was torn, and is removed; it was never answered"
        );
    }
    Ok(engine)
}

/// Opens the vault's key file, or makes it.
///
/// # Errors
/// When it is damaged, others may read it, or it cannot be written.
pub fn open_key_file(folder: &Path) -> Result<Arc<KeyFile>, Failure> {
    let key_file = KeyFile::open(&folder.join(KEY_FILE));
    Ok(Arc::new(
        key_file.map_err(|error| failed(exit_of_vault(&error), error))?,
    ))
}

/// Opens the secrets of subjects, or makes their file if the vault has not `begun`.
///
/// # Errors
/// When the file is missing, or cannot be read or written.
pub fn open_keys(
    folder: &Path,
    key_file: &Arc<KeyFile>,
    begun: bool,
) -> Result<Arc<dyn Keys>, Failure> {
    let shred = folder.join(SHRED_FILE);
    if begun && !shred.exists() {
        let shred = shred.display();
        let what = format!("the file {shred} is missing; put it back from where it is kept");
        return Err(failure(Exit::Damaged, what));
    }
    let keys = FileKeys::open(Arc::clone(key_file), &shred);
    Ok(Arc::new(keys.or_exit(Exit::NotWritable, shred.display())?))
}

fn failed(exit: Exit, error: impl Into<anyhow::Error>) -> Failure {
    let error = error.into();
    Failure { exit, error }
}

fn exit_of(error: &StartError) -> Exit {
    match error {
        StartError::Lock(LockError::InUse { .. }) => Exit::InUse,
        StartError::Lock(LockError::ReadOnly { .. } | LockError::Full { .. })
        | StartError::Log(OpenError::Full(_) | OpenError::ReadOnly(_))
        | StartError::Full(_)
        | StartError::ReadOnly(_) => Exit::NotWritable,
        StartError::Log(OpenError::Damaged(_)) => Exit::Damaged,
        // Something that is no folder has its name: the argument is at fault.
        StartError::Io(error) if is_no_folder(error) => Exit::Usage,
        // A folder that is absent is made, unless those around it do not let it.
        StartError::Io(error) if error.kind() == ErrorKind::NotFound => Exit::NotWritable,
        StartError::Lock(LockError::Io { .. })
        | StartError::Log(OpenError::Io { .. })
        | StartError::Index(_)
        | StartError::Io(_) => Exit::Internal,
    }
}

fn is_no_folder(error: &std::io::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::AlreadyExists | ErrorKind::NotADirectory
    )
}

fn exit_of_vault(error: &OpenVaultError) -> Exit {
    match error {
        OpenVaultError::Io { .. } => Exit::NotWritable,
        OpenVaultError::Exposed(_) => Exit::Usage,
        OpenVaultError::NotKeys(_) => Exit::Damaged,
    }
}
