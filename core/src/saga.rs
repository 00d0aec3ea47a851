//! The orchestration of a payment as a table: each step with its time-out, its retries, what
//! undoes it and what comes next. Workers run it; other orchestrators are rendered from it, so
//! there is one source of truth.

pub mod asl;

use crate::event::Errand;

/// One step of a payment's saga.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SagaStep {
    /// Its name, as in traces and metrics.
    pub name: StepName,
    /// What sets it off, when a worker carries it out; a step without is part of a commit.
    pub errand: Option<Errand>,
    /// After how many milliseconds the outside world has not answered.
    pub timeout_ms: u64,
    /// What is tried again, and how.
    pub retry: Retry,
    /// Which step undoes it once it is done; `None` when it leaves nothing to undo.
    pub undone_by: Option<StepName>,
    /// What follows a yes.
    pub then: Option<StepName>,
    /// What follows a time-out or a used-up retry.
    pub otherwise: Option<StepName>,
}

/// The names of the steps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum StepName {
    /// Wait for a person's or a check's answer.
    Verify,
    /// Hold the money, or wait for it.
    Reserve,
    /// Send the instruction to the rail.
    Submit,
    /// Ask the rail what became of it.
    Enquire,
    /// Post the hold.
    Post,
    /// Release the hold.
    Release,
    /// Wait for reconciliation.
    Settle,
    /// Show it to a person.
    Escalate,
}

/// How a step is tried again: at most `max` times more, after `base_ms` doubled each time up to
/// `cap_ms`, with full jitter. Only what certainly did nothing is tried again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retry {
    /// How often.
    pub max: u32,
    /// The first pause in milliseconds.
    pub base_ms: u64,
    /// The longest pause in milliseconds.
    pub cap_ms: u64,
}

impl Retry {
    /// Never.
    pub const NONE: Self = Self {
        max: 0,
        base_ms: 0,
        cap_ms: 0,
    };

    /// The longest pause before the `n`th further try, from 0, in milliseconds; the caller draws
    /// a random part of it. `None` when there is none left.
    #[must_use]
    pub fn pause_ms(&self, n: u32) -> Option<u64> {
        (n < self.max).then(|| (self.base_ms << n.min(32)).min(self.cap_ms))
    }
}

/// How long a person may take before a payment in verification fails: a day, as
/// [`crate::limits::WAIT_MS_DEFAULT`].
const PERSON_MS: u64 = crate::limits::WAIT_MS_DEFAULT;
/// How long we wait for a rail or PSP before the outcome is in doubt (design, section 6).
pub const RAIL_TIMEOUT_MS: u64 = 3_000;

/// The whole saga.
pub const STEPS: [SagaStep; 8] = [
    SagaStep {
        name: StepName::Verify,
        errand: None,
        timeout_ms: PERSON_MS,
        retry: Retry::NONE,
        undone_by: None,
        then: Some(StepName::Reserve),
        otherwise: None,
    },
    SagaStep {
        name: StepName::Reserve,
        errand: None,
        timeout_ms: PERSON_MS,
        retry: Retry::NONE,
        undone_by: Some(StepName::Release),
        then: Some(StepName::Submit),
        otherwise: None,
    },
    SagaStep {
        name: StepName::Submit,
        errand: Some(Errand::Submit),
        timeout_ms: RAIL_TIMEOUT_MS,
        // A connection that was refused never reached the rail: that alone is tried again here.
        retry: Retry {
            max: 3,
            base_ms: 100,
            cap_ms: 2_000,
        },
        undone_by: None,
        then: Some(StepName::Post),
        otherwise: Some(StepName::Enquire),
    },
    SagaStep {
        name: StepName::Enquire,
        errand: None,
        timeout_ms: RAIL_TIMEOUT_MS,
        retry: Retry {
            max: crate::plan::ENQUIRIES_MAX,
            base_ms: 2_000,
            cap_ms: 3_600_000,
        },
        undone_by: None,
        then: Some(StepName::Post),
        otherwise: Some(StepName::Escalate),
    },
    SagaStep {
        name: StepName::Post,
        errand: None,
        timeout_ms: 0,
        retry: Retry::NONE,
        undone_by: None,
        then: Some(StepName::Settle),
        otherwise: None,
    },
    SagaStep {
        name: StepName::Release,
        errand: None,
        timeout_ms: 0,
        retry: Retry::NONE,
        undone_by: None,
        then: None,
        otherwise: None,
    },
    SagaStep {
        name: StepName::Settle,
        errand: None,
        timeout_ms: 3 * 24 * 60 * 60 * 1000,
        retry: Retry::NONE,
        undone_by: None,
        then: None,
        otherwise: Some(StepName::Escalate),
    },
    SagaStep {
        name: StepName::Escalate,
        errand: Some(Errand::Unresolved),
        timeout_ms: 0,
        retry: Retry::NONE,
        undone_by: None,
        then: None,
        otherwise: None,
    },
];

/// The step of a name.
#[must_use]
pub const fn step(name: StepName) -> SagaStep {
    match name {
        StepName::Verify => STEPS[0],
        StepName::Reserve => STEPS[1],
        StepName::Submit => STEPS[2],
        StepName::Enquire => STEPS[3],
        StepName::Post => STEPS[4],
        StepName::Release => STEPS[5],
        StepName::Settle => STEPS[6],
        StepName::Escalate => STEPS[7],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_finds_its_step_and_every_path_ends() {
        for known in STEPS {
            assert_eq!(step(known.name), known);
            let mut at = Some(known.name);
            let mut length = 0;
            while let Some(name) = at {
                at = step(name).then;
                length += 1;
                assert!(length <= STEPS.len(), "{known:?} runs in a circle");
            }
        }
    }

    #[test]
    fn pauses_double_up_to_the_cap_and_end() {
        let retry = step(StepName::Submit).retry;
        let pauses: Vec<_> = (0..5).map(|n| retry.pause_ms(n)).collect();
        assert_eq!(pauses, [Some(100), Some(200), Some(400), None, None]);
    }
}
