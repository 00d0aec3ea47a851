//! The fuzzing targets over their committed seeds, and over each seed damaged a little: what
//! libFuzzer does for hours, done for a moment wherever tests run.

#[path = "../../../fuzz/src/api.rs"]
mod api;
#[path = "../../../fuzz/src/disk.rs"]
mod disk;
#[path = "../../../fuzz/src/targets.rs"]
mod targets;

use std::{fs, path::Path};

use targets::{TARGETS, Target};

const SEEDS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../fuzz/seeds");
/// Damaged copies of each seed.
const DAMAGED: u64 = 24;

/// Numbers that look random and are the same each time.
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % bound.max(1)
    }
}

/// One bit flipped, one byte replaced, the end cut off, or a part said twice.
fn damaged(seed: &[u8], number: u64) -> Vec<u8> {
    let mut dice = Dice(number);
    let mut bytes = seed.to_vec();
    let at = dice.below(bytes.len());
    match (number % 4, bytes.get_mut(at)) {
        (0, Some(byte)) => *byte ^= 1 << dice.below(8),
        (1, Some(byte)) => *byte = dice.below(256) as u8,
        (2, _) => bytes.truncate(at),
        _ => bytes.extend_from_slice(&seed[at.min(seed.len())..]),
    }
    bytes
}

fn run((name, target): Target) -> usize {
    let folder = Path::new(SEEDS).join(name);
    let entries = fs::read_dir(&folder).unwrap_or_else(|error| panic!("{name}: {error}"));
    let mut files: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    for file in &files {
        let seed = fs::read(file).unwrap();
        target(&seed);
        (0..DAMAGED).for_each(|number| target(&damaged(&seed, number)));
    }
    files.len()
}

#[test]
fn every_target_survives_its_seeds_and_damaged_ones() {
    for target in TARGETS {
        assert!(run(target) > 0, "{} has no seeds", target.0);
    }
}

#[test]
fn every_folder_of_seeds_and_every_program_has_its_target() {
    let named = |name: &str| TARGETS.iter().any(|(known, _)| *known == name);
    for (folder, suffix) in [("seeds", ""), ("fuzz_targets", ".rs")] {
        let folder = Path::new(SEEDS).with_file_name(folder);
        let mut count = 0;
        for entry in fs::read_dir(folder).unwrap() {
            let name = entry.unwrap().file_name().into_string().unwrap();
            assert!(named(name.trim_end_matches(suffix)), "{name}");
            count += 1;
        }
        assert_eq!(count, TARGETS.len());
    }
}
