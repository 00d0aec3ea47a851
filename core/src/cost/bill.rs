//! A month's bill for so many payments, line by line.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{
    HOURS, SECONDS,
    amount::{Count, Femto},
    choices::{Choices, Compute, Database, Entry},
    meter::Meter,
    prices::PriceTable,
    usage::{Around, Measured, RECORDS, Use},
};

/// How much goes wrong.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Weather {
    /// Nothing: a straight-through payment.
    Calm,
    /// What goes wrong on an ordinary day.
    #[default]
    Ordinary,
    /// Every caller asks again three times, and the rail is silent.
    Storm,
}

/// What one component pays for one kind of thing in the month.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Whose.
    pub component: String,
    /// What.
    pub meter: Meter,
    /// How many, for one payment.
    pub per_payment: Count,
    /// What they cost in the month.
    pub month: Femto,
}

/// See the module.
#[derive(Clone, Debug)]
pub struct Bill {
    /// Payments in the month.
    pub volume: u64,
    /// What was chosen.
    pub choices: Choices,
    /// What grows with the number of payments.
    pub lines: Vec<Line>,
    /// What is there anyway, in the month.
    pub fixed: Femto,
    /// How many of a million payments fail.
    pub failing: u64,
}

/// A thing is asked for that the price table has no price of.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the price table has no price of {0}")]
pub struct NoPrice(String);

/// What `volume` payments in a month cost.
///
/// # Errors
/// [`NoPrice`] when the table lacks one that is needed.
pub fn estimate(
    prices: &PriceTable,
    measured: &Measured,
    around: &Around,
    choices: Choices,
    volume: u64,
    weather: Weather,
) -> Result<Bill, NoPrice> {
    let mut month = Month {
        volume,
        turns: around.turns.of(volume),
        choices,
        asked: BTreeMap::new(),
    };
    for one in measured.uses().iter().chain(&around.uses) {
        month.ask(one, Count::ONE);
    }
    for again in &around.again {
        let times = match weather {
            Weather::Calm => 0,
            Weather::Ordinary => again.ordinary,
            Weather::Storm => again.storm,
        };
        for one in &again.uses {
            month.ask(one, Count::in_a_million(times));
        }
    }
    month.ask_for_capacity(around);
    let lines = month.priced(prices)?;
    let mut fixed = Femto::ZERO;
    for it in &around.fixed {
        if let Some(meter) = choices.charged(it.meter) {
            fixed = fixed + price(prices, meter, Count::whole(it.count))?;
        }
    }
    let failing = match weather {
        Weather::Calm => 0,
        Weather::Ordinary => around.failing.ordinary,
        Weather::Storm => around.failing.storm,
    };
    Ok(Bill {
        volume,
        choices,
        lines,
        fixed,
        failing,
    })
}

/// Everything that a month's payments ask for, added up.
struct Month {
    volume: u64,
    /// Turns of the log.
    turns: Count,
    choices: Choices,
    asked: BTreeMap<(String, Meter), Count>,
}

impl Month {
    fn ask(&mut self, one: &Use, times: Count) {
        let Some(meter) = self.choices.charged(one.meter) else {
            return;
        };
        let own = Count::whole(self.volume);
        let turns = match one.a_second {
            None if one.each_turn => self.turns,
            None => own,
            Some(a_second) => own.min(a_second.times(SECONDS)),
        };
        let many = one.count.by(turns).by(times);
        self.add(&one.component, meter, many);
    }

    fn add(&mut self, component: &str, meter: Meter, many: Count) {
        let sum = self.asked.entry((component.to_owned(), meter)).or_default();
        *sum = *sum + many;
    }

    /// What is paid for by the hour, for choices that are.
    fn ask_for_capacity(&mut self, around: &Around) {
        let facts = &around.choice;
        if self.choices.entry == Entry::Balancer {
            self.add("entry", Meter::LoadBalancerHour, Count::whole(HOURS));
            let units = facts.balanced_gb.times(self.volume);
            self.add("entry", Meter::LoadBalancerUnit, units);
        }
        if self.choices.compute == Compute::Tasks {
            // Milliseconds of processors, over the share of them that is used, in hours.
            let busy = self.volume * facts.task_cpu_ms * 100 / facts.task_used_percent;
            let hours = Count::whole(busy).shared_by(3_600_000);
            let least = Count::whole(facts.tasks_least * HOURS).shared_by(2);
            let hours = hours.max(least);
            self.add("tasks", Meter::TaskCpuHour, hours);
            self.add("tasks", Meter::TaskGbHour, hours.times(2));
        }
        if self.choices.database == Database::Provisioned {
            let kinds = [
                (Meter::WriteRequest, Meter::WriteCapacityHour),
                (Meter::ReadRequest, Meter::ReadCapacityHour),
            ];
            for (by_request, by_hour) in kinds {
                let all = self.take(by_request);
                let used = SECONDS * facts.provisioned_used_percent;
                let capacity = all.times(100).shared_by(used).ceil();
                let capacity = capacity.max(facts.provisioned_least);
                self.add(RECORDS, by_hour, Count::whole(capacity * HOURS));
            }
        }
    }

    /// All that was asked of a kind, which is then no longer asked.
    fn take(&mut self, meter: Meter) -> Count {
        let sum = self.of(meter);
        self.asked.retain(|(_, other), _| *other != meter);
        sum
    }

    fn of(&self, meter: Meter) -> Count {
        let all = self.asked.iter().filter(|((_, other), _)| *other == meter);
        all.map(|(_, many)| *many).sum()
    }

    /// Tiers are the month's, not a component's: each pays its part of the whole.
    fn priced(&self, prices: &PriceTable) -> Result<Vec<Line>, NoPrice> {
        let mut lines = Vec::new();
        for ((component, meter), many) in &self.asked {
            let whole = self.of(*meter);
            lines.push(Line {
                component: component.clone(),
                meter: *meter,
                per_payment: many.shared_by(self.volume),
                month: price(prices, *meter, whole)?.portion(*many, whole),
            });
        }
        Ok(lines)
    }
}

fn price(prices: &PriceTable, meter: Meter, month: Count) -> Result<Femto, NoPrice> {
    let price = prices.get(meter).ok_or_else(|| NoPrice(meter.name()))?;
    Ok(price.of(month))
}

impl Bill {
    /// What grows with the number of payments, in the month.
    #[must_use]
    pub fn variable(&self) -> Femto {
        self.lines.iter().map(|line| line.month).sum()
    }

    /// What one payment more costs, in the mean of the month.
    #[must_use]
    pub fn per_payment(&self) -> Femto {
        self.variable().shared_by(self.volume)
    }

    /// The same, paid by those payments that did not fail.
    #[must_use]
    pub fn per_successful(&self) -> Femto {
        let fine = Count::in_a_million(1_000_000 - self.failing);
        self.per_payment().portion(Count::ONE, fine)
    }

    /// With what is there anyway.
    #[must_use]
    pub fn all_in(&self) -> Femto {
        (self.variable() + self.fixed).shared_by(self.volume)
    }

    /// What each component costs, for one payment.
    #[must_use]
    pub fn components(&self) -> BTreeMap<&str, Femto> {
        let mut sums: BTreeMap<&str, Femto> = BTreeMap::new();
        for line in &self.lines {
            let sum = sums.entry(&line.component).or_default();
            *sum = *sum + line.month;
        }
        for sum in sums.values_mut() {
            *sum = sum.shared_by(self.volume);
        }
        sums
    }

    /// How many of each thing, for one payment.
    #[must_use]
    pub fn operations(&self) -> BTreeMap<Meter, Count> {
        let mut sums: BTreeMap<Meter, Count> = BTreeMap::new();
        for line in &self.lines {
            let sum = sums.entry(line.meter).or_default();
            *sum = *sum + line.per_payment;
        }
        sums
    }
}
