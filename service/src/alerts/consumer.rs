//! Finds the exceptions that cannot wait in the change feed, and has them told.

use std::{collections::VecDeque, sync::Arc, time::Duration};

use futures_util::future::BoxFuture;
use lombard_core::{
    id::Id,
    store::{Change, Commit, decode},
    time::Timestamp,
};
use parking_lot::Mutex;
use tokio::sync::{mpsc, oneshot, watch};

use super::{Alerts, NotTold, group::Groups, notice::Notice, silence};
use crate::{
    app::App,
    exceptions::{self, Exception, Kind, State, Trouble},
    metrics::{METRICS, kinds::Took, label::AlertEnd, label::Channel, label::Label},
    ports::Cause,
    slo::Slo,
    worker::feed::{Consumer, Job, JobError},
};

/// Exceptions that wait to be told at once: more wait in the feed.
const CONCURRENCY: usize = 256;
/// Exceptions that are known to have been told, so that a change of one is not told again.
const KNOWN_MAX: usize = 10_000;
/// What is older is history that the feed is read through, and not told.
const FRESH_MS: u64 = 24 * 60 * 60 * 1000;
/// How often the groups are looked at.
const TICK: Duration = Duration::from_millis(500);

/// An exception that waits to be told.
struct Waiting {
    exception: Exception,
    told: oneshot::Sender<Result<(), NotTold>>,
}

/// The consumer of the change feed.
pub struct AlertConsumer {
    app: App,
    desk: mpsc::Sender<Waiting>,
    known: Mutex<VecDeque<(Id<Exception>, Timestamp)>>,
}

impl AlertConsumer {
    /// A consumer, and the desk that gathers and tells until `stop` turns true.
    pub fn new(
        app: &App,
        alerts: Arc<Alerts>,
        stop: watch::Receiver<bool>,
    ) -> (Self, impl Future<Output = ()> + Send + use<>) {
        let (desk, waiting) = mpsc::channel(CONCURRENCY);
        let consumer = Self {
            app: app.clone(),
            desk,
            known: Mutex::default(),
        };
        (consumer, run(alerts, waiting, stop))
    }

    /// Whether an exception is new, fresh and cannot wait.
    fn concerns(&self, exception: &Exception) -> bool {
        let fresh = self.app.host.now().ms_since(exception.opened_at) < FRESH_MS;
        if exception.state != State::Open || !exception.kind.is_urgent() || !fresh {
            return false;
        }
        let opening = (exception.id, exception.opened_at);
        let mut known = self.known.lock();
        if known.contains(&opening) {
            return false;
        }
        if known.len() == KNOWN_MAX {
            known.pop_front();
        }
        known.push_back(opening);
        true
    }

    fn job(&self, exception: Exception) -> Job {
        let subject = exception.id.to_string();
        let (desk, app) = (self.desk.clone(), self.app.clone());
        Job {
            subject,
            run: Arc::new(move || -> BoxFuture<'static, _> {
                let (desk, exception) = (desk.clone(), exception.clone());
                Box::pin(async move { tell(&desk, exception).await })
            }),
            give_up: Arc::new(move |cause| -> BoxFuture<'static, _> {
                let app = app.clone();
                Box::pin(async move { raise(&app, cause).await })
            }),
        }
    }
}

impl Consumer for AlertConsumer {
    fn name(&self) -> &'static str {
        "alerts"
    }

    fn concurrency(&self) -> usize {
        CONCURRENCY
    }

    fn jobs(&self, commit: &Commit) -> Vec<Job> {
        let exception = |change: &Change| -> Option<Exception> {
            let record = change.record.as_ref()?;
            (change.key.sort() == exceptions::SORT).then(|| decode(&record.body.bytes))
        };
        let found = commit.changes.iter().filter_map(exception);
        let found = found.filter(|exception| self.concerns(exception));
        found.map(|exception| self.job(exception)).collect()
    }
}

async fn tell(desk: &mpsc::Sender<Waiting>, exception: Exception) -> Result<(), JobError> {
    let (told, heard) = oneshot::channel();
    let gone = || JobError::Busy(Arc::new(NotTold("the process ends".to_owned())));
    let waiting = Waiting { exception, told };
    desk.send(waiting).await.map_err(|_| gone())?;
    // It was tried long enough; the feed need not begin again.
    let heard = heard.await.map_err(|_| gone())?;
    heard.map_err(|failure| JobError::Hopeless(Arc::new(failure)))
}

/// People cannot be reached: the queue says so, once.
async fn raise(app: &App, cause: Cause) -> Result<(), JobError> {
    let text = "an alert could not be told to a channel; look at the queue by other means";
    let trouble = Trouble::new(exceptions::operator(), Kind::EffectFailed, "alerts", text);
    let raised = exceptions::raise(app, trouble.evidence("error", cause)).await;
    raised
        .map(drop)
        .map_err(|error| JobError::Busy(Arc::new(error)))
}

async fn run(
    alerts: Arc<Alerts>,
    mut waiting: mpsc::Receiver<Waiting>,
    mut stop: watch::Receiver<bool>,
) {
    let mut groups = Groups::default();
    let mut tick = tokio::time::interval(TICK);
    loop {
        tokio::select! {
            biased;
            _ = stop.changed() => return,
            Some(one) = waiting.recv() => {
                let kind = one.exception.kind;
                if let Some(one) = groups.take(alerts.app.host.now(), kind, one) {
                    tokio::spawn(send(alerts.clone(), kind, vec![one]));
                }
            }
            _ = tick.tick() => for (kind, gathered) in groups.due(alerts.app.host.now()) {
                tokio::spawn(send(alerts.clone(), kind, gathered));
            }
        }
    }
}

async fn send(alerts: Arc<Alerts>, kind: Kind, gathered: Vec<Waiting>) {
    let end = if is_silenced(&alerts.app, kind).await {
        let configured = |channel: &&Channel| {
            super::notice::address(&alerts.app.config.alerts, **channel).is_some()
        };
        for channel in Channel::ALL.iter().filter(configured) {
            METRICS.alerts.of((*channel, AlertEnd::Silenced)).inc();
        }
        Ok(())
    } else {
        let exceptions: Vec<_> = gathered.iter().map(|one| one.exception.clone()).collect();
        let notice = Notice::of(kind, &exceptions, &alerts.app.config.alerts);
        let told = alerts.tell(&notice).await;
        note(&alerts.app, &exceptions);
        let failed = told.into_iter().find_map(|told| {
            let failure = told.failure?;
            Some(NotTold(format!("{}: {failure}", told.channel)))
        });
        failed.map_or(Ok(()), Err)
    };
    for one in gathered {
        // Whoever waited is gone when the process ends; the next start tells it again.
        let _ = one.told.send(end.clone());
    }
}

fn note(app: &App, exceptions: &[Exception]) {
    let now = app.host.now();
    for exception in exceptions {
        let took = Duration::from_millis(now.ms_since(exception.opened_at));
        METRICS.alert_delay.of(()).took(took);
        Slo::Alerted.note_within(took);
    }
}

/// Whether a kind is silenced. What cannot be known is told.
async fn is_silenced(app: &App, kind: Kind) -> bool {
    let silences = silence::list(app).await.unwrap_or_default();
    silences.iter().any(|silence| silence.kind == kind)
}
