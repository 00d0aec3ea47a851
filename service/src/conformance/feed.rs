//! The change feed: every change of a record once, in order, none that was refused.
//!
//! How commits are spread over shards is each store's own affair, so the checks look at single records.
//! A feed may hold other people's changes too.

use std::{collections::BTreeMap, time::Duration};

use lombard_core::store::{Change, Key, Write};
use tokio::time::Instant;

use super::{Suite, body, text, version};

/// How long a change may take to arrive, ms. Streams of cloud services take their time.
const ARRIVAL_MS: u64 = 20_000;
/// The pause between two looks for changes that have not arrived, ms.
const POLL_MS: u64 = 5;
/// The wait that must end early when something arrives, ms.
const WAIT_MS: u64 = 10_000;

impl Suite {
    pub(super) async fn check_feed(&self) {
        self.each_change_is_told_once_in_order().await;
        self.a_feed_is_read_in_pieces_without_loss().await;
        self.waiting_ends_with_news_or_in_time().await;
    }

    /// The end of each shard at this moment.
    async fn ends(&self) -> Vec<u64> {
        let mut ends = Vec::new();
        for shard in 0..self.store.shards() {
            let mut after = 0;
            loop {
                let commits = self
                    .store
                    .changes(shard, after, 1000, 0)
                    .await
                    .expect("readable");
                let Some(last) = commits.last() else { break };
                assert!(last.position > after, "positions grow");
                after = last.position;
            }
            ends.push(after);
        }
        ends
    }

    /// The changes of records under `partition` after `ends`, until `count` have arrived; `limit` at once.
    async fn told(&self, ends: &[u64], partition: &str, count: usize, limit: usize) -> Vec<Change> {
        let partition = self.partition(partition);
        let mut after = ends.to_vec();
        let mut told = Vec::new();
        let begun = Instant::now();
        while told.len() < count && begun.elapsed().as_millis() < u128::from(ARRIVAL_MS) {
            for (shard, after) in after.iter_mut().enumerate() {
                let commits = self
                    .store
                    .changes(shard as u16, *after, limit, 10)
                    .await
                    .expect("readable");
                for commit in commits {
                    assert!(commit.position > *after, "positions grow");
                    *after = commit.position;
                    assert!(!commit.changes.is_empty(), "a commit that changed nothing");
                    let own = commit
                        .changes
                        .iter()
                        .filter(|it| it.key.partition() == partition);
                    told.extend(own.cloned());
                }
            }
            if told.len() < count {
                tokio::time::sleep(Duration::from_millis(POLL_MS)).await;
            }
        }
        told
    }

    async fn each_change_is_told_once_in_order(&self) {
        let (a, b, c) = (
            self.key("told", "a"),
            self.key("told", "b"),
            self.key("told", "c"),
        );
        let ends = self.ends().await;
        self.commit([
            (a.clone(), Write::Create(body("a1"))),
            (b.clone(), Write::Create(body("b1"))),
        ])
        .await;
        self.refused(
            &a,
            [
                (a.clone(), Write::CheckAbsent),
                (c.clone(), Write::Create(body("never"))),
            ],
        )
        .await;
        self.commit([
            (a.clone(), Write::Check(version(1))),
            (c.clone(), Write::CheckAbsent),
        ])
        .await;
        self.commit([
            (a.clone(), Write::Check(version(1))),
            (b.clone(), Write::Update(version(1), body("b2"))),
        ])
        .await;
        self.commit([(a.clone(), Write::Delete(version(1)))]).await;
        self.commit([(b.clone(), Write::Update(version(2), body("b3")))])
            .await;
        self.create(&c, "c1").await;
        let told = self.told(&ends, "told", 6, 100).await;
        let mut records: BTreeMap<Key, Vec<(u64, Option<String>)>> = BTreeMap::new();
        for change in &told {
            let now = change.record.as_ref();
            let shown = (now.map_or(0, |it| it.version.get()), text(now));
            records.entry(change.key.clone()).or_default().push(shown);
        }
        let some = |n, content: &str| (n, Some(content.to_owned()));
        assert_eq!(records[&a], [some(1, "a1"), (0, None)]);
        assert_eq!(records[&b], [some(1, "b1"), some(2, "b2"), some(3, "b3")]);
        assert_eq!(records[&c], [some(1, "c1")]);
        let again = self.told(&ends, "told", 6, 100).await;
        assert_eq!(told.len(), again.len(), "read again, the feed is the same");
    }

    async fn a_feed_is_read_in_pieces_without_loss(&self) {
        let ends = self.ends().await;
        for n in 0..30 {
            let actions = (0..n % 4 + 1).map(|i| {
                (
                    self.key("pieces", &format!("{n:02}-{i}")),
                    Write::Create(body("x")),
                )
            });
            self.commit(actions).await;
        }
        let count = (0..30).map(|n| n % 4 + 1).sum();
        let whole = self.told(&ends, "pieces", count, 1000).await;
        assert_eq!(whole.len(), count);
        for limit in [0, 1, 3, 10] {
            let pieces = self.told(&ends, "pieces", count, limit).await;
            let keys = |changes: &[Change]| {
                let mut keys: Vec<Key> = changes.iter().map(|it| it.key.clone()).collect();
                if self.store.shards() > 1 {
                    keys.sort();
                }
                keys
            };
            assert_eq!(keys(&pieces), keys(&whole), "in pieces of {limit}");
        }
    }

    async fn waiting_ends_with_news_or_in_time(&self) {
        let ends = self.ends().await;
        let begun = Instant::now();
        let _ = self
            .store
            .changes(0, ends[0], 10, 30)
            .await
            .expect("readable");
        assert!(
            begun.elapsed().as_millis() < 5_000,
            "waited for longer than was asked"
        );
        if self.store.shards() > 1 {
            return; // Which shard will have the news is not known.
        }
        let wait = self.store.changes(0, ends[0], 10, WAIT_MS);
        let write = async {
            tokio::time::sleep(Duration::from_millis(20)).await;
            self.create(&self.key("awaited", "a"), "x").await;
        };
        let (news, ()) = futures_util::future::join(wait, write).await;
        assert!(!news.expect("readable").is_empty(), "there was news");
        assert!(
            begun.elapsed().as_millis() < u128::from(WAIT_MS),
            "the news did not end the wait"
        );
    }
}
