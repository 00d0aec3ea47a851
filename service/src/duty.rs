//! On whose duty work is done: the API's, a consumer's, a timer's. Whoever meters a port asks here,
//! so that every operation is charged to the component that asked for it.
//!
//! It goes with the task and not with the call. A task that is spawned begins without one, so
//! whoever spawns names the duty again.

use std::future::Future;

tokio::task_local! {
    static DUTY: &'static str;
}

/// The duty of work that nobody has named.
pub const UNNAMED: &str = "other";

/// Does `work` on the duty of `name`.
pub async fn on<F: Future>(name: &'static str, work: F) -> F::Output {
    DUTY.scope(name, work).await
}

/// On whose duty this task is.
#[must_use]
pub fn current() -> &'static str {
    DUTY.try_with(|name| *name).unwrap_or(UNNAMED)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_duty_ends_with_its_work_and_is_not_inherited() {
        let within = on("rails", async {
            let spawned = tokio::spawn(async { current() }).await;
            (current(), spawned.expect("it does not panic"))
        });
        assert_eq!(within.await, ("rails", UNNAMED));
        assert_eq!(current(), UNNAMED);
    }
}
