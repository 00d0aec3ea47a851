//! A million movements and a million payments: time, memory, and what is wrong.
//!
//! `cargo bench -p lombard-core --bench matching -- [SIZE] [SEED]` prints one line of JSON.

#![allow(
    clippy::print_stdout,
    clippy::disallowed_methods,
    clippy::disallowed_types,
    clippy::disallowed_macros
)] // A measurement reads the clock and tells.

use std::time::Instant;

use lombard_core::matching::{Rules, run, synthetic};

fn main() {
    let numbers: Vec<u64> = std::env::args().filter_map(|it| it.parse().ok()).collect();
    let size = numbers.first().copied().unwrap_or(1_000_000);
    let seed = numbers.get(1).copied().unwrap_or(1);
    let world = synthetic::world(seed, usize::try_from(size).unwrap_or(1_000_000));
    let rules = Rules {
        days_before: 3,
        expected_within: 0,
        ..Rules::default()
    };
    let start = Instant::now();
    let outcome = run(
        &world.movements,
        &world.expected,
        &rules,
        Some(synthetic::day()),
    );
    let elapsed = start.elapsed();
    let (wrong, missed) = synthetic::compare(&world, &outcome);
    println!(
        "{{\"movements\": {}, \"payments\": {}, \"matches\": {}, \"breaks\": {}, \"wrong\": {wrong}, \"missed\": {missed}, \"ms\": {}, \"peak_rss_mib\": {}}}",
        world.movements.len(),
        world.expected.len(),
        outcome.matches.len(),
        outcome.breaks.len(),
        elapsed.as_millis(),
        peak_rss_mib(),
    );
    assert!(wrong == 0 && missed == 0);
}

/// Linux tells the most that a process ever had in memory.
fn peak_rss_mib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmHWM:"));
    let kib = line.and_then(|line| line.split_whitespace().nth(1)?.parse::<u64>().ok());
    kib.unwrap_or_default() / 1024
}
