//! When the log gets its turn, and how far it is behind.
//!
//! A turn costs two tiles, a checkpoint, a signature and some writes, however many payments share it. So what
//! waits is gathered: until [`ENOUGH`] commits have come, or the first of them has waited for as long as the
//! stage's settings say. Under load that is at each look; a lone payment in the night is under a checkpoint after
//! that time, and until then in the journal.
//!
//! **Invariants.** Nothing depends on it but cost and delay. A container that begins knows nothing of what
//! another has left waiting, and so begins with a turn.

use std::io::Write;

use lombard_core::time::Timestamp;
use serde_json::json;

use crate::{fault::Fault, surroundings::told};

/// Commits that are worth a turn: those of eight payments.
const ENOUGH: usize = 24;

/// See the module.
#[derive(Debug)]
pub struct Pace {
    patience_ms: u64,
    at_once: bool,
    waiting: usize,
    since: Option<Timestamp>,
}

impl Pace {
    /// As patient as the stage's settings say.
    pub fn told_by_environment() -> Result<Self, Fault> {
        const NAME: &str = "LOMBARD_LOG_WAITS_SECONDS";
        let seconds: Result<u64, _> = told(NAME)?.parse();
        let seconds = seconds.map_err(|error| Fault::misconfigured(format!("{NAME}: {error}")))?;
        Ok(Self::new(seconds * 1_000))
    }

    const fn new(patience_ms: u64) -> Self {
        Self {
            patience_ms,
            at_once: true,
            waiting: 0,
            since: None,
        }
    }

    /// The next look is a turn.
    pub const fn hurry(&mut self) {
        self.at_once = true;
    }

    /// So many commits came.
    pub fn came(&mut self, commits: usize, now: Timestamp) {
        self.waiting += commits;
        if commits > 0 {
            self.since.get_or_insert(now);
        }
    }

    pub fn is_due(&self, now: Timestamp) -> bool {
        self.at_once || self.waiting >= ENOUGH || {
            let since = self.since;
            since.is_some_and(|since| now.ms_since(since) >= self.patience_ms)
        }
    }

    pub const fn had_its_turn(&mut self) {
        self.at_once = false;
        self.waiting = 0;
        self.since = None;
    }

    /// For how long the first has waited that has not had its turn.
    pub fn lag_ms(&self, now: Timestamp) -> u64 {
        self.since.map_or(0, |since| now.ms_since(since))
    }
}

/// Tells how far the log is behind, in CloudWatch's embedded metric format, under the name that it has in
/// the catalogue of metrics. No line means that nobody looked, and rings too.
pub fn tell(stage: &str, now: Timestamp, lag_ms: u64) {
    let metric = json!({
        "_aws": {
            "Timestamp": now.unix_ms(),
            "CloudWatchMetrics": [{
                "Namespace": "Lombard",
                "Dimensions": [["stage"]],
                "Metrics": [{"Name": "lombard_log_lag", "Unit": "Seconds"}],
            }],
        },
        "stage": stage,
        "lombard_log_lag": lag_ms / 1_000,
    });
    // Lambda reads both ways out; one that is closed is the end of the container.
    let _ = writeln!(std::io::stdout(), "{metric}");
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Timestamp {
        Timestamp::from_unix_ms(1_000_000 + seconds * 1_000)
    }

    #[test]
    fn a_container_begins_with_a_turn_and_then_gathers_until_there_are_enough_or_it_has_waited() {
        let mut pace = Pace::new(900_000);
        assert!(pace.is_due(at(0)));
        pace.had_its_turn();
        assert!(!pace.is_due(at(10_000)), "nothing waits");
        pace.came(3, at(60));
        pace.came(0, at(120));
        assert!(!pace.is_due(at(959)));
        assert_eq!(pace.lag_ms(at(120)), 60_000);
        assert!(pace.is_due(at(960)), "the first has waited long enough");
        pace.came(ENOUGH - 3, at(130));
        assert!(pace.is_due(at(130)), "there are enough");
        pace.had_its_turn();
        assert_eq!(pace.lag_ms(at(131)), 0);
        pace.hurry();
        assert!(pace.is_due(at(131)));
    }
}
