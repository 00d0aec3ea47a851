//! What the role has asked of AWS, told in its log: calls, items, bytes and capacity by component, tenant and
//! operation, for a sum over the log to charge to whom it belongs.
//!
//! A line tells the sums of [`EVERY`] invocations of this container, because a line for each would cost more than
//! a hundredth of a payment; what a container asked for since its last line goes with it, which is below a
//! hundredth of what a busy one does.

use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering},
};

use lombard_aws::meter::{By, Meter, Sum};
use serde::Serialize;
use tracing::info;

/// Invocations to a line.
const EVERY: u32 = 100;

/// See the module.
pub struct Tab {
    meter: Arc<Meter>,
    invocations: AtomicU32,
}

/// One sum, as it is told.
#[derive(Serialize)]
struct Told<'a> {
    #[serde(flatten)]
    by: &'a By,
    #[serde(flatten)]
    sum: Sum,
}

impl Tab {
    pub fn new(meter: Arc<Meter>) -> Self {
        let invocations = AtomicU32::new(0);
        Self { meter, invocations }
    }

    /// An invocation has ended.
    pub fn invoked(&self) {
        let before = self.invocations.fetch_add(1, Ordering::Relaxed);
        if let Some(sums) = (before % EVERY == EVERY - 1).then(|| self.line()) {
            info!(invocations = EVERY, sums, "metered");
        }
    }

    /// The sums since the last one.
    fn line(&self) -> String {
        let sums = self.meter.take();
        let told: Vec<_> = { sums.iter() }
            .map(|(by, sum)| Told { by, sum: *sum })
            .collect();
        // Made of names and numbers, which cannot fail.
        serde_json::to_string(&told).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use lombard_aws::meter::{Ended, Operation, Subject};
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn a_line_tells_what_was_asked_for_since_the_last() {
        let tab = Tab::new(Arc::default());
        let count = |bytes| {
            let subject = Subject::default();
            let of = Operation::of("PutRecords", subject, Ended::Done, 3, bytes);
            tab.meter.count(of);
        };
        count(100);
        count(50);
        let line: Value = serde_json::from_str(&tab.line()).expect("JSON");
        let wanted = json!([{
            "component": "other", "tenant": null, "name": "PutRecords", "ended": "done",
            "calls": 2, "items": 6, "bytes": 150, "read_units": "0", "write_units": "0",
        }]);
        assert_eq!(line, wanted);
        assert_eq!(tab.line(), "[]");
    }
}
