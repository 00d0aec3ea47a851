//! A file of a million rows, in bounded memory. By hand:
//! `cargo test -p lombard-service --release --test it batches::large -- --ignored --nocapture`

use std::{io::Write, time::Instant};

use lombard_core::{tenant::TenantId, time::Timestamp};
use lombard_service::{
    batch::{check::check, read::Context, record::Format, spool::Incoming},
    host::SystemHost,
};

use super::pain001::row;
use crate::support::TestVault;

const ROWS: usize = 1_000_000;
/// What the file may take while it arrives and is read: it is 60 to 400 MB long.
const BYTES_MAX: u64 = 64 * 1024 * 1024;

/// The most memory that this process had, in bytes.
fn high_water() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status
        .lines()
        .find(|line| line.starts_with("VmHWM"))
        .unwrap();
    let kilobytes: u64 = line.split_whitespace().nth(1).unwrap().parse().unwrap();
    kilobytes * 1024
}

fn read_through(
    name: &str,
    format: Format,
    head: &str,
    rows: impl Fn(usize) -> String,
    tail: &str,
) {
    let before = high_water();
    let started = Instant::now();
    let mut incoming = Incoming::new(&SystemHost::default(), None);
    incoming.push(head.as_bytes()).unwrap();
    let mut piece = Vec::new();
    for n in 1..=ROWS {
        piece.write_all(rows(n).as_bytes()).unwrap();
        if piece.len() > 60_000 {
            incoming.push(&piece).unwrap();
            piece.clear();
        }
    }
    incoming.push(&piece).unwrap();
    incoming.push(tail.as_bytes()).unwrap();
    let mut spool = incoming.end().unwrap();
    let (spooled, digest) = (started.elapsed(), spool.digest);
    let context = Context {
        tenant: TenantId::new(1),
        now: Timestamp::from_unix_ms(1_795_000_000_000),
    };
    let input = spool.read().unwrap();
    let checked = check(format, input, context, &digest, &TestVault).unwrap();
    let grown = high_water() - before;
    eprintln!(
        "{name}: {} MB, spooled in {spooled:?}, read in {:?}, memory grew by {} KB",
        spool.bytes / 1_000_000,
        started.elapsed() - spooled,
        grown / 1024
    );
    assert_eq!(checked.rows, ROWS as u64);
    assert!(grown < BYTES_MAX, "{name}: {grown} bytes");
}

#[test]
#[ignore = "a measurement, to be run alone"]
fn a_million_rows_take_no_more_memory_than_a_few() {
    let head = "amount,currency,debtor_account,creditor_name,creditor_iban\n";
    let debtor = "acc_01k9z8q4v7n3r5t6w8x0y2z4a6";
    let line = |n| format!("{n},EUR,{debtor},Ada Lovelace,DE89370400440532013000\n");
    read_through("CSV", Format::Csv, head, line, "");
    let line = |n| {
        format!(
            "{{\"amount\":{n},\"currency\":\"EUR\",\"debtor\":{{\"account\":\"{debtor}\"}},\
             \"creditor\":{{\"name\":\"Ada Lovelace\",\"iban\":\"DE89370400440532013000\"}}}}\n"
        )
    };
    read_through("JSON Lines", Format::JsonLines, "", line, "");
    let whole = super::pain001::file(
        "M",
        ROWS,
        &format!("{ROWS}.00"),
        &[super::pain001::block(
            "B",
            "2026-01-02",
            &["ROWS".to_owned()],
        )],
    );
    let (head, tail) = whole.split_once("ROWS").unwrap();
    let line = |n: usize| row(&n.to_string(), "1.00", "FR1420041010050500013M02606");
    read_through("pain.001", Format::Pain001, head, line, tail);
}
