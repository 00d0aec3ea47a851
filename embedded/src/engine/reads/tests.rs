//! Ranges over the three layers, each with what hides something of the others.

use std::sync::{Arc, atomic::AtomicU64};

use lombard_core::store::{Body, Change, Key, Record, Version};
use lombard_service::ports::Range;
use parking_lot::{Condvar, Mutex, RwLock};
use tokio::sync::watch;

use super::super::{
    feed::Recent,
    shared::{Published, Shared},
};
use crate::{
    codec::Stored,
    disk::Folder,
    filter::Filter,
    index::Index,
    log,
    memtable::{Memtable, Place},
};

/// A memtable in which the records of the first range are, and those of the second are no more.
fn memtable(there: std::ops::Range<u32>, gone: std::ops::Range<u32>) -> Memtable {
    let mut memtable = Memtable::default();
    let changes = there.map(|n| (n, true)).chain(gone.map(|n| (n, false)));
    for (n, present) in changes {
        let at = Key::new("listed", &format!("{n:03}"));
        let body = Body {
            bytes: b"{}"[..].into(),
            index: vec![at.clone()],
        };
        let version = Version::FIRST;
        let record = present.then_some(Record { version, body });
        let left = if present { Vec::new() } else { vec![at] };
        let key = Key::new("records", &format!("{n:03}"));
        let stored = Stored {
            change: Change { key, record },
            version,
            left,
        };
        memtable.apply(
            stored,
            Place {
                segment: 0,
                offset: 0,
                length: 0,
            },
        );
    }
    memtable
}

fn shared(folder: &std::path::Path, active: Memtable, frozen: Memtable) -> Shared {
    let disk = Arc::new(Folder::make(&folder.join("log")).expect("a folder"));
    let options = log::Options {
        segment_bytes: 64 * 1024,
        prepare_ahead: false,
    };
    let log = log::open(disk, &options, None, [1; 16], &mut |_| Ok(())).expect("a new log");
    let index = Index::open(&folder.join("index.redb"), 1024 * 1024).expect("a new index");
    let view = Arc::new(index.view().expect("readable"));
    Shared {
        published: RwLock::new(Published {
            active,
            frozen: Some(Arc::new(frozen)),
            view,
        }),
        log: log.reader,
        filter: Filter::new(true),
        recent: Mutex::new(Recent::default()),
        last: watch::Sender::new(0),
        covered: AtomicU64::new(0),
        indexing: Mutex::default(),
        indexed: Condvar::new(),
        failed: watch::Sender::default(),
        damaged: std::sync::OnceLock::new(),
    }
}

/// The newer layer removes more of the older one than the range asks for. What comes after in the older one is
/// shown all the same, and what is removed is not.
#[test]
fn what_is_removed_above_does_not_end_what_is_shown_below() {
    let folder = tempfile::tempdir().expect("a folder");
    for (gone, backwards, expected) in [
        (0..20, false, ["020", "021", "022"]),
        (20..40, true, ["019", "018", "017"]),
    ] {
        let shared = shared(folder.path(), memtable(0..0, gone), memtable(0..40, 0..0));
        for mut range in [Range::of("records", 3), Range::listed("listed", 3)] {
            range.backwards = backwards;
            let found = shared.range(&range).expect("readable");
            let sorts: Vec<&str> = found.iter().map(|it| it.at.sort()).collect();
            assert_eq!(sorts, expected, "{range:?}");
        }
    }
}
