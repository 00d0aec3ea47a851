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
        keys::{self, FileKeys},
        log::Settings,
        publisher::Publisher,
        sequencer,
    },
};
use tokio::{sync::watch, task::JoinSet};

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
pub async fn open(
    app: &App,
    data: &Path,
    elsewhere: Option<Arc<dyn Blobs>>,
) -> Result<Arc<Log>, Failure> {
    let config = &app.config.proof;
    let file = data.join(LOG_KEY_FILE);
    if !file.exists() {
        let begun = app
            .get(&head::key())
            .await
            .or_exit(Exit::Internal, "the log's head")?;
        if begun.is_some() {
            // Another key would begin another log: nobody who knows this one would believe it.
            let file = file.display();
            let what =
                format!("the log's key {file} is missing; put it back from where it is kept");
            return Err(failure(Exit::Damaged, what));
        }
        let chance = app.host.random() as u64;
        let origin = config
            .origin
            .clone()
            .unwrap_or_else(|| format!("lombard/{chance:016x}"));
        keys::make(app.host.as_ref(), &origin, KeyKind::Log, &file, false)
            .or_exit(Exit::NotWritable, "the log's key")?;
    }
    let keys = FileKeys::read(&file).or_exit(Exit::Damaged, "the log's key")?;
    let blobs = files(data, elsewhere)?;
    let policy = config.policy.as_deref().map(|file| policy(Path::new(file)));
    let settings = Settings {
        policy: policy.transpose()?,
        exports: config.export.iter().cloned().collect(),
    };
    Ok(Log::new(blobs, Arc::new(keys), settings))
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
