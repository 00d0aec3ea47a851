//! The hosts' clocks and their luck. Virtual time is the runtime's; a host's clock is that, moved
//! by what all clocks jumped and by what this one is wrong.

use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

use lombard_core::time::Timestamp;
use lombard_service::ports::Host;
use tokio::time::Instant;

use super::luck::Luck;

/// 2026-11-16T09:46:40Z, a Monday morning.
const BEGINNING_MS: u64 = 1_794_822_400_000;

/// The time that all hosts agree on, but for what each is wrong.
#[derive(Debug)]
pub struct Clock {
    begun: Instant,
    ahead_ms: AtomicI64,
}

impl Clock {
    /// A clock that begins now.
    #[must_use]
    pub fn new() -> Self {
        Self {
            begun: Instant::now(),
            ahead_ms: AtomicI64::new(0),
        }
    }

    /// Moves everybody on.
    pub fn jump(&self, ms: i64) {
        self.ahead_ms.fetch_add(ms, Ordering::Relaxed);
    }

    /// Now, without anybody's error.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        let elapsed = i64::try_from(self.begun.elapsed().as_millis()).unwrap_or(i64::MAX);
        let since = elapsed.saturating_add(self.ahead_ms.load(Ordering::Relaxed));
        Timestamp::from_unix_ms(BEGINNING_MS.saturating_add_signed(since))
    }
}

impl Default for Clock {
    fn default() -> Self {
        Self::new()
    }
}

/// One host: its clock's error and its dice.
#[derive(Debug)]
pub struct SimHost {
    clock: Arc<Clock>,
    wrong_ms: AtomicI64,
    luck: Luck,
}

impl SimHost {
    /// A host whose clock is wrong by so much.
    #[must_use]
    pub const fn new(clock: Arc<Clock>, wrong_ms: i64, luck: Luck) -> Self {
        let wrong_ms = AtomicI64::new(wrong_ms);
        Self {
            clock,
            wrong_ms,
            luck,
        }
    }

    /// Sets by how much it is wrong.
    pub fn set(&self, wrong_ms: i64) {
        self.wrong_ms.store(wrong_ms, Ordering::Relaxed);
    }
}

impl Host for SimHost {
    fn now(&self) -> Timestamp {
        let wrong = self.wrong_ms.load(Ordering::Relaxed);
        Timestamp::from_unix_ms(self.clock.now().unix_ms().saturating_add_signed(wrong))
    }

    fn random(&self) -> u128 {
        u128::from(self.luck.bits()) << 64 | u128::from(self.luck.bits())
    }
}
