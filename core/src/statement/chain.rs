//! Statements of one account after each other: each must begin where the one before ended.

use std::collections::BTreeMap;

use super::model::Summary;

/// Where an account's last statement ended.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Link {
    /// Its opening balance, in minor units.
    #[serde(default)]
    pub opening: Option<i64>,
    /// Its closing balance.
    pub closing: Option<i64>,
    /// Its place.
    pub number: Option<u64>,
    /// Its page.
    pub page: Option<u64>,
    /// The day of its closing balance.
    #[serde(default)]
    pub day: Option<String>,
    /// The day of its opening balance.
    #[serde(default)]
    pub opening_day: Option<String>,
}

/// What is wrong between two statements.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Break {
    /// The opening balance is not the closing balance of the one before.
    Balance {
        /// What the one before closed with.
        closed: i64,
        /// What this one opens with.
        opened: i64,
    },
    /// Numbers in between are missing.
    Missing {
        /// The number of the one before.
        before: u64,
        /// The number of this one.
        now: u64,
    },
    /// This number came before.
    Repeated {
        /// The number.
        number: u64,
    },
}

impl std::fmt::Display for Break {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Balance { closed, opened } => {
                write!(
                    f,
                    "the statement before closed with {closed}, this one opens with {opened}"
                )
            }
            Self::Missing { before, now } => {
                write!(
                    f,
                    "statement {now} follows {before}: those in between are missing"
                )
            }
            Self::Repeated { number } => write!(f, "statement {number} came before"),
        }
    }
}

/// The last link of each account and currency.
#[derive(Clone, Debug, Default)]
pub struct Chain(BTreeMap<(String, Option<String>), Link>);

impl Chain {
    /// Takes in the next statement, and says what is wrong between it and the one before.
    ///
    /// A number that begins again at 1 is a new year. An account without balances and numbers
    /// proves nothing and breaks nothing.
    pub fn follow(&mut self, summary: &Summary) -> Option<Break> {
        let key = (
            summary.account.clone(),
            summary.currency.map(|it| it.code().to_owned()),
        );
        let link = Link::of(summary);
        let before = self.0.get(&key).cloned();
        let found = before.as_ref().and_then(|before| before.to(&link));
        if !matches!(found, Some(Break::Repeated { .. })) {
            self.0.insert(key, link);
        }
        found
    }
}

impl Link {
    /// The link that a statement is.
    #[must_use]
    pub fn of(summary: &Summary) -> Self {
        Self {
            opening: summary.opening,
            closing: summary.closing,
            number: summary.sequence.map(|it| it.number),
            page: summary.sequence.and_then(|it| it.page),
            day: summary.closing_date.map(|day| day.to_string()),
            opening_day: summary.opening_date.map(|day| day.to_string()),
        }
    }

    /// What is wrong between this and the next statement.
    #[must_use]
    pub fn to(&self, next: &Self) -> Option<Break> {
        if let Some((before, now)) = self.number.zip(next.number)
            // Zero is what banks write that do not number.
            && before > 0 && now > 0
        {
            let same_page = next.page.unwrap_or(1) <= self.page.unwrap_or(1);
            if now == before && same_page && self.closing == next.closing {
                return Some(Break::Repeated { number: now });
            }
            if now > before + 1 {
                return Some(Break::Missing { before, now });
            }
        }
        // Of two reports of one day that nobody numbers, none need follow the other.
        let same_day = next.opening_day.is_some() && next.opening_day == self.day;
        if self.number.is_none() && same_day {
            return None;
        }
        match (self.closing, next.opening) {
            (Some(closed), Some(opened)) if closed != opened => {
                Some(Break::Balance { closed, opened })
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::statement::Sequence;

    fn statement(number: u64, opening: i64, closing: i64) -> Summary {
        Summary {
            account: "A".to_owned(),
            currency: None,
            opening: Some(opening),
            closing: Some(closing),
            entries: 0,
            credits: 0,
            debits: 0,
            consistent: Some(true),
            difference: None,
            deviations: Vec::new(),
            deviation_count: 0,
            not_booked: 0,
            id: String::new(),
            sequence: Some(Sequence { number, page: None }),
            opening_date: None,
            closing_date: None,
        }
    }

    #[test]
    fn each_begins_where_the_one_before_ended() {
        let mut chain = Chain::default();
        for (next, found) in [
            (statement(7, 0, 5), None),
            (statement(8, 5, 9), None),
            (statement(8, 5, 9), Some(Break::Repeated { number: 8 })),
            (
                statement(9, 10, 12),
                Some(Break::Balance {
                    closed: 9,
                    opened: 10,
                }),
            ),
            (
                statement(12, 12, 13),
                Some(Break::Missing { before: 9, now: 12 }),
            ),
            (statement(1, 13, 13), None),
        ] {
            assert_eq!(chain.follow(&next), found);
        }
    }
}
