//! The verifiable log's files in S3: whole, replaced whole, and a checkpoint that never goes back.

use bytes::Bytes;
use lombard_aws::blobs::Bucket;
use lombard_core::proof::{
    checkpoint,
    key::{KeyKind, SecretKey},
    tree::Head,
};
use lombard_service::proof::{Blobs, log::CHECKPOINT};

use crate::support::{configure, endpoint_outside, host};

fn of_size(size: u64) -> Bytes {
    let head = Head {
        size,
        ..Head::EMPTY
    };
    let key = SecretKey::from_seed("example.org/log", KeyKind::Log, &[7; 32]);
    let key = key.expect("a name of a key");
    let text = checkpoint::text("example.org/log", &head);
    checkpoint::assemble(&text, &[key.sign(&text, 0)]).into()
}

#[tokio::test]
#[expect(clippy::print_stderr, reason = "a skipped test says so")]
async fn files_are_kept_and_checkpoints_only_grow() {
    let Some(endpoint) = endpoint_outside() else {
        eprintln!(
            "skipped: files_are_kept_and_checkpoints_only_grow: LOMBARD_AWS_ENDPOINT is not set"
        );
        return;
    };
    let config = configure(&endpoint).await;
    let name = format!("lombard-{:08x}", host().random() as u32);
    let bucket = Bucket::new(&config, &name, "log/");
    let rival = Bucket::new(&config, &name, "log/");
    bucket.make().await.expect("a bucket");
    bucket.make().await.expect("the same bucket");
    assert_eq!(bucket.get("tile/0/000").await.expect("readable"), None);
    for (file, content) in [
        ("tile/0/000", "a"),
        ("tile/0/001", "b"),
        ("tile/0/000", "c"),
    ] {
        let put = bucket.put_durable(file, Bytes::from(content)).await;
        put.expect("written");
    }
    let found = rival.get("tile/0/000").await.expect("readable");
    assert_eq!(found.as_deref(), Some(b"c".as_slice()));
    bucket.remove("tile/0/").await.expect("removed");
    assert_eq!(bucket.get("tile/0/001").await.expect("readable"), None);

    bucket.put(CHECKPOINT, of_size(5)).await.expect("the first");
    rival
        .put(CHECKPOINT, of_size(7))
        .await
        .expect("a larger one");
    let back = bucket.put(CHECKPOINT, of_size(6)).await;
    assert!(back.is_err(), "the log shrank before the world's eyes");
    bucket
        .put(CHECKPOINT, of_size(7))
        .await
        .expect("the same size, with more signatures");
    let shown = rival.get(CHECKPOINT).await.expect("readable");
    assert_eq!(shown, Some(of_size(7)));
}
