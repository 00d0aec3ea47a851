//! The six messages between us and a rail's gateway, as values.
//!
//! | value | message | says |
//! |---|---|---|
//! | [`CreditTransfer`] | pacs.008 | pay this |
//! | [`StatusReport`] | pacs.002 | this became of it |
//! | [`StatusRequest`] | pacs.028 | what became of it? |
//! | [`Return`] | pacs.004 | here is the money back |
//! | [`RecallRequest`] | camt.056 | please send it back |
//! | [`RecallAnswer`] | camt.029 | yes, no, or not yet |
//!
//! Each value is one transaction together with the header of its message. We send one transaction
//! per message; a received message with several becomes several values with the same `message_id`.

use super::model::{
    Account, Agent, Assignment, Case, ChargeBearer, Coded, Original, OriginalSettlement, Party,
    Reason, Remittance, Settlement,
};
use crate::money::Money;

/// pacs.008: a customer's payment from bank to bank.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreditTransfer {
    /// `MsgId`: the sender's reference of the message, at most 35 characters.
    pub message_id: String,
    /// `CreDtTm`, Unix milliseconds.
    pub created_ms: u64,
    /// `SttlmInf`: how it settles.
    pub settlement: Settlement,
    /// `IntrBkSttlmDt`, ISO text.
    pub settlement_date: Option<String>,
    /// `InstrId`: point to point, at most 35 characters.
    pub instruction_id: Option<String>,
    /// `EndToEndId`: the debtor's reference, at most 35 characters; `NOTPROVIDED` if there is none.
    pub end_to_end_id: String,
    /// `TxId`: the first bank's reference, at most 35 characters.
    pub tx_id: Option<String>,
    /// `UETR`: a UUID of version 4 in lower case.
    pub uetr: Option<String>,
    /// `SvcLvl`, such as `SEPA`.
    pub service_level: Option<Coded>,
    /// `LclInstrm`, such as `INST`.
    pub local_instrument: Option<Coded>,
    /// `CtgyPurp`, such as `SALA`.
    pub category_purpose: Option<Coded>,
    /// `IntrBkSttlmAmt`: what moves between the banks.
    pub amount: Money,
    /// `InstdAmt`: what the debtor asked for, where it differs or the scheme wants it.
    pub instructed_amount: Option<Money>,
    /// `AccptncDtTm`: when the first bank took it, Unix milliseconds; the clock of an instant
    /// scheme starts here.
    pub accepted_ms: Option<u64>,
    /// `ChrgBr`.
    pub charge_bearer: ChargeBearer,
    /// `InstgAgt`: who sends the message.
    pub instructing_agent: Option<Agent>,
    /// `InstdAgt`: who is to act on it.
    pub instructed_agent: Option<Agent>,
    /// `UltmtDbtr`: on whose behalf, if not the debtor's.
    pub ultimate_debtor: Option<Party>,
    /// `Dbtr`: who pays.
    pub debtor: Party,
    /// `DbtrAcct`.
    pub debtor_account: Option<Account>,
    /// `DbtrAgt`.
    pub debtor_agent: Agent,
    /// `CdtrAgt`.
    pub creditor_agent: Agent,
    /// `Cdtr`: who is paid.
    pub creditor: Party,
    /// `CdtrAcct`.
    pub creditor_account: Option<Account>,
    /// `UltmtCdtr`: for whom, if not the creditor.
    pub ultimate_creditor: Option<Party>,
    /// `Purp`.
    pub purpose: Option<Coded>,
    /// `RmtInf`.
    pub remittance: Remittance,
}

/// What has become of a payment, or of a whole message (`TxSts`, `GrpSts`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Status {
    /// `RCVD`: received.
    Received,
    /// `PDNG`: neither yes nor no yet.
    Pending,
    /// `ACTC`: it is well-formed and authentic.
    TechnicallyAccepted,
    /// `ACCP`: the customer's profile allows it.
    CustomerProfileAccepted,
    /// `ACSP`: on its way to settlement; the last word on some rails, not on others.
    InProcess,
    /// `ACSC`: settled on the debtor's side.
    SettlementCompleted,
    /// `ACCC`: settled on the creditor's account.
    CreditorCredited,
    /// `ACWP`: accepted, not posted to the creditor yet.
    WithoutPosting,
    /// `ACWC`: accepted with a change.
    WithChange,
    /// `PART`: a part of the group was accepted.
    Partial,
    /// `RJCT`: refused.
    Rejected,
    /// `CANC`: cancelled.
    Cancelled,
    /// `BLCK`: blocked, for example by sanctions.
    Blocked,
    /// Any other code of the external list, or a scheme's own, one to four characters.
    Other(String),
}

/// Every status with a name of its own, and its code.
const STATUSES: [(&str, Status); 13] = [
    ("RCVD", Status::Received),
    ("PDNG", Status::Pending),
    ("ACTC", Status::TechnicallyAccepted),
    ("ACCP", Status::CustomerProfileAccepted),
    ("ACSP", Status::InProcess),
    ("ACSC", Status::SettlementCompleted),
    ("ACCC", Status::CreditorCredited),
    ("ACWP", Status::WithoutPosting),
    ("ACWC", Status::WithChange),
    ("PART", Status::Partial),
    ("RJCT", Status::Rejected),
    ("CANC", Status::Cancelled),
    ("BLCK", Status::Blocked),
];

impl Status {
    /// The four letters on the wire.
    #[must_use]
    pub fn code(&self) -> &str {
        if let Self::Other(code) = self {
            return code;
        }
        STATUSES
            .iter()
            .find(|(_, status)| status == self)
            .map_or("", |(code, _)| code)
    }

    /// Reads the four letters.
    #[must_use]
    pub fn from_code(code: &str) -> Self {
        let known = STATUSES.iter().find(|(known, _)| *known == code);
        known.map_or_else(
            || Self::Other(code.to_owned()),
            |(_, status)| status.clone(),
        )
    }
}

/// pacs.002: what became of a payment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatusReport {
    /// `MsgId`.
    pub message_id: String,
    /// `CreDtTm`, Unix milliseconds.
    pub created_ms: u64,
    /// Which payment; where only the message is named, the status is of all in it.
    pub original: Original,
    /// `StsId`: the reference of this report.
    pub status_id: Option<String>,
    /// `TxSts`, or `GrpSts` where the report is of a whole message.
    pub status: Status,
    /// `StsRsnInf`.
    pub reasons: Vec<Reason>,
    /// `AccptncDtTm`, Unix milliseconds.
    pub accepted_ms: Option<u64>,
    /// `ClrSysRef`: the clearing system's reference.
    pub clearing_reference: Option<String>,
    /// `InstgAgt`.
    pub instructing_agent: Option<Agent>,
    /// `InstdAgt`.
    pub instructed_agent: Option<Agent>,
}

/// pacs.028: asks what became of a payment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatusRequest {
    /// `MsgId`.
    pub message_id: String,
    /// `CreDtTm`, Unix milliseconds.
    pub created_ms: u64,
    /// Which payment.
    pub original: Original,
    /// `StsReqId`: the reference of this question.
    pub request_id: Option<String>,
    /// `InstgAgt`.
    pub instructing_agent: Option<Agent>,
    /// `InstdAgt`.
    pub instructed_agent: Option<Agent>,
}

/// pacs.004: money that comes back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Return {
    /// `MsgId`.
    pub message_id: String,
    /// `CreDtTm`, Unix milliseconds.
    pub created_ms: u64,
    /// `SttlmInf`: how the return settles.
    pub settlement: Settlement,
    /// `IntrBkSttlmDt`, ISO text.
    pub settlement_date: Option<String>,
    /// `RtrId`: the reference of the return.
    pub return_id: Option<String>,
    /// Which payment comes back.
    pub original: Original,
    /// What was settled then.
    pub original_settlement: OriginalSettlement,
    /// `RtrdIntrBkSttlmAmt`: what comes back, at most what was settled.
    pub amount: Money,
    /// `ChrgBr`.
    pub charge_bearer: Option<ChargeBearer>,
    /// `RtrRsnInf`.
    pub reasons: Vec<Reason>,
    /// `InstgAgt`.
    pub instructing_agent: Option<Agent>,
    /// `InstdAgt`.
    pub instructed_agent: Option<Agent>,
}

/// camt.056: asks for a payment back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecallRequest {
    /// `Assgnmt`: its `id` is the reference of the message.
    pub assignment: Assignment,
    /// `Case`.
    pub case: Option<Case>,
    /// `CxlId`: the reference of this recall.
    pub cancellation_id: Option<String>,
    /// Which payment.
    pub original: Original,
    /// What was settled then.
    pub original_settlement: OriginalSettlement,
    /// `CxlRsnInf`.
    pub reasons: Vec<Reason>,
}

/// The answer to a recall (`Conf`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RecallOutcome {
    /// `CNCL`: cancelled as asked; the money follows in a pacs.004 where it had moved.
    Cancelled,
    /// `RJCR`: refused.
    Refused,
    /// `PDCR`: not yet decided.
    Pending,
    /// Any other code of the external list.
    Other(String),
}

impl RecallOutcome {
    /// The four letters on the wire.
    #[must_use]
    pub fn code(&self) -> &str {
        match self {
            Self::Cancelled => "CNCL",
            Self::Refused => "RJCR",
            Self::Pending => "PDCR",
            Self::Other(code) => code,
        }
    }

    /// Reads the four letters.
    #[must_use]
    pub fn from_code(code: &str) -> Self {
        match code {
            // `ACCR` says the same of one transaction that `CNCL` says of a case.
            "CNCL" | "ACCR" => Self::Cancelled,
            "RJCR" => Self::Refused,
            "PDCR" => Self::Pending,
            other => Self::Other(other.to_owned()),
        }
    }
}

/// camt.029: answers a recall.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecallAnswer {
    /// `Assgnmt`: its `id` is the reference of the message.
    pub assignment: Assignment,
    /// `RslvdCase`: the case that this answers.
    pub case: Option<Case>,
    /// `Sts/Conf`.
    pub outcome: RecallOutcome,
    /// `CxlStsId`: the reference of this answer.
    pub status_id: Option<String>,
    /// Which payment.
    pub original: Original,
    /// `CxlStsRsnInf`.
    pub reasons: Vec<Reason>,
}

impl CreditTransfer {
    /// The message and version that we write.
    pub const NAME: &'static str = "pacs.008.001.08";
}

impl Return {
    /// The message and version that we write.
    pub const NAME: &'static str = "pacs.004.001.09";
}
