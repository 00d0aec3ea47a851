//! `docs/cost.md` and its chart are what this writes.

use std::fmt::Write;

use expect_test::expect_file;
use lombard_core::cost::{
    Femto, HOURS, Meter, TARGET, Weather,
    chart::{bars, millionths, volume},
    matrix::{Row, VOLUMES, matrix},
    prices::Sure,
};

use super::{Figures, figures};

const INTRO: &str = include_str!("page_head.md");
const CLOSE: &str = include_str!("page_close.md");

#[test]
fn the_documentation_shows_what_it_costs() {
    let figures = figures();
    let rows = matrix(&figures.prices, &figures.measured, &figures.around).unwrap();
    let mut page = INTRO.to_owned();
    page.push_str(&components(&figures));
    page.push_str(&where_units_go(&figures));
    page.push_str(&wrong(&figures));
    page.push_str(&decisions(&rows));
    page.push_str(&kept(&figures));
    page.push_str(&network(&figures));
    page.push_str(CLOSE);
    page.push_str(&sources(&figures));
    expect_file!["../../../../docs/cost.md"].assert_eq(&page);
    expect_file!["../../../../docs/cost/chart.svg"].assert_eq(&bars(&rows[0]));
}

fn head(first: &str) -> String {
    let names: String = VOLUMES
        .iter()
        .map(|it| format!(" {} |", volume(*it)))
        .collect();
    format!(
        "| {first} |{names}\n|---|{}\n",
        "---:|".repeat(VOLUMES.len())
    )
}

fn row(name: &str, cells: impl Iterator<Item = Femto>) -> String {
    let cells: String = cells.map(|it| format!(" {} |", millionths(it))).collect();
    format!("| {name} |{cells}\n")
}

/// What a straight payment costs by component, at each volume.
fn components(figures: &Figures) -> String {
    let bills = VOLUMES.map(|volume| figures.deployed(volume, Weather::Calm));
    let mut names: Vec<_> = bills[2].components().into_iter().collect();
    names.sort_by_key(|(_, value)| std::cmp::Reverse(*value));
    let mut text = head("component");
    for (name, _) in names {
        let cells = bills
            .iter()
            .map(|bill| bill.components().get(name).copied().unwrap_or_default());
        text.push_str(&row(name, cells));
    }
    text.push_str(&row(
        "**a straight payment**",
        bills.iter().map(lombard_core::cost::Bill::per_payment),
    ));
    let all_in = bills.iter().map(lombard_core::cost::Bill::all_in);
    text.push_str(&row("with what is there anyway", all_in));
    let _ = writeln!(
        text,
        "\nThe target is {}, and each of these is below it. They are *marginal*: what grows with payments, over the payments. \
         What is *fixed* comes to £{} a month in production, and is in the last row alone.\n\n\
         **Where the line between the two is thin.** A turn of the verifiable log ({}) is shared by the payments that wait \
         for it, eight or those of a quarter of an hour. At ten thousand a month four share one. A payment that is alone in its \
         quarter of an hour bears it alone, and costs {}: more than the target, in a month whose payments cost pennies together. \
         A stage that wants a checkpoint each minute sets `logWaits` so (`deploy/lib/settings.ts`), and pays that price up to \
         about {} payments a month.\n\n\
         ![What a payment costs, by component](cost/chart.svg)\n",
        millionths(TARGET),
        bills[2].fixed.rounded(2),
        millionths(turn_of(figures)),
        millionths(figures.deployed(1, Weather::Calm).per_payment()),
        volume(100_000),
    );
    text
}

/// What a turn of the log costs, beside what each payment in it does.
fn turn_of(figures: &Figures) -> Femto {
    let sequencer = |volume| {
        let bill = figures.deployed(volume, Weather::Calm);
        bill.components()["sequencer"].get()
    };
    // Of one payment it is a turn and its own part; of many, nearly its own part alone.
    Femto::new(sequencer(1) - sequencer(VOLUMES[5]))
}

/// The lines that cost most, and what they count.
fn where_units_go(figures: &Figures) -> String {
    let bill = figures.deployed(10_000_000, Weather::Calm);
    let mut lines: Vec<_> = bill.lines.iter().collect();
    lines.sort_by_key(|line| std::cmp::Reverse(line.month));
    let mut text =
        "## Where each unit goes\n\nAt ten million payments a month, the dearest first:\n\n\
        | component | what | for one payment | millionths |\n|---|---|---:|---:|\n"
            .to_owned();
    for line in lines.into_iter().take(14) {
        let (component, meter) = (&line.component, line.meter.name());
        let cost = millionths(line.month.shared_by(bill.volume));
        let _ = writeln!(
            text,
            "| {component} | `{meter}` | {} | {cost} |",
            line.per_payment
        );
    }
    text.push_str(
        "\nThe store's own operations, as a test measures them (`docs/cost/operations.json`):\n\n\
        | on whose duty | operation | read units | write units |\n|---|---|---:|---:|\n",
    );
    for (component, operation, read, write) in figures.measured.consumers() {
        let _ = writeln!(text, "| {component} | `{operation}` | {read} | {write} |");
    }
    text.push_str(
        "\nA turn of the log, with the journal and the roll-up of house accounts, measured likewise (`docs/cost/turns.json`):\n\n\
        | what | for one payment | for eight |\n|---|---:|---:|\n",
    );
    let turns: Vec<_> = figures.measured.turns().map(|(_, asked)| asked).collect();
    for (meter, small) in turns[0] {
        let _ = writeln!(
            text,
            "| `{}` | {small} | {} |",
            meter.name(),
            turns[1][meter]
        );
    }
    text
}

/// What goes wrong, and what that costs.
fn wrong(figures: &Figures) -> String {
    let mut text = "\n## When things go wrong\n\n\
        | weather | one payment | one that succeeds |\n|---|---:|---:|\n"
        .to_owned();
    let kinds = [
        ("calm: nothing goes wrong", Weather::Calm),
        ("an ordinary day", Weather::Ordinary),
        (
            "a storm: each caller asks three times more, every rail call is silent once, one decision in three meets a conflict, one payment in twenty fails",
            Weather::Storm,
        ),
    ];
    for (name, weather) in kinds {
        let bill = figures.deployed(1_000_000, weather);
        let _ = writeln!(
            text,
            "| {name} | {} | {} |",
            millionths(bill.per_payment()),
            millionths(bill.per_successful())
        );
    }
    text.push_str("\nAt a million payments a month. A retry pays for itself alone, because it changes nothing: \
        it reads the kept answer.\n");
    text
}

/// The choices side by side.
fn decisions(rows: &[Row]) -> String {
    let mut text = format!(
        "\n## The choices side by side\n\nMillionths of a pound for a payment on an ordinary day, \
        with what is there anyway, by payments a month:\n\n{}",
        head("choice")
    );
    for it in rows {
        text.push_str(&row(it.name, it.all_in()));
    }
    text
}

/// What keeping its records costs.
fn kept(figures: &Figures) -> String {
    let bill = figures.deployed(1_000_000, Weather::Calm);
    let month = bill.components()["storage"];
    let months = figures.around.choice.kept_months;
    let all = Femto::new(month.get() * u128::from(months));
    format!(
        "\n## What it costs to keep\n\nA payment's records cost {} millionths for each month that they lie in the table, \
         recovery included. Left there for all of {months} months they come to {}: more than everything that the payment did. \
         Only the first month is in the figures above.\n",
        millionths(month),
        millionths(all)
    )
}

/// What a network of one's own would cost.
fn network(figures: &Figures) -> String {
    let hour = |meter| {
        figures
            .prices
            .get(meter)
            .unwrap()
            .of(lombard_core::cost::Count::whole(HOURS))
    };
    let times = |money: Femto, many: u128| Femto::new(money.get() * many);
    let all = times(hour(Meter::NatHour), 3) + times(hour(Meter::EndpointHour), 27);
    format!(
        "\nA network of our own, which the functions do without, would be £{} a month before the first byte: three NAT \
         gateways, and nine interface endpoints in three zones.\n",
        all.rounded(2)
    )
}

/// Every price, and how sure it is.
fn sources(figures: &Figures) -> String {
    let exchange = &figures.prices.exchange;
    let mut text = format!(
        "\n## Prices\n\n{}, {}, converted to {} ({}).\n\n| price | of one | how sure | from |\n|---|---|---|---|\n",
        figures.prices.region, figures.prices.dated, exchange.to, exchange.from
    );
    for (meter, price) in figures.prices.iter() {
        let sure = match price.sure {
            Sure::List => "price list",
            Sure::Published => "published",
            Sure::ToConfirm => "**to be confirmed**",
        };
        let _ = writeln!(
            text,
            "| `{}` | {} | {sure} | {} |",
            meter.name(),
            price.unit,
            price.from
        );
    }
    text
}
