//! The engine on a bad day: every outcome is defined, worded, and true.

use std::{
    fs,
    io::ErrorKind,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread,
    time::Duration,
};

use lombard_core::{
    store::{Body, Key, Version, Write, WriteSet},
    time::Timestamp,
};
use lombard_embedded::{engine::Engine, log::file_name};
use lombard_service::ports::{CommitError, Host, Range, ReadError, Store};

use crate::{
    disk::{Effect, Fault, SimDisk},
    engine_help::{Nothing, TestHost, open, small},
    log_help::Dice,
};

fn on(disk: &SimDisk, index: &Path) -> Engine {
    let (host, render) = (Arc::new(TestHost::default()), Arc::new(Nothing));
    let mut options = small();
    options.log.segment_bytes = 256 * 1024;
    options.freeze_bytes = 16 * 1024;
    Engine::open_on(Arc::new(disk.clone()), index, host, render, &options).expect("it opens")
}

fn body(text: &str) -> Body {
    Body {
        bytes: text.as_bytes().into(),
        index: Vec::new(),
    }
}

fn pair(n: u64) -> [Key; 2] {
    [
        Key::new("left", &format!("{n:04}")),
        Key::new("right", &format!("{n:04}")),
    ]
}

/// Two records of 600 bytes, and the count of all.
fn writes(n: u64) -> WriteSet {
    let text = format!("{n}").repeat(600 / format!("{n}").len());
    WriteSet::of(pair(n).map(|key| (key, Write::Create(body(&text)))))
}

/// Eight commit at once until the power is lost. What was acknowledged is there afterwards, each commit whole
/// or not at all, and the feed tells exactly of those that are there.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn power_is_lost_under_load_and_nothing_acknowledged_with_it() {
    let folder = tempfile::tempdir().expect("a folder");
    for seed in 0..25 {
        let mut dice = Dice(seed);
        let (disk, index) = (
            SimDisk::default(),
            folder.path().join(format!("{seed}.redb")),
        );
        let engine = Arc::new(on(&disk, &index));
        let step = disk.steps() + 1 + (dice.roll() % 120) as usize;
        disk.fail(Some(Fault {
            step,
            error: None,
            effect: Effect::Nothing,
            stays: false,
        }));
        let next = Arc::new(AtomicU64::new(0));
        let committer = || {
            let (engine, next) = (engine.clone(), next.clone());
            tokio::spawn(async move {
                let mut acknowledged = Vec::new();
                loop {
                    let n = next.fetch_add(1, Ordering::Relaxed);
                    match engine.commit(&writes(n)).await {
                        Ok(()) => acknowledged.push(n),
                        Err(_) => return acknowledged,
                    }
                }
            })
        };
        let committers: Vec<_> = (0..8).map(|_| committer()).collect();
        let mut acknowledged = Vec::new();
        for committer in committers {
            acknowledged.extend(committer.await.expect("no panic"));
        }
        drop(engine);
        let after = disk.after_power_loss(true, |_, _| dice.roll().is_multiple_of(2));
        let engine = on(&after, &index);
        let mut present = 0;
        for n in 0..next.load(Ordering::Relaxed) {
            let found = engine.get(&pair(n)).await.expect("readable");
            assert_eq!(found[0], found[1], "seed {seed}: half of commit {n}");
            assert!(
                found[0].is_some() || !acknowledged.contains(&n),
                "seed {seed}: {n} is lost"
            );
            present += u64::from(found[0].is_some());
        }
        assert_eq!(engine.health().last, present, "seed {seed}");
        let told = engine.changes(0, 0, 10_000, 0).await.expect("readable");
        assert_eq!(told.len() as u64, present, "seed {seed}");
        engine.commit(&writes(9999)).await.expect("it goes on");
    }
}

#[tokio::test]
async fn after_a_failed_sync_it_is_unknown_and_then_refused_and_reads_go_on() {
    let folder = tempfile::tempdir().expect("a folder");
    for effect in [Effect::Nothing, Effect::Done] {
        let (disk, index) = (
            SimDisk::default(),
            folder.path().join(format!("{effect:?}.redb")),
        );
        let engine = on(&disk, &index);
        engine.commit(&writes(1)).await.expect("durable");
        tokio::time::sleep(Duration::from_millis(50)).await; // The next segment is made meanwhile.
        let (step, error) = (disk.steps() + 2, Some(ErrorKind::Other));
        disk.fail(Some(Fault {
            step,
            error,
            effect,
            stays: false,
        }));
        let lost = engine.commit(&writes(2)).await;
        assert!(matches!(lost, Err(CommitError::Unknown(_))), "{lost:?}");
        let refused = engine.commit(&writes(3)).await;
        assert!(
            matches!(refused, Err(CommitError::Unavailable(_))),
            "{refused:?}"
        );
        assert!(
            engine
                .health()
                .refuses
                .is_some_and(|why| why.contains("could not be written"))
        );
        let found = engine
            .get(&[pair(1)[0].clone(), pair(2)[0].clone()])
            .await
            .expect("readable");
        assert!(
            found[0].is_some() && found[1].is_none(),
            "what is in doubt is not shown"
        );
        assert_eq!(
            engine.changes(0, 0, 10, 0).await.expect("readable").len(),
            1
        );
        drop(engine);
        let engine = on(&disk, &index);
        let found = engine.get(&pair(2)).await.expect("readable");
        assert_eq!(
            found[0].is_some(),
            engine.health().last == 2,
            "all of it or nothing"
        );
        engine.commit(&writes(3)).await.expect("it goes on");
    }
}

#[tokio::test]
async fn a_full_disk_is_said_and_passes() {
    let folder = tempfile::tempdir().expect("a folder");
    let (disk, index) = (SimDisk::default(), folder.path().join("index.redb"));
    let engine = on(&disk, &index);
    engine.commit(&writes(0)).await.expect("durable");
    tokio::time::sleep(Duration::from_millis(50)).await; // One segment is ready.
    let large = |n: u64| {
        let key = Key::new("large", &n.to_string());
        WriteSet::of([(key, Write::Create(body(&"x".repeat(100_000))))])
    };
    let mut n = 0;
    disk.refuse_new_files(true);
    let refused = loop {
        match engine.commit(&large(n)).await {
            Ok(()) => n += 1,
            Err(error) => break error,
        }
    };
    let CommitError::Unavailable(cause) = refused else {
        panic!("{refused:?}")
    };
    assert!(cause.to_string().starts_with("storage full"), "{cause}");
    engine.get(&pair(0)).await.expect("reads go on");
    disk.refuse_new_files(false);
    tokio::time::sleep(Duration::from_millis(1500)).await; // It looks again each second.
    engine.commit(&large(n)).await.expect("there is room again");
}

#[test]
fn two_stores_in_one_folder_and_a_folder_that_cannot_be_written() {
    let folder = tempfile::tempdir().expect("a folder");
    let first = open(folder.path(), &small()).expect("a new store");
    let error = open(folder.path(), &small())
        .map(drop)
        .expect_err("it is in use")
        .to_string();
    assert!(error.contains("in use by this process"), "{error}");
    drop(first);
    open(folder.path(), &small())
        .map(drop)
        .expect("it was given back");
    // No user may make anything there, not even the superuser.
    let error = open(Path::new("/sys/lombard"), &small())
        .map(drop)
        .expect_err("not there")
        .to_string();
    assert!(error.contains("is read-only"), "{error}");
}

/// A clock that stops whoever reads it while it is held.
#[derive(Default)]
struct Held(AtomicBool);

impl Host for Held {
    fn now(&self) -> Timestamp {
        while self.0.load(Ordering::Acquire) {
            thread::park_timeout(Duration::from_millis(1));
        }
        Timestamp::from_unix_ms(1)
    }

    fn random(&self) -> u128 {
        1
    }
}

#[tokio::test]
async fn an_overloaded_store_refuses_at_once_and_loses_nothing_it_took() {
    let folder = tempfile::tempdir().expect("a folder");
    let host = Arc::new(Held::default());
    let engine = Engine::open(folder.path(), host.clone(), Arc::new(Nothing), &small());
    let engine = engine.expect("a new store");
    host.0.store(true, Ordering::Release);
    let sets: Vec<_> = (0..6000).map(writes).collect();
    let commits = futures_util::future::join_all(sets.iter().map(|writes| engine.commit(writes)));
    let release = async {
        tokio::time::sleep(Duration::from_millis(50)).await;
        host.0.store(false, Ordering::Release);
    };
    let (answers, ()) = futures_util::future::join(commits, release).await;
    let taken = answers.iter().filter(|it| it.is_ok()).count();
    assert!((2048..6000).contains(&taken), "{taken} taken");
    let refused = answers
        .iter()
        .find_map(|it| it.as_ref().err())
        .expect("some were refused");
    let CommitError::Unavailable(cause) = refused else {
        panic!("{refused:?}")
    };
    assert!(cause.to_string().starts_with("overloaded"), "{cause}");
    assert_eq!(engine.health().last, taken as u64);
}

#[tokio::test]
async fn a_damaged_record_is_named_and_the_others_are_read() {
    let folder = tempfile::tempdir().expect("a folder");
    let engine = open(folder.path(), &small()).expect("a new store");
    for n in 0..200 {
        engine.commit(&writes(n)).await.expect("durable");
    }
    drop(engine);
    let path = folder.path().join("log").join(file_name(0));
    let mut bytes = fs::read(&path).expect("it is there");
    let text = b"1".repeat(600);
    let at = bytes
        .windows(600)
        .position(|it| it == text)
        .expect("the body of commit 1");
    bytes[at + 300] ^= 1;
    fs::write(&path, bytes).expect("written");
    let engine = open(folder.path(), &small()).expect("the index covers that part of the log");
    let damaged = engine.get(&pair(1)).await.expect_err("it is damaged");
    let ReadError::Damaged(cause) = damaged else {
        panic!("{damaged:?}")
    };
    assert!(
        cause
            .to_string()
            .contains("left|0001 is damaged in segment 0000000000"),
        "{cause}"
    );
    assert!(engine.get(&pair(2)).await.expect("readable")[0].is_some());
    // A list that must be whole says no; one that need not be goes on behind it.
    let range = Range::of("left", 3);
    let no = engine.range(&range).await.expect_err("it is damaged");
    assert!(matches!(no, ReadError::Damaged(_)), "{no:?}");
    let found = engine.range(&range.past_damage()).await.expect("readable");
    let found: Vec<_> = found.iter().map(|it| it.at.sort()).collect();
    assert_eq!(found, ["0000", "0002", "0003"]);
    let update = WriteSet::of([(pair(1)[0].clone(), Write::Update(Version::FIRST, body("x")))]);
    let refused = engine.commit(&update).await;
    assert!(
        matches!(refused, Err(CommitError::Unavailable(_))),
        "{refused:?}"
    );
}

/// Nobody asked for the record: what the index covers is read again by itself.
#[tokio::test]
async fn damage_in_an_old_segment_is_found_after_the_start() {
    let folder = tempfile::tempdir().expect("a folder");
    let fill = |engine: Engine| async move {
        for n in 0..200 {
            engine.commit(&writes(n)).await.expect("durable");
        }
    };
    fill(open(folder.path(), &small()).expect("a new store")).await;
    let path = folder.path().join("log").join(file_name(0));
    let whole = fs::read(&path).expect("it is there");
    let start = |bytes: &[u8]| {
        fs::write(&path, bytes).expect("written");
        open(folder.path(), &small()).expect("the index covers that part of the log")
    };
    let mut bytes = whole.clone();
    bytes[200] ^= 1;
    let engine = start(&bytes);
    let found = async {
        loop {
            match engine.damaged() {
                Some(found) => break found,
                None => tokio::time::sleep(Duration::from_millis(10)).await,
            }
        }
    };
    let found = tokio::time::timeout(Duration::from_secs(5), found).await;
    let found = found.expect("damaged");
    assert!(found.contains("segment 0000000000"), "{found}");
    drop(engine);
    let engine = start(&whole);
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(engine.damaged(), None);
}

/// An index of an earlier moment is brought up to date; one of a later moment proves that the log has lost
/// something.
#[tokio::test]
async fn an_older_index_is_brought_up_to_date_and_a_newer_one_accuses_the_log() {
    let folder = tempfile::tempdir().expect("a folder");
    let (data, before) = (folder.path().join("data"), folder.path().join("before"));
    let index = lombard_embedded::index::path(&data);
    let fill = async |range: std::ops::Range<u64>| {
        let engine = open(&data, &small()).expect("it opens");
        for n in range {
            engine.commit(&writes(n)).await.expect("durable");
        }
    };
    fill(0..200).await;
    let older = fs::read(&index).expect("there is one");
    let log = fs::read(data.join("log").join(file_name(0))).expect("there is one");
    fill(200..400).await;
    let newer = fs::read(&index).expect("there is one");

    fs::write(&index, older).expect("written");
    let engine = open(&data, &small()).expect("it opens");
    for n in 0..400 {
        assert!(
            engine.get(&pair(n)).await.expect("readable")[1].is_some(),
            "{n}"
        );
    }
    drop(engine);

    fs::create_dir_all(before.join("log")).expect("made");
    fs::write(before.join("log").join(file_name(0)), log).expect("written");
    fs::write(lombard_embedded::index::path(&before), newer).expect("written");
    let error = open(&before, &small())
        .map(drop)
        .expect_err("the log is shorter")
        .to_string();
    assert!(
        error.contains("the index knows transactions up to"),
        "{error}"
    );
}
