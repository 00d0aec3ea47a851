//! How often a key may ask: one number for each key.
//!
//! The generic cell rate algorithm. What is kept is the moment at which the bucket would be full
//! again if nobody asked any more. A request moves it on by one interval; one that would move it
//! further than [`BURST_NS`] ahead of now is refused, and told how long to wait. So a key may use
//! a second's requests at once, and no more than its rate in the long run.
//!
//! **Cost.** One compare-and-swap on a number that belongs to the key: no lock, nothing shared
//! between keys, nothing to clean up.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use lombard_core::time::Timestamp;

/// How far ahead a key may ask: the requests of one second.
const BURST_NS: u64 = NS_PER_S;
const NS_PER_S: u64 = 1_000_000_000;
const NS_PER_MS: u64 = 1_000_000;

/// Where a key stands against its rate.
#[derive(Debug, Default)]
pub struct Pace(AtomicU64);

impl Pace {
    /// Counts a request at `now` of a key that may make `per_second` of them; 0 is any number.
    ///
    /// # Errors
    /// After how many milliseconds there is room again, when there is none.
    pub fn ask(&self, now: Timestamp, per_second: u32) -> Result<(), u64> {
        let Some(interval) = NS_PER_S.checked_div(u64::from(per_second)) else {
            return Ok(());
        };
        // A rate beyond one a nanosecond is no limit.
        let interval = interval.max(1);
        let now = now.unix_ms().saturating_mul(NS_PER_MS);
        let moved = |full: u64| {
            // Further ahead than a burst reaches means that the clock was set back: begin anew.
            let full = if full > now + BURST_NS { now } else { full };
            full.max(now) + interval
        };
        let taken = self.0.fetch_update(Relaxed, Relaxed, |full| {
            let next = moved(full);
            (next <= now + BURST_NS).then_some(next)
        });
        taken.map(drop).map_err(|full| {
            let early = moved(full).saturating_sub(now + BURST_NS);
            early.div_ceil(NS_PER_MS)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: u64) -> Timestamp {
        Timestamp::from_unix_ms(1_700_000_000_000 + ms)
    }

    #[test]
    fn a_second_of_requests_at_once_and_the_rate_after_that() {
        let pace = Pace::default();
        for _ in 0..10 {
            assert_eq!(pace.ask(at(0), 10), Ok(()));
        }
        assert_eq!(pace.ask(at(0), 10), Err(100));
        assert_eq!(pace.ask(at(60), 10), Err(40));
        assert_eq!(pace.ask(at(100), 10), Ok(()));
        assert_eq!(pace.ask(at(100), 10), Err(100));
        let after_a_pause = (0..20).filter(|_| pace.ask(at(60_000), 10).is_ok());
        assert_eq!(after_a_pause.count(), 10, "a pause does not add up");
    }

    #[test]
    fn refusals_cost_nothing_and_no_rate_is_no_limit() {
        let pace = Pace::default();
        assert_eq!(pace.ask(at(0), 1), Ok(()));
        for _ in 0..1_000 {
            assert_eq!(pace.ask(at(0), 1), Err(1_000));
        }
        assert_eq!(pace.ask(at(1_000), 1), Ok(()));
        assert!((0..1_000).all(|_| pace.ask(at(1_000), 0).is_ok()));
        assert_eq!(Pace::default().ask(at(0), u32::MAX), Ok(()));
    }

    #[test]
    fn a_clock_that_is_set_back_locks_nobody_out() {
        let pace = Pace::default();
        while pace.ask(at(3_600_000), 5).is_ok() {}
        let granted = (0..100).filter(|_| pace.ask(at(0), 5).is_ok());
        assert_eq!(granted.count(), 5);
    }

    #[test]
    fn many_threads_take_no_more_than_the_rate() {
        let pace = Pace::default();
        let granted = std::thread::scope(|scope| {
            let asking = || {
                (0..10_000)
                    .filter(|_| pace.ask(at(0), 5_000).is_ok())
                    .count()
            };
            let threads: Vec<_> = (0..4).map(|_| scope.spawn(asking)).collect();
            let counts = threads.into_iter().map(|thread| thread.join().unwrap());
            counts.sum::<usize>()
        });
        assert_eq!(granted, 5_000);
    }
}
