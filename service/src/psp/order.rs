//! What a provider is asked for, whoever it is.

use lombard_core::{charge::Capture, money::Money, time::Timestamp};
use zeroize::Zeroizing;

/// Something to ask of a provider.
pub struct Order {
    /// By what the provider knows it: the same however often it is sent.
    pub key: String,
    /// By what its news leads back to us.
    pub attempt: String,
    /// How much.
    pub money: Money,
    /// When it was first sent, as far as is known. A provider forgets keys after a while.
    pub sent_at: Timestamp,
    /// What is wanted.
    pub want: Want,
}

/// What is wanted.
pub enum Want {
    /// The money, or its promise.
    Charge {
        /// From what; none when it is only asked what became of it.
        from: Option<Source>,
        /// When it is taken.
        capture: Capture,
        /// The provider's id of it, when that is known.
        known: Option<String>,
    },
    /// To take what was promised under the provider's id, or a part of it.
    Capture(String),
    /// To let go of it.
    Void(String),
    /// To give money of it back.
    Refund(String),
}

/// What a charge is taken from.
pub enum Source {
    /// A card whose number has just left the vault.
    Card {
        /// The number.
        number: Zeroizing<String>,
        /// The month at whose end it expires, from 1.
        exp_month: u8,
        /// And the year.
        exp_year: u16,
    },
    /// The provider's own token.
    Token(String),
}
