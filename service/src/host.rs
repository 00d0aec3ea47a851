//! The machine's clock and the operating system's randomness.

use std::time::{SystemTime, UNIX_EPOCH};

use lombard_core::time::Timestamp;
use ring::rand::{SecureRandom, SystemRandom};

use crate::ports::Host;

/// See the module.
#[derive(Debug)]
pub struct SystemHost {
    random: SystemRandom,
}

impl Default for SystemHost {
    fn default() -> Self {
        Self {
            random: SystemRandom::new(),
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
        Timestamp::from_unix_ms(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
    }

    fn random(&self) -> u128 {
        let mut bytes = [0; 16];
        // The system's generator fails only on a system that cannot give any secret at all;
        // going on without would make ids and keys guessable.
        if self.random.fill(&mut bytes).is_err() {
            panic!("the operating system gives no randomness");
        }
        u128::from_be_bytes(bytes)
    }
}
