//! What a payment asks for: of the store, measured; of everything else, counted or estimated.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, de::Error};
use serde_json::value::RawValue;

use super::{SECONDS, amount::Count, meter::Meter};

/// One kind of thing that a payment asks for, on whose duty.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Use {
    /// Whose.
    pub component: String,
    /// What.
    pub meter: Meter,
    /// How many for one payment, or for one turn of shared work.
    pub count: Count,
    /// How many turns of shared work there are in a second at the most; `None` if each payment asks
    /// for its own.
    #[serde(default)]
    pub a_second: Option<Count>,
    /// Whether it is asked for at each [turn](Turns) of the log.
    #[serde(default)]
    pub each_turn: bool,
    /// Where the count comes from.
    #[serde(default)]
    pub how: How,
    /// Why it is so many.
    #[serde(default)]
    pub why: String,
}

/// Where a count comes from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum How {
    /// It follows from the code or the templates.
    Exact,
    /// It was measured by a test.
    Measured,
    /// On the high side, until it is measured.
    #[default]
    Estimate,
}

/// What happens again when something goes wrong, and how often.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Again {
    /// What.
    pub name: String,
    /// Why it costs.
    pub why: String,
    /// In a million payments, on an ordinary day.
    pub ordinary: u64,
    /// In a million payments, in a storm of retries.
    pub storm: u64,
    /// What one time asks for.
    pub uses: Vec<Use>,
}

/// How many of a million payments fail.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Failing {
    /// On an ordinary day.
    pub ordinary: u64,
    /// In a storm.
    pub storm: u64,
}

/// What is there in a month, whether anybody pays or not.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fixed {
    /// What.
    pub meter: Meter,
    /// How many.
    pub count: u64,
    /// Why.
    pub why: String,
}

/// When the log is given its turn: when enough payments wait for it, or one has waited for long enough, or, under
/// load, at each look.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Turns {
    /// How many payments are enough.
    pub enough: u64,
    /// How long a payment waits for others, in seconds.
    pub waits_seconds: u64,
    /// The pause between looks under load, in seconds.
    pub look_seconds: u64,
}

impl Turns {
    /// How many turns there are in a month of so many payments that come evenly: never one without a
    /// payment.
    #[must_use]
    pub fn of(&self, volume: u64) -> Count {
        let within = |seconds| Count::whole(volume * seconds).shared_by(SECONDS);
        let gathered = Count::ONE + within(self.waits_seconds);
        let gathered = gathered.min(Count::whole(self.enough));
        Count::whole(volume).over(gathered.max(within(self.look_seconds)))
    }
}

/// What the choices need to know that are not charged by the request.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChoiceFacts {
    /// Of provisioned capacity, the share that is used in the mean.
    pub provisioned_used_percent: u64,
    /// The least capacity of a kind.
    pub provisioned_least: u64,
    /// Processor time of a payment, in milliseconds.
    pub task_cpu_ms: u64,
    /// Of a task's processor, the share that is used in the mean.
    pub task_used_percent: u64,
    /// The least number of tasks, of half a processor and a gigabyte.
    pub tasks_least: u64,
    /// Gigabytes that a load balancer carries for a payment.
    pub balanced_gb: Count,
    /// How many months records are kept.
    pub kept_months: u64,
}

/// Everything but the store's operations.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Around {
    /// What each payment asks for.
    #[serde(rename = "use")]
    pub uses: Vec<Use>,
    /// What it asks for again.
    pub again: Vec<Again>,
    /// How many fail.
    pub failing: Failing,
    /// What is there anyway.
    pub fixed: Vec<Fixed>,
    /// When the log is given its turn.
    pub turns: Turns,
    /// What the choices need to know.
    pub choice: ChoiceFacts,
}

/// The store's operations for one payment, as a test measured them.
#[derive(Clone, Debug, Deserialize)]
pub struct Measured {
    /// Of what kind of payment.
    pub payment: String,
    operations: Vec<Operation>,
    /// What turns of the log ask for, measured likewise.
    #[serde(skip)]
    turns: Vec<Turn>,
}

/// What one turn of the log asks for.
#[derive(Clone, Debug, Deserialize)]
pub struct Turn {
    /// For how many payments.
    payments: u64,
    #[serde(flatten, deserialize_with = "counts")]
    asked: BTreeMap<Meter, Count>,
}

#[derive(Clone, Debug, Deserialize)]
struct Operation {
    component: String,
    operation: String,
    calls: u64,
    #[serde(deserialize_with = "plain")]
    read_request_units: Count,
    #[serde(deserialize_with = "plain")]
    write_request_units: Count,
}

/// A JSON number as it is written.
fn plain<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Count, D::Error> {
    let raw = Box::<RawValue>::deserialize(deserializer)?;
    Count::parse(raw.get()).map_err(D::Error::custom)
}

/// JSON numbers by what they count.
fn counts<'de, D: Deserializer<'de>>(deserializer: D) -> Result<BTreeMap<Meter, Count>, D::Error> {
    let numbers = BTreeMap::<Meter, serde_json::Number>::deserialize(deserializer)?;
    let count = |(meter, number): (Meter, serde_json::Number)| {
        let count = Count::parse(&number.to_string()).map_err(D::Error::custom)?;
        Ok((meter, count))
    };
    numbers.into_iter().map(count).collect()
}

impl Measured {
    /// With what turns of the log ask for: a small one and a larger one, between which is a straight line.
    #[must_use]
    pub fn with_turns(self, turns: Vec<Turn>) -> Self {
        Self { turns, ..self }
    }

    /// The capacity that a payment consumes, all of it on the duty of `records`; and what the log's turns ask
    /// for, on the duty of `sequencer`.
    #[must_use]
    pub fn uses(&self) -> Vec<Use> {
        let measured = |component: &str, meter, count, each_turn| Use {
            component: component.to_owned(),
            meter,
            count,
            a_second: None,
            each_turn,
            how: How::Measured,
            why: self.payment.clone(),
        };
        let units = |meter, of: fn(&Operation) -> Count| {
            let count = self.operations.iter().map(of).sum();
            measured(RECORDS, meter, count, false)
        };
        let mut uses = vec![
            units(Meter::ReadRequest, |it| it.read_request_units),
            units(Meter::WriteRequest, |it| it.write_request_units),
        ];
        if let [small, .., large] = self.turns.as_slice() {
            for (meter, least) in &small.asked {
                let more = large.asked.get(meter).copied().unwrap_or_default();
                let apart = large.payments.saturating_sub(small.payments);
                let each = more.beyond(*least).shared_by(apart);
                let turn = least.beyond(each.times(small.payments));
                uses.push(measured(SEQUENCER, *meter, each, false));
                uses.push(measured(SEQUENCER, *meter, turn, true));
            }
        }
        uses
    }

    /// What each turn asks for, beside its payments and for each of them.
    pub fn turns(&self) -> impl Iterator<Item = (u64, &BTreeMap<Meter, Count>)> {
        self.turns.iter().map(|turn| (turn.payments, &turn.asked))
    }

    /// How often each operation is called, by its name.
    #[must_use]
    pub fn calls(&self) -> BTreeMap<&str, u64> {
        let mut calls = BTreeMap::new();
        for it in &self.operations {
            *calls.entry(it.operation.as_str()).or_default() += it.calls;
        }
        calls
    }

    /// Who consumes how much, reads and writes.
    pub fn consumers(&self) -> impl Iterator<Item = (&str, &str, Count, Count)> {
        self.operations.iter().map(|it| {
            let (read, write) = (it.read_request_units, it.write_request_units);
            (it.component.as_str(), it.operation.as_str(), read, write)
        })
    }
}

/// The component of the store's own operations.
pub const RECORDS: &str = "records";
/// The component of the log.
pub const SEQUENCER: &str = "sequencer";
