//! A crash at every call that the sequencer makes, in both flavours: what comes to be is the same
//! as without, byte for byte.

use std::{collections::BTreeMap, sync::Arc};

use bytes::Bytes;
use lombard_service::proof::{
    blobs::MemoryBlobs,
    sequencer::{Sequencer, Stepped},
};

use super::{
    commit,
    faulty::{Fault, FaultyBlobs, FaultyStore, Flavour},
    log_in, memory, sequencer,
};

/// The transactions come in these portions, each when the one before is in the log.
const PORTIONS: [std::ops::Range<u64>; 4] = [1..3, 3..300, 300..301, 301..520];

/// What is published, without what is only there to survive a crash.
fn published(blobs: &MemoryBlobs) -> BTreeMap<String, Bytes> {
    let mut files = blobs.files();
    files.retain(|name, _| !name.starts_with("staged/"));
    files
}

/// Runs all portions with one fault; after it the process begins anew. Gives the files, and
/// whether the fault came to pass.
async fn run(call: i64, flavour: Flavour) -> (BTreeMap<String, Bytes>, bool) {
    let (store, blobs) = (memory(), Arc::new(MemoryBlobs::default()));
    let fault = Fault::at(call, flavour);
    let start = || -> Sequencer {
        let files = FaultyBlobs {
            inner: blobs.clone(),
            fault: fault.clone(),
        };
        let faulty = FaultyStore {
            inner: store.clone(),
            fault: fault.clone(),
        };
        sequencer(Arc::new(faulty), log_in(Arc::new(files)))
    };
    let mut running = start();
    for portion in PORTIONS {
        commit(store.as_ref(), portion).await;
        loop {
            match running.step(0).await {
                Ok(Stepped::Idle) => break,
                Ok(Stepped::Grown(_)) => {}
                Err(_) => running = start(),
            }
        }
    }
    (published(&blobs), fault.happened())
}

#[tokio::test]
async fn a_crash_at_any_call_leads_to_the_same_log() {
    let (wanted, _) = run(-1, Flavour::Failed).await;
    assert!(wanted.contains_key("tile/0/002.p/7") && wanted.contains_key("tile/entries/001"));
    for flavour in [Flavour::Failed, Flavour::FailedButDone] {
        let mut call = 0;
        loop {
            let (files, happened) = run(call, flavour).await;
            assert_eq!(
                files.keys().collect::<Vec<_>>(),
                wanted.keys().collect::<Vec<_>>(),
                "call {call}, {flavour:?}"
            );
            assert!(files == wanted, "call {call}, {flavour:?}");
            if !happened {
                break;
            }
            call += 1;
        }
        assert!(call > 40, "only {call} calls were broken");
    }
}

#[tokio::test]
async fn an_error_without_a_crash_leads_there_too() {
    let (wanted, _) = run(-1, Flavour::Failed).await;
    for call in 0..60 {
        let (store, blobs) = (memory(), Arc::new(MemoryBlobs::default()));
        let fault = Fault::at(call, Flavour::FailedButDone);
        let files = FaultyBlobs {
            inner: blobs.clone(),
            fault: fault.clone(),
        };
        let mut running = sequencer(store.clone(), log_in(Arc::new(files)));
        for portion in PORTIONS {
            commit(store.as_ref(), portion).await;
            while running.step(0).await.ok() != Some(Stepped::Idle) {}
        }
        assert!(published(&blobs) == wanted, "call {call}");
    }
}
