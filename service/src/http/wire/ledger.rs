//! Transactions and entries as they are shown.

use lombard_core::{
    currency::Currency,
    id::Id,
    journal::Journal,
    ledger::{Account, Entry, Layer, Leg, Side, Transaction},
    payment::Payment,
};
use serde::Serialize;
use utoipa::ToSchema;

use super::{
    account::SumsView,
    scalar::{
        self, AccountId, CurrencyCode, JournalName, LayerName, Moment, PaymentId, SideName, Time,
        TraceId, TransactionId,
    },
};

/// A balanced set of legs.
#[derive(Serialize, ToSchema)]
#[schema(as = Transaction)]
pub struct TransactionView<'a> {
    /// Names it.
    #[schema(value_type = TransactionId)]
    id: Id<Transaction>,
    /// `transaction`.
    #[schema(pattern = "^transaction$")]
    object: &'static str,
    #[schema(value_type = Time)]
    at: Moment,
    #[schema(value_type = JournalName)]
    journal: Journal,
    /// For which payment.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<PaymentId>, nullable = false)]
    payment: Option<Id<Payment>>,
    /// Debits and credits are equal for each currency in each layer.
    legs: Vec<LegView>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<TraceId>, nullable = false)]
    trace_id: Option<&'a str>,
}

impl<'a> TransactionView<'a> {
    /// The view of a transaction.
    #[must_use]
    pub fn of(transaction: &'a Transaction) -> Self {
        let legs = transaction.legs.iter().map(LegView::of);
        Self {
            id: transaction.id,
            object: "transaction",
            at: transaction.at.into(),
            journal: transaction.journal,
            payment: transaction.payment,
            legs: legs.collect(),
            trace_id: transaction.trace.as_deref(),
        }
    }
}

/// One line of a transaction.
#[derive(Serialize, ToSchema)]
#[schema(as = Leg)]
pub struct LegView {
    #[schema(value_type = AccountId)]
    account: Id<Account>,
    #[schema(value_type = SideName)]
    side: Side,
    #[schema(value_type = LayerName)]
    layer: Layer,
    #[schema(value_type = scalar::Amount)]
    amount: u64,
    #[schema(value_type = CurrencyCode)]
    currency: Currency,
}

impl LegView {
    /// The view of a leg.
    #[must_use]
    pub const fn of(leg: &Leg) -> Self {
        Self {
            account: leg.account,
            side: leg.side,
            layer: leg.layer,
            amount: leg.money.amount.minor(),
            currency: leg.money.currency,
        }
    }
}

/// What one transaction did to one account.
#[derive(Serialize, ToSchema)]
#[schema(as = Entry)]
pub struct EntryView {
    /// The account's entries are numbered from 1 without gaps.
    #[schema(minimum = 1)]
    number: u64,
    #[schema(value_type = TransactionId)]
    transaction: Id<Transaction>,
    #[schema(value_type = Time)]
    at: Moment,
    #[schema(value_type = JournalName)]
    journal: Journal,
    /// For which payment.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<PaymentId>, nullable = false)]
    payment: Option<Id<Payment>>,
    legs: Vec<EntryLegView>,
    /// The account's sums after it.
    after: SumsView,
}

impl EntryView {
    /// The view of an entry.
    #[must_use]
    pub fn of(entry: &Entry) -> Self {
        let legs = entry.legs.iter().map(|leg| EntryLegView {
            side: leg.side,
            layer: leg.layer,
            amount: leg.amount.minor(),
        });
        Self {
            number: entry.number,
            transaction: entry.transaction,
            at: entry.at.into(),
            journal: entry.journal,
            payment: entry.payment,
            legs: legs.collect(),
            after: SumsView::of(&entry.after),
        }
    }
}

/// One line of an entry, in the account's currency.
#[derive(Serialize, ToSchema)]
#[schema(as = EntryLeg)]
pub struct EntryLegView {
    #[schema(value_type = SideName)]
    side: Side,
    #[schema(value_type = LayerName)]
    layer: Layer,
    #[schema(value_type = scalar::Amount)]
    amount: u64,
}
