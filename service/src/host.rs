//! The machine's clock and the operating system's randomness.

use std::{
    cell::RefCell,
    sync::atomic::{AtomicU64, Ordering},
    time::{SystemTime, UNIX_EPOCH},
};

use lombard_core::time::Timestamp;
use ring::rand::{SecureRandom, SystemRandom};

use crate::ports::Host;

/// Draws that are asked of the system at once: asking costs more than drawing, and a request
/// needs two.
const DRAWS: usize = 32;

/// Randomness that a thread has in store.
struct Store {
    bytes: [[u8; 16]; DRAWS],
    left: usize,
}

thread_local! {
    static STORE: RefCell<Store> = const {
        RefCell::new(Store {
            bytes: [[0; 16]; DRAWS],
            left: 0,
        })
    };
}

/// See the module.
#[derive(Debug)]
pub struct SystemHost {
    random: SystemRandom,
    /// By how many milliseconds its clock is ahead of the machine's.
    ahead_ms: AtomicU64,
}

impl SystemHost {
    /// Puts its clock ahead by so many milliseconds more, until the process ends.
    ///
    /// It is for demonstrations, in which days pass in seconds: nothing but the control API of the
    /// simulators asks for it, and where keys are live there are none.
    pub fn put_ahead(&self, ms: u64) {
        self.ahead_ms.fetch_add(ms, Ordering::Relaxed);
    }
}

impl Default for SystemHost {
    fn default() -> Self {
        Self {
            random: SystemRandom::new(),
            ahead_ms: AtomicU64::new(0),
        }
    }
}

impl Host for SystemHost {
    #[expect(
        clippy::disallowed_methods,
        reason = "here is the one place that reads the clock"
    )]
    fn now(&self) -> Timestamp {
        let since = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        let machine = u64::try_from(since.as_millis()).unwrap_or(u64::MAX);
        Timestamp::from_unix_ms(machine.saturating_add(self.ahead_ms.load(Ordering::Relaxed)))
    }

    fn random(&self) -> u128 {
        STORE.with_borrow_mut(|store| {
            if store.left == 0 {
                // The system's generator fails only on a system that cannot give any secret at
                // all; going on without would make ids and keys guessable.
                if self.random.fill(store.bytes.as_flattened_mut()).is_err() {
                    panic!("the operating system gives no randomness");
                }
                store.left = DRAWS;
            }
            store.left -= 1;
            // What was drawn is not kept: it may become a key.
            u128::from_be_bytes(std::mem::take(&mut store.bytes[store.left]))
        })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn no_draw_is_given_twice() {
        let host = SystemHost::default();
        let draws: BTreeSet<u128> = (0..10 * DRAWS).map(|_| host.random()).collect();
        assert_eq!(draws.len(), 10 * DRAWS);
        assert!(draws.iter().all(|draw| draw.leading_zeros() < 64));
    }
}
