//! What clients are told: the same for every retry, and what was committed.

use lombard_core::{idempotency::Idempotency, store::Key, tenant::TenantId};

use super::{Auditor, batch::Batch};
use crate::world::ask::Asked;

impl Auditor {
    pub(super) fn check_outcomes(&mut self, batch: &Batch) {
        for (key, outcome) in &batch.outcomes {
            let body = outcome.body.get().as_bytes().to_vec();
            let told = (outcome.status, body);
            if self.outcomes.insert(key.clone(), told).is_some() {
                self.violate("an answer", format!("{key:?} is answered a second time"));
            }
        }
    }

    /// A client was told something under a key. `under_way` says whether an earlier request of the
    /// same key may still be carried out.
    pub fn answered(
        &mut self,
        tenant: TenantId,
        wish: &Idempotency,
        asked: &Asked,
        under_way: bool,
    ) {
        let key = wish.record_key(tenant);
        let act = self.wishes.get(&key).map(|(_, act)| act);
        let unfounded =
            super::wishes::refusal(asked).and_then(|why| self.unfounded_refusal(act, why));
        if let Some(found) = unfounded {
            self.violate(format!("{} {}", wish.operation, wish.key), found);
        }
        let kept = self.outcomes.get(&key);
        let found = match (asked, kept) {
            (Asked::Answered(reply), Some((status, body)))
                if reply.status == *status && reply.body[..] == body[..] =>
            {
                return;
            }
            (Asked::Answered(reply), Some((status, body))) => format!(
                "told {} {}; committed was {status} {}",
                reply.status,
                String::from_utf8_lossy(&reply.body),
                String::from_utf8_lossy(body)
            ),
            // What changed nothing may be answered without being kept.
            (Asked::Answered(reply), None) if reply.replayed || reply.status == 200 => return,
            (Asked::Answered(reply), None) => {
                let told = String::from_utf8_lossy(&reply.body).into_owned();
                format!("told {} {told}, which is not committed", reply.status)
            }
            (Asked::Rejected(why), Some((status, _))) if !under_way => {
                format!("told `{why}` after {status} was committed")
            }
            (Asked::Rejected(_) | Asked::Lost { .. }, _) => return,
        };
        self.violate(format!("{} {}", wish.operation, wish.key), found);
    }

    /// Whether an answer is kept under a key.
    #[must_use]
    pub fn keeps(&self, key: &Key) -> bool {
        self.outcomes.contains_key(key)
    }
}
