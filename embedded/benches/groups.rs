//! Durable payments a second, in groups of 1, 32 and 256: the log alone, the engine, and redb alone.
//!
//! ```text
//! cargo bench -p lombard-embedded --bench groups [SECONDS] [DIR]
//! ```
//! A payment is nine records of 330 bytes: five under keys of its own, four of two accounts out of 10,000.
//! Everything is durable before it counts. Times are of one group, from handing it over to the answer.
#![allow(clippy::print_stdout)]

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};

use lombard_core::{
    command::{Render, View},
    store::{Body, Change, Key, Record, Version, Write, WriteSet},
};
use lombard_embedded::{
    codec::{self, Stored},
    disk::Folder,
    engine::{Engine, Options},
    log::{self, FrameBuffer},
};
use lombard_service::{host::SystemHost, ports::Store};

const GROUPS: [usize; 3] = [1, 32, 256];
const ACCOUNTS: u64 = 10_000;

fn main() {
    let mut arguments = std::env::args().skip(1).filter(|it| it != "--bench");
    let seconds = arguments.next().and_then(|it| it.parse().ok()).unwrap_or(3);
    let folder = arguments
        .next()
        .map_or_else(std::env::temp_dir, PathBuf::from);
    let folder = folder.join(format!("lombard-bench-{}", std::process::id()));
    let time = Duration::from_secs(seconds);
    println!(
        "{:<22} {:>5} {:>12} {:>9} {:>9} {:>10}",
        "store", "group", "payments/s", "p50 us", "p99 us", "cpu us/p"
    );
    type Bench = fn(&Path, usize, Duration) -> Vec<Duration>;
    let benches: [(&str, Bench); 3] = [
        ("log alone", log_alone),
        ("engine (log and index)", engine),
        ("redb alone", redb_alone),
    ];
    for (name, bench) in benches {
        for group in GROUPS {
            let _ = std::fs::remove_dir_all(&folder);
            std::fs::create_dir_all(&folder).expect("a folder to measure in");
            let (cpu, begun) = (cpu_seconds(), Instant::now());
            let mut times = bench(&folder, group, time);
            let payments = (times.len() * group) as f64;
            let rate = payments / begun.elapsed().as_secs_f64();
            times.sort_unstable();
            let at = |share: f64| times[(times.len() as f64 * share) as usize].as_micros();
            let cpu = (cpu_seconds() - cpu) * 1e6 / payments;
            println!(
                "{name:<22} {group:>5} {rate:>12.0} {:>9} {:>9} {cpu:>10.1}",
                at(0.5),
                at(0.99)
            );
        }
    }
    let _ = std::fs::remove_dir_all(&folder);
}

/// The processor time of this process, in seconds: the 14th and 15th field of /proc/self/stat, in ticks.
fn cpu_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let ticks = stat
        .split(' ')
        .skip(13)
        .take(2)
        .filter_map(|it| it.parse::<f64>().ok());
    ticks.sum::<f64>() / 100.0
}

/// The processor time of each thread of the store, in microseconds a payment.
fn threads(payments: f64) -> String {
    let tasks = std::fs::read_dir("/proc/self/task")
        .into_iter()
        .flatten()
        .flatten();
    let stats = tasks.filter_map(|it| std::fs::read_to_string(it.path().join("stat")).ok());
    let shown = stats.filter_map(|stat| {
        let (name, rest) = stat.split_once('(')?.1.split_once(") ")?;
        let ticks = rest
            .split(' ')
            .skip(11)
            .take(2)
            .filter_map(|it| it.parse::<f64>().ok());
        Some(format!("{name} {:.1}", ticks.sum::<f64>() * 1e4 / payments))
    });
    shown
        .filter(|it| it.starts_with("store") || it.starts_with("log"))
        .collect::<Vec<_>>()
        .join(", ")
}

/// Calls `group` until the time is up.
fn repeat(time: Duration, mut group: impl FnMut()) -> Vec<Duration> {
    let begun = Instant::now();
    let mut times = Vec::new();
    while begun.elapsed() < time {
        let from = Instant::now();
        group();
        times.push(from.elapsed());
    }
    times
}

/// Numbers that look random.
struct Dice(u64);

impl Dice {
    fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut it = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        it = (it ^ (it >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        it ^ (it >> 31)
    }
}

fn body() -> Body {
    Body {
        bytes: vec![b'x'; 330].into(),
        index: Vec::new(),
    }
}

/// The records of payment `n`.
fn payment(n: u64, dice: &mut Dice) -> Vec<(Key, Body)> {
    let id = format!("{n:013x}{:013x}", dice.roll() >> 12);
    let key = format!(
        "{:032x}",
        u128::from(dice.roll()) << 64 | u128::from(dice.roll())
    );
    let own = [
        Key::new(&format!("ten1/pay_{id}"), "payment"),
        Key::new(&format!("ten1/pay_{id}"), "event#0001"),
        Key::new(&format!("ten1/trn_{id}"), "transaction"),
        Key::new(&format!("ten1/key/{key}"), "outcome"),
        Key::new("timers", &format!("{n:013}#{id}")),
    ];
    let accounts = [dice.roll() % ACCOUNTS, 0].into_iter().flat_map(|account| {
        let partition = format!("ten1/acc_{account:026x}");
        [
            Key::new(&partition, &format!("n#{n:012}")),
            Key::new(&partition, &format!("o#{n:012}")),
        ]
    });
    let mut all: Vec<_> = own
        .into_iter()
        .chain(accounts)
        .map(|key| (key, body()))
        .collect();
    let listed = Key::new("ten1/payments", &id);
    all[0].1 = body().listed(listed);
    all
}

fn log_alone(folder: &Path, group: usize, time: Duration) -> Vec<Duration> {
    let disk = Arc::new(Folder::make(folder).expect("a folder"));
    let options = log::Options::default();
    let mut log = log::open(disk, &options, None, [7; 16], &mut |_| Ok(())).expect("a new log");
    let mut buffer = FrameBuffer::default();
    let (mut dice, mut n) = (Dice(1), 0);
    repeat(time, || {
        for _ in 0..group {
            n += 1;
            let stored = |(key, body)| {
                let record = Some(Record {
                    version: Version::FIRST,
                    body,
                });
                Stored {
                    change: Change { key, record },
                    version: Version::FIRST,
                    left: Vec::new(),
                }
            };
            let changes: Vec<_> = payment(n, &mut dice).into_iter().map(stored).collect();
            buffer
                .push(|bytes| codec::write(&changes, bytes, |_, _| {}))
                .expect("storable");
        }
        log.writer.append(1, &mut buffer).expect("the disk works");
    })
}

struct Nothing;

impl Render for Nothing {
    fn render(&self, _: View<'_>) -> Vec<u8> {
        Vec::new()
    }
}

fn engine(folder: &Path, group: usize, time: Duration) -> Vec<Duration> {
    let host = Arc::new(SystemHost::default());
    let engine =
        Engine::open(folder, host, Arc::new(Nothing), &Options::default()).expect("a new store");
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = runtime.enable_all().build().expect("a runtime");
    let (mut dice, mut n) = (Dice(1), 0);
    let times = repeat(time, || {
        let commits: Vec<_> = (0..group)
            .map(|_| {
                n += 1;
                let create = |(key, body)| (key, Write::Create(body));
                WriteSet::of(payment(n, &mut dice).into_iter().map(create))
            })
            .collect();
        runtime.block_on(async {
            let commits = commits.iter().map(|writes| engine.commit(writes));
            for done in futures_util::future::join_all(commits).await {
                done.expect("the disk works");
            }
        });
    });
    println!("  cpu us/payment by thread: {}", threads(n as f64));
    times
}

fn redb_alone(folder: &Path, group: usize, time: Duration) -> Vec<Duration> {
    const RECORDS: redb::TableDefinition<&[u8], &[u8]> = redb::TableDefinition::new("records");
    let database = redb::Database::create(folder.join("alone.redb")).expect("a new file");
    let (mut dice, mut n) = (Dice(1), 0);
    repeat(time, || {
        let write = || -> Result<(), redb::Error> {
            let transaction = database.begin_write()?;
            {
                let mut records = transaction.open_table(RECORDS)?;
                for _ in 0..group {
                    n += 1;
                    for (key, body) in payment(n, &mut dice) {
                        records.insert(key.as_bytes(), &*body.bytes)?;
                        for listed in &body.index {
                            records.insert(listed.as_bytes(), key.as_bytes())?;
                        }
                    }
                }
            }
            Ok(transaction.commit()?)
        };
        let mut write = write;
        write().expect("the disk works");
    })
}
