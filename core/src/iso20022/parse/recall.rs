//! camt.056 and camt.029: asking for a payment back, and the answer.

use super::at_least_one;
use super::parts::{actor, moment, original, original_settlement, reasons};
use crate::iso20022::messages::{RecallAnswer, RecallOutcome, RecallRequest};
use crate::iso20022::model::{Assignment, Case};
use crate::iso20022::tree::El;
use crate::iso20022::violation::{Rule, Violation};

fn assignment(root: El) -> Result<Assignment, Violation> {
    let missing = |name: &str| root.violation(Rule::MissingElement, format!("{name} is missing"));
    let at = root.get("Assgnmt").ok_or_else(|| missing("Assgnmt"))?;
    Ok(Assignment {
        id: at.string("Id").unwrap_or_default(),
        assigner: actor(at, "Assgnr").ok_or_else(|| missing("Assgnr"))?,
        assignee: actor(at, "Assgne").ok_or_else(|| missing("Assgne"))?,
        created_ms: moment(at, "CreDtTm")?,
    })
}

fn case(at: El, path: &str) -> Option<Case> {
    let found = at.get(path)?;
    Some(Case {
        id: found.string("Id")?,
        creator: actor(found, "Cretr")?,
    })
}

/// The recalls of a camt.056, from its `FIToFIPmtCxlReq`: one for each transaction, or one for each
/// group that is recalled whole.
pub(super) fn requests(root: El) -> Result<Vec<RecallRequest>, Violation> {
    let assignment = assignment(root)?;
    let request = |at: El, group: Option<El>| {
        Ok(RecallRequest {
            assignment: assignment.clone(),
            case: case(at, "Case").or_else(|| case(root, "Case")),
            // A group has its own name for the reference of its recall.
            cancellation_id: at.string("CxlId").or_else(|| at.string("GrpCxlId")),
            original: original(at, group)?,
            original_settlement: original_settlement(at)?,
            reasons: reasons(at, "CxlRsnInf"),
        })
    };
    let mut all = Vec::new();
    for underlying in root.all("Undrlyg") {
        let group = underlying.get("OrgnlGrpInfAndCxl");
        let before = all.len();
        for tx in underlying.all("TxInf") {
            all.push(request(tx, group)?);
        }
        if let Some(group) = group.filter(|_| all.len() == before) {
            all.push(request(group, Some(group))?);
        }
    }
    at_least_one(root, all)
}

/// The answers of a camt.029, from its `RsltnOfInvstgtn`: one for each transaction, or one where the
/// answer is to the case as a whole.
pub(super) fn answers(root: El) -> Result<Vec<RecallAnswer>, Violation> {
    let assignment = assignment(root)?;
    let confirmation = root.get("Sts/Conf");
    let answer = |at: El, group: Option<El>| {
        // One transaction may be answered otherwise than the whole.
        let status = at
            .get("TxCxlSts")
            .or_else(|| at.get("GrpCxlSts"))
            .filter(|_| confirmation.is_none());
        let status = confirmation.or(status);
        let missing = || root.violation(Rule::MissingStatus, "says neither yes nor no");
        Ok(RecallAnswer {
            assignment: assignment.clone(),
            case: case(at, "RslvdCase").or_else(|| case(root, "RslvdCase")),
            outcome: RecallOutcome::from_code(status.ok_or_else(missing)?.text()),
            status_id: at.string("CxlStsId").or_else(|| at.string("GrpCxlId")),
            original: original(at, group)?,
            reasons: reasons(at, "CxlStsRsnInf"),
        })
    };
    let mut all = Vec::new();
    for details in root.all("CxlDtls") {
        let group = details.get("OrgnlGrpInfAndSts");
        let before = all.len();
        for tx in details.all("TxInfAndSts") {
            all.push(answer(tx, group)?);
        }
        if let Some(group) = group.filter(|_| all.len() == before) {
            all.push(answer(group, Some(group))?);
        }
    }
    if all.is_empty() && confirmation.is_some() {
        all.push(answer(root, None)?);
    }
    at_least_one(root, all)
}
