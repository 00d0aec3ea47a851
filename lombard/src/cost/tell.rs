//! How costs are told: a table for people, JSON for scripts. Numbers in JSON are exact decimals.

use std::collections::BTreeMap;

use lombard_core::cost::{
    Bill, Count, Femto, Meter, PriceTable, TARGET,
    chart::{millionths, volume},
    matrix::{Row, VOLUMES},
    prices::Sure,
};
use serde::Serialize;

use super::Figures;
use crate::say;

/// What a script gets: see `docs/cost.md`.
#[derive(Serialize)]
struct Answer<'a> {
    currency: &'a str,
    volume: u64,
    /// One payment more, with what goes wrong.
    per_payment: Femto,
    per_1000: Femto,
    /// By component, for one payment; they add up to `per_payment`.
    components: BTreeMap<&'a str, Femto>,
    /// By thing that is counted, for one payment.
    operations: BTreeMap<Meter, Count>,
    /// One payment more when nothing goes wrong.
    straight_through: Femto,
    /// `per_payment`, paid by those payments that did not fail.
    per_successful: Femto,
    target: Femto,
    meets_target: bool,
    /// What is there in a month anyway, and a payment with its share in that.
    fixed_per_month: Femto,
    per_payment_all_in: Femto,
    /// The whole month.
    month: Femto,
    choices: lombard_core::cost::Choices,
    prices: Prices<'a>,
}

/// Which prices these are.
#[derive(Serialize)]
struct Prices<'a> {
    region: &'a str,
    dated: &'a str,
    exchange_to_confirm: bool,
    /// Those among the operations that were derived and are to be confirmed.
    to_confirm: Vec<Meter>,
}

pub fn json(figures: &Figures, asked: &Bill, calm: &Bill) {
    say::json(&answer(figures, asked, calm));
}

fn answer<'a>(figures: &'a Figures, asked: &'a Bill, calm: &Bill) -> Answer<'a> {
    let prices = &figures.prices;
    let operations = asked.operations();
    let straight_through = calm.per_payment();
    Answer {
        currency: &prices.exchange.to,
        volume: asked.volume,
        per_payment: asked.per_payment(),
        per_1000: asked
            .variable()
            .portion(Count::whole(1000), Count::whole(asked.volume)),
        components: asked.components(),
        straight_through,
        per_successful: asked.per_successful(),
        target: TARGET,
        meets_target: straight_through < TARGET,
        fixed_per_month: asked.fixed,
        per_payment_all_in: asked.all_in(),
        month: asked.variable() + asked.fixed,
        choices: asked.choices,
        prices: Prices {
            region: &prices.region,
            dated: &prices.dated,
            exchange_to_confirm: prices.exchange.sure == Sure::ToConfirm,
            to_confirm: unsure(prices, operations.keys().copied()),
        },
        operations,
    }
}

fn unsure(prices: &PriceTable, of: impl Iterator<Item = Meter>) -> Vec<Meter> {
    let unsure = |meter: &Meter| {
        prices
            .get(*meter)
            .is_some_and(|it| it.sure == Sure::ToConfirm)
    };
    of.filter(unsure).collect()
}

pub fn table(figures: &Figures, asked: &Bill, calm: &Bill) {
    let prices = &figures.prices;
    let currency = &prices.exchange.to;
    say::line(&format!(
        "{} payments a month in {}, prices of {}, in millionths of a {currency} for each payment",
        volume(asked.volume),
        prices.region,
        prices.dated
    ));
    let mut components: Vec<_> = asked.components().into_iter().collect();
    components.sort_by_key(|(_, money)| std::cmp::Reverse(*money));
    for (name, money) in components {
        say::line(&format!("  {name:<12} {:>9}", millionths(money)));
    }
    for (name, money) in [
        ("one more payment", asked.per_payment()),
        ("when nothing goes wrong", calm.per_payment()),
        ("for each that succeeds", asked.per_successful()),
        ("with what is there anyway", asked.all_in()),
    ] {
        say::line(&format!("{name:<26} {:>9}", millionths(money)));
    }
    let verdict = if calm.per_payment() < TARGET {
        "below"
    } else {
        "NOT below"
    };
    say::line(&format!(
        "straight through, {verdict} the target of {}; the month comes to {} {currency}",
        millionths(TARGET),
        (asked.variable() + asked.fixed).rounded(2)
    ));
    let unsure = unsure(prices, asked.operations().keys().copied());
    if !unsure.is_empty() {
        let names: Vec<_> = unsure.into_iter().map(Meter::name).collect();
        say::note(&format!("prices to be confirmed: {}", names.join(", ")));
    }
}

/// A row of the matrix for scripts.
#[derive(Serialize)]
struct Cell<'a> {
    alternative: &'a str,
    volume: u64,
    per_payment: Femto,
    per_payment_all_in: Femto,
    month: Femto,
}

pub fn matrix(figures: &Figures, rows: &[Row], as_json: bool) {
    if as_json {
        for row in rows {
            for bill in &row.bills {
                say::json(&Cell {
                    alternative: row.name,
                    volume: bill.volume,
                    per_payment: bill.per_payment(),
                    per_payment_all_in: bill.all_in(),
                    month: bill.variable() + bill.fixed,
                });
            }
        }
        return;
    }
    let heads: String = VOLUMES
        .iter()
        .map(|it| format!("{:>10}", volume(*it)))
        .collect();
    say::line(&format!(
        "millionths of a {} for a payment, with what is there anyway, by payments a month",
        figures.prices.exchange.to
    ));
    say::line(&format!("{:<42}{heads}", ""));
    for row in rows {
        let cells: String = row
            .all_in()
            .map(|it| format!("{:>10}", millionths(it)))
            .collect();
        say::line(&format!("{:<42}{cells}", row.name));
    }
}
