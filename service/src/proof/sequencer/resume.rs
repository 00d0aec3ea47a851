//! How a sequencer begins: from the store, whatever happened before.

use std::collections::VecDeque;

use lombard_core::proof::{
    checkpoint,
    tile::{self, Fetched, WIDTH},
    tree::{Edge, Head},
};
use tlog_tiles::record_hash;
use tracing::info;

use super::{READ_CHANGES, SequenceError, Sequencer, State};
use crate::proof::{
    growth::{Growth, NewLeaf, leaves_of},
    head::{self, HeadRecord},
    index::{self, Span, Spans},
    log::CHECKPOINT,
    reader::span_of,
    staged,
};

impl Sequencer {
    /// Begins from the store: publishes again what may not have been, and checks that the edge of
    /// the tree is the one that the head speaks of.
    pub(super) async fn resume(&self) -> Result<State, SequenceError> {
        let shards = self.store.shards();
        let found = self.store.get(&[head::key()]).await?.pop().flatten();
        let mut record = HeadRecord::of(found.as_ref(), shards);
        let head = record
            .head()
            .ok_or(SequenceError::Damaged("the head has no root"))?;
        record.reached.resize(usize::from(shards), 0);
        self.republish(&record).await?;
        record.staged.clear();
        self.compare_published(&head, &record).await?;
        let growth = self.restore(&head).await?;
        info!(size = head.size, "the log goes on");
        self.log.swapped.send_replace(Some(head));
        Ok(State {
            found,
            reached: record.reached.clone(),
            record,
            growth,
            superseded: VecDeque::new(),
            settling: None,
        })
    }

    /// Compares with what the world was shown. A log that is ahead of the store means that the
    /// store was put back to an earlier time: going on would show a second history. A log that is
    /// not there at all is made again from the feed.
    async fn compare_published(
        &self,
        head: &Head,
        record: &HeadRecord,
    ) -> Result<(), SequenceError> {
        let Some(bytes) = self.log.blobs.get(CHECKPOINT).await? else {
            let lowest = Edge::tiles_of(head.size).into_iter().next();
            let there = match lowest {
                Some(tile) => self.log.blobs.get(&tile::path(&tile)).await?.is_some(),
                None => true,
            };
            return if there {
                Ok(())
            } else {
                self.rebuild(head, record).await
            };
        };
        match checkpoint::peek(&bytes) {
            Ok((_, shown)) if shown.size > head.size => Err(SequenceError::Damaged(
                "it is ahead of the store, as after a restore",
            )),
            Ok((_, shown)) if shown.size == head.size && shown != *head => Err(
                SequenceError::Damaged("its checkpoint has another root than the store"),
            ),
            // One that was torn by a crash is published anew in a moment.
            _ => Ok(()),
        }
    }

    /// Makes the files again from the whole feed. They are written only when they lead to the
    /// head that the store has, and then they are the same files.
    async fn rebuild(&self, head: &Head, record: &HeadRecord) -> Result<(), SequenceError> {
        info!(
            size = head.size,
            "making the log's files again from the feed"
        );
        for write in [false, true] {
            let mut growth = Growth::default();
            for (shard, reached) in (0..).zip(&record.reached) {
                let mut after = 0;
                while after < *reached {
                    let commits = self.store.changes(shard, after, READ_CHANGES, 0).await?;
                    let Some(last) = commits.last().map(|commit| commit.position) else {
                        break;
                    };
                    let within = commits.iter().filter(|commit| commit.position <= *reached);
                    let leaves: Vec<NewLeaf> = within.flat_map(leaves_of).collect();
                    after = last;
                    if leaves.is_empty() {
                        continue;
                    }
                    let batch = growth.add(&leaves);
                    if write {
                        self.publish(&batch.files).await?;
                    }
                    growth = batch.growth;
                }
            }
            if growth.edge.head() != *head {
                return Err(SequenceError::Damaged(
                    "it is not there, and the feed does not lead to the same",
                ));
            }
        }
        self.log.blobs.sync().await?;
        Ok(())
    }

    async fn republish(&self, record: &HeadRecord) -> Result<(), SequenceError> {
        if lombard_core::planted!(StagedForgotten) {
            return Ok(());
        }
        let blobs = &self.log.blobs;
        let mut again = Vec::new();
        for name in &record.staged {
            // One that is not there was dropped because its files are durable.
            if let Some(packed) = blobs.get(name).await? {
                let files = staged::unpack(&packed).ok_or(SequenceError::Damaged(
                    "a staged batch is not what was written",
                ))?;
                self.publish(&files).await?;
                again.push(name);
            }
        }
        if again.is_empty() {
            return Ok(());
        }
        blobs.sync().await?;
        for name in again {
            blobs.remove(name).await?;
        }
        Ok(())
    }

    async fn restore(&self, head: &Head) -> Result<Growth, SequenceError> {
        let blobs = &self.log.blobs;
        let mut tiles = Fetched::default();
        for tile in Edge::tiles_of(head.size) {
            if let Some(data) = blobs.get(&tile::path(&tile)).await? {
                tiles.put(tile, data.to_vec());
            }
        }
        let edge = Edge::restore(head.size, &tiles)
            .map_err(|_| SequenceError::Damaged("a tile at the edge is missing or cut"))?;
        if edge.head() != *head {
            return Err(SequenceError::Damaged(
                "the tiles at the edge have another root",
            ));
        }
        let bundle = self.restore_bundle(&edge).await?;
        let spans = self.restore_spans(head.size).await?;
        let span = spans.last().filter(|_| !bundle.is_empty());
        *self.log.spans.write() = spans;
        Ok(Growth { edge, bundle, span })
    }

    /// The entries that are in no full bundle yet, checked against their hashes.
    async fn restore_bundle(&self, edge: &Edge) -> Result<Vec<u8>, SequenceError> {
        let (last, width) = (edge.size() / WIDTH, edge.size() % WIDTH);
        if width == 0 {
            return Ok(Vec::new());
        }
        let damaged = SequenceError::Damaged("the last entries are missing or are others");
        let path = tile::path(&tile::bundle(last, width));
        let Some(bundle) = self.log.blobs.get(&path).await? else {
            return Err(damaged);
        };
        let hashes: Vec<u8> = match tile::entries(&bundle) {
            Ok(entries) => entries
                .iter()
                .flat_map(|entry| record_hash(entry).0)
                .collect(),
            Err(_) => return Err(damaged),
        };
        match edge.tiles().next() {
            Some((tile, data)) if tile.level() == 0 && data == hashes => Ok(bundle.to_vec()),
            _ => Err(damaged),
        }
    }

    /// The spans as they were kept, or made again from the bundles.
    async fn restore_spans(&self, size: u64) -> Result<Spans, SequenceError> {
        let bundles = size.div_ceil(WIDTH);
        let mut spans = Spans::default();
        for n in 0..bundles.div_ceil(WIDTH) as usize {
            let found = self.log.blobs.get(&index::name(n)).await?;
            if !found.is_some_and(|bytes| spans.load(&bytes)) {
                break;
            }
        }
        if spans.len() as u64 == bundles {
            return Ok(spans);
        }
        info!(bundles, "making the index of the log again");
        let mut made: Vec<Span> = Vec::new();
        for n in 0..bundles {
            let width = WIDTH.min(size - n * WIDTH);
            let path = tile::path(&tile::bundle(n, width));
            let found = self.log.blobs.get(&path).await?;
            let bundle = found.ok_or(SequenceError::Damaged("a bundle is missing"))?;
            made.extend(span_of(&bundle));
        }
        let mut spans = Spans::default();
        spans.extend(0, &made);
        for (name, bytes) in Spans::default().files_after(0, &made) {
            self.log.blobs.put(&name, bytes).await?;
        }
        Ok(spans)
    }
}
