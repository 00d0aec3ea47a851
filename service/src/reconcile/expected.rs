//! What our books say must come: payments that a rail said yes to, and those that came before.

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
};

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

/// A rail, of a card the provider, and whether money comes over it.
pub type Way = (Rail, Option<Arc<str>>, bool);

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
        let known = &self.payments[at];
        // A provider tells of both in one report.
        let comes = known.rail == Rail::Card || self.items[at].minor > 0;
        (known.rail, known.provider.clone(), comes)
    }
}

/// What is kept of a payment.
#[derive(Clone)]
pub struct Known {
    /// Which.
    pub id: Id<Payment>,
    /// Of a return, what it is a return of.
    pub original: Option<Id<Payment>>,
    /// By what both ends know it.
    pub end_to_end_id: String,
    /// Over which rail it went.
    pub rail: Rail,
    /// Through which provider, of a charge or its return.
    pub provider: Option<Arc<str>>,
    /// Whether the rail, or the provider, has given it a name of its own.
    pub has_reference: bool,
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
    let mut providers = Providers::default();
    let mut after = None;
    loop {
        let range = Range::listed(&keys::payments_list(tenant), RANGE_MAX).after(after);
        let found = app.store.range(&range).await?;
        let Some(last) = found.last() else {
            providers.tell(&mut gathered);
            return Ok(gathered);
        };
        after = Some(last.at.sort().to_owned());
        for it in &found {
            let payment: Payment = decode(&it.record.body.bytes);
            if let Some((item, known)) = take(tenant, &payment) {
                providers.note(gathered.payments.len(), &payment);
                gathered.items.push(item);
                gathered.payments.push(known);
            }
        }
    }
}

/// Through which provider charges went; each name is kept once.
#[derive(Default)]
struct Providers {
    names: BTreeSet<Arc<str>>,
    charges: HashMap<Id<Payment>, (Arc<str>, Option<Box<str>>)>,
    /// Charges and their returns, at their places, with the charge, which may come after its return.
    places: Vec<(usize, Id<Payment>)>,
}

impl Providers {
    fn note(&mut self, at: usize, payment: &Payment) {
        if let Some(charge) = &payment.charge {
            let name = charge.provider.as_str();
            let known = self.names.get(name).cloned();
            let name = known.unwrap_or_else(|| name.into());
            self.names.insert(Arc::clone(&name));
            let reference = payment.attempt.rail_reference.as_deref();
            self.charges
                .insert(payment.id, (name, reference.map(Into::into)));
            self.places.push((at, payment.id));
        } else if let Some(original) = payment.original.filter(|_| payment.rail == Rail::Card) {
            self.places.push((at, original));
        }
    }

    /// A return goes the way of its charge. One that the provider has given no id is named by its charge's.
    fn tell(self, gathered: &mut Gathered) {
        for (at, charge) in self.places {
            let Some((name, reference)) = self.charges.get(&charge) else {
                continue;
            };
            let known = &mut gathered.payments[at];
            known.provider = Some(Arc::clone(name));
            let item = &mut gathered.items[at];
            if let Some(reference) = reference.as_ref().filter(|_| !known.has_reference) {
                item.references = item.references.iter().chain([&**reference]).collect();
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
        // What came back went out before: both stand in statements.
        Stage::Reversed if payment.settled => Standing::Settled,
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
    let (id, attempt) = (payment.id.text(), payment.attempt_id(tenant));
    let own = [id.as_str(), &attempt, &payment.end_to_end_id];
    let given = payment.attempt.rail_reference.iter();
    let given = given.chain(payment.metadata.values()).map(String::as_str);
    // What is shorter is not rare enough.
    let references = own.into_iter().chain(given).filter(|it| it.len() >= 3);
    let item = Expected {
        minor,
        unit: Unit::from(payment.money.currency),
        day: day(payment.attempt.submitted_at.unwrap_or(payment.created_at)),
        references: references.collect(),
        group: payment.batch.map(|it| it.to_string().into()),
        standing,
    };
    let known = Known {
        id: payment.id,
        original: payment.original,
        end_to_end_id: payment.end_to_end_id.clone(),
        rail: payment.rail,
        provider: None,
        has_reference: payment.attempt.rail_reference.is_some(),
        has_cleared: payment.stage == Stage::Cleared || payment.expects_settlement(),
        is_told_here: false,
    };
    Some((item, known))
}

/// The day of a moment, in UTC.
pub fn day(at: Timestamp) -> Date {
    let seconds = (at.unix_ms() / 1000) as i64;
    OffsetDateTime::from_unix_timestamp(seconds).map_or(Date::MAX, OffsetDateTime::date)
}
