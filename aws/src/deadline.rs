//! Until when a caller waits. Retries end there, whatever they hoped for: an answer that comes after
//! its caller has left is work for nothing, and on Lambda the process is frozen by then.

use std::{future::Future, sync::Arc, time::Duration};

use futures_util::{FutureExt, future::BoxFuture};
use lombard_core::command::{Command, Reply};
use lombard_service::ports::{Bank, ExecuteError};
use tokio::time::Instant;

tokio::task_local! {
    static DEADLINE: Instant;
}

/// How long one call on a port may take, retries included, when nobody set a deadline.
pub const PATIENCE: Duration = Duration::from_secs(5);

/// Does `work`, whose calls must have ended at `deadline`. An earlier deadline that is set already
/// stays.
pub async fn by<F: Future>(deadline: Instant, work: F) -> F::Output {
    let earliest = DEADLINE
        .try_with(|set| deadline.min(*set))
        .unwrap_or(deadline);
    DEADLINE.scope(earliest, work).await
}

/// When a call that begins now must have ended: at the caller's deadline, or soon.
#[must_use]
pub fn of_a_call() -> Instant {
    DEADLINE
        .try_with(|set| *set)
        .unwrap_or_else(|_| Instant::now() + PATIENCE)
}

/// A [`Bank`] whose callers wait for so long: all reads, commits and retries of a command together.
pub struct Bounded {
    bank: Arc<dyn Bank>,
    within: Duration,
}

impl Bounded {
    /// Lets each command of `bank` take so long.
    #[must_use]
    pub fn new(bank: Arc<dyn Bank>, within: Duration) -> Self {
        Self { bank, within }
    }
}

impl Bank for Bounded {
    fn execute(&self, command: Command) -> BoxFuture<'_, Result<Reply, ExecuteError>> {
        let deadline = Instant::now() + self.within;
        by(deadline, self.bank.execute(command)).boxed()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn the_earliest_deadline_holds() {
        let now = Instant::now();
        assert_eq!(of_a_call(), now + PATIENCE);
        let (near, far) = (
            now + Duration::from_millis(10),
            now + Duration::from_millis(20),
        );
        let held = by(near, by(far, async { of_a_call() })).await;
        assert_eq!(held, near);
        let patient = now + 2 * PATIENCE;
        assert_eq!(by(patient, async { of_a_call() }).await, patient);
    }
}
