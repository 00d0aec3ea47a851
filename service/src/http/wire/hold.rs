//! A hold as it is shown.

use lombard_core::{
    currency::Currency,
    hold::{Hold, HoldState},
    id::Id,
    ledger::Account,
};
use serde::Serialize;
use utoipa::ToSchema;

use super::scalar::{self, AccountId, CurrencyCode, HoldId, Moment, Time};

/// A promise of money from one account to another.
#[derive(Serialize, ToSchema)]
#[schema(as = Hold)]
pub struct HoldView {
    /// Names it.
    #[schema(value_type = HoldId)]
    id: Id<Hold>,
    /// `hold`.
    #[schema(pattern = "^hold$")]
    object: &'static str,
    /// Who pays when it is posted.
    #[schema(value_type = AccountId)]
    debtor: Id<Account>,
    /// Who is paid when it is posted.
    #[schema(value_type = AccountId)]
    creditor: Id<Account>,
    #[schema(value_type = scalar::Amount)]
    amount: u64,
    #[schema(value_type = CurrencyCode)]
    currency: Currency,
    /// `open`, `posted`, `voided` or `expired`.
    #[schema(value_type = String, pattern = "^(open|posted|voided|expired)$")]
    state: HoldState,
    /// Minor units that were posted; what was not was released.
    #[schema(value_type = scalar::MinorUnits)]
    posted_amount: u64,
    #[schema(value_type = Time)]
    created_at: Moment,
    /// From then on it can no longer be posted.
    #[schema(value_type = Time)]
    expires_at: Moment,
    /// When it was posted, voided or found expired.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Time>, nullable = false)]
    ended_at: Option<Moment>,
}

impl HoldView {
    /// The view of a hold.
    #[must_use]
    pub fn of(hold: &Hold) -> Self {
        Self {
            id: hold.id,
            object: "hold",
            debtor: hold.debtor,
            creditor: hold.creditor,
            amount: hold.money.amount.minor(),
            currency: hold.money.currency,
            state: hold.state,
            posted_amount: hold.posted,
            created_at: hold.created_at.into(),
            expires_at: hold.expires_at.into(),
            ended_at: hold.ended_at.map(Moment),
        }
    }
}
