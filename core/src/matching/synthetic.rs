//! Two sides of which the truth is known, from a seed: for tests and for the measurement.

use std::collections::BTreeSet;

use time::{Date, Duration, Month};

use super::model::{BreakKind, Expected, ExpectedId, Movement, MovementId, Outcome, Standing};
use crate::statement::{Kind, RefKind, Unit};

/// Two sides, and what belongs together.
#[derive(Debug, Default)]
pub struct World {
    /// What the statement says.
    pub movements: Vec<Movement>,
    /// What our books expect.
    pub expected: Vec<Expected>,
    /// Movements and payments that are one, both in order.
    pub truth: BTreeSet<(Vec<MovementId>, Vec<ExpectedId>)>,
    /// What is broken: a kind, and the movement or else the payment that it is told of.
    pub broken: BTreeSet<(BreakKind, Option<MovementId>, Option<ExpectedId>)>,
}

/// Draws that follow from a seed: splitmix64 (Steele, Lea, Flood 2014).
#[derive(Debug)]
pub struct Luck(pub u64);

impl Luck {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut it = self.0;
        it = (it ^ (it >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        it = (it ^ (it >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        it ^ (it >> 31)
    }

    /// A number below `end`, which is not 0.
    pub fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }
}

/// A world of `size` payments: 95 % one to one, 4 % in groups of 2 to 500, 1 % broken.
#[must_use]
pub fn world(seed: u64, size: usize) -> World {
    let mut maker = Maker {
        luck: Luck(seed),
        world: World::default(),
        unit: Unit::from(crate::currency::Currency::EUR),
    };
    let mut by_turns = false;
    while maker.world.expected.len() < size {
        let grouped = |maker: &Maker| maker.world.expected.len() < size / 25;
        if grouped(&maker) {
            by_turns = !by_turns;
            let parts = 2 + maker.luck.below(499) as usize;
            maker.group(parts, by_turns);
        } else if maker.luck.below(100) == 0 {
            maker.broken();
        } else {
            maker.pair();
        }
    }
    maker.world
}

/// The day on which it all happens, and from which the statement sees everything.
#[must_use]
pub fn day() -> Date {
    // A day of the calendar.
    Date::from_calendar_date(2026, Month::March, 2).unwrap_or(Date::MIN)
}

struct Maker {
    luck: Luck,
    world: World,
    unit: Unit,
}

impl Maker {
    fn expect(&mut self, minor: i64, reference: &str) -> ExpectedId {
        let id = ExpectedId(self.world.expected.len() as u32);
        self.world.expected.push(Expected {
            minor,
            unit: self.unit,
            day: day() - Duration::days(self.luck.below(3) as i64),
            references: [reference].into_iter().collect(),
            group: None,
            standing: Standing::Open,
        });
        id
    }

    fn tell(&mut self, minor: i64, reference: Option<&str>, text: &str) -> MovementId {
        let id = MovementId(self.world.movements.len() as u32);
        let references = reference.map(|it| (RefKind::EndToEnd, it.into()));
        self.world.movements.push(Movement {
            minor,
            unit: self.unit,
            gross: None,
            fee: 0,
            original: None,
            day: Some(day()),
            kind: Kind::Payment,
            references: references.into_iter().collect(),
            text: text.into(),
        });
        id
    }

    /// Amounts come again and again, as in life; a reference never does.
    fn amount(&mut self) -> i64 {
        let units = 100 + self.luck.below(50_000) as i64;
        if self.luck.below(2) == 0 {
            units
        } else {
            -units
        }
    }

    fn reference(&mut self) -> String {
        format!(
            "E2E-{:08}-{:06X}",
            self.world.expected.len(),
            self.luck.below(1 << 24)
        )
    }

    fn pair(&mut self) {
        let (amount, reference) = (self.amount(), self.reference());
        let manner = self.luck.below(100);
        // Without any reference only an amount that is like no other tells.
        let amount = if manner < 2 {
            1_000_000_000 + self.world.expected.len() as i64
        } else {
            amount
        };
        let payment = self.expect(amount, &reference);
        let movement = match manner {
            0..2 => self.tell(amount, None, "thank you"),
            2..6 => self.tell(amount, None, &format!("INVOICE {reference} OF MARCH")),
            6..16 => self.tell(amount, Some(&reference.replace('-', "").to_lowercase()), ""),
            _ => self.tell(amount, Some(&reference), ""),
        };
        self.world.truth.insert((vec![movement], vec![payment]));
    }

    /// One movement for many payments, or many for one.
    fn group(&mut self, parts: usize, one_there: bool) {
        let name = self.reference();
        let amounts: Vec<i64> = (0..parts).map(|_| self.amount().abs()).collect();
        let sum = amounts.iter().sum();
        let found = if one_there {
            let mut payments = Vec::new();
            for amount in amounts {
                let reference = self.reference();
                let id = self.expect(amount, &reference);
                self.world.expected[id.0 as usize].group = Some(name.as_str().into());
                payments.push(id);
            }
            (vec![self.tell(sum, Some(&name), "")], payments)
        } else {
            let payment = self.expect(sum, &name);
            let told = amounts
                .into_iter()
                .map(|amount| self.tell(amount, Some(&name), ""));
            (told.collect(), vec![payment])
        };
        self.world.truth.insert(found);
    }

    fn broken(&mut self) {
        let (amount, reference) = (self.amount(), self.reference());
        let broken = match self.luck.below(6) {
            0 => {
                let payment = self.expect(amount, &reference);
                let movement = self.tell(amount + 1, Some(&reference), "");
                (BreakKind::AmountDiffers, Some(movement), Some(payment))
            }
            1 => {
                let payment = self.expect(amount, &reference);
                (BreakKind::MissingThere, None, Some(payment))
            }
            2 => {
                let movement = self.tell(amount, Some(&format!("X{reference}")), "");
                (BreakKind::UnknownReference, Some(movement), None)
            }
            3 => {
                let payment = self.expect(amount, &reference);
                let movement = self.tell(amount, Some(&reference), "");
                self.world.truth.insert((vec![movement], vec![payment]));
                let again = self.tell(amount, Some(&reference), "");
                (BreakKind::Duplicate, Some(again), Some(payment))
            }
            4 => {
                let payment = self.expect(amount, &reference);
                let movement = self.tell(amount, Some(&reference), "");
                let dollars = Unit::from(crate::currency::Currency::USD);
                self.world.movements[movement.0 as usize].unit = dollars;
                (BreakKind::Currency, Some(movement), Some(payment))
            }
            _ => {
                let payment = self.expect(amount, &reference);
                self.world.expected[payment.0 as usize].standing = Standing::Failed;
                let movement = self.tell(amount, Some(&reference), "");
                (BreakKind::ConflictingStatus, Some(movement), Some(payment))
            }
        };
        self.world.broken.insert(broken);
    }
}

/// How many matches are wrong, and how many that should be made or broken are not.
#[must_use]
pub fn compare(world: &World, outcome: &Outcome) -> (usize, usize) {
    let mut found = BTreeSet::new();
    for it in &outcome.matches {
        let mut movements: Vec<_> = it.movements.iter().map(|it| it.0).collect();
        let mut expected = it.expected.to_vec();
        movements.sort_unstable();
        expected.sort_unstable();
        found.insert((movements, expected));
    }
    let wrong = found.difference(&world.truth).count();
    let missed = world.truth.difference(&found).count();
    let told: BTreeSet<_> = outcome
        .breaks
        .iter()
        .map(|it| {
            (
                it.kind,
                it.movements.first().copied(),
                it.expected.first().copied(),
            )
        })
        .collect();
    let unbroken = world.broken.symmetric_difference(&told).count();
    (wrong, missed + unbroken)
}

#[cfg(test)]
mod tests {
    use super::super::{Rules, run};
    use super::*;

    #[test]
    fn nothing_is_wrong_and_nothing_is_missed() {
        for seed in 0..20 {
            let world = world(seed, 2_000);
            let rules = Rules {
                days_before: 3,
                expected_within: 0,
                ..Rules::default()
            };
            let outcome = run(&world.movements, &world.expected, &rules, Some(day()));
            assert_eq!(compare(&world, &outcome), (0, 0), "seed {seed}");
            assert_eq!(world.broken.len(), outcome.breaks.len(), "seed {seed}");
            assert_eq!(
                outcome,
                run(&world.movements, &world.expected, &rules, Some(day()))
            );
        }
    }
}
