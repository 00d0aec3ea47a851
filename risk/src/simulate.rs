//! A made-up world of payments between accounts, with scams, takeovers and mule chains.
//!
//! **What it is for.** To try features, rules and training on payments from account to account,
//! for which no public data exists. Nothing in the product is tuned to it, and figures measured
//! on it say nothing about production: its frauds are as clever as its author.
//!
//! **Shape.** A seed, and nothing else, decides everything. Customers earn on a day of the month,
//! pay a handful of regular payees and now and then a new one, small sums often and large ones
//! rarely; a few pay a builder or a deposit once, which looks like a scam and is none.
//! [`Pattern`] lists what is bad. A scam's money lands with a mule, who passes most of it on
//! within hours, over two to four hops; each hop is a payment of its own and counts as fraud.

use lombard_core::time::Timestamp;
use serde::Serialize;

use crate::features::{Event, Kind, Subject, event::mix};

/// How large a world.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct World {
    /// Decides everything.
    pub seed: u64,
    /// How many customers.
    pub customers: u32,
    /// How many days.
    pub days: u32,
    /// How many frauds begin for a million customer-days.
    pub frauds_per_million: u32,
    /// The first day.
    pub start: Timestamp,
}

impl Default for World {
    fn default() -> Self {
        Self {
            seed: 1,
            customers: 5_000,
            days: 120,
            frauds_per_million: 300,
            start: Timestamp::from_unix_ms(1_767_225_600_000), // 1 January 2026.
        }
    }
}

/// What a payment is part of. For diagnosis alone: no model or rule may see it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Pattern {
    /// Nothing bad.
    Genuine,
    /// A purchase scam: one payment of an ordinary size to somebody new.
    Purchase,
    /// Somebody pretends to be the bank: a few large payments within hours to one new payee.
    Impersonation,
    /// A romance or an investment: growing sums over weeks to one payee.
    Romance,
    /// The account is taken over: from a new device, most often at night, until it is empty.
    Takeover,
    /// A mule passes the money on.
    Mule,
}

impl Pattern {
    /// As it is written.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Genuine => "genuine",
            Self::Purchase => "purchase",
            Self::Impersonation => "impersonation",
            Self::Romance => "romance",
            Self::Takeover => "takeover",
            Self::Mule => "mule",
        }
    }
}

/// A payment of the world.
#[derive(Clone, Debug, PartialEq)]
pub struct Payment {
    /// From 1, in the order of time.
    pub id: u64,
    /// When.
    pub at: Timestamp,
    /// How much, in pence.
    pub amount: u64,
    /// Who pays.
    pub customer: u64,
    /// Who is paid.
    pub payee: u64,
    /// On which device.
    pub device: u64,
    /// Whether it is fraud.
    pub fraud: bool,
    /// See [`Pattern`].
    pub pattern: Pattern,
}

impl Payment {
    /// The payment as risk sees it.
    #[must_use]
    pub fn event(&self) -> Event {
        Event::new(self.id, self.at, self.amount)
            .with(
                Kind::Customer,
                Subject::numbered(Kind::Customer, self.customer),
            )
            .with(
                Kind::Account,
                Subject::numbered(Kind::Account, self.customer),
            )
            .with(Kind::Payee, Subject::numbered(Kind::Payee, self.payee))
            .with(Kind::Device, Subject::numbered(Kind::Device, self.device))
    }
}

/// Numbers that follow from a seed (splitmix64).
struct Luck(u64);

impl Luck {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        mix(self.0)
    }

    /// From 0 up to `end`, without it.
    fn below(&mut self, end: u64) -> u64 {
        self.next() % end.max(1)
    }

    /// From 0 to 1.
    #[allow(clippy::cast_precision_loss)] // 53 bits.
    fn share(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// Around 0, with deviation 1.
    fn normal(&mut self) -> f64 {
        let (one, other) = (self.share().max(1e-12), self.share());
        (-2.0 * one.ln()).sqrt() * (std::f64::consts::TAU * other).cos()
    }

    /// An amount whose logarithm is normal around that of `median`.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // Bounded.
    fn amount(&mut self, median: f64, spread: f64) -> u64 {
        (median * (spread * self.normal()).exp()).clamp(100.0, 10_000_000.0) as u64
    }
}

const DAY_S: u64 = 86_400;
/// Payees that are nobody's regular have numbers from here.
const STRANGERS: u64 = 1 << 32;
/// Mules have numbers from here, as payees and as customers.
const MULES: u64 = 1 << 40;
/// Devices of attackers have numbers from here.
const ATTACKERS: u64 = 1 << 41;

/// Makes a world: its payments in the order of time.
#[must_use]
pub fn generate(world: &World) -> Vec<Payment> {
    let mut made = Making {
        world,
        payments: Vec::new(),
        mules: 0,
        strangers: 0,
    };
    for customer in 0..u64::from(world.customers) {
        made.life(customer);
    }
    let mut payments = made.payments;
    payments.sort_by_key(|payment| (payment.at, payment.customer, payment.payee, payment.amount));
    for (payment, id) in payments.iter_mut().zip(1..) {
        payment.id = id;
    }
    payments
}

struct Making<'a> {
    world: &'a World,
    payments: Vec<Payment>,
    mules: u64,
    strangers: u64,
}

impl Making<'_> {
    fn pay(
        &mut self,
        second: u64,
        customer: u64,
        payee: u64,
        device: u64,
        amount: u64,
        pattern: Pattern,
    ) {
        if second >= u64::from(self.world.days) * DAY_S {
            return;
        }
        self.payments.push(Payment {
            id: 0,
            at: self.world.start.plus_ms(second * 1000),
            amount,
            customer,
            payee,
            device,
            fraud: pattern != Pattern::Genuine,
            pattern,
        });
    }

    /// All that a customer does, and all that is done to them.
    fn life(&mut self, customer: u64) {
        let mut luck = Luck(mix(self.world.seed) ^ mix(customer + 1));
        let regulars: Vec<u64> = (0..3 + luck.below(9))
            .map(|_| luck.below(u64::from(self.world.customers) * 2))
            .collect();
        let median = 1_500.0 * (0.6 * luck.normal()).exp();
        let daily = 0.3 + 1.7 * luck.share();
        let payday = luck.below(28);
        for day in 0..u64::from(self.world.days) {
            let start = day * DAY_S;
            // The days after payday see half as many payments again.
            let busy = if (day + 28 - payday) % 28 < 5 {
                daily * 1.5
            } else {
                daily
            };
            while luck.share() < busy / (1.0 + busy) {
                let payee = match luck.below(10) {
                    0 => self.stranger(),
                    _ => regulars[usize::try_from(luck.below(regulars.len() as u64)).unwrap_or(0)],
                };
                let amount = luck.amount(median, 0.9);
                let second = start + daytime(&mut luck);
                self.pay(second, customer, payee, customer, amount, Pattern::Genuine);
            }
            if luck.below(400) == 0 {
                // A builder, a car, a deposit: large, to somebody new, and genuine.
                let (payee, amount) = (self.stranger(), luck.amount(150_000.0, 0.8));
                let second = start + daytime(&mut luck);
                self.pay(second, customer, payee, customer, amount, Pattern::Genuine);
            }
            if luck.below(1_000_000) < u64::from(self.world.frauds_per_million) {
                self.fraud(&mut luck, customer, start, median);
            }
        }
    }

    fn stranger(&mut self) -> u64 {
        self.strangers += 1;
        STRANGERS + self.strangers
    }

    fn fraud(&mut self, luck: &mut Luck, customer: u64, start: u64, median: f64) {
        // One mule in three was used before: rings work with what they have.
        let mule = if self.mules > 0 && luck.below(3) == 0 {
            MULES + luck.below(self.mules)
        } else {
            self.mules += 1;
            MULES + self.mules - 1
        };
        match luck.below(10) {
            0..=4 => {
                let amount = luck.amount(median * 6.0, 0.8);
                let second = start + daytime(luck);
                self.pay(second, customer, mule, customer, amount, Pattern::Purchase);
                self.chain(luck, mule, second, amount);
            }
            5..=6 => {
                let mut second = start + daytime(luck);
                for _ in 0..2 + luck.below(4) {
                    let amount = luck.amount(250_000.0, 0.6);
                    self.pay(
                        second,
                        customer,
                        mule,
                        customer,
                        amount,
                        Pattern::Impersonation,
                    );
                    self.chain(luck, mule, second, amount);
                    second += 300 + luck.below(5_000);
                }
            }
            7 => {
                let (mut second, mut amount) = (start + daytime(luck), luck.amount(20_000.0, 0.5));
                for _ in 0..3 + luck.below(6) {
                    self.pay(second, customer, mule, customer, amount, Pattern::Romance);
                    self.chain(luck, mule, second, amount);
                    second += DAY_S * (3 + luck.below(9));
                    amount = amount * (120 + luck.below(80)) / 100;
                }
            }
            _ => {
                let device = ATTACKERS + luck.next() % (1 << 30);
                let mut second = start + luck.below(6 * 3600);
                for _ in 0..1 + luck.below(5) {
                    let amount = luck.amount(60_000.0, 0.7);
                    self.pay(second, customer, mule, device, amount, Pattern::Takeover);
                    self.chain(luck, mule, second, amount);
                    second += 60 + luck.below(1_200);
                }
            }
        }
    }

    /// The mule passes the money on, the next one too, until it leaves our sight.
    fn chain(&mut self, luck: &mut Luck, mule: u64, second: u64, amount: u64) {
        let (mut from, mut second, mut amount) = (mule, second, amount);
        for _ in 0..1 + luck.below(4) {
            second += 300 + luck.below(6 * 3600);
            amount = amount * (88 + luck.below(11)) / 100;
            let to = MULES + luck.below(self.mules + 1);
            if to == from || amount < 100 {
                return;
            }
            self.pay(second, from, to, from, amount, Pattern::Mule);
            from = to;
        }
    }
}

/// A second of the day, most often around the early afternoon.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // Bounded.
fn daytime(luck: &mut Luck) -> u64 {
    (50_400.0 + 14_400.0 * luck.normal()).clamp(0.0, 86_399.0) as u64
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn a_seed_is_a_world() {
        let world = World {
            customers: 300,
            days: 60,
            frauds_per_million: 2_000,
            ..World::default()
        };
        let one = generate(&world);
        assert_eq!(one, generate(&world));
        assert_ne!(one, generate(&World { seed: 2, ..world }));
        assert!(one.is_sorted_by_key(|payment| payment.at));
        let mut patterns: BTreeMap<Pattern, usize> = BTreeMap::new();
        for payment in &one {
            *patterns.entry(payment.pattern).or_default() += 1;
            assert_eq!(payment.fraud, payment.pattern != Pattern::Genuine);
            assert!(payment.amount >= 100 || payment.pattern == Pattern::Mule);
        }
        assert_eq!(patterns.len(), 6, "{patterns:?}");
        let frauds = one.iter().filter(|payment| payment.fraud).count();
        assert!(
            frauds * 20 < one.len() && frauds > 50,
            "{frauds} of {}",
            one.len()
        );
    }
}
