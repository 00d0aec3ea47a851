//! Engines for the tests.

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use lombard_core::{
    command::{Render, View},
    time::Timestamp,
};
use lombard_embedded::{
    engine::{Engine, Options, StartError},
    log,
};
use lombard_service::ports::Host;

/// A clock that ticks when it is read, and luck that counts.
#[derive(Default)]
pub struct TestHost(AtomicU64);

impl Host for TestHost {
    fn now(&self) -> Timestamp {
        Timestamp::from_unix_ms(1_700_000_000_000 + self.0.fetch_add(1, Ordering::Relaxed))
    }

    fn random(&self) -> u128 {
        u128::from(self.0.fetch_add(1, Ordering::Relaxed)) + 1
    }
}

/// Shows nothing of anything: these tests look at records.
pub struct Nothing;

impl Render for Nothing {
    fn render(&self, _: View<'_>) -> Vec<u8> {
        b"{}".to_vec()
    }
}

/// Small segments, and memtables so small that every layer is used all the time.
pub fn small() -> Options {
    Options {
        log: log::Options {
            segment_bytes: 8 * 1024 * 1024,
            prepare_ahead: true,
        },
        freeze_bytes: 64 * 1024,
        index_cache_bytes: 1024 * 1024,
        ..Options::default()
    }
}

pub fn open(folder: &Path, options: &Options) -> Result<Engine, StartError> {
    Engine::open(
        folder,
        Arc::new(TestHost::default()),
        Arc::new(Nothing),
        options,
    )
}
