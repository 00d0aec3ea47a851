//! Parts: what is linked with each other and with nothing else, and the decision on one.

use super::{
    engine::{Engine, role},
    model::{BreakKind, ExpectedId, Match, MovementId, Role, RuleName, Standing},
};
use crate::statement::Unit;

/// Movements and payments that are linked.
#[derive(Debug, PartialEq, Eq)]
pub struct Part {
    pub movements: Vec<MovementId>,
    pub expected: Vec<ExpectedId>,
}

/// The parts of the graph whose edges are equal keys that `share` confirms, in the order of their
/// first movements. What has no edge is in no part.
pub fn parts(
    mut there: Vec<(u64, u32)>,
    mut here: Vec<(u64, u32)>,
    share: impl Fn(u32, u32) -> bool,
) -> Vec<Part> {
    there.sort_unstable();
    there.dedup();
    here.sort_unstable();
    here.dedup();
    let mut edges: Vec<(u32, u32)> = Vec::new();
    let mut from = 0;
    for same in there.chunk_by(|a, b| a.0 == b.0) {
        let key = same[0].0;
        from += here[from..].partition_point(|it| it.0 < key);
        let until = from + here[from..].partition_point(|it| it.0 == key);
        let mates = &here[from..until];
        // A key that many share links the first of each side with all of the other: the part is
        // the same, and the edges are not a product.
        for (at, (_, movement)) in same.iter().enumerate() {
            let mates = if at == 0 {
                mates
            } else {
                mates.get(..1).unwrap_or_default()
            };
            let linked = mates
                .iter()
                .filter(|(_, expected)| share(*movement, *expected));
            edges.extend(linked.map(|(_, expected)| (*movement, *expected)));
        }
        from = until;
    }
    collect(edges)
}

/// Connected parts, by union and find over movements and payments.
pub fn collect(mut edges: Vec<(u32, u32)>) -> Vec<Part> {
    edges.sort_unstable();
    edges.dedup();
    let mut movements: Vec<u32> = edges.iter().map(|it| it.0).collect();
    movements.dedup();
    let mut expected: Vec<u32> = edges.iter().map(|it| it.1).collect();
    expected.sort_unstable();
    expected.dedup();
    let mut forest = Forest::new(movements.len() + expected.len());
    for (movement, mate) in &edges {
        // Both lists were made of these edges.
        let a = movements.binary_search(movement).unwrap_or_default();
        let b = expected.binary_search(mate).unwrap_or_default();
        forest.join(a, movements.len() + b);
    }
    let mut parts: Vec<Part> = Vec::new();
    let mut place = vec![usize::MAX; movements.len() + expected.len()];
    for (at, movement) in movements.iter().enumerate() {
        let root = forest.root(at);
        if place[root] == usize::MAX {
            place[root] = parts.len();
            parts.push(Part {
                movements: Vec::new(),
                expected: Vec::new(),
            });
        }
        parts[place[root]].movements.push(MovementId(*movement));
    }
    for (at, mate) in expected.iter().enumerate() {
        let root = forest.root(movements.len() + at);
        // Every payment here has an edge to a movement.
        if let Some(part) = parts.get_mut(place[root]) {
            part.expected.push(ExpectedId(*mate));
        }
    }
    parts
}

struct Forest(Vec<u32>);

impl Forest {
    fn new(size: usize) -> Self {
        Self((0u32..).take(size).collect())
    }

    fn root(&mut self, mut at: usize) -> usize {
        while self.0[at] as usize != at {
            let above = self.0[at] as usize;
            self.0[at] = self.0[above];
            at = above;
        }
        at
    }

    fn join(&mut self, a: usize, b: usize) {
        let (a, b) = (self.root(a), self.root(b));
        let (low, high) = (a.min(b), a.max(b));
        self.0[high] = low as u32;
    }
}

/// Decides on a part as a whole.
pub fn decide(engine: &mut Engine<'_>, rule: RuleName, part: &Part) {
    let sign = part
        .expected
        .first()
        .map_or(1, |id| engine.expected(*id).minor.signum());
    let with = |wanted: Role| -> Vec<MovementId> {
        let is = |id: &&MovementId| role(engine.movement(**id), sign) == wanted;
        part.movements.iter().filter(is).copied().collect()
    };
    let settling = with(Role::Settles);
    let beside: Vec<(MovementId, Role)> = [Role::Returns, Role::Charges]
        .into_iter()
        .flat_map(|role| with(role).into_iter().map(move |id| (id, role)))
        .collect();
    let (open, done): (Vec<ExpectedId>, Vec<ExpectedId>) = part
        .expected
        .iter()
        .partition(|id| engine.expected(**id).standing == Standing::Open);
    if settling.is_empty() {
        return only_beside(engine, rule, part, beside);
    }
    if open.is_empty() {
        return decided_before(engine, &settling, &done, beside, rule);
    }
    let sides = Sides {
        rule,
        settling,
        open,
        beside,
    };
    sides.decide(engine);
}

/// Refunds, chargebacks and charges of a payment that settled at another time.
fn only_beside(
    engine: &mut Engine<'_>,
    rule: RuleName,
    part: &Part,
    beside: Vec<(MovementId, Role)>,
) {
    if let [only] = part.expected.as_slice() {
        return engine.settle(Match {
            rule,
            fee: charges(engine, &beside),
            movements: beside.into(),
            expected: Box::new([*only]),
            difference: 0,
            out_of_days: false,
        });
    }
    engine.fail(BreakKind::Ambiguous, &part.movements, &part.expected, None);
}

/// Our books say that this cannot be, or that it was before.
fn decided_before(
    engine: &mut Engine<'_>,
    settling: &[MovementId],
    done: &[ExpectedId],
    beside: Vec<(MovementId, Role)>,
    rule: RuleName,
) {
    let settled = |id: &ExpectedId| engine.expected(*id).standing == Standing::Settled;
    let kind = if done.iter().any(settled) {
        BreakKind::Duplicate
    } else {
        BreakKind::ConflictingStatus
    };
    for id in settling {
        engine.fail(kind, &[*id], done, None);
    }
    if !beside.is_empty() {
        let part = Part {
            movements: beside.iter().map(|it| it.0).collect(),
            expected: done.to_vec(),
        };
        only_beside(engine, rule, &part, beside);
    }
}

fn charges(engine: &Engine<'_>, beside: &[(MovementId, Role)]) -> i64 {
    let charged = beside.iter().filter(|it| it.1 == Role::Charges);
    charged.map(|it| -engine.movement(it.0).minor).sum()
}

/// A part that has movements which settle and payments which wait.
struct Sides {
    rule: RuleName,
    settling: Vec<MovementId>,
    open: Vec<ExpectedId>,
    beside: Vec<(MovementId, Role)>,
}

impl Sides {
    fn decide(self, engine: &mut Engine<'_>) {
        let unit = engine.expected(self.open[0]).unit;
        let foreign = |id: &MovementId| {
            let it = engine.movement(*id);
            it.unit != unit && it.original.is_none_or(|original| original.1 != unit)
        };
        let mixed = self.open.iter().any(|id| engine.expected(*id).unit != unit);
        if mixed || self.settling.iter().any(foreign) {
            let movements = self.all();
            return engine.fail(BreakKind::Currency, &movements, &self.open, None);
        }
        let there: i64 = self.settling.iter().map(|id| paid(engine, *id, unit)).sum();
        let here: i64 = self.open.iter().map(|id| engine.expected(*id).minor).sum();
        let told: i64 = self
            .settling
            .iter()
            .map(|id| engine.movement(*id).fee)
            .sum();
        match self.within(engine, there, here) {
            Some((fee, difference)) => self.settle(engine, told + fee, difference),
            None => self.refuse(engine, there, here),
        }
    }

    fn all(&self) -> Vec<MovementId> {
        let beside = self.beside.iter().map(|it| it.0);
        self.settling.iter().copied().chain(beside).collect()
    }

    /// Fee and difference, when the sides agree.
    fn within(&self, engine: &Engine<'_>, there: i64, here: i64) -> Option<(i64, i64)> {
        let off = there - here;
        if off.unsigned_abs() <= engine.rules.amount_tolerance {
            return Some((0, off));
        }
        // A source keeps its fee of what it owes us, and never gives more.
        let most = engine.rules.fee.most(here.unsigned_abs());
        let kept = here > 0 && off < 0 && off.unsigned_abs() <= most;
        kept.then_some((-off, 0))
    }

    fn settle(self, engine: &mut Engine<'_>, fee: i64, difference: i64) {
        let out_of_days = self.settling.iter().any(|id| {
            let movement = engine.movement(*id);
            !self
                .open
                .iter()
                .any(|it| engine.within_days(movement, engine.expected(*it)))
        });
        let fee = fee + charges(engine, &self.beside);
        let settling = self.settling.iter().map(|id| (*id, Role::Settles));
        engine.settle(Match {
            rule: self.rule,
            movements: settling.chain(self.beside.iter().copied()).collect(),
            expected: self.open.into(),
            fee,
            difference,
            out_of_days,
        });
    }

    /// The sides do not agree as a whole. They may one by one: where each amount comes once on
    /// either side, or where one movement came several times.
    fn refuse(self, engine: &mut Engine<'_>, there: i64, here: i64) {
        match (self.settling.as_slice(), self.open.as_slice()) {
            ([_], [_]) => {
                let movements = self.all();
                engine.fail(
                    BreakKind::AmountDiffers,
                    &movements,
                    &self.open,
                    Some(there - here),
                );
            }
            (_, [only]) => self.repeated(engine, *only, there - here),
            _ => self.pairs(engine, there - here),
        }
    }

    /// Several movements for one payment: one that fits settles it, and the same again is a
    /// duplicate.
    fn repeated(&self, engine: &mut Engine<'_>, only: ExpectedId, off: i64) {
        let unit = engine.expected(only).unit;
        let here = engine.expected(only).minor;
        let fits = |id: &&MovementId| {
            self.within(engine, paid(engine, **id, unit), here)
                .is_some()
        };
        let fitting: Vec<MovementId> = self.settling.iter().filter(fits).copied().collect();
        let all_fit = fitting.len() == self.settling.len();
        let Some((first, again)) = fitting.split_first().filter(|_| all_fit) else {
            let movements = self.all();
            return engine.fail(BreakKind::AmountDiffers, &movements, &self.open, Some(off));
        };
        let told = engine.movement(*first).fee;
        if let Some((fee, difference)) = self.within(engine, paid(engine, *first, unit), here) {
            let sides = Self {
                rule: self.rule,
                settling: vec![*first],
                open: vec![only],
                beside: self.beside.clone(),
            };
            sides.settle(engine, told + fee, difference);
        }
        for id in again {
            engine.fail(BreakKind::Duplicate, &[*id], &[only], None);
        }
    }

    /// Several on both sides. Those whose amount comes once on each are pairs; the rest is
    /// ambiguous, or of another amount when only one is left on each.
    fn pairs(&self, engine: &mut Engine<'_>, off: i64) {
        let unit = engine.expected(self.open[0]).unit;
        let (mut settling, mut open) = (self.settling.clone(), self.open.clone());
        if self.rule == RuleName::Group || settling.len() == 1 {
            // One payout and its parts stand and fall together.
            return engine.fail(BreakKind::AmountDiffers, &self.all(), &open, Some(off));
        }
        for id in &self.settling {
            let amount = paid(engine, *id, unit);
            let same_there = self
                .settling
                .iter()
                .filter(|it| paid(engine, **it, unit) == amount);
            let same_here: Vec<ExpectedId> = self
                .open
                .iter()
                .filter(|it| engine.expected(**it).minor == amount)
                .copied()
                .collect();
            if let ([mate], 1) = (same_here.as_slice(), same_there.count()) {
                let told = engine.movement(*id).fee;
                let pair = Self {
                    rule: self.rule,
                    settling: vec![*id],
                    open: vec![*mate],
                    beside: Vec::new(),
                };
                pair.settle(engine, told, 0);
                settling.retain(|it| it != id);
                open.retain(|it| it != mate);
            }
        }
        let beside = self.beside.iter().map(|it| it.0);
        let movements: Vec<MovementId> = settling.iter().copied().chain(beside).collect();
        if movements.is_empty() && open.is_empty() {
            return;
        }
        let single = settling.len() == 1 && open.len() == 1;
        let kind = if single {
            BreakKind::AmountDiffers
        } else {
            BreakKind::Ambiguous
        };
        engine.fail(kind, &movements, &open, Some(off));
    }
}

/// What a movement says was paid, in a currency: before fees, and before an exchange.
fn paid(engine: &Engine<'_>, id: MovementId, unit: Unit) -> i64 {
    let it = engine.movement(id);
    match it.original {
        Some((original, of)) if it.unit != unit && of == unit => original,
        _ => it.gross.unwrap_or(it.minor),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_what_is_linked() {
        let there = vec![(1, 0), (2, 0), (2, 1), (9, 2), (5, 3)];
        let here = vec![(1, 7), (2, 8), (9, 9), (4, 3)];
        let found = parts(there, here, |movement, expected| {
            (movement, expected) != (2, 9)
        });
        assert_eq!(
            found,
            [Part {
                movements: vec![MovementId(0), MovementId(1)],
                expected: vec![ExpectedId(7), ExpectedId(8)],
            }]
        );
    }
}
