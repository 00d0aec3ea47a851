//! The second reading: every row becomes a payment.
//!
//! **Shape.** One blocking task reads rows and makes commands ([`prepare`]); one task has
//! [`UNDER_WAY`] of them carried out at once, so that the store commits them in full groups, and notes how
//! far it came ([`progress`]). Rows that became payments need no note but the number up to which all
//! rows are decided; the others are stored with it, in the same commit.
//!
//! **A crash, a lost connection** leave rows between the last note and the last payment. They are submitted
//! again, under the ids that they had, and the plan says of each that it exists.

mod prepare;
mod progress;

use std::{sync::Arc, time::Duration};

use futures_util::{StreamExt, stream::FuturesUnordered};
use lombard_core::{
    bank::uk::weights::Weights,
    command::{Command, Rejection, Reply},
    id::Id,
    payment::Payment,
    tenant::TenantId,
};
use serde::Deserialize;
use tokio::sync::mpsc;
use tracing::{info, warn};

use super::{
    record::{Outcome, Record, What, payment_id},
    spool::Spool,
};
use crate::{
    app::App,
    http::Problem,
    ports::{Cause, ExecuteError},
};

pub use prepare::refused_by;
use prepare::{Ready, prepare_rows};
use progress::Progress;

/// Commands under way at once: two full groups of the embedded engine.
const UNDER_WAY: usize = 1024;
/// Rows handed over at once by the task that reads them.
const CHUNK: usize = 128;
/// Chunks that wait to be submitted.
const CHUNKS: usize = 8;
/// For how long a row is tried when the store takes no writes, before the run gives up.
const PATIENCE: Duration = Duration::from_secs(30);
/// How often a sign of life is stored.
const BEAT: Duration = Duration::from_millis(1000);

/// A batch to be paid.
pub struct Run {
    /// The ports.
    pub app: App,
    /// The UK modulus table, if there is one.
    pub weights: Option<Weights>,
    /// Whose.
    pub tenant: TenantId,
    /// The batch, with this run as its runner.
    pub record: Record,
    /// The file.
    pub spool: Spool,
}

/// Why a run ended before its file.
#[derive(Debug, thiserror::Error)]
pub enum Interrupted {
    /// The file cannot be read again.
    #[error("the file cannot be read again")]
    Io(#[source] std::io::Error),
    /// The store took no writes for too long.
    #[error("the store takes no writes")]
    Store(#[source] Cause),
    /// Somebody else took the batch over.
    #[error("another run took over")]
    TakenOver,
}

/// Pays a batch. Its record says how that ended.
pub async fn run(run: Run) {
    let id = run.record.id;
    let (app, tenant, name) = (run.app.clone(), run.tenant, run.record.runner.clone());
    let kept = run.record.kept.clone();
    match carry_out(run).await {
        Ok(()) => {
            info!(batch = %id, "all rows are decided");
            if let (Some(folder), Some(kept)) = (&app.config.batches.spool, kept)
                && let Err(error) = std::fs::remove_file(folder.join(kept.file))
            {
                // The next start removes it.
                warn!(batch = %id, %error, "the file of a completed batch is still there");
            }
        }
        Err(error) => {
            warn!(batch = %id, %error, "a batch was interrupted");
            if let Some(runner) = name
                && let Err(error) = progress::leave(&app, tenant, id, &runner).await
            {
                warn!(batch = %id, %error, "the batch's record does not say so yet");
            }
        }
    }
}

async fn carry_out(run: Run) -> Result<(), Interrupted> {
    let Run {
        app,
        weights,
        tenant,
        record,
        spool,
    } = run;
    let mut progress = Progress::begin(app.clone(), tenant, record).await?;
    let (send, mut chunks) = mpsc::channel(CHUNKS);
    let reader = {
        let source = prepare::Source {
            app: app.clone(),
            weights,
            tenant,
            record: progress.record().clone(),
            decided: progress.decided().clone(),
            runtime: tokio::runtime::Handle::current(),
        };
        tokio::task::spawn_blocking(move || prepare_rows(source, spool, &send))
    };
    let mut under_way = FuturesUnordered::new();
    let mut beat = tokio::time::interval(BEAT);
    let mut reading = true;
    while reading || !under_way.is_empty() {
        tokio::select! {
            biased;
            Some(ended) = under_way.next(), if !under_way.is_empty() => {
                let (row, what): (u64, Result<Option<Outcome>, Interrupted>) = ended;
                progress.decide(row, what?);
            }
            chunk = chunks.recv(), if reading && under_way.len() < UNDER_WAY => match chunk {
                Some(chunk) => take(&app, &mut progress, &mut under_way, chunk).await?,
                None => reading = false,
            },
            _ = beat.tick() => progress.store().await?,
        }
        if progress.is_full() {
            progress.store().await?;
        }
    }
    match reader.await {
        Ok(read) => read.map_err(Interrupted::Io)?,
        Err(panicked) => return Err(Interrupted::Io(std::io::Error::other(panicked))),
    }
    progress.complete().await
}

type Submitted =
    std::pin::Pin<Box<dyn Future<Output = (u64, Result<Option<Outcome>, Interrupted>)> + Send>>;

/// Submits what is ready. A block is stored before its rows, so that a report finds it.
async fn take(
    app: &App,
    progress: &mut Progress,
    under_way: &mut FuturesUnordered<Submitted>,
    chunk: Vec<Ready>,
) -> Result<(), Interrupted> {
    let blocks = chunk.iter().filter_map(|ready| match ready {
        Ready::Block(block) => Some(block),
        _ => None,
    });
    if progress.note_blocks(blocks) {
        progress.store().await?;
    }
    for ready in chunk {
        match ready {
            Ready::Block(_) => {}
            Ready::Refused(outcome) => progress.decide(outcome.row, Some(outcome)),
            Ready::Pay(row, command, references) => {
                let (app, batch) = (app.clone(), progress.record().id);
                under_way.push(Box::pin(async move {
                    let ours = payment_id(batch, row);
                    let what = submit(&app, command, ours).await;
                    let outcome = |what| Outcome {
                        row,
                        what,
                        references,
                    };
                    (row, what.map(|what| what.map(outcome)))
                }));
            }
        }
    }
    Ok(())
}

/// Carries a row's command out; `None` when it is a payment of this batch.
async fn submit(
    app: &App,
    command: Command,
    ours: Id<Payment>,
) -> Result<Option<What>, Interrupted> {
    let started = std::time::Instant::now();
    let mut pause = Duration::from_millis(2);
    loop {
        match app.execute(command.clone()).await {
            Ok(reply) => return Ok(duplicate(&reply, ours)),
            // An earlier run of the same file made it.
            Err(ExecuteError::Rejected(Rejection::Exists { id })) if id == ours.to_string() => {
                return Ok(None);
            }
            Err(error @ ExecuteError::Rejected(_)) => {
                return Ok(Some(What::Rejected(refused_by(&Problem::from(error)))));
            }
            Err(error) if started.elapsed() > PATIENCE => {
                return Err(Interrupted::Store(Arc::new(error)));
            }
            Err(_) => {}
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(Duration::from_millis(500));
    }
}

/// Whether the answer is of a payment that was made before, under the row's own key.
fn duplicate(reply: &Reply, ours: Id<Payment>) -> Option<What> {
    #[derive(Deserialize)]
    struct Made {
        id: Id<Payment>,
    }
    if !reply.replayed {
        return None;
    }
    let made: Option<Made> = serde_json::from_slice(&reply.body).ok();
    let payment = made.map(|made| made.id);
    (payment != Some(ours)).then_some(What::Duplicate { payment })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_of_before_is_a_duplicate_unless_it_is_our_own() {
        let ours = Id::from_bits(1);
        let reply = |id: u128, replayed| Reply {
            status: 201,
            body: format!(r#"{{"id":"{}","amount":1}}"#, Id::<Payment>::from_bits(id))
                .into_bytes()
                .into(),
            stage: None,
            replayed,
        };
        assert_eq!(duplicate(&reply(1, false), ours), None);
        assert_eq!(duplicate(&reply(1, true), ours), None);
        let payment = Some(Id::from_bits(2));
        assert_eq!(
            duplicate(&reply(2, true), ours),
            Some(What::Duplicate { payment })
        );
    }
}
