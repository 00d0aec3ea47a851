//! Holds a side together by its own log: the checkpoint is signed, the tree has its root, every leaf
//! is a record and every such record a leaf, and the balances are what the leaves add up to. The
//! same is done on both sides, and must come to the same.

use std::{
    io,
    sync::{Arc, atomic::AtomicU64},
    thread,
};

use bytes::Bytes;
use lombard_core::{
    audit,
    proof::{checkpoint, key::Keys},
    store::{Body, Key, decode},
    tenant::TenantId,
};
use tokio::runtime::Handle;

use super::{Census, MigrateError, Moved, Progress, Side, Sum, is_of_the_store, people, read};
use crate::proof::{
    Blobs,
    head::{self, HeadRecord},
    log::CHECKPOINT,
    verify::{Demands, Report, Source, StoreView, Verdict, verify},
};

/// What a side was proved to be.
#[derive(Clone, Debug, PartialEq)]
pub struct Proven {
    /// Where the log is.
    pub head: HeadRecord,
    /// Its checkpoint, of the same size and root.
    pub checkpoint: Bytes,
    /// The ledger's records, without those of the store itself.
    pub records: Sum,
    /// The vault's, without how their keys are wrapped.
    pub vault: Sum,
    /// Where the consumers of the feed are.
    pub cursors: Vec<Moved>,
}

/// Proves a side whose head is in its store.
///
/// # Errors
/// [`MigrateError::NotProved`] when it cannot be.
pub async fn prove(side: &Side, progress: Progress<'_>) -> Result<Proven, MigrateError> {
    let found = read(side.store.as_ref(), head::key()).await?;
    let head = HeadRecord::of(found.as_ref(), side.store.shards());
    prove_at(side, head, progress).await
}

/// Proves a side whose head is `head`, whatever its store says of it.
///
/// # Errors
/// As [`prove`].
pub async fn prove_at(
    side: &Side,
    head: HeadRecord,
    progress: Progress<'_>,
) -> Result<Proven, MigrateError> {
    let checkpoint = published(side, &head).await?;
    let mut view = StoreView::unordered();
    view.head(head.clone());
    let (mut records, mut vault, mut cursors) = (Sum::default(), Sum::default(), Vec::new());
    each(side.records.as_ref(), |key, body| {
        if is_of_the_store(&key) {
            if key.partition().starts_with("cursor#") {
                cursors.push((key, body));
            }
        } else {
            records.add(&key, &body);
            show(&mut view, &key, body);
        }
        progress(records.count);
        Ok(())
    })
    .await?;
    each(side.vault_records.as_ref(), |key, body| {
        vault.add(&key, &people::without_wrapping(&key, body));
        progress(records.count + vault.count);
        Ok(())
    })
    .await?;
    let keys = Keys::new(side.log_keys.iter().cloned());
    let report = look(side.log.clone(), keys, view).await?;
    sound(&report)?;
    cursors.sort_by(|(one, _), (other, _)| one.cmp(other));
    Ok(Proven {
        head,
        checkpoint,
        records,
        vault,
        cursors,
    })
}

/// Goes through a census.
async fn each(
    census: &dyn Census,
    mut take: impl FnMut(Key, Body) -> Result<(), MigrateError>,
) -> Result<(), MigrateError> {
    let mut place: Option<String> = None;
    loop {
        let page = census.page(place.as_deref()).await?;
        for (key, body) in page.records {
            take(key, body)?;
        }
        match page.next {
            Some(next) => place = Some(next),
            None => return Ok(()),
        }
    }
}

/// The checkpoint, if it is of the head that the store has.
async fn published(side: &Side, head: &HeadRecord) -> Result<Bytes, MigrateError> {
    let bytes = side.log.get(CHECKPOINT).await;
    let bytes = bytes.map_err(MigrateError::files)?;
    let bytes =
        bytes.ok_or_else(|| MigrateError::NotProved("there is no checkpoint".to_owned()))?;
    let shown = checkpoint::peek(&bytes).ok().map(|(_, head)| head);
    if shown.is_none() || shown != head.head() {
        let what = "the checkpoint is not of the last entries; start the server once more";
        return Err(MigrateError::NotProved(what.to_owned()));
    }
    Ok(bytes)
}

fn show(view: &mut StoreView, key: &Key, body: Body) {
    let Some((tenant, _)) = key.partition().split_once('/') else {
        return;
    };
    let Ok(tenant) = tenant.parse::<TenantId>() else {
        return;
    };
    match key.sort() {
        "txn" => view.transaction(tenant, &decode(&body.bytes)),
        audit::SORT => view.audit(&decode(&body.bytes)),
        "balance" => view.balance(tenant, decode(&body.bytes)),
        _ => {}
    }
}

/// Verifies on a thread of its own, which may wait for files.
async fn look(log: Arc<dyn Blobs>, keys: Keys, view: StoreView) -> Result<Report, MigrateError> {
    let source = BlobsSource {
        blobs: log,
        runtime: Handle::current(),
    };
    let demands = Demands {
        keys,
        threads: thread::available_parallelism().map_or(2, usize::from),
        ..Demands::default()
    };
    let looked = tokio::task::spawn_blocking(move || {
        let mut view = Some(view);
        let mut store = |_: &mut Report| view.take();
        verify(&source, &demands, Some(&mut store), &AtomicU64::new(0))
    });
    let looked = looked.await;
    looked.map_err(|error| MigrateError::files(io::Error::other(error)))
}

fn sound(report: &Report) -> Result<(), MigrateError> {
    if report.verdict() == Verdict::Sound && report.pending == 0 {
        return Ok(());
    }
    let first = report.problems.iter().chain(&report.unread).next();
    Err(MigrateError::NotProved(match first {
        Some(problem) => format!("{} at {}: {}", problem.kind, problem.place, problem.what),
        None => format!("{} entries are not in the log", report.pending),
    }))
}

/// The files of a log behind their port, read from threads.
struct BlobsSource {
    blobs: Arc<dyn Blobs>,
    runtime: Handle,
}

impl Source for BlobsSource {
    fn read(&self, name: &str) -> io::Result<Option<Vec<u8>>> {
        let read = self.runtime.block_on(self.blobs.get(name))?;
        Ok(read.map(Vec::from))
    }
}
