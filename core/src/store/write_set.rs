//! Write sets: what one commit does, whole or not at all.

use std::collections::BTreeMap;

use super::{BODY_BYTES_MAX, Body, Key, Version, WRITE_BYTES_MAX, WRITES_MAX, Write};

/// A map, so no key is acted on twice, and ordered, so the same plan is always the same bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WriteSet(pub(super) BTreeMap<Key, Write>);

impl WriteSet {
    /// Writes a record that was not there.
    ///
    /// # Panics
    /// When the set already acts on the key, other than checking that it is absent.
    pub fn create(&mut self, key: Key, body: Body) {
        let before = self.0.insert(key, Write::Create(body));
        assert!(
            matches!(before, None | Some(Write::CheckAbsent)),
            "created over a record"
        );
    }

    /// Writes a record anew that was read.
    ///
    /// # Panics
    /// When it was not read under guard, or not found.
    pub fn update(&mut self, key: &Key, body: Body) {
        let version = self.checked(key);
        self.0.insert(key.clone(), Write::Update(version, body));
    }

    /// What the set will leave under a key, if it writes there.
    #[must_use]
    pub fn written(&self, key: &Key) -> Option<&Body> {
        match self.0.get(key) {
            Some(Write::Create(body) | Write::Update(_, body)) => Some(body),
            _ => None,
        }
    }

    /// Creates the record if the plan found none, else writes it anew. What the set itself writes
    /// there already is replaced.
    ///
    /// # Panics
    /// When it was not read under guard.
    pub fn put(&mut self, key: &Key, body: Body) {
        match self.0.get(key) {
            Some(Write::CheckAbsent) => self.create(key.clone(), body),
            Some(Write::Create(_)) => {
                self.0.insert(key.clone(), Write::Create(body));
            }
            _ => self.update(key, body),
        }
    }

    /// Removes a record that was read.
    ///
    /// # Panics
    /// When it was not read under guard, or not found.
    pub fn delete(&mut self, key: &Key) {
        let version = self.checked(key);
        self.0.insert(key.clone(), Write::Delete(version));
    }

    fn checked(&self, key: &Key) -> Version {
        match self.0.get(key) {
            Some(Write::Check(version) | Write::Update(version, _)) => *version,
            other => panic!("{key:?} was changed without being read: {other:?}"),
        }
    }

    /// Any set of actions, for adapters and their tests. Plans use the guarded methods.
    #[must_use]
    pub fn of(actions: impl IntoIterator<Item = (Key, Write)>) -> Self {
        Self(actions.into_iter().collect())
    }

    /// The actions in the order of their keys.
    pub fn iter(&self) -> impl Iterator<Item = (&Key, &Write)> {
        self.0.iter()
    }

    /// The number of actions, checks included.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is no action at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The bytes of keys and bodies, for the limit.
    #[must_use]
    pub fn bytes(&self) -> usize {
        let body = |write: &Write| match write {
            Write::Create(body) | Write::Update(_, body) => {
                body.bytes.len()
                    + body
                        .index
                        .iter()
                        .map(|key| key.as_bytes().len())
                        .sum::<usize>()
            }
            Write::CheckAbsent | Write::Check(_) | Write::Delete(_) => 0,
        };
        self.0
            .iter()
            .map(|(key, it)| key.as_bytes().len() + body(it))
            .sum()
    }

    /// Which bound the set exceeds, if any. A store refuses such a set whole.
    #[must_use]
    pub fn too_large(&self) -> Option<TooLarge> {
        if self.len() > WRITES_MAX {
            return Some(TooLarge::Actions(self.len()));
        }
        if self.bytes() > WRITE_BYTES_MAX {
            return Some(TooLarge::Bytes(self.bytes()));
        }
        self.0.iter().find_map(|(key, write)| match write {
            Write::Create(body) | Write::Update(_, body) if body.bytes.len() > BODY_BYTES_MAX => {
                Some(TooLarge::Body(key.clone(), body.bytes.len()))
            }
            _ => None,
        })
    }
}

/// The actions in the order of their keys.
impl IntoIterator for WriteSet {
    type Item = (Key, Write);
    type IntoIter = std::collections::btree_map::IntoIter<Key, Write>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

/// A write set that no store takes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TooLarge {
    /// More than [`WRITES_MAX`].
    #[error("{0} actions in one commit, of at most {WRITES_MAX}")]
    Actions(usize),
    /// More than [`WRITE_BYTES_MAX`].
    #[error("{0} bytes in one commit, of at most {WRITE_BYTES_MAX}")]
    Bytes(usize),
    /// More than [`BODY_BYTES_MAX`].
    #[error("a record of {1} bytes under {0:?}, of at most {BODY_BYTES_MAX}")]
    Body(Key, usize),
}
