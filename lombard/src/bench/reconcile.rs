//! `lombard bench --reconcile`: a statement of many lines held against as many payments, and whether
//! what came of it is the truth.
//!
//! The payments of a drawn [`set`] are paid by files over a simulated rail, and cleared; then their
//! statement is sent, timed from its first byte to the answer. Each exception must be one that was
//! planted, none may be left out, and as many payments must be settled as the statement has. The same
//! statement once more must change nothing.

mod set;

use std::{
    collections::BTreeMap,
    fs::File,
    io::{BufWriter, Write},
    path::Path,
    time::Duration,
};

use serde::Serialize;
use serde_json::Value;
use time::OffsetDateTime;
use tokio::time::{Instant, sleep};

use self::set::{Exceptions, Planned, Set};
use super::{
    Bench, Target,
    books::Books,
    bulk::{self, PAUSE},
    figures::round,
    process,
    setup::{self, Prepared},
};
use crate::{
    client::Remote,
    exit::{Exit, Failure, OrExit, Outcome, failure},
    reconcile, say,
};

/// How long the rail may take with the payments, and the counts with the settlements.
const PATIENCE: Duration = Duration::from_secs(1_800);
/// The name that the statement comes under.
const SOURCE: &str = "bench";

/// What is told.
#[derive(Debug, Serialize)]
struct Report {
    payments: u64,
    lines: u64,
    seed: u64,
    /// From the first byte sent to the answer.
    seconds: f64,
    /// The same file once more.
    again_seconds: f64,
    lines_per_second: f64,
    /// The most memory that the server had meanwhile.
    peak_memory_bytes: Option<u64>,
    settled: u64,
    exceptions: u64,
    /// Exceptions that nothing was planted for, and settlements too many.
    wrong: u64,
    /// What was planted and is not told, and settlements too few.
    missed: u64,
    /// Whether the second run came to the same and settled nothing more.
    again_the_same: bool,
    durable: bool,
    /// Whether as many payments are in the ledger as were accepted.
    accepted_is_stored: bool,
    balanced: bool,
}

/// Measures and tells. The exit code is [`Exit::No`] when something is wrong or missed.
pub async fn run(args: &Bench, as_json: bool) -> Outcome {
    let target = Target::find(args)?;
    let prepared = setup::prepare(args, &target.remote, &target.url, &target.key).await?;
    let before = Books::read(&target.remote, prepared.currency).await?;
    let seed = args.seed.unwrap_or(prepared.seed);
    let set = Set::draw(seed, args.rows());
    let folder = tempfile::tempdir().or_exit(Exit::NotWritable, "a temporary folder")?;
    let batches = pay(&target.remote, &set, &prepared, folder.path()).await?;
    let payments: u64 = set.files.iter().map(|it| it.len() as u64).sum();
    wait(&target.remote, &batches, "cleared", payments).await?;

    let path = folder.path().join("statement.xml");
    write_statement(&set, &batches, &path).or_exit(Exit::NotWritable, path.display())?;
    let server = target.process.as_ref().map(process::Process::id);
    if let Some(id) = server {
        process::forget_peak(id);
    }
    let (first, seconds) = send(&target.remote, &path).await?;
    let peak_memory_bytes = server.and_then(process::peak_memory_bytes);
    let settled = wait(&target.remote, &batches, "settled", set.settled).await?;
    let (second, again_seconds) = send(&target.remote, &path).await?;
    let settled_again = wait(&target.remote, &batches, "settled", set.settled).await?;
    let after = Books::settle(&target.remote, prepared.currency).await?;

    let told = exceptions(&first);
    let report = Report {
        payments,
        lines: set.line_count(),
        seed,
        seconds,
        again_seconds,
        lines_per_second: round(set.line_count() as f64 / seconds, 1),
        peak_memory_bytes,
        settled,
        exceptions: told.values().sum(),
        wrong: beyond(&told, &set.exceptions) + settled.saturating_sub(set.settled),
        missed: beyond(&set.exceptions, &told) + set.settled.saturating_sub(settled),
        again_the_same: exceptions(&second) == told
            && second["matched"] == first["matched"]
            && settled_again == settled,
        durable: target.durable,
        accepted_is_stored: after.customers_debits - before.customers_debits
            == set.files.iter().flatten().map(|it| it.amount).sum::<u64>(),
        balanced: after.balanced(),
    };
    if as_json {
        say::json(&report);
    } else {
        report.tell();
    }
    let sound = report.wrong == 0
        && report.missed == 0
        && report.again_the_same
        && report.accepted_is_stored
        && report.balanced;
    Ok(if sound { Exit::Done } else { Exit::No })
}

/// Pays the files, and gives the names of their batches.
async fn pay(
    remote: &Remote,
    set: &Set,
    prepared: &Prepared,
    folder: &Path,
) -> Result<Vec<String>, Failure> {
    let bar = say::progress(Some(set.files.len() as u64), "paying files");
    let mut batches = Vec::new();
    for file in &set.files {
        let path = folder.join("payments.jsonl");
        write_payments(&path, file, prepared).or_exit(Exit::NotWritable, path.display())?;
        let done = bulk::one(remote, &path, file.len() as u64).await?;
        if done.accepted != file.len() as u64 {
            let what = format!("{} of {} payments were accepted", done.accepted, file.len());
            return Err(failure(Exit::Refused, what));
        }
        batches.push(done.id);
        bar.inc(1);
    }
    bar.finish_and_clear();
    Ok(batches)
}

fn write_payments(path: &Path, file: &[Planned], prepared: &Prepared) -> std::io::Result<()> {
    let mut to = BufWriter::new(File::create(path)?);
    for (row, it) in file.iter().enumerate() {
        let debtor = &prepared.debtors[row % prepared.debtors.len()];
        let Planned {
            end_to_end_id,
            amount,
        } = it;
        writeln!(
            to,
            r#"{{"rail":"fps","amount":{amount},"currency":"GBP","debtor":{{"account":"{debtor}"}},"creditor":{{"name":"Ann Other","sort_code":"000002","account_number":"20000002"}},"end_to_end_id":"{end_to_end_id}"}}"#
        )?;
    }
    to.flush()
}

fn write_statement(set: &Set, batches: &[String], path: &Path) -> std::io::Result<()> {
    let mut to = BufWriter::with_capacity(1 << 20, File::create(path)?);
    set.write(OffsetDateTime::now_utc().date(), batches, &mut to)?;
    to.flush()
}

/// Sends the statement; gives the answer and the seconds that it took.
async fn send(remote: &Remote, path: &Path) -> Result<(Value, f64), Failure> {
    let begun = Instant::now();
    let answer = reconcile::send(remote, path, SOURCE).await?;
    Ok((answer, round(begun.elapsed().as_secs_f64(), 3)))
}

/// Waits until a count over all batches is `least`, and gives what it is then.
async fn wait(remote: &Remote, batches: &[String], of: &str, least: u64) -> Result<u64, Failure> {
    let until = Instant::now() + PATIENCE;
    loop {
        let mut sum = 0;
        for id in batches {
            let batch = remote.get(&format!("/v1/batches/{id}")).await?;
            sum += batch["counts"][of].as_u64().unwrap_or(0);
        }
        if sum >= least || Instant::now() > until {
            return Ok(sum);
        }
        sleep(PAUSE * 10).await;
    }
}

fn exceptions(report: &Value) -> Exceptions {
    let mut found = BTreeMap::new();
    for it in report["exceptions"].as_array().into_iter().flatten() {
        let text = |name: &str| it[name].as_str().unwrap_or_default().to_owned();
        *found.entry((text("kind"), text("reference"))).or_default() += 1;
    }
    found
}

/// How many of these are not among those.
fn beyond(these: &Exceptions, those: &Exceptions) -> u64 {
    let missing = these
        .iter()
        .map(|(about, count)| count.saturating_sub(those.get(about).copied().unwrap_or(0)));
    missing.sum()
}

impl Report {
    fn tell(&self) {
        let memory = self.peak_memory_bytes.unwrap_or(0) / 1_000_000;
        let lines = [
            format!(
                "{} lines with {} payments in {} s, at most {memory} MB; again in {} s",
                self.lines, self.payments, self.seconds, self.again_seconds
            ),
            format!(
                "{} settled, {} exceptions; wrong {}, missed {}, the second run the same: {}",
                self.settled, self.exceptions, self.wrong, self.missed, self.again_the_same
            ),
            format!("seed {}", self.seed),
        ];
        for line in lines {
            say::line(&line);
        }
    }
}
