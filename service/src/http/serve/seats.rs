//! The places for connections, and who can be asked to give one up.
//!
//! A connection may be asked to leave when nobody would miss it: no request of it is being
//! answered, nothing was written to it lately, and that for [`IDLE`] at least. A connection that
//! trickles the head of a request is idle in this sense; that the bytes come slowly is not ours
//! to wait for when others wait for a place.

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use parking_lot::Mutex;
use tokio::{
    sync::{Notify, OwnedSemaphorePermit, Semaphore},
    time::Instant,
};

/// How long a connection must have been idle to be asked to leave.
pub const IDLE: Duration = Duration::from_secs(1);

/// All places.
pub struct Seats {
    free: Arc<Semaphore>,
    taken: Arc<Taken>,
}

struct Taken {
    begun: Instant,
    all: Mutex<(u64, HashMap<u64, Arc<Usage>>)>,
}

/// One place, until it is dropped.
pub struct Seat {
    usage: Arc<Usage>,
    number: u64,
    taken: Arc<Taken>,
    _place: OwnedSemaphorePermit,
}

/// What a connection is doing.
pub struct Usage {
    begun: Instant,
    calls: AtomicU32,
    /// When something was last done for it, in milliseconds since `begun`.
    used_ms: AtomicU64,
    /// Somebody waits for the place.
    asked: AtomicBool,
    wanted: Notify,
}

/// A request that is being answered, until it is dropped.
pub struct Call(Arc<Usage>);

impl Seats {
    /// So many places, all free.
    pub fn new(places: usize) -> Self {
        let taken = Taken {
            begun: Instant::now(),
            all: Mutex::default(),
        };
        Self {
            free: Arc::new(Semaphore::new(places.min(Semaphore::MAX_PERMITS))),
            taken: Arc::new(taken),
        }
    }

    /// A place, if one is free now.
    pub fn take(&self) -> Option<Seat> {
        let place = self.free.clone().try_acquire_owned().ok()?;
        Some(self.seat(place))
    }

    /// A place within a time, asking the idle to leave at once and then every `pause`.
    pub async fn wait(&self, longest: Duration, pause: Duration) -> Option<Seat> {
        let asking = async {
            loop {
                self.taken.ask_the_idlest();
                tokio::time::sleep(pause).await;
            }
        };
        tokio::select! {
            // The semaphore is never closed.
            place = self.free.clone().acquire_owned() => Some(self.seat(place.ok()?)),
            () = tokio::time::sleep(longest) => None,
            () = asking => None,
        }
    }

    fn seat(&self, place: OwnedSemaphorePermit) -> Seat {
        let usage = Arc::new(Usage {
            begun: self.taken.begun,
            calls: AtomicU32::new(0),
            used_ms: AtomicU64::new(0),
            asked: AtomicBool::new(false),
            wanted: Notify::new(),
        });
        usage.touch();
        let mut all = self.taken.all.lock();
        all.0 += 1;
        let number = all.0;
        all.1.insert(number, usage.clone());
        drop(all);
        Seat {
            usage,
            number,
            taken: self.taken.clone(),
            _place: place,
        }
    }
}

impl Taken {
    fn ask_the_idlest(&self) {
        let now = since(self.begun);
        let all = self.all.lock();
        let idle = all.1.values().filter(|usage| usage.is_idle(now));
        if let Some(usage) = idle.min_by_key(|usage| usage.used_ms.load(Relaxed)) {
            usage.asked.store(true, Relaxed);
            usage.wanted.notify_one();
        }
    }
}

impl Seat {
    /// What its connection is doing.
    pub fn usage(&self) -> Arc<Usage> {
        self.usage.clone()
    }

    /// Ends when somebody else should have the place.
    pub async fn is_wanted(&self) {
        self.usage.wanted.notified().await;
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.taken.all.lock().1.remove(&self.number);
    }
}

impl Usage {
    /// A request is being answered from now on.
    pub fn begin(self: &Arc<Self>) -> Call {
        self.calls.fetch_add(1, Relaxed);
        Call(self.clone())
    }

    /// Something was done for the connection.
    pub fn touch(&self) {
        self.used_ms.store(since(self.begun), Relaxed);
    }

    /// Whether nobody would miss it. One that was asked before is on its way.
    fn is_idle(&self, now_ms: u64) -> bool {
        let quiet_ms = now_ms.saturating_sub(self.used_ms.load(Relaxed));
        self.calls.load(Relaxed) == 0
            && u128::from(quiet_ms) >= IDLE.as_millis()
            && !self.asked.load(Relaxed)
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        self.0.touch();
        self.0.calls.fetch_sub(1, Relaxed);
    }
}

fn since(begun: Instant) -> u64 {
    u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn is_asked(seat: &Seat) -> bool {
        let asked = tokio::time::timeout(Duration::ZERO, seat.is_wanted());
        asked.await.is_ok()
    }

    #[tokio::test(start_paused = true)]
    async fn the_idlest_is_asked_and_those_at_work_are_not() {
        let seats = Seats::new(3);
        let (busy, writing, idle) = (seats.take(), seats.take(), seats.take());
        let (busy, writing, idle) = (busy.unwrap(), writing.unwrap(), idle.unwrap());
        assert!(seats.take().is_none());
        let call = busy.usage().begin();
        let pause = Duration::from_millis(50);
        assert!(
            seats.wait(IDLE / 2, pause).await.is_none(),
            "all came just now"
        );
        assert!(!is_asked(&idle).await);
        tokio::time::sleep(IDLE).await;
        writing.usage().touch();
        let leaving = async {
            idle.is_wanted().await;
            drop(idle);
        };
        let (seat, ()) = tokio::join!(seats.wait(IDLE / 2, pause), leaving);
        assert!(seat.is_some());
        assert!(!is_asked(&busy).await && !is_asked(&writing).await);
        drop((call, seat));
        assert!(seats.take().is_some());
    }
}
