//! What the simulated providers were asked and have done.
//!
//! A key is carried out once: asked for again, its answer is repeated. Never more is captured than was
//! authorised, nor more refunded than captured.

use std::collections::BTreeMap;

use axum::http::StatusCode;
use serde::Serialize;
use serde_json::Value;

/// All of it.
#[derive(Default)]
pub struct Books {
    charges: BTreeMap<String, Charge>,
    refunds: BTreeMap<String, Refund>,
    answers: BTreeMap<String, (String, StatusCode, Value)>,
    /// What has not been paid out yet, in its order.
    movements: Vec<Movement>,
    repeated: u64,
    serial: u64,
}

/// A charge at a provider.
#[derive(Clone, Debug, Serialize)]
pub struct Charge {
    /// `stripe` or `adyen`.
    pub provider: &'static str,
    /// The provider's id.
    pub id: String,
    /// Lombard's reference.
    pub attempt: String,
    /// Minor units.
    pub amount: u64,
    /// ISO 4217, in capitals.
    pub currency: String,
    /// Where it stands.
    pub state: State,
    /// Minor units that were captured.
    pub captured: u64,
    /// Minor units that were refunded.
    pub refunded: u64,
    /// Why it was declined.
    pub declined: Option<String>,
}

/// Where a charge stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// The money is promised.
    Authorised,
    /// It was taken.
    Captured,
    /// It was let go of.
    Voided,
    /// The card's bank refused.
    Declined,
}

/// A refund at a provider.
#[derive(Clone, Debug, Serialize)]
pub struct Refund {
    /// The provider's id.
    pub id: String,
    /// Of which charge.
    pub charge: String,
    /// Lombard's reference.
    pub attempt: String,
    /// Minor units.
    pub amount: u64,
}

/// Money that a provider took or gave, and has not paid out yet.
#[derive(Clone, Debug)]
pub struct Movement {
    /// What happened.
    pub what: What,
    /// The provider's id of what happened: of a charge its own.
    pub id: String,
    /// To which charge.
    pub charge: Charge,
    /// Minor units.
    pub amount: u64,
}

/// What moves money at a provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// A charge was captured.
    Captured,
    /// Some of it was refunded.
    Refunded,
    /// A dispute took it.
    ChargedBack,
    /// A dispute that was won gave it back.
    ChargebackReversed,
}

/// Why something is not done.
pub enum Refused {
    /// There is no such charge.
    Absent,
    /// It does not stand where this can be done.
    State,
    /// It is more than there is.
    Amount,
}

impl Books {
    /// An id that no other has.
    pub fn fresh(&mut self, prefix: &str) -> String {
        self.serial += 1;
        format!("{prefix}{:08}", self.serial)
    }

    /// What was answered to a key before, if it was asked for the same.
    pub fn answered(&mut self, key: &str, asked: &str) -> Option<Result<(StatusCode, Value), ()>> {
        let (before, status, body) = self.answers.get(key)?;
        self.repeated += 1;
        Some(if before == asked {
            Ok((*status, body.clone()))
        } else {
            Err(())
        })
    }

    /// Keeps the answer to a key.
    pub fn keep(&mut self, key: String, asked: String, (status, body): (StatusCode, Value)) {
        self.answers.insert(key, (asked, status, body));
    }

    /// How many requests came again under their keys.
    pub const fn repeated(&self) -> u64 {
        self.repeated
    }

    /// All charges, in the order of their ids.
    pub fn charges(&self) -> impl Iterator<Item = &Charge> {
        self.charges.values()
    }

    /// A charge by its id.
    pub fn charge(&self, id: &str) -> Option<&Charge> {
        self.charges.get(id)
    }

    /// The refunds of a charge.
    pub fn refunds<'a>(&'a self, charge: &'a str) -> impl Iterator<Item = &'a Refund> {
        self.refunds.values().filter(move |it| it.charge == charge)
    }

    /// Notes that money of a charge moved.
    pub fn moved(&mut self, what: What, id: &str, charge: &Charge, amount: u64) {
        self.movements.push(Movement {
            what,
            id: id.to_owned(),
            charge: charge.clone(),
            amount,
        });
    }

    /// What a provider has not paid out yet of a currency; it is paid out by this.
    pub fn pay_out(&mut self, provider: &str, currency: &str) -> Vec<Movement> {
        let ours =
            |it: &mut Movement| it.charge.provider == provider && it.charge.currency == currency;
        self.movements.extract_if(.., ours).collect()
    }

    /// Takes a charge in.
    pub fn take(&mut self, charge: Charge) {
        if charge.captured > 0 {
            self.moved(What::Captured, &charge.id, &charge, charge.captured);
        }
        self.charges.insert(charge.id.clone(), charge);
    }

    /// Captures, all of it (`None`) or a part.
    pub fn capture(&mut self, id: &str, amount: Option<u64>) -> Result<Charge, Refused> {
        let charge = self.charges.get_mut(id).ok_or(Refused::Absent)?;
        let amount = amount.unwrap_or(charge.amount);
        match charge.state {
            State::Authorised if (1..=charge.amount).contains(&amount) => {
                charge.state = State::Captured;
                charge.captured = amount;
                let charge = charge.clone();
                self.moved(What::Captured, &charge.id, &charge, amount);
                Ok(charge)
            }
            State::Authorised => Err(Refused::Amount),
            _ => Err(Refused::State),
        }
    }

    /// Lets go of a charge.
    pub fn void(&mut self, id: &str) -> Result<Charge, Refused> {
        let charge = self.charges.get_mut(id).ok_or(Refused::Absent)?;
        if charge.state != State::Authorised {
            return Err(Refused::State);
        }
        charge.state = State::Voided;
        Ok(charge.clone())
    }

    /// Gives money of a charge back.
    pub fn refund(
        &mut self,
        prefix: &str,
        charge: &str,
        amount: u64,
        attempt: &str,
    ) -> Result<(Charge, Refund), Refused> {
        let id = self.fresh(prefix);
        let charge = self.charges.get_mut(charge).ok_or(Refused::Absent)?;
        if charge.state != State::Captured {
            return Err(Refused::State);
        }
        if amount == 0 || charge.refunded + amount > charge.captured {
            return Err(Refused::Amount);
        }
        charge.refunded += amount;
        let refund = Refund {
            id: id.clone(),
            charge: charge.id.clone(),
            attempt: attempt.to_owned(),
            amount,
        };
        let charge = charge.clone();
        self.refunds.insert(id, refund.clone());
        self.moved(What::Refunded, &refund.id, &charge, amount);
        Ok((charge, refund))
    }
}
