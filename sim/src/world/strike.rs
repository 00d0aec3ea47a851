//! Every step of every worker and of every saga, failed at each effect and run again: one helper for all.
//!
//! A small world in which nothing else goes wrong is run once for each of its effects (a commit, a call of a
//! rail, a file of the log, a webhook) and each [`Blow`]: refused, lost, done and not told, dead before it, dead after it.
//! Whoever comes after does the step again, on what the store kept. The rail has its moods, so that there are
//! enquiries, returns and recalls to be struck.

use std::collections::BTreeSet;

use super::{
    Outcome, Setting,
    audit::Violation,
    life::Blow,
    run,
    weather::{Fault, Weather},
};

/// The most steps of each client: enough for a few payments of different fates.
const STEPS: u64 = 5;

/// What came of striking one world.
#[derive(Clone, Debug, Default)]
pub struct Struck {
    /// Worlds that were run.
    pub worlds: u64,
    /// The kinds of effects that were struck.
    pub kinds: BTreeSet<String>,
    /// The first failure: which effect, how it was struck, and what was found.
    pub failed: Option<(u64, Blow, Violation)>,
}

/// The world of a seed that is struck: nothing fails by itself, and the rail does whatever rails do.
#[must_use]
pub fn world(seed: u64) -> Setting {
    let one_writer = seed % 2 == 1;
    let weather = Weather {
        rejected: 200,
        pending: 300,
        never: 100,
        repeated: 200,
        taken_back: 200,
        returned: 300,
        ..Weather::fine(one_writer)
    };
    Setting {
        seed,
        steps: Some(STEPS),
        without: Fault::ALL.to_vec(),
        weather: Some(weather),
        ..Setting::default()
    }
}

/// Strikes each effect of a world in each way, until something is found.
#[must_use]
pub fn strike(setting: &Setting) -> Struck {
    let calm = run(setting);
    let mut struck = Struck {
        worlds: 1,
        kinds: calm.kinds.clone(),
        failed: None,
    };
    if let Some(violation) = calm.violation {
        struck.failed = Some((u64::MAX, Blow::Refused, violation));
        return struck;
    }
    for effect in 0..calm.effects {
        for blow in Blow::ALL {
            let outcome: Outcome = run(&Setting {
                struck: Some((effect, blow)),
                ..setting.clone()
            });
            struck.worlds += 1;
            if let Some(violation) = outcome.violation {
                struck.failed = Some((effect, blow, violation));
                return struck;
            }
        }
    }
    struck
}
