//! Parts: what is linked with each other and with nothing else, and what each of them is about.

use super::{
    engine::{Engine, role},
    model::{BreakKind, ExpectedId, Match, Movement, MovementId, Role, RuleName, Standing},
    sides::Sides,
};
use crate::statement::Kind;

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

/// Decides on a part as a whole; on one that has a payment and its own return, which share their
/// references, on each direction by itself.
pub fn decide(engine: &mut Engine<'_>, rule: RuleName, part: &Part) {
    match directions(engine, part) {
        None => decide_on(engine, rule, part, role),
        Some(directions) => {
            // What moves as our own return does settles it, whatever it is called.
            let by_sign = |movement: &Movement, sign: i64| match role(movement, sign) {
                Role::Returns if movement.minor.signum() == sign => Role::Settles,
                role => role,
            };
            let moved = directions.iter().filter(|it| !it.movements.is_empty());
            moved.for_each(|part| decide_on(engine, rule, part, by_sign));
        }
    }
}

/// What came and what went, when payments of both directions are in one part.
fn directions(engine: &Engine<'_>, part: &Part) -> Option<[Part; 2]> {
    let comes = |id: &&ExpectedId| engine.expected(**id).minor > 0;
    let (comes, goes): (Vec<ExpectedId>, Vec<ExpectedId>) = part.expected.iter().partition(comes);
    if comes.is_empty() || goes.is_empty() {
        return None;
    }
    // A fee is of the payment that it was charged for: the one that was first.
    let first = part.expected.first() == comes.first();
    let with = |id: &&MovementId| {
        let movement = engine.movement(**id);
        match movement.kind {
            Kind::Fee => first,
            _ => movement.minor > 0,
        }
    };
    let (in_, out) = part.movements.iter().partition(with);
    let part = |movements, expected| Part {
        movements,
        expected,
    };
    Some([part(in_, comes), part(out, goes)])
}

fn decide_on(
    engine: &mut Engine<'_>,
    rule: RuleName,
    part: &Part,
    role: impl Fn(&Movement, i64) -> Role,
) {
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

pub(super) fn charges(engine: &Engine<'_>, beside: &[(MovementId, Role)]) -> i64 {
    let charged = beside.iter().filter(|it| it.1 == Role::Charges);
    charged.map(|it| -engine.movement(it.0).minor).sum()
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
