//! Gathers what comes together, so that a hundred exceptions of one cause are one page and not a
//! hundred. Pure: the moment is an argument.

use std::collections::BTreeMap;

use lombard_core::time::Timestamp;

use crate::exceptions::Kind;

/// How long further ones of a kind are gathered after one was told, in milliseconds. With the
/// tries of a slow channel that is below the minute within which a person is told.
pub const GATHER_MS: u64 = 20_000;

/// What waits, by kind.
#[derive(Debug)]
pub struct Groups<T>(BTreeMap<Kind, Group<T>>);

#[derive(Debug)]
struct Group<T> {
    until: Timestamp,
    waiting: Vec<T>,
}

impl<T> Default for Groups<T> {
    fn default() -> Self {
        Self(BTreeMap::new())
    }
}

impl<T> Groups<T> {
    /// Takes one, and gives it back if it is to be told now.
    pub fn take(&mut self, now: Timestamp, kind: Kind, one: T) -> Option<T> {
        if let Some(group) = self.0.get_mut(&kind) {
            group.waiting.push(one);
            return None;
        }
        let until = now.plus_ms(GATHER_MS);
        let waiting = Vec::new();
        self.0.insert(kind, Group { until, waiting });
        Some(one)
    }

    /// What was gathered long enough. A kind of which nothing came meanwhile begins anew.
    pub fn due(&mut self, now: Timestamp) -> Vec<(Kind, Vec<T>)> {
        let mut due = Vec::new();
        self.0.retain(|kind, group| {
            if now < group.until {
                return true;
            }
            group.until = now.plus_ms(GATHER_MS);
            let gathered = std::mem::take(&mut group.waiting);
            let goes_on = !gathered.is_empty();
            if goes_on {
                due.push((*kind, gathered));
            }
            goes_on
        });
        due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_is_told_at_once_and_the_others_together() {
        let start = Timestamp::from_unix_ms(1_795_000_000_000);
        let mut groups = Groups::default();
        let (one, other) = (Kind::Contradiction, Kind::Unresolved);
        assert_eq!(groups.take(start, one, 1), Some(1));
        assert_eq!(groups.take(start, one, 2), None);
        assert_eq!(groups.take(start, other, 3), Some(3), "each kind by itself");
        assert_eq!(groups.take(start.plus_ms(5), one, 4), None);
        assert!(groups.due(start.plus_ms(GATHER_MS - 1)).is_empty());
        let later = start.plus_ms(GATHER_MS);
        assert_eq!(groups.due(later), [(one, vec![2, 4])]);
        assert_eq!(groups.take(later, one, 5), None, "it goes on");
        assert_eq!(
            groups.take(later, other, 6),
            Some(6),
            "nothing came meanwhile"
        );
        assert_eq!(groups.due(later.plus_ms(GATHER_MS)), [(one, vec![5])]);
    }
}
