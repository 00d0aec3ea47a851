//! The simulated worlds, few of each kind: that a seed is a world, that nothing is found, that each
//! effect can fail in each way, and that both banks come to the same. `cargo xtask sim` runs them
//! by the thousand.

use std::collections::BTreeSet;

use lombard_sim::world::{Outcome, Setting, engine, run, strike, weather::Weather};

fn fails(outcome: &Outcome) -> Option<String> {
    let violation = outcome.violation.as_ref()?;
    Some(format!("{}: {}", violation.subject, violation.found))
}

#[test]
fn the_same_seed_is_the_same_world_byte_for_byte() {
    for seed in [1, 3, 5, 8] {
        let told = true;
        let setting = Setting {
            seed,
            told,
            ..Setting::default()
        };
        let (first, second) = (run(&setting), run(&setting));
        assert!(first.history.len() > 20, "a world in which nothing happens");
        for (line, again) in first.history.iter().zip(&second.history) {
            assert_eq!(line, again, "seed {seed}");
        }
        assert_eq!(first.history.len(), second.history.len());
        assert_eq!(first.records, second.records);
    }
}

#[test]
fn nothing_is_found_in_the_first_worlds() {
    for seed in 0..8 {
        let outcome = run(&Setting {
            seed,
            ..Setting::default()
        });
        assert_eq!(fails(&outcome), None, "seed {seed}");
    }
}

/// One small world, in which nothing else goes wrong, once for each effect and each way in which
/// it can fail: every step of every worker is cut off there, and done again by whoever comes
/// after. `cargo xtask sim --strike` does it to larger ones.
#[test]
fn every_effect_may_fail_in_every_way_under_both_banks() {
    for seed in [2, 3] {
        let setting = Setting {
            steps: Some(2),
            ..strike::world(seed)
        };
        let struck = strike::strike(&setting);
        assert!(struck.worlds > 100, "{} worlds", struck.worlds);
        let failed = struck.failed.map(|(effect, blow, found)| {
            format!("seed {seed}, effect {effect}: {blow:?}: {found:?}")
        });
        assert_eq!(failed, None);
    }
}

/// What a small world's effects are: together those of every worker and every saga, so that striking them
/// strikes all.
#[test]
fn the_struck_worlds_have_the_effects_of_every_worker() {
    let kinds: BTreeSet<String> = (0..40)
        .flat_map(|seed| run(&strike::world(seed)).kinds)
        .collect();
    for kind in [
        "a cursor",
        "a delivery",
        "a read",
        "a sync",
        "a timer",
        "a webhook",
        "a worker's news",
        "a write",
        "an answer",
        "an exception",
        "the enquiry",
        "the head of the log",
        "the instruction",
        "the recall",
        "the roll-up",
    ] {
        assert!(kinds.contains(kind), "no {kind} among {kinds:?}");
    }
}

/// Lives of the embedded engine, each of which ends with the power lost or a disk that refuses.
#[test]
fn the_engine_keeps_what_it_answered_whatever_its_disk_does() {
    for seed in 0..6 {
        let folder = tempfile::tempdir().expect("a folder");
        let outcome = engine::run(seed, folder.path());
        assert_eq!(outcome.violation, None, "seed {seed}");
        assert!(outcome.answered > 0, "seed {seed}: nothing was answered");
    }
}

/// Two runners of every worker do every step twice, or at least try to.
#[test]
fn every_step_may_be_run_twice() {
    for seed in 0..6 {
        let weather = Weather {
            hosts: 2,
            ..Weather::fine(false)
        };
        let outcome = run(&Setting {
            seed,
            weather: Some(weather),
            ..Setting::default()
        });
        assert_eq!(fails(&outcome), None, "seed {seed}");
    }
}

#[test]
fn both_banks_answer_alike_and_leave_the_same_records() {
    for seed in 0..6 {
        let world = |one_writer| {
            // One client, so that its commands come one after the other.
            let outcome = run(&Setting {
                seed,
                without_clients: vec![1, 2, 3],
                weather: Some(Weather::fine(one_writer)),
                told: true,
                ..Setting::default()
            });
            assert_eq!(fails(&outcome), None, "seed {seed}");
            let told = |line: &&String| line.contains(" is told ") || line.contains(" is refused");
            let answers: Vec<String> = outcome.history.iter().filter(told).cloned().collect();
            let mut records = outcome.records;
            // How far workers noted that they came is theirs alone.
            records.retain(|key, _| !key.partition().starts_with("cursor#"));
            (answers, records)
        };
        let ((told, records), (told_too, records_too)) = (world(false), world(true));
        assert_eq!(told, told_too, "seed {seed}");
        for (key, record) in &records {
            assert_eq!(Some(record), records_too.get(key), "seed {seed}: {key:?}");
        }
        assert_eq!(records.len(), records_too.len(), "seed {seed}");
    }
}
