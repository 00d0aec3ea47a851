//! Lines of a log that would come many times a second for as long as one thing is wrong, such as a
//! full disk: one in [`PAUSE`], which says how many it stands for.

use std::{
    sync::{
        OnceLock,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

/// Between two lines.
pub const PAUSE: Duration = Duration::from_secs(5);

/// One kind of line.
#[derive(Debug, Default)]
pub struct Seldom {
    begun: OnceLock<Instant>,
    next_ms: AtomicU64,
    held_back: AtomicU64,
}

impl Seldom {
    /// None was written yet.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            begun: OnceLock::new(),
            next_ms: AtomicU64::new(0),
            held_back: AtomicU64::new(0),
        }
    }

    /// Asks for a line. When it may be written, gives how many were held back since the last one.
    pub fn may(&self) -> Option<u64> {
        let ms = |span: Duration| u64::try_from(span.as_millis()).unwrap_or(u64::MAX);
        let now = ms(self.begun.get_or_init(Instant::now).elapsed());
        let next = self.next_ms.load(Relaxed);
        let turn = |next| {
            let until = now + ms(PAUSE);
            self.next_ms.compare_exchange(next, until, Relaxed, Relaxed)
        };
        if now >= next && turn(next).is_ok() {
            return Some(self.held_back.swap(0, Relaxed));
        }
        self.held_back.fetch_add(1, Relaxed);
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_line_stands_for_many() {
        let seldom = Seldom::new();
        assert_eq!(seldom.may(), Some(0));
        assert_eq!((seldom.may(), seldom.may()), (None, None));
        seldom.next_ms.store(0, Relaxed);
        assert_eq!(seldom.may(), Some(2));
    }
}
