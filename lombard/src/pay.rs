//! `lombard pay`: sends a file of payments and follows it until every payment's outcome is known.
//!
//! The idempotency key is the hash of the file, so sending a file again never pays it again: an
//! upload that broke off, or a batch that was interrupted, is taken up by the same command.

pub mod upload;

use std::{path::PathBuf, time::Duration};

use clap::Args;
use indicatif::ProgressBar;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::time::{Instant, sleep};

use crate::{
    client::{Remote, Server},
    exit::{Exit, Failure, OrExit, Outcome, failure},
    say,
};
use upload::{Sent, Upload};

/// Between two looks at a batch under way.
const PAUSE: Duration = Duration::from_millis(250);
/// How often a batch that was interrupted is taken up again.
const RESUMES_MAX: u32 = 3;

/// Arguments of `lombard pay`.
#[derive(Debug, Args)]
#[command(after_help = "\
The file is pain.001 (version .03 or later), CSV with a header line, or JSON Lines; its beginning
tells which. Sending the same file again pays nothing twice.

Exit code: 0 all cleared, 1 some rejected, failed or still pending, 4 the file was refused.

Example: lombard pay salaries.xml --wait 120 --json")]
pub struct Pay {
    /// The file.
    file: PathBuf,
    /// For how many seconds the payments' outcomes are waited for.
    #[arg(long, default_value_t = 60, value_name = "SECONDS")]
    wait: u64,
    /// Another idempotency key than the file's hash.
    #[arg(long, value_name = "KEY")]
    idempotency_key: Option<String>,
    #[command(flatten)]
    server: Server,
}

/// What became of a file.
#[derive(Clone, Debug, Default, Serialize)]
struct Paid {
    /// The batch.
    id: String,
    /// Rows of the file.
    rows: u64,
    /// Rows that became payments by this command.
    accepted: u64,
    /// Rows that were refused.
    rejected: u64,
    /// Rows that were paid before.
    duplicates: u64,
    /// Payments with the rail's final yes.
    cleared: u64,
    /// Payments whose money never moved, or moved back.
    failed: u64,
    /// Payments whose outcome is not known yet.
    pending: u64,
}

#[derive(Debug, Deserialize)]
struct Batch {
    id: String,
    state: String,
    counts: Counts,
}

#[derive(Clone, Copy, Debug, Default, Deserialize)]
struct Counts {
    rows: u64,
    accepted: u64,
    rejected: u64,
    duplicates: u64,
    cleared: u64,
    failed: u64,
    reversed: u64,
}

impl Counts {
    const fn decided(&self) -> u64 {
        self.accepted + self.rejected + self.duplicates
    }

    const fn ended(&self) -> u64 {
        self.rejected + self.duplicates + self.cleared + self.failed + self.reversed
    }
}

/// Sends, follows and tells.
pub async fn run(args: &Pay, as_json: bool) -> Outcome {
    let remote = args.server.remote()?;
    let upload = Upload::of(&args.file, args.idempotency_key.as_deref()).await?;
    let Sent { batch, replayed } = upload.send(&remote).await?;
    let first: Batch = read(batch)?;
    // What was there and done before this command came is not of its making.
    let before = replayed && batch_of(&remote, &first.id).await?.state == "completed";
    let until = Instant::now() + Duration::from_secs(args.wait);
    let counts = follow(&remote, &upload, &first.id, until).await?;
    let mut paid = Paid {
        id: first.id,
        rows: counts.rows,
        accepted: counts.accepted,
        rejected: counts.rejected,
        duplicates: counts.duplicates,
        cleared: counts.cleared,
        failed: counts.failed + counts.reversed,
        pending: counts.rows.saturating_sub(counts.ended()),
    };
    if before {
        paid.duplicates += std::mem::take(&mut paid.accepted);
    }
    if as_json {
        say::json(&paid);
    } else {
        paid.tell();
    }
    let well = paid.rejected == 0 && paid.failed == 0 && paid.pending == 0;
    Ok(if well { Exit::Done } else { Exit::No })
}

/// Looks again and again until all is known or the time is up; takes up what was interrupted.
async fn follow(
    remote: &Remote,
    upload: &Upload,
    id: &str,
    until: Instant,
) -> Result<Counts, Failure> {
    let bar = say::progress(Some(0), "payments");
    let mut resumes = 0;
    loop {
        let Batch { state, counts, .. } = batch_of(remote, id).await?;
        show(&bar, &counts);
        let decided = state == "completed" && counts.decided() >= counts.rows;
        if decided && counts.ended() >= counts.rows || Instant::now() >= until {
            bar.finish_and_clear();
            return Ok(counts);
        }
        if state == "interrupted" {
            resumes += 1;
            if resumes > RESUMES_MAX {
                return Err(failure(
                    Exit::Refused,
                    format!("{id} is interrupted again and again"),
                ));
            }
            upload.send(remote).await?;
        }
        sleep(PAUSE).await;
    }
}

fn show(bar: &ProgressBar, counts: &Counts) {
    bar.set_length(counts.rows);
    bar.set_position(counts.ended());
}

async fn batch_of(remote: &Remote, id: &str) -> Result<Batch, Failure> {
    read(remote.get(&format!("/v1/batches/{id}")).await?)
}

fn read(value: Value) -> Result<Batch, Failure> {
    serde_json::from_value(value).or_exit(Exit::Internal, "the server's answer")
}

impl Paid {
    fn tell(&self) {
        let Self {
            id,
            rows,
            accepted,
            rejected,
            duplicates,
            cleared,
            failed,
            pending,
        } = self;
        say::line(&format!(
            "{rows} rows: {accepted} accepted, {rejected} rejected, {duplicates} paid before"
        ));
        say::line(&format!(
            "payments: {cleared} cleared, {failed} failed, {pending} pending"
        ));
        if *rejected > 0 {
            say::line(&format!("why: GET /v1/batches/{id}/rows"));
        }
        say::line(&format!("batch {id}"));
    }
}
