//! What a machine may pay: a mandate that a person gave to a software agent.
//!
//! **Shape.** A [`Mandate`] bounds each payment, all payments together, how many there are in a
//! minute, to whom, over which rails and until when. What was spent is in the mandate itself, and
//! is written in the commit of each payment: a bound holds however many pay at once. A payment
//! that fails gives back what it spent.
//!
//! **Four identities.** A payment under a mandate says who gave it (the human), by which
//! credential it was asked (the workload), for which agent, and which transaction it is.

use serde::{Deserialize, Serialize};

use crate::{
    id::{Id, Named},
    ledger::Account,
    money::Money,
    payment::Party,
    rail::Rail,
    store::{Body, Key},
    tenant::TenantId,
    time::Timestamp,
};

/// See the module. Sums are in minor units of the currency.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mandate {
    /// `mdt_…`.
    pub id: Id<Mandate>,
    /// Who gave it: an id of the tenant's own.
    pub human: String,
    /// To which agent: a name of the tenant's own.
    pub agent: String,
    /// From which account alone.
    pub account: Id<Account>,
    /// The most of one payment, and with it the currency.
    pub each: Money,
    /// The most of all together.
    pub total: u64,
    /// The most payments within a minute; as many as there are when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub per_minute: Option<u32>,
    /// To whom alone: ids of accounts here, or fingerprints of accounts outside; to all when
    /// empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub payees: Vec<String>,
    /// Over which rails alone; over all when empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rails: Vec<Rail>,
    /// Since when.
    pub created_at: Timestamp,
    /// Until when.
    pub expires_at: Timestamp,
    /// Since when nothing is paid under it any more, if somebody ended it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoked_at: Option<Timestamp>,
    /// What was spent.
    #[serde(default)]
    pub spent: u64,
    /// In how many payments.
    #[serde(default)]
    pub payments: u64,
    /// The minute that is being counted, since 1970, and the payments in it.
    #[serde(default)]
    pub minute: (u64, u32),
}

impl Named for Mandate {
    const PREFIX: &'static str = "mdt";
}

/// By whom a payment was made, where a machine made it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Agency {
    /// Under which mandate.
    pub mandate: Id<Mandate>,
    /// Who gave it.
    pub human: String,
    /// By which credential it was asked.
    pub workload: String,
    /// For which agent.
    pub agent: String,
}

/// Which bound of a mandate forbids a payment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Exceeded {
    /// Somebody ended it.
    #[error("the mandate was revoked")]
    Revoked,
    /// Its time is over.
    #[error("the mandate has expired")]
    Expired,
    /// From another account, or in another currency.
    #[error("the mandate is for another account or currency")]
    Account,
    /// More than one payment may be.
    #[error("the amount exceeds what one payment may be")]
    Each,
    /// More than all together may be.
    #[error("the amount exceeds what is left of the mandate")]
    Total,
    /// Too many in a minute.
    #[error("there were too many payments within a minute")]
    Rate,
    /// To somebody else.
    #[error("the payee is none of the mandate's")]
    Payee,
    /// Over another rail.
    #[error("the rail is none of the mandate's")]
    Rail,
}

impl Exceeded {
    /// A stable name.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Revoked => "revoked",
            Self::Expired => "expired",
            Self::Account => "account",
            Self::Each => "each",
            Self::Total => "total",
            Self::Rate => "rate",
            Self::Payee => "payee",
            Self::Rail => "rail",
        }
    }
}

/// What is to be paid under a mandate.
#[derive(Clone, Copy, Debug)]
pub struct Spending<'a> {
    /// From which account.
    pub debtor: Id<Account>,
    /// To whom.
    pub creditor: &'a Party,
    /// How much.
    pub money: Money,
    /// Over which rail.
    pub rail: Rail,
}

const MINUTE_MS: u64 = 60_000;

impl Mandate {
    /// Spends, or says what forbids it. Nothing is spent then.
    ///
    /// # Errors
    /// The first bound that is exceeded.
    pub fn spend(&mut self, wanted: Spending<'_>, now: Timestamp) -> Result<(), Exceeded> {
        if self.revoked_at.is_some() {
            return Err(Exceeded::Revoked);
        }
        if self.expires_at <= now {
            return Err(Exceeded::Expired);
        }
        if wanted.debtor != self.account || wanted.money.currency != self.each.currency {
            return Err(Exceeded::Account);
        }
        if !self.rails.is_empty() && !self.rails.contains(&wanted.rail) {
            return Err(Exceeded::Rail);
        }
        let payee = match wanted.creditor {
            Party::Account(account) => account.to_string(),
            Party::External(external) => external.fingerprint.clone(),
        };
        if !self.payees.is_empty() && !self.payees.contains(&payee) {
            return Err(Exceeded::Payee);
        }
        let amount = wanted.money.amount;
        if amount > self.each.amount {
            return Err(Exceeded::Each);
        }
        let spent = self.spent.saturating_add(amount.minor());
        if spent > self.total {
            return Err(Exceeded::Total);
        }
        let minute = now.unix_ms() / MINUTE_MS;
        let before = if self.minute.0 == minute {
            self.minute.1
        } else {
            0
        };
        if self.per_minute.is_some_and(|most| before >= most) {
            return Err(Exceeded::Rate);
        }
        self.spent = spent;
        self.payments += 1;
        self.minute = (minute, before + 1);
        Ok(())
    }

    /// Gives back what a payment spent that came to nothing.
    pub const fn give_back(&mut self, money: Money) {
        self.spent = self.spent.saturating_sub(money.amount.minor());
    }

    /// Its record, in the tenant's list.
    #[must_use]
    pub fn body(&self, tenant: TenantId) -> Body {
        Body::of(self).listed(Key::new(&list(tenant), self.id.text().as_str()))
    }
}

/// Where a mandate is kept.
#[must_use]
pub fn key(tenant: TenantId, id: Id<Mandate>) -> Key {
    Key::new(&format!("{}/{id}", tenant.short()), "mandate")
}

/// The list of a tenant's mandates.
#[must_use]
pub fn list(tenant: TenantId) -> String {
    format!("{}/mandates", tenant.short())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{currency::Currency, money::Amount};

    fn money(minor: u64) -> Money {
        Money {
            amount: Amount::try_from(minor).unwrap(),
            currency: Currency::GBP,
        }
    }

    fn mandate() -> Mandate {
        Mandate {
            id: Id::from_bits(1),
            human: "ada".into(),
            agent: "buyer".into(),
            account: Id::from_bits(2),
            each: money(100),
            total: 250,
            per_minute: Some(3),
            payees: vec![Id::<Account>::from_bits(3).to_string()],
            rails: vec![Rail::Book],
            created_at: Timestamp::default(),
            expires_at: Timestamp::from_unix_ms(10 * MINUTE_MS),
            revoked_at: None,
            spent: 0,
            payments: 0,
            minute: (0, 0),
        }
    }

    #[test]
    fn each_bound_holds_by_itself() {
        let payee = Party::Account(Id::from_bits(3));
        let other = Party::Account(Id::from_bits(4));
        let wanted = |minor| Spending {
            debtor: Id::from_bits(2),
            creditor: &payee,
            money: money(minor),
            rail: Rail::Book,
        };
        let at = Timestamp::from_unix_ms(5);
        let euros = Money {
            currency: Currency::EUR,
            ..money(1)
        };
        for (spending, now, why) in [
            (wanted(101), at, Exceeded::Each),
            (
                wanted(1),
                Timestamp::from_unix_ms(10 * MINUTE_MS),
                Exceeded::Expired,
            ),
            (
                Spending {
                    debtor: Id::from_bits(9),
                    ..wanted(1)
                },
                at,
                Exceeded::Account,
            ),
            (
                Spending {
                    money: euros,
                    ..wanted(1)
                },
                at,
                Exceeded::Account,
            ),
            (
                Spending {
                    creditor: &other,
                    ..wanted(1)
                },
                at,
                Exceeded::Payee,
            ),
            (
                Spending {
                    rail: Rail::Fps,
                    ..wanted(1)
                },
                at,
                Exceeded::Rail,
            ),
        ] {
            let mut one = mandate();
            assert_eq!(one.spend(spending, now), Err(why));
            assert_eq!(one, mandate(), "nothing is spent: {why:?}");
        }
        let mut one = mandate();
        one.spend(wanted(100), at).unwrap();
        one.spend(wanted(100), at).unwrap();
        assert_eq!(one.spend(wanted(51), at), Err(Exceeded::Total));
        one.spend(wanted(50), at).unwrap();
        one.give_back(money(100));
        assert_eq!(one.spend(wanted(1), at), Err(Exceeded::Rate));
        one.spend(wanted(1), Timestamp::from_unix_ms(MINUTE_MS))
            .unwrap();
        one.revoked_at = Some(at);
        assert_eq!(one.spend(wanted(1), at), Err(Exceeded::Revoked));
        assert_eq!((one.spent, one.payments), (151, 4));
    }
}
