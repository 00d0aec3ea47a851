//! What our books say must come: payments that a rail said yes to, and those that came before.

use std::collections::BTreeSet;

use lombard_core::{
    id::Id,
    lifecycle::Stage,
    matching::{Expected, Standing},
    payment::{Direction, Payment},
    plan::keys,
    rail::Rail,
    statement::Unit,
    store::decode,
    tenant::TenantId,
    time::Timestamp,
};
use time::{Date, OffsetDateTime};

use crate::{
    app::App,
    ports::{RANGE_MAX, Range, ReadError},
};

/// Payments as the engine takes them, in the order of their ids.
#[derive(Default)]
pub struct Gathered {
    /// What is expected.
    pub items: Vec<Expected>,
    /// Which payment each is, at the same place.
    pub payments: Vec<Known>,
}

/// A rail, and whether money comes over it.
pub type Way = (Rail, bool);

impl Gathered {
    /// Keeps those in some currencies. One over a rail that the source does not stand for is not missed
    /// there.
    pub fn keep(&mut self, units: &BTreeSet<Unit>, tells_of: impl Fn(Rail) -> bool) {
        let kept: Vec<bool> = self
            .items
            .iter()
            .map(|it| units.contains(&it.unit))
            .collect();
        let mut each = kept.iter();
        self.items.retain(|_| each.next() == Some(&true));
        let mut each = kept.iter();
        self.payments.retain(|_| each.next() == Some(&true));
        for known in &mut self.payments {
            known.is_told_here = tells_of(known.rail);
        }
    }

    /// Which way the money of an item goes.
    pub fn way(&self, at: usize) -> Way {
        (self.payments[at].rail, self.items[at].minor > 0)
    }
}

/// What is kept of a payment.
#[derive(Clone)]
pub struct Known {
    /// Which.
    pub id: Id<Payment>,
    /// By what both ends know it.
    pub end_to_end_id: String,
    /// Over which rail it went.
    pub rail: Rail,
    /// Whether the rail's yes has been given, and no statement has told of it.
    pub has_cleared: bool,
    /// Whether the source stands for its rail.
    pub is_told_here: bool,
}

/// Gathers a tenant's payments. One that never left us is expected nowhere.
///
/// # Errors
/// See [`ReadError`].
pub async fn gather(app: &App, tenant: TenantId) -> Result<Gathered, ReadError> {
    let mut gathered = Gathered::default();
    let mut after = None;
    loop {
        let range = Range::listed(&keys::payments_list(tenant), RANGE_MAX).after(after);
        let found = app.store.range(&range).await?;
        let Some(last) = found.last() else {
            return Ok(gathered);
        };
        after = Some(last.at.sort().to_owned());
        for it in &found {
            let payment: Payment = decode(&it.record.body.bytes);
            if let Some((item, known)) = take(tenant, &payment) {
                gathered.items.push(item);
                gathered.payments.push(known);
            }
        }
    }
}

fn take(tenant: TenantId, payment: &Payment) -> Option<(Expected, Known)> {
    let amount = i64::try_from(payment.money.amount.minor()).ok()?;
    let minor = match payment.direction {
        Direction::In => amount,
        Direction::Out => -amount,
        Direction::Internal => return None,
    };
    let standing = match payment.stage {
        // What came back went out before: both stand in statements, and none is missed.
        Stage::Cleared
        | Stage::Reversed
        | Stage::Submitted
        | Stage::InDoubt
        | Stage::Held
        | Stage::Authorised => Standing::Open,
        Stage::Settled => Standing::Settled,
        Stage::Failed => Standing::Failed,
        Stage::New | Stage::Verifying | Stage::Scheduled | Stage::AwaitingFunds | Stage::Queued => {
            return None;
        }
    };
    if payment.rail == Rail::Book {
        return None;
    }
    let mut references: Vec<Box<str>> = vec![
        payment.id.to_string().into(),
        payment.attempt_id(tenant).into(),
        payment.end_to_end_id.as_str().into(),
    ];
    references.extend(payment.attempt.rail_reference.as_deref().map(Into::into));
    references.extend(payment.metadata.values().map(|it| it.as_str().into()));
    references.retain(|it| it.len() >= 3);
    let item = Expected {
        minor,
        unit: Unit::from(payment.money.currency),
        day: day(payment.attempt.submitted_at.unwrap_or(payment.created_at)),
        references: references.into(),
        group: payment.batch.map(|it| it.to_string().into()),
        standing,
    };
    let known = Known {
        id: payment.id,
        end_to_end_id: payment.end_to_end_id.clone(),
        rail: payment.rail,
        has_cleared: payment.stage == Stage::Cleared,
        is_told_here: false,
    };
    Some((item, known))
}

/// The day of a moment, in UTC.
pub fn day(at: Timestamp) -> Date {
    let seconds = (at.unix_ms() / 1000) as i64;
    OffsetDateTime::from_unix_timestamp(seconds).map_or(Date::MAX, OffsetDateTime::date)
}
