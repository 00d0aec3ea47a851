//! Puts commits together again out of the single items of one shard of the stream.
//!
//! Each item carries a stamp: which commit wrote it, and how many of its partition that commit wrote.
//! A group of that many is whole and can go on. A group whose rest has not come holds up later
//! groups of its partition, so that a record's changes stay in order, and nobody else's.
//!
//! An item collection lies in one shard unless DynamoDB has divided it for its heat, which takes more
//! than 1,000 writes a second to one partition; none of a payment's partitions has that. A group that
//! is still short after [`PATIENCE_MS`] goes on as it is, and the log says so.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use lombard_core::{store::Change, time::Timestamp};
use tracing::error;

use super::segment::Reached;
use crate::dynamo::Stamp;

/// How long a group waits for its rest.
pub const PATIENCE_MS: u64 = 30_000;

/// One record of the stream.
#[derive(Clone, Debug)]
pub struct Told {
    /// Its place in its shard.
    pub sequence: String,
    /// What it tells.
    pub change: Change,
    /// Of its commit; `None` for what was removed, which leaves no stamp.
    pub stamp: Option<Stamp>,
}

/// Changes that belong together.
#[derive(Clone, Debug)]
pub struct Group {
    /// In the order of their keys, each with the place of the record that it came from.
    pub changes: Vec<(String, Change)>,
    commit: Option<u128>,
    wanted: usize,
    since: Timestamp,
}

/// See the module.
#[derive(Debug, Default)]
pub struct Assembler {
    /// Groups that are not given out, by partition, the oldest first.
    open: BTreeMap<String, VecDeque<Group>>,
    /// Every record since `after` in the order of the shard, and whether it is given out.
    since: VecDeque<(String, bool)>,
    after: Option<String>,
    /// Records that were given out in a life before this one.
    known: BTreeSet<String>,
}

impl Assembler {
    /// Goes on where the journal says that a shard was.
    #[must_use]
    pub fn resume(reached: &Reached) -> Self {
        Self {
            after: reached.after.clone(),
            known: reached.beyond.iter().cloned().collect(),
            ..Self::default()
        }
    }

    /// Takes in the next record of the shard. One that was taken in before changes nothing.
    pub fn push(&mut self, told: Told, now: Timestamp) {
        let Told {
            sequence,
            change,
            stamp,
        } = told;
        let newest = self
            .since
            .back()
            .map(|(sequence, _)| sequence)
            .or(self.after.as_ref());
        if newest.is_some_and(|newest| !is_later(&sequence, newest)) {
            return;
        }
        if self.known.remove(&sequence) {
            self.since.push_back((sequence, true));
            return self.settle();
        }
        self.since.push_back((sequence.clone(), false));
        let groups = self
            .open
            .entry(change.key.partition().to_owned())
            .or_default();
        let of = |group: &&mut Group| {
            group.commit.is_some() && group.commit == stamp.map(|it| it.commit)
        };
        match groups.iter_mut().find(of) {
            Some(group) => {
                group.changes.push((sequence, change));
            }
            None => groups.push_back(Group {
                changes: vec![(sequence, change)],
                commit: stamp.map(|it| it.commit),
                wanted: stamp.map_or(1, |it| usize::from(it.siblings)),
                since: now,
            }),
        }
    }

    /// The next group that can go on. Say with [`Assembler::given`] when it is where it belongs.
    pub fn next(&mut self, now: Timestamp) -> Option<Group> {
        let ready = |group: &Group| {
            group.changes.len() >= group.wanted || now.ms_since(group.since) >= PATIENCE_MS
        };
        let mut fronts = self
            .open
            .iter()
            .filter(|(_, groups)| groups.front().is_some_and(ready));
        // In the order in which they came, so that the feed is in about the order of time.
        let order = |(_, groups): &(&String, &VecDeque<Group>)| {
            let first = groups.front().and_then(|group| group.changes.first());
            first.map_or((0, String::new()), |(it, _)| (it.len(), it.clone()))
        };
        let first = fronts.next()?;
        let (partition, _) = fronts.fold(first, |a, b| if order(&b) < order(&a) { b } else { a });
        let partition = partition.clone();
        let groups = self.open.get_mut(&partition)?;
        let mut group = groups.pop_front()?;
        if groups.is_empty() {
            self.open.remove(&partition);
        }
        if group.changes.len() < group.wanted {
            let (has, wanted) = (group.changes.len(), group.wanted);
            error!(
                partition,
                has, wanted, "a commit's rest has not come; it goes on without"
            );
        }
        group.changes.sort_by(|(_, a), (_, b)| a.key.cmp(&b.key));
        Some(group)
    }

    /// The record at this place is in the journal, or on its way in the next segment.
    pub fn given(&mut self, place: &str) {
        for (sequence, given) in &mut self.since {
            *given |= sequence == place;
        }
        self.settle();
    }

    fn settle(&mut self) {
        while let Some((sequence, _)) = self.since.pop_front_if(|(_, given)| *given) {
            self.after = Some(sequence);
        }
    }

    /// How far the shard is given out.
    #[must_use]
    pub fn reached(&self, now: Timestamp) -> Reached {
        let beyond = self.since.iter().filter(|(_, given)| *given);
        let beyond = beyond.map(|(sequence, _)| sequence.clone());
        Reached {
            after: self.after.clone(),
            beyond: beyond.chain(self.known.iter().cloned()).collect(),
            at_ms: now.unix_ms(),
            ended: false,
        }
    }

    /// The first record that is not given out.
    #[must_use]
    pub fn waits_at(&self) -> Option<&str> {
        let waiting = self.since.iter().find(|(_, given)| !given);
        waiting.map(|(sequence, _)| sequence.as_str())
    }

    /// Whether everything that was taken in is given out.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.open.is_empty()
    }
}

/// Sequence numbers are decimal numbers without leading zeros, too long for an integer.
fn is_later(sequence: &str, than: &str) -> bool {
    let number = |text: &str| {
        let digits = text.trim_start_matches('0').to_owned();
        (digits.len(), digits)
    };
    number(sequence) > number(than)
}

#[cfg(test)]
mod tests {
    use lombard_core::store::{Body, Key, Record, Version};

    use super::*;

    const NOW: Timestamp = Timestamp::from_unix_ms(1_000_000);

    /// `partition sort commit siblings`; a commit of 0 is a removal.
    fn told(sequence: u64, partition: &str, sort: &str, commit: u128, siblings: u8) -> Told {
        let record = Record {
            version: Version::FIRST,
            body: Body::of(&sequence),
        };
        Told {
            sequence: sequence.to_string(),
            change: Change {
                key: Key::new(partition, sort),
                record: (commit > 0).then_some(record),
            },
            stamp: (commit > 0).then_some(Stamp { commit, siblings }),
        }
    }

    /// The sorts of every group that is ready, given at once.
    fn drain(assembler: &mut Assembler, now: Timestamp) -> Vec<String> {
        let mut groups = Vec::new();
        while let Some(group) = assembler.next(now) {
            let sorts: Vec<_> = group.changes.iter().map(|(_, it)| it.key.sort()).collect();
            groups.push(sorts.join("+"));
            group
                .changes
                .iter()
                .for_each(|(place, _)| assembler.given(place));
        }
        groups
    }

    #[test]
    fn a_group_goes_on_when_it_is_whole() {
        let mut assembler = Assembler::default();
        assembler.push(told(9, "p", "b", 1, 2), NOW);
        assert!(drain(&mut assembler, NOW).is_empty());
        assert_eq!(assembler.waits_at(), Some("9"));
        assembler.push(told(10, "q", "x", 1, 1), NOW);
        assembler.push(told(11, "p", "c", 2, 1), NOW);
        assembler.push(told(12, "q", "y", 0, 0), NOW);
        assert_eq!(
            drain(&mut assembler, NOW),
            ["x", "y"],
            "p's own order holds"
        );
        let reached = assembler.reached(NOW);
        assert_eq!(
            (reached.after, reached.beyond),
            (None, vec!["10".to_owned(), "12".to_owned()])
        );
        assembler.push(told(13, "p", "a", 1, 2), NOW);
        assert_eq!(drain(&mut assembler, NOW), ["a+b", "c"]);
        assert_eq!(assembler.reached(NOW).after.as_deref(), Some("13"));
        assert!(assembler.is_idle() && assembler.waits_at().is_none());
    }

    #[test]
    fn what_was_given_is_not_given_again() {
        let all = [
            told(99, "p", "b", 1, 2),
            told(100, "q", "x", 1, 1),
            told(101, "p", "a", 1, 2),
            told(102, "q", "y", 2, 1),
        ];
        // However far the first reader came, the second one goes on there.
        for read in 0..=all.len() {
            let mut first = Assembler::default();
            all[..read]
                .iter()
                .for_each(|it| first.push(it.clone(), NOW));
            let mut given = drain(&mut first, NOW);
            let mut second = Assembler::resume(&first.reached(NOW));
            all.iter().for_each(|it| second.push(it.clone(), NOW));
            given.extend(drain(&mut second, NOW));
            given.sort();
            assert_eq!(given, ["a+b", "x", "y"], "{read} read before");
            assert_eq!(second.reached(NOW).after.as_deref(), Some("102"));
            assert!(second.reached(NOW).beyond.is_empty());
        }
    }

    #[test]
    fn a_group_that_stays_short_does_not_wait_for_ever() {
        let mut assembler = Assembler::default();
        assembler.push(told(1, "p", "a", 1, 2), NOW);
        assembler.push(told(2, "p", "b", 2, 1), NOW);
        assert!(drain(&mut assembler, NOW).is_empty());
        let later = Timestamp::from_unix_ms(NOW.unix_ms() + PATIENCE_MS);
        assert_eq!(drain(&mut assembler, later), ["a", "b"]);
    }

    #[test]
    fn sequence_numbers_are_compared_as_numbers() {
        assert!(is_later("1000000000000000000000", "999999999999999999999"));
        assert!(!is_later("00000000000000000007", "8"));
        assert!(!is_later("8", "8"));
    }
}
