//! A charge: money that a payment service provider takes from a card for an account of ours.
//!
//! **Shape.** A charge is a payment ([`Kind::Charge`](crate::payment::Kind)) over the rail `card`,
//! and [`Charge`] is what it has beside. It goes out twice: to be authorised and, where it is not
//! captured at once, to be captured or let go of. A refund is a return of it, like any other.
//!
//! **Invariants.** What is captured never exceeds what was authorised. While the outcome is open
//! the payment's amount is what was authorised; from the capture on it is what was captured, so
//! that settlement, refunds and reconciliation need not know of the difference.

use serde::{Deserialize, Serialize};

use crate::money::Amount;

/// What is particular to a charge.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Charge {
    /// The card: a token of our vault (`tok_…`), or the provider's own.
    pub token: String,
    /// Through which provider it goes, by its name in the configuration.
    pub provider: String,
    /// When its money is taken.
    pub capture: Capture,
    /// Minor units that are, or are to be, authorised.
    pub authorised: Amount,
    /// What the provider was last asked for.
    pub asked: Asked,
    /// How often it was asked to capture it or to let go of it: each is asked for under a key of its
    /// own, which is the same however often it is sent.
    #[serde(default, skip_serializing_if = "is_nought")]
    pub completions: u64,
    /// Minor units of its receiver that are held because of disputes that have taken nothing yet.
    #[serde(default, skip_serializing_if = "is_nought")]
    pub reserved: u64,
    /// Minor units that disputes have taken and not given back, won or lost.
    #[serde(default, skip_serializing_if = "is_nought")]
    pub disputed: u64,
    /// Of those, minor units that are not lost for good.
    #[serde(default, skip_serializing_if = "is_nought")]
    pub contested: u64,
}

#[allow(clippy::trivially_copy_pass_by_ref)] // As serde calls it.
const fn is_nought(number: &u64) -> bool {
    *number == 0
}

/// When the money of a charge is taken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Capture {
    /// With the authorisation.
    #[default]
    Automatic,
    /// When somebody asks for it.
    Manual,
}

/// What a provider is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Asked {
    /// The promise of the money; with automatic capture, the money.
    Authorisation,
    /// So many minor units of what was promised; the rest is let go of.
    Capture(Amount),
    /// To let go of all of it.
    Void,
}
