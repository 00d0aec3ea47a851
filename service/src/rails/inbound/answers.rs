//! Our pacs.002 to what came in. Everything in it follows from the message and from what was
//! written down of it, so the same message is answered with the same bytes.

use lombard_core::iso20022::{Original, Status, StatusReport};

use super::{Desk, Later, Said, seen::Seen};
use crate::rails::{dialect::because, speak::digits};

impl Desk<'_> {
    /// Yes, or no with the reason that was noted.
    pub(super) fn answer(&self, original: Original, seen: &Seen) -> Result<Said, Later> {
        let id = format!("{}-a", digits(seen.payment));
        let report = StatusReport {
            message_id: id.clone(),
            created_ms: seen.at.unix_ms(),
            original,
            status_id: Some(id),
            status: match seen.refused {
                Some(_) => Status::Rejected,
                // The word for yes that both rails know.
                None => Status::SettlementCompleted,
            },
            reasons: seen
                .refused
                .map(|reason| because(self.dialect.reject(reason)))
                .into_iter()
                .collect(),
            accepted_ms: None,
            clearing_reference: None,
            instructing_agent: Some(self.own_agent.clone()),
            instructed_agent: None,
        };
        Ok(Said::Xml(report.to_xml()?))
    }
}
