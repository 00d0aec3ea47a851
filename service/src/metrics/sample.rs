//! What stands, looked up once a second: depths, lags, sizes.
//!
//! **Lag in seconds.** The feed has no clock, so the sampler keeps when the store's position was
//! where; a consumer is as far behind as the oldest of these moments that it has not reached.

use std::{
    collections::VecDeque,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

use tokio::sync::watch;

use super::{
    METRICS,
    label::{Consumer, Label, Redacted, Store},
    process,
};
use crate::{gate, ports::Host, proof::Log, slo, worker::feed::rest};

/// How often, in milliseconds.
const EVERY_MS: u64 = 1_000;
/// Moments that are kept: an hour's.
const MOMENTS_MAX: usize = 3_600;
/// What stands for a consumer that does not run here.
const NOT_HERE: u64 = u64::MAX;

static REACHED: [AtomicU64; Consumer::ALL.len()] =
    [const { AtomicU64::new(NOT_HERE) }; Consumer::ALL.len()];

/// A consumer has done everything up to `position`.
pub fn reached(consumer: Consumer, position: u64) {
    REACHED[consumer.index()].store(position, Relaxed);
}

/// What a store says of itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Figures {
    /// Commands that wait for the writer.
    pub queue_depth: usize,
    /// And how many may.
    pub queue_limit: usize,
    /// The last durable transaction.
    pub position: u64,
    /// The last that the index knows.
    pub indexed: u64,
    /// Files of its log.
    pub segments: usize,
    /// Memory that holds what is not indexed, in bytes.
    pub unindexed_bytes: usize,
    /// Whether it takes no writes.
    pub refuses: bool,
    /// Room on its disk in bytes, where that can be asked.
    pub disk_free_bytes: Option<u64>,
}

/// A store whose figures can be looked up.
pub trait Gauged: Send + Sync {
    /// Its figures at this moment.
    fn figures(&self) -> Figures;
}

/// Looks everything up.
pub struct Sampler {
    /// The stores of the process; the feed is the ledger's.
    pub stores: Vec<(Store, Arc<dyn Gauged>)>,
    /// The verifiable log, with the clock by which its lag is told.
    pub log: Option<(Arc<Log>, Arc<dyn Host>)>,
}

/// Samples until `stop` turns true.
pub async fn run(sampler: Sampler, mut stop: watch::Receiver<bool>) {
    let mut moments = Moments::default();
    loop {
        let position = sampler.look();
        slo::burn::note(Instant::now());
        moments.note(Instant::now(), position);
        tell_lags(&moments);
        if rest(&mut stop, EVERY_MS).await {
            return;
        }
    }
}

impl Sampler {
    /// Sets the gauges, and gives the position of the feed.
    fn look(&self) -> u64 {
        let mut position = 0;
        for (store, gauged) in &self.stores {
            let figures = gauged.figures();
            figures.tell(*store);
            if *store == Store::Ledger {
                position = figures.position;
            }
        }
        if let Some((log, host)) = &self.log {
            let status = log.status(host.now());
            METRICS.log_size.of(()).set(status.size as f64);
            METRICS.log_lag.of(()).set(seconds(status.lag_ms));
            METRICS
                .log_inclusion
                .of(())
                .set(seconds(status.inclusion_ms));
            METRICS
                .log_witnessed
                .of(())
                .set(f64::from(u8::from(status.quorum)));
        }
        let counts = gate::counts();
        let redacted = [
            (Redacted::CardNumber, counts.card_numbers),
            (Redacted::Iban, counts.ibans),
            (Redacted::UkAccount, counts.uk_accounts),
            (Redacted::Email, counts.emails),
        ];
        for (kind, count) in redacted {
            METRICS.redactions.of((kind,)).set(count as f64);
        }
        process::look();
        position
    }
}

impl Figures {
    fn tell(&self, store: Store) {
        let of = (store,);
        METRICS
            .store_queue_depth
            .of(of)
            .set(self.queue_depth as f64);
        METRICS
            .store_queue_limit
            .of(of)
            .set(self.queue_limit as f64);
        METRICS.store_position.of(of).set(self.position as f64);
        METRICS.store_segments.of(of).set(self.segments as f64);
        METRICS
            .store_unindexed
            .of(of)
            .set(self.unindexed_bytes as f64);
        let lag = self.position.saturating_sub(self.indexed);
        METRICS.store_index_lag.of(of).set(lag as f64);
        METRICS
            .store_refuses
            .of(of)
            .set(f64::from(u8::from(self.refuses)));
        if let Some(free) = self.disk_free_bytes {
            METRICS.store_disk_free.of(of).set(free as f64);
        }
    }
}

fn seconds(ms: u64) -> f64 {
    Duration::from_millis(ms).as_secs_f64()
}

fn tell_lags(moments: &Moments) {
    for consumer in Consumer::ALL {
        let reached = REACHED[consumer.index()].load(Relaxed);
        if reached == NOT_HERE {
            continue;
        }
        let (commits, waiting) = moments.behind(reached);
        METRICS.feed_lag.of((*consumer,)).set(commits as f64);
        METRICS
            .feed_lag_duration
            .of((*consumer,))
            .set(waiting.as_secs_f64());
    }
}

/// Where the store's position was when.
#[derive(Default)]
struct Moments(VecDeque<(Instant, u64)>);

impl Moments {
    fn note(&mut self, now: Instant, position: u64) {
        if self.0.len() == MOMENTS_MAX {
            self.0.pop_front();
        }
        self.0.push_back((now, position));
    }

    /// How many commits somebody who reached a position is behind, and since when.
    fn behind(&self, reached: u64) -> (u64, Duration) {
        let Some((now, last)) = self.0.back() else {
            return (0, Duration::ZERO);
        };
        let first = self.0.partition_point(|(_, position)| *position <= reached);
        let since = self.0.get(first).map_or(*now, |(at, _)| *at);
        (last.saturating_sub(reached), now.duration_since(since))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_consumer_is_behind_since_the_first_moment_that_it_has_not_reached() {
        let begun = Instant::now();
        let mut moments = Moments::default();
        for (second, position) in [(0, 10), (1, 20), (2, 20), (3, 30)] {
            moments.note(begun + Duration::from_secs(second), position);
        }
        let behind = |reached| moments.behind(reached);
        assert_eq!(behind(30), (0, Duration::ZERO));
        assert_eq!(behind(20), (10, Duration::ZERO), "new in the last second");
        assert_eq!(behind(15), (15, Duration::from_secs(2)));
        assert_eq!(behind(0), (30, Duration::from_secs(3)));
        assert_eq!(Moments::default().behind(5), (0, Duration::ZERO));
    }
}
