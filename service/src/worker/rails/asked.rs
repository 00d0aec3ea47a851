//! What of a commit asks for something.

use lombard_core::{
    event::{Errand, Event},
    payment::Payment,
    store::{Change, Commit, decode, mentions},
    tenant::TenantId,
};

/// The events of a commit that ask for something. Most do not, and are not even read.
pub fn events_with_errands(commit: &Commit) -> Vec<(TenantId, Event)> {
    let read = |change: &Change| {
        let record = change.record.as_ref()?;
        if !change.key.sort().starts_with("e#") || !mentions(&record.body.bytes, "\"effects\":") {
            return None;
        }
        let (tenant, _) = change.key.partition().split_once('/')?;
        Some((tenant.parse().ok()?, decode::<Event>(&record.body.bytes)))
    };
    commit.changes.iter().filter_map(read).collect()
}

/// The payment of an event, as it was stored in the same commit.
pub fn payment_of(commit: &Commit, event: &Event, tenant: TenantId) -> Option<Payment> {
    let key = lombard_core::plan::keys::payment(tenant, event.payment);
    let change = commit.changes.iter().find(|change| change.key == key)?;
    Some(decode(&change.record.as_ref()?.body.bytes))
}

/// What an errand is called in a trace.
pub const fn name_of(errand: Errand) -> &'static str {
    match errand {
        Errand::Submit => "rail.submit",
        Errand::AskRecall => "rail.ask_recall",
        Errand::RefuseRecall => "rail.refuse_recall",
        Errand::Contradiction | Errand::Unresolved | Errand::RecallOverdue => "exception.raise",
    }
}
