//! What is remembered of one subject, and what it says of a payment.
//!
//! **Bounds.** About 250 bytes for a subject that was just met; at most [`BYTES_MAX`] encoded,
//! whatever happens to it.

use super::{
    amounts::Amounts,
    catalogue::Stat,
    distinct::Distinct,
    event::{Event, Kind, Outcome},
    outcomes::Outcomes,
    place::Whereabouts,
    tiles::{Tiles, window},
};

/// How many of a subject's newest payments are remembered, to know a repeat by.
pub const REPEATS_SEEN: usize = 8;
/// No encoded profile is longer.
pub const BYTES_MAX: usize = 2048;
/// From this many times the usual on, an amount counts as unusual.
pub const UNUSUAL_TIMES: f64 = 3.0;
/// Before this hour it is night.
const NIGHT_ENDS: u32 = 7;

/// See the module.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Profile {
    pub(super) tiles: Tiles,
    pub(super) amounts: Amounts,
    pub(super) others: Distinct,
    pub(super) whereabouts: Whereabouts,
    pub(super) outcomes: Outcomes,
    /// The first payment, in seconds; 0 before it.
    pub(super) first: u32,
    /// How many payments were made at night and at weekends.
    pub(super) nights: u32,
    pub(super) weekends: u32,
    /// Hashes of the newest payments' ids, the newest last; 0 where there is none yet.
    pub(super) newest: [u32; REPEATS_SEEN],
}

/// The hour of a moment in UTC.
#[must_use]
pub const fn hour(at: u32) -> u32 {
    at / window::HOUR % 24
}

/// The day of the week of a moment in UTC, 0 for Monday.
#[must_use]
pub const fn weekday(at: u32) -> u32 {
    // 1 January 1970 was a Thursday.
    (at / window::DAY + 3) % 7
}

/// Whether a moment is at night, before seven in UTC.
#[must_use]
pub const fn is_night(at: u32) -> bool {
    hour(at) < NIGHT_ENDS
}

/// Whether a moment is on a Saturday or a Sunday in UTC.
#[must_use]
pub const fn is_weekend(at: u32) -> bool {
    weekday(at) >= 5
}

impl Profile {
    /// Takes in a payment that names this subject. Answers whether it was new: a repeat of one
    /// of the last [`REPEATS_SEEN`] changes nothing.
    pub fn observe(&mut self, event: &Event, kind: Kind) -> bool {
        let id = short(event.id);
        if self.newest.contains(&id) {
            return false;
        }
        self.newest.rotate_left(1);
        self.newest[REPEATS_SEEN - 1] = id;
        let at = event.seconds();
        self.first = if self.first == 0 {
            at
        } else {
            self.first.min(at)
        };
        self.nights += u32::from(is_night(at));
        self.weekends += u32::from(is_weekend(at));
        self.tiles.add(at, event.amount);
        self.amounts.add(event.amount);
        if let Some(other) = other(event, kind) {
            self.others.see(at, other);
        }
        if let Some(place) = event.place {
            self.whereabouts.see(at, place);
        }
        true
    }

    /// Takes in what became of a payment that named this subject.
    pub fn learn(&mut self, outcome: &Outcome) {
        let at = outcome.event.seconds();
        self.outcomes.add(at, outcome.fraud, outcome.times_typical);
    }

    /// Takes in what became of a payment that was told as genuine before.
    pub fn correct(&mut self, outcome: &Outcome) {
        self.outcomes.correct(outcome.event.seconds());
        self.learn(outcome);
    }

    /// The newest payment, in seconds; 0 before the first.
    #[must_use]
    pub const fn last_seen(&self) -> u32 {
        self.tiles.newest
    }

    /// How many times this subject's usual amount a payment is.
    #[must_use]
    #[allow(clippy::cast_precision_loss)] // A feature, not a balance.
    pub fn times_typical(&self, amount: u64) -> Option<f64> {
        self.amounts.median().map(|usual| amount as f64 / usual)
    }

    /// Where the subject was last, and the journey from there.
    #[must_use]
    pub const fn whereabouts(&self) -> &Whereabouts {
        &self.whereabouts
    }

    /// Writes what this subject's past says of a payment, by [`Stat`]. `out` holds "absent" for
    /// what cannot be said.
    pub fn describe(&self, event: &Event, kind: Kind, out: &mut [f64]) {
        let now = event.seconds();
        let mut put = |stat: Stat, value: f64| out[stat as usize] = value;
        self.windows(now, &mut put);
        let count = self.amounts.count();
        if count > 0 {
            let seen = f64::from(count);
            put(
                Stat::SinceLastS,
                f64::from(now.saturating_sub(self.tiles.newest)),
            );
            let age = f64::from(now.saturating_sub(self.first)) / f64::from(window::DAY);
            put(Stat::AgeDays, age);
            put(Stat::NightShare, f64::from(self.nights) / seen);
            put(Stat::WeekendShare, f64::from(self.weekends) / seen);
        }
        put(Stat::Distinct2d, self.others.day(now));
        put(Stat::Distinct60d, self.others.month(now));
        if let Some(other) = other(event, kind) {
            put(
                Stat::NewOther,
                f64::from(u8::from(self.others.is_new(now, other))),
            );
        }
        self.usual(event, now, &mut put);
        self.fate(now, &mut put);
    }

    fn windows(&self, now: u32, put: &mut impl FnMut(Stat, f64)) {
        let mean = |sum: f64, count: f64| if count > 0.0 { sum / count } else { f64::NAN };
        let within = |reach| self.tiles.within(now, reach);
        let hour = within(window::HOUR);
        let (day, week, month) = (
            within(window::DAY),
            within(window::WEEK),
            within(window::MONTH),
        );
        put(Stat::Count1m, within(window::MINUTE).count);
        put(Stat::Count1h, hour.count);
        put(Stat::Count1d, day.count);
        put(Stat::Count7d, week.count);
        put(Stat::Count30d, month.count);
        put(Stat::Sum1h, hour.sum);
        put(Stat::Sum1d, day.sum);
        put(Stat::Sum7d, week.sum);
        put(Stat::Sum30d, month.sum);
        put(Stat::Mean1d, mean(day.sum, day.count));
        put(Stat::Mean7d, mean(week.sum, week.count));
        put(Stat::Mean30d, mean(month.sum, month.count));
        put(Stat::Max1d, day.max);
        put(Stat::Max7d, week.max);
        put(Stat::Max30d, month.max);
        if month.count > 0.0 {
            put(Stat::Velocity, day.count / (month.count / 30.0));
        }
    }

    #[allow(clippy::cast_precision_loss)] // Features, not balances.
    fn usual(&self, event: &Event, now: u32, put: &mut impl FnMut(Stat, f64)) {
        let amount = event.amount;
        if let Some(mean) = self.amounts.mean() {
            put(Stat::TimesMean, amount as f64 / mean.max(1.0));
        }
        if let Some(deviations) = self.amounts.deviations(amount) {
            put(Stat::ZScore, deviations);
        }
        if let Some(rank) = self.amounts.rank(amount) {
            put(Stat::Rank, rank);
        }
        if let Some(usual) = self.amounts.median() {
            put(Stat::Typical, usual);
            put(Stat::TimesTypical, amount as f64 / usual);
            let limit = UNUSUAL_TIMES * usual;
            let from = now.saturating_sub(window::FORTNIGHT);
            let (found, oldest) = self.tiles.above(from, limit);
            put(Stat::Unusual14d, f64::from(found));
            if let Some(oldest) = oldest {
                let days = f64::from(now.saturating_sub(oldest)) / f64::from(window::DAY);
                put(Stat::UnusualDays, days);
            }
            let (found, _) = self.tiles.above(now.saturating_sub(window::MONTH), limit);
            put(Stat::Unusual30d, f64::from(found));
            for (stat, reach) in [
                (Stat::MaxTypical7d, window::WEEK),
                (Stat::MaxTypical14d, window::FORTNIGHT),
            ] {
                put(stat, self.tiles.within(now, reach).max / usual);
            }
        }
    }

    fn fate(&self, now: u32, put: &mut impl FnMut(Stat, f64)) {
        if self.outcomes.is_empty() {
            return;
        }
        let known = self.outcomes.standing(now);
        put(Stat::Known30d, known.known_30d);
        put(Stat::Frauds14d, known.frauds_14d);
        put(Stat::Frauds30d, known.frauds_30d);
        put(Stat::PlainFrauds30d, known.plain_30d);
        put(Stat::FraudRate14d, known.rate_14d);
        put(Stat::FraudRate30d, known.rate_30d);
        put(Stat::FraudRun, known.run);
        let mut maybe = |stat, days: Option<f64>| put(stat, days.unwrap_or(f64::NAN));
        maybe(Stat::FraudRunDays, known.run_days);
        maybe(Stat::FraudDays, known.fraud_days);
        maybe(Stat::PlainFraudDays, known.plain_days);
        maybe(Stat::GenuineDays, known.genuine_days);
    }
}

/// Whom a subject meets in a payment: a payer meets payees and terminals, all others meet payers.
fn other(event: &Event, kind: Kind) -> Option<u64> {
    let first = |kinds: &[Kind]| kinds.iter().find_map(|kind| event.subject(*kind));
    let met = match kind {
        Kind::Customer | Kind::Account | Kind::Card => first(&[Kind::Payee, Kind::Terminal]),
        Kind::Payee | Kind::Device | Kind::Terminal | Kind::Ip => {
            first(&[Kind::Customer, Kind::Card, Kind::Account])
        }
    };
    met.map(|subject| subject.0)
}

/// The low half of a hash of an id; never 0.
#[allow(clippy::cast_possible_truncation)] // The low half.
const fn short(id: u64) -> u32 {
    super::event::mix(id) as u32 | 1
}
