//! What a running server does for whoever may write to its data folder: it takes a backup of
//! itself, makes tenants and lists them, and looks after its alerts. One line of JSON in over a Unix socket in the folder, lines of JSON out.
//!
//! The socket can be connected to by its owner alone, so no key is asked for.

use std::{
    fs, io,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    sync::{Arc, Weak},
};

use lombard_embedded::{backup, engine::Engine};
use lombard_service::app::App;
use serde::Serialize;
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::{UnixListener, UnixStream, unix::OwnedWriteHalf},
    sync::mpsc,
};
use tracing::{info, warn};

use super::rig::Rig;
use crate::{
    alert::Desk,
    backup::{Asked, CONTROL_SOCKET, News, both, of_error},
    exit::Failure,
    tenant,
};

/// The most bytes of a request: a path.
const REQUEST_BYTES_MAX: u64 = 8 * 1024;

/// A listening socket, removed when this is dropped.
pub struct Control {
    path: PathBuf,
    task: tokio::task::JoinHandle<()>,
}

impl Control {
    /// Listens in the data folder. A folder whose path is too long for a socket has none; that
    /// is logged, and such a server is backed up when it is stopped.
    pub fn listen(data: &Path, engines: [&Arc<Engine>; 2], rig: &Rig) -> Option<Self> {
        let path = data.join(CONTROL_SOCKET);
        // One of a server that crashed: the folder is ours, so nobody listens there.
        let _ = fs::remove_file(&path);
        match bind(&path) {
            Ok(listener) => {
                // Weak: a backup under way must not keep the store from being closed for ever.
                let engines = engines.map(Arc::downgrade);
                let (desk, app) = (Desk::of(rig), rig.app.clone());
                let task = tokio::spawn(async move {
                    while let Ok((stream, _)) = listener.accept().await {
                        let [Some(engine), Some(vault)] =
                            [&engines[0], &engines[1]].map(Weak::upgrade)
                        else {
                            return;
                        };
                        let (desk, app) = (desk.clone(), app.clone());
                        tokio::spawn(async move {
                            if let Err(error) = answer(stream, (engine, vault), (desk, app)).await {
                                warn!(%error, "something was not asked for properly, or its asker is gone");
                            }
                        });
                    }
                });
                Some(Self { path, task })
            }
            Err(error) => {
                warn!(%error, "no control socket: `lombard backup` needs the server to be stopped");
                None
            }
        }
    }
}

impl Drop for Control {
    fn drop(&mut self) {
        self.task.abort();
        let _ = fs::remove_file(&self.path);
    }
}

fn bind(path: &Path) -> io::Result<UnixListener> {
    let listener = UnixListener::bind(path)?;
    fs::set_permissions(path, fs::Permissions::from_mode(0o600))?;
    Ok(listener)
}

async fn answer(
    stream: UnixStream,
    engines: (Arc<Engine>, Arc<Engine>),
    (desk, app): (Desk, App),
) -> io::Result<()> {
    let (read, write) = stream.into_split();
    let mut line = String::new();
    let read = tokio::io::AsyncReadExt::take(read, REQUEST_BYTES_MAX);
    BufReader::new(read).read_line(&mut line).await?;
    match serde_json::from_str(&line)? {
        Asked::Backup(to) => back_up(engines, to, write).await,
        Asked::CreateTenant(name) => tell(&tenant::created(&app, &name).await, write).await,
        Asked::Tenants => tell(&tenant::all(&app).await, write).await,
        Asked::Alerts(asked) => tell(&desk.answer(asked).await, write).await,
    }
}

async fn tell(said: &impl Serialize, mut write: OwnedWriteHalf) -> io::Result<()> {
    let mut line = serde_json::to_vec(said)?;
    line.push(b'\n');
    write.write_all(&line).await
}

async fn back_up(
    (engine, vault): (Arc<Engine>, Arc<Engine>),
    to: PathBuf,
    mut write: OwnedWriteHalf,
) -> io::Result<()> {
    info!(to = %to.display(), "a backup begins");
    let (news, mut heard) = mpsc::channel::<News>(16);
    let work = tokio::task::spawn_blocking(move || {
        let mut progress = |progress: backup::Progress| {
            // Progress that nobody reads fast enough is left out.
            let _ = news.try_send(News::Progress(progress.into()));
        };
        let ended = both(&engine, &vault, &to, &mut progress);
        let ended = match ended {
            Ok(progress) => News::Done(progress.into()),
            Err(error) => {
                let Failure { exit, error } = of_error(error);
                let why = format!("{error:#}");
                News::Failed { exit, why }
            }
        };
        let _ = news.blocking_send(ended);
    });
    while let Some(news) = heard.recv().await {
        let mut line = serde_json::to_vec(&news)?;
        line.push(b'\n');
        write.write_all(&line).await?;
    }
    // It told its end already; that it panicked was logged.
    let _ = work.await;
    info!("a backup ended");
    Ok(())
}
