//! A chart of where a payment's money goes, at each order of volume: SVG, drawn with integers.

use std::fmt::Write;

use super::{
    TARGET,
    amount::Femto,
    bill::Bill,
    matrix::{Row, VOLUMES},
};

/// The drawing's size, in its own units.
const WIDTH: u128 = 760;
const HEIGHT: u128 = 360;
const LEFT: u128 = 70;
const BOTTOM: u128 = 310;
const TOP: u128 = 40;
const BAR: u128 = 56;

/// Colours that people who see few of them can tell apart (Okabe and Ito), and two greys.
const COLOURS: [&str; 10] = [
    "#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#f0e442", "#555555",
    "#999999", "#bbbbbb",
];

/// What a payment costs by component, as deployed, a bar for each volume; without what is there anyway.
#[must_use]
pub fn bars(deployed: &Row) -> String {
    let highest = deployed.bills.iter().map(Bill::per_payment).max();
    let top = highest.unwrap_or_default().max(TARGET).get() * 11 / 10;
    let high = |money: Femto| money.get() * (BOTTOM - TOP) / top.max(1);
    let names = order(deployed);
    let mut svg = head("What a payment costs, by component");
    for (place, bill) in deployed.bills.iter().enumerate() {
        let x = LEFT + 20 + place as u128 * (BAR + 18);
        let mut y = BOTTOM;
        let components = bill.components();
        for (name, colour) in names.iter().zip(COLOURS) {
            let Some(height) = components.get(name.as_str()).map(|money| high(*money)) else {
                continue;
            };
            y -= height;
            let _ = writeln!(
                svg,
                "<rect x='{x}' y='{y}' width='{BAR}' height='{height}' fill='{colour}'><title>{name}</title></rect>"
            );
        }
        label(
            &mut svg,
            x + BAR / 2,
            y - 6,
            &millionths(bill.per_payment()),
        );
        label(&mut svg, x + BAR / 2, BOTTOM + 18, &volume(VOLUMES[place]));
    }
    let y = BOTTOM - high(TARGET);
    let end = LEFT + 20 + VOLUMES.len() as u128 * (BAR + 18);
    let _ = writeln!(
        svg,
        "<line x1='{LEFT}' y1='{y}' x2='{end}' y2='{y}' stroke='#000' stroke-dasharray='5 4'/>"
    );
    label(&mut svg, LEFT - 30, y + 4, "target");
    label(
        &mut svg,
        (LEFT + end) / 2,
        BOTTOM + 38,
        "payments a month; millionths of a pound for each",
    );
    for (place, (name, colour)) in names.iter().zip(COLOURS).enumerate() {
        let y = TOP + 20 * place as u128;
        let _ = writeln!(
            svg,
            "<rect x='{}' y='{}' width='12' height='12' fill='{colour}'/><text x='{}' y='{}'>{name}</text>",
            end + 30,
            y,
            end + 48,
            y + 10
        );
    }
    svg.push_str("</svg>\n");
    svg
}

/// The components, the dearest first.
fn order(deployed: &Row) -> Vec<String> {
    let mut sums: Vec<(Femto, String)> = Vec::new();
    for bill in &deployed.bills {
        for (name, money) in bill.components() {
            match sums.iter_mut().find(|(_, known)| known == name) {
                Some((sum, _)) => *sum = *sum + money,
                None => sums.push((money, name.to_owned())),
            }
        }
    }
    sums.sort_by(|a, b| b.cmp(a));
    sums.into_iter().map(|(_, name)| name).collect()
}

fn head(title: &str) -> String {
    format!(
        "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {WIDTH} {HEIGHT}' font-family='sans-serif' font-size='12' role='img' aria-label='{title}'>\n\
         <rect width='{WIDTH}' height='{HEIGHT}' fill='#fff'/>\n\
         <text x='{LEFT}' y='22' font-size='15'>{title}</text>\n\
         <line x1='{LEFT}' y1='{BOTTOM}' x2='520' y2='{BOTTOM}' stroke='#000'/>\n"
    )
}

fn label(svg: &mut String, x: u128, y: u128, text: &str) {
    let _ = writeln!(
        svg,
        "<text x='{x}' y='{y}' text-anchor='middle'>{text}</text>"
    );
}

/// `10 K`, `1 M`, `1 B`.
#[must_use]
pub fn volume(payments: u64) -> String {
    match payments {
        0..1_000 => payments.to_string(),
        1_000..1_000_000 => format!("{} K", payments / 1_000),
        1_000_000..1_000_000_000 => format!("{} M", payments / 1_000_000),
        _ => format!("{} B", payments / 1_000_000_000),
    }
}

/// In millionths of a unit, to a tenth.
#[must_use]
pub fn millionths(money: Femto) -> String {
    Femto::new(money.get().saturating_mul(1_000_000)).rounded(1)
}
