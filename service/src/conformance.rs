//! The contract of [`Store`], executable. An adapter is done when [`run`] passes on it.
//!
//! **Shape.** One function a promise, each on keys of its own, so that a store which others use at the
//! same time, or which has run the suite before, can be checked: every run has its own `prefix`. A
//! broken promise is a panic that names it.
//!
//! **Why it can be trusted.** Each promise is broken once, on purpose, in the tests of this crate, and
//! the suite must fail each time. A suite that passes broken stores is worse than none.

use std::sync::Arc;

use lombard_core::store::{Body, Key, Record, Version, Write, WriteSet};

use crate::ports::{CommitError, Store};

mod commits;
mod feed;
mod ranges;
mod reads;

/// Checks every promise, on records whose partitions begin with `prefix`, which no run had before.
///
/// # Panics
/// When the store breaks a promise, or fails.
pub async fn run(store: Arc<dyn Store>, prefix: &str) {
    let suite = Suite {
        store,
        prefix: prefix.to_owned(),
    };
    suite.check_reads().await;
    suite.check_commits().await;
    suite.check_ranges().await;
    suite.check_feed().await;
}

struct Suite {
    store: Arc<dyn Store>,
    prefix: String,
}

/// What most checks need, in few words.
impl Suite {
    fn key(&self, partition: &str, sort: &str) -> Key {
        Key::new(&self.partition(partition), sort)
    }

    fn partition(&self, name: &str) -> String {
        format!("{}{name}", self.prefix)
    }

    async fn get(&self, key: &Key) -> Option<Record> {
        let found = self
            .store
            .get(std::slice::from_ref(key))
            .await
            .expect("readable");
        assert_eq!(found.len(), 1, "one answer a key");
        found.into_iter().next().flatten()
    }

    async fn commit(&self, actions: impl IntoIterator<Item = (Key, Write)>) {
        let writes = WriteSet::of(actions);
        self.store
            .commit(&writes)
            .await
            .unwrap_or_else(|error| panic!("{writes:?}: {error}"));
    }

    async fn create(&self, key: &Key, text: &str) {
        self.commit([(key.clone(), Write::Create(body(text)))])
            .await;
    }

    async fn update(&self, key: &Key, text: &str) {
        let version = self.get(key).await.expect("there to be updated").version;
        self.commit([(key.clone(), Write::Update(version, body(text)))])
            .await;
    }

    /// Commits what must be refused because of `key`.
    async fn refused(&self, key: &Key, actions: impl IntoIterator<Item = (Key, Write)>) {
        let writes = WriteSet::of(actions);
        match self.store.commit(&writes).await {
            Err(CommitError::Conflict(found)) => assert_eq!(&found, key, "in {writes:?}"),
            other => panic!("a guard does not hold, and yet: {other:?} for {writes:?}"),
        }
    }
}

fn body(text: &str) -> Body {
    bytes(text.as_bytes())
}

fn bytes(bytes: &[u8]) -> Body {
    Body {
        bytes: bytes.into(),
        index: Vec::new(),
    }
}

fn version(number: u64) -> Version {
    Version::from_stored(number)
}

fn text(record: Option<&Record>) -> Option<String> {
    record.map(|it| String::from_utf8_lossy(&it.body.bytes).into_owned())
}
