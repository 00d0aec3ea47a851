//! `lombard bench --bulk`: how fast a file of payments becomes durable payments.
//!
//! One JSON Lines file through `POST /v1/batches`. The clock runs from the first byte that is
//! sent until every row is decided, and so durable: reading the file twice, as the server does, is
//! in it; what the rails do afterwards is not.

use std::{fs::File, io::Write, path::Path, time::Duration};

use serde::Serialize;
use tokio::time::{Instant, sleep};

use super::{
    Bench, Target,
    books::Books,
    figures::round,
    process,
    setup::{self, Prepared},
};
use crate::{
    client::Remote,
    exit::{Exit, Failure, OrExit, Outcome, failure},
    pay::upload::Upload,
    say,
};

/// Between two looks at the batch.
pub const PAUSE: Duration = Duration::from_millis(20);
/// How long a batch may take.
const PATIENCE: Duration = Duration::from_secs(600);

/// What is told.
#[derive(Debug, Serialize)]
struct Report {
    /// Rows a second, from the first byte sent until the last row was durable.
    payments_per_second: f64,
    /// Rows are not answered one by one.
    p50_ms: Option<f64>,
    /// See `p50_ms`.
    p99_ms: Option<f64>,
    connections: usize,
    hot: bool,
    bulk: bool,
    durable: bool,
    rows: u64,
    accepted: u64,
    file_bytes: u64,
    seconds: f64,
    reps: usize,
    accepted_is_stored: bool,
    balanced: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    server_memory_bytes: Option<u64>,
}

/// Measures and tells.
pub async fn run(args: &Bench, as_json: bool) -> Outcome {
    let target = Target::find(args)?;
    let prepared = setup::prepare(args, &target.remote, &target.url, &target.key).await?;
    let before = Books::read(&target.remote, prepared.currency).await?;
    let folder = tempfile::tempdir().or_exit(Exit::NotWritable, "a temporary folder")?;
    let mut runs = Vec::new();
    let mut accepted = 0;
    let mut file_bytes = 0;
    for rep in 0..args.reps {
        let path = folder.path().join(format!("{rep}.jsonl"));
        file_bytes = write_file(&path, args.rows(), &prepared, rep)
            .or_exit(Exit::NotWritable, path.display())?;
        let done = one(&target.remote, &path, args.rows()).await?;
        runs.push(done.seconds);
        accepted += done.accepted;
    }
    let memory = target.process.as_ref().map(process::Process::id);
    let memory = memory.and_then(process::memory_bytes);
    let after = Books::settle(&target.remote, prepared.currency).await?;
    runs.sort_by(f64::total_cmp);
    let seconds = runs[(runs.len() - 1) / 2];
    let report = Report {
        payments_per_second: round(args.rows() as f64 / seconds, 1),
        p50_ms: None,
        p99_ms: None,
        connections: 1,
        hot: args.hot,
        bulk: true,
        durable: target.durable,
        rows: args.rows(),
        accepted,
        file_bytes,
        seconds: round(seconds, 3),
        reps: args.reps,
        accepted_is_stored: after.customers_debits - before.customers_debits == accepted,
        balanced: after.balanced(),
        server_memory_bytes: memory,
    };
    if as_json {
        say::json(&report);
    } else {
        let rate = report.payments_per_second;
        say::line(&format!(
            "{rate:.0} payments/s from a file of {} rows to durable",
            report.rows
        ));
    }
    let sound = report.accepted_is_stored && report.balanced;
    Ok(if sound { Exit::Done } else { Exit::No })
}

/// A file of payments of one minor unit. Each repetition's rows differ from the others'.
pub fn write_file(path: &Path, rows: u64, prepared: &Prepared, rep: usize) -> std::io::Result<u64> {
    let mut file = std::io::BufWriter::with_capacity(1 << 20, File::create(path)?);
    let Prepared {
        debtors,
        creditors,
        currency,
        ..
    } = prepared;
    for row in 0..rows {
        let debtor = &debtors[row as usize % debtors.len()];
        let creditor = &creditors[row as usize % creditors.len()];
        writeln!(
            file,
            r#"{{"rail":"book","amount":1,"currency":"{currency}","debtor":{{"account":"{debtor}"}},"creditor":{{"account":"{creditor}"}},"end_to_end_id":"BULK-{rep}-{row}"}}"#
        )?;
    }
    Ok(file.into_inner()?.metadata()?.len())
}

/// A file that was paid.
pub struct Done {
    /// Its batch.
    pub id: String,
    /// From the first byte sent to the last row decided.
    pub seconds: f64,
    /// Rows that became payments.
    pub accepted: u64,
}

/// Sends a file and waits until every row is decided.
pub async fn one(remote: &Remote, path: &Path, rows: u64) -> Result<Done, Failure> {
    // Hashed before the clock runs: that is the client's own affair.
    let upload = Upload::of(path, None).await?;
    let begun = Instant::now();
    let sent = upload.send(remote).await?;
    let id = sent.batch["id"].as_str().unwrap_or_default().to_owned();
    loop {
        let batch = remote.get(&format!("/v1/batches/{id}")).await?;
        if batch["state"] == "completed" {
            let seconds = begun.elapsed().as_secs_f64();
            let rejected = batch["counts"]["rejected"].as_u64().unwrap_or(0);
            let accepted = rows - rejected.min(rows);
            return Ok(Done {
                id,
                seconds,
                accepted,
            });
        }
        if batch["state"] == "interrupted" || begun.elapsed() > PATIENCE {
            return Err(failure(
                Exit::Refused,
                format!("{id} did not complete: {batch}"),
            ));
        }
        sleep(PAUSE).await;
    }
}
