//! One lane for each endpoint: so many tries at once, and a place in time for the rest.
//!
//! A slow endpoint fills its own lane. What does not fit is stored with a due time at which the
//! lane should have room, by the pace at which the endpoint has answered lately; so the due list
//! never fills with deliveries of one endpoint that cannot go out anyway, and others are found
//! behind them.

use std::{collections::HashMap, sync::Arc};

use lombard_core::{id::Id, time::Timestamp};
use parking_lot::Mutex;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::endpoint::Endpoint;

/// Tries of one endpoint under way at once.
pub const TRIES_AT_ONCE: usize = 16;
/// Lanes that are kept although nothing is under way in them.
const LANES_KEPT: usize = 4096;
/// The share of a new latency in the pace: one in eight, as TCP's smoothed round trip (RFC 6298).
const SMOOTHING: u64 = 8;

/// The lane of one endpoint.
pub struct Lane {
    room: Arc<Semaphore>,
    pace: Mutex<Pace>,
}

struct Pace {
    /// How long a try takes, smoothed, in microseconds.
    try_us: u64,
    /// Until when the tries that were put off will take, in microseconds since 1970.
    booked_us: u64,
}

impl Default for Lane {
    fn default() -> Self {
        Self {
            room: Arc::new(Semaphore::new(TRIES_AT_ONCE)),
            pace: Mutex::new(Pace {
                try_us: 50_000,
                booked_us: 0,
            }),
        }
    }
}

impl Lane {
    /// A place for a try, if there is one.
    #[must_use]
    pub fn enter(&self) -> Option<OwnedSemaphorePermit> {
        self.room.clone().try_acquire_owned().ok()
    }

    /// When a try that finds no room should come back.
    #[must_use]
    pub fn book(&self, now: Timestamp) -> Timestamp {
        let mut pace = self.pace.lock();
        let step = (pace.try_us / TRIES_AT_ONCE as u64).max(1);
        let from = pace.booked_us.max(now.unix_ms().saturating_mul(1000));
        pace.booked_us = from.saturating_add(step);
        Timestamp::from_unix_ms(pace.booked_us.div_ceil(1000))
    }

    /// Notes how long a try took.
    pub fn took(&self, latency_ms: u64) {
        let mut pace = self.pace.lock();
        let latency_us = latency_ms.saturating_mul(1000);
        pace.try_us = (pace.try_us * (SMOOTHING - 1) + latency_us) / SMOOTHING;
    }
}

/// The lanes of all endpoints that had something to do lately.
#[derive(Default)]
pub struct Lanes(Mutex<HashMap<Id<Endpoint>, Arc<Lane>>>);

impl Lanes {
    /// The lane of an endpoint.
    #[must_use]
    pub fn of(&self, endpoint: Id<Endpoint>) -> Arc<Lane> {
        let mut lanes = self.0.lock();
        if lanes.len() >= LANES_KEPT && !lanes.contains_key(&endpoint) {
            lanes.retain(|_, lane| Arc::strong_count(lane) > 1);
        }
        lanes.entry(endpoint).or_default().clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_room_for_so_many_and_the_rest_is_spread_by_the_pace() {
        let lane = Lane::default();
        let places: Vec<_> = (0..TRIES_AT_ONCE).map(|_| lane.enter().unwrap()).collect();
        assert!(lane.enter().is_none());
        for _ in 0..100 {
            lane.took(16_000);
        }
        let now = Timestamp::from_unix_ms(1_000_000);
        let booked: Vec<_> = (0..60).map(|_| lane.book(now).ms_since(now)).collect();
        assert!((900..=1000).contains(&booked[0]), "{booked:?}");
        assert!(
            (54_000..=60_000).contains(&booked[59]),
            "one a second: {booked:?}"
        );
        drop(places);
        assert!(lane.enter().is_some());
    }

    #[test]
    fn idle_lanes_go_and_busy_ones_stay() {
        let lanes = Lanes::default();
        let busy = lanes.of(Id::from_bits(0));
        let place = busy.enter();
        for bits in 1..=LANES_KEPT as u128 {
            let _ = lanes.of(Id::from_bits(bits));
        }
        assert!(lanes.0.lock().len() < 10);
        assert!(Arc::ptr_eq(&busy, &lanes.of(Id::from_bits(0))));
        drop(place);
    }
}
