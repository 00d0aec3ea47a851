//! What things cost: a table for one region, dated, each price with its source and how sure it is.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{
    amount::{Count, Femto},
    meter::Meter,
};

/// How sure a price is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sure {
    /// In AWS's price list for the region.
    List,
    /// On a page of AWS.
    Published,
    /// Derived, and to be confirmed before it is relied on.
    ToConfirm,
}

/// A price for the units up to a bound, of those that a month takes.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tier {
    /// The last unit that costs this; without end if `None`.
    up_to: Option<u64>,
    /// What one costs.
    each: Femto,
}

/// What one thing costs.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Price {
    /// Of what it is the price, in words.
    pub unit: String,
    tiers: Vec<Tier>,
    /// How sure it is.
    pub sure: Sure,
    /// Where it comes from.
    pub from: String,
}

impl Price {
    /// What so many in one month cost.
    #[must_use]
    pub fn of(&self, month: Count) -> Femto {
        let mut below = Count::default();
        let mut sum = Femto::ZERO;
        for tier in &self.tiers {
            let end = tier.up_to.map_or(month, Count::whole).min(month);
            sum = sum + tier.each.times(end.beyond(below));
            below = end.max(below);
        }
        sum
    }
}

/// The worth of the table's currency in ours.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Exchange {
    /// The currency of our answers.
    pub to: String,
    rate: Count,
    /// How sure the rate is.
    pub sure: Sure,
    /// Where it comes from.
    pub from: String,
}

/// A region's prices, in the currency of our answers.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "Written")]
pub struct PriceTable {
    /// The region's name at AWS.
    pub region: String,
    /// The day of which the prices are.
    pub dated: String,
    /// What they were converted by.
    pub exchange: Exchange,
    prices: BTreeMap<Meter, Price>,
}

/// The table as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    region: String,
    /// For the reader; what counts is `exchange`.
    #[serde(rename = "currency")]
    _currency: String,
    dated: String,
    exchange: Exchange,
    price: BTreeMap<Meter, Price>,
}

/// A table that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TableError {
    /// Its last tier ends, or its tiers do not grow.
    #[error("the tiers of {0} must grow, and the last must not end")]
    Tiers(String),
}

impl TryFrom<Written> for PriceTable {
    type Error = TableError;

    fn try_from(written: Written) -> Result<Self, TableError> {
        let rate = written.exchange.rate;
        let mut prices = written.price;
        for (meter, price) in &mut prices {
            let bounds: Vec<_> = price.tiers.iter().map(|tier| tier.up_to).collect();
            let ends = bounds.last().is_none_or(Option::is_some);
            let grow = bounds
                .windows(2)
                .all(|pair| pair[0].is_some_and(|low| pair[1].is_none_or(|high| low < high)));
            if ends || !grow {
                return Err(TableError::Tiers(meter.name()));
            }
            for tier in &mut price.tiers {
                tier.each = tier.each.converted(rate);
            }
        }
        Ok(Self {
            region: written.region,
            dated: written.dated,
            exchange: written.exchange,
            prices,
        })
    }
}

impl PriceTable {
    /// What a thing costs; `None` when the table does not say.
    #[must_use]
    pub fn get(&self, meter: Meter) -> Option<&Price> {
        self.prices.get(&meter)
    }

    /// Every price, by its name.
    pub fn iter(&self) -> impl Iterator<Item = (Meter, &Price)> {
        self.prices.iter().map(|(meter, price)| (*meter, price))
    }
}
