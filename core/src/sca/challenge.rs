//! What a payer is asked, bound to what he pays (RTS Art. 4 and 5).
//!
//! **Dynamic linking.** A [`Challenge`] is bound to the payment, its amount and its payee by a
//! hash; an answer counts only while the payment still says the same. Any change voids it.
//!
//! **Bounds.** It stands for [`STANDS_MS`], and for at most [`TRIES_MAX`] wrong answers over all
//! challenges of the payment: a new challenge brings no new tries. An answer that is wrong says
//! only that it is, never in which of its parts.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::{
    id::Id,
    money::Money,
    payment::{Party, Payment},
    tenant::TenantId,
    time::Timestamp,
};

/// How long a challenge stands, in milliseconds: five minutes (RTS Art. 4(3)(d)).
pub const STANDS_MS: u64 = 5 * 60 * 1000;
/// Wrong answers after which the payment fails (RTS Art. 4(3)(b)).
pub const TRIES_MAX: u32 = 5;

/// What a challenge is bound to: SHA-256 over payment, amount and payee.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Binding([u8; 32]);

impl Binding {
    /// Of a payment as it is now.
    #[must_use]
    pub fn of(tenant: TenantId, payment: &Payment) -> Self {
        Self::of_parts(tenant, payment.id, payment.money, &payment.creditor)
    }

    /// Of its parts.
    #[must_use]
    pub fn of_parts(tenant: TenantId, id: Id<Payment>, money: Money, payee: &Party) -> Self {
        let payee = match payee {
            Party::Account(account) => account.to_string(),
            Party::External(external) => external.fingerprint.clone(),
        };
        let mut hash = Sha256::new();
        for part in [
            "lombard challenge",
            tenant.short(),
            id.text().as_str(),
            &money.amount.minor().to_string(),
            money.currency.code(),
            &payee,
        ] {
            // The length goes in too, so that no two lists of parts read the same.
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part.as_bytes());
        }
        Self(hash.finalize().into())
    }

    /// The hash.
    #[must_use]
    pub const fn bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl std::fmt::Debug for Binding {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&String::from(*self))
    }
}

impl From<Binding> for String {
    fn from(binding: Binding) -> Self {
        binding.0.iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

impl Serialize for Binding {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&String::from(*self))
    }
}

impl<'de> Deserialize<'de> for Binding {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let wrong = || serde::de::Error::custom("expected 64 hexadecimal digits");
        let mut bytes = [0; 32];
        if text.len() != 64 || !text.is_ascii() {
            return Err(wrong());
        }
        for (byte, place) in bytes.iter_mut().zip((0..64).step_by(2)) {
            *byte = u8::from_str_radix(&text[place..place + 2], 16).map_err(|_| wrong())?;
        }
        Ok(Self(bytes))
    }
}

/// What stands between a payment and its authentication. Kept with the payment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Challenge {
    /// What it is bound to.
    pub binding: Binding,
    /// Until when it can be answered.
    pub until: Timestamp,
    /// Wrong answers so far, over all challenges of the payment.
    pub wrong: u32,
}

/// What an answer to a challenge came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answered {
    /// The payer is who he says.
    Passed,
    /// No. He may try again.
    Wrong,
    /// No, and it was the last try.
    Exhausted,
    /// It stood for too long; another challenge can be asked for.
    TooLate,
    /// The payment is not what it was when the payer was asked.
    Void,
}

impl Challenge {
    /// A challenge for a payment, with the tries that are left of one before.
    #[must_use]
    pub fn new(binding: Binding, before: Option<&Self>, now: Timestamp) -> Self {
        Self {
            binding,
            until: now.plus_ms(STANDS_MS),
            wrong: before.map_or(0, |challenge| challenge.wrong),
        }
    }

    /// Takes an answer in. `right` says whether every factor was proved for `asked`, the binding
    /// that the payer was shown; `binding` is the payment's as it is now.
    pub fn answer(
        &mut self,
        right: bool,
        asked: &Binding,
        binding: &Binding,
        now: Timestamp,
    ) -> Answered {
        if self.wrong >= TRIES_MAX {
            return Answered::Exhausted;
        }
        if self.binding != *binding || self.binding != *asked {
            return Answered::Void;
        }
        if now > self.until {
            return Answered::TooLate;
        }
        if right {
            return Answered::Passed;
        }
        self.wrong += 1;
        if self.wrong >= TRIES_MAX {
            Answered::Exhausted
        } else {
            Answered::Wrong
        }
    }
}
