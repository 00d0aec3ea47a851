//! What a payment asks for: of the store, measured; of everything else, counted or estimated.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, de::Error};
use serde_json::value::RawValue;

use super::{amount::Count, meter::Meter};

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
    /// What the choices need to know.
    pub choice: ChoiceFacts,
}

/// The store's operations for one payment, as a test measured them.
#[derive(Clone, Debug, Deserialize)]
pub struct Measured {
    /// Of what kind of payment.
    pub payment: String,
    operations: Vec<Operation>,
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

impl Measured {
    /// The capacity that a payment consumes, all of it on the duty of `records`.
    #[must_use]
    pub fn uses(&self) -> Vec<Use> {
        let units = |meter, of: fn(&Operation) -> Count| Use {
            component: RECORDS.to_owned(),
            meter,
            count: self.operations.iter().map(of).sum(),
            a_second: None,
            how: How::Measured,
            why: self.payment.clone(),
        };
        vec![
            units(Meter::ReadRequest, |it| it.read_request_units),
            units(Meter::WriteRequest, |it| it.write_request_units),
        ]
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
