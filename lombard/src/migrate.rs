//! `lombard export` and `lombard import`: an installation moves from a folder to AWS, or back, or to
//! another folder, by way of one encrypted file. What is done is in [`lombard_service::migrate`].

use std::path::{Path, PathBuf};

use clap::Args;
use lombard_service::migrate::{self, ExportKey, MigrateError, Side, export::Told};

use crate::{
    backup::DataFolder,
    exit::{Exit, Failure, OrExit, Outcome, failure},
    say,
    up::{KEY_FILE, LOG_KEY_FILE, OnAws, Opened, Parts, proof, with},
};

/// Arguments of `lombard export`.
#[derive(Debug, Args)]
#[command(after_help = "\
The server must be stopped, and have nothing left to do. The file is proved by the log's checkpoint
before it is written, and gone on with when the command is given again. docs/migration.md walks through
a move.

Example: lombard export lombard.export --key export.key --data /var/lib/lombard --retire")]
pub struct Export {
    /// The file to write.
    file: PathBuf,
    /// The file of the key that seals it; made if there is none.
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// Let no server start here any more once the file is whole.
    #[arg(long)]
    retire: bool,
    #[command(flatten)]
    place: Place,
}

/// Arguments of `lombard import`.
#[derive(Debug, Args)]
#[command(after_help = "\
The target must be empty, and the key files (vault.keys, tlog.key) of the source in its data folder.

Example: lombard import lombard.export --key export.key --data /var/lib/lombard-aws --aws-table lombard")]
pub struct Import {
    /// The file to read.
    file: PathBuf,
    /// The file of the key that opens it.
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    #[command(flatten)]
    place: Place,
}

/// Where an installation is.
#[derive(Debug, Args)]
struct Place {
    #[command(flatten)]
    data: DataFolder,
    #[command(flatten)]
    aws: OnAws,
}

/// Exports and tells.
pub fn export(args: &Export, as_json: bool) -> Outcome {
    let key = ExportKey::read_or_make(&args.key).map_err(of_error)?;
    let bar = say::progress(None, "export");
    let told = args.place.with(async |parts| {
        let side = side(parts, &args.place.data.path)?;
        let id = || format!("{:032x}", parts.host.random());
        let progress = |done| bar.set_position(done);
        let exported = migrate::export(&side, &args.file, &key, id, args.retire, &progress);
        exported.await.map_err(of_error)
    })?;
    bar.finish_and_clear();
    tell(&told, "exported", as_json);
    Ok(Exit::Done)
}

/// Imports and tells.
pub fn import(args: &Import, as_json: bool) -> Outcome {
    let key = ExportKey::read(&args.key).map_err(of_error)?;
    let bar = say::progress(None, "import");
    let told = args.place.with(async |parts| {
        let side = side(parts, &args.place.data.path)?;
        let progress = |done| bar.set_position(done);
        let imported = migrate::import(&side, &args.file, &key, &progress);
        imported.await.map_err(of_error)
    })?;
    bar.finish_and_clear();
    tell(&told, "imported", as_json);
    Ok(Exit::Done)
}

impl Place {
    /// Opens the installation, and does `work` with it. Its keys must be there: fresh ones would be
    /// made, and open nothing.
    fn with<T>(&self, work: impl AsyncFnOnce(&Parts) -> Result<T, Failure>) -> Result<T, Failure> {
        let log_key = (!self.aws.signs_elsewhere()).then_some(LOG_KEY_FILE);
        let vault_keys = (!self.aws.keeps_keys()).then_some(KEY_FILE);
        for name in vault_keys.into_iter().chain(log_key) {
            let file = self.data.path.join(name);
            if !file.exists() {
                let file = file.display();
                let what = format!("{file} is missing; copy it from the source's data folder");
                return Err(failure(Exit::Usage, what));
            }
        }
        let runtime = tokio::runtime::Builder::new_multi_thread();
        let runtime = { runtime }.enable_all().build();
        let runtime = runtime.or_exit(Exit::Internal, "no runtime")?;
        if self.aws.is_wanted() {
            return runtime.block_on(with(&self.aws, &self.data.path, work));
        }
        let opened = Opened::open(&self.data.path)?;
        let parts = opened.parts();
        let ended = runtime.block_on(work(&parts));
        drop(runtime);
        drop(parts);
        opened.close();
        ended
    }
}

fn side(parts: &Parts, data: &Path) -> Result<Side, Failure> {
    Ok(Side {
        store: parts.store.clone(),
        records: parts.records.clone(),
        vault_store: parts.vault_store.clone(),
        vault_records: parts.vault_records.clone(),
        vault: parts.vault.clone(),
        keys: parts.keys.clone(),
        log: proof::files(data, parts.log.clone())?,
        log_keys: proof::keys_of(data, parts)?.public(),
    })
}

fn tell(told: &Told, what: &str, as_json: bool) {
    if as_json {
        return say::json(told);
    }
    say::line(&format!(
        "{what}: {} records and {} of the vault, proved by a log of {} entries with the root {}",
        told.records, told.vault_records, told.size, told.root
    ));
}

fn of_error(error: MigrateError) -> Failure {
    let exit = match &error {
        MigrateError::NotQuiet(_)
        | MigrateError::Changed
        | MigrateError::NotEmpty(_)
        | MigrateError::OtherKeys(_)
        | MigrateError::Unfit(_)
        | MigrateError::Unfinished => Exit::No,
        MigrateError::NotProved(_) | MigrateError::NotGenuine(_) | MigrateError::Differs(_) => {
            Exit::Damaged
        }
        MigrateError::File(..) => Exit::Usage,
        MigrateError::Read(_) | MigrateError::Commit(_) | MigrateError::Keys(_) => Exit::Internal,
    };
    let error = error.into();
    Failure { exit, error }
}
