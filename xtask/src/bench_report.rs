//! Takes the figures of `docs/benchmarks.md`: `cargo xtask bench-report`, on a machine that does
//! nothing else.
//!
//! Each row is one call of `lombard bench` with a fresh server and a fresh folder, the middle of
//! several runs. The page says what the machine is and how loaded it was, because figures without
//! that say nothing.

use std::{fmt::Write, path::PathBuf, process::Command};

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use crate::repo;

/// Arguments of `cargo xtask bench-report`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// How many runs of each row.
    #[arg(long, default_value_t = 5)]
    reps: u32,
    /// For how many seconds each run is measured.
    #[arg(long, default_value_t = 5)]
    seconds: u32,
    /// A peer on PostgreSQL to run beside, as `lombard bench --peer`.
    #[arg(long, value_name = "DIR")]
    peer: Option<PathBuf>,
    /// The page to write.
    #[arg(long, default_value = "docs/benchmarks.md")]
    out: PathBuf,
}

/// What is measured: in words, and the arguments.
const ROWS: [(&str, &[&str]); 6] = [
    ("128 connections, many accounts", &["--connections", "128"]),
    (
        "128 connections, every payment from one account",
        &["--connections", "128", "--hot"],
    ),
    ("32 connections, many accounts", &["--connections", "32"]),
    (
        "32 connections, every payment from one account",
        &["--connections", "32", "--hot"],
    ),
    (
        "one connection, one request at a time",
        &["--connections", "1"],
    ),
    ("a file of 200,000 payments", &["--bulk"]),
];

/// Measures and writes the page.
pub fn run(args: &Args) -> Result<()> {
    let built = repo::cargo()
        .args(["build", "--release", "--quiet", "-p", "lombard"])
        .status()?;
    ensure!(built.success(), "lombard does not build");
    let mut page = String::from(include_str!("bench_report/head.md"));
    writeln!(page, "{}\n", machine())?;
    page.push_str(
        "| what | payments/s | p50 ms | p99 ms | server µs | client µs | memory MB | sound |\n",
    );
    page.push_str("|---|---|---|---|---|---|---|---|\n");
    let mut peers = String::new();
    for (what, arguments) in ROWS {
        let measured = measure(args, arguments)?;
        page.push_str(&row(what, &measured));
        for compared in measured["compared"].as_array().into_iter().flatten() {
            let (mode, rate) = (&compared["mode"], &compared["peer"]["payments_per_second"]);
            writeln!(
                peers,
                "| {what} | `{}` | {rate} | {} |",
                mode.as_str().unwrap_or_default(),
                compared["ratio"]
            )?;
        }
    }
    if !peers.is_empty() {
        page.push_str(include_str!("bench_report/peer.md"));
        page.push_str(&peers);
    }
    std::fs::write(repo::root().join(&args.out), page)?;
    Ok(())
}

fn measure(args: &Args, arguments: &[&str]) -> Result<Value> {
    let target = std::env::var_os("CARGO_TARGET_DIR")
        .map_or_else(|| repo::root().join("target"), PathBuf::from);
    let mut command = Command::new(target.join("release/lombard"));
    command.args([
        "bench",
        "--json",
        "--reps",
        &args.reps.to_string(),
        "--seconds",
        &args.seconds.to_string(),
    ]);
    command.args(arguments);
    if let Some(peer) = args
        .peer
        .as_ref()
        .filter(|_| !arguments.contains(&"--bulk"))
    {
        command.arg("--peer").arg(peer);
    }
    let output = command.stderr(std::process::Stdio::inherit()).output()?;
    let text = String::from_utf8(output.stdout)?;
    serde_json::from_str(text.trim()).with_context(|| format!("{command:?} said {text:?}"))
}

fn row(what: &str, measured: &Value) -> String {
    let number = |name: &str| match &measured[name] {
        Value::Null => String::new(),
        number => number.to_string(),
    };
    let memory = measured["server_memory_bytes"]
        .as_u64()
        .map_or(0, |bytes| bytes / 1_000_000);
    let sound = measured["accepted_is_stored"] == true && measured["balanced"] == true;
    format!(
        "| {what} | {} | {} | {} | {} | {} | {memory} | {} |\n",
        number("payments_per_second"),
        number("p50_ms"),
        number("p99_ms"),
        number("server_cpu_us"),
        number("client_cpu_us"),
        if sound { "yes" } else { "no" },
    )
}

/// The machine in a sentence.
fn machine() -> String {
    let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
    let cpus = read("/proc/cpuinfo");
    let model = cpus
        .lines()
        .find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    let model = model.map_or("an unknown processor", |(_, model)| model);
    let cores = cpus.matches("processor\t").count();
    let kernel = read("/proc/sys/kernel/osrelease");
    let load = read("/proc/loadavg");
    let load = load.split(' ').next().unwrap_or_default();
    format!(
        "Measured on {cores} cores of {model}, Linux {}, with a load of {load} at the start.",
        kernel.trim()
    )
}
