//! A process that shows the log and does not make it grow: it looks up what another has published.

use std::sync::Arc;

use lombard_core::proof::tree::check_inclusion;
use lombard_service::proof::{
    Blobs, Log,
    blobs::MemoryBlobs,
    keys::FileKeys,
    log::{CHECKPOINT, Settings},
    publisher::Publisher,
    reader::ReadLogError,
};
use tlog_tiles::record_hash;

use super::{commit, growing::current, log_in, log_key, memory, sequencer, tenant, transaction};
use crate::support::TestHost;

fn follower(blobs: Arc<MemoryBlobs>) -> Arc<Log> {
    let settings = Settings {
        followed: true,
        ..Settings::default()
    };
    Log::new(blobs, Arc::new(FileKeys::of(vec![log_key()])), settings)
}

#[tokio::test]
async fn who_follows_sees_each_checkpoint_and_proves_under_it() {
    let (store, blobs) = (memory(), Arc::new(MemoryBlobs::default()));
    let log = log_in(blobs.clone());
    let mut sequencer = sequencer(store.clone(), log.clone());
    let mut publisher = Publisher::new(Arc::new(TestHost::default()), log).unwrap();
    let followed = follower(blobs);
    followed.look().await.unwrap();
    assert!(followed.published().is_none(), "there is none yet");
    let mut next = 1..900u64;
    for batch in [3, 300, 1, 500] {
        commit(store.as_ref(), next.by_ref().take(batch)).await;
        sequencer.step(0).await.unwrap();
        publisher.publish(&current(&store).await).await.unwrap();
        followed.look().await.unwrap();
        let published = followed.published().unwrap();
        assert_eq!(published.head.size, next.start - 1);
        for n in [1, next.start / 2 + 1, next.start - 1] {
            let id = transaction(n).id;
            let found = followed.find(&published, tenant(), id).await.unwrap();
            let placed = found.unwrap();
            let proof = followed.inclusion(&published.head, placed.index).await;
            let leaf = record_hash(&placed.leaf);
            check_inclusion(&proof.unwrap(), &published.head, placed.index, leaf).unwrap();
        }
    }
}

#[tokio::test]
async fn what_the_log_did_not_sign_is_not_shown_and_nor_is_what_was() {
    let (store, blobs) = (memory(), Arc::new(MemoryBlobs::default()));
    let log = log_in(blobs.clone());
    let mut sequencer = sequencer(store.clone(), log.clone());
    let mut publisher = Publisher::new(Arc::new(TestHost::default()), log).unwrap();
    let followed = follower(blobs.clone());
    let mut shown = Vec::new();
    for last in [5, 9] {
        commit(store.as_ref(), last - 4..last).await;
        sequencer.step(0).await.unwrap();
        publisher.publish(&current(&store).await).await.unwrap();
        shown.push(blobs.get(CHECKPOINT).await.unwrap().unwrap());
        followed.look().await.unwrap();
    }
    let newest = followed.published();
    blobs.put(CHECKPOINT, shown[0].clone()).await.unwrap();
    followed.look().await.unwrap();
    assert_eq!(followed.published(), newest, "the log does not shrink");
    let text = String::from_utf8(shown[1].to_vec()).unwrap();
    let forged = text.replacen("\n8\n", "\n9\n", 1);
    assert_ne!(text, forged);
    blobs.put(CHECKPOINT, forged.into()).await.unwrap();
    let refused = followed.look().await.unwrap_err();
    assert!(matches!(refused, ReadLogError::Damaged(_)), "{refused}");
    assert_eq!(followed.published(), newest);
}
