//! Committing: all of a set or none, and every guard by itself.

use lombard_core::store::{
    BODY_BYTES_MAX, Body, Key, TooLarge, WRITE_BYTES_MAX, WRITES_MAX, Write, WriteSet,
};

use super::{Suite, body, bytes, text, version};
use crate::ports::CommitError;

impl Suite {
    pub(super) async fn check_commits(&self) {
        self.each_guard_refuses_by_itself().await;
        self.a_refused_set_changes_nothing().await;
        self.checks_alone_are_a_commit().await;
        self.a_check_is_not_a_write().await;
        self.what_is_removed_is_absent().await;
        self.a_hundred_actions_are_one().await;
        self.sets_beyond_the_limits_are_refused().await;
        self.of_rivals_one_wins_each_round().await;
    }

    /// Each of the five guards, alone, where it does not hold: against another version, against a record
    /// that is there, against one that is not.
    async fn each_guard_refuses_by_itself(&self) {
        let there = self.key("guards", "there");
        let absent = self.key("guards", "absent");
        let bystander = self.key("guards", "bystander");
        self.create(&there, "one").await;
        self.update(&there, "two").await;
        let cases = [
            (&there, Write::CheckAbsent),
            (&there, Write::Create(body("over"))),
            (&there, Write::Check(version(1))),
            (&there, Write::Check(version(3))),
            (&there, Write::Update(version(1), body("over"))),
            (&there, Write::Update(version(3), body("over"))),
            (&there, Write::Delete(version(1))),
            (&there, Write::Delete(version(3))),
            (&absent, Write::Check(version(1))),
            (&absent, Write::Update(version(1), body("over"))),
            (&absent, Write::Delete(version(1))),
        ];
        for (key, write) in cases {
            let innocent = (bystander.clone(), Write::Create(body("never")));
            self.refused(key, [(key.clone(), write), innocent]).await;
            let found = self.get(&there).await.expect("nobody removed it");
            assert_eq!(
                (found.version, text(Some(&found)).as_deref()),
                (version(2), Some("two"))
            );
            assert_eq!(self.get(&absent).await, None);
            assert_eq!(
                self.get(&bystander).await,
                None,
                "a part of a refused set was written"
            );
        }
    }

    async fn a_refused_set_changes_nothing(&self) {
        let keys: Vec<Key> = (0..9)
            .map(|n| self.key(&format!("all{}", n % 3), &format!("{n}")))
            .collect();
        for key in &keys {
            self.create(key, "one").await;
        }
        self.update(&keys[4], "two").await;
        // Every kind of write, around one guard that does not hold.
        let write = |n: usize| match n % 3 {
            0 => Write::Update(version(1), body("never")),
            1 => Write::Delete(version(1)),
            _ => Write::Check(version(1)),
        };
        let writes = keys
            .iter()
            .enumerate()
            .map(|(n, key)| (key.clone(), write(n)));
        self.refused(&keys[4], writes).await;
        for (n, key) in keys.iter().enumerate() {
            let expected = if n == 4 { "two" } else { "one" };
            assert_eq!(
                text(self.get(key).await.as_ref()).as_deref(),
                Some(expected)
            );
        }
    }

    async fn checks_alone_are_a_commit(&self) {
        let (there, absent) = (self.key("checks", "there"), self.key("checks", "absent"));
        self.create(&there, "one").await;
        let holds = [
            (there.clone(), Write::Check(version(1))),
            (absent.clone(), Write::CheckAbsent),
        ];
        self.commit(holds.clone()).await;
        self.update(&there, "two").await;
        self.refused(&there, holds).await;
        self.refused(&there, [(there.clone(), Write::CheckAbsent)])
            .await;
    }

    async fn a_check_is_not_a_write(&self) {
        let (read, written) = (self.key("still", "read"), self.key("still", "written"));
        self.create(&read, "one").await;
        let check = (read.clone(), Write::Check(version(1)));
        self.commit([check, (written, Write::Create(body("one")))])
            .await;
        let found = self.get(&read).await.expect("it was only checked");
        assert_eq!(found.version, version(1));
    }

    async fn what_is_removed_is_absent(&self) {
        let key = self.key("removed", "a");
        self.create(&key, "one").await;
        self.update(&key, "two").await;
        self.commit([(key.clone(), Write::Delete(version(2)))])
            .await;
        assert_eq!(self.get(&key).await, None);
        self.commit([(key.clone(), Write::CheckAbsent)]).await;
        self.refused(&key, [(key.clone(), Write::Check(version(2)))])
            .await;
    }

    async fn a_hundred_actions_are_one(&self) {
        let keys: Vec<Key> = (0..WRITES_MAX)
            .map(|n| self.key(&format!("many{}", n % 10), &format!("{n}")))
            .collect();
        let create = |key: &Key| (key.clone(), Write::Create(body("one")));
        self.commit(keys.iter().map(create)).await;
        let found = self.store.get(&keys).await.expect("readable");
        assert_eq!(found.iter().flatten().count(), WRITES_MAX);
        let update = |key: &Key| (key.clone(), Write::Update(version(1), body("two")));
        self.update(&keys[WRITES_MAX - 1], "two").await;
        self.refused(&keys[WRITES_MAX - 1], keys.iter().map(update))
            .await;
        assert_eq!(
            text(self.get(&keys[0]).await.as_ref()).as_deref(),
            Some("one")
        );
    }

    async fn sets_beyond_the_limits_are_refused(&self) {
        let create = |n: usize, body: &Body| {
            (
                self.key("large", &format!("{n}")),
                Write::Create(body.clone()),
            )
        };
        let small = body("x");
        let too_many = WriteSet::of((0..=WRITES_MAX).map(|n| create(n, &small)));
        let too_long = WriteSet::of([create(0, &bytes(&vec![b'x'; BODY_BYTES_MAX + 1]))]);
        let largest = bytes(&vec![b'x'; BODY_BYTES_MAX]);
        let too_heavy =
            WriteSet::of((0..=WRITE_BYTES_MAX / BODY_BYTES_MAX).map(|n| create(n, &largest)));
        for (writes, name) in [
            (too_many, "actions"),
            (too_long, "body"),
            (too_heavy, "bytes"),
        ] {
            let answer = self.store.commit(&writes).await;
            let refused = match &answer {
                Err(CommitError::TooLarge(TooLarge::Actions(_))) => "actions",
                Err(CommitError::TooLarge(TooLarge::Body(..))) => "body",
                Err(CommitError::TooLarge(TooLarge::Bytes(_))) => "bytes",
                _ => "not",
            };
            assert_eq!(refused, name, "{answer:?}");
            assert_eq!(self.get(&self.key("large", "0")).await, None, "{name}");
        }
        let heavy =
            WriteSet::of((0..WRITE_BYTES_MAX / BODY_BYTES_MAX - 1).map(|n| create(n, &largest)));
        self.store.commit(&heavy).await.expect("within the limits");
    }

    /// Many read one record and write what they made of it; nobody's work is lost.
    async fn of_rivals_one_wins_each_round(&self) {
        const RIVALS: u64 = 8;
        let key = self.key("rivals", "count");
        self.create(&key, "").await;
        let add_one = async |name: u64| {
            for _ in 0..1000 {
                let found = self.get(&key).await.expect("it is there");
                tokio::task::yield_now().await;
                let longer = format!("{}{name}", text(Some(&found)).unwrap_or_default());
                let writes =
                    WriteSet::of([(key.clone(), Write::Update(found.version, body(&longer)))]);
                match self.store.commit(&writes).await {
                    Ok(()) => return,
                    Err(CommitError::Conflict(_)) => {}
                    Err(error) => panic!("{error}"),
                }
            }
            panic!("never won");
        };
        futures_util::future::join_all((0..RIVALS).map(add_one)).await;
        let mut names: Vec<u8> = self
            .get(&key)
            .await
            .expect("it is there")
            .body
            .bytes
            .to_vec();
        names.sort_unstable();
        assert_eq!(
            String::from_utf8_lossy(&names),
            "01234567",
            "somebody's write was lost"
        );
    }
}
