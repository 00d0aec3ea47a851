//! Ranges: of one partition, in order, from anywhere, both ways; and the secondary orders.

use lombard_core::store::{Body, Key, Write};

use super::{Suite, body, text, version};
use crate::ports::{Found, Range};

impl Suite {
    pub(super) async fn check_ranges(&self) {
        self.a_range_is_of_one_partition_in_order().await;
        self.a_range_begins_and_ends_where_asked().await;
        self.a_range_shows_what_is_there_now().await;
        self.records_are_listed_under_their_index_keys().await;
        self.a_listing_follows_its_record().await;
        self.records_and_listings_are_apart().await;
    }

    async fn sorts(&self, range: Range) -> Vec<String> {
        let partition = range.partition.clone();
        let found = self.store.range(&range).await.expect("readable");
        assert!(
            found.iter().all(|it| it.at.partition() == partition),
            "of another partition"
        );
        found
            .into_iter()
            .map(|it| it.at.sort().to_owned())
            .collect()
    }

    async fn a_range_is_of_one_partition_in_order(&self) {
        let own = [
            "", "!", "0", "1", "10", "2", "A", "a", "a/b", "aa", "b", "~", "ä", "日",
        ];
        for sort in own.iter().rev() {
            self.create(&self.key("range", sort), sort).await;
        }
        for name in ["rang", "range!", "range/", "rangea", "q", "z"] {
            self.create(&self.key(name, "other"), "other").await;
        }
        let partition = self.partition("range");
        assert_eq!(self.sorts(Range::of(&partition, 100)).await, own);
        let mut reversed = own;
        reversed.reverse();
        assert_eq!(
            self.sorts(Range::of(&partition, 100).backwards()).await,
            reversed
        );
        assert!(
            self.sorts(Range::of(&self.partition("nothing"), 100))
                .await
                .is_empty()
        );
        for found in self
            .store
            .range(&Range::of(&partition, 100))
            .await
            .expect("readable")
        {
            assert_eq!(text(Some(&found.record)).as_deref(), Some(found.at.sort()));
        }
    }

    async fn a_range_begins_and_ends_where_asked(&self) {
        for n in 0..25 {
            self.create(&self.key("pages", &format!("{n:02}")), "x")
                .await;
        }
        let partition = self.partition("pages");
        let all: Vec<String> = (0..25).map(|n| format!("{n:02}")).collect();
        let reversed: Vec<String> = all.iter().rev().cloned().collect();
        for (backwards, all) in [(false, &all), (true, &reversed)] {
            for limit in [1, 7, 25, 26] {
                let mut seen: Vec<String> = Vec::new();
                loop {
                    let mut page = Range::of(&partition, limit).after(seen.last().cloned());
                    page.backwards = backwards;
                    let page = self.sorts(page).await;
                    assert!(page.len() <= limit, "more than asked for");
                    if page.is_empty() {
                        break;
                    }
                    seen.extend(page);
                }
                assert_eq!(&seen, all, "pages of {limit}");
            }
        }
        let between = |after: &str, until: &str| {
            Range::of(&partition, 100)
                .after(Some(after.into()))
                .until(until.into())
        };
        assert_eq!(self.sorts(between("03", "06")).await, ["04", "05", "06"]);
        assert_eq!(self.sorts(between("03x", "06x")).await, ["04", "05", "06"]);
        assert_eq!(
            self.sorts(between("06", "03").backwards()).await,
            ["05", "04", "03"]
        );
        assert!(self.sorts(between("06", "03")).await.is_empty());
        assert!(self.sorts(between("03", "06").backwards()).await.is_empty());
        assert!(self.sorts(Range::of(&partition, 0)).await.is_empty());
    }

    async fn a_range_shows_what_is_there_now(&self) {
        let keys: Vec<Key> = (0..6).map(|n| self.key("now", &format!("{n}"))).collect();
        for key in &keys {
            self.create(key, "one").await;
        }
        self.update(&keys[1], "two").await;
        for gone in [0, 3, 4] {
            self.commit([(keys[gone].clone(), Write::Delete(version(1)))])
                .await;
        }
        let found = self
            .store
            .range(&Range::of(&self.partition("now"), 3))
            .await
            .expect("readable");
        let shown: Vec<_> = found
            .iter()
            .map(|it| (it.at.sort(), it.record.version.get()))
            .collect();
        assert_eq!(shown, [("1", 2), ("2", 1), ("5", 1)]);
    }

    fn listed(&self, content: &str, at: &[(&str, &str)]) -> Body {
        at.iter().fold(body(content), |body, (partition, sort)| {
            body.listed(self.key(partition, sort))
        })
    }

    async fn listing(&self, partition: &str) -> Vec<(String, String)> {
        let range = Range::listed(&self.partition(partition), 100);
        let found = self.store.range(&range).await.expect("readable");
        let show = |it: Found| {
            (
                it.at.sort().to_owned(),
                text(Some(&it.record)).unwrap_or_default(),
            )
        };
        found.into_iter().map(show).collect()
    }

    async fn records_are_listed_under_their_index_keys(&self) {
        for (n, sort) in ["c", "a", "b", "a"].iter().enumerate() {
            let content = format!("{n}");
            let body = self.listed(&content, &[("by-name", sort), ("by-number", &content)]);
            self.commit([(self.key("listed", &content), Write::Create(body))])
                .await;
        }
        let mut names = self.listing("by-name").await;
        names[..2].sort(); // Two stand under the same key, in no order.
        let pair = |a: &str, b: &str| (a.to_owned(), b.to_owned());
        assert_eq!(
            names,
            [
                pair("a", "1"),
                pair("a", "3"),
                pair("b", "2"),
                pair("c", "0")
            ]
        );
        let numbers = self.listing("by-number").await;
        assert_eq!(numbers.len(), 4);
        assert_eq!(numbers[0], pair("0", "0"));
        let by_name = self.partition("by-name");
        let last = Range::listed(&by_name, 2).backwards();
        assert_eq!(self.sorts(last).await, ["c", "b"]);
        let later = Range::listed(&by_name, 100)
            .after(Some("a".into()))
            .until("b".into());
        assert_eq!(self.sorts(later).await, ["b"]);
    }

    async fn a_listing_follows_its_record(&self) {
        let key = self.key("moving", "a");
        let write = async |body| {
            let write = match self.get(&key).await {
                None => Write::Create(body),
                Some(found) => Write::Update(found.version, body),
            };
            self.commit([(key.clone(), write)]).await;
        };
        let shown =
            async || [self.listing("open").await, self.listing("done").await].map(|it| it.len());
        write(self.listed("1", &[("open", "1")])).await;
        assert_eq!(shown().await, [1, 0]);
        write(self.listed("2", &[("open", "1")])).await;
        assert_eq!(
            self.listing("open").await,
            [("1".to_owned(), "2".to_owned())]
        );
        write(self.listed("3", &[("open", "2"), ("done", "1")])).await;
        assert_eq!(
            self.listing("open").await,
            [("2".to_owned(), "3".to_owned())]
        );
        assert_eq!(shown().await, [1, 1]);
        write(self.listed("4", &[("done", "1")])).await;
        assert_eq!(shown().await, [0, 1]);
        write(self.listed("5", &[("open", "1"), ("done", "1")])).await;
        assert_eq!(shown().await, [1, 1]);
        self.commit([(key.clone(), Write::Delete(version(5)))])
            .await;
        assert_eq!(shown().await, [0, 0]);
    }

    async fn records_and_listings_are_apart(&self) {
        let body = self.listed("x", &[("apart", "listed")]);
        self.commit([(self.key("apart", "record"), Write::Create(body))])
            .await;
        let partition = self.partition("apart");
        assert_eq!(self.sorts(Range::of(&partition, 9)).await, ["record"]);
        assert_eq!(self.sorts(Range::listed(&partition, 9)).await, ["listed"]);
        assert_eq!(self.get(&self.key("apart", "listed")).await, None);
    }
}
