//! A batch as it is stored: what file it is, how far it has come, and who works on it.
//!
//! **Shape.** In the batch's own partition: the [`Record`], an [`Outcome`] for each row that was not
//! accepted, a [`Block`] for each block of a pain.001 file, and the tally of its payments. A row that
//! was accepted needs no record: its payment's id follows from the batch and the row's number, see
//! [`payment_id`]. Nothing here has personal data.

use lombard_core::{
    id::Id,
    payment::{Batch, Payment},
    reason::Reason,
    store::{Body, Key},
    tenant::TenantId,
    time::Timestamp,
};
use serde::{Deserialize, Serialize};

use super::spool::Kept;

/// A batch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// `bat_…`.
    pub id: Id<Batch>,
    /// Which file it is.
    pub file: FileRecord,
    /// How many rows the file has.
    pub rows: u64,
    /// Where it stands.
    pub state: State,
    /// Up to which row, without gaps, every row has been decided.
    pub done: u64,
    /// Rows that became no payment.
    pub rejected: u64,
    /// Rows that had been paid before, by another request.
    pub duplicates: u64,
    /// Where its file is kept until all rows are decided.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kept: Option<Kept>,
    /// Who works on it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub runner: Option<Runner>,
    /// Who sent it: `key/…`.
    pub actor: String,
    /// The W3C trace id of the request that sent it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace: Option<String>,
    /// When the file was accepted.
    pub created_at: Timestamp,
    /// When it last came further.
    pub updated_at: Timestamp,
}

/// Which file a batch is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileRecord {
    /// How it is written.
    pub format: Format,
    /// SHA-256 of its bytes, in hexadecimal.
    pub sha256: String,
    /// How long it is.
    pub bytes: u64,
    /// Of a pain.001 file: its header.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pain001: Option<Pain001>,
}

/// The header of a pain.001 file, as far as the report needs it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pain001 {
    /// The message and version, such as `pain.001.001.09`.
    pub message: String,
    /// `MsgId`.
    pub message_id: String,
    /// `CreDtTm`, Unix milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_ms: Option<u64>,
    /// `CtrlSum`, as written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub control_sum: Option<String>,
}

/// How a file is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    /// ISO 20022 customer credit transfer initiation.
    Pain001,
    /// Comma-separated values with a header line.
    Csv,
    /// One JSON object a line.
    JsonLines,
}

/// Where a batch stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Its rows are being submitted.
    Processing,
    /// Whoever submitted its rows is gone. It is resumed while its file is kept, and by sending the same file
    /// with the same key.
    Interrupted,
    /// Every row was decided. Its payments may still be on their way.
    Completed,
}

/// Who works on a batch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Runner {
    /// A random name, drawn for each run.
    pub name: String,
    /// When it was last seen.
    pub beat: Timestamp,
}

/// After how many milliseconds without a sign a runner is taken for dead.
pub const RUNNER_MS_MAX: u64 = 5_000;

impl Record {
    /// Where it stands at `now`: a runner that gave no sign for [`RUNNER_MS_MAX`] is gone.
    #[must_use]
    pub fn state_at(&self, now: Timestamp) -> State {
        let alive = |runner: &Runner| now.ms_since(runner.beat) < RUNNER_MS_MAX;
        match self.state {
            State::Processing if !self.runner.as_ref().is_some_and(alive) => State::Interrupted,
            state => state,
        }
    }

    /// The record of it.
    #[must_use]
    pub fn body(&self, tenant: TenantId) -> Body {
        let body = Body::of(self).listed(Key::new(&list(tenant), &self.id.to_string()));
        match self.state {
            State::Processing | State::Interrupted => {
                let sort = format!("{tenant}#{}", self.id);
                body.listed(Key::new(OPEN, &sort))
            }
            State::Completed => body,
        }
    }
}

/// Why a row became no payment, or whose duplicate it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outcome {
    /// Which row, from 1.
    pub row: u64,
    /// What became of it.
    pub what: What,
    /// The sender's references, for the report.
    #[serde(default, skip_serializing_if = "References::is_empty")]
    pub references: References,
}

/// What became of a row that is no payment of this batch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum What {
    /// It was refused.
    Rejected(Refused),
    /// The payment was made before, by another request with the row's key.
    Duplicate {
        /// Which payment, when the answer of then says so.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        payment: Option<Id<Payment>>,
    },
}

/// Why a row was refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refused {
    /// The stable code, as in the API's problems.
    pub code: String,
    /// In words, without personal data.
    pub detail: String,
    /// Which member of the row, or which element of the file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// Which rule, where there is a list of rules.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
    /// The same in the words of payments, for the report to the sender.
    pub reason: Reason,
}

/// How the sender of a file refers to a row.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct References {
    /// `InstrId`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instruction_id: Option<String>,
    /// `EndToEndId`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end_to_end_id: Option<String>,
    /// `UETR`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uetr: Option<String>,
}

impl References {
    /// Whether there are none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.instruction_id.is_none() && self.end_to_end_id.is_none() && self.uetr.is_none()
    }
}

/// A block of a pain.001 file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Block {
    /// Which block, from 1.
    pub block: u64,
    /// `PmtInfId`.
    pub id: String,
    /// Its first row.
    pub first_row: u64,
    /// `NbOfTxs`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rows: Option<u64>,
    /// `CtrlSum`, as written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub control_sum: Option<String>,
}

/// The id of the payment that a row becomes. The same row of the same batch is the same payment,
/// whoever submits it again: the plan refuses to make it twice.
///
/// The number of the row is the id's end, so that a batch's payments stand side by side in the order
/// of its rows: in lists, and in the index, where scattered ones would cost a page each.
#[must_use]
pub fn payment_id(batch: Id<Batch>, row: u64) -> Id<Payment> {
    let first: Id<Payment> = Id::derived(batch.made_at(), batch, 0);
    // Rows are bounded well below 2^32: see `check::ROWS_MAX`.
    let row = u32::try_from(row).unwrap_or(u32::MAX);
    Id::from_bits(first.bits() & !u128::from(u32::MAX) | u128::from(row))
}

/// The partition of a batch.
#[must_use]
pub fn partition(tenant: TenantId, id: Id<Batch>) -> String {
    format!("{}/{id}", tenant.short())
}

/// Where a batch is kept.
#[must_use]
pub fn key(tenant: TenantId, id: Id<Batch>) -> Key {
    Key::new(&partition(tenant, id), "batch")
}

/// Where the outcome of a row sorts in its batch.
#[must_use]
pub fn outcome_sort(row: u64) -> String {
    format!("row#{row:010}")
}

/// What sorts after every outcome of a batch.
#[must_use]
pub fn outcome_end() -> String {
    "row#~".to_owned()
}

/// Where a block sorts in its batch.
#[must_use]
pub fn block_sort(block: u64) -> String {
    format!("block#{block:010}")
}

/// The list of all batches that are not completed.
pub const OPEN: &str = "batches#open";

/// The list of a tenant's batches, in the order of their ids.
#[must_use]
pub fn list(tenant: TenantId) -> String {
    format!("{}/batches", tenant.short())
}

/// Where it is kept which batch a file is. `identity` names the file: see [`super::check`].
#[must_use]
pub fn file_key(tenant: TenantId, identity: &str) -> Key {
    Key::new(&format!("{}/file_{identity}", tenant.short()), "batch")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_payments_of_a_batch_are_in_the_order_of_its_rows() {
        let (a, b) = (Id::from_bits(7 << 80), Id::from_bits(7 << 80 | 1));
        let ids: Vec<_> = (1..300).map(|row| payment_id(a, row)).collect();
        assert!(ids.is_sorted() && ids[0] != ids[1]);
        assert_eq!(payment_id(a, 5), payment_id(a, 5));
        assert!(ids.iter().all(|id| id.made_at() == a.made_at()));
        assert!((1..300).all(|row| !ids.contains(&payment_id(b, row))));
    }
}
