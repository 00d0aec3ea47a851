//! Starts the verifiable log: its key is in the data folder, and so are its files unless they are
//! in a bucket.

use std::{fs, path::Path, sync::Arc};

use lombard_core::proof::{key::KeyKind, policy::Policy};
use lombard_service::{
    app::App,
    proof::{
        Blobs, Log,
        blobs::Folder,
        head,
        keys::{self, FileKeys, LogKeys, Several},
        log::Settings,
        publisher::Publisher,
        sequencer,
    },
};
use tokio::{sync::watch, task::JoinSet};

use super::store::Parts;
use crate::exit::{Exit, Failure, OrExit, failure};

/// The folder of the log's files in the data folder.
pub const LOG_FOLDER: &str = "tlog";
/// The file of the log's keys in the data folder.
pub const LOG_KEY_FILE: &str = "tlog.key";

/// Opens the log, or begins one with a key of its own.
///
/// # Errors
/// [`Exit::Damaged`] when the key of a log that has begun is gone; [`Exit::Usage`] when the
/// policy cannot be read.
pub async fn open(app: &App, data: &Path, parts: &Parts) -> Result<Arc<Log>, Failure> {
    let config = &app.config.proof;
    if parts.log_keys.is_none() {
        begin(app, &data.join(LOG_KEY_FILE)).await?;
    }
    let keys = keys_of(data, parts)?;
    let blobs = files(data, parts.log.clone())?;
    let policy = config.policy.as_deref().map(|file| policy(Path::new(file)));
    let settings = Settings {
        policy: policy.transpose()?,
        exports: config.export.iter().cloned().collect(),
        followed: false,
    };
    Ok(Log::new(blobs, keys, settings))
}

/// Makes the key of a log that has not begun.
async fn begin(app: &App, file: &Path) -> Result<(), Failure> {
    if file.exists() {
        return Ok(());
    }
    let begun = app
        .get(&head::key())
        .await
        .or_exit(Exit::Internal, "the log's head")?;
    if begun.is_some() {
        // Another key would begin another log: nobody who knows this one would believe it.
        let file = file.display();
        let what = format!("the log's key {file} is missing; put it back from where it is kept");
        return Err(failure(Exit::Damaged, what));
    }
    let chance = app.host.random() as u64;
    let origin =
        { app.config.proof.origin.clone() }.unwrap_or_else(|| format!("lombard/{chance:016x}"));
    let made = keys::make(app.host.as_ref(), &origin, KeyKind::Log, file, false);
    made.map(|_| ()).or_exit(Exit::NotWritable, "the log's key")
}

/// All that signs for the log: what it stands on, and the key file if there is one.
///
/// # Errors
/// [`Exit::Damaged`] when the file cannot be read; [`Exit::Usage`] when the two are of different logs.
pub fn keys_of(data: &Path, parts: &Parts) -> Result<Arc<dyn LogKeys>, Failure> {
    let file = data.join(LOG_KEY_FILE);
    let service = parts.log_keys.clone();
    let own = match &service {
        Some(_) if !file.exists() => None,
        _ => {
            let keys = FileKeys::read(&file).or_exit(Exit::Damaged, "the log's key")?;
            Some(Arc::new(keys) as Arc<dyn LogKeys>)
        }
    };
    let all = Several::of(own.into_iter().chain(service).collect());
    let what = "the log's key file and the key service are of logs with different names";
    all.map(|all| Arc::new(all) as Arc<dyn LogKeys>)
        .ok_or_else(|| failure(Exit::Usage, what))
}

/// The log's files: where they are told to be, or in the data folder.
///
/// # Errors
/// [`Exit::NotWritable`].
pub fn files(data: &Path, elsewhere: Option<Arc<dyn Blobs>>) -> Result<Arc<dyn Blobs>, Failure> {
    if let Some(blobs) = elsewhere {
        return Ok(blobs);
    }
    let folder = data.join(LOG_FOLDER);
    let opened = Folder::open(&folder).or_exit(Exit::NotWritable, folder.display())?;
    Ok(Arc::new(opened))
}

/// Reads a policy's file.
///
/// # Errors
/// [`Exit::Usage`].
pub fn policy(file: &Path) -> Result<Policy, Failure> {
    let text = fs::read_to_string(file).or_exit(Exit::Usage, file.display())?;
    Policy::parse(&text).or_exit(Exit::Usage, file.display())
}

/// Starts what makes the log grow.
///
/// # Errors
/// [`Exit::Internal`] when this system gives no HTTP client.
pub fn spawn(
    app: &App,
    log: &Arc<Log>,
    stopped: &watch::Receiver<bool>,
    workers: &mut JoinSet<()>,
) -> Result<(), Failure> {
    let publisher = Publisher::new(app.host.clone(), log.clone());
    let publisher = publisher.or_exit(Exit::Internal, "the log's publisher")?;
    let (ended, has_ended) = watch::channel(false);
    let sequencer = sequencer::run(app.clone(), log.clone(), stopped.clone());
    workers.spawn(publisher.run(has_ended));
    workers.spawn(async move {
        sequencer.await;
        // Nobody listens when the publisher has ended by itself, which is as good.
        let _ = ended.send(true);
    });
    Ok(())
}
