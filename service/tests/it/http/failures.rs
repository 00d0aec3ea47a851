//! What callers are told when it is our own side that fails.

use std::sync::Arc;

use futures_util::future::BoxFuture;
use lombard_core::{
    command::{Command, Reply},
    store::{Commit, Key, Record, WriteSet},
};
use lombard_service::{
    exceptions,
    http::{Api, router},
    ports::{Bank, Cause, CommitError, ExecuteError, Found, Range, ReadError, Store},
    worker::soundness,
};

use super::world::{World, internal};

/// A bank that fails in one way, or panics.
struct Failing(Option<ExecuteError>);

impl Bank for Failing {
    fn execute(&self, _: Command) -> BoxFuture<'_, Result<Reply, ExecuteError>> {
        match self.0.clone() {
            Some(error) => Box::pin(async move { Err(error) }),
            None => panic!("the secret of the vault is 42"),
        }
    }
}

/// A store that cannot be read.
struct Unreadable;

impl Store for Unreadable {
    fn get<'a>(&'a self, _: &'a [Key]) -> BoxFuture<'a, Result<Vec<Option<Record>>, ReadError>> {
        Box::pin(async { Err(ReadError::Unavailable(cause())) })
    }

    fn range<'a>(&'a self, _: &'a Range) -> BoxFuture<'a, Result<Vec<Found>, ReadError>> {
        Box::pin(async { Err(ReadError::Unavailable(cause())) })
    }

    fn commit<'a>(&'a self, _: &'a WriteSet) -> BoxFuture<'a, Result<(), CommitError>> {
        Box::pin(async { Err(CommitError::Unavailable(cause())) })
    }

    fn shards(&self) -> u16 {
        1
    }

    fn changes(
        &self,
        _: u16,
        _: u64,
        _: usize,
        _: u64,
    ) -> BoxFuture<'_, Result<Vec<Commit>, ReadError>> {
        Box::pin(async { Ok(Vec::new()) })
    }
}

/// A store that is well but for one record.
struct Damaged(Arc<dyn Store>);

impl Store for Damaged {
    fn get<'a>(&'a self, keys: &'a [Key]) -> BoxFuture<'a, Result<Vec<Option<Record>>, ReadError>> {
        self.0.get(keys)
    }

    fn range<'a>(&'a self, range: &'a Range) -> BoxFuture<'a, Result<Vec<Found>, ReadError>> {
        self.0.range(range)
    }

    fn commit<'a>(&'a self, writes: &'a WriteSet) -> BoxFuture<'a, Result<(), CommitError>> {
        self.0.commit(writes)
    }

    fn damaged(&self) -> Option<Arc<str>> {
        Some("segment 7 is damaged".into())
    }

    fn shards(&self) -> u16 {
        self.0.shards()
    }

    fn changes(
        &self,
        shard: u16,
        after: u64,
        limit: usize,
        wait_ms: u64,
    ) -> BoxFuture<'_, Result<Vec<Commit>, ReadError>> {
        self.0.changes(shard, after, limit, wait_ms)
    }
}

fn cause() -> Cause {
    Arc::new(std::io::Error::other("disk /dev/sda1 is on fire"))
}

#[tokio::test]
async fn failures_of_ours_are_problems_that_say_what_may_have_happened() {
    let mut world = World::new().await;
    let (a, b) = (world.account(100).await, world.account(0).await);
    let cases = [
        (Some(ExecuteError::Overloaded), 503, "overloaded"),
        (Some(ExecuteError::Unavailable(cause())), 503, "unavailable"),
        (Some(ExecuteError::Unknown(cause())), 503, "outcome_unknown"),
        (None, 500, "internal"),
    ];
    for (failure, status, code) in cases {
        let mut app = world.app.clone();
        app.bank = Arc::new(Failing(failure));
        world.router = router(Api::new(app));
        let answer = world.post("/v1/payments", internal(&a, &b, 1)).await;
        let text = String::from_utf8_lossy(&answer.bytes).into_owned();
        assert!(!text.contains("fire") && !text.contains("42\""), "{text}");
        assert!(!text.contains("secret"), "nothing of the inside: {text}");
        assert_eq!(answer.json()["retryable"], true);
        assert_eq!(answer.header("retry-after").is_some(), status == 503);
        answer.refused(status, code, None);
    }
}

#[tokio::test]
async fn a_store_that_cannot_be_read_is_not_a_wrong_key() {
    let mut world = World::new().await;
    let mut app = world.app.clone();
    app.store = Arc::new(Unreadable);
    world.router = router(Api::new(app));
    world
        .get("/v1/payments")
        .await
        .refused(503, "unavailable", None);
    world.get("/readyz").await.refused(503, "unavailable", None);
    world.get("/healthz").await.expect(200);
}

#[tokio::test(start_paused = true)]
async fn a_damaged_store_is_not_ready_and_says_so_on_lists_and_to_a_person() {
    let mut world = World::new().await;
    let page = world.get("/v1/payments").await;
    assert_eq!(page.header("lombard-warning"), None);
    let mut app = world.app.clone();
    app.store = Arc::new(Damaged(app.store));
    let (stop, stopped) = tokio::sync::watch::channel(false);
    soundness::run(app.clone(), app.store.clone(), "store", stopped).await;
    let raised = exceptions::list(&app, exceptions::operator(), None, 10).await;
    let raised = raised.expect("readable");
    assert_eq!(raised[0].1.kind, exceptions::Kind::StoreDamaged);
    drop(stop);
    world.router = router(Api::new(app));
    let page = world.get("/v1/payments").await;
    assert_eq!(page.header("lombard-warning"), Some("store_damaged"));
    let ready = world.get("/readyz").await;
    assert!(String::from_utf8_lossy(&ready.bytes).contains("segment 7"));
    ready.refused(503, "unavailable", None);
}
