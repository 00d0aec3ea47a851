//! `lombard backup` and `lombard restore`: a copy of the store, verified while it is made, and a
//! store made of a copy.
//!
//! A running server is asked over the socket in its data folder and goes on meanwhile; the folder
//! of a stopped one is opened here. The vault's key file is not copied: it belongs elsewhere,
//! because whoever has both reads everything.

use std::{
    io::{BufRead, BufReader, Write},
    os::unix::net::UnixStream,
    path::{Path, PathBuf},
};

use clap::Args;
use indicatif::ProgressBar;
use lombard_embedded::{
    backup::{self, BackupError},
    engine::Engine,
};
use serde::{Deserialize, Serialize};

use crate::{
    alert,
    exit::{Exit, Failure, OrExit, Outcome, failure},
    say,
    up::{KEY_FILE, LOG_KEY_FILE, Opened, SHRED_FILE, VAULT_FOLDER},
};

/// The socket in the data folder of a running server.
pub const CONTROL_SOCKET: &str = "control.sock";

/// Arguments of `lombard backup`.
#[derive(Debug, Args)]
#[command(after_help = "\
A backup into the same folder copies what is new since. Copy the key files
(vault.keys, vault.shred, tlog.key) too, the newest copy alone, and keep them somewhere else.

Example: lombard backup /mnt/backup/lombard --data /var/lib/lombard")]
pub struct Backup {
    /// The folder of the backup.
    folder: PathBuf,
    #[command(flatten)]
    data: DataFolder,
}

/// Arguments of `lombard restore`.
#[derive(Debug, Args)]
#[command(after_help = "\
The data folder must be new or empty. Put the key files (vault.keys, vault.shred, tlog.key) back into it afterwards.

Example: lombard restore /mnt/backup/lombard --data /var/lib/lombard")]
pub struct Restore {
    /// The folder of the backup.
    folder: PathBuf,
    #[command(flatten)]
    data: DataFolder,
}

/// Which installation.
#[derive(Debug, Args)]
pub struct DataFolder {
    /// The data folder.
    #[arg(
        long = "data",
        env = "LOMBARD_DATA",
        value_name = "DIR",
        default_value = "lombard-data"
    )]
    pub path: PathBuf,
}

impl DataFolder {
    /// The files that are in no backup, and needed.
    fn key_files(&self) -> String {
        let [vault, shred, log] = [KEY_FILE, SHRED_FILE, LOG_KEY_FILE].map(|it| self.path.join(it));
        format!(
            "{}, {} and {}",
            vault.display(),
            shred.display(),
            log.display()
        )
    }
}

/// What a server is asked.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Asked {
    /// For a backup, to a path from the root.
    Backup(PathBuf),
    /// For a tenant of this name.
    CreateTenant(String),
    /// For its tenants.
    Tenants,
    /// Something about its alerts.
    Alerts(alert::Asked),
}

/// What a server says of a backup.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum News {
    /// So far.
    Progress(Reached),
    /// All of it.
    Done(Reached),
    /// No.
    Failed {
        /// How the command that asked ends.
        exit: Exit,
        /// Why, with the chain of causes.
        why: String,
    },
}

/// How far it came.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Reached {
    /// Transactions read and verified.
    pub transactions: u64,
    /// Bytes read and verified.
    pub bytes: u64,
    /// The last transaction.
    pub sequence: u64,
}

impl From<backup::Progress> for Reached {
    fn from(progress: backup::Progress) -> Self {
        let backup::Progress {
            transactions,
            bytes,
            sequence,
            ..
        } = progress;
        Self {
            transactions,
            bytes,
            sequence,
        }
    }
}

/// Backs up and tells.
pub fn backup(args: &Backup, as_json: bool) -> Outcome {
    let folder = std::path::absolute(&args.folder).or_exit(Exit::Usage, args.folder.display())?;
    if !args.data.path.is_dir() {
        return Err(failure(
            Exit::Usage,
            format!("{} is no data folder", args.data.path.display()),
        ));
    }
    let bar = say::progress(None, "backup");
    let reached = match UnixStream::connect(args.data.path.join(CONTROL_SOCKET)) {
        Ok(server) => ask(server, &folder, &bar)?,
        Err(_) => of_stopped(&args.data.path, &folder, &bar)?,
    };
    bar.finish_and_clear();
    tell(&reached, "backed up", as_json);
    if !as_json {
        say::note(&format!(
            "not in the backup, and needed to read names and account numbers and to sign the \
             verifiable log: {}",
            args.data.key_files()
        ));
    }
    Ok(Exit::Done)
}

/// Restores and tells.
pub fn restore(args: &Restore, as_json: bool) -> Outcome {
    let bar = say::progress(None, "restore");
    let mut progress = |progress: backup::Progress| bar.set_position(progress.transactions);
    let reached =
        backup::restore(&args.folder, &args.data.path, &mut progress).map_err(of_error)?;
    let vault = args.folder.join(VAULT_FOLDER);
    if vault.is_dir() {
        let to = args.data.path.join(VAULT_FOLDER);
        backup::restore(&vault, &to, &mut |_| {}).map_err(of_error)?;
    }
    bar.finish_and_clear();
    tell(&reached.into(), "restored", as_json);
    if !as_json {
        say::note(&format!(
            "now put the key files back: {}",
            args.data.key_files()
        ));
    }
    Ok(Exit::Done)
}

fn tell(reached: &Reached, what: &str, as_json: bool) {
    if as_json {
        say::json(reached);
    } else {
        let Reached {
            transactions,
            bytes,
            sequence,
        } = reached;
        say::line(&format!(
            "{what}: {transactions} transactions in {bytes} bytes verified, up to {sequence}"
        ));
    }
}

fn ask(mut server: UnixStream, folder: &Path, bar: &ProgressBar) -> Result<Reached, Failure> {
    let gone = "the server broke off";
    let asked = Asked::Backup(folder.to_owned());
    let mut line = serde_json::to_vec(&asked).or_exit(Exit::Usage, folder.display())?;
    line.push(b'\n');
    server.write_all(&line).or_exit(Exit::Unreachable, gone)?;
    for line in BufReader::new(server).lines() {
        let line = line.or_exit(Exit::Unreachable, gone)?;
        match serde_json::from_str(&line).or_exit(Exit::Internal, gone)? {
            News::Progress(reached) => bar.set_position(reached.transactions),
            News::Done(reached) => return Ok(reached),
            News::Failed { exit, why } => return Err(failure(exit, why)),
        }
    }
    Err(failure(Exit::Unreachable, gone))
}

fn of_stopped(data: &Path, folder: &Path, bar: &ProgressBar) -> Result<Reached, Failure> {
    let opened = Opened::open(data)?;
    let mut progress = |progress: backup::Progress| bar.set_position(progress.transactions);
    let reached = both(&opened.engine, &opened.vault_engine, folder, &mut progress);
    opened.close();
    reached.map(Reached::from).map_err(of_error)
}

/// Copies the platform's store, and the vault's own beside it. Gives how far the first came.
///
/// # Errors
/// See [`BackupError`].
pub fn both(
    engine: &Engine,
    vault: &Engine,
    folder: &Path,
    progress: &mut dyn FnMut(backup::Progress),
) -> Result<backup::Progress, BackupError> {
    let reached = backup::backup(engine.log(), folder, progress)?;
    backup::backup(vault.log(), &folder.join(VAULT_FOLDER), &mut |_| {})?;
    Ok(reached)
}

/// How a command ends whose backup or restore failed.
pub fn of_error(error: BackupError) -> Failure {
    let exit = match &error {
        BackupError::Log(_) | BackupError::Incomplete { .. } => Exit::Damaged,
        BackupError::AnotherHistory { .. }
        | BackupError::NotEmpty { .. }
        | BackupError::NoBackup { .. } => Exit::Usage,
        BackupError::Lock(_) => Exit::InUse,
        BackupError::Io { .. } => Exit::NotWritable,
        BackupError::Index(_) => Exit::Internal,
    };
    let error = error.into();
    Failure { exit, error }
}
