//! What happens to the data folder, and to a server that is killed.

use std::{fs, path::Path, time::Duration};

use lombard_service::exceptions::Kind;

use super::{Stage, text, wait};
use crate::server::Server;

pub const KINDS: &[Kind] = &[
    Kind::BatchInterrupted,
    Kind::LogBehind,
    Kind::LogDamaged,
    Kind::StoreDamaged,
];

/// Payments after which the store's index covers the first of them.
const COVERED: u32 = 7_000;

#[test]
fn what_happens_to_the_installation() {
    let mut stage = Stage::set("", &[]);
    stage.pay(1_000, "a-leaf");
    log_behind(&stage);

    // Killed while it pays, and what it kept of the file is lost.
    batch(&stage, 3 * COVERED);
    stage.server.kill();
    spoil(&stage.data("spool"));
    stage.found_after_a_start(Kind::BatchInterrupted);

    // A disk flips a bit of what was written long ago.
    let paid = batch(&stage, COVERED);
    wait("all paid", || {
        let batch = stage.server.get(&format!("/v1/batches/{paid}"));
        batch["counts"]["cleared"] == COVERED
    });
    stage.server.terminate();
    flip(&stage.data("log/0000000000.log"));
    stage.found_after_a_start(Kind::StoreDamaged);

    // Somebody writes into the log's files.
    stage.server.kill();
    spoil(&stage.data("tlog"));
    stage.found_after_a_start(Kind::LogDamaged);
    stage.end(KINDS);
}

impl Stage {
    /// A case that the next start finds.
    fn found_after_a_start(&mut self, kind: Kind) {
        let data = self.data("");
        self.server = Server::start(&data);
        self.server.ahead(Duration::from_hours(1));
        let case = self.found(kind);
        self.fix(&case, "ignore");
    }
}

/// A file of so many payments, which is taken; gives the batch.
fn batch(stage: &Stage, rows: u32) -> String {
    let head = "amount,currency,debtor_sort_code,debtor_account_number,creditor_name,creditor_sort_code,\
                creditor_account_number,end_to_end_id\n";
    let rows = (0..rows)
        .map(|n| format!("1250,GBP,000001,10000001,Ann Other,20-00-00,55779911,{rows}-{n}\n"));
    let file = rows.fold(head.to_owned(), |file, row| file + &row);
    let headers = stage.headers("text/csv");
    let (status, said) = stage.server.send("/v1/batches", &headers, &file);
    assert_eq!(status, 202, "{said}");
    text(&said, "id").to_owned()
}

/// Flips a bit of every file below a folder.
fn spoil(folder: &Path) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            spoil(&path);
        } else {
            flip(&path);
        }
    }
}

/// Flips a bit near the beginning of a file.
fn flip(path: &Path) {
    let mut bytes = fs::read(path).expect("read");
    let at = (bytes.len() / 2).min(150);
    if let Some(byte) = bytes.get_mut(at) {
        *byte ^= 4;
    }
    fs::write(path, bytes).expect("written");
}

/// Where its files should be is something else; when they are back, it catches up and the case closes.
fn log_behind(stage: &Stage) {
    let (tiles, away) = (stage.data("tlog/tile"), stage.data("tlog/away"));
    wait("a tile", || tiles.is_dir());
    fs::rename(&tiles, &away).expect("renamed");
    fs::write(&tiles, "in the way").expect("written");
    stage.pay(1_100, "a-leaf-that-waits");
    std::thread::park_timeout(Duration::from_secs(1));
    stage.server.ahead(Duration::from_mins(1));
    let case = stage.found(Kind::LogBehind);
    fs::remove_file(&tiles).expect("removed");
    fs::rename(&away, &tiles).expect("renamed");
    stage.closes(&case);
}
