//! Counts every operation on AWS's services and what it consumed, by who asked for it and for what.
//!
//! **Shape.** An [`Operation`] is one call to AWS, retries apart, with the capacity that the answer
//! said was consumed and the [`Subject`] that the keys name. [`Meter`] sums them by component,
//! tenant and name; who must know each one (tests, the cost model) listens with
//! [`Meter::record`].
//!
//! **Bounds.** A refused call consumes capacity too, but its answer does not say how much; it is
//! counted as an operation without units. The sums are bounded by components times tenants.

use std::{collections::BTreeMap, fmt};

use lombard_core::store::Key;
use lombard_service::duty;
use parking_lot::Mutex;
use serde::Serialize;

/// Capacity units in thousandths, because DynamoDB counts halves and money is not far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Units(u64);

impl Units {
    /// From the number in an answer. Negative ones and no-numbers are none.
    #[must_use]
    pub fn told(units: f64) -> Self {
        // `as` saturates, and makes nothing of what is no number.
        Self((units * 1000.0).round() as u64)
    }

    /// In thousandths of a unit.
    #[must_use]
    pub const fn thousandths(self) -> u64 {
        self.0
    }

    const fn plus(self, other: Self) -> Self {
        Self(self.0 + other.0)
    }
}

impl fmt::Display for Units {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, rest) = (self.0 / 1000, self.0 % 1000);
        if rest == 0 {
            write!(f, "{whole}")
        } else {
            let text = format!("{rest:03}");
            write!(f, "{whole}.{}", text.trim_end_matches('0'))
        }
    }
}

impl Serialize for Units {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// What an operation was about, as far as its keys say.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Subject {
    /// The tenant's short id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tenant: Option<String>,
    /// The payment's id, when a single payment is among the keys.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub payment: Option<String>,
}

impl Subject {
    /// Of an operation on these keys: partitions are `tenant/id`, what belongs to no tenant has no
    /// slash.
    #[must_use]
    pub fn of<'a>(keys: impl IntoIterator<Item = &'a Key>) -> Self {
        let mut subject = Self::default();
        let mut several = false;
        for key in keys {
            let Some((tenant, id)) = key.partition().split_once('/') else {
                continue;
            };
            subject.tenant.get_or_insert_with(|| tenant.to_owned());
            if id.starts_with("pay_") {
                several |= subject.payment.as_deref().is_some_and(|other| other != id);
                subject.payment = Some(id.to_owned());
            }
        }
        if several {
            subject.payment = None;
        }
        subject
    }
}

/// How a call ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Ended {
    /// It was done.
    Done,
    /// A guard did not hold.
    Conflict,
    /// Another transaction was at one of the items.
    Contended,
    /// More was asked than the table or the account may give.
    Throttled,
    /// It is not known whether it was done.
    Unknown,
    /// It is not possible at all.
    Refused,
}

/// One call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Operation {
    /// On whose duty.
    pub component: &'static str,
    /// The operation's name in the API of its service.
    pub name: &'static str,
    /// What it was about.
    #[serde(flatten)]
    pub subject: Subject,
    /// How it ended.
    pub ended: Ended,
    /// How many items it named.
    pub items: usize,
    /// Bytes that it brought: to a stream, a bus, a queue, a bucket. None where capacity is charged instead.
    pub bytes: u64,
    /// Read request units.
    pub read_units: Units,
    /// Write request units, indexes included.
    pub write_units: Units,
}

impl Operation {
    /// On the duty of whoever asks, of a service that tells no capacity.
    #[must_use]
    pub fn of(
        name: &'static str,
        subject: Subject,
        ended: Ended,
        items: usize,
        bytes: usize,
    ) -> Self {
        Self {
            component: duty::current(),
            name,
            subject,
            ended,
            items,
            bytes: bytes as u64,
            read_units: Units::default(),
            write_units: Units::default(),
        }
    }
}

/// A sum of operations.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Sum {
    /// How many calls.
    pub calls: u64,
    /// How many items they named.
    pub items: u64,
    /// Bytes that they brought.
    pub bytes: u64,
    /// Read request units.
    pub read_units: Units,
    /// Write request units.
    pub write_units: Units,
}

/// By what sums are kept.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct By {
    /// On whose duty.
    pub component: &'static str,
    /// The tenant's short id; none for what belongs to no tenant.
    pub tenant: Option<String>,
    /// The operation's name.
    pub name: &'static str,
    /// How it ended.
    pub ended: Ended,
}

/// See the module.
#[derive(Debug, Default)]
pub struct Meter(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    sums: BTreeMap<By, Sum>,
    record: Option<Vec<Operation>>,
}

impl Meter {
    /// Counts one call.
    pub fn count(&self, operation: Operation) {
        let by = By {
            component: operation.component,
            tenant: operation.subject.tenant.clone(),
            name: operation.name,
            ended: operation.ended,
        };
        let mut state = self.0.lock();
        let sum = state.sums.entry(by).or_default();
        sum.calls += 1;
        sum.items += operation.items as u64;
        sum.bytes += operation.bytes;
        sum.read_units = sum.read_units.plus(operation.read_units);
        sum.write_units = sum.write_units.plus(operation.write_units);
        if let Some(record) = &mut state.record {
            record.push(operation);
        }
    }

    /// The sums since the last call, which begin anew: what a Lambda invocation logs at its end.
    #[must_use]
    pub fn take(&self) -> BTreeMap<By, Sum> {
        std::mem::take(&mut self.0.lock().sums)
    }

    /// The sums so far.
    #[must_use]
    pub fn sums(&self) -> BTreeMap<By, Sum> {
        self.0.lock().sums.clone()
    }

    /// Begins to keep each operation, and gives those that were kept before.
    pub fn record(&self) -> Vec<Operation> {
        self.0.lock().record.replace(Vec::new()).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_are_exact_in_halves() {
        for (told, shown) in [
            (0.0, "0"),
            (0.5, "0.5"),
            (1.0, "1"),
            (26.5, "26.5"),
            (-1.0, "0"),
            (f64::NAN, "0"),
        ] {
            assert_eq!(Units::told(told).to_string(), shown);
        }
    }

    #[test]
    fn the_keys_say_what_it_was_about() {
        let key = |partition: &str| Key::new(partition, "x");
        let of = |keys: &[Key]| {
            let subject = Subject::of(keys);
            (subject.tenant, subject.payment)
        };
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(of(&[key("cursor#funds#0000")]), (None, None));
        assert_eq!(of(&[key("t1/acc_1")]), (some("t1"), None));
        let one = [key("alias#x"), key("t1/acc_1"), key("t1/pay_1")];
        assert_eq!(of(&one), (some("t1"), some("pay_1")));
        let two = [key("t1/pay_1"), key("t1/pay_2")];
        assert_eq!(of(&two), (some("t1"), None));
    }
}
