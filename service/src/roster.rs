//! What lists and counts need to know of each payment, in memory: found by what they are, and counted,
//! among millions.
//!
//! **Why.** A store lists a record in two places at most, and no list of a store counts. Records
//! beside them, one for each question, would be half of what a payment writes; they would cost each
//! payment more than they save a few people a day.
//!
//! **Shape.** A [`Row`] of 64 bytes for each payment, in the order of their ids, and the sums of
//! where they stand, kept when a row changes. It begins with a reading of all payments, and follows
//! the change feed from a place that was reached before ([`follow`]). A row tells which payments are
//! worth reading; the payment itself decides.
//!
//! **Invariants, the absent ones too.** A roster says nothing before it has seen everything. It is
//! behind the store by what the feed is, and never decides anything about money. It is not stored:
//! a million payments are read again in seconds, and lists are what they are without it meanwhile.

mod follow;
mod rows;

use std::{
    collections::{BTreeMap, HashMap},
    sync::atomic::{AtomicBool, Ordering},
};

use lombard_core::{
    currency::Currency, id::Id, lifecycle::Stage, payment::Payment, tenant::TenantId,
    time::Timestamp,
};
use parking_lot::RwLock;

pub use follow::{catch_up, run};
use rows::{Carried, Row, Rows};
pub use rows::{Mark, Outline};

use crate::exceptions::{Exception, Kind, State};

/// The payments and open exceptions of all tenants.
#[derive(Default)]
pub struct Roster {
    tenants: RwLock<HashMap<TenantId, Tenant>>,
    /// Whether everything that was there at the start is in.
    whole: AtomicBool,
}

#[derive(Default)]
struct Tenant {
    rows: Rows,
    standing: BTreeMap<(Stage, Currency), Sum>,
    exceptions: BTreeMap<Id<Exception>, Open>,
}

/// Payments that stand at the same place.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sum {
    /// How many.
    pub count: u64,
    /// Their amounts together, in minor units.
    pub minor: u64,
}

/// An exception that is not resolved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Open {
    /// What is wrong.
    pub kind: Kind,
    /// Since when.
    pub opened_at: Timestamp,
    /// Until when nobody need look at it.
    pub snoozed_until: Option<Timestamp>,
}

/// Where everything of a tenant stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// How many payments are at which stage, in which currency.
    pub payments: BTreeMap<(Stage, Currency), Sum>,
    /// What a person must look at.
    pub exceptions: Vec<Open>,
}

impl Sum {
    /// Adds others.
    pub fn add(&mut self, other: Self) {
        self.count += other.count;
        self.minor = self.minor.saturating_add(other.minor);
    }

    fn take(&mut self, minor: u64) {
        self.count -= 1;
        self.minor = self.minor.saturating_sub(minor);
    }

    fn one(minor: u64) -> Self {
        Self { count: 1, minor }
    }
}

impl Standing {
    /// Counts a payment.
    pub fn add(&mut self, payment: &Payment) {
        let place = (payment.stage, payment.money.currency);
        let sum = self.payments.entry(place).or_default();
        sum.add(Sum::one(payment.money.amount.minor()));
    }
}

impl Open {
    /// What is known of an exception that is not resolved.
    #[must_use]
    pub fn of(exception: &Exception) -> Self {
        Self {
            kind: exception.kind,
            opened_at: exception.opened_at,
            snoozed_until: exception.snoozed_until,
        }
    }
}

impl Roster {
    /// Payments older than `after` that look as wanted, the newest first, `limit` at the most: all
    /// of them when there are fewer. `None` while not everything is in.
    #[must_use]
    pub fn older(
        &self,
        tenant: TenantId,
        wanted: &Outline,
        after: Option<Id<Payment>>,
        limit: usize,
    ) -> Option<Vec<Id<Payment>>> {
        self.whole.load(Ordering::Acquire).then(|| {
            let tenants = self.tenants.read();
            let rows = tenants.get(&tenant).map(|it| &it.rows);
            rows.map_or_else(Vec::new, |rows| rows.older(wanted, after, limit))
        })
    }

    /// Where everything of a tenant stands. `None` while not everything is in.
    #[must_use]
    pub fn standing(&self, tenant: TenantId) -> Option<Standing> {
        self.whole.load(Ordering::Acquire).then(|| {
            let tenants = self.tenants.read();
            let of = |it: &Tenant| Standing {
                payments: it.standing.clone(),
                exceptions: it.exceptions.values().copied().collect(),
            };
            tenants.get(&tenant).map(of).unwrap_or_default()
        })
    }

    /// Takes over payments as they are now.
    fn note<'p>(&self, tenant: TenantId, payments: impl IntoIterator<Item = &'p Carried>) {
        let mut tenants = self.tenants.write();
        let known = tenants.entry(tenant).or_default();
        for payment in payments {
            let row = Row::of(payment);
            if let Some(before) = known.rows.put(row) {
                let place = (before.stage, before.currency);
                known.standing.entry(place).or_default().take(before.minor);
                known.standing.retain(|_, sum| sum.count > 0);
            }
            let place = (row.stage, row.currency);
            known
                .standing
                .entry(place)
                .or_default()
                .add(Sum::one(row.minor));
        }
    }

    fn note_exception(&self, tenant: TenantId, exception: &Exception) {
        let mut tenants = self.tenants.write();
        let open = &mut tenants.entry(tenant).or_default().exceptions;
        match exception.state {
            State::Resolved => open.remove(&exception.id),
            State::Open => open.insert(exception.id, Open::of(exception)),
        };
    }

    fn begin_again(&self) {
        self.whole.store(false, Ordering::Release);
        self.tenants.write().clear();
    }

    fn complete(&self) {
        self.whole.store(true, Ordering::Release);
    }
}
