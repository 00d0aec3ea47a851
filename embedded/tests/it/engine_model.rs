//! The engine against its contract, and against a model: whatever is done to both, they answer alike, also
//! after closing and opening, also when the index is lost.

use std::{collections::BTreeMap, sync::Arc};

use lombard_core::store::{Body, Key, Write, WriteSet};
use lombard_embedded::engine::{Engine, Options};
use lombard_service::{
    conformance,
    memory::Memory,
    ports::{CommitError, Of, Range, Store},
};

use crate::{
    engine_help::{open, small},
    log_help::Dice,
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_engine_conforms() {
    for options in [
        small(),
        Options {
            freeze_bytes: 8 * 1024 * 1024,
            ..small()
        },
    ] {
        let folder = tempfile::tempdir().expect("a folder");
        let store: Arc<dyn Store> = Arc::new(open(folder.path(), &options).expect("a new store"));
        conformance::run(store.clone(), "first/").await;
        conformance::run(store, "second/").await;
        let store: Arc<dyn Store> = Arc::new(open(folder.path(), &options).expect("it was closed"));
        conformance::run(store, "third/").await;
    }
}

/// The engine and the model, side by side.
struct Pair {
    engine: Engine,
    model: Memory,
    dice: Dice,
    /// The versions as the model has them, to make guards that hold or nearly do.
    versions: BTreeMap<Key, u64>,
    /// Keys are never made again once removed.
    spent: Vec<Key>,
}

impl Pair {
    fn roll(&mut self, below: u64) -> u64 {
        self.dice.roll() % below
    }

    fn key(&mut self) -> Key {
        let partition = format!("p{}", self.roll(4));
        Key::new(&partition, &format!("{:02}", self.roll(40)))
    }

    fn body(&mut self) -> Body {
        let length = self.roll(600) as usize;
        let fill = self.dice.roll() as u8;
        let mut body = Body {
            bytes: vec![fill; length].into(),
            index: Vec::new(),
        };
        for order in 0..self.roll(3) {
            body = body.listed(Key::new(&format!("i{order}"), &format!("{}", self.roll(9))));
        }
        body
    }

    fn write(&mut self, key: &Key) -> Write {
        let version = self.versions.get(key).copied().unwrap_or(0);
        // One guard in twelve does not hold.
        let version = if self.roll(12) == 0 {
            version + 1
        } else {
            version
        };
        let known = lombard_core::store::Version::from_stored(version);
        match (version, self.roll(8)) {
            (0, 0) => Write::CheckAbsent,
            (0, _) if self.spent.contains(key) => Write::CheckAbsent,
            (0, _) => Write::Create(self.body()),
            (_, 0) => Write::Delete(known),
            (_, 1) => Write::Check(known),
            _ => Write::Update(known, self.body()),
        }
    }

    async fn commit(&mut self) {
        let mut writes = BTreeMap::new();
        for _ in 0..self.roll(6) + 1 {
            let key = self.key();
            let write = self.write(&key);
            writes.insert(key, write);
        }
        let set = WriteSet::of(writes.clone());
        let (real, model) = (
            self.engine.commit(&set).await,
            self.model.commit(&set).await,
        );
        match (&real, &model) {
            (Ok(()), Ok(())) => {
                for (key, write) in writes {
                    match write.result() {
                        Some(Some(record)) => drop(self.versions.insert(key, record.version.get())),
                        Some(None) => {
                            self.versions.remove(&key);
                            self.spent.push(key);
                        }
                        None => {}
                    }
                }
            }
            (Err(CommitError::Conflict(a)), Err(CommitError::Conflict(b))) => assert_eq!(a, b),
            other => panic!("{other:?}"),
        }
    }

    async fn compare(&mut self) {
        let keys: Vec<Key> = (0..10).map(|_| self.key()).collect();
        let (real, model) = (self.engine.get(&keys).await, self.model.get(&keys).await);
        assert_eq!(real.expect("readable"), model.expect("readable"));
        for _ in 0..6 {
            let indexed = self.roll(2) == 0;
            let partition = format!("{}{}", if indexed { "i" } else { "p" }, self.roll(4));
            let mut range = Range::of(&partition, self.roll(30) as usize);
            range.of = if indexed { Of::Index } else { Of::Records };
            range.backwards = self.roll(2) == 0;
            let sort = |roll: u64| {
                if indexed {
                    format!("{}", roll % 9)
                } else {
                    format!("{:02}", roll % 40)
                }
            };
            range.after = (self.roll(3) == 0).then(|| sort(self.dice.roll()));
            range.until = (self.roll(3) == 0).then(|| sort(self.dice.roll()));
            let (real, model) = (
                self.engine.range(&range).await,
                self.model.range(&range).await,
            );
            assert_eq!(
                real.expect("readable"),
                model.expect("readable"),
                "{range:?}"
            );
        }
        let last = self.engine.health().last;
        let (after, limit) = (self.roll(last + 1), self.roll(50) as usize);
        let real = self
            .engine
            .changes(0, after, limit, 0)
            .await
            .expect("readable");
        let model = self
            .model
            .changes(0, after, limit, 0)
            .await
            .expect("readable");
        assert_eq!(real, model, "after {after}, limit {limit}");
    }
}

/// Rounds of commits and comparisons, with the store closed and opened in between.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_engine_answers_as_the_model_does() {
    for seed in 0..4 {
        let folder = tempfile::tempdir().expect("a folder");
        let mut options = small();
        options.freeze_bytes = [8, 24, 64, 4096][seed as usize] * 1024;
        let engine = open(folder.path(), &options).expect("a new store");
        let (versions, spent) = (BTreeMap::new(), Vec::new());
        let mut pair = Pair {
            engine,
            model: Memory::default(),
            dice: Dice(seed),
            versions,
            spent,
        };
        for round in 0..6 {
            for _ in 0..60 {
                pair.commit().await;
                pair.compare().await;
            }
            drop(pair.engine);
            if round % 3 == 2 {
                // The index is lost, or broken.
                let index = lombard_embedded::index::path(folder.path());
                match seed % 2 {
                    0 => std::fs::remove_file(index).expect("it was there"),
                    _ => std::fs::write(index, b"not an index at all").expect("written"),
                }
            }
            pair.engine = open(folder.path(), &options).expect("it was closed well");
            pair.compare().await;
        }
        let all: Vec<Key> = pair.versions.keys().cloned().collect();
        for keys in all.chunks(50) {
            assert_eq!(
                pair.engine.get(keys).await.unwrap(),
                pair.model.get(keys).await.unwrap()
            );
        }
    }
}
