//! The run through the rules.

use time::Date;

use super::{
    group::{self, Part},
    keys::{self, Manner},
    model::{
        Break, BreakKind, Expected, ExpectedId, Match, Movement, MovementId, Outcome, Role,
        RuleName, Standing,
    },
    rules::Rules,
};
use crate::statement::Kind;

/// Matches movements with what is expected.
///
/// `seen_until` is the last day that the statement covers to its end: what was expected by then and
/// did not come is missing there. `None` misses nothing.
///
/// # Panics
/// With more than 2^32 − 1 items on a side.
#[must_use]
pub fn run<'m>(
    movements: impl IntoIterator<Item = &'m Movement>,
    expected: &'m [Expected],
    rules: &'m Rules,
    seen_until: Option<Date>,
) -> Outcome {
    let movements: Vec<&Movement> = movements.into_iter().collect();
    assert!(u32::try_from(movements.len()).is_ok() && u32::try_from(expected.len()).is_ok());
    let mut engine = Engine {
        movement_done: vec![false; movements.len()],
        movements,
        expected,
        rules,
        expected_done: vec![false; expected.len()],
        outcome: Outcome::default(),
    };
    engine.by_reference(RuleName::Reference, Manner::Exact);
    engine.by_reference(RuleName::NormalisedReference, Manner::Normalised);
    engine.by_group();
    engine.by_reference(RuleName::ReferenceInText, Manner::InText);
    engine.explain();
    if rules.match_by_amount {
        engine.by_amount();
    }
    engine.rest(seen_until);
    engine.outcome
}

pub(super) struct Engine<'a> {
    pub movements: Vec<&'a Movement>,
    pub expected: &'a [Expected],
    pub rules: &'a Rules,
    movement_done: Vec<bool>,
    expected_done: Vec<bool>,
    outcome: Outcome,
}

impl Engine<'_> {
    pub fn movement(&self, id: MovementId) -> &Movement {
        self.movements[id.0 as usize]
    }

    pub fn expected(&self, id: ExpectedId) -> &Expected {
        &self.expected[id.0 as usize]
    }

    fn open_movements(&self) -> impl Iterator<Item = (u32, &Movement)> {
        let open = |place: &(u32, &Movement)| !self.movement_done[place.0 as usize];
        (0u32..).zip(self.movements.iter().copied()).filter(open)
    }

    fn open_expected(&self) -> impl Iterator<Item = (u32, &Expected)> {
        let open = |place: &(u32, &Expected)| !self.expected_done[place.0 as usize];
        (0u32..).zip(self.expected).filter(open)
    }

    fn by_reference(&mut self, rule: RuleName, manner: Manner) {
        let mut there = Vec::new();
        for (place, movement) in self.open_movements() {
            keys::of_movement(movement, manner, |text| {
                if !text.is_empty() {
                    there.push((keys::hash(text), place));
                }
            });
        }
        let mut here = Vec::new();
        for (place, expected) in self.open_expected() {
            keys::of_expected(expected, manner, |text| {
                if !text.is_empty() {
                    here.push((keys::hash(text), place));
                }
            });
        }
        let share = |movement: u32, expected: u32| {
            let (movement, expected) = (
                self.movements[movement as usize],
                &self.expected[expected as usize],
            );
            let mut found = false;
            keys::of_movement(movement, manner, |a| {
                found |= !a.is_empty() && {
                    let mut same = false;
                    keys::of_expected(expected, manner, |b| same |= a == b);
                    same
                };
            });
            found
        };
        let parts = group::parts(there, here, share);
        for part in parts {
            self.decide(rule, &part);
        }
    }

    /// A movement that names a payout or batch, and the payments of ours that are its parts.
    fn by_group(&mut self) {
        let mut there = Vec::new();
        for (place, movement) in self.open_movements() {
            for (_, text) in &movement.references {
                there.push((keys::hash(text), place));
            }
        }
        let groups = self.open_expected();
        let here = groups
            .filter_map(|(place, it)| Some((keys::hash(it.group.as_deref()?), place)))
            .collect();
        let share = |movement: u32, expected: u32| {
            let group = self.expected[expected as usize].group.as_deref();
            let references = &self.movements[movement as usize].references;
            references.iter().any(|(_, text)| Some(&**text) == group)
        };
        for part in group::parts(there, here, share) {
            self.decide(RuleName::Group, &part);
        }
    }

    /// What no payment stands for is explained by what it is.
    fn explain(&mut self) {
        for place in 0..self.movements.len() {
            let kind = self.movements[place].kind;
            let own = !matches!(
                kind,
                Kind::Payment | Kind::Refund | Kind::Chargeback | Kind::ChargebackReversed
            );
            if own && !self.movement_done[place] {
                self.movement_done[place] = true;
                self.outcome.explained.push(MovementId(place as u32));
            }
        }
    }

    /// Amount, currency and days, where both sides have only one of the kind.
    fn by_amount(&mut self) {
        let key = |minor: i64, unit: crate::statement::Unit| {
            keys::hash(unit.code()) ^ (minor as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15)
        };
        let nameless = self
            .open_movements()
            .filter(|(_, it)| !keys::names_a_payment(it));
        let there = nameless
            .map(|(place, it)| (key(it.minor, it.unit), place))
            .collect();
        let open = self
            .open_expected()
            .filter(|(_, it)| it.standing == Standing::Open);
        let here = open
            .map(|(place, it)| (key(it.minor, it.unit), place))
            .collect();
        let share = |movement: u32, expected: u32| {
            let movement = self.movements[movement as usize];
            let expected = &self.expected[expected as usize];
            movement.minor == expected.minor && movement.unit == expected.unit
        };
        for part in group::parts(there, here, share) {
            for part in self.apart_by_days(part) {
                self.decide_by_amount(&part);
            }
        }
    }

    /// Parts in which the days fit too. A part that is too large to look at pair by pair stays
    /// whole: it is ambiguous, which is the safe side.
    fn apart_by_days(&self, part: Part) -> Vec<Part> {
        const PAIRS_MAX: usize = 250_000;
        if part.movements.len().saturating_mul(part.expected.len()) > PAIRS_MAX {
            return vec![part];
        }
        let mut edges = Vec::new();
        for movement in &part.movements {
            for expected in &part.expected {
                if self.within_days(self.movement(*movement), self.expected(*expected)) {
                    edges.push((movement.0, expected.0));
                }
            }
        }
        group::collect(edges)
    }

    fn decide_by_amount(&mut self, part: &Part) {
        if part.movements.len() == 1 && part.expected.len() == 1 {
            return self.decide(RuleName::Amount, part);
        }
        self.fail(BreakKind::Ambiguous, &part.movements, &part.expected, None);
        // The candidates stay expected: nobody said that any of them came.
        for id in &part.expected {
            self.expected_done[id.0 as usize] = false;
        }
    }

    /// Whether a movement came in the days of its source. One without a day may be of any.
    pub fn within_days(&self, movement: &Movement, expected: &Expected) -> bool {
        let (calendar, rules) = (self.rules.calendar, self.rules);
        movement.day.is_none_or(|day| {
            day >= calendar.before(expected.day, rules.days_before)
                && day <= calendar.after(expected.day, rules.days_after)
        })
    }

    fn decide(&mut self, rule: RuleName, part: &Part) {
        super::group::decide(self, rule, part);
    }

    /// Takes in a match.
    pub fn settle(&mut self, found: Match) {
        for (id, _) in &found.movements {
            self.movement_done[id.0 as usize] = true;
        }
        for id in &found.expected {
            self.expected_done[id.0 as usize] = true;
        }
        self.outcome.matches.push(found);
    }

    /// Takes in a break: what it concerns is tried by no weaker rule.
    pub fn fail(
        &mut self,
        kind: BreakKind,
        movements: &[MovementId],
        expected: &[ExpectedId],
        minor: Option<i64>,
    ) {
        for id in movements {
            self.movement_done[id.0 as usize] = true;
        }
        for id in expected {
            self.expected_done[id.0 as usize] = true;
        }
        let own = movements.first().map(|id| self.movement(*id).minor);
        let own = own.or_else(|| expected.first().map(|id| self.expected(*id).minor));
        self.outcome.breaks.push(Break {
            kind,
            movements: movements.into(),
            expected: expected.into(),
            minor: minor.or(own).unwrap_or_default(),
        });
    }

    /// What is left on either side.
    fn rest(&mut self, seen_until: Option<Date>) {
        for place in 0..self.movements.len() {
            if self.movement_done[place] {
                continue;
            }
            let named = keys::names_a_payment(self.movements[place]);
            let kind = if named {
                BreakKind::UnknownReference
            } else {
                BreakKind::MissingHere
            };
            self.fail(kind, &[MovementId(place as u32)], &[], None);
        }
        let candidates: Vec<ExpectedId> = self
            .outcome
            .breaks
            .iter()
            .filter(|it| it.kind == BreakKind::Ambiguous)
            .flat_map(|it| it.expected.iter().copied())
            .collect();
        let mut named = vec![false; self.expected.len()];
        for id in candidates {
            named[id.0 as usize] = true;
        }
        for (place, named) in named.into_iter().enumerate() {
            let it = &self.expected[place];
            if self.expected_done[place] || it.standing != Standing::Open {
                continue;
            }
            let id = ExpectedId(place as u32);
            let due = self
                .rules
                .calendar
                .after(it.day, self.rules.expected_within);
            // A candidate of an ambiguous set is told there, once.
            if seen_until.is_some_and(|until| due <= until) && !named {
                self.fail(BreakKind::MissingThere, &[], &[id], None);
            } else {
                self.outcome.open.push(id);
            }
        }
    }
}

/// What a movement is to the payment that it names.
pub(super) fn role(movement: &Movement, expected_sign: i64) -> Role {
    match movement.kind {
        Kind::Fee => Role::Charges,
        Kind::Refund | Kind::Chargeback | Kind::ChargebackReversed => Role::Returns,
        _ if movement.minor != 0 && movement.minor.signum() != expected_sign => Role::Returns,
        _ => Role::Settles,
    }
}
