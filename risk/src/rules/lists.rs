//! Lists of subjects: to block, to allow, to watch. What being on one means, rules say. An entry
//! may end by itself.

use std::{collections::BTreeMap, ops::Bound, sync::Arc};

use lombard_core::time::Timestamp;
use serde::{Deserialize, Serialize};

use crate::features::Subject;

/// The most entries of all lists together.
pub const ENTRIES_MAX: usize = 1_000_000;

/// Lists by their names: `{"mules": {"0123456789abcdef": "2027-01-31"}}`. Cheap to clone: a list that
/// does not change is shared.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Lists(BTreeMap<String, Arc<List>>);

type List = BTreeMap<Subject, Until>;

/// Until when a subject is on a list; `null` for good.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
struct Until(#[serde(with = "crate::moment::maybe")] Option<Timestamp>);

impl Lists {
    /// Puts a subject on a list, until a moment or for good. Put there again, the new end holds.
    pub fn add(&mut self, list: &str, subject: Subject, until: Option<Timestamp>) {
        let list = self.0.entry(list.to_owned()).or_default();
        Arc::make_mut(list).insert(subject, Until(until));
    }

    /// Makes a list that nobody is on, unless it is there.
    pub fn declare(&mut self, list: &str) {
        self.0.entry(list.to_owned()).or_default();
    }

    /// Takes a subject off a list, which stays even when it was the last.
    pub fn remove(&mut self, list: &str, subject: Subject) {
        if let Some(list) = self.0.get_mut(list) {
            Arc::make_mut(list).remove(&subject);
        }
    }

    /// Until when a subject is listed, `None` for good; nothing when it is not, whether or not an
    /// entry has ended.
    #[must_use]
    pub fn entry(&self, list: &str, subject: Subject) -> Option<Option<Timestamp>> {
        self.0.get(list)?.get(&subject).map(|until| until.0)
    }

    /// The lists by name, each with how many entries it has.
    pub fn names(&self) -> impl Iterator<Item = (&str, usize)> {
        self.0
            .iter()
            .map(|(name, list)| (name.as_str(), list.len()))
    }

    /// The entries of a list after a subject, in their order.
    pub fn entries_after(
        &self,
        list: &str,
        after: Option<Subject>,
    ) -> impl Iterator<Item = (Subject, Option<Timestamp>)> {
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        let list = self.0.get(list).into_iter();
        list.flat_map(move |list| list.range((from, Bound::Unbounded)))
            .map(|(subject, until)| (*subject, until.0))
    }

    /// Whether a subject is on a list at a moment.
    #[must_use]
    pub fn has(&self, list: &str, subject: Subject, at: Timestamp) -> bool {
        let entry = self.0.get(list).and_then(|list| list.get(&subject));
        entry.is_some_and(|Until(until)| until.is_none_or(|until| at < until))
    }

    /// Whether there is such a list.
    #[must_use]
    pub fn exists(&self, list: &str) -> bool {
        self.0.contains_key(list)
    }

    /// How many entries all lists have.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.values().map(|list| list.len()).sum()
    }

    /// Whether nobody is on any.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_ends_by_itself() {
        let (one, other) = (Subject(1), Subject(2));
        let at = Timestamp::from_unix_ms;
        let mut lists = Lists::default();
        lists.add("watch", one, Some(at(100)));
        lists.add("watch", other, None);
        assert!(lists.has("watch", one, at(99)) && !lists.has("watch", one, at(100)));
        assert!(lists.has("watch", other, at(1 << 40)));
        assert!(!lists.has("none", other, at(0)));
    }

    #[test]
    fn who_is_taken_off_a_list_leaves_the_others_and_the_list() {
        let mut lists = Lists::default();
        for number in [3, 1, 2] {
            lists.add("watch", Subject(number), None);
        }
        let before = lists.clone();
        lists.remove("watch", Subject(2));
        let of = |lists: &Lists, after| -> Vec<u64> {
            let entries = lists.entries_after("watch", after);
            entries.map(|(subject, _)| subject.0).collect()
        };
        assert_eq!(
            (of(&lists, None), of(&lists, Some(Subject(1)))),
            (vec![1, 3], vec![3])
        );
        assert_eq!(of(&before, None), [1, 2, 3], "a copy stays as it was");
        lists.remove("watch", Subject(1));
        lists.remove("watch", Subject(3));
        lists.declare("new");
        let names: Vec<_> = lists.names().collect();
        assert_eq!(names, [("new", 0), ("watch", 0)]);
        assert_eq!(lists.entry("watch", Subject(3)), None);
    }

    #[test]
    fn lists_are_read_as_people_write_them() {
        let text = r#"{"mules": {"00000000000000ff": "2027-01-31", "0000000000000001": null}}"#;
        let lists: Lists = serde_json::from_str(text).unwrap();
        let day = |text| Timestamp::parse_day(text).unwrap();
        assert!(lists.has("mules", Subject(255), day("2027-01-30")));
        assert!(!lists.has("mules", Subject(255), day("2027-01-31")));
        assert!(lists.has("mules", Subject(1), day("2027-01-31")));
        let written = serde_json::to_string(&lists).unwrap();
        assert_eq!(serde_json::from_str::<Lists>(&written).unwrap(), lists);
        for wrong in [
            r#"{"m": {"ff": null}}"#,
            r#"{"m": {"00000000000000ff": "soon"}}"#,
        ] {
            assert!(serde_json::from_str::<Lists>(wrong).is_err(), "{wrong}");
        }
    }
}
