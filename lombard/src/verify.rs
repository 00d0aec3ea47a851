//! `lombard verify`: a log of ledger transactions, from its files and public keys alone.
//!
//! Exit codes are this command's own: 0 sound, 1 not, 2 could not tell.

mod store;

use std::{
    fs,
    path::{Path, PathBuf},
    sync::atomic::{AtomicU64, Ordering},
    thread,
    time::Duration,
};

use clap::Args;
use lombard_core::proof::{checkpoint, key::Keys, tree::Head};
use lombard_service::proof::verify::{
    Demands, FolderSource, HttpSource, ReadStore, Report, Source, Verdict, verify,
};

use crate::{
    exit::{Exit, Failure, OrExit, Outcome},
    say,
    up::{LOG_FOLDER, policy},
};

/// Threads that fetch from a URL: they wait more than they work.
const FETCHERS: usize = 8;

/// Arguments of `lombard verify`.
#[derive(Debug, Args)]
#[command(after_help = "\
Exit codes: 0 sound, 1 not sound, 2 could not tell.

Examples: lombard verify lombard-data/tlog --key lombard-data/tlog.key.pub --store lombard-data
          lombard verify https://bank.example/log --key bank.pub --since last-year.checkpoint --policy policy")]
pub struct Verify {
    /// The folder or the URL of the log: where `checkpoint` and `tile/` are.
    #[arg(value_name = "DIR|URL")]
    log: String,
    /// The log's public keys, one a line.
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// Compare with the transactions in this data folder too.
    #[arg(long, value_name = "DIR")]
    store: Option<PathBuf>,
    /// A checkpoint of an earlier time, from which the log must have grown.
    #[arg(long, value_name = "CHECKPOINT")]
    since: Option<PathBuf>,
    /// The witnesses that must have cosigned the checkpoint.
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
}

/// Verifies.
pub fn run(args: &Verify, as_json: bool) -> Outcome {
    // What was given and cannot be read leaves the question open, like a file of the log that cannot be.
    let report = judge(args).unwrap_or_else(|failure| {
        let mut report = Report::default();
        report.unread("arguments", &format!("{:#}", failure.error));
        report
    });
    tell(&report, as_json);
    Ok(match report.verdict() {
        Verdict::Sound => Exit::Done,
        Verdict::Unsound => Exit::No,
        Verdict::Unknown => Exit::Usage,
    })
}

fn judge(args: &Verify) -> Result<Report, Failure> {
    let demands = demands(args)?;
    let source: Box<dyn Source> = if is_url(&args.log) {
        Box::new(HttpSource::new(&args.log).or_exit(Exit::Usage, "no HTTP client")?)
    } else {
        Box::new(FolderSource(folder_of(Path::new(&args.log))))
    };
    Ok(watched(source.as_ref(), &demands, args))
}

/// The folder itself, or the log in it when it is a data folder.
fn folder_of(folder: &Path) -> PathBuf {
    let inner = folder.join(LOG_FOLDER);
    if inner.is_dir() {
        inner
    } else {
        folder.to_owned()
    }
}

fn is_url(log: &str) -> bool {
    log.starts_with("http://") || log.starts_with("https://")
}

fn demands(args: &Verify) -> Result<Demands, Failure> {
    let text = fs::read_to_string(&args.key).or_exit(Exit::Usage, args.key.display())?;
    let keys = Keys::parse(&text).or_exit(Exit::Usage, args.key.display())?;
    let policy = args.policy.as_deref().map(policy).transpose()?;
    let since = args.since.as_deref().map(|file| remembered(file, &keys));
    let own = thread::available_parallelism().map_or(2, usize::from);
    Ok(Demands {
        since: since.transpose()?,
        keys,
        policy,
        threads: if is_url(&args.log) { FETCHERS } else { own },
    })
}

/// A checkpoint that was kept. One that the log's keys did not sign is no measure of anything.
fn remembered(file: &Path, keys: &Keys) -> Result<Head, Failure> {
    let bytes = fs::read(file).or_exit(Exit::Usage, file.display())?;
    let opened = checkpoint::open(&bytes, keys).or_exit(Exit::Usage, file.display())?;
    Ok(opened.head)
}

/// Verifies on a thread of its own and shows how far it is.
fn watched(source: &dyn Source, demands: &Demands, args: &Verify) -> Report {
    let folder = args.store.as_deref();
    let mut read = folder.map(|folder| move |report: &mut Report| store::read(folder, report));
    let store = read.as_mut().map(|read| read as ReadStore<'_>);
    let progress = AtomicU64::new(0);
    let size = source
        .read("checkpoint")
        .ok()
        .flatten()
        .and_then(|bytes| checkpoint::peek(&bytes).ok())
        .map(|(_, head)| head.size);
    let bar = say::progress(size, &format!("verifying {}", args.log));
    let report = thread::scope(|scope| {
        let work = scope.spawn(|| verify(source, demands, store, &progress));
        while !work.is_finished() {
            bar.set_position(progress.load(Ordering::Relaxed));
            thread::park_timeout(Duration::from_millis(10));
        }
        match work.join() {
            Ok(report) => report,
            Err(panic) => std::panic::resume_unwind(panic),
        }
    });
    bar.finish_and_clear();
    report
}

fn tell(report: &Report, as_json: bool) {
    let ok = report.verdict() == Verdict::Sound;
    if as_json {
        return say::json(&serde_json::json!({
            "ok": ok,
            "origin": report.origin,
            "size": report.size,
            "accounts": report.accounts,
            "pending": report.pending,
            "problems": report.problems,
            "more_problems": report.more,
            "unread": report.unread,
        }));
    }
    for problem in report.problems.iter().chain(&report.unread) {
        say::line(&format!(
            "{} at {}: {}",
            problem.kind, problem.place, problem.what
        ));
    }
    if report.more > 0 {
        say::line(&format!("and {} more problems", report.more));
    }
    let log = report.origin.as_deref().unwrap_or("the log");
    let size = report.size.unwrap_or(0);
    say::line(&match report.verdict() {
        Verdict::Sound => format!(
            "{log} is sound: {size} transactions, {} accounts, {} not in the log yet",
            report.accounts, report.pending
        ),
        Verdict::Unsound => format!("{log} is NOT sound ({size} transactions)"),
        Verdict::Unknown => format!("it cannot be told whether {log} is sound"),
    });
}
