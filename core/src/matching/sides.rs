//! The decision on movements that settle and the payments that wait for them: whether what came is
//! what should have come.

use super::{
    engine::Engine,
    group::charges,
    model::{BreakKind, ExpectedId, Match, MovementId, Role, RuleName},
};
use crate::statement::Unit;

/// A part that has movements which settle and payments which wait.
pub struct Sides {
    /// By which rule they were linked.
    pub rule: RuleName,
    /// The movements that settle.
    pub settling: Vec<MovementId>,
    /// The payments that wait.
    pub open: Vec<ExpectedId>,
    /// Refunds, chargebacks and charges of the same payments.
    pub beside: Vec<(MovementId, Role)>,
}

impl Sides {
    /// Whether they agree, and if they do not, what of them does.
    pub fn decide(self, engine: &mut Engine<'_>) {
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
