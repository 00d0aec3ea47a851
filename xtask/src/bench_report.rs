//! Takes the figures of `docs/benchmarks.md`: `cargo xtask bench-report`, on a machine that does
//! nothing else.
//!
//! Each row is one call of `lombard bench` with a fresh server and a fresh folder, the middle of
//! several runs. The page says what the machine is and how loaded it was, because figures without
//! that say nothing.

use std::{fmt::Write as _, io::Write as _, path::PathBuf, process::Command};

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
    /// For how many seconds the soak lasts.
    #[arg(long, default_value_t = 120)]
    soak_seconds: u32,
    /// In which folder the data is kept meanwhile; the disk that it is on is what is measured.
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
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
        let report = repeated(args, arguments)?;
        page.push_str(&row(what, &report));
        for compared in report["compared"].as_array().into_iter().flatten() {
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
    page.push_str(include_str!("bench_report/scale.md"));
    page.push_str(&scale(&measured(args, &["--scale"])?));
    page.push_str(include_str!("bench_report/soak.md"));
    let seconds = args.soak_seconds.to_string();
    page.push_str(&soak(&measured(args, &["--soak", "--seconds", &seconds])?));
    page.push_str(include_str!("bench_report/bounds.md"));
    std::fs::write(repo::root().join(&args.out), page)?;
    Ok(())
}

/// The life of a large store.
fn scale(report: &Value) -> String {
    let mb = |name: &str| report[name].as_u64().unwrap_or(0) / 1_000_000;
    let verified = &report["verified"];
    let rows = [
        ("payments stored", report["payments"].to_string()),
        ("memory then, MB", mb("memory_bytes").to_string()),
        ("start in order, s", report["start_seconds"].to_string()),
        (
            "memory after the start, MB",
            mb("memory_after_start_bytes").to_string(),
        ),
        (
            "start after `kill -9` under load, s",
            report["recovery_seconds"].to_string(),
        ),
        ("accepted before the kill, of which lost", {
            let lost = if report["accepted_is_stored"] == true {
                "0"
            } else {
                "some"
            };
            format!("{}, {lost}", report["accepted_before_crash"])
        }),
        (
            "entries verified by `lombard verify`",
            verified["entries"].to_string(),
        ),
        ("the verification, s", verified["seconds"].to_string()),
        ("books balance, log sound", {
            let sound = report["balanced"] == true && verified["ok"] == true;
            if sound { "yes" } else { "no" }.to_owned()
        }),
    ];
    table(rows.into_iter())
}

/// What a long load showed.
fn soak(report: &Value) -> String {
    let samples = report["samples"].as_array().map_or(&[][..], Vec::as_slice);
    let memory = |at: usize| {
        let sample = samples.get(samples.len() * at / 4).or(samples.last());
        let bytes = sample.and_then(|it| it["memory_bytes"].as_u64());
        (bytes.unwrap_or(0) / 1_000_000).to_string()
    };
    let yes = |name: &str| if report[name] == true { "yes" } else { "no" }.to_owned();
    let rows = [
        ("seconds", report["seconds"].to_string()),
        ("payments/s", report["payments_per_second"].to_string()),
        ("p50 / p99 / slowest, ms", {
            let [p50, p99, max] = ["p50_ms", "p99_ms", "max_ms"].map(|name| &report[name]);
            format!("{p50} / {p99} / {max}")
        }),
        (
            "memory after a quarter, half, three quarters, all of the time, MB",
            { [1, 2, 3, 4].map(memory).join(", ") },
        ),
        ("memory is flat", yes("memory_flat")),
        (
            "from commit to checkpoint in the log, at most, ms",
            report["inclusion_ms_max"].to_string(),
        ),
        (
            "oldest transaction waiting for the log, at most, ms",
            report["lag_ms_max"].to_string(),
        ),
        (
            "all sums right after the end, ms",
            report["drained_ms"].to_string(),
        ),
        ("accepted is stored, books balance", {
            let sound = report["accepted_is_stored"] == true && report["balanced"] == true;
            if sound { "yes" } else { "no" }.to_owned()
        }),
    ];
    table(rows.into_iter())
}

fn table<'a>(rows: impl Iterator<Item = (&'a str, String)>) -> String {
    rows.map(|(what, value)| format!("| {what} | {value} |\n"))
        .collect()
}

/// Several runs, of which the report tells the middle one.
fn repeated(args: &Args, arguments: &[&str]) -> Result<Value> {
    let (reps, seconds) = (args.reps.to_string(), args.seconds.to_string());
    let mut all = vec!["--reps", &reps, "--seconds", &seconds];
    all.extend_from_slice(arguments);
    let peer = args
        .peer
        .as_ref()
        .filter(|_| !arguments.contains(&"--bulk"));
    let peer = peer.map(|folder| folder.display().to_string());
    if let Some(folder) = &peer {
        all.extend_from_slice(&["--peer", folder]);
    }
    measured(args, &all)
}

fn measured(args: &Args, arguments: &[&str]) -> Result<Value> {
    let mut command = Command::new(repo::target().join("release/lombard"));
    command.args(["bench", "--json"]).args(arguments);
    if let Some(folder) = &args.data {
        command.arg("--data").arg(folder);
    }
    let output = command.stderr(std::process::Stdio::inherit()).output()?;
    let text = String::from_utf8(output.stdout)?;
    // The whole takes a quarter of an hour; whoever waits sees it come, and keeps it if the rest fails.
    writeln!(
        std::io::stderr(),
        "{}: {}",
        arguments.join(" "),
        text.trim()
    )?;
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
    let policy = if is_real_time("self") {
        " All of it, server, client and peer, ran with a real-time policy (`chrt -r 1`), because the \
         machine was busy with other work: so most of what is measured is the machine and not the others, \
         but a twentieth of the time is theirs, in turns of 50 ms that the kernel takes from real-time \
         threads each second, and the slowest hundredth of the answers shows it."
    } else {
        ""
    };
    let raised = if kernel_workers_are_raised() {
        " The kernel's workers that carry writes to the disk had the next higher priority."
    } else {
        ""
    };
    format!(
        "Measured on {cores} cores of {model}, Linux {}, with a load of {load} at the start.{policy}{raised}",
        kernel.trim()
    )
}

/// Whether a process has a real-time policy, and so those that it starts: the 41st field of its `stat`
/// (`sched(7)`).
fn is_real_time(process: &str) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    let rest = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
    matches!(rest.split_ascii_whitespace().nth(38), Some("1" | "2"))
}

/// Whether the kernel's workers run before what is measured. Under a real-time load they get no processor
/// otherwise, and every fdatasync waits for them.
fn kernel_workers_are_raised() -> bool {
    let processes = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    let mut workers = processes.filter(|process| {
        let name = std::fs::read_to_string(process.path().join("comm"));
        name.is_ok_and(|name| name.starts_with("kworker/"))
    });
    workers.any(|worker| is_real_time(&worker.file_name().to_string_lossy()))
}
