//! The summaries and balances of an account record.

use super::{super::unit::whole, record::Record};

/// What an account record sums up.
#[derive(Default)]
pub struct Summaries {
    /// Of all amounts, for the control total.
    pub sum: i64,
    found: Vec<(u16, i64)>,
}

impl Summaries {
    /// Reads `type, amount, count, funds type` again and again; what the funds type adds is passed
    /// over. Returns what cannot be understood.
    pub fn read(&mut self, record: &Record) -> Vec<String> {
        let mut faults = Vec::new();
        let fields = record.from(3);
        let mut rest = fields.as_slice();
        while let [code, tail @ ..] = rest {
            let amount = tail.first().copied().unwrap_or_default();
            let funds = tail.get(2).copied().unwrap_or_default();
            let pairs = || {
                tail.get(3)
                    .and_then(|it| it.parse::<usize>().ok())
                    .unwrap_or(0)
            };
            let own = match funds {
                "V" | "v" => 2,
                "S" | "s" => 3,
                "D" | "d" => 1 + 2 * pairs().min(100),
                _ => 0,
            };
            rest = tail.get(3 + own..).unwrap_or_default();
            if code.is_empty() || amount.is_empty() {
                continue;
            }
            match (code.parse(), whole(amount)) {
                (Ok(code), Ok(units)) => {
                    self.sum = self.sum.saturating_add(units);
                    self.found.push((code, units));
                }
                _ => faults.push(format!("the summary {code:.10} cannot be understood")),
            }
        }
        faults
    }

    fn of(&self, code: u16) -> Option<i64> {
        self.found.iter().find(|it| it.0 == code).map(|it| it.1)
    }

    /// The opening and closing balance: of the ledger, or what is available where it has neither.
    pub fn balances(&self) -> Option<(Option<i64>, Option<i64>)> {
        let ledger = (self.of(10), self.of(15));
        let available = (self.of(40), self.of(45));
        match (ledger, available) {
            ((None, None), (None, None)) => None,
            ((None, None), available) => Some(available),
            (ledger, _) => Some(ledger),
        }
    }

    /// Holds the sums of all credits and debits against the lines.
    pub fn faults(&self, credits: i64, debits: i64) -> Vec<String> {
        let sums = [(100, "credits", credits), (400, "debits", debits)];
        let wrong = sums.into_iter().filter_map(|(code, what, found)| {
            let said = self.of(code)?.abs();
            let text = format!("{what} of {said} minor units are announced, the lines are {found}");
            (said != found).then_some(text)
        });
        wrong.collect()
    }
}
