//! The rail's own books: what it was asked, what it decided, what it brought. Ours must come to
//! the same, and nothing here looks at ours.

use std::collections::{BTreeMap, BTreeSet};

use lombard_core::{
    id::Id, ledger::Account, money::Money, payment::Payment, rail::Rail, tenant::TenantId,
};

/// Where an order stands with the rail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Taken; the answer will come, or never will.
    Undecided,
    /// Carried out.
    Accepted,
    /// Not carried out.
    Rejected,
}

/// An instruction that the rail took.
#[derive(Clone, Debug)]
pub struct Order {
    /// Whose.
    pub tenant: TenantId,
    /// Which payment of ours it says it is.
    pub payment: Id<Payment>,
    /// How much.
    pub money: Money,
    /// Where it stands.
    pub standing: Standing,
    /// Whether it was ever carried out, and whether it was ever refused: a rail may change its mind.
    pub was: (bool, bool),
    /// Minor units that went back to us and that we took.
    pub returned: u64,
    /// Minor units that go back, whether or not we have taken them yet.
    pub returning: u64,
    /// Whether its return was asked for.
    pub recalled: bool,
}

impl Order {
    /// Decides, or decides otherwise.
    pub fn decide(&mut self, standing: Standing) {
        self.standing = standing;
        self.was.0 |= standing == Standing::Accepted;
        self.was.1 |= standing == Standing::Rejected;
    }
}

/// Money that the rail brought us.
#[derive(Clone, Debug)]
pub struct Credit {
    /// For whom.
    pub tenant: TenantId,
    /// The payment that it becomes.
    pub payment: Id<Payment>,
    /// How much.
    pub money: Money,
    /// For which account.
    pub account: Option<Id<Account>>,
    /// Whether we took it.
    pub taken: bool,
}

/// See the module.
#[derive(Clone, Debug, Default)]
pub struct Books {
    /// Instructions, by rail and by the id under which they came.
    pub orders: BTreeMap<(Rail, String), Order>,
    /// Credits, by the rail's reference.
    pub credits: BTreeMap<String, Credit>,
    /// Payments that the rail, asked after them, said that it does not know.
    pub unheard_of: BTreeSet<Id<Payment>>,
    /// Payments whose recall we told the rail that we refuse.
    pub refusals: BTreeSet<Id<Payment>>,
}

impl Books {
    /// The orders of a payment: one, unless it was sent under more ids than one.
    pub fn of(&self, payment: Id<Payment>) -> impl Iterator<Item = &Order> {
        self.orders
            .values()
            .filter(move |order| order.payment == payment)
    }

    /// How many orders of a payment are or were carried out.
    #[must_use]
    pub fn effects(&self, payment: Id<Payment>) -> usize {
        self.of(payment).filter(|order| order.was.0).count()
    }

    /// Whether an order of the payment was ever refused.
    #[must_use]
    pub fn refused(&self, payment: Id<Payment>) -> bool {
        self.of(payment).any(|order| order.was.1)
    }
}
