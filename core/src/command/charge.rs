//! What is asked of charges.

use std::collections::BTreeMap;

use crate::{
    charge::Capture,
    id::Id,
    ledger::Account,
    money::Money,
    payment::{External, Payment},
    risk::Assessment,
};

/// Takes money from a card for an account of ours.
#[derive(Clone, Debug)]
pub struct MakeCharge {
    /// The id of the payment that it is.
    pub id: Id<Payment>,
    /// How much.
    pub money: Money,
    /// What may be shown of the card.
    pub card: External,
    /// The card: a token of our vault, or the provider's own.
    pub token: String,
    /// For which account of ours.
    pub creditor: Id<Account>,
    /// Through which provider.
    pub provider: String,
    /// When the money is taken.
    pub capture: Capture,
    /// The id that both ends see.
    pub end_to_end_id: String,
    /// The tenant's own references.
    pub metadata: BTreeMap<String, String>,
    /// What risk says of it, where risk is asked.
    pub risk: Option<Assessment>,
    /// Whether the holder has authenticated for it already (3-D Secure), as who charges says.
    pub authenticated: bool,
}
