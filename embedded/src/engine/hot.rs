//! Records that the writer read from the log a while ago and will probably need again: accounts, balances,
//! limits.
//!
//! Two generations: what is used moves to the young one; when that is full it becomes the old one, and the
//! old one is dropped. That is nearly least-recently-used, for one hash look-up. **Bound.**
//! [`HOT_BYTES_MAX`] over both. **Invariant.** It holds only records as they are: the writer removes
//! what it writes.

use std::collections::HashMap;

use lombard_core::store::{Key, Record};

use crate::hash::KeyHasher;

/// Bytes of keys and bodies in both generations: tens of thousands of accounts.
pub const HOT_BYTES_MAX: usize = 32 * 1024 * 1024;
/// The memory that an entry takes beside its texts, about.
const ENTRY_BYTES: usize = 120;

#[derive(Default)]
pub struct Hot {
    young: HashMap<Key, Record, KeyHasher>,
    old: HashMap<Key, Record, KeyHasher>,
    young_bytes: usize,
}

impl Hot {
    pub fn get(&mut self, key: &Key) -> Option<Record> {
        if let Some(record) = self.young.get(key) {
            return Some(record.clone());
        }
        let (key, record) = self.old.remove_entry(key)?;
        self.put(key, record.clone());
        Some(record)
    }

    pub fn put(&mut self, key: Key, record: Record) {
        self.young_bytes += key.as_bytes().len() + record.body.bytes.len() + ENTRY_BYTES;
        if self.young_bytes > HOT_BYTES_MAX / 2 {
            self.old = std::mem::take(&mut self.young);
            self.young_bytes = key.as_bytes().len() + record.body.bytes.len() + ENTRY_BYTES;
        }
        self.young.insert(key, record);
    }

    pub fn forget(&mut self, key: &Key) {
        self.young.remove(key);
        self.old.remove(key);
    }
}

#[cfg(test)]
mod tests {
    use lombard_core::store::{Body, Version};

    use super::*;

    fn record(bytes: usize) -> Record {
        let body = Body {
            bytes: vec![b'x'; bytes].into(),
            index: Vec::new(),
        };
        Record {
            version: Version::FIRST,
            body,
        }
    }

    #[test]
    fn what_is_used_stays_and_memory_is_bounded() {
        let mut hot = Hot::default();
        let used = Key::new("used", "a");
        hot.put(used.clone(), record(10));
        for n in 0..4000 {
            hot.put(Key::new("seldom", &n.to_string()), record(20_000));
            assert!(hot.get(&used).is_some(), "round {n}");
        }
        let bytes: usize = hot
            .young
            .values()
            .chain(hot.old.values())
            .map(|it| it.body.bytes.len())
            .sum();
        assert!(bytes <= HOT_BYTES_MAX, "{bytes}");
        assert!(hot.get(&Key::new("seldom", "0")).is_none());
        hot.forget(&used);
        assert!(hot.get(&used).is_none());
    }
}
