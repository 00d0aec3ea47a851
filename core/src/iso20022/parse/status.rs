//! pacs.002 and pacs.028: what became of a payment, and the question.

use super::at_least_one;
use super::parts::{agent, moment, optional_moment, original, reasons};
use crate::iso20022::messages::{Status, StatusReport, StatusRequest};
use crate::iso20022::tree::El;
use crate::iso20022::violation::{Rule, Violation};

/// The reports of a pacs.002, from its `FIToFIPmtStsRpt`: one for each transaction, or one for each
/// group where no transaction is named.
pub(super) fn reports(root: El) -> Result<Vec<StatusReport>, Violation> {
    let groups: Vec<_> = root.all("OrgnlGrpInfAndSts").collect();
    // With several groups a transaction has to say itself which one it belongs to.
    let group = (groups.len() == 1).then(|| groups[0]);
    let transactions = root.all("TxInfAndSts").map(|tx| report(root, tx, group));
    let mut all = transactions.collect::<Result<Vec<_>, _>>()?;
    if all.is_empty() {
        let of_groups = groups
            .into_iter()
            .map(|group| report(root, group, Some(group)));
        all = of_groups.collect::<Result<_, _>>()?;
    }
    at_least_one(root, all)
}

fn report(root: El, at: El, group: Option<El>) -> Result<StatusReport, Violation> {
    let header = root.get("GrpHdr").unwrap_or(root);
    let group_status = || group.and_then(|group| group.get("GrpSts"));
    let status = at.get("TxSts").or_else(group_status);
    let missing = || at.violation(Rule::MissingStatus, "has no status");
    let mut why = reasons(at, "StsRsnInf");
    if let Some(group) = group.filter(|_| why.is_empty()) {
        why = reasons(group, "StsRsnInf");
    }
    Ok(StatusReport {
        message_id: header.string("MsgId").unwrap_or_default(),
        created_ms: moment(header, "CreDtTm")?,
        original: original(at, group)?,
        status_id: at.string("StsId"),
        status: Status::from_code(status.ok_or_else(missing)?.text()),
        reasons: why,
        accepted_ms: optional_moment(at, "AccptncDtTm")?,
        clearing_reference: at.string("ClrSysRef"),
        instructing_agent: agent(at, "InstgAgt").or_else(|| agent(header, "InstgAgt")),
        instructed_agent: agent(at, "InstdAgt").or_else(|| agent(header, "InstdAgt")),
    })
}

/// The questions of a pacs.028, from its `FIToFIPmtStsReq`.
pub(super) fn requests(root: El) -> Result<Vec<StatusRequest>, Violation> {
    let groups: Vec<_> = root.all("OrgnlGrpInf").collect();
    let group = (groups.len() == 1).then(|| groups[0]);
    let transactions = root.all("TxInf").map(|tx| request(root, tx, group));
    let mut all = transactions.collect::<Result<Vec<_>, _>>()?;
    if all.is_empty() {
        let of_groups = groups
            .into_iter()
            .map(|group| request(root, group, Some(group)));
        all = of_groups.collect::<Result<_, _>>()?;
    }
    at_least_one(root, all)
}

fn request(root: El, at: El, group: Option<El>) -> Result<StatusRequest, Violation> {
    let header = root.get("GrpHdr").unwrap_or(root);
    Ok(StatusRequest {
        message_id: header.string("MsgId").unwrap_or_default(),
        created_ms: moment(header, "CreDtTm")?,
        original: original(at, group)?,
        request_id: at.string("StsReqId"),
        instructing_agent: agent(at, "InstgAgt").or_else(|| agent(header, "InstgAgt")),
        instructed_agent: agent(at, "InstdAgt").or_else(|| agent(header, "InstdAgt")),
    })
}
