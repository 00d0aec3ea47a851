//! Reading: what was committed, in the order asked for, of one moment.

use std::sync::atomic::{AtomicBool, Ordering};

use lombard_core::store::{BODY_BYTES_MAX, Key, Write};

use super::{Suite, body, bytes, text, version};

impl Suite {
    pub(super) async fn check_reads(&self) {
        self.what_was_committed_is_read_at_once().await;
        self.answers_are_in_the_order_of_the_keys().await;
        self.bodies_come_back_byte_for_byte().await;
        self.reads_are_of_one_moment().await;
    }

    async fn what_was_committed_is_read_at_once(&self) {
        let key = self.key("at-once", "a");
        assert_eq!(
            self.get(&key).await,
            None,
            "what was never written is absent"
        );
        self.create(&key, "one").await;
        for n in 1..=20 {
            let found = self.get(&key).await.expect("it was committed");
            assert_eq!(found.version, version(n), "each write counts one version");
            self.update(&key, &format!("update {n}")).await;
            assert_eq!(
                text(self.get(&key).await.as_ref()),
                Some(format!("update {n}"))
            );
        }
    }

    async fn answers_are_in_the_order_of_the_keys(&self) {
        let keys: Vec<Key> = (0..40)
            .map(|n| self.key(&format!("order{}", n % 7), &format!("{n}")))
            .collect();
        for (n, key) in keys.iter().enumerate().filter(|(n, _)| n % 3 != 0) {
            self.create(key, &format!("{n}")).await;
        }
        let asked: Vec<Key> = keys.iter().rev().chain(&keys[..5]).cloned().collect();
        let found = self.store.get(&asked).await.expect("readable");
        let found: Vec<_> = found.iter().map(|it| text(it.as_ref())).collect();
        let order = (0..40).rev().chain(0..5);
        let expected: Vec<_> = order
            .map(|n| (n % 3 != 0).then(|| format!("{n}")))
            .collect();
        assert_eq!(
            found, expected,
            "absent ones and repeated ones have their places too"
        );
        assert!(self.store.get(&[]).await.expect("readable").is_empty());
    }

    async fn bodies_come_back_byte_for_byte(&self) {
        let every_byte: Vec<u8> = (0..=255).collect();
        let long: Vec<u8> = (0..BODY_BYTES_MAX).map(|n| (n % 251) as u8).collect();
        let bodies = [
            vec![],
            vec![0],
            vec![0; 5000],
            vec![255; 5000],
            every_byte,
            long,
        ];
        for (n, content) in bodies.iter().enumerate() {
            let key = self.key("bytes", &format!("{n}"));
            self.commit([(key.clone(), Write::Create(bytes(content)))])
                .await;
            let found = self.get(&key).await.expect("it was committed");
            assert!(*found.body.bytes == **content, "body {n} came back changed");
        }
    }

    /// Two records that are always written together are always read alike.
    async fn reads_are_of_one_moment(&self) {
        let pair = [self.key("moment-left", "a"), self.key("moment-right", "b")];
        self.commit(
            pair.each_ref()
                .map(|key| (key.clone(), Write::Create(body("0")))),
        )
        .await;
        let write = async {
            for n in 1..=60_u64 {
                tokio::task::yield_now().await;
                let update = Write::Update(version(n), body(&n.to_string()));
                self.commit(pair.each_ref().map(|key| (key.clone(), update.clone())))
                    .await;
            }
        };
        let done = AtomicBool::new(false);
        let read = async {
            let mut before = 0;
            while !done.load(Ordering::Relaxed) {
                let found = self.store.get(&pair).await.expect("readable");
                assert_eq!(found[0], found[1], "read of two moments");
                let now = found[0].as_ref().map_or(0, |it| it.version.get());
                assert!(now >= before, "a later read saw an earlier moment");
                before = now;
                tokio::task::yield_now().await;
            }
        };
        let write = async {
            write.await;
            done.store(true, Ordering::Relaxed);
        };
        futures_util::future::join(write, read).await;
    }
}
