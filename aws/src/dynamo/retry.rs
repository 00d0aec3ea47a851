//! Tries again what may be tried again, with full jitter, until the caller's deadline.
//!
//! A pause is anything from nothing to a bound that doubles, so that callers who failed together do
//! not come back together (Exponential Backoff And Jitter, AWS Architecture Blog, 2015). Contention
//! passes within a transaction's time; a throttle refills by the second; an answer that was lost
//! says nothing about either.

use std::{future::Future, time::Duration};

use lombard_service::ports::Host;
use tokio::time::Instant;
use tracing::debug;

use super::failure::{Class, Failed};
use crate::deadline;

/// A failure after every try, and whether any try's outcome is in doubt.
#[derive(Debug)]
pub struct GaveUp {
    /// The last failure.
    pub failed: Failed,
    /// Whether some try may have been done although its answer was lost.
    pub in_doubt: bool,
}

/// The first pause, and the longest, in milliseconds; `None` when it is not tried again.
const fn pauses(class: Class) -> Option<(u64, u64)> {
    match class {
        Class::Contended => Some((8, 200)),
        Class::Throttled => Some((50, 2_000)),
        Class::Unknown => Some((25, 1_000)),
        Class::Conflict(_) | Class::Refused => None,
    }
}

/// Calls `once` until it succeeds, cannot succeed, or time is up.
pub async fn persist<T, F>(host: &dyn Host, mut once: impl FnMut() -> F + Send) -> Result<T, GaveUp>
where
    T: Send,
    F: Future<Output = Result<T, Failed>> + Send,
{
    let deadline = deadline::of_a_call();
    let mut in_doubt = false;
    let mut tries = 0_u32;
    loop {
        let failed = match tokio::time::timeout_at(deadline, once()).await {
            Ok(Ok(done)) => return Ok(done),
            Ok(Err(failed)) => failed,
            Err(elapsed) => {
                let failed = Failed {
                    class: Class::Unknown,
                    cause: std::sync::Arc::new(elapsed),
                };
                let in_doubt = true;
                return Err(GaveUp { failed, in_doubt });
            }
        };
        in_doubt |= failed.class == Class::Unknown;
        let Some((first, longest)) = pauses(failed.class) else {
            return Err(GaveUp { failed, in_doubt });
        };
        let bound = (first << tries.min(16)).min(longest);
        let pause = Duration::from_millis((host.random() % u128::from(bound + 1)) as u64);
        if Instant::now() + pause >= deadline {
            return Err(GaveUp { failed, in_doubt });
        }
        debug!(class = ?failed.class, cause = %failed.cause, ?pause, "tried again");
        tokio::time::sleep(pause).await;
        tries += 1;
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    };

    use lombard_service::host::SystemHost;

    use super::*;

    fn failed(class: Class) -> Failed {
        let cause = Arc::new(std::fmt::Error);
        Failed { class, cause }
    }

    /// Fails as told, then succeeds; how often it was called, and how it ended.
    async fn run(failures: &[Class]) -> (usize, Result<(), (Class, bool)>) {
        let calls = AtomicUsize::new(0);
        let host = SystemHost::default();
        let ended = persist(&host, || {
            let call = calls.fetch_add(1, Ordering::Relaxed);
            let ended = failures
                .get(call)
                .map_or(Ok(()), |class| Err(failed(*class)));
            async move { ended }
        });
        let ended = ended.await;
        (
            calls.into_inner(),
            ended.map_err(|it| (it.failed.class, it.in_doubt)),
        )
    }

    #[tokio::test(start_paused = true)]
    async fn only_what_may_be_tried_again_is() {
        use Class::{Conflict, Contended, Refused, Throttled, Unknown};
        assert_eq!(run(&[]).await, (1, Ok(())));
        assert_eq!(run(&[Contended, Throttled, Unknown]).await, (4, Ok(())));
        assert_eq!(run(&[Conflict(3)]).await, (1, Err((Conflict(3), false))));
        assert_eq!(run(&[Refused]).await, (1, Err((Refused, false))));
        assert_eq!(
            run(&[Unknown, Conflict(0)]).await,
            (2, Err((Conflict(0), true)))
        );
    }

    #[tokio::test(start_paused = true)]
    async fn it_ends_by_the_deadline() {
        let begun = Instant::now();
        let end = begun + Duration::from_millis(300);
        let throttled = [Class::Throttled; 1000];
        let (calls, ended) = deadline::by(end, run(&throttled)).await;
        assert_eq!(ended, Err((Class::Throttled, false)));
        assert!(Instant::now() <= end, "{calls} calls");
        let host = SystemHost::default();
        let silent = persist(&host, std::future::pending::<Result<(), Failed>>);
        let end = Instant::now() + Duration::from_millis(300);
        let gave_up = deadline::by(end, silent)
            .await
            .expect_err("nothing answers");
        assert!(gave_up.in_doubt, "it was asked, and nobody knows");
        assert_eq!(Instant::now(), end);
    }
}
