//! An account as it is shown, with where it stands.

use std::collections::BTreeMap;

use lombard_core::{
    currency::Currency,
    id::Id,
    ledger::{Account, Alias, AliasScheme, Balance, Rollup, Sums},
};
use serde::Serialize;
use utoipa::ToSchema;

use super::scalar::{AccountId, AddressScheme, CurrencyCode, Metadata, MinorUnits, Moment, Time};

/// An account.
#[derive(Serialize, ToSchema)]
#[schema(as = Account)]
pub struct AccountView<'a> {
    /// Names it.
    #[schema(value_type = AccountId)]
    id: Id<Account>,
    /// `account`.
    #[schema(pattern = "^account$")]
    object: &'static str,
    /// `constrained`: never overdrawn. `house`: one of ours, which may stand anywhere and whose
    /// balance follows a moment after the payment.
    #[schema(value_type = String, pattern = "^(constrained|house)$")]
    kind: Rollup,
    /// A label.
    #[schema(max_length = 140)]
    name: &'a str,
    #[schema(value_type = CurrencyCode)]
    currency: Currency,
    /// `open`, or `closed`: takes no more entries.
    #[schema(pattern = "^(open|closed)$")]
    state: &'static str,
    balance: BalanceView,
    /// Its bank addresses, of which this much may be shown.
    addresses: Vec<AddressView<'a>>,
    /// Your own references.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    #[schema(value_type = Metadata, required = false)]
    metadata: &'a BTreeMap<String, String>,
    #[schema(value_type = Time)]
    created_at: Moment,
}

impl<'a> AccountView<'a> {
    /// The view of an account.
    #[must_use]
    pub fn of(account: &'a Account, balance: &Balance) -> Self {
        Self {
            id: account.id,
            object: "account",
            kind: account.id.rollup(),
            name: &account.name,
            currency: account.currency,
            state: if balance.open { "open" } else { "closed" },
            balance: BalanceView::of(balance),
            addresses: account.aliases.iter().map(AddressView::of).collect(),
            metadata: &account.metadata,
            created_at: account.created_at.into(),
        }
    }
}

/// The four sums of an account, and what may be spent of it.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Balance)]
pub struct BalanceView {
    #[serde(flatten)]
    sums: SumsView,
    /// How many entries make it up.
    #[schema(minimum = 0)]
    entries: u64,
    /// When the last of them was made.
    #[schema(value_type = Time)]
    at: Moment,
}

impl BalanceView {
    /// The view of a balance.
    #[must_use]
    pub fn of(balance: &Balance) -> Self {
        Self {
            sums: SumsView::of(&balance.sums),
            entries: balance.entries,
            at: balance.at.into(),
        }
    }
}

/// Sums in minor units, never netted.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Sums)]
pub struct SumsView {
    /// Promised to leave.
    #[schema(value_type = MinorUnits)]
    debits_pending: u64,
    /// Left.
    #[schema(value_type = MinorUnits)]
    debits_posted: u64,
    /// Promised to come.
    #[schema(value_type = MinorUnits)]
    credits_pending: u64,
    /// Came.
    #[schema(value_type = MinorUnits)]
    credits_posted: u64,
    /// What may be spent: what came, less what left and what is promised to leave; 0 if less.
    #[schema(value_type = MinorUnits)]
    available: u64,
}

impl SumsView {
    /// The view of sums.
    #[must_use]
    pub const fn of(sums: &Sums) -> Self {
        Self {
            debits_pending: sums.debits_pending,
            debits_posted: sums.debits_posted,
            credits_pending: sums.credits_pending,
            credits_posted: sums.credits_posted,
            available: sums.available(),
        }
    }
}

/// A bank address.
#[derive(Serialize, ToSchema)]
#[schema(as = Address)]
pub struct AddressView<'a> {
    #[schema(value_type = AddressScheme)]
    scheme: AliasScheme,
    /// The last four characters of the account number.
    #[schema(pattern = "^[0-9A-Z]{1,4}$")]
    last4: &'a str,
}

impl<'a> AddressView<'a> {
    fn of(alias: &'a Alias) -> Self {
        Self {
            scheme: alias.scheme,
            last4: &alias.last4,
        }
    }
}
