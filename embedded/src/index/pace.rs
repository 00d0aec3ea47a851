//! Long work in short turns: the indexer gives its processor away now and then.
//!
//! With the usual policy the scheduler sees to that by itself. With a real-time policy, under which whoever
//! cares for latency runs a store, a thread keeps its processor for 100 ms (`sched_rr_timeslice_ms`) or for
//! ever, and the writer would wait that long.

use std::{
    thread,
    time::{Duration, Instant},
};

use parking_lot::Mutex;

/// How long a turn is. Longer than a slice of the usual policy, so that nothing is given away there.
const TURN: Duration = Duration::from_millis(4);

/// The turns of one thread.
#[derive(Debug)]
pub struct Pace {
    begun: Mutex<Instant>,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            begun: Mutex::new(Instant::now()),
        }
    }
}

impl Pace {
    /// Gives the processor away if the turn is over.
    pub fn step(&self) {
        let mut begun = self.begun.lock();
        if begun.elapsed() >= TURN {
            thread::yield_now();
            *begun = Instant::now();
        }
    }
}
