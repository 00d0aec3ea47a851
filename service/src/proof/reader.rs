//! Proofs out of what is published.

use std::{io, sync::Arc};

use bytes::Bytes;
use lombard_core::{
    audit,
    id::{Id, Named},
    proof::{
        Hash,
        leaf::Leaf,
        tile::{self, Fetched, WIDTH},
        tree::{Head, ProveError, prove_consistency, prove_inclusion, root_at},
    },
    tenant::TenantId,
};
use tlog_tiles::Tile;

use super::{
    index::Span,
    log::{Log, Published},
};

/// Why there is no proof at the moment.
#[derive(Debug, thiserror::Error)]
pub enum ReadLogError {
    /// The log's files cannot be read.
    #[error("the log's files cannot be read")]
    Files(#[from] io::Error),
    /// A file that must be there is not, or is not what the checkpoint says.
    #[error("the log's files are damaged: {0}")]
    Damaged(String),
    /// No such leaf or size under the published checkpoint.
    #[error("not in the log yet")]
    NotYet,
}

/// A leaf and its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Placed {
    /// From 0.
    pub index: u64,
    /// The leaf's bytes.
    pub leaf: Bytes,
}

/// The times of the ids in a bundle; `None` for one without transactions.
#[must_use]
pub fn span_of(bundle: &[u8]) -> Option<Span> {
    let entries = tile::entries(bundle).unwrap_or_default();
    entries
        .iter()
        .fold(None, |span, entry| match Leaf::decode(entry) {
            Ok(Leaf::Transaction(leaf)) => Some(Span::including(span, leaf.id.made_at().unix_ms())),
            Ok(Leaf::Audit(leaf)) => {
                let id: Option<Id<audit::Audit>> = leaf.id.parse().ok();
                id.map(|id| Span::including(span, id.made_at().unix_ms()))
                    .or(span)
            }
            Err(_) => span,
        })
}

impl Log {
    /// Finds the leaf of a tenant's transaction, or of a deed on record, under a checkpoint. `None` while it is not there.
    ///
    /// # Errors
    /// See [`ReadLogError`].
    pub async fn find<T: Named>(
        &self,
        under: &Published,
        tenant: TenantId,
        id: Id<T>,
    ) -> Result<Option<Placed>, ReadLogError> {
        let (made_ms, text) = (id.made_at().unix_ms(), id.to_string());
        let bundles: Vec<u64> = self.spans.read().bundles(made_ms).collect();
        for n in bundles {
            let Some(width) = under.head.size.checked_sub(n * WIDTH).filter(|it| *it > 0) else {
                continue; // Grown since the checkpoint.
            };
            let bundle = self.bundle(n, width.min(WIDTH)).await?;
            let found = tile::entries(&bundle)
                .map_err(|error| ReadLogError::Damaged(error.to_string()))?
                .into_iter()
                .zip(n * WIDTH..under.head.size)
                .find(|(entry, _)| is_leaf_of(entry, tenant, &text));
            if let Some((entry, index)) = found {
                let leaf = bundle.slice_ref(entry);
                return Ok(Some(Placed { index, leaf }));
            }
        }
        Ok(None)
    }

    /// A bundle, at least `width` entries of it.
    async fn bundle(&self, n: u64, width: u64) -> Result<Bytes, ReadLogError> {
        for width in [width, WIDTH] {
            let path = tile::path(&tile::bundle(n, width));
            if let Some(bundle) = self.blobs.get(&path).await? {
                return Ok(bundle);
            }
        }
        Err(ReadLogError::Damaged(format!("bundle {n} is missing")))
    }

    /// The audit path of a leaf under a head that the log has or had.
    ///
    /// # Errors
    /// See [`ReadLogError`].
    pub async fn inclusion(&self, head: &Head, index: u64) -> Result<Vec<Hash>, ReadLogError> {
        self.prove(head, |tiles| prove_inclusion(head, index, tiles))
            .await
    }

    /// The proof that a head grew from the tree of `size` leaves.
    ///
    /// # Errors
    /// See [`ReadLogError`].
    pub async fn consistency(&self, head: &Head, size: u64) -> Result<Vec<Hash>, ReadLogError> {
        self.prove(head, |tiles| prove_consistency(head, size, tiles))
            .await
    }

    /// The head that the log had at an earlier size.
    ///
    /// # Errors
    /// See [`ReadLogError`].
    pub async fn head_at(&self, head: &Head, size: u64) -> Result<Head, ReadLogError> {
        let root = self.prove(head, |tiles| root_at(head, size, tiles)).await?;
        Ok(Head { size, root })
    }

    async fn prove<T>(
        &self,
        head: &Head,
        proof: impl Fn(&Fetched) -> Result<T, ProveError>,
    ) -> Result<T, ReadLogError> {
        let mut tiles = Fetched::default();
        loop {
            match proof(&tiles) {
                Ok(proof) => return Ok(proof),
                Err(ProveError::OutOfRange) => return Err(ReadLogError::NotYet),
                Err(ProveError::Inconsistent(why)) => return Err(ReadLogError::Damaged(why)),
                Err(ProveError::Missing(missing)) => {
                    for tile in missing {
                        let data = self.tile(head, &tile).await?;
                        tiles.put(tile, data.to_vec());
                    }
                }
            }
        }
    }

    /// A tile, or a wider one with the same beginning: of a head of an earlier time the narrower
    /// one may never have been published, or be superseded.
    async fn tile(&self, head: &Head, tile: &Tile) -> Result<Bytes, ReadLogError> {
        let wanted = tile.width() as usize * tlog_tiles::HASH_SIZE;
        let newest = self
            .swapped
            .borrow()
            .map_or(head.size, |newest| newest.size);
        for size in [head.size, newest] {
            let nodes = size >> (u32::from(tile::HEIGHT) * u32::from(tile.level()));
            let there = nodes.saturating_sub(tile.level_index() * WIDTH).min(WIDTH);
            for width in [u64::from(tile.width()), there, WIDTH] {
                if width == 0 {
                    continue;
                }
                let (level, index) = (tile.level(), tile.level_index());
                let wider = Tile::new(tile::HEIGHT, level, index, width as u32, false);
                match self.blobs.get(&tile::path(&wider)).await? {
                    Some(data) if data.len() >= wanted => return Ok(data.slice(..wanted)),
                    _ => {}
                }
            }
        }
        Err(ReadLogError::Damaged(format!(
            "{} is missing",
            tile::path(tile)
        )))
    }
}

/// Whether an entry is the leaf of what has this id. The text is looked at first: most are not.
fn is_leaf_of(entry: &[u8], tenant: TenantId, id: &str) -> bool {
    let named = entry.windows(id.len()).any(|part| part == id.as_bytes());
    named
        && match Leaf::decode(entry) {
            Ok(Leaf::Transaction(leaf)) => leaf.id.to_string() == id && leaf.tenant == tenant,
            Ok(Leaf::Audit(leaf)) => leaf.id == id && leaf.tenant == Some(tenant),
            Err(_) => false,
        }
}

/// The published checkpoint, or that there is none yet.
///
/// # Errors
/// [`ReadLogError::NotYet`].
pub fn published(log: &Log) -> Result<Arc<Published>, ReadLogError> {
    log.published().ok_or(ReadLogError::NotYet)
}
