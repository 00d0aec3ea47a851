//! Kills the server at random moments under load and looks what is left: `cargo xtask crash`.
//!
//! The real binary, over HTTP, with the rail simulator in a process of its own that survives. Half
//! of the payments stay on our books, half leave over a rail. After each kill the server is
//! started on the same folder, and everything is asked for again under its old key; in the end
//! every payment and every account is read.

pub mod http;
mod load;
pub mod server;
mod verdict;

use std::{
    path::{Path, PathBuf},
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
    time::{Duration, Instant, UNIX_EPOCH},
};

use anyhow::{Context, Result, ensure};
use serde_json::json;

use crate::repo;
use http::Connection;
use load::{Caller, Ledger};
use server::{Stage, free_address};
use verdict::{Verdict, ask_again, judge};

/// Arguments of `cargo xtask crash`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// How often the server is killed.
    #[arg(long, default_value_t = 5)]
    pub rounds: u64,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
    /// What the moments of the kills follow from; drawn if not given.
    #[arg(long)]
    pub seed: Option<u64>,
    /// Use a release build.
    #[arg(long)]
    pub release: bool,
}

impl Args {
    /// So many rounds, of a debug build.
    pub const fn rounds(rounds: u64) -> Self {
        Self {
            rounds,
            json: false,
            seed: None,
            release: false,
        }
    }
}

/// Crashes and tells.
pub fn run(args: &Args) -> Result<std::process::ExitCode> {
    let verdict = crash(args)?;
    if args.json {
        say(&serde_json::to_string(&verdict)?);
    } else {
        say(&format!("{verdict:?}"));
    }
    let sound = verdict.sound();
    Ok(if sound {
        std::process::ExitCode::SUCCESS
    } else {
        std::process::ExitCode::FAILURE
    })
}

/// Builds the binary and puts it through the rounds.
pub fn crash(args: &Args) -> Result<Verdict> {
    let program = build(args.release)?;
    let folder = std::env::temp_dir().join(format!("lombard-crash-{}", std::process::id()));
    let verdict = rounds(args, &program, &folder);
    // Kept for whoever wants to look, when something is wrong.
    if verdict.as_ref().is_ok_and(Verdict::sound) {
        let _ = std::fs::remove_dir_all(&folder);
    }
    verdict
}

fn rounds(args: &Args, program: &Path, folder: &Path) -> Result<Verdict> {
    let seed = args
        .seed
        .unwrap_or_else(|| UNIX_EPOCH.elapsed().map_or(1, |age| age.as_nanos() as u64));
    let mut chance = Chance(seed | 1);
    let stage = Stage {
        program,
        data: folder,
        server: free_address()?,
        simulator: free_address()?,
    };
    let _simulator = stage.simulator()?;
    let mut server = stage.server()?;
    let text = |server: &server::Process, name: &str| {
        server.ready[name].as_str().unwrap_or_default().to_owned()
    };
    let (key, debtor) = (text(&server, "api_key"), text(&server, "account"));
    let creditor = open_account(&stage, &key)?;
    let caller = Caller {
        server: stage.server,
        key: &key,
        debtor: &debtor,
        creditor: &creditor,
    };
    let (mut ledger, mut verdict) = (Ledger::new(), Verdict::default());
    for round in 0..args.rounds {
        let (gone, answered) = (AtomicBool::new(false), AtomicU64::new(0));
        let mut asked = std::thread::scope(|scope| {
            let load = scope.spawn(|| caller.pay_until(&gone, round, &answered));
            chance.wait(&answered);
            server.kill();
            gone.store(true, Ordering::Relaxed);
            load.join().unwrap_or_default()
        });
        let acknowledged = asked
            .values()
            .filter(|asked| asked.answer.is_some())
            .count() as u64;
        verdict.rounds += 1;
        verdict.acknowledged += acknowledged;
        verdict.unanswered += asked.len() as u64 - acknowledged;
        let refused = asked
            .values()
            .filter_map(|asked| asked.answer.as_ref())
            .find(|answer| answer.status != 201);
        ensure!(
            refused.is_none(),
            "seed {seed}: a payment was refused: {refused:?}"
        );
        server = stage
            .server()
            .with_context(|| format!("seed {seed}, after kill {}", round + 1))?;
        verdict.lost += ask_again(&caller, &mut asked)?;
        ledger.extend(asked);
    }
    judge(
        &caller,
        &mut Connection::open(stage.simulator)?,
        &ledger,
        &mut verdict,
    )?;
    drop(server);
    ensure!(
        verdict.acknowledged > 0,
        "no payment was answered before a kill: nothing is shown"
    );
    Ok(verdict)
}

/// Builds the binary.
pub fn build(release: bool) -> Result<PathBuf> {
    let mut cargo = repo::cargo();
    cargo.args([
        "build",
        "--quiet",
        "--package",
        "lombard",
        "--message-format",
        "json",
    ]);
    if release {
        cargo.arg("--release");
    }
    let built = cargo.stderr(std::process::Stdio::inherit()).output()?;
    ensure!(built.status.success(), "lombard does not build");
    let messages = String::from_utf8(built.stdout)?;
    let program = messages.lines().rev().find_map(|line| {
        let message: serde_json::Value = serde_json::from_str(line).ok()?;
        let is_it = message["target"]["name"] == "lombard";
        message["executable"]
            .as_str()
            .filter(|_| is_it)
            .map(PathBuf::from)
    });
    program.context("cargo names no binary")
}

fn open_account(stage: &Stage<'_>, key: &str) -> Result<String> {
    let auth = format!("Bearer {key}");
    let headers = [
        ("authorization", auth.as_str()),
        ("idempotency-key", "creditor"),
        ("content-type", "application/json"),
    ];
    let body = json!({"name": "creditor", "currency": "GBP"}).to_string();
    let answer = Connection::open(stage.server)?.call("POST", "/v1/accounts", &headers, &body)?;
    ensure!(
        answer.status == 201,
        "no account: {} {}",
        answer.status,
        answer.body
    );
    let account: serde_json::Value = serde_json::from_str(&answer.body)?;
    Ok(account["id"].as_str().unwrap_or_default().to_owned())
}

/// Xorshift: the same seed is the same moments.
struct Chance(u64);

impl Chance {
    /// Waits for up to 1.2 s, and until some payments were answered.
    fn wait(&mut self, answered: &AtomicU64) {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        let until = Instant::now() + Duration::from_millis(self.0 % 1200);
        let enough = self.0 % 50;
        while Instant::now() < until || answered.load(Ordering::Relaxed) < enough {
            std::thread::park_timeout(Duration::from_millis(1));
            if Instant::now() > until + Duration::from_secs(30) {
                break;
            }
        }
    }
}

#[expect(
    clippy::print_stdout,
    reason = "a developer's tool speaks to a terminal"
)]
fn say(line: &str) {
    println!("{line}");
}
