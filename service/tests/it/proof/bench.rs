//! How fast the log is. Run by hand: `cargo test --release -p lombard-service --test it
//! proof::bench -- --ignored --nocapture`.

use std::{
    sync::{Arc, atomic::AtomicU64},
    time::Instant,
};

use lombard_core::proof::{
    checkpoint,
    key::Keys,
    leaf::{Leaf, TransactionLeaf},
};
use lombard_service::{
    ports::Store,
    proof::{
        Blobs,
        blobs::Folder,
        growth::{Growth, NewLeaf, leaves_of},
        log::CHECKPOINT,
        verify::{Demands, FolderSource, Verdict, verify},
    },
};

use super::{ORIGIN, commit, drain, log_in, log_key, memory, sequencer, tenant, transaction};

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
    let leaves: Vec<NewLeaf> = feed.iter().flat_map(leaves_of).collect();
    eprintln!("{} leaves encoded in {:?}", leaves.len(), begun.elapsed());
    let begun = Instant::now();
    let grown = Growth::default().add(&leaves);
    eprintln!("grown to {} in {:?}", grown.head.size, begun.elapsed());
    let log = log_in(Arc::new(Folder::open(folder.path()).unwrap()));
    let begun = Instant::now();
    drain(&mut sequencer(store, log)).await;
    eprintln!("{count} leaves in the log in {:?}", begun.elapsed());
}

#[tokio::test]
#[ignore = "a measurement"]
#[allow(clippy::print_stderr)]
async fn verifying_a_million_leaves() {
    let count = 1_000_000u64;
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let blobs = Folder::open(folder.path()).unwrap();
    let mut growth = Growth::default();
    for from in (1..=count).step_by(50_000) {
        let leaves: Vec<NewLeaf> = (from..from + 50_000)
            .map(|n| {
                let made = transaction(n);
                let at_ms = made.at.unix_ms();
                NewLeaf {
                    bytes: Leaf::Transaction(TransactionLeaf::of(tenant(), &made)).encode(),
                    made_ms: at_ms,
                    at_ms,
                }
            })
            .collect();
        let batch = growth.add(&leaves);
        for (name, bytes) in batch.files {
            blobs.put(&name, bytes).await.unwrap();
        }
        growth = batch.growth;
    }
    let text = checkpoint::text(ORIGIN, &growth.edge.head());
    let signed = checkpoint::assemble(&text, &[log_key().sign(&text, 0)]);
    blobs.put(CHECKPOINT, signed.into()).await.unwrap();
    let demands = Demands {
        keys: Keys::new([log_key().public()]),
        threads: 2,
        ..Demands::default()
    };
    let source = FolderSource(folder.path().to_owned());
    for _ in 0..2 {
        let begun = Instant::now();
        let report = verify(&source, &demands, None, &AtomicU64::new(0));
        eprintln!("{count} leaves verified in {:?}", begun.elapsed());
        assert_eq!(
            report.verdict(),
            Verdict::Sound,
            "{:?}",
            report.problems.first()
        );
    }
}
