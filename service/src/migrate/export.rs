//! Out: a side that is proved and quiet becomes a file.
//!
//! First the log's files; then the records that are leaves of it, in the order of the log, because a
//! store whose log can be made again from its feed must have taken them in that order; then all
//! others. The vault's records last, their data keys wrapped for the journey.

use std::path::Path;

use lombard_core::{
    id::Id,
    plan::keys as places,
    proof::{
        leaf::Leaf,
        tile::{self, HEIGHT, WIDTH},
    },
    store::Key,
    tenant::TenantId,
};
use serde::Serialize;
use tlog_tiles::Tile;

use super::{
    ExportKey, MigrateError, Moved, Progress, Side,
    file::Writer,
    frame::{Frame, Manifest, Next, Part, Row, Said},
    is_leaf, is_of_the_store, people,
    prove::prove,
    quiet::quiet,
    state::{self, State},
};
use crate::proof::{index, log::CHECKPOINT};

/// Bytes of the log's files in one frame, about.
const FILES_BYTES: usize = 4 * 1024 * 1024;
/// To whom the probe of the vault's keys is bound.
pub(super) const PROBE: &str = "export";

/// What was moved.
#[derive(Clone, Debug, Serialize)]
pub struct Told {
    /// The export's id.
    pub export: String,
    /// Records of the ledger.
    pub records: u64,
    /// Records of the vault.
    pub vault_records: u64,
    /// Leaves of the log.
    pub size: u64,
    /// The log's root, in base64.
    pub root: String,
}

impl Told {
    pub(super) fn of(export: &str, manifest: &Manifest) -> Self {
        Self {
            export: export.to_owned(),
            records: manifest.records.count,
            vault_records: manifest.vault.count,
            size: manifest.head.size,
            root: manifest.head.root.clone(),
        }
    }
}

/// Exports a side into a file, or goes on with the export that is in it. With `retire` no server
/// starts on the side any more once the file is whole.
///
/// # Errors
/// See [`MigrateError`].
pub async fn export(
    side: &Side,
    path: &Path,
    key: &ExportKey,
    id: impl FnOnce() -> String,
    retire: bool,
    progress: Progress<'_>,
) -> Result<Told, MigrateError> {
    let (state, found) = state::load(side.store.as_ref()).await?;
    if let Some(State::Importing { .. }) = state {
        let what = "an import into this store is not finished".to_owned();
        return Err(MigrateError::Unfit(what));
    }
    let proven = prove(side, progress).await?;
    let ends = quiet(side, &proven).await?;
    let (mut writer, begun) = Writer::open(path, key, id)?;
    let (manifest, mut next) = match begun {
        Some((first, last)) => {
            let Part::Begin(manifest) = first.part else {
                return Err(MigrateError::Unfinished);
            };
            (*manifest, last.then)
        }
        None => {
            let probe = side.vault.seal(probe_tenant(), PROBE, writer.id.as_bytes());
            let unsealed = |_| MigrateError::OtherKeys("the vault's key file (vault.keys)");
            let cursors = proven.cursors.iter().map(|(key, body)| Row::of(key, body));
            let manifest = Manifest {
                head: proven.head.clone(),
                checkpoint: Said::of(&proven.checkpoint),
                records: proven.records,
                vault: proven.vault,
                cursors: cursors.collect(),
                ends: ends.clone(),
                blind: side.vault.blind(PROBE, &writer.id),
                sealed: probe.map_err(unsealed)?,
            };
            let part = Part::Begin(Box::new(manifest.clone()));
            let then = Next::Files(0);
            writer.add(
                &Frame {
                    part,
                    then: then.clone(),
                },
                key,
            )?;
            (manifest, then)
        }
    };
    if (manifest.records, manifest.vault, &manifest.head)
        != (proven.records, proven.vault, &proven.head)
    {
        return Err(MigrateError::Changed);
    }
    let pages = Pages {
        side,
        key,
        files: files_of(manifest.head.size),
        size: manifest.head.size,
    };
    let mut written = 0;
    while next != Next::Nothing {
        let frame = pages.frame(&next).await?;
        writer.add(&frame, key)?;
        if let Part::Records(rows) | Part::Vault(rows) = &frame.part {
            written += rows.len() as u64;
        }
        progress(written);
        next = frame.then;
    }
    // Nobody may have served on it meanwhile: what it says now is what was written.
    if quiet(side, &proven).await? != ends {
        return Err(MigrateError::Changed);
    }
    if retire && !matches!(state, Some(State::Retired { .. })) {
        let export = writer.id.clone();
        state::save(side.store.as_ref(), found, &State::Retired { export }).await?;
    }
    Ok(Told::of(&writer.id, &manifest))
}

/// A tenant that nobody is, to whom the probe is bound.
pub(super) fn probe_tenant() -> TenantId {
    crate::exceptions::operator()
}

/// The files of a log of `size` leaves that nothing supersedes.
fn files_of(size: u64) -> Vec<String> {
    let mut files = Vec::new();
    let (mut level, mut nodes) = (0, size);
    while nodes > 0 {
        for index in 0..nodes.div_ceil(WIDTH) {
            let width = WIDTH.min(nodes - index * WIDTH) as u32;
            files.push(tile::path(&Tile::new(HEIGHT, level, index, width, false)));
        }
        (level, nodes) = (level + 1, nodes / WIDTH);
    }
    let bundles = size.div_ceil(WIDTH);
    files.extend((0..bundles).map(|bundle| bundle_path(bundle, size)));
    files.extend((0..bundles.div_ceil(WIDTH) as usize).map(index::name));
    // The last, so that a log that shows itself is whole.
    files.push(CHECKPOINT.to_owned());
    files
}

fn bundle_path(bundle: u64, size: u64) -> String {
    tile::path(&tile::bundle(bundle, WIDTH.min(size - bundle * WIDTH)))
}

/// Makes frames.
struct Pages<'a> {
    side: &'a Side,
    key: &'a ExportKey,
    files: Vec<String>,
    size: u64,
}

impl Pages<'_> {
    async fn frame(&self, next: &Next) -> Result<Frame, MigrateError> {
        let (part, then) = match next {
            Next::Files(from) => self.files_from(*from).await?,
            Next::Leaves(bundle) => self.leaves(*bundle).await?,
            Next::Records(after) => {
                let page = self.side.records.page(after.as_deref()).await?;
                let others = |(key, _): &&Moved| !is_leaf(key) && !is_of_the_store(key);
                let rows = page.records.iter().filter(others);
                let rows = rows.map(|(key, body)| Row::of(key, body)).collect();
                let then = match page.next {
                    Some(place) => Next::Records(Some(place)),
                    None => Next::Vault(None),
                };
                (Part::Records(rows), then)
            }
            Next::Vault(after) => self.vault(after.as_deref()).await?,
            Next::End | Next::Nothing => (Part::End, Next::Nothing),
        };
        Ok(Frame { part, then })
    }

    async fn files_from(&self, from: usize) -> Result<(Part, Next), MigrateError> {
        let (mut files, mut bytes, mut at) = (Vec::new(), 0, from);
        while at < self.files.len() && bytes < FILES_BYTES {
            let name = &self.files[at];
            let found = self.side.log.get(name).await;
            match found.map_err(MigrateError::files)? {
                Some(found) => {
                    bytes += found.len();
                    files.push((name.clone(), Said::of(&found)));
                }
                // The index of the log can be made again, and is.
                None if name.starts_with("index/") => {}
                None => return Err(MigrateError::NotProved(format!("{name} is missing"))),
            }
            at += 1;
        }
        let then = if at < self.files.len() {
            Next::Files(at)
        } else {
            Next::Leaves(0)
        };
        Ok((Part::Files(files), then))
    }

    /// The records of which the leaves of a bundle speak, in their order.
    async fn leaves(&self, bundle: u64) -> Result<(Part, Next), MigrateError> {
        let name = bundle_path(bundle, self.size);
        let found = self.side.log.get(&name).await;
        let missing = || MigrateError::NotProved(format!("{name} is missing or damaged"));
        let bytes = found.map_err(MigrateError::files)?.ok_or_else(missing)?;
        let entries = tile::entries(&bytes).map_err(|_| missing())?;
        let keys: Option<Vec<Key>> = entries.iter().map(|entry| key_of(entry)).collect();
        let keys = keys.ok_or_else(missing)?;
        let mut rows = Vec::new();
        for keys in keys.chunks(100) {
            let found = self.side.store.get(keys).await?;
            for (key, record) in keys.iter().zip(found) {
                let record = record.ok_or_else(missing)?;
                rows.push(Row::of(key, &record.body));
            }
        }
        let then = if (bundle + 1) * WIDTH < self.size {
            Next::Leaves(bundle + 1)
        } else {
            Next::Records(None)
        };
        Ok((Part::Records(rows), then))
    }

    async fn vault(&self, after: Option<&str>) -> Result<(Part, Next), MigrateError> {
        let page = self.side.vault_records.page(after).await?;
        let mut rows = Vec::new();
        for (key, body) in page.records {
            let keys = self.side.keys.as_ref();
            let body = people::outgoing(&key, body, keys, self.key).await?;
            rows.push(Row::of(&key, &body));
        }
        let then = match page.next {
            Some(place) => Next::Vault(Some(place)),
            None => Next::End,
        };
        Ok((Part::Vault(rows), then))
    }
}

/// The record that a leaf speaks of.
fn key_of(entry: &[u8]) -> Option<Key> {
    match Leaf::decode(entry).ok()? {
        Leaf::Transaction(leaf) => Some(places::transaction(leaf.tenant, leaf.id)),
        Leaf::Audit(leaf) => {
            let id: Id<lombard_core::audit::Audit> = leaf.id.parse().ok()?;
            // One that concerns the whole installation is kept under the operator.
            let tenant = leaf.tenant.unwrap_or_else(crate::exceptions::operator);
            Some(lombard_core::audit::key(tenant, id))
        }
    }
}
