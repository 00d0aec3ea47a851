//! Lists of subjects: to block, to allow, to watch. An entry may end by itself.

use std::collections::BTreeMap;

use lombard_core::time::Timestamp;
use serde::{Deserialize, Serialize};

use crate::features::Subject;

/// What a list is for. Rules may ask any list; the kind tells people what being on it means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ListKind {
    /// Nothing should pass.
    Block,
    /// Known to be good.
    Allow,
    /// To be looked at.
    Watch,
}

/// One list.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct List {
    /// Who is on it, and until when; `None` for good.
    pub entries: BTreeMap<u64, Option<Timestamp>>,
}

/// The most entries of one list.
pub const ENTRIES_MAX: usize = 1_000_000;

/// A tenant's lists.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Lists {
    lists: BTreeMap<String, List>,
}

impl Lists {
    /// Puts a subject on a list, until a moment or for good. Put there again, the new end holds.
    pub fn add(&mut self, list: &str, subject: Subject, until: Option<Timestamp>) {
        let list = self.lists.entry(list.to_owned()).or_default();
        list.entries.insert(subject.0, until);
    }

    /// Takes a subject off a list. Answers whether it was on it.
    pub fn remove(&mut self, list: &str, subject: Subject) -> bool {
        let list = self.lists.get_mut(list);
        list.is_some_and(|list| list.entries.remove(&subject.0).is_some())
    }

    /// Whether a subject is on a list at a moment.
    #[must_use]
    pub fn has(&self, list: &str, subject: Subject, at: Timestamp) -> bool {
        let entry = self
            .lists
            .get(list)
            .and_then(|list| list.entries.get(&subject.0));
        entry.is_some_and(|until| until.is_none_or(|until| at < until))
    }

    /// Whether there is such a list.
    #[must_use]
    pub fn exists(&self, list: &str) -> bool {
        self.lists.contains_key(list)
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
        assert!(lists.remove("watch", other) && !lists.remove("watch", other));
        assert!(!lists.has("none", other, at(0)));
    }
}
