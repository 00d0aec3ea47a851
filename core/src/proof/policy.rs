//! Whose cosignatures are enough: a policy in the text form that C2SP and Sigsum tools read.
//!
//! ```text
//! log LOG-VKEY
//! witness north NORTH-VKEY https://north.example
//! witness south SOUTH-VKEY https://south.example
//! group both all north south
//! quorum both
//! ```
//!
//! A group wants `any`, `all` or a number of its members, which are witnesses or earlier groups.
//! `quorum none` asks for no cosignature.

use std::collections::BTreeMap;

use super::key::{KeyKind, Keys, PublicKey};

/// Which logs, which witnesses, and how many of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// The keys of the log. A policy need not name any.
    pub logs: Keys,
    /// The witnesses, in the order of the file.
    pub witnesses: Vec<PolicyWitness>,
    groups: BTreeMap<String, Group>,
    quorum: Option<String>,
}

/// A witness that the policy names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyWitness {
    /// Its name within the policy.
    pub name: String,
    /// Its key.
    pub key: PublicKey,
    /// Where it takes checkpoints (the submission prefix of C2SP tlog-witness).
    pub url: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Group {
    wanted: usize,
    members: Vec<String>,
}

/// The text is not a policy.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line} of the policy: {what}")]
pub struct PolicyError {
    /// Which line, from 1; 0 for the whole.
    pub line: usize,
    /// What is wrong with it.
    pub what: &'static str,
}

impl Policy {
    /// Reads a policy.
    ///
    /// # Errors
    /// [`PolicyError`] says on which line.
    pub fn parse(text: &str) -> Result<Self, PolicyError> {
        let mut policy = Self {
            logs: Keys::default(),
            witnesses: Vec::new(),
            groups: BTreeMap::new(),
            quorum: None,
        };
        let mut decided = false;
        for (line, content) in (1..).zip(text.lines()) {
            let words: Vec<&str> = content.split_whitespace().collect();
            let refuse = |what| PolicyError { line, what };
            match words.as_slice() {
                [] => {}
                [first, ..] if first.starts_with('#') => {}
                ["log", key] | ["log", key, _] => policy.add_log(key).map_err(refuse)?,
                ["witness", name, key] => {
                    policy.add_witness(name, key, None).map_err(refuse)?;
                }
                ["witness", name, key, url] => {
                    policy.add_witness(name, key, Some(url)).map_err(refuse)?;
                }
                ["group", name, wanted, members @ ..] => {
                    policy.add_group(name, wanted, members).map_err(refuse)?;
                }
                ["quorum", _] if decided => return Err(refuse("a second quorum")),
                ["quorum", "none"] => decided = true,
                ["quorum", name] if policy.knows(name) => {
                    policy.quorum = Some((*name).to_owned());
                    decided = true;
                }
                ["quorum", ..] => return Err(refuse("a quorum of nobody known")),
                _ => return Err(refuse("neither log, witness, group nor quorum")),
            }
        }
        if decided {
            Ok(policy)
        } else {
            let what = "the policy has no quorum line";
            Err(PolicyError { line: 0, what })
        }
    }

    fn add_log(&mut self, key: &str) -> Result<(), &'static str> {
        let key = PublicKey::parse(key).map_err(|_| "not the key of a log")?;
        if key.kind() != KeyKind::Log {
            return Err("not the key of a log");
        }
        self.logs = Keys::new(self.logs.iter().cloned().chain([key]));
        Ok(())
    }

    fn add_witness(
        &mut self,
        name: &str,
        key: &str,
        url: Option<&str>,
    ) -> Result<(), &'static str> {
        let key = PublicKey::parse(key).map_err(|_| "not the key of a witness")?;
        if key.kind() != KeyKind::Witness {
            return Err("not the key of a witness");
        }
        if self.knows(name) || name == "none" {
            return Err("a name that is already taken");
        }
        // The same key under two names would count twice towards a quorum.
        if self.witnesses.iter().any(|known| known.key == key) {
            return Err("a witness that is already named");
        }
        self.witnesses.push(PolicyWitness {
            name: name.to_owned(),
            key,
            url: url.map(str::to_owned),
        });
        Ok(())
    }

    fn add_group(
        &mut self,
        name: &str,
        wanted: &str,
        members: &[&str],
    ) -> Result<(), &'static str> {
        if self.knows(name) || name == "none" {
            return Err("a name that is already taken");
        }
        if !members.iter().all(|member| self.knows(member)) {
            return Err("a member that is not known yet");
        }
        let mut distinct = members.to_vec();
        distinct.sort_unstable();
        distinct.dedup();
        if distinct.len() < members.len() {
            return Err("a member that is named twice");
        }
        let wanted = match wanted {
            "all" => members.len(),
            "any" => 1,
            number => number
                .parse()
                .map_err(|_| "neither any, all nor a number")?,
        };
        if wanted == 0 || wanted > members.len() {
            return Err("a number that the group cannot reach");
        }
        let members = members.iter().map(|name| (*name).to_owned()).collect();
        self.groups
            .insert(name.to_owned(), Group { wanted, members });
        Ok(())
    }

    fn knows(&self, name: &str) -> bool {
        self.groups.contains_key(name) || self.witnesses.iter().any(|known| known.name == name)
    }

    /// The keys of all witnesses.
    pub fn witness_keys(&self) -> impl Iterator<Item = &PublicKey> {
        self.witnesses.iter().map(|witness| &witness.key)
    }

    /// Whether cosignatures by these keys are enough.
    #[must_use]
    pub fn is_met_by(&self, signed_by: &[PublicKey]) -> bool {
        self.quorum
            .as_deref()
            .is_none_or(|name| self.has(name, signed_by))
    }

    /// Members were known before their group, so this comes to an end.
    fn has(&self, name: &str, signed_by: &[PublicKey]) -> bool {
        match self.groups.get(name) {
            Some(group) => {
                let met = group
                    .members
                    .iter()
                    .filter(|name| self.has(name, signed_by));
                met.count() >= group.wanted
            }
            None => self
                .witnesses
                .iter()
                .any(|witness| witness.name == name && signed_by.contains(&witness.key)),
        }
    }
}
