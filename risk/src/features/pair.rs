//! Pairs of subjects: has this customer paid this payee before, and how much today?

use serde::{Deserialize, Serialize};

use super::{
    event::{Event, Kind, mix},
    tiles::window,
};

/// Which two subjects.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Pair {
    /// Who pays whom.
    CustomerPayee,
    /// From which account to whom.
    AccountPayee,
    /// Which card at which terminal.
    CardTerminal,
    /// Who on which device.
    CustomerDevice,
    /// Who from which address.
    CustomerIp,
}

impl Pair {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::CustomerPayee,
        Self::AccountPayee,
        Self::CardTerminal,
        Self::CustomerDevice,
        Self::CustomerIp,
    ];

    /// As it stands in the names of features.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::CustomerPayee => "customer_payee",
            Self::AccountPayee => "account_payee",
            Self::CardTerminal => "card_terminal",
            Self::CustomerDevice => "customer_device",
            Self::CustomerIp => "customer_ip",
        }
    }

    /// Its two sides.
    #[must_use]
    pub const fn kinds(self) -> (Kind, Kind) {
        match self {
            Self::CustomerPayee => (Kind::Customer, Kind::Payee),
            Self::AccountPayee => (Kind::Account, Kind::Payee),
            Self::CardTerminal => (Kind::Card, Kind::Terminal),
            Self::CustomerDevice => (Kind::Customer, Kind::Device),
            Self::CustomerIp => (Kind::Customer, Kind::Ip),
        }
    }

    /// The key of this pair in a payment, if the payment names both.
    #[must_use]
    pub fn key(self, event: &Event) -> Option<u64> {
        let (one, other) = self.kinds();
        let (one, other) = (event.subject(one)?, event.subject(other)?);
        Some(mix(one.0 ^ mix(other.0 ^ self as u64)))
    }
}

/// What two subjects have had to do with each other. 32 bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bond {
    /// The first payment, in seconds.
    pub first: u32,
    /// The newest.
    pub last: u32,
    /// How many.
    pub count: u32,
    /// Minor units on the day of the newest.
    pub today: u64,
    /// A hash of the newest payment's id, to know a repeat by.
    pub newest: u64,
}

impl Bond {
    /// Takes in a payment; one that is the same as the newest changes nothing.
    pub fn add(&mut self, id: u64, at: u32, amount: u64) {
        if self.count > 0 && self.newest == id {
            return;
        }
        let (day, last_day) = (at / window::DAY, self.last / window::DAY);
        if self.count == 0 || day > last_day {
            self.today = amount;
        } else if day == last_day {
            self.today = self.today.saturating_add(amount);
        }
        self.first = if self.count == 0 {
            at
        } else {
            self.first.min(at)
        };
        self.last = self.last.max(at);
        self.count = self.count.saturating_add(1);
        self.newest = id;
    }

    /// Minor units so far on the day of `now` (UTC).
    #[must_use]
    pub const fn spent_today(&self, now: u32) -> u64 {
        if now / window::DAY == self.last / window::DAY {
            self.today
        } else {
            0
        }
    }
}
