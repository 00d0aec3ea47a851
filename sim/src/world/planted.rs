//! The simulation's own test: bugs on purpose, each of which it has to find.
//!
//! For each bug of [`lombard_core::planted`] the seeds are run in order until one shows it. What is
//! not shown within the budget is missed, and that is a fault of the simulation.

use std::{
    sync::atomic::{AtomicUsize, Ordering},
    time::{Duration, Instant},
};

use lombard_core::planted::{Bug, plant, plant_everywhere};
use parking_lot::Mutex;
use serde::Serialize;

use super::{Setting, audit::Violation, engine, run};

/// What became of one bug.
#[derive(Clone, Debug, Serialize)]
pub struct Hunt {
    /// Its name.
    pub bug: String,
    /// What it does wrong.
    pub what: &'static str,
    /// The first seed that shows it.
    pub seed: Option<u64>,
    /// What was found there.
    pub found: Option<String>,
}

/// How long one bug may stay hidden.
const BUDGET: Duration = Duration::from_secs(60);
/// Seeds that are tried for one bug at the most.
const SEEDS_MAX: u64 = 5_000;

/// Hunts every bug, on all cores.
#[must_use]
pub fn hunt_all() -> Vec<Hunt> {
    let next = AtomicUsize::new(0);
    let hunts = Mutex::new(Vec::new());
    let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while let Some(bug) = Bug::ALL.get(next.fetch_add(1, Ordering::Relaxed)) {
                    if is_of_the_engine(*bug) {
                        continue;
                    }
                    let hunt = hunt(*bug);
                    hunts.lock().push(hunt);
                }
            });
        }
    });
    // One after the other and after the others: they are everywhere while they are hunted.
    let engines = Bug::ALL.iter().filter(|bug| is_of_the_engine(**bug));
    hunts
        .lock()
        .extend(engines.map(|bug| hunt_in_the_engine(*bug)));
    let mut hunts = hunts.into_inner();
    hunts.sort_by(|a, b| a.bug.cmp(&b.bug));
    hunts
}

/// Whether a bug is one of the embedded engine, whose threads are not those of its hunter.
fn is_of_the_engine(bug: Bug) -> bool {
    matches!(
        bug,
        Bug::TornAccepted | Bug::SyncSkipped | Bug::IndexForgets | Bug::GroupForgets
    )
}

/// Hunts a bug of the engine.
fn hunt_in_the_engine(bug: Bug) -> Hunt {
    let begun = Instant::now();
    plant_everywhere(Some(bug));
    let seeds = (0..SEEDS_MAX).take_while(|_| begun.elapsed() < BUDGET);
    let shown = seeds.filter_map(|seed| {
        let folder = tempfile::tempdir().ok()?;
        Some((seed, engine::run(seed, folder.path()).violation?))
    });
    let shown = { shown }.next();
    plant_everywhere(None);
    told(bug, shown)
}

fn hunt(bug: Bug) -> Hunt {
    let begun = Instant::now();
    plant(Some(bug));
    let seeds = (0..SEEDS_MAX).take_while(|_| begun.elapsed() < BUDGET);
    let shown = seeds.filter_map(|seed| {
        let setting = Setting {
            seed,
            ..Setting::default()
        };
        Some((seed, run(&setting).violation?))
    });
    let shown: Option<(u64, Violation)> = { shown }.next();
    plant(None);
    told(bug, shown)
}

fn told(bug: Bug, shown: Option<(u64, Violation)>) -> Hunt {
    Hunt {
        bug: format!("{bug:?}"),
        what: bug.what(),
        seed: shown.as_ref().map(|(seed, _)| *seed),
        found: shown.map(|(_, violation)| format!("{}: {}", violation.subject, violation.found)),
    }
}
