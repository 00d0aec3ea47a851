//! Rows of payments in the order of their ids, in pieces: one is added in the middle without moving
//! all others, and what is read is read in a line.

use std::{
    collections::BTreeMap,
    hash::{BuildHasher, BuildHasherDefault, DefaultHasher, Hash},
};

use lombard_core::{
    currency::Currency,
    id::Id,
    lifecycle::{Pending, Stage, Status},
    money::Money,
    payment::{Party, Payment},
    rail::Rail,
    time::Timestamp,
};
use serde::Deserialize;

/// Rows of a piece; twice as many are split.
const PIECE: usize = 4_096;

/// What a payment is found by. Texts and accounts are there as their [`Mark`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row {
    id: Id<Payment>,
    created_at: Timestamp,
    /// Minor units.
    pub minor: u64,
    accounts: [Mark; 2],
    last4: [Mark; 2],
    end_to_end_id: Mark,
    rail: Rail,
    /// Where it stands.
    pub stage: Stage,
    /// Of the amount.
    pub currency: Currency,
}

/// Stands for a text or an account. Two that differ may have the same.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Mark(u32);

impl Mark {
    /// The mark of a value, the same in each process.
    pub fn of(value: impl Hash) -> Self {
        Self(BuildHasherDefault::<DefaultHasher>::default().hash_one(value) as u32)
    }
}

/// Of which payments a list is: those that agree in everything that is said here.
#[derive(Clone, Copy, Debug, Default)]
pub struct Outline {
    /// Those that stand there.
    pub status: Option<Status>,
    /// Those that wait for this.
    pub pending: Option<Pending>,
    /// Those that go this way.
    pub rail: Option<Rail>,
    /// Those from or to this account.
    pub account: Option<Mark>,
    /// Those of so many minor units.
    pub minor: Option<u64>,
    /// Those from or to an account elsewhere that ends so.
    pub last4: Option<Mark>,
    /// Those with this id.
    pub end_to_end_id: Option<Mark>,
    /// Those made then or later.
    pub created_from: Option<Timestamp>,
    /// Those made earlier.
    pub created_before: Option<Timestamp>,
}

/// What a row is made of, of a stored payment: the rest is not worth reading for each of millions.
#[derive(Deserialize)]
pub struct Carried {
    id: Id<Payment>,
    created_at: Timestamp,
    money: Money,
    debtor: Party,
    creditor: Party,
    end_to_end_id: String,
    rail: Rail,
    stage: Stage,
}

impl Row {
    /// The row of a payment.
    pub fn of(payment: &Carried) -> Self {
        let parties = [&payment.debtor, &payment.creditor];
        let last4 = |party: &Party| match party {
            Party::Account(_) => Mark::default(),
            Party::External(external) => Mark::of(external.last4.as_str()),
        };
        Self {
            id: payment.id,
            created_at: payment.created_at,
            minor: payment.money.amount.minor(),
            accounts: parties.map(|it| it.account().map(Mark::of).unwrap_or_default()),
            last4: parties.map(last4),
            end_to_end_id: Mark::of(payment.end_to_end_id.as_str()),
            rail: payment.rail,
            stage: payment.stage,
            currency: payment.money.currency,
        }
    }
}

impl Outline {
    fn fits(&self, row: &Row) -> bool {
        self.end_to_end_id.is_none_or(|it| row.end_to_end_id == it)
            && self.minor.is_none_or(|it| row.minor == it)
            && self.status.is_none_or(|it| row.stage.status() == it)
            && self
                .pending
                .is_none_or(|it| row.stage.pending() == Some(it))
            && self.rail.is_none_or(|it| row.rail == it)
            && self.account.is_none_or(|it| row.accounts.contains(&it))
            && self.last4.is_none_or(|it| row.last4.contains(&it))
            && self.created_from.is_none_or(|it| row.created_at >= it)
            && self.created_before.is_none_or(|it| row.created_at < it)
    }
}

/// Rows in the order of their ids.
#[derive(Default)]
pub struct Rows {
    /// By the id from which on a piece has them.
    pieces: BTreeMap<Id<Payment>, Vec<Row>>,
}

impl Rows {
    /// Puts a row in its place, and gives the one that was there.
    pub fn put(&mut self, row: Row) -> Option<Row> {
        let mut before = self.pieces.range_mut(..=row.id);
        let Some((_, piece)) = before.next_back() else {
            // The first piece begins before all ids, so that every id has a piece.
            self.pieces.insert(Id::from_bits(0), vec![row]);
            return None;
        };
        let at = match piece.binary_search_by_key(&row.id, |it| it.id) {
            Ok(at) => return Some(std::mem::replace(&mut piece[at], row)),
            Err(at) => at,
        };
        if at == piece.len() && at >= PIECE {
            let mut next = Vec::with_capacity(PIECE);
            next.push(row);
            self.pieces.insert(row.id, next);
            return None;
        }
        piece.insert(at, row);
        if piece.len() == 2 * PIECE {
            let rest = piece.split_off(PIECE);
            self.pieces.insert(rest[0].id, rest);
        }
        None
    }

    /// Those before an id that fit, the last first.
    pub fn older(
        &self,
        wanted: &Outline,
        after: Option<Id<Payment>>,
        limit: usize,
    ) -> Vec<Id<Payment>> {
        let end = after.unwrap_or(Id::from_bits(u128::MAX));
        let rows = self
            .pieces
            .range(..=end)
            .rev()
            .flat_map(|it| it.1.iter().rev());
        let fitting = rows.filter(|row| wanted.fits(row) && row.id < end);
        fitting.map(|row| row.id).take(limit).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(id: u128, minor: u64) -> Row {
        Row {
            id: Id::from_bits(id),
            created_at: Timestamp::default(),
            minor,
            accounts: [Mark::default(); 2],
            last4: [Mark::default(); 2],
            end_to_end_id: Mark::default(),
            rail: Rail::Book,
            stage: Stage::Held,
            currency: Currency::GBP,
        }
    }

    #[test]
    fn rows_are_found_in_order_however_they_came() {
        const COUNT: u128 = 20_011;
        let mut rows = Rows::default();
        // Each id once, in no order: the step has no divisor in common with the count.
        for n in 0..COUNT {
            let id = n * 7_919 % COUNT + 1;
            assert_eq!(rows.put(row(id, (id % 3) as u64)), None);
        }
        assert_eq!(rows.put(row(5, 9)), Some(row(5, 2)));
        assert!(rows.pieces.len() > 2);
        let of = |minor| Outline {
            minor: Some(minor),
            ..Outline::default()
        };
        let found = rows.older(&of(1), Some(Id::from_bits(20_000)), usize::MAX);
        let truth: Vec<Id<Payment>> = { 1..20_000 }
            .rev()
            .filter(|id| id % 3 == 1)
            .map(Id::from_bits)
            .collect();
        assert_eq!(found, truth);
        assert_eq!(rows.older(&of(1), None, 3).len(), 3);
        assert_eq!(rows.older(&of(9), None, 3), [Id::from_bits(5)]);
    }

    #[test]
    fn a_row_is_small() {
        assert!(size_of::<Row>() <= 64, "{}", size_of::<Row>());
    }
}
