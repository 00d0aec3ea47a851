//! Goes on with batches whose run was ended by a crash, a stop or an outage of the store.
//!
//! **Shape.** Batches that are not completed are listed together. One whose runner gave no sign for
//! [`RUNNER_MS_MAX`] is claimed in its record, so that one runner has it, and gone on with from its kept
//! file. What cannot be gone on with (the file was not kept, or is not what it was; run after run ends early)
//! becomes an exception. Its sender can still send the file again.

use std::{
    collections::{BTreeMap, BTreeSet},
    io,
    sync::Arc,
};

use lombard_core::{
    bank::uk::weights::Weights, id::Id, payment::Batch, store::decode, tenant::TenantId,
    time::Timestamp,
};
use tokio::sync::watch;
use tracing::{info, warn};

use super::{
    record::{self, OPEN, RUNNER_MS_MAX, Record, Runner, State},
    run::{Run, run as carry_out},
    spool::{Spool, tidy},
};
use crate::{
    app::App,
    duty,
    exceptions::{self, Kind, Trouble},
    ports::{Cause, CommitError, Range, ReadError},
    records::{Then, change},
    worker::feed::rest,
};

/// How often the list is looked at, in milliseconds.
const EVERY_MS: u64 = 1_000;
/// Batches read at once.
const PAGE: usize = 256;
/// Runs of one batch in this process before a person must look.
const RUNS_MAX: u32 = 3;
/// How long the sender of a file that was not kept has to send it again, before a person must look.
const PATIENCE_MS: u64 = 60_000;

/// Gives a batch that is interrupted to a runner. `None` when it is not, or another has it.
///
/// # Errors
/// See [`CommitError`].
pub async fn claim(
    app: &App,
    tenant: TenantId,
    id: Id<Batch>,
    runner: &Runner,
) -> Result<Option<Record>, CommitError> {
    let now = app.host.now();
    change(
        app,
        &record::key(tenant, id),
        |known: Option<Record>| match known {
            Some(mut record) if record.state_at(now) == State::Interrupted => {
                record.state = State::Processing;
                record.runner = Some(runner.clone());
                record.updated_at = now;
                (Then::Put(record.body(tenant)), Some(record))
            }
            // Ours already: the answer of the commit was lost.
            Some(record)
                if record
                    .runner
                    .as_ref()
                    .is_some_and(|it| it.name == runner.name) =>
            {
                (Then::Keep, Some(record))
            }
            _ => (Then::Keep, None),
        },
    )
    .await
}

/// A runner of a name that was never drawn before.
#[must_use]
pub fn fresh_runner(app: &App) -> Runner {
    Runner {
        name: format!("{:032x}", app.host.random()),
        beat: app.host.now(),
    }
}

/// Looks for interrupted batches until `stop` turns true.
pub async fn run(app: App, weights: Option<Weights>, mut stop: watch::Receiver<bool>) {
    let mut resumer = Resumer {
        app,
        weights,
        runs: BTreeMap::new(),
        told: BTreeSet::new(),
    };
    if let Err(error) = resumer.tidy().await {
        warn!(%error, "files of batches that are completed are not removed");
    }
    while !*stop.borrow() {
        if let Err(error) = duty::on("batches-resume", resumer.scan()).await {
            warn!(%error, "the open batches cannot be read");
        }
        if rest(&mut stop, EVERY_MS).await {
            return;
        }
    }
}

/// See the module.
struct Resumer {
    app: App,
    weights: Option<Weights>,
    /// How often each was gone on with by this process.
    runs: BTreeMap<Id<Batch>, u32>,
    /// Those of which a person was told.
    told: BTreeSet<Id<Batch>>,
}

impl Resumer {
    /// All batches that are not completed.
    async fn open(&self) -> Result<Vec<(TenantId, Record)>, ReadError> {
        let mut open = Vec::new();
        let mut after = None;
        loop {
            let range = Range::listed(OPEN, PAGE).after(after);
            let page = self.app.store.range(&range).await?;
            let full = page.len() == PAGE;
            after = page.last().map(|found| found.at.sort().to_owned());
            open.extend(page.iter().filter_map(|found| {
                let (tenant, _) = found.at.sort().split_once('#')?;
                Some((tenant.parse().ok()?, decode(&found.record.body.bytes)))
            }));
            if !full {
                return Ok(open);
            }
        }
    }

    /// Removes files that a crash left between the end of a batch and theirs, or before its beginning.
    async fn tidy(&self) -> Result<(), Cause> {
        let Some(folder) = self.app.config.batches.spool.clone() else {
            return Ok(());
        };
        let open = self
            .open()
            .await
            .map_err(|error| Arc::new(error) as Cause)?;
        let kept = open.into_iter().filter_map(|(_, record)| record.kept);
        let needed: BTreeSet<String> = kept.map(|kept| kept.file).collect();
        let tidied =
            tokio::task::spawn_blocking(move || tidy(&folder, |name| needed.contains(name)));
        let tidied = tidied.await.map_err(io::Error::other).flatten();
        tidied.map_err(|error| Arc::new(error) as Cause)
    }

    async fn scan(&mut self) -> Result<(), Cause> {
        let open = self
            .open()
            .await
            .map_err(|error| Arc::new(error) as Cause)?;
        let now = self.app.host.now();
        for (tenant, record) in open {
            let rested = now.ms_since(record.updated_at) >= RUNNER_MS_MAX;
            if !rested
                || record.state_at(now) != State::Interrupted
                || self.told.contains(&record.id)
            {
                continue;
            }
            self.take_up(tenant, record, now)
                .await
                .map_err(|error| Arc::new(error) as Cause)?;
        }
        Ok(())
    }

    async fn take_up(
        &mut self,
        tenant: TenantId,
        record: Record,
        now: Timestamp,
    ) -> Result<(), CommitError> {
        let runs = self.runs.entry(record.id).or_default();
        if *runs >= RUNS_MAX {
            return self
                .tell(tenant, &record, "each run of it ends early")
                .await;
        }
        let spool = match reopen(&self.app, tenant, &record) {
            Ok(Some(spool)) => spool,
            Ok(None) if now.ms_since(record.updated_at) < PATIENCE_MS => return Ok(()),
            Ok(None) => return self.tell(tenant, &record, "its file was not kept").await,
            Err(error) => {
                warn!(batch = %record.id, %error, "the kept file cannot be used");
                return self
                    .tell(tenant, &record, "its kept file cannot be used")
                    .await;
            }
        };
        *runs += 1;
        let runner = fresh_runner(&self.app);
        if let Some(record) = claim(&self.app, tenant, record.id, &runner).await? {
            info!(batch = %record.id, done = record.done, "a batch is gone on with");
            tokio::spawn(carry_out(Run {
                app: self.app.clone(),
                weights: self.weights.clone(),
                tenant,
                record,
                spool,
            }));
        }
        Ok(())
    }

    async fn tell(
        &mut self,
        tenant: TenantId,
        record: &Record,
        why: &str,
    ) -> Result<(), CommitError> {
        let text =
            format!("the batch was interrupted, and {why}; its sender must send the file again");
        let subject = record.id.to_string();
        let trouble = Trouble::new(tenant, Kind::BatchInterrupted, &subject, &text)
            .evidence("rows", record.rows)
            .evidence("rows_decided", record.done);
        exceptions::raise(&self.app, trouble).await?;
        self.told.insert(record.id);
        Ok(())
    }
}

/// The file of a batch, if it was kept.
fn reopen(app: &App, tenant: TenantId, record: &Record) -> Result<Option<Spool>, Cause> {
    let (Some(folder), Some(kept)) = (&app.config.batches.spool, &record.kept) else {
        return Ok(None);
    };
    let secret = app.vault.open(tenant, &record.id.to_string(), &kept.key);
    let secret = zeroize::Zeroizing::new(secret.map_err(|error| Arc::new(error) as Cause)?);
    let mut digest = [0; 32];
    hex::decode_to_slice(&record.file.sha256, &mut digest)
        .map_err(|error| Arc::new(error) as Cause)?;
    let spool = Spool::reopen(&folder.join(&kept.file), &secret, digest, record.file.bytes);
    spool.map(Some).map_err(|error| Arc::new(error) as Cause)
}
