//! The feed goes on after a relay that ended, and with two of them: nothing twice, nothing left out.

use std::collections::BTreeMap;

use lombard_aws::feed::Relay;
use lombard_core::store::{Body, Key, Write, WriteSet};
use lombard_service::ports::Store;
use tokio::sync::watch;

use crate::support::{Running, emulator, host};

const COMMITS: usize = 60;

/// Commits in `partition`, three records each.
async fn write(store: &dyn Store, partition: &str, from: usize) {
    for n in from..from + COMMITS {
        let create = |sort: &str| {
            let key = Key::new(partition, &format!("{n:04}{sort}"));
            (key, Write::Create(Body::of(&n)))
        };
        let writes = WriteSet::of(["a", "b", "c"].map(create));
        store.commit(&writes).await.expect("written");
    }
}

/// How often each record is told, and that commits are told whole.
async fn told(store: &dyn Store, count: usize) -> BTreeMap<Key, usize> {
    let mut told = BTreeMap::new();
    let mut after = 0;
    for _ in 0..600 {
        for commit in store.changes(0, after, 1000, 50).await.expect("readable") {
            assert_eq!(commit.position, after + 1, "no gap and no repetition");
            after = commit.position;
            assert_eq!(commit.changes.len(), 3, "a commit is told whole");
            for change in commit.changes.iter() {
                *told.entry(change.key.clone()).or_insert(0) += 1;
            }
        }
        if told.len() >= count {
            break;
        }
    }
    told
}

#[tokio::test(flavor = "multi_thread")]
async fn a_relay_goes_on_where_the_last_one_ended() {
    let endpoint = emulator().await;
    let first = Running::at(&endpoint).await;
    let table = first.store.table().to_owned();
    write(&first.store, "p", 0).await;
    // It ends somewhere in the middle of the work.
    first.stop().await;
    let second = Running::on(&endpoint, &table).await;
    write(&second.store, "p", COMMITS).await;
    let told = told(&second.store, 6 * COMMITS).await;
    assert_eq!(told.len(), 6 * COMMITS);
    assert!(told.values().all(|times| *times == 1), "each record once");
    second.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_relays_tell_nothing_twice() {
    let endpoint = emulator().await;
    let running = Running::at(&endpoint).await;
    let rival = lombard_aws::dynamo::Dynamo::new(&running.config, running.store.table(), host());
    let (stop, stopped) = watch::channel(false);
    let relay = Relay::new(&running.config, &running.stream, &rival, host());
    let relay = tokio::spawn(relay.run(stopped));
    write(&running.store, "p", 0).await;
    for store in [&running.store, &rival] {
        let told = told(store, 3 * COMMITS).await;
        assert_eq!(told.len(), 3 * COMMITS);
        assert!(told.values().all(|times| *times == 1), "each record once");
    }
    stop.send_replace(true);
    relay.await.expect("it ends in order");
    running.stop().await;
}
