//! A batch as it is shown.

use lombard_core::{id::Id, payment::Batch, time::Timestamp};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    batch::{
        record::{Format, Record, State},
        tally::Tally,
    },
    http::wire::{
        Moment,
        scalar::{BatchId, Time},
    },
};

/// A file of payments, and what became of it.
#[derive(Serialize, ToSchema)]
#[schema(as = Batch)]
pub struct BatchView<'a> {
    /// Names it.
    #[schema(value_type = BatchId)]
    id: Id<Batch>,
    /// `batch`.
    #[schema(pattern = "^batch$")]
    object: &'static str,
    /// `processing`, `interrupted` (send the same file with the same key to resume it), or
    /// `completed`: every row was decided, though its payment may still be on its way.
    #[schema(value_type = String, pattern = "^(processing|interrupted|completed)$")]
    state: State,
    /// `pain001`, `csv` or `json_lines`.
    #[schema(value_type = String, pattern = "^(pain001|csv|json_lines)$")]
    format: Format,
    /// Of a pain.001 file: its version, such as `pain.001.001.09`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, max_length = 20)]
    message: Option<&'a str>,
    /// Of a pain.001 file: `MsgId`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, max_length = 35)]
    message_id: Option<&'a str>,
    /// SHA-256 of the file, in hexadecimal.
    #[schema(pattern = "^[0-9a-f]{64}$")]
    sha256: &'a str,
    /// How many bytes the file has.
    bytes: u64,
    counts: Counts,
    #[schema(value_type = Time)]
    created_at: Moment,
    #[schema(value_type = Time)]
    updated_at: Moment,
}

/// Rows of the file, and where their payments stand. The payments are counted from the feed of
/// changes, each once, a moment behind them.
#[derive(Serialize, ToSchema)]
#[schema(as = BatchCounts)]
pub struct Counts {
    /// Rows of the file.
    rows: u64,
    /// Rows that became payments.
    accepted: u64,
    /// Rows that were refused.
    rejected: u64,
    /// Rows that had been paid before, by another request.
    duplicates: u64,
    /// Payments that wait for verification, funds or the rail.
    pending: u64,
    /// Payments with the rail's final yes, those settled included.
    cleared: u64,
    /// Of those, found by reconciliation.
    settled: u64,
    /// Payments whose money never moved.
    failed: u64,
    /// Payments whose money moved and moved back.
    reversed: u64,
}

impl<'a> BatchView<'a> {
    /// The view of a batch at `now`.
    #[must_use]
    pub fn of(record: &'a Record, tally: Tally, now: Timestamp) -> Self {
        let known = record.file.pain001.as_ref();
        // No sum is negative once all shards of the feed were read as far; until then it shows 0.
        let count = |number: i64| u64::try_from(number).unwrap_or(0);
        Self {
            id: record.id,
            object: "batch",
            state: record.state_at(now),
            format: record.file.format,
            message: known.map(|known| known.message.as_str()),
            message_id: known.map(|known| known.message_id.as_str()),
            sha256: &record.file.sha256,
            bytes: record.file.bytes,
            counts: Counts {
                rows: record.rows,
                accepted: count(tally.accepted),
                rejected: record.rejected,
                duplicates: record.duplicates,
                pending: count(tally.pending),
                cleared: count(tally.cleared),
                settled: count(tally.settled),
                failed: count(tally.failed),
                reversed: count(tally.reversed),
            },
            created_at: record.created_at.into(),
            updated_at: record.updated_at.into(),
        }
    }
}
