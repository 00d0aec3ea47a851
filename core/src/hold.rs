//! Holds asked for by themselves: a promise between two accounts that is posted, in full or in
//! part, or released, or expires. Payments hold money the same way, as part of their own life.

use serde::{Deserialize, Serialize};

use crate::{
    id::{Id, Named},
    ledger::Account,
    money::Money,
    time::Timestamp,
};

/// A promise of money from one account to another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hold {
    /// `hld_…`.
    pub id: Id<Hold>,
    /// Who pays when it is posted.
    pub debtor: Id<Account>,
    /// Who is paid when it is posted.
    pub creditor: Id<Account>,
    /// How much is promised.
    pub money: Money,
    /// Where it stands.
    pub state: HoldState,
    /// Minor units that were posted.
    #[serde(default)]
    pub posted: u64,
    /// When it was placed.
    pub created_at: Timestamp,
    /// From this moment on it can no longer be posted, whether or not it has been released yet.
    pub expires_at: Timestamp,
    /// When it was posted, released or found expired.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<Timestamp>,
}

impl Named for Hold {
    const PREFIX: &'static str = "hld";
}

/// Where a hold stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HoldState {
    /// The money is promised.
    Open,
    /// The money moved; what was not posted was released.
    Posted,
    /// It was released.
    Voided,
    /// It was released because its time had come.
    Expired,
}
