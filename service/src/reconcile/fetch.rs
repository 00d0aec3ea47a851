//! Files of sources that are fetched where the source leaves them: a folder here, or a server.
//!
//! **Shape.** One task for each source looks at its [`Place`] at the source's pace. A file that has not
//! changed between two looks, and is not one that is still being written by its name, is read into
//! an encrypted spool and reconciled as an upload is.
//!
//! **Once.** A file is remembered by name, size, time and digest ([`state`]) after its run is kept. One that was
//! taken in is not read again unless its size or time differ, and not reconciled again unless its
//! digest does. A crash between the run and the note runs it again, which changes nothing.
//!
//! **Failures.** What cannot be read is remembered, and an exception names it. A place that cannot
//! be reached is tried again with growing pauses; the third failure in a row, or the first that is a
//! refusal (a host key that is not the one that we know), is an exception.

pub mod folder;
pub mod state;

use std::{collections::HashMap, sync::Arc, time::Duration};

use futures_util::future::BoxFuture;
use lombard_core::tenant::TenantId;
use tokio::{
    io::{AsyncRead, AsyncReadExt},
    sync::watch,
};
use tracing::{info, warn};

use self::state::Taken;
use super::{Failure, Source, breaks::WORKER, kept, reconcile};
use crate::{
    app::App,
    batch::spool::{Incoming, Spool},
    exceptions::{self, Kind, Trouble},
    metrics::{METRICS, label::Fetched},
    ports::{Cause, CommitError},
    worker::feed::rest,
};

/// Failures in a row until a person is told.
const FAILURES_MAX: u32 = 3;
/// The longest pause between two tries.
const PAUSE_MAX: Duration = Duration::from_secs(3_600);
/// Bytes read at once.
const PIECE: usize = 256 * 1024;
/// Names of files that are still on their way, by the habits of those who send them.
const UNFINISHED: [&str; 5] = [".part", ".partial", ".tmp", ".filepart", ".writing"];

/// A file at a place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// Its name, without a folder.
    pub name: String,
    /// How long it is.
    pub bytes: u64,
    /// When it was last written, in seconds since 1970.
    pub modified: u64,
}

/// Why a place cannot be looked at.
#[derive(Debug, thiserror::Error)]
pub enum PlaceError {
    /// It is not who it should be, or does not let us in: no later try does better by itself.
    #[error("{0}")]
    Refused(String),
    /// It cannot be reached, or an answer was lost.
    #[error("{0}")]
    Unreachable(String),
}

/// Where files are left for us. What is listed and opened in one look is of one session.
pub trait Place: Send + Sync + 'static {
    /// Its address, for people.
    fn shown(&self) -> String;

    /// Opens a session.
    fn visit(&self) -> BoxFuture<'_, Result<Box<dyn Visit>, PlaceError>>;
}

/// A session at a place.
pub trait Visit: Send + Sync {
    /// The files there.
    fn list(&mut self) -> BoxFuture<'_, Result<Vec<Listed>, PlaceError>>;

    /// Reads one.
    fn open<'a>(
        &'a mut self,
        name: &'a str,
    ) -> BoxFuture<'a, Result<Box<dyn AsyncRead + Send + Unpin>, PlaceError>>;

    /// One was taken in: it may be put away.
    fn took<'a>(&'a mut self, name: &'a str) -> BoxFuture<'a, Result<(), PlaceError>>;

    /// The session is over.
    fn end(&mut self) -> BoxFuture<'_, ()>;
}

/// A source and where its files are.
#[derive(Clone)]
pub struct Fetch {
    /// Whose payments they tell of.
    pub tenant: TenantId,
    /// The source's name.
    pub source: String,
    /// Where.
    pub place: Arc<dyn Place>,
    /// Between two looks.
    pub every: Duration,
}

/// What a look failed of.
#[derive(Debug, thiserror::Error)]
enum LookError {
    #[error(transparent)]
    Place(#[from] PlaceError),
    #[error("our own store: {0}")]
    Store(#[from] CommitError),
    #[error("reading it here: {0}")]
    Io(#[from] std::io::Error),
    #[error("{0}")]
    Run(Cause),
}

impl Fetch {
    /// Looks until `stop` turns true.
    pub async fn run(self, app: App, mut stop: watch::Receiver<bool>) {
        let mut seen = HashMap::new();
        let mut failures = 0;
        loop {
            match self.look(&app, &mut seen).await {
                Ok(()) => failures = 0,
                Err(error) => {
                    failures += 1;
                    METRICS.source_files.of((Fetched::Unreachable,)).inc();
                    warn!(source = self.source, %error, failures, "a source cannot be fetched");
                    if let Err(error) = self.failed(&app, &error, failures).await {
                        warn!(source = self.source, %error, "and that cannot be noted");
                    }
                }
            }
            let longer = self.every.saturating_mul(1 << failures.min(10));
            let longest = PAUSE_MAX.max(self.every);
            let pause = longer.min(longest);
            // Spread, so that sources at one server do not come all at once.
            let spread = app.host.random() as u64 % (pause.as_millis() as u64 / 8 + 1);
            if rest(&mut stop, pause.as_millis() as u64 + spread).await {
                return;
            }
        }
    }

    /// Looks once. `seen` is what was there the last time and may still have been written.
    async fn look(&self, app: &App, seen: &mut HashMap<String, Listed>) -> Result<(), LookError> {
        let mut visit = self.place.visit().await?;
        let looked = self.look_around(app, visit.as_mut(), seen).await;
        visit.end().await;
        looked
    }

    async fn look_around(
        &self,
        app: &App,
        visit: &mut dyn Visit,
        seen: &mut HashMap<String, Listed>,
    ) -> Result<(), LookError> {
        let mut listed = visit.list().await?;
        listed.retain(|it| is_finished(&it.name));
        // The order of the days is mostly that of the names, and statements are a chain.
        listed.sort_by(|a, b| a.name.cmp(&b.name));
        let before = std::mem::take(seen);
        for it in listed {
            let known = state::taken(app, self.tenant, &self.source, &it.name).await;
            let known = known.map_err(|error| LookError::Run(Arc::new(error)))?;
            if known.as_ref().is_some_and(|known| known.is_as(&it)) {
                continue;
            }
            if before.get(&it.name) == Some(&it) {
                self.take(app, visit, &it, known).await?;
            } else {
                seen.insert(it.name.clone(), it);
            }
        }
        let now = app.host.now();
        state::looked(app, self.tenant, &self.source, now, None).await?;
        let trouble = Trouble::new(self.tenant, Kind::SourceUnreachable, &self.source, "");
        let closed = exceptions::resolve(
            app,
            self.tenant,
            trouble.id(),
            WORKER,
            "reached",
            "its files came",
        );
        Ok(closed.await?)
    }

    async fn take(
        &self,
        app: &App,
        visit: &mut dyn Visit,
        it: &Listed,
        known: Option<Taken>,
    ) -> Result<(), LookError> {
        let mut taken = Taken {
            name: it.name.clone(),
            bytes: it.bytes,
            modified: it.modified,
            digest: String::new(),
            at: app.host.now(),
            run: None,
        };
        let max = app.config.http.batch_bytes_max as u64;
        if it.bytes > max {
            let why = format!("{} has {} bytes, of {max} at the most", it.name, it.bytes);
            self.unreadable(app, it, &why).await?;
        } else {
            let spool = read(app, visit.open(&it.name).await?, max).await?;
            taken.digest = hex::encode(spool.digest);
            if known.is_some_and(|known| known.digest == taken.digest) {
                METRICS.source_files.of((Fetched::Known,)).inc();
            } else {
                taken.run = self.reconcile(app, it, spool, &taken.digest).await?;
            }
        }
        state::note(app, self.tenant, &self.source, &taken).await?;
        visit.took(&it.name).await?;
        Ok(())
    }

    /// Reconciles a file, and gives the run; none when it cannot be read.
    async fn reconcile(
        &self,
        app: &App,
        it: &Listed,
        mut spool: Spool,
        digest: &str,
    ) -> Result<Option<String>, LookError> {
        let source = Source::of(&app.config, self.source.clone());
        let input = spool.read()?;
        let report = match reconcile(app, self.tenant, &source, input).await {
            Ok(report) => report,
            Err(Failure::Unknown) => {
                let why = format!("{}: {}", it.name, Failure::Unknown);
                self.unreadable(app, it, &why).await?;
                return Ok(None);
            }
            Err(failure) => return Err(LookError::Run(Arc::new(failure))),
        };
        let run = kept::keep(app, self.tenant, WORKER, digest.to_owned(), &report).await?;
        METRICS.source_files.of((Fetched::Taken,)).inc();
        let (lines, open) = (report.lines, report.exceptions.len());
        info!(source = self.source, file = it.name, %run, lines, open, "a file was fetched");
        Ok(Some(run.to_string()))
    }

    async fn unreadable(&self, app: &App, it: &Listed, why: &str) -> Result<(), CommitError> {
        METRICS.source_files.of((Fetched::Unreadable,)).inc();
        let subject = format!("{}/file:{}", self.source, it.name);
        let trouble = Trouble::new(self.tenant, Kind::BrokenStatement, &subject, why)
            .evidence("source", &self.source)
            .evidence("file", &it.name);
        exceptions::raise(app, trouble).await.map(|_| ())
    }

    async fn failed(&self, app: &App, error: &LookError, failures: u32) -> Result<(), CommitError> {
        let now = app.host.now();
        let why = error.to_string();
        state::looked(app, self.tenant, &self.source, now, Some(&why)).await?;
        let refused = matches!(error, LookError::Place(PlaceError::Refused(_)));
        if refused || failures == FAILURES_MAX {
            let trouble = Trouble::new(self.tenant, Kind::SourceUnreachable, &self.source, &why)
                .evidence("place", self.place.shown())
                .evidence("failures", failures);
            exceptions::raise(app, trouble).await?;
        }
        Ok(())
    }
}

fn is_finished(name: &str) -> bool {
    let lower = name.to_lowercase();
    !lower.starts_with(['.', '~']) && !UNFINISHED.iter().any(|end| lower.ends_with(end))
}

/// Reads a file into an encrypted spool.
async fn read(
    app: &App,
    mut from: Box<dyn AsyncRead + Send + Unpin>,
    max: u64,
) -> Result<Spool, LookError> {
    let mut incoming = Incoming::new(app.host.as_ref(), None);
    loop {
        let mut piece = Vec::with_capacity(PIECE);
        if from.read_buf(&mut piece).await? == 0 {
            break;
        }
        incoming = blocking(move || incoming.push(&piece).map(|()| incoming)).await?;
        if incoming.bytes() > max {
            let why = format!("it grew beyond {max} bytes while it was read");
            return Err(PlaceError::Unreachable(why).into());
        }
    }
    Ok(blocking(move || incoming.end()).await?)
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> std::io::Result<T> + Send + 'static,
) -> std::io::Result<T> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(std::io::Error::other)?
}

/// The moment as seconds since 1970, for [`Listed::modified`].
#[must_use]
pub fn seconds(at: std::time::SystemTime) -> u64 {
    at.duration_since(std::time::UNIX_EPOCH)
        .map_or(0, |age| age.as_secs())
}
