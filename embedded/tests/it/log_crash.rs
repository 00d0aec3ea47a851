//! Power is lost at each step, and of the sectors that were not synced any subset is kept.

use crate::{
    disk::{Effect, Fault, SimDisk},
    log_help::{Dice, append, filled, group, groups, open},
};

const GROUPS: usize = 8;
/// With up to this many sectors in flight every subset is tried; with more, some at random.
const ALL_SUBSETS_MAX: usize = 6;

/// Opens a log and appends groups until the power goes. Says how many were acknowledged.
fn run(disk: &SimDisk) -> usize {
    let Ok(mut log) = open(disk) else { return 0 };
    let before = log.found.len();
    (before..GROUPS)
        .take_while(|n| append(&mut log.writer, &group(*n)).is_ok())
        .count()
        + before
}

fn power_loss(step: usize) -> Option<Fault> {
    Some(Fault {
        step,
        error: None,
        effect: Effect::Nothing,
        stays: false,
    })
}

/// Everything acknowledged is there, and at most the one group more that was under way; and the log goes on.
fn check(disk: &SimDisk, acknowledged: usize, context: &str) {
    let mut log = open(disk).unwrap_or_else(|error| panic!("{context}: {error}"));
    let found = log.found.len();
    assert!(
        (acknowledged..=acknowledged + 1).contains(&found),
        "{context}: {found} found"
    );
    assert_eq!(log.found, groups(found), "{context}");
    append(&mut log.writer, &group(found)).unwrap_or_else(|error| panic!("{context}: {error}"));
    drop(log);
    let again = open(disk).unwrap_or_else(|error| panic!("{context}, again: {error}"));
    assert_eq!(again.found, groups(found + 1), "{context}, again");
    assert!(
        again.torn.is_none(),
        "{context}: the torn write was not cut"
    );
}

/// Calls `with` for subsets of the sectors in flight.
fn subsets(disk: &SimDisk, dice: &mut Dice, mut with: impl FnMut(SimDisk, String)) {
    let dirty = disk.dirty();
    let all = dirty.len() <= ALL_SUBSETS_MAX;
    for subset in 0..if all { 1 << dirty.len() } else { 48_u64 } {
        // The first two are nothing and everything; the others lose few, many or half of the sectors.
        let bias = dice.roll() % 3;
        let kept = |dice: &mut Dice, n: usize| match subset {
            _ if all => subset >> n & 1 == 1,
            0 => false,
            1 => true,
            _ => dice.roll() % 4 > bias,
        };
        let kept: Vec<_> = (0..dirty.len()).map(|n| kept(dice, n)).collect();
        let keep = |file, sector| {
            dirty
                .iter()
                .position(|it| *it == (file, sector))
                .is_some_and(|n| kept[n])
        };
        for names in [false, true] {
            with(
                disk.after_power_loss(names, keep),
                format!("subset {subset}, names {names}"),
            );
        }
    }
}

#[test]
fn nothing_acknowledged_is_lost_when_power_is_lost_at_any_step() {
    let steps = {
        let disk = SimDisk::default();
        run(&disk);
        disk.steps()
    };
    assert!(steps > 2 * GROUPS, "each group is a write and a sync");
    let mut dice = Dice(1);
    for step in 1..=steps {
        let disk = SimDisk::default();
        disk.fail(power_loss(step));
        let acknowledged = run(&disk);
        subsets(&disk, &mut dice, |disk, subset| {
            check(&disk, acknowledged, &format!("step {step}, {subset}"));
        });
    }
}

/// Power is lost once in a write, and then again at each step of the opening that cuts it off.
#[test]
fn recovery_survives_the_loss_of_power_at_any_step() {
    let mut dice = Dice(2);
    // The last group, of 9,000 bytes, torn in several ways.
    let whole = filled(6);
    let disk = whole.copy();
    let mut log = open(&disk).expect("a good log");
    disk.fail(Some(Fault {
        step: disk.steps() + 2,
        error: None,
        effect: Effect::Nothing,
        stays: false,
    }));
    append(&mut log.writer, &group(6)).expect_err("the power is lost before the sync");
    subsets(&disk, &mut dice, |torn, subset| {
        let steps = {
            let disk = torn.copy();
            drop(open(&disk).expect("torn"));
            disk.steps()
        };
        for step in 1..=steps {
            let disk = torn.copy();
            disk.fail(power_loss(step));
            assert!(open(&disk).is_err());
            for keep in [0, 1, 2] {
                let after = disk.after_power_loss(true, |_, sector| match keep {
                    0 => false,
                    1 => true,
                    _ => sector % 2 == 0,
                });
                let log =
                    open(&after).unwrap_or_else(|e| panic!("{subset}, step {step}, {keep}: {e}"));
                assert!(
                    matches!(log.found.len(), 6 | 7),
                    "{subset}, step {step}, {keep}"
                );
                assert_eq!(log.found, groups(log.found.len()));
            }
        }
    });
}

/// A write is cut at each byte, even within a sector, which the fault model excludes: what was there before
/// it is still never lost in silence.
#[test]
fn a_write_cut_at_any_byte_loses_nothing_before_it() {
    for count in [3, 4, 7] {
        let whole = filled(count);
        let log = open(&whole.copy()).expect("a good log");
        let at = log.reader.last_frame().expect("it has frames");
        let name = lombard_embedded::log::file_name(at.segment);
        let content = whole.content(&name);
        let end = content
            .iter()
            .rposition(|byte| *byte != 0)
            .expect("it has a frame");
        for cut in at.offset as usize..=end {
            let disk = whole.copy();
            disk.change(&name, |bytes| bytes[cut..].fill(0));
            match open(&disk) {
                Ok(log) => {
                    assert!(log.found.len() >= count - 1, "cut at {cut}");
                    assert_eq!(log.found, groups(log.found.len()), "cut at {cut}");
                }
                Err(error) => assert!(
                    error.to_string().contains("damaged"),
                    "cut at {cut}: {error}"
                ),
            }
        }
    }
}
