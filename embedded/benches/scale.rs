//! How a store of a million payments starts, recovers and fits into memory.
//!
//! ```text
//! cargo bench -p lombard-embedded --bench scale [PAYMENTS] [DIR]
//! ```
//! A child fills a store and goes on writing until it is killed (SIGKILL) under load. Then the store is
//! opened, closed, opened again, and opened without its index.
#![allow(clippy::print_stdout)]

use std::{
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::Arc,
    time::{Duration, Instant},
};

use lombard_core::{
    command::{Render, View},
    store::{Body, Key, Write, WriteSet},
};
use lombard_embedded::engine::{Engine, Options};
use lombard_service::{host::SystemHost, ports::Store};

/// Payments committed at once.
const GROUP: u64 = 256;
/// Bytes of a record's body: nine of them are a payment of about 3 KB.
const BODY: usize = 330;

struct Nothing;

impl Render for Nothing {
    fn render(&self, _: View<'_>) -> Vec<u8> {
        Vec::new()
    }
}

fn main() {
    let arguments: Vec<String> = std::env::args()
        .skip(1)
        .filter(|it| it != "--bench")
        .collect();
    let payments = arguments
        .first()
        .and_then(|it| it.parse().ok())
        .unwrap_or(1_000_000);
    let folder = arguments
        .get(1)
        .map_or_else(std::env::temp_dir, PathBuf::from);
    if arguments.get(2).is_some_and(|it| it == "fill") {
        return fill(&folder, payments);
    }
    let folder = folder.join(format!("lombard-scale-{}", std::process::id()));
    kill_under_load(&folder, payments);
    timed("open after SIGKILL under load", &folder);
    timed("open again", &folder);
    std::fs::remove_file(lombard_embedded::index::path(&folder)).expect("there was an index");
    timed("open without its index", &folder);
    std::fs::remove_dir_all(&folder).expect("removed");
}

fn kill_under_load(folder: &Path, payments: u64) {
    let program = std::env::current_exe().expect("this program");
    let mut command = Command::new(program);
    command
        .arg(payments.to_string())
        .arg(folder)
        .arg("fill")
        .stdout(Stdio::piped());
    let mut child = command.spawn().expect("a child");
    let output = BufReader::new(child.stdout.take().expect("piped"));
    for line in output.lines().map_while(Result::ok).take(2) {
        println!("{line}");
    }
    std::thread::park_timeout(Duration::from_millis(700));
    child.kill().expect("killed");
    child.wait().expect("ended");
}

fn engine(folder: &Path) -> Engine {
    let host = Arc::new(SystemHost::default());
    Engine::open(folder, host, Arc::new(Nothing), &Options::default()).expect("it opens")
}

fn timed(what: &str, folder: &Path) {
    let begun = Instant::now();
    let engine = engine(folder);
    let opened = begun.elapsed();
    let read = Instant::now();
    let found = runtime()
        .block_on(engine.get(&[key(7, 0)]))
        .expect("readable");
    assert!(found[0].is_some(), "payment 7 is there");
    let (read, health) = (read.elapsed(), engine.health());
    println!(
        "{what}: {opened:.2?}, first read {read:.0?}; {} transactions, {} KiB unindexed, {}",
        health.last,
        health.unindexed_bytes / 1024,
        memory()
    );
}

fn fill(folder: &Path, payments: u64) {
    let engine = engine(folder);
    let runtime = runtime();
    let begun = Instant::now();
    for first in (0..).step_by(GROUP as usize) {
        let commits: Vec<_> = (first..first + GROUP).map(payment).collect();
        runtime.block_on(async {
            let commits = commits.iter().map(|writes| engine.commit(writes));
            for done in futures_util::future::join_all(commits).await {
                done.expect("the disk works");
            }
        });
        if (first..first + GROUP).contains(&payments) {
            let rate = payments as f64 / begun.elapsed().as_secs_f64();
            println!("{payments} payments of 3 KB at {rate:.0}/s in groups of {GROUP}");
            println!("the process with all of them stored: {}", memory());
        }
    }
}

fn payment(n: u64) -> WriteSet {
    let body = Body {
        bytes: vec![b'x'; BODY].into(),
        index: Vec::new(),
    };
    WriteSet::of((0..9).map(|record| (key(n, record), Write::Create(body.clone()))))
}

/// The key of a payment's record: five under the payment's own partitions, four under those of accounts.
fn key(n: u64, record: u64) -> Key {
    let scattered = n.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    match record {
        0..3 => Key::new(
            &format!("ten1/pay_{n:013x}{scattered:016x}"),
            &format!("{record}"),
        ),
        3 => Key::new(&format!("ten1/key/{scattered:016x}{n:016x}"), "outcome"),
        4 => Key::new("timers", &format!("{n:016x}")),
        5..7 => Key::new(
            &format!("ten1/acc_{:026x}", scattered % 10_000),
            &format!("n#{n:012}#{record}"),
        ),
        _ => Key::new("ten1/acc_house", &format!("n#{n:012}#{record}")),
    }
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime")
}

/// The memory of this process, now and at its most.
fn memory() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let field = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name));
        line.and_then(|it| it.split_whitespace().next()?.parse::<u64>().ok())
            .unwrap_or(0)
            / 1024
    };
    format!(
        "RSS {} MiB, at most {} MiB",
        field("VmRSS:"),
        field("VmHWM:")
    )
}
