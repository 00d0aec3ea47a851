//! `lombard bench`: how many durable payments a second, and how long each takes.
//!
//! **What is measured.** A closed loop: each connection sends its next payment when it has the
//! answer to its last, each with its own idempotency key. An answer comes after the payment is on
//! disk. Client and server are two processes on the same machine and share its cores. Every
//! status is looked at, and only 2xx count. Afterwards the ledger is read through the API: what
//! was accepted must be what is stored, and the books must balance.

mod books;
mod bulk;
mod figures;
mod fraud;
mod load;
mod peer;
mod process;
mod reconcile;
mod scale;
mod setup;
mod soak;
mod template;
mod tokens;
mod webhooks;
mod wire;

use std::{ffi::OsStr, net::SocketAddr, path::PathBuf, time::Duration};

use clap::{Args, ValueEnum, builder::RangedU64ValueParser};
use serde::Serialize;

use crate::{
    client::Remote,
    exit::{Exit, Failure, OrExit, Outcome, failure},
    say,
};
use books::Books;
use figures::{Figures, median, round};
use load::{Load, Measured, Requests};
use peer::{Compared, Peer};
use process::Process;
use template::KeySpace;

/// Arguments of `lombard bench`.
#[derive(Clone, Debug, Args)]
#[command(after_help = "\
Examples: lombard bench --json
          lombard bench --hot --connections 128 --seconds 10 --reps 5
          lombard bench --bulk --rows 1000000
          lombard bench --soak --seconds 600
          lombard bench --scale
          lombard bench --fraud --reps 3 --json
          lombard bench --tokens --json
          lombard bench --reconcile --rows 1000000 --seed 1
          lombard bench --webhooks --connections 32 --json")]
pub struct Bench {
    /// Every payment leaves one account, instead of one of many.
    #[arg(long)]
    hot: bool,
    /// One file of payments, instead of single ones.
    #[arg(long)]
    bulk: bool,
    /// Load for as long as `--seconds` says, with a look at memory and lag now and then.
    #[arg(long, conflicts_with_all = ["bulk", "peer"])]
    soak: bool,
    /// A store of many payments: its memory, its start, its recovery from a crash under load, the
    /// verification of its log.
    #[arg(long, conflicts_with_all = ["bulk", "soak", "peer", "url"])]
    scale: bool,
    /// What it costs to judge every payment: with and without, by turns.
    #[arg(long, conflicts_with_all = ["bulk", "soak", "scale", "peer", "url"])]
    fraud: bool,
    /// Card numbers that become tokens, instead of payments.
    #[arg(long, conflicts_with_all = ["hot", "bulk", "soak", "scale", "fraud", "reconcile", "peer"])]
    tokens: bool,
    /// A statement of as many lines as there are payments, and whether what comes of it is right.
    #[arg(long, conflicts_with_all = ["bulk", "soak", "scale", "fraud", "peer"])]
    reconcile: bool,
    /// Events of a payment service provider, signed by it, each about a charge that is known.
    #[arg(long, conflicts_with_all = ["bulk", "soak", "scale", "fraud", "reconcile", "tokens", "peer", "url"])]
    webhooks: bool,
    /// What the set of `--reconcile` is drawn from; another each time when it is not given.
    #[arg(long, requires = "reconcile")]
    seed: Option<u64>,
    /// How many rows or charges; 200,000 with `--bulk` and `--reconcile`, a million with `--scale`.
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..))]
    rows: Option<u64>,
    /// How many connections at once.
    #[arg(long, default_value_t = 128, value_parser = at_least_one())]
    connections: usize,
    /// For how many seconds each run is measured.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..))]
    seconds: u64,
    /// For how many seconds each run warms up.
    #[arg(long, default_value_t = 1)]
    warm_up: u64,
    /// How many runs; the middle one by rate is told.
    #[arg(long, default_value_t = 1, value_parser = at_least_one())]
    reps: usize,
    /// How many accounts the payments are between.
    #[arg(long, default_value_t = 1000)]
    accounts: usize,
    /// The rail of the payments.
    #[arg(long, value_enum, default_value = "book")]
    rail: RailChoice,
    /// A running server, instead of one of our own.
    #[arg(long, env = "LOMBARD_URL", requires = "key")]
    url: Option<String>,
    /// Its API key.
    #[arg(long, env = "LOMBARD_API_KEY", hide_env_values = true)]
    key: Option<String>,
    /// In which folder the data of our own server is made, and removed again.
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// The folder of a peer on PostgreSQL to run beside us with the same client.
    #[arg(long, value_name = "DIR")]
    peer: Option<PathBuf>,
}

fn at_least_one() -> RangedU64ValueParser<usize> {
    RangedU64ValueParser::new().range(1..)
}

/// A rail to pay over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize)]
#[value(rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub enum RailChoice {
    /// Between two accounts here.
    Book,
    /// UK Faster Payments.
    Fps,
    /// SEPA Instant.
    SepaInst,
}

/// What is told.
#[derive(Debug, Serialize)]
struct Report {
    #[serde(flatten)]
    figures: Figures,
    connections: usize,
    hot: bool,
    /// Whether an answer meant that the payment was on disk.
    durable: bool,
    rail: RailChoice,
    seconds: u64,
    reps: usize,
    /// Whether as many payments are in the ledger as were accepted.
    accepted_is_stored: bool,
    /// Whether all debits equal all credits.
    balanced: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    server_memory_bytes: Option<u64>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    compared: Vec<Compared>,
}

/// The server that is measured.
struct Target {
    remote: Remote,
    url: String,
    key: String,
    durable: bool,
    // In this order: the process ends before its folder goes.
    process: Option<Process>,
    folder: Option<tempfile::TempDir>,
}

/// Measures and tells. The exit code is [`Exit::No`] when a payment is missing or the books do
/// not balance.
pub async fn run(args: &Bench, as_json: bool) -> Outcome {
    if args.bulk {
        return bulk::run(args, as_json).await;
    }
    if args.soak {
        return soak::run(args, as_json).await;
    }
    if args.scale {
        return scale::run(args, as_json).await;
    }
    if args.fraud {
        return fraud::run(args, as_json).await;
    }
    if args.tokens {
        return tokens::run(args, as_json).await;
    }
    if args.reconcile {
        return reconcile::run(args, as_json).await;
    }
    if args.webhooks {
        return webhooks::run(args, as_json).await;
    }
    let target = Target::find(args)?;
    let prepared = setup::prepare(args, &target.remote, &target.url, &target.key).await?;
    let peer = args.peer.as_deref().map(Peer::start).transpose()?;
    let before = Books::read(&target.remote, prepared.currency).await?;
    let mut runs = Vec::new();
    let mut beside = [("tx", Vec::new()), ("proc", Vec::new())];
    let bar = say::progress(Some(args.reps as u64), "runs");
    for rep in 0..args.reps {
        let space = KeySpace(prepared.seed.wrapping_add(rep as u64));
        let load = prepared.load(args, space);
        runs.push(one(load.clone(), target.process.as_ref().map(Process::id)).await?);
        if let Some(peer) = &peer {
            for (mode, runs) in &mut beside {
                runs.push(peer.run(mode, args.hot, &load, space)?);
            }
        }
        bar.inc(1);
    }
    bar.finish_and_clear();
    let process = target.process.as_ref();
    let memory = process.and_then(|it| process::memory_bytes(it.id()));
    let after = Books::settle(&target.remote, prepared.currency).await?;
    let figures = median(&runs).clone();
    let compared = match peer {
        Some(_) => beside
            .iter()
            .map(|(mode, runs)| peer::compare(mode, &figures, runs))
            .collect(),
        None => Vec::new(),
    };
    let report = Report {
        accepted_is_stored: stored(&runs, before, after),
        balanced: after.balanced(),
        connections: args.connections,
        hot: args.hot,
        durable: target.durable,
        rail: args.rail,
        seconds: args.seconds,
        reps: args.reps,
        server_memory_bytes: memory,
        compared,
        figures,
    };
    if as_json {
        say::json(&report);
    } else {
        report.tell();
    }
    let sound = report.accepted_is_stored && report.balanced;
    Ok(if sound { Exit::Done } else { Exit::No })
}

/// One run, on a thread that may block.
async fn one<R: Requests>(load: Load<R>, server: Option<u32>) -> Result<Figures, Failure> {
    let used = || {
        (
            server.and_then(process::cpu_time),
            process::cpu_time(std::process::id()),
        )
    };
    let before = used();
    let measured = tokio::task::spawn_blocking(move || load::run(&load)).await;
    let measured: Measured = measured.or_exit(Exit::Internal, "the load generator")??;
    if measured.latency_us.is_empty() {
        let refused = books::told(&measured.refused);
        let what = format!("nothing was accepted: {refused}");
        return Err(failure(Exit::Refused, what));
    }
    let after = used();
    let each = |before: Option<Duration>, after: Option<Duration>| {
        let used = after?.checked_sub(before?)?;
        Some(round(
            used.as_secs_f64() * 1e6 / measured.accepted as f64,
            1,
        ))
    };
    let mut figures = Figures::of(&measured);
    figures.server_cpu_us = each(before.0, after.0);
    figures.client_cpu_us = each(before.1, after.1);
    Ok(figures)
}

/// Payments are of one minor unit, so the sum that left customers is their number. A call without
/// an answer may have been carried out or not.
fn stored(runs: &[Figures], before: Books, after: Books) -> bool {
    let accepted: u64 = runs.iter().map(|run| run.accepted).sum();
    let unknown: u64 = runs.iter().map(|run| run.unknown).sum();
    let stored = after.customers_debits - before.customers_debits;
    (accepted..=accepted + unknown).contains(&stored)
}

impl Target {
    fn find(args: &Bench) -> Result<Self, Failure> {
        if let (Some(url), Some(key)) = (&args.url, &args.key) {
            let (url, key) = (url.clone(), key.clone());
            let remote = Remote::new(&url, &key)?;
            return Ok(Self {
                remote,
                url,
                key,
                durable: true,
                process: None,
                folder: None,
            });
        }
        Self::own(args, &[])
    }

    /// A server of our own, with these settings, by the names of their variables.
    fn own(args: &Bench, settings: &[(&str, &OsStr)]) -> Result<Self, Failure> {
        let parent = args.data.clone().unwrap_or_else(std::env::temp_dir);
        let shown = parent.display().to_string();
        std::fs::create_dir_all(&parent).or_exit(Exit::NotWritable, &shown)?;
        let folder = tempfile::tempdir_in(&parent).or_exit(Exit::NotWritable, shown)?;
        let durable = process::is_on_disk(folder.path());
        if !durable {
            say::note("the data folder is in memory, so nothing is durable: give --data");
        }
        let process = Process::start_with(folder.path(), settings)?;
        let (url, key) = (process.ready.url.clone(), process.ready.api_key.clone());
        let remote = Remote::new(&url, &key)?;
        Ok(Self {
            remote,
            url,
            key,
            durable,
            process: Some(process),
            folder: Some(folder),
        })
    }
}

impl Report {
    fn tell(&self) {
        let Figures {
            payments_per_second,
            p50_ms,
            p99_ms,
            max_ms,
            ..
        } = &self.figures;
        let (connections, from) = (
            self.connections,
            if self.hot {
                "one account"
            } else {
                "many accounts"
            },
        );
        say::line(&format!(
            "{payments_per_second:.0} payments/s at {connections} connections, from {from}"
        ));
        say::line(&format!(
            "p50 {p50_ms} ms, p99 {p99_ms} ms, max {max_ms} ms"
        ));
        if let Some(us) = self.figures.server_cpu_us {
            say::line(&format!(
                "{us} us of processor time per payment in the server"
            ));
        }
        if !self.figures.refused.is_empty() || self.figures.unknown > 0 {
            let refused = books::told(&self.figures.refused);
            say::line(&format!(
                "not accepted: {refused}; without an answer: {}",
                self.figures.unknown
            ));
        }
        for Compared { mode, peer, ratio } in &self.compared {
            say::line(&format!(
                "{ratio} times the peer's `{mode}` ({:.0}/s)",
                peer.payments_per_second
            ));
        }
        let yes = |holds: bool| if holds { "yes" } else { "NO" };
        let (stored, balanced) = (yes(self.accepted_is_stored), yes(self.balanced));
        say::line(&format!(
            "accepted is stored: {stored}; books balance: {balanced}"
        ));
    }
}

/// The times of a run.
impl Bench {
    const fn warm_up(&self) -> Duration {
        Duration::from_secs(self.warm_up)
    }

    const fn measured(&self) -> Duration {
        Duration::from_secs(self.seconds)
    }

    /// A load of these requests.
    fn load<R: Requests>(&self, address: SocketAddr, requests: R) -> Load<R> {
        Load {
            address,
            requests,
            connections: self.connections,
            warm_up: self.warm_up(),
            measured: self.measured(),
        }
    }

    fn rows(&self) -> u64 {
        const BULK: u64 = 200_000;
        const SCALE: u64 = 1_000_000;
        self.rows.unwrap_or(if self.scale { SCALE } else { BULK })
    }
}
