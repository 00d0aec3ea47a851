//! A circuit breaker: a rail that fails is left alone for a while, so that payments wait where
//! they can still be cancelled instead of piling up in doubt.
//!
//! Pure: the moment is an argument. It opens when more than 5 % of the calls of the last minute
//! failed (and there were enough of them to speak of a share), lets one call through after
//! 30 seconds, and closes or stays open by what becomes of that one.

use std::collections::VecDeque;

use lombard_core::time::Timestamp;

/// How long calls are remembered, in milliseconds.
const WINDOW_MS: u64 = 60_000;
/// The window is counted in slices of this length, so that it needs sixty numbers and no list.
const SLICE_MS: u64 = 1_000;
/// With fewer calls than this in the window a share says nothing.
const CALLS_MIN: u32 = 20;
/// Errors for each hundred calls above which it opens.
const ERRORS_PERCENT: u32 = 5;
/// How long it stays open before one call may try, in milliseconds.
const OPEN_MS: u64 = 30_000;

/// See the module.
#[derive(Debug, Default)]
pub struct Breaker {
    slices: VecDeque<Slice>,
    state: State,
    worked_at: Option<Timestamp>,
}

/// How the way behind a breaker does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Health {
    /// `closed`, `trying` one call, or `open`.
    pub breaker: &'static str,
    /// Calls of the last minute that count.
    pub calls: u32,
    /// How many of them failed.
    pub errors: u32,
    /// When a call worked last, of those since the process began.
    pub worked_at: Option<Timestamp>,
}

#[derive(Debug)]
struct Slice {
    at: u64,
    calls: u32,
    errors: u32,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum State {
    #[default]
    Closed,
    /// Nothing passes before this moment; then one call does.
    Open { until: Timestamp },
    /// One call is under way; if it is never heard of again, another may try at that moment.
    Trying { until: Timestamp },
}

/// Whether a call may be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pass {
    /// Go ahead.
    Go,
    /// Come back in so many milliseconds.
    Wait(u64),
}

impl Breaker {
    /// Whether a call may be made now. A caller that is told to go reports what became of it
    /// ([`Breaker::note`]), or that there was no call ([`Breaker::unused`]).
    pub fn ask(&mut self, now: Timestamp) -> Pass {
        match self.state {
            State::Closed => Pass::Go,
            State::Open { until } | State::Trying { until } if now < until => {
                Pass::Wait(until.ms_since(now))
            }
            State::Open { .. } | State::Trying { .. } => {
                self.state = State::Trying {
                    until: now.plus_ms(OPEN_MS),
                };
                Pass::Go
            }
        }
    }

    /// Whether a call would be told to go.
    #[must_use]
    pub fn would_pass(&self, now: Timestamp) -> bool {
        match self.state {
            State::Closed => true,
            State::Open { until } | State::Trying { until } => now >= until,
        }
    }

    /// A call that was told to go is not made: if it was the one that may try, another may at once.
    pub fn unused(&mut self, now: Timestamp) {
        if let State::Trying { .. } = self.state {
            self.state = State::Open { until: now };
        }
    }

    /// Whether calls are held back at the moment.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.state != State::Closed
    }

    /// As a metric: 0 closed, 1 trying one call, 2 open.
    #[must_use]
    pub const fn level(&self) -> f64 {
        match self.state {
            State::Closed => 0.0,
            State::Trying { .. } => 1.0,
            State::Open { .. } => 2.0,
        }
    }

    /// How its way does.
    #[must_use]
    pub fn health(&self, now: Timestamp) -> Health {
        let oldest = oldest_slice(now);
        let recent = self.slices.iter().filter(|slice| slice.at > oldest);
        let (calls, errors) = recent.fold((0, 0), |(calls, errors), slice| {
            (calls + slice.calls, errors + slice.errors)
        });
        Health {
            breaker: match self.state {
                State::Closed => "closed",
                State::Trying { .. } => "trying",
                State::Open { .. } => "open",
            },
            calls,
            errors,
            worked_at: self.worked_at,
        }
    }

    /// Notes what became of a call. Says whether the breaker opened or closed by it.
    pub fn note(&mut self, now: Timestamp, worked: bool) -> Option<Change> {
        if worked {
            self.worked_at = Some(now);
        }
        match (self.state, worked) {
            (State::Trying { .. }, true) => {
                self.state = State::Closed;
                self.slices.clear();
                Some(Change::Closed)
            }
            (State::Trying { .. }, false) => {
                self.open(now);
                None
            }
            // A call that was under way when it opened says nothing new.
            (State::Open { .. }, _) => None,
            (State::Closed, _) => {
                self.count(now, worked);
                let calls: u32 = self.slices.iter().map(|slice| slice.calls).sum();
                let errors: u32 = self.slices.iter().map(|slice| slice.errors).sum();
                let share = errors * 100 > calls * ERRORS_PERCENT;
                (calls >= CALLS_MIN && share).then(|| {
                    self.open(now);
                    Change::Opened
                })
            }
        }
    }

    fn open(&mut self, now: Timestamp) {
        self.state = State::Open {
            until: now.plus_ms(OPEN_MS),
        };
    }

    fn count(&mut self, now: Timestamp, worked: bool) {
        let at = now.unix_ms() / SLICE_MS;
        let oldest = oldest_slice(now);
        while self.slices.front().is_some_and(|slice| slice.at <= oldest) {
            self.slices.pop_front();
        }
        if self.slices.back().is_none_or(|slice| slice.at < at) {
            self.slices.push_back(Slice {
                at,
                calls: 0,
                errors: 0,
            });
        }
        if let Some(slice) = self.slices.back_mut() {
            slice.calls = slice.calls.saturating_add(1);
            slice.errors = slice.errors.saturating_add(u32::from(!worked));
        }
    }
}

/// The last slice that is no longer within the window.
fn oldest_slice(now: Timestamp) -> u64 {
    (now.unix_ms() / SLICE_MS).saturating_sub(WINDOW_MS / SLICE_MS)
}

/// What a call changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// From now on calls are held back.
    Opened,
    /// The rail works again.
    Closed,
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Timestamp = Timestamp::from_unix_ms(1_795_000_000_000);

    fn opened_at(now: Timestamp) -> Breaker {
        let mut breaker = Breaker::default();
        for _ in 0..CALLS_MIN {
            breaker.note(now, false);
        }
        breaker
    }

    #[test]
    fn a_trial_that_is_not_made_is_another_s_at_once() {
        let mut breaker = Breaker::default();
        let start = Timestamp::from_unix_ms(1_000_000);
        breaker.unused(start);
        assert_eq!(breaker.ask(start), Pass::Go);
        for _ in 0..CALLS_MIN {
            breaker.note(start, false);
        }
        let later = start.plus_ms(OPEN_MS);
        assert_eq!(breaker.ask(later), Pass::Go);
        assert_eq!(breaker.ask(later), Pass::Wait(OPEN_MS));
        breaker.unused(later);
        assert_eq!(breaker.ask(later), Pass::Go);
    }

    #[test]
    fn few_errors_among_many_calls_and_few_calls_leave_it_closed() {
        let mut breaker = Breaker::default();
        for n in 0..100 {
            assert_eq!(breaker.note(START, n % 20 != 19), None, "{n}");
        }
        let mut breaker = Breaker::default();
        for _ in 1..CALLS_MIN {
            assert_eq!(breaker.note(START, false), None);
        }
        assert_eq!(breaker.ask(START), Pass::Go);
        assert_eq!(breaker.note(START, false), Some(Change::Opened));
    }

    #[test]
    fn its_health_is_the_last_minute_s_and_the_last_that_worked() {
        let mut breaker = Breaker::default();
        let at = |ms| Timestamp::from_unix_ms(ms);
        assert_eq!(breaker.health(at(1_000)).worked_at, None);
        breaker.note(at(1_000), true);
        breaker.note(at(30_000), false);
        let health = breaker.health(at(31_000));
        assert_eq!((health.calls, health.errors), (2, 1));
        let health = breaker.health(at(70_000));
        assert_eq!(
            (health.calls, health.errors),
            (1, 1),
            "the first is too old"
        );
        assert_eq!(health.worked_at, Some(at(1_000)));
        assert_eq!(opened_at(at(70_000)).health(at(70_001)).breaker, "open");
    }

    #[test]
    fn errors_of_more_than_a_minute_ago_do_not_count() {
        let mut breaker = Breaker::default();
        for _ in 1..CALLS_MIN {
            breaker.note(START, false);
        }
        let later = START.plus_ms(WINDOW_MS + SLICE_MS);
        for _ in 0..CALLS_MIN {
            assert_eq!(breaker.note(later, true), None);
        }
        assert!(!breaker.is_open());
    }

    #[test]
    fn one_call_tries_after_half_a_minute_and_decides() {
        let mut breaker = opened_at(START);
        assert_eq!(breaker.ask(START.plus_ms(1)), Pass::Wait(OPEN_MS - 1));
        let half = START.plus_ms(OPEN_MS);
        assert_eq!(breaker.ask(half), Pass::Go);
        assert_eq!(breaker.ask(half), Pass::Wait(OPEN_MS), "one at a time");
        assert_eq!(breaker.note(half, false), None);
        let again = half.plus_ms(OPEN_MS);
        assert_eq!(breaker.ask(half.plus_ms(1)), Pass::Wait(OPEN_MS - 1));
        assert_eq!(breaker.ask(again), Pass::Go);
        assert_eq!(breaker.note(again, true), Some(Change::Closed));
        assert_eq!(breaker.ask(again), Pass::Go);
        assert_eq!(breaker.note(again, false), None, "the past is forgotten");
    }

    #[test]
    fn a_try_that_is_never_heard_of_does_not_block_the_next() {
        let mut breaker = opened_at(START);
        let half = START.plus_ms(OPEN_MS);
        assert_eq!(breaker.ask(half), Pass::Go);
        assert_eq!(breaker.ask(half.plus_ms(OPEN_MS)), Pass::Go);
    }
}
