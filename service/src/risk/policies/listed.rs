//! Entries of lists: who was put on one, by whom, why, and from which version of the policy until
//! which. Nothing is removed, so that a decision of any version finds who was listed then.

use std::collections::BTreeSet;

use lombard_core::{
    id::digest_text,
    store::{Key, decode},
    tenant::TenantId,
    time::Timestamp,
};
use lombard_risk::{features::Subject, moment, policy::Document, rules::Lists};
use serde::{Deserialize, Serialize};

use crate::{
    app::App,
    ports::{RANGE_MAX, Range, ReadError},
};

/// How often one subject may be put on one list: its past is one record.
pub const SPANS_MAX: usize = 200;
/// Records of one read.
const AT_ONCE: usize = 100;

/// One subject on one list, from its first day to its last.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Which list.
    pub list: String,
    /// Who.
    pub subject: Subject,
    /// When it was listed, oldest first.
    pub spans: Vec<Span>,
}

/// From when until when somebody was listed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Span {
    /// The first version of the policy; 0 for what stood in the file.
    pub from: u64,
    /// The first version in which it is not there any more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<u64>,
    /// When it ends by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
    /// Who put it there, when and why; none for what stood in the file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub added: Option<Deed>,
    /// Who took it off.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub removed: Option<Deed>,
}

/// Who did something, when and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deed {
    /// Who.
    pub by: String,
    /// When.
    #[serde(with = "moment")]
    pub at: Timestamp,
    /// Why.
    pub reason: String,
}

impl Entry {
    /// What a list is kept as that nobody is on yet: an entry that never held.
    #[must_use]
    pub fn nobody(list: &str) -> Self {
        Self::begun(list, Subject(0), None)
    }

    /// An entry as it stands in the policy's file, if it does: what was there before anybody
    /// touched it.
    #[must_use]
    pub fn begun(list: &str, subject: Subject, listed: Option<Option<Timestamp>>) -> Self {
        let span = listed.map(|expires_at| Span {
            from: 0,
            until: None,
            expires_at,
            added: None,
            removed: None,
        });
        Self {
            list: list.to_owned(),
            subject,
            spans: span.into_iter().collect(),
        }
    }

    /// What held at a version: until when, `None` for good.
    #[must_use]
    pub fn at(&self, version: u64) -> Option<Option<Timestamp>> {
        let held = |span: &&Span| span.from <= version && span.until.is_none_or(|to| version < to);
        self.spans.iter().find(held).map(|span| span.expires_at)
    }

    /// The span that has no end yet.
    #[must_use]
    pub fn open(&mut self) -> Option<&mut Span> {
        self.spans.last_mut().filter(|span| span.until.is_none())
    }
}

/// Where an entry is kept.
#[must_use]
pub fn key(tenant: TenantId, list: &str, subject: Subject) -> Key {
    // Names of lists are texts of somebody's choice.
    let list = digest_text(&[list]);
    Key::new(&partition(tenant), &format!("{list}#{subject}"))
}

fn partition(tenant: TenantId) -> String {
    format!("{}/risk#listed", tenant.short())
}

/// Puts on lists what holds at a version.
///
/// # Errors
/// See [`ReadError`].
pub async fn put_on(
    app: &App,
    tenant: TenantId,
    version: u64,
    lists: &mut Lists,
) -> Result<(), ReadError> {
    let mut after = None;
    loop {
        let range = Range::of(&partition(tenant), RANGE_MAX).after(after);
        let found = app.store.range(&range).await?;
        for item in &found {
            let entry: Entry = decode(&item.record.body.bytes);
            set(lists, &entry, version);
        }
        match found.last() {
            Some(last) if found.len() == RANGE_MAX => after = Some(last.at.sort().to_owned()),
            _ => return Ok(()),
        }
    }
}

fn set(lists: &mut Lists, entry: &Entry, version: u64) {
    lists.declare(&entry.list);
    match entry.at(version) {
        Some(until) => lists.add(&entry.list, entry.subject, until),
        None => lists.remove(&entry.list, entry.subject),
    }
}

/// The lists that the rules of a document ask, with those of `subjects` who were on them at a
/// version.
///
/// # Errors
/// See [`ReadError`].
pub async fn of(
    app: &App,
    tenant: TenantId,
    version: u64,
    (begun, document): (&Lists, &Document),
    subjects: &BTreeSet<Subject>,
) -> Result<Lists, ReadError> {
    let asked: BTreeSet<String> = document
        .rules
        .iter()
        .filter_map(|rule| lombard_risk::rules::Condition::compile(&rule.condition).ok())
        .flat_map(|condition| condition.lists().map(str::to_owned).collect::<Vec<_>>())
        .collect();
    let mut lists = Lists::default();
    let mut keys = Vec::new();
    for list in &asked {
        lists.declare(list);
        for subject in subjects {
            if let Some(until) = begun.entry(list, *subject) {
                lists.add(list, *subject, until);
            }
            keys.push(key(tenant, list, *subject));
        }
    }
    for keys in keys.chunks(AT_ONCE) {
        for record in app.store.get(keys).await?.into_iter().flatten() {
            set(&mut lists, &decode(&record.body.bytes), version);
        }
    }
    Ok(lists)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_knows_when_it_held() {
        let at = Timestamp::from_unix_ms;
        let mut entry = Entry::begun("mules", Subject(7), Some(Some(at(5))));
        entry.open().unwrap().until = Some(4);
        assert!(entry.open().is_none());
        entry.spans.push(Span {
            from: 9,
            until: None,
            expires_at: None,
            added: None,
            removed: None,
        });
        let held: Vec<_> = [0, 3, 4, 8, 9, 99].map(|version| entry.at(version)).into();
        let first = Some(Some(at(5)));
        assert_eq!(held, [first, first, None, None, Some(None), Some(None)]);
        assert_eq!(Entry::begun("mules", Subject(7), None).at(1), None);
    }
}
