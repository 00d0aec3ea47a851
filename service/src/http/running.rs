//! Requests under way, by their idempotency keys: the same one is not begun a second time while
//! the first still runs.
//!
//! **Why, when the commit decides anyway.** Any number of identical requests at once make one
//! payment without this, because the key's record is in the commit. But each would take a place
//! in the store's queue, and impatient clients repeat themselves most when there is none to
//! spare. Here a repetition costs a place in a map.
//!
//! **What a repetition meets.** It waits for the first, [`WAIT`] at the most, and is then carried
//! out like any other: it finds the kept answer, or, if the first was refused, is decided itself.
//! Only when the first takes longer, or [`WAITING_MAX`] wait for it already, is it told
//! `request_running` (409, as the IETF's draft has it) and comes back. See
//! `docs/adr/0009-idempotency.md`.
//!
//! **Absent.** Nothing here is needed for a request to be done once, so nothing is durable, and
//! other processes over the same store are not asked.

use std::{
    collections::HashMap,
    hash::{BuildHasher, RandomState},
    sync::Arc,
    time::Duration,
};

use lombard_core::{idempotency::Idempotency, tenant::TenantId};
use parking_lot::Mutex;
use tokio::sync::Semaphore;

use super::{ErrorCode, Problem};

/// How long a repetition waits for the first: longer than a commit takes on a healthy disk,
/// shorter than clients' patience.
pub const WAIT: Duration = Duration::from_millis(500);
/// How many wait for one request.
pub const WAITING_MAX: usize = 64;
/// Locks, so that requests with different keys rarely meet at one.
const SHARDS: usize = 64;

/// The requests under way.
pub struct Running {
    hasher: RandomState,
    shards: [Shard; SHARDS],
}

/// By a keyed hash of 64 bits. Two keys of one hash would wait for each other, once in more
/// requests than there will be, and no harm done.
type Shard = Mutex<HashMap<u64, First>>;

/// The first of its key. The semaphore is made when somebody waits, has no permits, and is closed
/// at the end.
#[derive(Default)]
struct First(Option<Arc<Semaphore>>);

/// The right to carry a request out, until this is dropped.
pub struct Turn<'a>(Option<(&'a Shard, u64)>);

impl Default for Running {
    fn default() -> Self {
        Self {
            hasher: RandomState::new(),
            shards: std::array::from_fn(|_| Shard::default()),
        }
    }
}

impl Running {
    /// Waits until nobody else carries out the same wish.
    ///
    /// # Errors
    /// `request_running` when that takes too long.
    pub async fn turn(&self, tenant: TenantId, wish: &Idempotency) -> Result<Turn<'_>, Problem> {
        let hash = self.hasher.hash_one((tenant, wish.operation, &wish.key));
        let shard = &self.shards[hash as usize % SHARDS];
        let Some(first) = begin(shard, hash)? else {
            return Ok(Turn(Some((shard, hash))));
        };
        // No permit is ever given: what comes is the end, or nothing in time.
        match tokio::time::timeout(WAIT, first.acquire()).await {
            Ok(_) => Ok(Turn(None)),
            Err(_) => Err(running()),
        }
    }
}

/// Is the first, or finds out for whom to wait.
fn begin(shard: &Shard, hash: u64) -> Result<Option<Arc<Semaphore>>, Problem> {
    let mut all = shard.lock();
    let Some(first) = all.get_mut(&hash) else {
        all.insert(hash, First::default());
        return Ok(None);
    };
    let end = first.0.get_or_insert_with(|| Arc::new(Semaphore::new(0)));
    if Arc::strong_count(end) > WAITING_MAX {
        return Err(running());
    }
    Ok(Some(end.clone()))
}

fn running() -> Problem {
    Problem::new(ErrorCode::RequestRunning).at("Idempotency-Key")
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        let Some((shard, hash)) = self.0 else { return };
        let first = shard.lock().remove(&hash);
        if let Some(First(Some(end))) = first {
            end.close();
        }
    }
}

#[cfg(test)]
mod tests {
    use lombard_core::idempotency::Fingerprint;

    use super::*;

    fn wish(key: &str) -> Idempotency {
        Idempotency {
            operation: "test",
            key: key.to_owned(),
            fingerprint: Fingerprint::of(b""),
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_repetition_waits_for_the_first_and_then_goes_on() {
        let (running, tenant) = (Running::default(), TenantId::new(1));
        let first = running.turn(tenant, &wish("a")).await.unwrap();
        // Another key, and another tenant with the same key, are in nobody's way.
        let other = running.turn(tenant, &wish("b")).await.unwrap();
        let elsewhere = running.turn(TenantId::new(2), &wish("a")).await.unwrap();
        drop((other, elsewhere));
        let wish = wish("a");
        let again = running.turn(tenant, &wish);
        let ending = async {
            tokio::time::sleep(WAIT / 2).await;
            drop(first);
        };
        let (again, ()) = tokio::join!(again, ending);
        assert!(again.is_ok());
        assert!(running.shards.iter().all(|shard| shard.lock().is_empty()));
    }

    #[tokio::test(start_paused = true)]
    async fn it_does_not_wait_for_ever_nor_in_a_crowd() {
        let (running, tenant) = (Running::default(), TenantId::new(1));
        let first = running.turn(tenant, &wish("a")).await.unwrap();
        let same = wish("a");
        let all = (0..WAITING_MAX + 1).map(|_| async {
            let begun = tokio::time::Instant::now();
            let refused = running.turn(tenant, &same).await.err();
            (refused.map(|problem| problem.code), begun.elapsed())
        });
        let all = futures_util::future::join_all(all).await;
        for (code, _) in &all {
            assert_eq!(*code, Some(ErrorCode::RequestRunning));
        }
        let at_once = all.iter().filter(|(_, waited)| waited.is_zero());
        assert_eq!(at_once.count(), 1, "one too many");
        drop(first);
        assert!(running.turn(tenant, &same).await.is_ok());
    }
}
