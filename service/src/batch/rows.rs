//! What became of each row: its payment as it stands now, or its outcome.

use std::collections::BTreeMap;

use lombard_core::{
    id::Id,
    payment::{Batch, Payment},
    plan::keys,
    store::decode,
    tenant::TenantId,
};

use super::record::{Outcome, outcome_sort, partition, payment_id};
use crate::{
    app::App,
    ports::{Of, Range, ReadError},
};

/// Rows that are read at once: DynamoDB reads at most 100 records of one moment.
pub const ROWS_AT_ONCE: u64 = 100;

/// A row of a batch.
pub struct Seen {
    /// Which, from 1.
    pub row: u64,
    /// What became of it.
    pub state: RowState,
}

/// What became of a row.
#[allow(clippy::large_enum_variant)] // Payments are nearly all of them, and they are the large one.
pub enum RowState {
    /// It is this payment.
    Payment(Payment),
    /// It is no payment of this batch.
    Outcome(Outcome),
    /// Its turn has not come.
    Waiting,
}

/// Up to [`ROWS_AT_ONCE`] rows after `after` of a batch of `rows`.
///
/// # Errors
/// See [`ReadError`].
pub async fn read(
    app: &App,
    tenant: TenantId,
    batch: Id<Batch>,
    rows: u64,
    after: u64,
    limit: u64,
) -> Result<Vec<Seen>, ReadError> {
    let last = rows.min(after.saturating_add(limit.min(ROWS_AT_ONCE)));
    if last <= after {
        return Ok(Vec::new());
    }
    let range = Range {
        partition: partition(tenant, batch),
        of: Of::Records,
        after: Some(outcome_sort(after)),
        until: Some(outcome_sort(last)),
        backwards: false,
        past_damage: false,
        limit: usize::try_from(ROWS_AT_ONCE).unwrap_or(usize::MAX),
    };
    let mut outcomes: BTreeMap<u64, Outcome> = app
        .store
        .range(&range)
        .await?
        .iter()
        .map(|found| decode::<Outcome>(&found.record.body.bytes))
        .map(|outcome| (outcome.row, outcome))
        .collect();
    let others: Vec<u64> = (after + 1..=last)
        .filter(|row| !outcomes.contains_key(row))
        .collect();
    let wanted: Vec<_> = others
        .iter()
        .map(|row| keys::payment(tenant, payment_id(batch, *row)))
        .collect();
    let found = app.store.get(&wanted).await?;
    let mut payments: BTreeMap<u64, Payment> = others
        .into_iter()
        .zip(found)
        .filter_map(|(row, found)| Some((row, decode(&found?.body.bytes))))
        .collect();
    let mut state = |row: u64| match (outcomes.remove(&row), payments.remove(&row)) {
        (Some(outcome), _) => RowState::Outcome(outcome),
        (None, Some(payment)) => RowState::Payment(payment),
        (None, None) => RowState::Waiting,
    };
    Ok((after + 1..=last)
        .map(|row| Seen {
            row,
            state: state(row),
        })
        .collect())
}
