//! What a file of payments holds.

use crate::iso20022::model::{Account, Agent, ChargeBearer, Coded, Party, Remittance};
use crate::iso20022::violation::Violations;
use crate::money::Money;

/// A part of the file, in the order of the file.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(clippy::large_enum_variant)] // Rows are nearly all of the items, and they are the large one.
pub enum Item {
    /// `GrpHdr`: comes once, first.
    Header(FileHeader),
    /// What a block says of all its rows; comes before them.
    Block(PaymentBlock),
    /// One payment.
    Row(Row),
    /// The end of a block.
    BlockEnd {
        /// Which block, from 1.
        block: u64,
        /// How many rows it had.
        rows: u64,
        /// What is wrong with the block that was not known before its end: counts and sums.
        violations: Violations,
    },
    /// The end of the file; comes once, last.
    End(FileEnd),
}

/// The file's header.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FileHeader {
    /// The message and version, such as `pain.001.001.09`.
    pub message: String,
    /// `MsgId`: the sender's reference of the file, the key against sending it twice.
    pub message_id: String,
    /// `CreDtTm`, Unix milliseconds.
    pub created_ms: Option<u64>,
    /// `NbOfTxs`: how many rows the file should have.
    pub rows: Option<u64>,
    /// `CtrlSum`: the sum of all amounts whatever their currency, as written.
    pub control_sum: Option<String>,
    /// `InitgPty`: who sends the file.
    pub initiating_party: Party,
    /// What is wrong with the header.
    pub violations: Violations,
}

/// What the rows of a block share (`PmtInf`).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PaymentBlock {
    /// Which block, from 1.
    pub block: u64,
    /// `PmtInfId`: the sender's reference of the block.
    pub id: String,
    /// `PmtMtd`: `TRF`, or `CHK` and `TRA` for cheques and advices.
    pub method: String,
    /// `BtchBookg`: whether the debtor wants one debit for all.
    pub batch_booking: Option<bool>,
    /// `NbOfTxs`.
    pub rows: Option<u64>,
    /// `CtrlSum`, as written.
    pub control_sum: Option<String>,
    /// `SvcLvl`, such as `SEPA` or `URGP`.
    pub service_level: Option<Coded>,
    /// `LclInstrm`, such as `INST`.
    pub local_instrument: Option<Coded>,
    /// `CtgyPurp`, such as `SALA`.
    pub category_purpose: Option<Coded>,
    /// `ReqdExctnDt`: the day, or the moment, as written.
    pub requested_execution: String,
    /// `Dbtr`.
    pub debtor: Party,
    /// `DbtrAcct`.
    pub debtor_account: Option<Account>,
    /// `DbtrAgt`.
    pub debtor_agent: Agent,
    /// `UltmtDbtr`.
    pub ultimate_debtor: Option<Party>,
    /// `ChrgBr`.
    pub charge_bearer: Option<ChargeBearer>,
    /// What is wrong with it; no row of the block can be paid then.
    pub violations: Violations,
}

/// One payment of the file (`CdtTrfTxInf`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Which row of the file, from 1.
    pub row: u64,
    /// Which block, from 1.
    pub block: u64,
    /// Where it is, such as `/Document/CstmrCdtTrfInitn/PmtInf[1]/CdtTrfTxInf[3]`.
    pub path: String,
    /// `InstrId`, for the report, even of a row that is wrong.
    pub instruction_id: Option<String>,
    /// `EndToEndId`, for the report, even of a row that is wrong.
    pub end_to_end_id: Option<String>,
    /// `UETR`, for the report, even of a row that is wrong.
    pub uetr: Option<String>,
    /// The payment, or what is wrong with it.
    pub payment: Result<Box<Payment>, Violations>,
}

/// A payment that a customer asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Payment {
    /// `InstdAmt`.
    pub amount: Money,
    /// `SvcLvl`, where it is not the block's.
    pub service_level: Option<Coded>,
    /// `LclInstrm`, where it is not the block's.
    pub local_instrument: Option<Coded>,
    /// `CtgyPurp`, where it is not the block's.
    pub category_purpose: Option<Coded>,
    /// `ChrgBr`, where it is not the block's.
    pub charge_bearer: Option<ChargeBearer>,
    /// `UltmtDbtr`, where it is not the block's.
    pub ultimate_debtor: Option<Party>,
    /// `CdtrAgt`; absent where the account says it.
    pub creditor_agent: Option<Agent>,
    /// `Cdtr`.
    pub creditor: Party,
    /// `CdtrAcct`.
    pub creditor_account: Option<Account>,
    /// `UltmtCdtr`.
    pub ultimate_creditor: Option<Party>,
    /// `Purp`.
    pub purpose: Option<Coded>,
    /// `RmtInf`.
    pub remittance: Remittance,
}

/// The end of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileEnd {
    /// How many rows were read.
    pub rows: u64,
    /// The bytes could not be read to their end as XML: rows may be missing behind the last one.
    pub broken: bool,
    /// What is wrong with the file as a whole.
    pub violations: Violations,
}
