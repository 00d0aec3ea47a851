//! The choices side by side, at each order of volume.

use super::{
    amount::Femto,
    bill::{Bill, NoPrice, Weather, estimate},
    choices::{Choices, Compute, Database, Entry, Orchestration},
    prices::PriceTable,
    usage::{Around, Measured},
};

/// Payments a month, from a pilot to a country.
pub const VOLUMES: [u64; 6] = [
    10_000,
    100_000,
    1_000_000,
    10_000_000,
    100_000_000,
    1_000_000_000,
];

/// What is compared: a name, and what is chosen. The first is what is deployed; each other one
/// differs from it in one thing, and the last takes what is cheapest at the highest volume.
pub const ALTERNATIVES: [(&str, Choices); 8] = {
    const DEPLOYED: Choices = Choices {
        entry: Entry::Rest,
        compute: Compute::Arm,
        database: Database::OnDemand,
        orchestration: Orchestration::Express,
    };
    [
        ("as deployed", DEPLOYED),
        (
            "no workflow",
            Choices {
                orchestration: Orchestration::None,
                ..DEPLOYED
            },
        ),
        (
            "Standard workflow",
            Choices {
                orchestration: Orchestration::Standard,
                ..DEPLOYED
            },
        ),
        (
            "provisioned tables",
            Choices {
                database: Database::Provisioned,
                ..DEPLOYED
            },
        ),
        (
            "Lambda on x86",
            Choices {
                compute: Compute::X86,
                ..DEPLOYED
            },
        ),
        (
            "Fargate tasks",
            Choices {
                compute: Compute::Tasks,
                ..DEPLOYED
            },
        ),
        (
            "HTTP API, no firewall",
            Choices {
                entry: Entry::Http,
                ..DEPLOYED
            },
        ),
        (
            "balancer, tasks, provisioned, no workflow",
            Choices {
                entry: Entry::Balancer,
                compute: Compute::Tasks,
                database: Database::Provisioned,
                orchestration: Orchestration::None,
            },
        ),
    ]
};

/// One alternative at each volume.
#[derive(Clone, Debug)]
pub struct Row {
    /// What it is called.
    pub name: &'static str,
    /// Its bills, in the order of [`VOLUMES`].
    pub bills: Vec<Bill>,
}

impl Row {
    /// What a payment costs at each volume, with what is there anyway.
    pub fn all_in(&self) -> impl Iterator<Item = Femto> {
        self.bills.iter().map(Bill::all_in)
    }
}

/// Every alternative at every volume, on an ordinary day.
///
/// # Errors
/// [`NoPrice`] when the table lacks one that is needed.
pub fn matrix(
    prices: &PriceTable,
    measured: &Measured,
    around: &Around,
) -> Result<Vec<Row>, NoPrice> {
    let row = |(name, choices)| {
        let bill = |volume| estimate(prices, measured, around, choices, volume, Weather::Ordinary);
        let bills = VOLUMES.into_iter().map(bill).collect::<Result<_, _>>()?;
        Ok(Row { name, bills })
    };
    ALTERNATIVES.into_iter().map(row).collect()
}
