//! A disk that fails while it is used: what was answered stays true, and nothing is built on doubt.

use std::io::ErrorKind;

use lombard_embedded::log::AppendError;

use crate::{
    disk::{Effect, Fault, SimDisk},
    log_help::{append, filled, group, groups, open},
};

fn fault(step: usize, error: ErrorKind, effect: Effect) -> Option<Fault> {
    Some(Fault {
        step,
        error: Some(error),
        effect,
        stays: false,
    })
}

/// Each write and each sync fails once, with and without having been done. The log takes no more, and after
/// opening again holds all that was acknowledged.
#[test]
fn a_failed_write_or_sync_poisons_the_log_until_it_is_opened_again() {
    for (step, effect) in [
        (1, Effect::Nothing),
        (1, Effect::Done),
        (2, Effect::Nothing),
        (2, Effect::Done),
    ] {
        let disk = filled(2);
        let mut log = open(&disk).expect("a good log");
        disk.fail(fault(disk.steps() + step, ErrorKind::Other, effect));
        let failed = append(&mut log.writer, &group(2));
        assert!(
            matches!(failed, Err(AppendError::Failed(_))),
            "{step} {effect:?}: {failed:?}"
        );
        // The disk is well again, but what it holds is not known.
        let refused = append(&mut log.writer, &group(3));
        assert!(
            matches!(refused, Err(AppendError::Poisoned)),
            "{step} {effect:?}: {refused:?}"
        );
        assert_eq!(log.reader.head().0, 2, "what is in doubt is not shown");
        drop(log);
        let mut log = open(&disk).expect("it opens");
        let found = log.found.len();
        assert!(matches!(found, 2 | 3));
        assert_eq!(log.found, groups(found));
        append(&mut log.writer, &group(found)).expect("it goes on");
    }
}

/// The sync fails and the kernel forgets that the pages were dirty: the next process reads them, but they are
/// not on the disk. Opening must make them durable before it builds on them.
#[test]
fn what_is_read_after_a_failed_sync_is_made_durable_before_it_is_built_on() {
    let disk = filled(2);
    let mut log = open(&disk).expect("a good log");
    disk.fail(fault(disk.steps() + 2, ErrorKind::Other, Effect::Nothing));
    append(&mut log.writer, &group(2)).expect_err("the sync fails");
    drop(log);
    let mut log = open(&disk).expect("it opens");
    assert_eq!(log.found, groups(3), "read from the page cache");
    append(&mut log.writer, &group(3)).expect("it goes on");
    drop(log);
    let after = disk.after_power_loss(true, |_, _| false);
    assert_eq!(open(&after).expect("nothing is torn").found, groups(4));
}

#[test]
fn short_writes_are_continued() {
    for step in 1..=8 {
        let disk = SimDisk::default();
        disk.fail(fault(step, ErrorKind::Other, Effect::Short));
        let Ok(mut log) = open(&disk) else { continue }; // That step was no write.
        for n in 0..3 {
            if append(&mut log.writer, &group(n)).is_err() {
                break;
            }
        }
        drop(log);
        let found = open(&disk.after_power_loss(true, |_, _| false))
            .expect("it opens")
            .found;
        assert_eq!(found, groups(found.len()), "step {step}");
    }
}

/// A full disk is met before anything is accepted: nothing is in doubt, and it goes on when there is room.
#[test]
fn a_full_disk_refuses_and_later_resumes() {
    for kind in [ErrorKind::StorageFull, ErrorKind::QuotaExceeded] {
        let disk = SimDisk::default();
        let mut log = open(&disk).expect("a new log");
        for n in 0..2 {
            append(&mut log.writer, &group(n)).expect("fits the first segment");
        }
        disk.fail(Some(Fault {
            step: disk.steps() + 2,
            error: Some(kind),
            effect: Effect::Nothing,
            stays: true,
        }));
        for _ in 0..3 {
            let refused = append(&mut log.writer, &group(6));
            assert!(matches!(refused, Err(AppendError::Full)), "{refused:?}");
        }
        disk.fail(None);
        append(&mut log.writer, &group(2)).expect("there is room again");
        drop(log);
        let log = open(&disk.after_power_loss(true, |_, _| false)).expect("it opens");
        assert_eq!(log.found, groups(3));
    }
}

#[test]
fn a_group_that_could_be_taken_for_a_torn_one_is_refused_unwritten() {
    let disk = filled(1);
    let mut log = open(&disk).expect("a good log");
    let before = disk.all();
    for bad in [vec![0; 2000], vec![1; 3 * 4096 + 4096]] {
        let refused = append(&mut log.writer, &bad);
        assert!(
            matches!(refused, Err(AppendError::Unwritable { .. })),
            "{refused:?}"
        );
    }
    assert_eq!(disk.all(), before);
    append(&mut log.writer, &group(1)).expect("the log is not harmed");
}

#[test]
fn a_read_only_folder_is_named_as_such() {
    for step in 1..=2 {
        for kind in [ErrorKind::ReadOnlyFilesystem, ErrorKind::PermissionDenied] {
            let disk = SimDisk::default();
            disk.fail(fault(step, kind, Effect::Nothing));
            let error = open(&disk)
                .map(|_| ())
                .expect_err("it cannot be written")
                .to_string();
            assert!(error.contains("read-only"), "{error}");
        }
    }
}
