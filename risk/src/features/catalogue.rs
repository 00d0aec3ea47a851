//! The catalogue: every feature by its name, what it means, its type, and what a rule reads when
//! there is nothing to say. Rules are typed against it, models name their inputs by it, and
//! `docs/risk-features.md` is written from it.
//!
//! **Shape.** First what the payment itself says, then [`Stat`] for each kind of subject
//! (`payee_count_1h`), then [`Link`] for each pair (`customer_payee_count`). A vector has one
//! place for each, in this order; the order may grow at ends of the lists only in a new version
//! of the encoded vector, so vectors carry [`VERSION`].

use std::{collections::HashMap, sync::LazyLock};

use super::{event::Kind, pair::Pair};

/// The version of the catalogue's order and meanings.
pub const VERSION: u32 = 1;

/// What a feature is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Type {
    /// A whole number. Amounts are minor units.
    Int,
    /// A real number.
    Real,
    /// Yes or no.
    Flag,
}

impl Type {
    /// Its name in CEL.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Int => "int",
            Self::Real => "double",
            Self::Flag => "bool",
        }
    }
}

/// One feature.
#[derive(Clone, Debug)]
pub struct Feature {
    /// As rules and models name it.
    pub name: String,
    /// What it is.
    pub of: Type,
    /// What a rule reads when there is nothing to say; models see that it is missing.
    pub absent: f64,
    /// In words.
    pub text: String,
}

/// A long time, in whatever unit: what a rule reads of something that never was.
const NEVER: f64 = 1e9;

macro_rules! stats {
    ($(#[$doc:meta])* $name:ident: $($variant:ident $text:literal $type:ident $absent:expr, $words:literal;)*) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum $name { $(#[doc = $words] $variant),* }

        impl $name {
            /// Name, type, absent value and meaning of each, in order.
            const TABLE: &[(&'static str, Type, f64, &'static str)] =
                &[$(($text, Type::$type, $absent, $words)),*];
            /// How many there are.
            pub const COUNT: usize = Self::TABLE.len();
        }
    };
}

stats! {
    /// What the payment itself says.
    Own:
    Amount "amount" Int 0.0, "how much, in minor units";
    Hour "hour" Int 0.0, "hour of the day, 0 to 23, UTC";
    Weekday "weekday" Int 0.0, "day of the week, 0 for Monday, UTC";
    Night "night" Flag 0.0, "before seven in the morning, UTC";
    Weekend "weekend" Flag 0.0, "on a Saturday or a Sunday, UTC";
    RoundAmount "round_amount" Flag 0.0, "a multiple of ten major units";
    PayeeCheck "payee_check" Int 0.0, "Confirmation of Payee: 0 match, 1 close match, 2 unavailable, 3 no match";
    Screening "screening" Int 0.0, "nearest name on a sanctions list, in per cent";
    DistanceKm "distance_km" Real 0.0, "kilometres from where the customer last paid";
    SpeedKmh "speed_kmh" Real 0.0, "speed at which the customer would have travelled, km/h";
    ImpossibleTravel "impossible_travel" Flag 0.0, "further than 50 km and faster than 1000 km/h";
    NewPayee "new_payee" Flag 0.0, "the customer or the account never paid this payee before";
}

stats! {
    /// What a subject's past says.
    Stat:
    Count1m "count_1m" Int 0.0, "payments in the last minute";
    Count1h "count_1h" Int 0.0, "payments in the last hour";
    Count1d "count_1d" Int 0.0, "payments in the last 24 hours";
    Count7d "count_7d" Int 0.0, "payments in the last 7 days";
    Count30d "count_30d" Int 0.0, "payments in the last 30 days";
    Sum1h "sum_1h" Int 0.0, "minor units in the last hour";
    Sum1d "sum_1d" Int 0.0, "minor units in the last 24 hours";
    Sum7d "sum_7d" Int 0.0, "minor units in the last 7 days";
    Sum30d "sum_30d" Int 0.0, "minor units in the last 30 days";
    Mean1d "mean_1d" Real 0.0, "mean amount of the last 24 hours, in minor units";
    Mean7d "mean_7d" Real 0.0, "mean amount of the last 7 days, in minor units";
    Mean30d "mean_30d" Real 0.0, "mean amount of the last 30 days, in minor units";
    Max1d "max_1d" Int 0.0, "greatest amount of the last 24 hours, in minor units";
    Max7d "max_7d" Int 0.0, "greatest amount of the last 7 days, in minor units";
    Max30d "max_30d" Int 0.0, "greatest amount of the last 30 days, in minor units";
    Velocity "velocity" Real 0.0, "payments of the last 24 hours, in multiples of the daily rate of 30 days";
    SinceLastS "since_last_s" Int NEVER, "seconds since the last payment";
    AgeDays "age_days" Real 0.0, "days since the first payment";
    NightShare "night_share" Real 0.0, "share of payments made at night";
    WeekendShare "weekend_share" Real 0.0, "share of payments made at weekends";
    Distinct2d "distinct_2d" Int 0.0, "different others met today and yesterday: payees or terminals of a payer, payers of anything else";
    Distinct60d "distinct_60d" Int 0.0, "different others met in this span of 30 days and the one before";
    NewOther "new_other" Flag 0.0, "the other of this payment was surely not met in 30 to 60 days";
    TimesMean "times_mean" Real 1.0, "the amount in multiples of the mean of all history";
    ZScore "z_score" Real 0.0, "standard deviations from the mean of all history";
    Rank "rank" Real 0.5, "share of all history below the amount";
    Typical "typical" Real 0.0, "median amount of all history, in minor units";
    TimesTypical "times_typical" Real 1.0, "the amount in multiples of the median of all history";
    Unusual14d "unusual_14d" Int 0.0, "stretches of time in 14 days with an amount over 3 times the median";
    UnusualDays "unusual_days" Real NEVER, "days since the first of those";
    Unusual30d "unusual_30d" Int 0.0, "stretches of time in 30 days with an amount over 3 times the median";
    MaxTypical7d "max_times_typical_7d" Real 1.0, "greatest amount of 7 days in multiples of the median";
    MaxTypical14d "max_times_typical_14d" Real 1.0, "greatest amount of 14 days in multiples of the median";
    Known30d "known_30d" Int 0.0, "payments of the last 30 days whose outcome is known";
    Frauds14d "frauds_14d" Int 0.0, "known frauds among the payments of the last 14 days";
    Frauds30d "frauds_30d" Int 0.0, "known frauds among the payments of the last 30 days";
    PlainFrauds30d "plain_frauds_30d" Int 0.0, "known frauds of an amount usual for their payer, 30 days";
    FraudRate14d "fraud_rate_14d" Real 0.0, "smoothed share of frauds among known outcomes of 14 days";
    FraudRate30d "fraud_rate_30d" Real 0.0, "smoothed share of frauds among known outcomes of 30 days";
    FraudRun "fraud_run" Int 0.0, "plain frauds in a row at the end of the known outcomes";
    FraudRunDays "fraud_run_days" Real NEVER, "days since the first of that row";
    FraudDays "fraud_days" Real NEVER, "days since the last known fraud";
    PlainFraudDays "plain_fraud_days" Real NEVER, "days since the last known plain fraud";
    GenuineDays "genuine_days" Real NEVER, "days since the last payment known to be genuine";
}

stats! {
    /// What a pair's past says.
    Link:
    Count "count" Int 0.0, "payments so far";
    Today "sum_today" Int 0.0, "minor units so far today (UTC)";
    SinceLast "since_last_s" Int NEVER, "seconds since the last";
    Age "age_days" Real 0.0, "days since the first";
}

/// How many features there are.
pub const CATALOGUE_LEN: usize =
    Own::COUNT + Kind::ALL.len() * Stat::COUNT + Pair::ALL.len() * Link::COUNT;

/// Where the features of a kind of subject begin.
#[must_use]
pub const fn of_kind(kind: Kind) -> usize {
    Own::COUNT + kind as usize * Stat::COUNT
}

/// Where the features of a pair begin.
#[must_use]
pub const fn of_pair(pair: Pair) -> usize {
    Own::COUNT + Kind::ALL.len() * Stat::COUNT + pair as usize * Link::COUNT
}

static CATALOGUE: LazyLock<Vec<Feature>> = LazyLock::new(|| {
    let mut features = Vec::with_capacity(CATALOGUE_LEN);
    let mut add = |of: &str, table: &[(&str, Type, f64, &str)]| {
        for (name, kind, absent, words) in table {
            let (name, text) = match of {
                "" => ((*name).to_owned(), (*words).to_owned()),
                of => (
                    format!("{of}_{name}"),
                    format!("{}: {words}", of.replace('_', " and ")),
                ),
            };
            let (of, absent) = (*kind, *absent);
            features.push(Feature {
                name,
                of,
                absent,
                text,
            });
        }
    };
    add("", Own::TABLE);
    Kind::ALL
        .iter()
        .for_each(|kind| add(kind.name(), Stat::TABLE));
    Pair::ALL
        .iter()
        .for_each(|pair| add(pair.name(), Link::TABLE));
    features
});

static PLACES: LazyLock<HashMap<&'static str, usize>> = LazyLock::new(|| {
    let names = CATALOGUE.iter().map(|feature| feature.name.as_str());
    names.zip(0..).collect()
});

/// All features, in the order of a vector.
#[must_use]
pub fn all() -> &'static [Feature] {
    &CATALOGUE
}

/// The place of a feature in a vector.
#[must_use]
pub fn place(name: &str) -> Option<usize> {
    PLACES.get(name).copied()
}

/// The names nearest to one that is not there, for whoever mistyped it.
#[must_use]
pub fn nearest(name: &str) -> Vec<&'static str> {
    let mut ranked: Vec<(usize, &str)> = CATALOGUE
        .iter()
        .map(|feature| {
            (
                crate::text::edits(name, &feature.name),
                feature.name.as_str(),
            )
        })
        .filter(|(edits, _)| *edits <= 1 + name.len() / 3)
        .collect();
    ranked.sort_unstable();
    ranked.into_iter().take(3).map(|(_, name)| name).collect()
}

/// The catalogue as a page for people.
#[must_use]
pub fn page() -> String {
    let mut page = String::from(
        "# Features\n\nWritten by a test from the catalogue in `risk/src/features/catalogue.rs`. Rules may use every name; models name\n\
         their inputs by them. `absent` is what a rule reads when nothing is known. Windows slide; the bound of their error is in\n\
         `risk/src/features/tiles.rs` and `distinct.rs`.\n",
    );
    let mut section = |title: &str, prefix: &str, table: &[(&str, Type, f64, &str)]| {
        page += &format!("\n## {title}\n\n| name | type | absent | meaning |\n|---|---|---|---|\n");
        for (name, of, absent, words) in table {
            page += &format!(
                "| `{prefix}{name}` | {} | {absent} | {words} |\n",
                of.name()
            );
        }
    };
    section("The payment itself", "", Own::TABLE);
    section(
        "A subject: `customer_`, `account_`, `payee_`, `device_`, `terminal_`, `card_` or `ip_` before",
        "…_",
        Stat::TABLE,
    );
    section(
        "A pair: `customer_payee_`, `account_payee_`, `card_terminal_`, `customer_device_` or `customer_ip_` before",
        "…_",
        Link::TABLE,
    );
    page
}
