//! Files beyond the checkpoint: whether a log was longer than what is signed now.
//!
//! The files of a batch are published before its checkpoint. A log that runs is therefore ahead of it for
//! a moment, and one that a crash ended may be ahead by one batch, which is staged still. Files of
//! more leaves than that stay behind when a checkpoint is replaced by an earlier one.

use std::{thread, time::Duration};

use bytes::Bytes;
use lombard_core::proof::{checkpoint, tile, tile::Resource, tile::WIDTH, tree::Head};

use super::{Report, Source};
use crate::proof::staged;

/// How often the checkpoint of a log that may be running is read again: longer than witnesses are given.
const LOOKS: u32 = 30;
/// How long between two looks.
const PAUSE: Duration = Duration::from_millis(100);

/// Looks into files of `longest` leaves beside a checkpoint of fewer.
pub(super) fn check(source: &dyn Source, head: &Head, longest: u64, report: &mut Report) {
    if longest <= head.size || comes(source, longest) {
        return;
    }
    let what = format!(
        "there are files of {longest} leaves, and the checkpoint speaks of {}",
        head.size
    );
    if is_staged(source, head, longest) {
        let what = format!("{what}; the rest is staged: start the service, or ask who cut it");
        report.unread("checkpoint", &what);
    } else {
        report.problem("truncated", "checkpoint", &what);
    }
}

/// Whether a checkpoint of so many leaves follows, as it does in a log that is growing.
pub(super) fn comes(source: &dyn Source, longest: u64) -> bool {
    (0..LOOKS).any(|look| {
        if look > 0 {
            thread::park_timeout(PAUSE);
        }
        let bytes = source.read("checkpoint").ok().flatten();
        let newest = bytes.and_then(|bytes| checkpoint::peek(&bytes).ok());
        newest.is_some_and(|(_, newest)| newest.size >= longest)
    })
}

/// Whether the batch that was staged last accounts for all that lies beyond the checkpoint.
fn is_staged(source: &dyn Source, head: &Head, longest: u64) -> bool {
    let names = source.list(staged::FOLDER.trim_end_matches('/'));
    let mut sizes: Vec<(u64, String)> = names
        .ok()
        .flatten()
        .into_iter()
        .flatten()
        .filter_map(|name| Some((staged::size(&name)?, name)))
        .collect();
    sizes.sort_unstable();
    let Some((size, name)) = sizes.pop() else {
        return false;
    };
    let before = sizes.last().map_or(0, |(size, _)| *size);
    let packed = source.read(&name).ok().flatten();
    let files = packed.and_then(|packed| staged::unpack(&Bytes::from(packed)));
    let bundles = files
        .iter()
        .flatten()
        .filter_map(|(path, _)| match tile::parse_path(path) {
            Some(Resource::Entries(bundle)) => Some(bundle.level_index()),
            _ => None,
        });
    // A batch begins within the first bundle that it writes.
    let begins = bundles.min().map(|bundle| bundle * WIDTH);
    size >= longest && head.size >= before && begins.is_some_and(|begins| head.size >= begins)
}
