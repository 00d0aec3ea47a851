//! `lombard bench --scale`: a store of a million payments, and what becomes of it.
//!
//! One file fills the store. Then memory is read; the server is stopped in order and started; loaded and killed
//! (`kill -9`), and started again; and its log is verified from the files alone. Starting is timed from the
//! call of the program to the line that says it is ready. After the crash the ledger must have every payment
//! that was accepted, and none that was not sent.

use std::{
    path::Path,
    process::{Command, Stdio},
    time::Duration,
};

use serde::Serialize;
use serde_json::Value;
use tokio::time::{Instant, sleep};

use super::{
    Bench, Target,
    books::Books,
    bulk,
    figures::round,
    load::{self, Measured},
    process::{Process, memory_bytes},
    setup::{self, Prepared},
    template::KeySpace,
};
use crate::{
    client::Remote,
    exit::{Exit, Failure, OrExit, Outcome, failure},
    say,
    up::{LOG_FOLDER, LOG_KEY_FILE},
};

/// How long the load runs before the crash.
const LOADED: Duration = Duration::from_secs(3);
/// How long the log may take to have everything.
const PATIENCE: Duration = Duration::from_secs(120);

/// What is told.
#[derive(Debug, Serialize)]
struct Report {
    payments: u64,
    fill_payments_per_second: f64,
    durable: bool,
    /// When the last payment was durable.
    memory_bytes: u64,
    /// After the start in order.
    memory_after_start_bytes: u64,
    start_seconds: f64,
    recovery_seconds: f64,
    /// Payments accepted in the load that the crash ended.
    accepted_before_crash: u64,
    /// Sent, and not answered because of it.
    unknown: u64,
    /// Whether what was accepted is there, and nothing that was not sent.
    accepted_is_stored: bool,
    balanced: bool,
    verified: Verified,
}

/// What the verification came to.
#[derive(Debug, Serialize)]
struct Verified {
    ok: bool,
    entries: u64,
    seconds: f64,
}

/// Measures and tells. The exit code is [`Exit::No`] when a payment is missing, the books do not balance or the
/// log is not sound.
pub async fn run(args: &Bench, as_json: bool) -> Outcome {
    let target = Target::find(args)?;
    let prepared = setup::prepare(args, &target.remote, &target.url, &target.key).await?;
    let Target {
        remote,
        durable,
        // In this order: the server ends before its folder goes.
        folder: Some(folder),
        process: Some(process),
        ..
    } = target
    else {
        return Err(failure(Exit::Usage, "only a server of our own is killed"));
    };
    let data = folder.path();
    let rows = args.rows();
    let fill_seconds = fill(&remote, &prepared, rows).await?;
    let memory = memory_bytes(process.id()).unwrap_or(0);
    drop(process);

    let (process, start_seconds) = start(data)?;
    let memory_after_start = memory_bytes(process.id()).unwrap_or(0);
    let remote = Remote::new(&process.ready.url, &process.ready.api_key)?;
    let prepared = prepared.at(&process.ready.url).await?;
    let before = Books::settle(&remote, prepared.currency).await?;
    let measured = loaded_and_killed(args, &prepared, process).await?;

    let (process, recovery_seconds) = start(data)?;
    let remote = Remote::new(&process.ready.url, &process.ready.api_key)?;
    let after = Books::settle(&remote, prepared.currency).await?;
    let stored = after.customers_debits - before.customers_debits;
    wait_for_log(&remote).await?;
    drop(process);
    let report = Report {
        payments: rows,
        fill_payments_per_second: round(rows as f64 / fill_seconds, 1),
        durable,
        memory_bytes: memory,
        memory_after_start_bytes: memory_after_start,
        start_seconds,
        recovery_seconds,
        accepted_before_crash: measured.accepted,
        unknown: measured.broken,
        accepted_is_stored: (measured.accepted..=measured.accepted + measured.broken)
            .contains(&stored),
        balanced: after.balanced(),
        verified: verify(data)?,
    };
    if as_json {
        say::json(&report);
    } else {
        report.tell();
    }
    let sound = report.accepted_is_stored && report.balanced && report.verified.ok;
    Ok(if sound { Exit::Done } else { Exit::No })
}

async fn fill(remote: &Remote, prepared: &Prepared, rows: u64) -> Result<f64, Failure> {
    let folder = tempfile::tempdir().or_exit(Exit::NotWritable, "a temporary folder")?;
    let path = folder.path().join("payments.jsonl");
    bulk::write_file(&path, rows, prepared, 0).or_exit(Exit::NotWritable, path.display())?;
    let done = bulk::one(remote, &path, rows).await?;
    if done.accepted != rows {
        let what = format!("{} of {rows} rows were accepted", done.accepted);
        return Err(failure(Exit::Refused, what));
    }
    Ok(done.seconds)
}

/// A server on the folder, and how many seconds it took.
fn start(data: &Path) -> Result<(Process, f64), Failure> {
    let begun = Instant::now();
    let process = Process::start(data)?;
    Ok((process, round(begun.elapsed().as_secs_f64(), 3)))
}

/// Kills the server in the middle of a load.
async fn loaded_and_killed(
    args: &Bench,
    prepared: &Prepared,
    process: Process,
) -> Result<Measured, Failure> {
    let mut load = prepared.load(args, KeySpace(prepared.seed));
    // It ends when nobody answers any more.
    load.measured = LOADED * 2;
    let loaded = tokio::task::spawn_blocking(move || load::run(&load));
    sleep(LOADED).await;
    process.crash();
    let measured = loaded
        .await
        .or_exit(Exit::Internal, "the load generator")??;
    Ok(measured)
}

/// Waits until no transaction waits to be in the log.
async fn wait_for_log(remote: &Remote) -> Result<(), Failure> {
    let until = Instant::now() + PATIENCE;
    let mut size = None;
    while Instant::now() < until {
        // Just after a start there is no published checkpoint yet.
        if let Ok(log) = remote.get("/v1/log").await {
            let now = log["checkpoint"]["size"].as_u64();
            if log["lag_ms"] == 0 && now.is_some() && now == size {
                return Ok(());
            }
            size = now;
        }
        sleep(Duration::from_millis(500)).await;
    }
    Err(failure(Exit::No, "the log does not catch up"))
}

/// Verifies the log in the folder, as an auditor would.
fn verify(data: &Path) -> Result<Verified, Failure> {
    let program = std::env::current_exe().or_exit(Exit::Internal, "no program")?;
    let begun = Instant::now();
    let output = Command::new(program)
        .args(["verify", "--json"])
        .arg(data.join(LOG_FOLDER))
        .arg("--key")
        .arg(data.join(format!("{LOG_KEY_FILE}.pub")))
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .or_exit(Exit::Internal, "the verification")?;
    let seconds = round(begun.elapsed().as_secs_f64(), 3);
    let report: Value =
        serde_json::from_slice(&output.stdout).or_exit(Exit::Internal, "the verification")?;
    Ok(Verified {
        ok: report["ok"] == true,
        entries: report["size"].as_u64().unwrap_or(0),
        seconds,
    })
}

impl Report {
    fn tell(&self) {
        let mb = |bytes: u64| bytes / 1_000_000;
        let yes = |holds: bool| if holds { "yes" } else { "NO" };
        let Verified {
            ok,
            entries,
            seconds,
        } = &self.verified;
        for line in [
            format!(
                "{} payments stored, {:.0} a second",
                self.payments, self.fill_payments_per_second
            ),
            format!(
                "memory {} MB, {} MB after a start",
                mb(self.memory_bytes),
                mb(self.memory_after_start_bytes)
            ),
            format!(
                "start {} s, recovery after kill -9 under load {} s",
                self.start_seconds, self.recovery_seconds
            ),
            format!("{entries} entries verified in {seconds} s: {}", yes(*ok)),
            format!(
                "accepted is stored: {}; books balance: {}",
                yes(self.accepted_is_stored),
                yes(self.balanced)
            ),
        ] {
            say::line(&line);
        }
    }
}
