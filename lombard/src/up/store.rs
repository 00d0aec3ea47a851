//! Opens what is in the data folder: the store and the vault's key file. Each way in which this
//! can fail has a sentence that says what to do, and an exit code.

use std::{path::Path, sync::Arc};

use lombard_embedded::{
    engine::{Engine, Options, StartError},
    lock::LockError,
    log::OpenError,
};
use lombard_service::{
    host::SystemHost,
    http::wire::Wire,
    ports::{Host, Vault},
    vault::{LocalVault, OpenVaultError},
};
use tracing::warn;

use crate::exit::{Exit, Failure, failure};

/// The name of the key file in the data folder.
pub const KEY_FILE: &str = "vault.keys";

/// An open data folder.
pub struct Opened {
    /// The store, which also decides.
    pub engine: Arc<Engine>,
    /// Personal data.
    pub vault: Arc<dyn Vault>,
    /// The clock, and chance.
    pub host: Arc<dyn Host>,
}

impl Opened {
    /// Opens the folder, or makes it.
    ///
    /// # Errors
    /// [`Exit::InUse`], [`Exit::NotWritable`], [`Exit::Damaged`] or [`Exit::Internal`].
    pub fn open(folder: &Path) -> Result<Self, Failure> {
        let host: Arc<dyn Host> = Arc::new(SystemHost::default());
        let engine = Engine::open(
            folder,
            Arc::clone(&host),
            Arc::new(Wire),
            &Options::default(),
        );
        let engine = engine.map_err(|error| failed(exit_of(&error), error))?;
        if let Some(torn) = engine.torn() {
            warn!(
                ?torn,
                "the last write before a crash was torn, and is removed; it was never answered"
            );
        }
        let keys = folder.join(KEY_FILE);
        if engine.health().last > 0 && !keys.exists() {
            // A fresh one would be made, and everything sealed so far never opened again.
            let keys = keys.display();
            let what = format!("the key file {keys} is missing; put it back from where it is kept");
            return Err(failure(Exit::Damaged, what));
        }
        let vault = LocalVault::open(&keys);
        let vault = vault.map_err(|error| failed(exit_of_vault(&error), error))?;
        Ok(Self {
            engine: Arc::new(engine),
            vault: Arc::new(vault),
            host,
        })
    }

    /// Writes what was taken, and closes the store.
    pub fn close(self) {
        drop(self.vault);
        if Arc::into_inner(self.engine).is_none() {
            // Every task has ended, so this is a bug; what was answered is on disk all the same.
            warn!("the store is still in use and is not closed in order");
        }
    }
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
        StartError::Lock(LockError::Io { .. })
        | StartError::Log(OpenError::Io { .. })
        | StartError::Index(_)
        | StartError::Io(_) => Exit::Internal,
    }
}

fn is_no_folder(error: &std::io::Error) -> bool {
    use std::io::ErrorKind::{AlreadyExists, NotADirectory};
    matches!(error.kind(), AlreadyExists | NotADirectory)
}

fn exit_of_vault(error: &OpenVaultError) -> Exit {
    match error {
        OpenVaultError::Io { .. } => Exit::NotWritable,
        OpenVaultError::Exposed(_) => Exit::Usage,
        OpenVaultError::NotKeys(_) => Exit::Damaged,
    }
}
