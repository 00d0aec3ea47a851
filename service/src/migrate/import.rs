//! In: a file becomes an installation.
//!
//! The file is gone through twice: once to see that it is whole and genuine, once to write. Each record
//! is created in a commit of its own, many under way at once, in the order of the file. A record
//! that is there already is one that an earlier try wrote, or the target was not empty.
//!
//! Then the feed of the target is read until it has told every record, the target is proved like the
//! source was, and one last commit makes it an installation: the log's head, and the consumers' places
//! behind everything that was imported, so that nothing is done a second time.

use std::{path::Path, time::Duration};

use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt, stream};
use lombard_core::{
    proof::{checkpoint, key::Keys},
    store::{Body, Key, Record, Snapshot, Write, WriteSet},
};
use tokio::time::Instant;

use super::{
    Census, ExportKey, MigrateError, Moved, Progress, Side,
    export::{PROBE, Told, probe_tenant},
    file::Reader,
    frame::{Manifest, Part, Row},
    people, prove,
    quiet::moved_to,
    read,
    state::{self, State},
};
use crate::{
    ports::{CommitError, Store},
    proof::{
        head::{self, HeadRecord},
        log::CHECKPOINT,
    },
};

/// Records that are written at once.
const AT_ONCE: usize = 64;
/// Tries of a commit that the store did not take, or did not answer.
const TRIES: u32 = 8;
/// The pause after the first, doubled each time.
const PAUSE: Duration = Duration::from_millis(100);
/// Changes that are read of the feed at once.
const PAGE: usize = 1_000;
/// How long the feed may tell nothing before it is given up.
const SILENCE: Duration = Duration::from_secs(120);

/// Imports an export into a side that is empty, or goes on with the import that was begun there.
///
/// # Errors
/// See [`MigrateError`].
pub async fn import(
    side: &Side,
    path: &Path,
    key: &ExportKey,
    progress: Progress<'_>,
) -> Result<Told, MigrateError> {
    let (id, manifest) = look_through(path, key)?;
    fits(side, &id, &manifest)?;
    let told = Told::of(&id, &manifest);
    let Some((done, found)) = begin(side, &id).await? else {
        return Ok(told); // It was imported before.
    };
    write(side, path, key, (done, found), progress).await?;
    let ends = heard(side, manifest.records.count).await?;
    let proven = prove::prove_at(side, manifest.head.clone(), progress).await?;
    if (proven.records, proven.vault) != (manifest.records, manifest.vault) {
        let what = format!(
            "{:?} and {:?} instead of {:?} and {:?}",
            proven.records, proven.vault, manifest.records, manifest.vault
        );
        return Err(MigrateError::Differs(what));
    }
    activate(side, &id, &manifest, ends).await?;
    Ok(told)
}

/// Reads the file to its end; what it comes to.
fn look_through(path: &Path, key: &ExportKey) -> Result<(String, Manifest), MigrateError> {
    let mut reader = Reader::open(path)?;
    let mut manifest = None;
    let mut ended = false;
    while let Some(frame) = reader.next(key)? {
        if ended {
            return Err(MigrateError::NotGenuine(reader.number() + 1));
        }
        match frame.part {
            Part::Begin(found) => manifest = Some(*found),
            Part::End => ended = true,
            _ => {}
        }
    }
    match manifest.filter(|_| ended) {
        Some(manifest) => Ok((reader.id, manifest)),
        None => Err(MigrateError::Unfinished),
    }
}

/// Whether the keys beside the target are those of the source, and the target is made like it.
fn fits(side: &Side, id: &str, manifest: &Manifest) -> Result<(), MigrateError> {
    let vault = side.vault.as_ref();
    let opened = vault.open(probe_tenant(), PROBE, &manifest.sealed);
    if vault.blind(PROBE, id) != manifest.blind || opened.ok().as_deref() != Some(id.as_bytes()) {
        return Err(MigrateError::OtherKeys("the vault's key file (vault.keys)"));
    }
    let keys = Keys::new(side.log_keys.iter().cloned());
    let signed = manifest.checkpoint.bytes().unwrap_or_default();
    if checkpoint::open(&signed, &keys).is_err() {
        return Err(MigrateError::OtherKeys("the log's key (tlog.key)"));
    }
    if manifest.ends.len() != usize::from(side.store.shards()) {
        let what = "the feed of the target has another number of shards";
        return Err(MigrateError::Unfit(what.to_owned()));
    }
    Ok(())
}

/// Makes the target one of this export. Gives up to which frame everything is there, and the record
/// that says so; nothing when all of it is.
async fn begin(side: &Side, id: &str) -> Result<Option<(u64, Option<Record>)>, MigrateError> {
    let (state, found) = state::load(side.store.as_ref()).await?;
    match state {
        None => {}
        Some(State::Imported { export }) if export == id => return Ok(None),
        Some(State::Importing { export, frame }) if export == id => {
            return Ok(Some((frame, found)));
        }
        Some(_) => {
            let what = "it belongs to another export".to_owned();
            return Err(MigrateError::NotEmpty(what));
        }
    }
    for (census, what) in [
        (&side.records, "there are records"),
        (&side.vault_records, "there are records of a vault"),
    ] {
        if has_any(census.as_ref()).await? {
            return Err(MigrateError::NotEmpty(what.to_owned()));
        }
    }
    let shown = side.log.get(CHECKPOINT).await;
    if shown.map_err(MigrateError::files)?.is_some() {
        let what = "there is a log".to_owned();
        return Err(MigrateError::NotEmpty(what));
    }
    let found = note(side, None, id, 0).await?;
    Ok(Some((0, found)))
}

async fn has_any(census: &dyn Census) -> Result<bool, MigrateError> {
    let mut place: Option<String> = None;
    loop {
        let page = census.page(place.as_deref()).await?;
        place = page.next;
        if !page.records.is_empty() || place.is_none() {
            return Ok(!page.records.is_empty());
        }
    }
}

/// Notes up to which frame everything is there; gives the record that says so.
async fn note(
    side: &Side,
    found: Option<Record>,
    id: &str,
    frame: u64,
) -> Result<Option<Record>, MigrateError> {
    let export = id.to_owned();
    let state = State::Importing { export, frame };
    match state::save(side.store.as_ref(), found, &state).await {
        // Whose answer was lost is read anew: it is this one or the one before, and both are true.
        Ok(()) | Err(CommitError::Unknown(_)) => {}
        Err(error) => return Err(error.into()),
    }
    Ok(state::load(side.store.as_ref()).await?.1)
}

/// Writes what the file has after a frame.
async fn write(
    side: &Side,
    path: &Path,
    key: &ExportKey,
    (done, mut found): (u64, Option<Record>),
    progress: Progress<'_>,
) -> Result<(), MigrateError> {
    let mut reader = Reader::open(path)?;
    let mut written = 0;
    while let Some(frame) = reader.next(key)? {
        let number = reader.number();
        if let Part::Records(rows) | Part::Vault(rows) = &frame.part {
            written += rows.len() as u64;
            progress(written);
        }
        if number <= done {
            continue;
        }
        match &frame.part {
            Part::Begin(_) | Part::End => {}
            Part::Files(files) => {
                for (name, said) in files {
                    let bytes = said.bytes().ok_or(MigrateError::NotGenuine(number + 1))?;
                    let put = side.log.put(name, Bytes::from(bytes)).await;
                    put.map_err(MigrateError::files)?;
                }
            }
            Part::Records(rows) => {
                put_all(side.store.as_ref(), records(rows, number)?).await?;
            }
            Part::Vault(rows) => {
                let mut wrapped = Vec::with_capacity(rows.len());
                for (at, body) in records(rows, number)? {
                    let body = people::incoming(&at, body, side.keys.as_ref(), key).await?;
                    wrapped.push((at, body));
                }
                put_all(side.vault_store.as_ref(), wrapped).await?;
            }
        }
        // Files survive a crash once they are synced, and a frame of them is not noted before.
        side.log.sync().await.map_err(MigrateError::files)?;
        found = note(side, found, &reader.id, number).await?;
    }
    Ok(())
}

fn records(rows: &[Row], number: u64) -> Result<Vec<Moved>, MigrateError> {
    let records: Option<_> = rows.iter().map(Row::record).collect();
    records.ok_or(MigrateError::NotGenuine(number + 1))
}

async fn put_all(store: &dyn Store, records: Vec<Moved>) -> Result<(), MigrateError> {
    let puts = stream::iter(records).map(|(key, body)| put(store, key, body));
    puts.buffered(AT_ONCE).try_collect::<()>().await
}

/// Creates a record, unless an earlier try did.
async fn put(store: &dyn Store, key: Key, body: Body) -> Result<(), MigrateError> {
    let writes = WriteSet::of([(key.clone(), Write::Create(body.clone()))]);
    let mut tries = 0;
    loop {
        let failed = match store.commit(&writes).await {
            Ok(()) => return Ok(()),
            Err(CommitError::Conflict(_)) => {
                let there = read(store, key.clone()).await?;
                let same = |there: Record| {
                    people::without_wrapping(&key, there.body)
                        == people::without_wrapping(&key, body.clone())
                };
                return match there.is_some_and(same) {
                    true => Ok(()),
                    false => Err(MigrateError::NotEmpty(format!("{key:?} is there already"))),
                };
            }
            Err(error @ (CommitError::Unavailable(_) | CommitError::Unknown(_))) => error,
            Err(error) => return Err(error.into()),
        };
        tries += 1;
        if tries == TRIES {
            return Err(failed.into());
        }
        tokio::time::sleep(PAUSE * (1 << tries)).await;
    }
}

/// Reads the feed until it has told every record; the position of each shard at which it had.
async fn heard(side: &Side, count: u64) -> Result<Vec<u64>, MigrateError> {
    let mut ends = vec![0; usize::from(side.store.shards())];
    let (mut told, mut since) = (0, Instant::now());
    while told < count {
        let before = told;
        for (shard, end) in (0..).zip(&mut ends) {
            for commit in side.store.changes(shard, *end, PAGE, 500).await? {
                let ours = commit.changes.iter().filter(|it| it.key != state::key());
                told += ours.count() as u64;
                *end = commit.position;
            }
        }
        if told > before {
            since = Instant::now();
        } else if since.elapsed() > SILENCE {
            let what = format!("its feed has told {told} of {count} records");
            return Err(MigrateError::Differs(what));
        }
    }
    if told > count {
        let what = format!("its feed tells of {told} records, and there are {count}");
        return Err(MigrateError::Differs(what));
    }
    Ok(ends)
}

/// The commit that makes an installation of what was imported.
async fn activate(
    side: &Side,
    id: &str,
    manifest: &Manifest,
    ends: Vec<u64>,
) -> Result<(), MigrateError> {
    let (_, found) = state::load(side.store.as_ref()).await?;
    let mut snapshot = Snapshot::default();
    snapshot.put(state::key(), found);
    let mut writes = snapshot.checks();
    let export = id.to_owned();
    writes.put(&state::key(), Body::of(&State::Imported { export }));
    for (key, body) in records(&manifest.cursors, 0)? {
        let shard = { key.partition() }.rsplit_once('#');
        let shard = shard.and_then(|(_, shard)| shard.parse::<usize>().ok());
        let end = shard.and_then(|shard| ends.get(shard)).copied();
        let end = end.ok_or_else(|| MigrateError::Unfit(format!("{key:?} is of no shard")))?;
        let body = Body::of(&moved_to(&key, &body.bytes, end)?);
        writes.create(key, body);
    }
    let head = HeadRecord {
        reached: ends,
        staged: Vec::new(),
        ..manifest.head.clone()
    };
    writes.create(head::key(), Body::of(&head));
    match side.store.commit(&writes).await {
        Ok(()) => Ok(()),
        Err(error) => match state::load(side.store.as_ref()).await?.0 {
            Some(State::Imported { export }) if export == id => Ok(()),
            _ => Err(error.into()),
        },
    }
}
