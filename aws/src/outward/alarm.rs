//! Exceptions that cannot wait, as they are told to EventBridge, where a rule of `deploy/lib/watch.ts` has
//! them tell people.
//!
//! An alarm has an id, a kind and the page that says what to do; what it is about stays in the exception,
//! because a subject can be a reference that somebody outside wrote. It is told for the commit that opened the
//! exception, once or more; what people do about it later rings nobody.

use lombard_core::{
    store::{Change, Commit, decode},
    tenant::TenantId,
    time::Timestamp,
};
use lombard_service::exceptions::{self, Exception, State};
use serde::{Deserialize, Serialize};

use super::{SCHEMA, written};

/// The type under which alarms are told.
pub const OPENED: &str = "exception.opened";
/// What is older is history that is handed over again, and rings nobody.
const FRESH_MS: u64 = 24 * 60 * 60 * 1000;

/// See the module.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Alarm {
    /// [`SCHEMA`].
    pub schema: u32,
    /// `exc_…`.
    pub id: String,
    /// [`OPENED`].
    #[serde(rename = "type")]
    pub event: String,
    /// What is wrong, such as `unresolved`.
    pub kind: String,
    /// Since when: `2026-01-31 12:00:00.123`, UTC.
    pub at: String,
    /// Whose.
    pub tenant: TenantId,
    /// The page that says what to do.
    pub runbook: String,
}

/// Those of a commit.
#[must_use]
pub fn alarms_of(commit: &Commit, now: Timestamp) -> Vec<Alarm> {
    { commit.changes.iter() }
        .filter_map(|change| alarm_of(change, now))
        .collect()
}

fn alarm_of(change: &Change, now: Timestamp) -> Option<Alarm> {
    if change.key.sort() != exceptions::SORT {
        return None;
    }
    let tenant = change.key.partition().split_once('/')?.0.parse().ok()?;
    let exception: Exception = decode(&change.record.as_ref()?.body.bytes);
    let opened = exception.state == State::Open
        && exception.kind.is_urgent()
        && now.ms_since(exception.opened_at) < FRESH_MS;
    // What people did since it was opened says that this commit is a later one.
    let touched = { exception.history.last() }.is_some_and(|deed| deed.at >= exception.opened_at);
    let kind = exception.kind.name();
    (opened && !touched).then(|| Alarm {
        schema: SCHEMA,
        id: exception.id.to_string(),
        event: OPENED.to_owned(),
        kind: kind.to_owned(),
        at: written(exception.opened_at),
        tenant,
        runbook: format!("docs/runbooks/exceptions/{kind}.md"),
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use lombard_core::store::{Body, Record, Version};
    use lombard_service::exceptions::{Deed, Kind, Trouble};

    use super::*;

    const NOW: Timestamp = Timestamp::from_unix_ms(1_795_000_000_000);

    fn commit(exception: &Exception) -> Commit {
        let key = exceptions::key(TenantId::new(5), exception.id);
        let (version, body) = (Version::FIRST, Body::of(exception));
        let record = Some(Record { version, body });
        Commit {
            position: 1,
            changes: vec![Change { key, record }].into(),
        }
    }

    fn exception(kind: Kind) -> Exception {
        let trouble = Trouble::new(TenantId::new(5), kind, "REF Wilhelmina", "in a sentence");
        Exception {
            id: trouble.id(),
            kind,
            subject: "REF Wilhelmina".to_owned(),
            reason: "in a sentence".to_owned(),
            evidence: BTreeMap::new(),
            opened_at: NOW,
            state: State::Open,
            assignee: None,
            snoozed_until: None,
            history: Vec::new(),
        }
    }

    #[test]
    fn what_cannot_wait_rings_once_and_says_nothing_of_anybody() {
        let open = exception(Kind::Unresolved);
        let alarms = alarms_of(&commit(&open), NOW);
        let text = serde_json::to_string(&alarms).expect("JSON");
        assert_eq!(alarms.len(), 1);
        assert!(text.contains("\"type\":\"exception.opened\""), "{text}");
        assert!(!text.contains("Wilhelmina"), "{text}");

        let later = Exception {
            history: vec![Deed {
                at: NOW.plus_ms(1),
                actor: "operator/ann".to_owned(),
                what: "claimed".to_owned(),
                note: String::new(),
            }],
            ..open.clone()
        };
        let settled = Exception {
            state: State::Resolved,
            ..open.clone()
        };
        for quiet in [later, settled, exception(Kind::WebhookGivenUp)] {
            assert_eq!(alarms_of(&commit(&quiet), NOW), []);
        }
        let old = NOW.plus_ms(FRESH_MS);
        assert_eq!(alarms_of(&commit(&open), old), []);
    }
}
