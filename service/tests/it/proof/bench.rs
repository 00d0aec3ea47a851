//! How fast the log is. Run by hand: `cargo test --release -p lombard-service --test it
//! bench -- --ignored --nocapture`.

use std::{sync::Arc, time::Instant};

use lombard_service::ports::Store;
use lombard_service::proof::{blobs::Folder, growth::leaves_of};

use super::{commit, drain, log_in, memory, sequencer};

#[tokio::test]
#[ignore = "a measurement"]
#[allow(clippy::print_stderr)]
async fn sequencing_a_hundred_thousand_transactions() {
    let count = 100_000u64;
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let store = memory();
    commit(store.as_ref(), 1..count + 1).await;
    let begun = Instant::now();
    let feed = store.changes(0, 0, usize::MAX, 0).await.unwrap();
    let leaves = feed.iter().flat_map(leaves_of).count();
    eprintln!("{leaves} leaves encoded in {:?}", begun.elapsed());
    let log = log_in(Arc::new(Folder::open(folder.path()).unwrap()));
    let begun = Instant::now();
    drain(&mut sequencer(store, log)).await;
    eprintln!("{count} leaves in the log in {:?}", begun.elapsed());
}
