//! The protocol of the Fraud Detection Handbook: seven days to train on, seven days until labels
//! are known, seven days to test on, without the cards that are known as compromised by then.
//!
//! Everything here sees payments in the order of time and labels when their delay is over; the
//! column that says how the simulator made a fraud is not even read.

use std::collections::HashMap;

use lombard_core::time::Timestamp;

use crate::{
    features::{self, Event, Kind, Subject, Table, catalogue},
    metrics,
    model::{
        Scorer, scorer,
        train::{self, Settings, TrainError},
    },
};

/// A day, in seconds.
pub const DAY: u32 = 86_400;
/// Labels are known this many seconds after their payment.
pub const DELAY: u32 = 7 * DAY;
/// Days of training, of delay and of testing.
pub const WEEK: u32 = 7;
/// The first day of the data sets, in seconds since 1970: 2018-04-01.
pub const EPOCH: u32 = 1_522_540_800;

/// A payment of the data set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row {
    /// `TRANSACTION_ID`.
    pub id: u64,
    /// `TX_TIME_SECONDS`, since the first day.
    pub seconds: u32,
    /// `CUSTOMER_ID`; a customer has one card.
    pub customer: u64,
    /// `TERMINAL_ID`.
    pub terminal: u64,
    /// `TX_AMOUNT`, in minor units.
    pub amount: u64,
    /// `TX_FRAUD`.
    pub fraud: bool,
}

impl Row {
    /// The day since the first.
    #[must_use]
    pub const fn day(&self) -> u32 {
        self.seconds / DAY
    }

    /// The payment as risk sees it.
    #[must_use]
    pub fn event(&self) -> Event {
        let at = Timestamp::from_unix_ms(u64::from(EPOCH + self.seconds) * 1000);
        Event::new(self.id + 1, at, self.amount)
            .with(
                Kind::Customer,
                Subject::numbered(Kind::Customer, self.customer),
            )
            .with(
                Kind::Terminal,
                Subject::numbered(Kind::Terminal, self.terminal),
            )
    }
}

/// Replays the data set through the fold, and keeps the vectors of the days that are wanted.
///
/// `rows` are in the order of time. A label is learned when it is [`DELAY`] old, before any
/// payment of that second or later.
#[must_use]
pub fn replay(rows: &[Row], wanted: impl Fn(u32) -> bool, places: &[usize]) -> Table {
    let events = rows.iter().map(|row| (row.event(), row.fraud));
    features::replay(events, DELAY, |index, _| wanted(rows[index].day()), places)
}

/// One fold: the week to train on and the week to test on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fold {
    /// The first day of training.
    pub start: u32,
}

impl Fold {
    /// Whether a day is trained on.
    #[must_use]
    pub const fn trains(self, day: u32) -> bool {
        day >= self.start && day < self.start + WEEK
    }

    /// Whether a day is tested on.
    #[must_use]
    pub const fn tests(self, day: u32) -> bool {
        day >= self.start + 2 * WEEK && day < self.start + 3 * WEEK
    }

    /// For each card with a fraud since the first day of training, the day of its first.
    fn compromised(self, rows: &[Row]) -> HashMap<u64, u32> {
        let mut cards = HashMap::new();
        for row in rows
            .iter()
            .filter(|row| row.fraud && row.day() >= self.start)
        {
            cards.entry(row.customer).or_insert(row.day());
        }
        cards
    }

    /// The rows of the table to train on and to test on: of the test days without the cards of
    /// which a fraud is known by then, that is, eight days before or earlier.
    #[must_use]
    pub fn split(self, rows: &[Row], table: &Table) -> (Vec<usize>, Vec<usize>) {
        let compromised = self.compromised(rows);
        let day = |index: usize| rows[table.rows[index]].day();
        let all = 0..table.rows.len();
        let train = all
            .clone()
            .filter(|index| self.trains(day(*index)))
            .collect();
        let test = all.filter(|index| {
            let row = &rows[table.rows[*index]];
            let known = compromised.get(&row.customer);
            self.tests(row.day()) && known.is_none_or(|first| first + WEEK + 1 > row.day())
        });
        (train, test.collect())
    }
}

/// The features that the model reads, by the catalogue's names: what the amount is beside the
/// card's own history, and what became of earlier payments at the terminal. Chosen on weeks
/// before those that are tested on.
pub const FEATURES: &[&str] = &[
    "amount",
    "customer_times_typical",
    "customer_times_mean",
    "customer_z_score",
    "customer_rank",
    "customer_typical",
    "customer_unusual_14d",
    "customer_unusual_30d",
    "customer_unusual_days",
    "customer_max_times_typical_7d",
    "customer_max_times_typical_14d",
    "terminal_known_30d",
    "terminal_frauds_14d",
    "terminal_frauds_30d",
    "terminal_plain_frauds_30d",
    "terminal_fraud_rate_14d",
    "terminal_fraud_rate_30d",
    "terminal_fraud_run",
    "terminal_fraud_run_days",
    "terminal_fraud_days",
    "terminal_plain_fraud_days",
    "terminal_genuine_days",
];

/// The places of [`FEATURES`] in a vector.
///
/// # Panics
/// Never: a test holds the names to the catalogue.
#[must_use]
pub fn places() -> Vec<usize> {
    let place = |name: &&str| catalogue::place(name).expect("a name of the catalogue");
    FEATURES.iter().map(place).collect()
}

/// Learns from rows of a table.
///
/// # Errors
/// See [`TrainError`].
pub fn learn(
    rows: &[Row],
    table: &Table,
    indices: &[usize],
    settings: &Settings,
) -> Result<scorer::File, TrainError> {
    let fraud = |row: usize| rows[row].fraud;
    train::learn(("handbook", FEATURES), table, indices, fraud, settings)
}

/// The same, ready to score.
///
/// # Errors
/// See [`TrainError`].
pub fn train(
    rows: &[Row],
    table: &Table,
    indices: &[usize],
    settings: &Settings,
) -> Result<Scorer, TrainError> {
    let file = learn(rows, table, indices, settings)?;
    // What was just grown of these features reads them.
    file.scorer()
        .map_err(|error| TrainError::Failed(error.to_string()))
}

/// How good scores are.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Measured {
    /// See [`metrics::auc_roc`].
    pub auc_roc: f64,
    /// See [`metrics::average_precision`].
    pub average_precision: f64,
    /// See [`metrics::card_precision`], of 100 cards a day.
    pub card_precision_100: f64,
}

/// Measures the scores of rows of a table.
#[must_use]
pub fn measure(rows: &[Row], table: &Table, indices: &[usize], scores: &[f64]) -> Measured {
    let row = |index: &usize| &rows[table.rows[*index]];
    let labels: Vec<bool> = indices.iter().map(|index| row(index).fraud).collect();
    let scored = |(index, score): (&usize, &f64)| metrics::Scored {
        day: row(index).day(),
        card: row(index).customer,
        score: *score,
        fraud: row(index).fraud,
    };
    let scored: Vec<metrics::Scored> = indices.iter().zip(scores).map(scored).collect();
    Measured {
        auc_roc: metrics::auc_roc(scores, &labels),
        average_precision: metrics::average_precision(scores, &labels),
        card_precision_100: metrics::card_precision(&scored, 100),
    }
}
