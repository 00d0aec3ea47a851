//! The command line over worlds: one seed to look at, a range of them, or as many as fit a time.
//!
//! Worlds share nothing, so each thread runs its own. The first that fails ends the run; it is
//! made smaller and its history printed, with the command that runs it again. Every
//! [`ENGINE_EVERY`]th seed also runs the embedded engine over a disk that fails.

use std::{
    io::IsTerminal,
    process::ExitCode,
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
    time::{Duration, Instant},
};

use parking_lot::Mutex;
use serde_json::json;

use super::{Outcome, Setting, audit::Violation, engine, history, run, shrink, strike};

/// What to run.
#[derive(Debug, Clone, clap::Parser)]
#[command(
    name = "sim",
    about = "Run simulated worlds: the whole system on one thread, from one seed each"
)]
pub struct Args {
    /// Run one seed, and print its history if it fails.
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,
    /// At most so many steps of each client.
    #[arg(long, value_name = "N")]
    pub steps: Option<u64>,
    /// Run the seeds from A on, before B.
    #[arg(long, value_name = "A..B", value_parser = range)]
    pub seeds: Option<(u64, u64)>,
    /// Strike each effect of the small worlds of the seeds from A on, before B, in each way.
    #[arg(long, value_name = "A..B", value_parser = range)]
    pub strike: Option<(u64, u64)>,
    /// Run fresh seeds for so many hours, such as 0.5.
    #[arg(long, value_name = "N")]
    pub hours: Option<f64>,
    /// Run fresh seeds for so many seconds.
    #[arg(long, value_name = "N")]
    pub seconds: Option<u64>,
    /// Hunt the bugs that are there on purpose, and fail if one is missed.
    #[cfg(feature = "planted")]
    #[arg(long)]
    pub planted: bool,
    /// Print the history of a seed that does not fail, too.
    #[arg(long)]
    pub history: bool,
    /// Print one JSON value instead of words.
    #[arg(long)]
    pub json: bool,
}

fn range(text: &str) -> Result<(u64, u64), String> {
    let wrong = || format!("expected A..B, not {text}");
    let (first, end) = text.split_once("..").ok_or_else(wrong)?;
    let number = |text: &str| text.parse::<u64>().map_err(|_| wrong());
    Ok((number(first)?, number(end)?))
}

/// Worlds that are run when nothing says how many.
const SEEDS_DEFAULT: u64 = 1_000;
/// One in so many seeds runs the embedded engine too: that takes real time.
pub const ENGINE_EVERY: u64 = 100;
/// Lines of a failing history that are printed.
const LINES_MAX: usize = 120;

/// Runs what the arguments ask for. Exit code 0: nothing was found; 1: something was.
#[must_use]
pub fn main(args: &Args) -> ExitCode {
    #[cfg(feature = "planted")]
    if args.planted {
        return hunt(args);
    }
    if let Some(seeds) = args.strike {
        return strike_all(args, seeds);
    }
    let begun = Instant::now();
    let time = args.hours.map(|hours| hours * 3600.0);
    let time = time.or(args.seconds.map(|seconds| seconds as f64));
    let (first, end) = match (args.seed, args.seeds, time) {
        (Some(seed), _, _) => (seed, seed + 1),
        (None, Some(seeds), _) => seeds,
        (None, None, Some(_)) => (fresh(), u64::MAX),
        (None, None, None) => (0, SEEDS_DEFAULT),
    };
    let until = time.map(|seconds| begun + Duration::from_secs_f64(seconds));
    let sweep = Sweep::new(first, end, until, args.steps);
    sweep.run();
    let failed = sweep.failed.into_inner();
    let (worlds, commits) = (sweep.worlds.into_inner(), sweep.commits.into_inner());
    let told = failed.map(|failed| failed.told(args.steps));
    if args.json {
        let failure = told
            .as_ref()
            .map(|(setting, outcome)| failure(setting, outcome));
        let seconds = begun.elapsed().as_secs_f64();
        let sum = json!({"worlds": worlds, "commits": commits, "seconds": seconds, "first": first, "failure": failure});
        print(&sum.to_string());
    } else {
        if let Some((setting, outcome)) = &told {
            explain(setting, outcome);
        } else if let (Some(seed), true) = (args.seed, args.history) {
            let told = true;
            let steps = args.steps;
            let setting = Setting {
                seed,
                steps,
                told,
                ..Setting::default()
            };
            run(&setting).history.iter().for_each(|line| print(line));
        }
        let seconds = begun.elapsed().as_secs_f64();
        let rate = worlds as f64 / seconds.max(0.001);
        print(&format!(
            "{worlds} worlds from seed {first}, {commits} commits, {seconds:.1} s, {rate:.0} worlds/s: {}",
            if told.is_some() {
                "one fails"
            } else {
                "nothing found"
            }
        ));
    }
    ExitCode::from(u8::from(told.is_some()))
}

/// A seed that failed.
struct Failed {
    seed: u64,
    /// What the embedded engine did wrong, if it was the engine.
    engine: Option<Violation>,
}

impl Failed {
    /// As small as it can be made, with its history. What the engine does is not the same each time, so
    /// there is nothing to make smaller.
    fn told(self, steps: Option<u64>) -> (Setting, Outcome) {
        let seed = self.seed;
        let setting = Setting {
            seed,
            steps,
            ..Setting::default()
        };
        match self.engine {
            None => shrink::shrink(&setting),
            Some(violation) => {
                let violation = Some(violation);
                let outcome = Outcome {
                    violation,
                    ..Outcome::default()
                };
                (setting, outcome)
            }
        }
    }
}

/// Runs the embedded engine under a seed, if this is one for it.
fn run_engine(seed: u64) -> Option<Violation> {
    if seed % ENGINE_EVERY != ENGINE_EVERY - 1 {
        return None;
    }
    match tempfile::tempdir() {
        Ok(folder) => engine::run(seed, folder.path()).violation,
        Err(error) => Some(Violation {
            subject: "the machine".to_owned(),
            found: format!("gives no folder: {error}"),
        }),
    }
}

/// Strikes the worlds of some seeds. Exit code 1 when something is found.
fn strike_all(args: &Args, (first, end): (u64, u64)) -> ExitCode {
    let next = AtomicU64::new(first);
    let all = Mutex::new(Vec::new());
    let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= end {
                        return;
                    }
                    let struck = strike::strike(&strike::world(seed));
                    all.lock().push((seed, struck));
                }
            });
        }
    });
    let mut all = all.into_inner();
    all.sort_by_key(|(seed, _)| *seed);
    let worlds: u64 = all.iter().map(|(_, struck)| struck.worlds).sum();
    let kinds: std::collections::BTreeSet<String> = all
        .iter()
        .flat_map(|(_, struck)| struck.kinds.clone())
        .collect();
    let failed = all.iter().find_map(|(seed, struck)| {
        let (effect, blow, violation) = struck.failed.as_ref()?;
        let (subject, found) = (&violation.subject, &violation.found);
        Some(format!(
            "seed {seed}, effect {effect}: {blow:?}: {subject}: {found}"
        ))
    });
    if args.json {
        print(&json!({"worlds": worlds, "kinds": kinds, "failure": failed}).to_string());
    } else {
        let found = failed.as_deref().unwrap_or("nothing found");
        print(&format!("{worlds} worlds; struck were {kinds:?}; {found}"));
    }
    ExitCode::from(u8::from(failed.is_some()))
}

/// Hunts the bugs that are there on purpose. Exit code 1 when one is missed.
#[cfg(feature = "planted")]
fn hunt(args: &Args) -> ExitCode {
    let hunts = super::planted::hunt_all();
    let missed: Vec<&str> = hunts
        .iter()
        .filter(|hunt| hunt.seed.is_none())
        .map(|hunt| hunt.bug.as_str())
        .collect();
    let (planted, found) = (hunts.len(), hunts.len() - missed.len());
    if args.json {
        let sum = json!({"planted": planted, "found": found, "missed": missed, "hunts": hunts});
        print(&sum.to_string());
    } else {
        for hunt in &hunts {
            let seed = hunt
                .seed
                .map_or("missed".to_owned(), |seed| format!("seed {seed}"));
            let found = hunt.found.as_deref().unwrap_or_default();
            let found: String = found.chars().take(160).collect();
            print(&format!("{:<22} {seed:>10}  {found}", hunt.bug));
        }
        print(&format!(
            "{planted} planted, {found} found, missed: {missed:?}"
        ));
    }
    ExitCode::from(u8::from(!missed.is_empty()))
}

/// A first seed that no run before had, so that hours of running see new worlds.
fn fresh() -> u64 {
    let since = std::time::UNIX_EPOCH.elapsed().unwrap_or_default();
    since.as_secs() << 20
}

fn failure(setting: &Setting, outcome: &Outcome) -> serde_json::Value {
    let violation = outcome.violation.clone();
    let (subject, found) = violation
        .map(|it| (it.subject, it.found))
        .unwrap_or_default();
    json!({
        "seed": setting.seed,
        "steps": setting.steps,
        "without": setting.without.iter().map(|fault| format!("{fault:?}")).collect::<Vec<_>>(),
        "without_clients": setting.without_clients,
        "subject": subject,
        "found": found,
        "history": excerpt(outcome),
    })
}

fn excerpt(outcome: &Outcome) -> Vec<String> {
    let subject = outcome.violation.as_ref().map(|it| it.subject.clone());
    let subjects: Vec<String> = subject.into_iter().filter(|it| !it.is_empty()).collect();
    let short = outcome.history.len() <= LINES_MAX;
    if short {
        return outcome.history.clone();
    }
    history::about(&outcome.history, &subjects, LINES_MAX)
}

fn explain(setting: &Setting, outcome: &Outcome) {
    excerpt(outcome).iter().for_each(|line| print(line));
    if let Some(violation) = &outcome.violation {
        print(&format!("\n{}: {}", violation.subject, violation.found));
    }
    print(&format!(
        "seed {}, steps {:?}, without clients {:?}, without faults {:?}",
        setting.seed, setting.steps, setting.without_clients, setting.without
    ));
    print(&format!("again: cargo xtask sim --seed {}\n", setting.seed));
}

/// Worlds on all cores, until one fails, or there are no more, or the time is up.
struct Sweep {
    next: AtomicU64,
    end: u64,
    until: Option<Instant>,
    steps: Option<u64>,
    worlds: AtomicU64,
    commits: AtomicU64,
    over: AtomicBool,
    /// The first seed that failed.
    failed: Mutex<Option<Failed>>,
}

impl Sweep {
    const fn new(first: u64, end: u64, until: Option<Instant>, steps: Option<u64>) -> Self {
        Self {
            next: AtomicU64::new(first),
            end,
            until,
            steps,
            worlds: AtomicU64::new(0),
            commits: AtomicU64::new(0),
            over: AtomicBool::new(false),
            failed: Mutex::new(None),
        }
    }

    fn run(&self) {
        let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        std::thread::scope(|scope| {
            let workers: Vec<_> = (0..threads).map(|_| scope.spawn(|| self.work())).collect();
            while !workers.iter().all(|worker| worker.is_finished()) {
                std::thread::park_timeout(Duration::from_millis(500));
                self.progress();
            }
        });
        if std::io::stderr().is_terminal() {
            say("\r\x1b[K");
        }
    }

    fn progress(&self) {
        if std::io::stderr().is_terminal() {
            let worlds = self.worlds.load(Ordering::Relaxed);
            say(&format!("\r\x1b[K{worlds} worlds"));
        }
    }

    fn work(&self) {
        while !self.over.load(Ordering::Relaxed) {
            let seed = self.next.fetch_add(1, Ordering::Relaxed);
            if seed >= self.end || self.until.is_some_and(|until| Instant::now() >= until) {
                return;
            }
            let steps = self.steps;
            let outcome = run(&Setting {
                seed,
                steps,
                ..Setting::default()
            });
            self.worlds.fetch_add(1, Ordering::Relaxed);
            self.commits.fetch_add(outcome.commits, Ordering::Relaxed);
            let engine = match outcome.violation {
                Some(_) => None,
                None => run_engine(seed),
            };
            if outcome.violation.is_some() || engine.is_some() {
                let mut failed = self.failed.lock();
                // The lowest of those that were under way, so that each run finds the same one.
                if failed.as_ref().is_none_or(|known| seed < known.seed) {
                    *failed = Some(Failed { seed, engine });
                }
                self.over.store(true, Ordering::Relaxed);
            }
        }
    }
}

#[expect(
    clippy::print_stdout,
    reason = "a developer's tool speaks to a terminal"
)]
fn print(line: &str) {
    println!("{line}");
}

#[expect(
    clippy::print_stderr,
    reason = "a developer's tool speaks to a terminal"
)]
fn say(text: &str) {
    eprint!("{text}");
}
