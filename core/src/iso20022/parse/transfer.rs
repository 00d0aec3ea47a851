//! pacs.008 and pacs.004: money that moves, and money that comes back.

use super::at_least_one;
use super::parts::{
    account, agent, charge_bearer, coded, moment, money, optional_moment, optional_money, original,
    original_settlement, party, reasons, remittance, settlement,
};
use crate::iso20022::messages::{CreditTransfer, Return};
use crate::iso20022::model::ChargeBearer;
use crate::iso20022::tree::El;
use crate::iso20022::violation::{Rule, Violation};

/// The transactions of a pacs.008, from its `FIToFICstmrCdtTrf`.
pub(super) fn credit_transfers(root: El) -> Result<Vec<CreditTransfer>, Violation> {
    let header = header_of(root)?;
    let all = root
        .all("CdtTrfTxInf")
        .map(|tx| credit_transfer(header, tx));
    at_least_one(root, all.collect::<Result<_, _>>()?)
}

fn header_of(root: El) -> Result<El, Violation> {
    let missing = || root.violation(Rule::MissingElement, "GrpHdr is missing");
    root.get("GrpHdr").ok_or_else(missing)
}

fn required<T>(at: El, path: &str, found: Option<T>) -> Result<T, Violation> {
    found.ok_or_else(|| at.violation(Rule::MissingElement, format!("{path} is missing")))
}

/// What stands in the transaction goes before what the header says of all.
fn credit_transfer(header: El, tx: El) -> Result<CreditTransfer, Violation> {
    let kind = |name: &str| {
        let path = format!("PmtTpInf/{name}");
        coded(tx, &path).or_else(|| coded(header, &path))
    };
    let either_agent = |path| agent(tx, path).or_else(|| agent(header, path));
    let amount = required(tx, "IntrBkSttlmAmt", tx.get("IntrBkSttlmAmt"))?;
    Ok(CreditTransfer {
        message_id: header.string("MsgId").unwrap_or_default(),
        created_ms: moment(header, "CreDtTm")?,
        settlement: settlement(header, "SttlmInf"),
        settlement_date: tx
            .string("IntrBkSttlmDt")
            .or_else(|| header.string("IntrBkSttlmDt")),
        instruction_id: tx.string("PmtId/InstrId"),
        end_to_end_id: tx.string("PmtId/EndToEndId").unwrap_or_default(),
        tx_id: tx.string("PmtId/TxId"),
        uetr: tx.string("PmtId/UETR"),
        service_level: kind("SvcLvl"),
        local_instrument: kind("LclInstrm"),
        category_purpose: kind("CtgyPurp"),
        amount: money(amount)?,
        instructed_amount: optional_money(tx, "InstdAmt")?,
        accepted_ms: optional_moment(tx, "AccptncDtTm")?,
        charge_bearer: charge_bearer(tx, "ChrgBr").unwrap_or(ChargeBearer::Shared),
        instructing_agent: either_agent("InstgAgt"),
        instructed_agent: either_agent("InstdAgt"),
        ultimate_debtor: party(tx, "UltmtDbtr"),
        debtor: party(tx, "Dbtr").unwrap_or_default(),
        debtor_account: account(tx, "DbtrAcct"),
        debtor_agent: agent(tx, "DbtrAgt").unwrap_or_default(),
        creditor_agent: agent(tx, "CdtrAgt").unwrap_or_default(),
        creditor: party(tx, "Cdtr").unwrap_or_default(),
        creditor_account: account(tx, "CdtrAcct"),
        ultimate_creditor: party(tx, "UltmtCdtr"),
        purpose: coded(tx, "Purp"),
        remittance: remittance(tx),
    })
}

/// The transactions of a pacs.004, from its `PmtRtr`.
///
/// A return of a whole message (`GrpRtr`) names no transactions, and which ones came back cannot be
/// told from it: it is refused as holding none.
pub(super) fn returns(root: El) -> Result<Vec<Return>, Violation> {
    let header = header_of(root)?;
    let group = root.get("OrgnlGrpInf");
    let all = root.all("TxInf").map(|tx| return_of(header, group, tx));
    at_least_one(root, all.collect::<Result<_, _>>()?)
}

fn return_of(header: El, group: Option<El>, tx: El) -> Result<Return, Violation> {
    let either_agent = |path| agent(tx, path).or_else(|| agent(header, path));
    let amount = required(tx, "RtrdIntrBkSttlmAmt", tx.get("RtrdIntrBkSttlmAmt"))?;
    let mut why = reasons(tx, "RtrRsnInf");
    if let Some(group) = group.filter(|_| why.is_empty()) {
        why = reasons(group, "RtrRsnInf");
    }
    Ok(Return {
        message_id: header.string("MsgId").unwrap_or_default(),
        created_ms: moment(header, "CreDtTm")?,
        settlement: settlement(header, "SttlmInf"),
        settlement_date: tx
            .string("IntrBkSttlmDt")
            .or_else(|| header.string("IntrBkSttlmDt")),
        return_id: tx.string("RtrId"),
        original: original(tx, group)?,
        original_settlement: original_settlement(tx)?,
        amount: money(amount)?,
        charge_bearer: charge_bearer(tx, "ChrgBr"),
        reasons: why,
        instructing_agent: either_agent("InstgAgt"),
        instructed_agent: either_agent("InstdAgt"),
    })
}
