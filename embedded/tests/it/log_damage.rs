//! Damage is refused, with its place, and nothing is changed. Never is anything lost in silence.

use lombard_embedded::log::{BLOCK, Damage, Fault, Known, OpenError, Position, file_name};

use crate::{
    disk::SimDisk,
    log_help::{append, filled, group, groups, open, open_known},
};

const COUNT: usize = 5;

/// Opens a changed log: everything is there, or it is refused as damaged and left as it is.
fn all_or_loud(disk: &SimDisk, context: impl Fn() -> String) -> bool {
    let before = disk.all();
    match open(disk) {
        Ok(log) => {
            assert_eq!(log.found, groups(COUNT), "{}", context());
            true
        }
        Err(OpenError::Damaged(_)) => {
            assert_eq!(disk.all(), before, "{}: changed", context());
            false
        }
        Err(other) => panic!("{}: {other:?}", context()),
    }
}

fn damage(disk: &SimDisk) -> Damage {
    match open(disk).map(|log| log.found.len()) {
        Err(OpenError::Damaged(damage)) => damage,
        other => panic!("not damaged: {other:?}"),
    }
}

#[test]
fn a_flipped_bit_anywhere_is_found() {
    let whole = filled(COUNT);
    for (name, content) in whole.all() {
        let mut zeroes = 0;
        for (offset, byte) in content.iter().enumerate() {
            // In the zeroes one byte of each 61 will do, and the first of each block.
            zeroes = if *byte == 0 { zeroes + 1 } else { 0 };
            if zeroes > 16 && offset % 61 != 0 && offset % BLOCK as usize != 0 {
                continue;
            }
            let disk = whole.copy();
            disk.change(&name, |bytes| bytes[offset] ^= 1 << (offset % 8));
            let opened = all_or_loud(&disk, || format!("{name}, byte {offset}"));
            assert!(
                !opened || *byte == 0,
                "{name}: the flip of byte {offset} went unseen"
            );
        }
    }
}

#[test]
fn a_lost_sector_before_the_last_frame_is_found() {
    let whole = filled(COUNT);
    let log = open(&whole.copy()).expect("a good log");
    let last = log.reader.last_frame().expect("it has frames");
    for (name, content) in whole.all() {
        for (n, sector) in content.chunks(512).enumerate() {
            if sector.iter().all(|byte| *byte == 0)
                || (&name, n * 512) >= (&file_name(last.segment), last.offset as usize)
            {
                continue;
            }
            let disk = whole.copy();
            disk.change(&name, |bytes| bytes[n * 512..(n + 1) * 512].fill(0));
            assert!(
                !all_or_loud(&disk, || format!("{name}, sector {n}")),
                "{name}, sector {n}"
            );
        }
    }
}

#[test]
fn a_segment_cut_or_grown_at_any_length_is_found() {
    let whole = filled(COUNT);
    let used = open(&whole.copy())
        .expect("a good log")
        .reader
        .end()
        .segment;
    for segment in 0..=used {
        let name = file_name(segment);
        let length = whole.content(&name).len();
        for cut in (0..length)
            .step_by(97)
            .chain([length - 1, length + 1, length + 4096])
        {
            let disk = whole.copy();
            disk.change(&name, |bytes| bytes.resize(cut, 0));
            assert!(
                !all_or_loud(&disk, || format!("{name} of {cut}")),
                "{name} of {cut}"
            );
        }
    }
}

#[test]
fn segments_missing_exchanged_or_foreign_are_found() {
    let whole = filled(COUNT);
    let (first, second) = (file_name(0), file_name(1));

    let disk = whole.copy();
    lombard_embedded::disk::Disk::remove(&disk, &first).expect("it exists");
    assert_eq!(damage(&disk).fault, Fault::MissingSegment);

    let disk = whole.copy();
    let (a, b) = (disk.content(&first), disk.content(&second));
    disk.change(&first, |bytes| *bytes = b);
    disk.change(&second, |bytes| *bytes = a);
    assert!(matches!(damage(&disk).fault, Fault::Chain { .. }));

    // Another log of the same transactions, whose first group was another.
    let other = SimDisk::default();
    let mut log = open(&other).expect("a new log");
    append(&mut log.writer, b"another beginning").expect("nothing fails");
    for n in 1..COUNT {
        append(&mut log.writer, &group(n)).expect("nothing fails");
    }
    let disk = whole.copy();
    disk.change(&second, |bytes| *bytes = other.content(&second));
    assert!(matches!(damage(&disk).fault, Fault::Chain { .. }));
}

#[test]
fn a_segment_missing_at_the_end_is_found_by_what_the_index_knows() {
    let whole = filled(COUNT);
    let log = open(&whole.copy()).expect("a good log");
    let (sequence, hash) = log.reader.head();
    let frame = log.reader.last_frame().expect("it has frames");
    let known = Known {
        sequence,
        hash,
        frame,
    };

    let again = open_known(&whole.copy(), Some(known)).expect("it holds what is known");
    assert_eq!(
        again.found,
        [group(COUNT - 1)],
        "the scan begins at what is known"
    );

    let disk = whole.copy();
    for segment in 1..=frame.segment {
        lombard_embedded::disk::Disk::remove(&disk, &file_name(segment)).expect("it exists");
    }
    let shorter = |disk: &SimDisk, known| match open_known(disk, Some(known)).map(|it| it.found) {
        Err(OpenError::Damaged(damage)) => {
            assert_eq!(damage.fault, Fault::Shorter { known: sequence })
        }
        other => panic!("{other:?}"),
    };
    shorter(&disk, known);
    shorter(&SimDisk::default(), known);
    shorter(
        &whole.copy(),
        Known {
            hash: [7; 32],
            ..known
        },
    );
    shorter(
        &whole.copy(),
        Known {
            frame: Position {
                segment: 0,
                offset: SEGMENT_END,
            },
            ..known
        },
    );

    // The last frame is gone as if it had never been written: only the index can tell.
    let disk = whole.copy();
    disk.change(&file_name(frame.segment), |bytes| {
        bytes[frame.offset as usize..].fill(0)
    });
    assert_eq!(
        open(&disk.copy()).expect("looks like a shorter log").found,
        groups(COUNT - 1)
    );
    shorter(&disk, known);
}

const SEGMENT_END: u32 = crate::log_help::SEGMENT;

#[test]
fn an_error_says_what_where_and_what_to_do() {
    let disk = filled(COUNT);
    disk.change(&file_name(1), |bytes| bytes[200] ^= 1);
    let error = open(&disk)
        .map(|log| log.found.len())
        .expect_err("damaged")
        .to_string();
    expect_test::expect![[r#"the log is damaged in segment 0000000001.log at offset 0: the frame's bytes do not match its hash. This is not the trace of a crash. Nothing was changed: copy the folder, check the disk, and restore the segment from a backup"#]].assert_eq(&error);
}
