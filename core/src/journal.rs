//! The chart of accounts and the journals: which accounts each step of a payment's life touches.
//!
//! For each rail and currency a tenant has five house accounts. *Clearing* stands for what the
//! rail owes us or we owe the rail for payments that cleared; *settlement* for our account at the
//! settlement agent, moved only when reconciliation finds the money there; *suspense* for money
//! that came and cannot be given to anybody yet; *fees* for what we charge and are charged;
//! *differences* for what rounding, exchange and write-offs left over. Customers' accounts are
//! credit-normal: what we owe them. `docs/ledger.md` shows each journal with figures.
//!
//! | journal | debit | credit | layer |
//! |---|---|---|---|
//! | `out_hold` | customer | clearing | pending |
//! | `out_post` | customer | clearing | release, posted |
//! | `out_void` | customer | clearing | release |
//! | `in_post` | clearing | customer | posted |
//! | `charge_hold` | clearing | customer | pending |
//! | `charge_post` | clearing | customer | release, posted |
//! | `charge_void` | clearing | customer | release |
//! | `dispute_hold`, `dispute_release` | customer | clearing | pending; release |
//! | `in_suspense` | clearing | suspense | posted |
//! | `book_post` | debtor | creditor | posted |
//! | `out_settle` | clearing | settlement | posted |
//! | `in_settle` | settlement | clearing | posted |
//! | `return_in` | clearing | customer | posted |
//! | `reversal` | clearing | customer | posted |
//! | `chargeback` | customer, or suspense | clearing | posted |
//! | `provider_fee` | fees | settlement | posted |
//! | `difference` | differences | settlement | posted |
//! | `exchange` | settlement, differences | differences, settlement | posted |
//! | `statement_line` | suspense | settlement | posted |
//! | `fee` | customer | fees | posted |
//! | `hold`, `hold_post`, `hold_void` | debtor | creditor | pending; release, posted; release |
//! | `posting` | as given | as given | posted |
//!
//! `provider_fee`, `difference` and `statement_line` go the other way when the source gave and did
//! not take.

use serde::{Deserialize, Serialize};

use crate::{
    currency::Currency,
    id::Id,
    ledger::{Account, Layer, Leg, Rollup, Side},
    money::{Amount, Money},
    rail::Rail,
    tenant::TenantId,
};

/// Which step a transaction is. The names are part of the API and of the verifiable log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Journal {
    /// An outgoing payment was accepted: its money is promised to the rail.
    OutHold,
    /// The rail gave its final yes.
    OutPost,
    /// The payment failed before money moved.
    OutVoid,
    /// Money came in over a rail for a customer.
    InPost,
    /// A card is charged: what its provider will owe us is promised.
    ChargeHold,
    /// The charge was captured, in full or in part: the provider owes it to us. What was not is
    /// released.
    ChargePost,
    /// The charge failed, or was let go of.
    ChargeVoid,
    /// A dispute was opened: what it may take is kept back.
    DisputeHold,
    /// A dispute ended, or took its money: nothing need be kept back for it.
    DisputeRelease,
    /// Money came in that nobody can be given yet.
    InSuspense,
    /// Money moved between two accounts of ours.
    BookPost,
    /// Reconciliation found an outgoing payment at the settlement agent.
    OutSettle,
    /// Reconciliation found an incoming payment at the settlement agent.
    InSettle,
    /// An outgoing payment, or a part of it, came back.
    ReturnIn,
    /// An outgoing payment failed after its final yes.
    Reversal,
    /// A refund or chargeback was taken from us, as a statement shows.
    Chargeback,
    /// A bank or provider kept a fee.
    ProviderFee,
    /// What came is less, or more, than our books say, within what is tolerated or written off.
    Difference,
    /// What came is in another currency than what was paid.
    Exchange,
    /// A line that no payment stands for waits for its other side.
    StatementLine,
    /// A fee was charged.
    Fee,
    /// A hold asked for by itself.
    Hold,
    /// Such a hold, or a part of it, was posted; the rest was released.
    HoldPost,
    /// Such a hold was released.
    HoldVoid,
    /// Legs given by the tenant, or by whoever put a failed payment right.
    Posting,
}

/// What a house account is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Between us and the rail's participants.
    Clearing,
    /// Our money at the settlement agent.
    Settlement,
    /// Unattributed money.
    Suspense,
    /// What we charge, less what we are charged.
    Fees,
    /// What rounding, exchange and write-offs left over.
    Differences,
}

impl Role {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::Clearing,
        Self::Settlement,
        Self::Suspense,
        Self::Fees,
        Self::Differences,
    ];

    /// As it is written in account names.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Clearing => "clearing",
            Self::Settlement => "settlement",
            Self::Suspense => "suspense",
            Self::Fees => "fees",
            Self::Differences => "differences",
        }
    }
}

/// The house account of a role. It follows from its name and needs no look-up: it exists from
/// the first entry on.
#[must_use]
pub fn house(tenant: TenantId, rail: Rail, role: Role, currency: Currency) -> Id<Account> {
    Id::of_name(&format!("{tenant}/{}", house_name(rail, role, currency))).of_kind(Rollup::House)
}

/// What a house account is called, such as `fps/clearing/GBP`.
#[must_use]
pub fn house_name(rail: Rail, role: Role, currency: Currency) -> String {
    format!("{rail}/{}/{}", role.name(), currency.code())
}

/// Two legs: `debit` and `credit`, of the same money on the same layer.
#[must_use]
pub fn pair(debit: Id<Account>, credit: Id<Account>, layer: Layer, money: Money) -> Vec<Leg> {
    vec![
        Leg {
            account: debit,
            side: Side::Debit,
            layer,
            money,
        },
        Leg {
            account: credit,
            side: Side::Credit,
            layer,
            money,
        },
    ]
}

/// Promises `money`.
#[must_use]
pub fn hold(debit: Id<Account>, credit: Id<Account>, money: Money) -> Vec<Leg> {
    pair(debit, credit, Layer::Pending, money)
}

/// Takes a promise back.
#[must_use]
pub fn void(debit: Id<Account>, credit: Id<Account>, held: Money) -> Vec<Leg> {
    pair(debit, credit, Layer::Release, held)
}

/// Makes a promise good to the extent of `posted`, and takes the rest of it back.
#[must_use]
pub fn post(debit: Id<Account>, credit: Id<Account>, held: Money, posted: Amount) -> Vec<Leg> {
    let mut legs = void(debit, credit, held);
    legs.extend(pair(
        debit,
        credit,
        Layer::Posted,
        Money {
            amount: posted,
            ..held
        },
    ));
    legs
}

/// Moves `money` at once.
#[must_use]
pub fn move_now(debit: Id<Account>, credit: Id<Account>, money: Money) -> Vec<Leg> {
    pair(debit, credit, Layer::Posted, money)
}
