//! Every live record of a store, in pages, and what they add up to.

use std::{fmt, sync::Arc};

use futures_util::{FutureExt, future::BoxFuture};
use lombard_core::store::{Body, Key};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::Moved;
use crate::ports::{ReadError, Store};

/// Changes that are read of the feed at once.
const PAGE: usize = 1_000;

/// Reads every live record of a store that nobody writes to, each once, in any order.
pub trait Census: Send + Sync + 'static {
    /// The records after a place that an earlier page gave; from the beginning if `None`.
    fn page<'a>(&'a self, after: Option<&'a str>) -> BoxFuture<'a, Result<Page, ReadError>>;
}

/// A part of a census.
#[derive(Clone, Debug, Default)]
pub struct Page {
    /// Some records, perhaps none.
    pub records: Vec<Moved>,
    /// Where the next page begins; `None` when this is the last.
    pub next: Option<String>,
}

/// The census of a store whose feed reaches back to its first commit: the changes that nothing
/// later has replaced. Each live record is in it once, where it was written last.
pub struct ByFeed(pub Arc<dyn Store>);

impl Census for ByFeed {
    fn page<'a>(&'a self, after: Option<&'a str>) -> BoxFuture<'a, Result<Page, ReadError>> {
        self.read(after.and_then(parse).unwrap_or_default()).boxed()
    }
}

fn parse(place: &str) -> Option<(u16, u64)> {
    let (shard, position) = place.split_once(':')?;
    Some((shard.parse().ok()?, position.parse().ok()?))
}

impl ByFeed {
    async fn read(&self, (shard, after): (u16, u64)) -> Result<Page, ReadError> {
        let commits = self.0.changes(shard, after, PAGE, 0).await?;
        let Some(last) = commits.last() else {
            let next = shard + 1;
            let more = next < self.0.shards();
            return Ok(Page {
                records: Vec::new(),
                next: more.then(|| format!("{next}:0")),
            });
        };
        let changes = commits.iter().flat_map(|commit| commit.changes.iter());
        let written: Vec<_> = changes
            .filter_map(|change| Some((&change.key, change.record.as_ref()?)))
            .collect();
        let keys: Vec<Key> = written.iter().map(|(key, _)| (*key).clone()).collect();
        let now = self.0.get(&keys).await?;
        let live = written.into_iter().zip(now).filter(|((_, then), now)| {
            now.as_ref()
                .is_some_and(|record| record.version == then.version)
        });
        let records = live.map(|((key, record), _)| (key.clone(), record.body.clone()));
        Ok(Page {
            records: records.collect(),
            next: Some(format!("{shard}:{}", last.position)),
        })
    }
}

/// What records add up to, in whatever order they come: how many, and the sum of their hashes
/// modulo 2^256. It compares two stores, of which neither is an adversary; the file between them is
/// sealed.
#[derive(Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sum {
    /// How many.
    pub count: u64,
    digest: [u8; 32],
}

impl Sum {
    /// Adds a record.
    pub fn add(&mut self, key: &Key, body: &Body) {
        let mut hash = Sha256::new();
        let index = body.index.iter().map(Key::as_bytes);
        for part in [key.as_bytes(), &*body.bytes].into_iter().chain(index) {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part);
        }
        let mut carry = 0;
        for (sum, more) in self.digest.iter_mut().zip(hash.finalize()) {
            let total = u16::from(*sum) + u16::from(more) + carry;
            (*sum, carry) = (total as u8, total >> 8);
        }
        self.count += 1;
    }
}

impl fmt::Debug for Sum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.count, hex::encode(&self.digest[..8]))
    }
}

#[cfg(test)]
mod tests {
    use lombard_core::store::{Snapshot, WriteSet};

    use super::*;
    use crate::memory::Memory;

    #[test]
    fn the_order_does_not_matter_and_everything_else_does() {
        let sum = |records: &[(&str, u32)]| {
            let mut sum = Sum::default();
            for (sort, value) in records {
                sum.add(&Key::new("p", sort), &Body::of(value));
            }
            sum
        };
        let one = sum(&[("a", 1), ("b", 2)]);
        assert_eq!(one, sum(&[("b", 2), ("a", 1)]));
        for other in [
            sum(&[("a", 2), ("b", 1)]),
            sum(&[("a", 1)]),
            sum(&[("a", 1), ("b", 2), ("b", 2)]),
        ] {
            assert_ne!(one, other);
        }
    }

    #[tokio::test]
    async fn each_live_record_is_told_once() {
        let store = Arc::new(Memory::default());
        let key = |n: usize| Key::new("p", &n.to_string());
        for n in 0..PAGE + 10 {
            let mut writes = WriteSet::default();
            writes.create(key(n), Body::of(&n));
            store.commit(&writes).await.expect("written");
        }
        for (n, removed) in [(3, true), (4, false)] {
            let found = store.get(&[key(n)]).await.expect("readable").remove(0);
            let mut snapshot = Snapshot::default();
            snapshot.put(key(n), found);
            let mut writes = snapshot.checks();
            match removed {
                true => writes.delete(&key(n)),
                false => writes.update(&key(n), Body::of(&"again")),
            }
            store.commit(&writes).await.expect("written");
        }
        let census = ByFeed(store);
        let (mut place, mut told) = (None, Vec::new());
        loop {
            let page = census.page(place.as_deref()).await.expect("readable");
            told.extend(page.records);
            place = page.next;
            if place.is_none() {
                break;
            }
        }
        assert_eq!(told.len(), PAGE + 9);
        let again = told.iter().filter(|(at, _)| *at == key(4));
        let bodies: Vec<_> = again.map(|(_, body)| body.clone()).collect();
        assert_eq!(bodies, [Body::of(&"again")]);
    }
}
