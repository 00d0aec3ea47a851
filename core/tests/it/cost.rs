//! The cost of a payment: that the model adds up, that the counts it is fed are those of the plan,
//! and that the page of the documentation shows what it says.

mod counts;
mod page;

use lombard_core::cost::{
    Around, Bill, Choices, Count, Femto, Measured, Meter, PriceTable, TARGET, Weather,
    choices::{Database, Orchestration},
    estimate,
    matrix::{VOLUMES, matrix},
    prices::Sure,
};

pub struct Figures {
    pub prices: PriceTable,
    pub measured: Measured,
    pub around: Around,
}

pub fn figures() -> Figures {
    let prices = include_str!("../../../docs/cost/prices-eu-west-2.toml");
    let measured = include_str!("../../../docs/cost/operations.json");
    let turns = include_str!("../../../docs/cost/turns.json");
    let around = include_str!("../../../docs/cost/around.toml");
    Figures {
        prices: toml::from_str(prices).unwrap(),
        measured: serde_json::from_str::<Measured>(measured)
            .unwrap()
            .with_turns(serde_json::from_str(turns).unwrap()),
        around: toml::from_str(around).unwrap(),
    }
}

impl Figures {
    pub fn bill(&self, choices: Choices, volume: u64, weather: Weather) -> Bill {
        estimate(
            &self.prices,
            &self.measured,
            &self.around,
            choices,
            volume,
            weather,
        )
        .unwrap()
    }

    pub fn deployed(&self, volume: u64, weather: Weather) -> Bill {
        self.bill(Choices::default(), volume, weather)
    }
}

#[test]
fn a_straight_payment_costs_less_than_the_target_at_every_volume() {
    let figures = figures();
    for volume in VOLUMES {
        let cost = figures.deployed(volume, Weather::Calm).per_payment();
        assert!(cost < TARGET, "{volume} a month: {cost}");
    }
}

#[test]
fn what_components_cost_adds_up_to_what_a_payment_costs() {
    let figures = figures();
    for weather in [Weather::Calm, Weather::Ordinary, Weather::Storm] {
        for volume in VOLUMES {
            let bill = figures.deployed(volume, weather);
            let parts: Femto = bill.components().into_values().sum();
            let whole = bill.per_payment();
            // Each part is rounded down by less than one of 10⁻¹⁵.
            assert!(
                parts <= whole && whole.get() - parts.get() <= 20,
                "{volume}"
            );
        }
    }
}

#[test]
fn a_line_is_what_one_reckons_by_hand() {
    let bill = figures().deployed(1_000_000, Weather::Calm);
    // 1 GB × 30 ms, at 0.0000133334 dollars a GB-second, at 0.76 pounds a dollar.
    let api = bill
        .lines
        .iter()
        .find(|line| (line.component.as_str(), line.meter) == ("api", Meter::FunctionArmGbSecond));
    let by_hand = 1_333_334_u128 * 30 * 76 / 100;
    let found = api.unwrap().month.get() / 1_000_000;
    assert_eq!(found / 10_000, by_hand * 10_000 / 1_000 / 10_000);
    assert_eq!(api.unwrap().per_payment, Count::parse("0.03").unwrap());
}

#[test]
fn tiers_are_charged_for_what_lies_in_them() {
    let figures = figures();
    let rest = figures.prices.get(Meter::RestRequest).unwrap();
    let (first, second) = (333_000_000, 100_000_000);
    let one = |dollars: &str| {
        Femto::parse(dollars)
            .unwrap()
            .converted(Count::parse("0.76").unwrap())
    };
    let sum =
        one("0.0000035").times(Count::whole(first)) + one("0.0000028").times(Count::whole(second));
    assert_eq!(rest.of(Count::whole(first + second)), sum);
    assert_eq!(rest.of(Count::default()), Femto::ZERO);
}

#[test]
fn work_that_payments_share_gets_cheaper_the_more_there_are() {
    let figures = figures();
    let cost = |volume| {
        let bill = figures.deployed(volume, Weather::Calm);
        bill.components()["sequencer"]
    };
    let costs: Vec<_> = VOLUMES.into_iter().map(cost).collect();
    assert!(costs.windows(2).all(|pair| pair[0] >= pair[1]), "{costs:?}");
    assert!(costs[5].get() * 2 < costs[0].get(), "{costs:?}");
}

#[test]
fn the_log_has_a_turn_for_each_payment_at_the_most_and_one_for_many_under_load() {
    let turns = figures().around.turns;
    for (volume, each) in [
        // Alone in its quarter of an hour; with 3.4 others; with seven; with 380 payments a second for five seconds.
        (1, "0.9996"),
        (10_000, "0.226"),
        (1_000_000, "0.125"),
        (1_000_000_000, "0.000525"),
    ] {
        let found = turns.of(volume).shared_by(volume).to_string();
        assert!(found.starts_with(each), "{volume}: {found}");
    }
}

#[test]
fn the_worse_the_weather_the_dearer_a_payment_that_succeeds() {
    let figures = figures();
    let cost = |weather| figures.deployed(1_000_000, weather).per_successful();
    let (calm, ordinary, storm) = (
        cost(Weather::Calm),
        cost(Weather::Ordinary),
        cost(Weather::Storm),
    );
    assert!(calm < ordinary && ordinary < storm);
    assert!(
        storm.get() > calm.get() * 3 / 2,
        "a storm costs: {calm}, {storm}"
    );
    let bill = figures.deployed(1_000_000, Weather::Storm);
    let fine = u128::from(1_000_000 - bill.failing);
    let by_hand = bill.per_payment().get() * 1_000_000 / fine;
    assert!(bill.per_successful().get().abs_diff(by_hand) < 1_000);
}

#[test]
fn a_standard_workflow_costs_more_than_everything_else_together() {
    let figures = figures();
    let of = |orchestration| {
        let choices = Choices {
            orchestration,
            ..Choices::default()
        };
        figures.bill(choices, 10_000_000, Weather::Calm)
    };
    let standard = of(Orchestration::Standard);
    let workflow = standard.components()["workflow"];
    assert!(workflow.get() * 2 > standard.per_payment().get());
    assert!(of(Orchestration::None).per_payment() < of(Orchestration::Express).per_payment());
}

#[test]
fn provisioned_tables_pay_once_there_is_load_to_fill_them() {
    let figures = figures();
    let of = |database, volume| {
        let choices = Choices {
            database,
            ..Choices::default()
        };
        figures.bill(choices, volume, Weather::Ordinary).all_in()
    };
    let (least, most) = (VOLUMES[0], VOLUMES[5]);
    assert!(of(Database::Provisioned, least) > of(Database::OnDemand, least));
    assert!(of(Database::Provisioned, most) < of(Database::OnDemand, most));
}

#[test]
fn every_alternative_has_a_price_at_every_volume() {
    let Figures {
        prices,
        measured,
        around,
    } = figures();
    let rows = matrix(&prices, &measured, &around).unwrap();
    for row in &rows {
        assert_eq!(row.bills.len(), VOLUMES.len());
        assert!(
            row.bills
                .iter()
                .all(|bill| bill.per_payment() > Femto::ZERO),
            "{}",
            row.name
        );
    }
}

#[test]
fn prices_say_how_sure_they_are() {
    let prices = figures().prices;
    let count = |sure| {
        prices
            .iter()
            .filter(|(_, price)| price.sure == sure)
            .count()
    };
    assert!(count(Sure::List) > 20);
    assert!(
        prices
            .iter()
            .all(|(_, price)| !price.from.is_empty() && !price.unit.is_empty())
    );
}

#[test]
fn a_table_that_lacks_a_price_or_has_crooked_tiers_is_refused() {
    let head = "region = 'x'\ncurrency = 'USD'\ndated = '2026-01-01'\n\
        [exchange]\nto = 'GBP'\nrate = '1'\nsure = 'list'\nfrom = 'x'\n[price.trace]\nunit = 'trace'\nsure = 'list'\nfrom = 'x'\n";
    let Figures {
        measured, around, ..
    } = figures();
    let lacking: PriceTable =
        toml::from_str(&format!("{head}tiers = [{{ each = '1' }}]\n")).unwrap();
    let refused = estimate(
        &lacking,
        &measured,
        &around,
        Choices::default(),
        1,
        Weather::Calm,
    );
    assert!(refused.is_err_and(|why| why.to_string().contains("no price of")));
    for tiers in [
        "[]",
        "[{ up_to = 5, each = '1' }]",
        "[{ up_to = 5, each = '1' }, { up_to = 4, each = '1' }, { each = '1' }]",
    ] {
        let crooked = toml::from_str::<PriceTable>(&format!("{head}tiers = {tiers}\n"));
        assert!(crooked.is_err(), "{tiers}");
    }
}
