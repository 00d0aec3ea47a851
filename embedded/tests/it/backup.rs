//! Backup and restore: everything that was durable is there again, and what is not whole is refused.

use std::{fs, path::Path, sync::Arc};

use lombard_core::store::{Body, Key, Write, WriteSet};
use lombard_embedded::{
    backup::{BackupError, backup, restore, verify},
    engine::Engine,
    log::file_name,
};
use lombard_service::ports::{Range, Store};

use crate::engine_help::{open, small};

async fn fill(engine: &Engine, from: u64, count: u64) {
    for n in from..from + count {
        let body = Body {
            bytes: vec![b'x'; 200_000].into(),
            index: Vec::new(),
        };
        let key = Key::new("filled", &format!("{n:05}"));
        engine
            .commit(&WriteSet::of([(key, Write::Create(body))]))
            .await
            .expect("durable");
    }
}

async fn count(engine: &Engine) -> usize {
    engine
        .range(&Range::of("filled", 1000))
        .await
        .expect("readable")
        .len()
}

fn quiet() -> impl FnMut(lombard_embedded::backup::Progress) {
    |_| {}
}

#[tokio::test]
async fn a_backup_of_a_running_store_is_restored_whole() {
    let folder = tempfile::tempdir().expect("a folder");
    let [data, kept, again] = ["data", "kept", "again"].map(|name| folder.path().join(name));
    let engine = Arc::new(open(&data, &small()).expect("a new store"));
    fill(&engine, 0, 50).await;
    // The store goes on while it is copied.
    let writing = tokio::spawn({
        let engine = engine.clone();
        async move { fill(&engine, 50, 30).await }
    });
    let first = backup(engine.log(), &kept, &mut quiet()).expect("copied");
    assert!(first.sequence >= 50);
    writing.await.expect("written");

    let second = backup(engine.log(), &kept, &mut quiet()).expect("copied");
    assert_eq!(second.sequence, 80);
    assert!(
        second.transactions < 80,
        "complete segments are not copied again"
    );
    let third = backup(engine.log(), &kept, &mut quiet()).expect("nothing is new");
    assert_eq!(third.sequence, 80);
    assert_eq!(verify(&kept, &mut quiet()).expect("whole").sequence, 80);

    let restored = restore(&kept, &again, &mut quiet()).expect("restored");
    assert_eq!(
        (restored.sequence, restored.chain),
        (80, engine.health().chain)
    );
    let restored = open(&again, &small()).expect("it is a store");
    assert_eq!(count(&restored).await, 80);
    fill(&restored, 80, 3).await;
    assert_eq!(count(&restored).await, 83);
    assert_eq!(count(&engine).await, 80);
}

async fn backed_up(folder: &Path) -> Engine {
    let engine = open(&folder.join("data"), &small()).expect("a new store");
    fill(&engine, 0, 60).await;
    backup(engine.log(), &folder.join("kept"), &mut quiet()).expect("copied");
    engine
}

#[tokio::test]
async fn a_backup_that_is_not_whole_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let engine = backed_up(folder.path()).await;
    let kept = folder.path().join("kept");
    let restored = |name: &str| restore(&kept, &folder.path().join(name), &mut quiet());

    let last = kept.join("log").join(file_name(engine.log().end().segment));
    let whole = fs::read(&last).expect("it is there");
    fs::remove_file(&last).expect("removed");
    let refused = restored("cut").expect_err("a segment is missing");
    assert!(
        matches!(refused, BackupError::Incomplete { claimed: 60, .. }),
        "{refused}"
    );
    let left = fs::read_dir(folder.path().join("cut"))
        .expect("a folder")
        .count();
    assert_eq!(left, 0, "nothing half made is left behind");

    let mut changed = whole.clone();
    changed[5000] ^= 1;
    fs::write(&last, changed).expect("written");
    let refused = restored("changed").expect_err("it is damaged");
    assert!(matches!(refused, BackupError::Log(_)), "{refused}");
    assert!(matches!(
        verify(&kept, &mut quiet()),
        Err(BackupError::Log(_))
    ));

    fs::write(&last, whole).expect("written");
    restored("cut").expect("it is whole again");
    let refused = restored("cut").expect_err("there is a store already");
    assert!(matches!(refused, BackupError::NotEmpty { .. }), "{refused}");
    let nothing = restore(
        &folder.path().join("none"),
        &folder.path().join("x"),
        &mut quiet(),
    );
    assert!(matches!(nothing, Err(BackupError::NoBackup { .. })));
}

#[tokio::test]
async fn a_backup_of_another_history_is_not_written_over() {
    for count in [3, 60] {
        let folder = tempfile::tempdir().expect("a folder");
        let engine = open(&folder.path().join("data"), &small()).expect("a new store");
        fill(&engine, 0, count).await;
        let kept = folder.path().join("kept");
        backup(engine.log(), &kept, &mut quiet()).expect("copied");
        let other = open(&folder.path().join("other"), &small()).expect("a new store");
        for written in [1, 100] {
            fill(&other, written, written).await;
            let refused = backup(other.log(), &kept, &mut quiet()).expect_err("another store");
            assert!(
                matches!(refused, BackupError::AnotherHistory { .. }),
                "{refused}"
            );
        }
        assert_eq!(
            verify(&kept, &mut quiet()).expect("as it was").sequence,
            count
        );
        backup(engine.log(), &kept, &mut quiet()).expect("its own store goes on with it");
    }
}
