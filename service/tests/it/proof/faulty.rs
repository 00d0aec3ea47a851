//! A store and files that fail once, at a chosen call, in one of two ways.

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
};

use bytes::Bytes;
use futures_util::{FutureExt, future::BoxFuture};
use lombard_core::store::{Commit, Key, Record, WriteSet};
use lombard_service::{
    ports::{CommitError, Found, Range, ReadError, Store},
    proof::Blobs,
};

/// How the call fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flavour {
    /// It was not carried out.
    Failed,
    /// It was carried out, and the answer was lost.
    FailedButDone,
}

/// Counts calls down to the one that fails. Negative: it has failed, or never will.
pub struct Fault {
    left: AtomicI64,
    flavour: Flavour,
}

impl Fault {
    pub fn at(call: i64, flavour: Flavour) -> Arc<Self> {
        let left = AtomicI64::new(call);
        Arc::new(Self { left, flavour })
    }

    pub fn happened(&self) -> bool {
        self.left.load(Ordering::SeqCst) < 0
    }

    fn strikes(&self) -> bool {
        self.left.fetch_sub(1, Ordering::SeqCst) == 0
    }
}

pub struct FaultyBlobs {
    pub inner: Arc<dyn Blobs>,
    pub fault: Arc<Fault>,
}

impl FaultyBlobs {
    fn call<'a, T: Send + 'a>(
        &'a self,
        call: BoxFuture<'a, io::Result<T>>,
    ) -> BoxFuture<'a, io::Result<T>> {
        async move {
            if !self.fault.strikes() {
                return call.await;
            }
            if self.fault.flavour == Flavour::FailedButDone {
                call.await?;
            }
            Err(io::Error::other("a fault"))
        }
        .boxed()
    }
}

impl Blobs for FaultyBlobs {
    fn put(&self, name: &str, bytes: Bytes) -> BoxFuture<'_, io::Result<()>> {
        self.call(self.inner.put(name, bytes))
    }

    fn put_durable(&self, name: &str, bytes: Bytes) -> BoxFuture<'_, io::Result<()>> {
        self.call(self.inner.put_durable(name, bytes))
    }

    fn get(&self, name: &str) -> BoxFuture<'_, io::Result<Option<Bytes>>> {
        self.call(self.inner.get(name))
    }

    fn sync(&self) -> BoxFuture<'_, io::Result<()>> {
        self.call(self.inner.sync())
    }

    fn remove(&self, name: &str) -> BoxFuture<'_, io::Result<()>> {
        self.call(self.inner.remove(name))
    }
}

pub struct FaultyStore {
    pub inner: Arc<dyn Store>,
    pub fault: Arc<Fault>,
}

fn cause() -> lombard_service::ports::Cause {
    Arc::new(io::Error::other("a fault"))
}

impl Store for FaultyStore {
    fn get<'a>(&'a self, keys: &'a [Key]) -> BoxFuture<'a, Result<Vec<Option<Record>>, ReadError>> {
        if self.fault.strikes() {
            return async { Err(ReadError::Unavailable(cause())) }.boxed();
        }
        self.inner.get(keys)
    }

    fn range<'a>(&'a self, range: &'a Range) -> BoxFuture<'a, Result<Vec<Found>, ReadError>> {
        self.inner.range(range)
    }

    fn commit<'a>(&'a self, writes: &'a WriteSet) -> BoxFuture<'a, Result<(), CommitError>> {
        async move {
            if !self.fault.strikes() {
                return self.inner.commit(writes).await;
            }
            match self.fault.flavour {
                Flavour::Failed => Err(CommitError::Unavailable(cause())),
                Flavour::FailedButDone => {
                    self.inner.commit(writes).await?;
                    Err(CommitError::Unknown(cause()))
                }
            }
        }
        .boxed()
    }

    fn shards(&self) -> u16 {
        self.inner.shards()
    }

    fn changes(
        &self,
        shard: u16,
        after: u64,
        limit: usize,
        wait_ms: u64,
    ) -> BoxFuture<'_, Result<Vec<Commit>, ReadError>> {
        if self.fault.strikes() {
            return async { Err(ReadError::Unavailable(cause())) }.boxed();
        }
        self.inner.changes(shard, after, limit, wait_ms)
    }
}
