//! What the sequencer makes of the feed, and the proofs that come of it.

use std::sync::Arc;

use lombard_core::{
    proof::{
        checkpoint,
        key::Keys,
        leaf::{Leaf, TransactionLeaf},
        tree::{check_consistency, check_inclusion},
    },
    store::{Body, Write, WriteSet},
    tenant::TenantId,
};
use lombard_service::{
    ports::Store,
    proof::{
        blobs::{Blobs, Folder, MemoryBlobs},
        head,
        log::CHECKPOINT,
        publisher::Publisher,
        sequencer::Stepped,
    },
};
use tlog_tiles::record_hash;

use super::{commit, drain, log_in, log_key, memory, sequencer, tenant, transaction};
use crate::support::TestHost;

#[tokio::test]
async fn every_transaction_is_a_leaf_once_in_the_order_of_the_feed_and_can_be_proven() {
    let (store, blobs) = (memory(), Arc::new(MemoryBlobs::default()));
    let log = log_in(blobs.clone());
    let mut sequencer = sequencer(store.clone(), log.clone());
    let mut publisher = Publisher::new(Arc::new(TestHost::default()), log.clone()).unwrap();
    let keys = Keys::new([log_key().public()]);
    let mut heads = Vec::new();
    let mut next = 1..700u64;
    for batch in [1, 1, 253, 2, 300, 142] {
        commit(store.as_ref(), next.by_ref().take(batch)).await;
        assert_eq!(sequencer.step(0).await.unwrap(), Stepped::Grown(batch));
        publisher.publish(&current(&store).await).await.unwrap();
        let signed = blobs.get(CHECKPOINT).await.unwrap().unwrap();
        heads.push(checkpoint::open(&signed, &keys).unwrap().head);
    }
    let published = log.published().unwrap();
    let head = published.head;
    assert_eq!(head.size, 699);
    for n in (1..700u64).step_by(29) {
        let id = transaction(n).id;
        let placed = log.find(&published, tenant(), id).await.unwrap().unwrap();
        assert_eq!(placed.index, n - 1);
        let leaf = Leaf::Transaction(TransactionLeaf::of(tenant(), &transaction(n)));
        assert_eq!(Leaf::decode(&placed.leaf), Ok(leaf));
        let proof = log.inclusion(&head, placed.index).await.unwrap();
        check_inclusion(&proof, &head, placed.index, record_hash(&placed.leaf)).unwrap();
        let stranger = log.find(&published, TenantId::new(6), id).await.unwrap();
        assert_eq!(stranger, None, "another tenant's");
    }
    for old in &heads {
        assert_eq!(log.head_at(&head, old.size).await.unwrap(), *old);
        let proof = log.consistency(&head, old.size).await.unwrap();
        check_consistency(&proof, old, &head).unwrap();
    }
    assert_eq!(
        log.find(&published, tenant(), transaction(700).id)
            .await
            .unwrap(),
        None
    );
}

pub async fn current(
    store: &Arc<lombard_service::memory::Memory>,
) -> lombard_core::proof::tree::Head {
    let found = store.get(&[head::key()]).await.unwrap().pop().flatten();
    head::HeadRecord::of(found.as_ref(), 1).head().unwrap()
}

#[tokio::test]
async fn the_same_feed_makes_the_same_files_however_it_is_cut() {
    let store = memory();
    commit(store.as_ref(), 1..600).await;
    let at_once = Arc::new(MemoryBlobs::default());
    drain(&mut sequencer(store.clone(), log_in(at_once.clone()))).await;
    let store = memory();
    let in_parts = Arc::new(MemoryBlobs::default());
    for from in (1..600).step_by(37) {
        commit(store.as_ref(), from..(from + 37).min(600)).await;
        // A new one each time: every start is a restart.
        drain(&mut sequencer(store.clone(), log_in(in_parts.clone()))).await;
    }
    let parts = in_parts.files();
    for (name, bytes) in at_once.files() {
        if !name.starts_with("staged/") {
            assert_eq!(parts.get(&name), Some(&bytes), "{name}");
        }
    }
}

#[tokio::test]
async fn files_that_were_lost_are_made_again_and_are_the_same() {
    let (store, blobs) = (memory(), Arc::new(MemoryBlobs::default()));
    for from in [1, 300, 301] {
        commit(store.as_ref(), from..if from == 1 { 300 } else { from + 1 }).await;
        drain(&mut sequencer(store.clone(), log_in(blobs.clone()))).await;
    }
    let again = Arc::new(MemoryBlobs::default());
    drain(&mut sequencer(store.clone(), log_in(again.clone()))).await;
    let (lost, made) = (blobs.files(), again.files());
    for name in [
        "tile/0/000",
        "tile/0/001.p/45",
        "tile/1/000.p/1",
        "tile/entries/000",
        "index/000000",
    ] {
        assert_eq!(made.get(name), lost.get(name), "{name}");
        assert!(made.contains_key(name), "{name}");
    }
}

#[tokio::test]
async fn a_store_that_was_put_back_does_not_begin_a_second_history() {
    let (store, blobs) = (memory(), Arc::new(MemoryBlobs::default()));
    commit(store.as_ref(), 1..10).await;
    let log = log_in(blobs.clone());
    drain(&mut sequencer(store.clone(), log.clone())).await;
    let mut publisher = Publisher::new(Arc::new(TestHost::default()), log).unwrap();
    publisher.publish(&current(&store).await).await.unwrap();
    let earlier = memory();
    commit(earlier.as_ref(), 1..5).await;
    let refused = sequencer(earlier, log_in(blobs)).step(0).await.unwrap_err();
    assert!(
        refused.to_string().contains("ahead of the store"),
        "{refused}"
    );
}

#[tokio::test]
async fn a_second_version_of_a_transaction_is_no_second_leaf() {
    let (store, blobs) = (memory(), Arc::new(MemoryBlobs::default()));
    commit(store.as_ref(), 1..3).await;
    let key = lombard_core::plan::keys::transaction(tenant(), transaction(1).id);
    let first = store
        .get(std::slice::from_ref(&key))
        .await
        .unwrap()
        .pop()
        .flatten()
        .unwrap();
    let again = Write::Update(first.version, Body::of(&transaction(1)));
    store.commit(&WriteSet::of([(key, again)])).await.unwrap();
    let mut sequencer = sequencer(store, log_in(blobs));
    assert_eq!(sequencer.step(0).await.unwrap(), Stepped::Grown(2));
    assert_eq!(sequencer.step(0).await.unwrap(), Stepped::Idle);
}

#[tokio::test]
async fn files_that_were_changed_stop_the_log_instead_of_forking_it() {
    let folder = tempfile::tempdir().unwrap();
    let blobs = Arc::new(Folder::open(folder.path()).unwrap());
    let store = memory();
    commit(store.as_ref(), 1..300).await;
    drain(&mut sequencer(store.clone(), log_in(blobs.clone()))).await;
    drain(&mut sequencer(store.clone(), log_in(blobs.clone()))).await;
    commit(store.as_ref(), 300..310).await;
    for name in ["tile/0/001.p/43", "tile/entries/001.p/43", "tile/1/000.p/1"] {
        let path = folder.path().join(name);
        let good = std::fs::read(&path).unwrap();
        let mut bad = good.clone();
        *bad.last_mut().unwrap() ^= 1;
        std::fs::write(&path, &bad).unwrap();
        let refused = sequencer(store.clone(), log_in(blobs.clone()))
            .step(0)
            .await
            .unwrap_err();
        assert!(refused.to_string().contains("damaged"), "{name}: {refused}");
        std::fs::write(&path, &good).unwrap();
    }
    // The index is only a help: lost, it is made again.
    std::fs::remove_dir_all(folder.path().join("index")).unwrap();
    let log = log_in(blobs);
    drain(&mut sequencer(store.clone(), log.clone())).await;
    let mut publisher = Publisher::new(Arc::new(TestHost::default()), log.clone()).unwrap();
    publisher.publish(&current(&store).await).await.unwrap();
    let published = log.published().unwrap();
    let placed = log
        .find(&published, tenant(), transaction(305).id)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(placed.index, 304);
}
