//! How the installation does, on the overview: objectives, the ways to rails and providers, cost
//! and risk.

use maud::{Markup, html};
use serde_json::Value;

use crate::console::{
    chart::{Bar, Measure, bars, measures},
    parts::{list, number, pill, text, time},
    words::{grouped, plain},
};

/// What is left of each objective's budget, and how fast it burns.
pub fn objectives(operations: &Value) -> Markup {
    let all = list(operations, "objectives");
    let measure = |one: &Value| {
        let left = one["budget_left"].as_f64().unwrap_or(1.0);
        let (ppm, figure, tone) = match (one["measured"] == true, left) {
            (false, _) => (0, "–".to_owned(), "open"),
            (true, left) => (
                (left.clamp(0.0, 1.0) * 1e6) as u64,
                format!("{:.0} %", left * 100.0),
                tone(left),
            ),
        };
        Measure {
            name: plain(text(one, "name")),
            ppm,
            figure,
            tone,
        }
    };
    html! {
        (measures("What is left of each error budget", "Left", &all.iter().map(measure).collect::<Vec<_>>()))
        details.figures {
            summary { "How fast they burn" }
            div.scroll tabindex="0" { table {
                thead { tr { th scope="col" { "Promise" } th.right scope="col" { "5 min" } th.right scope="col" { "1 h" } th.right scope="col" { "6 h" } } }
                tbody { @for one in all { tr {
                    td { (text(one, "what")) }
                    @for burn in list(one, "burn") { td.right.figure { (times(&burn["times"])) } }
                } } }
            } }
        }
        p.meta { "Since this server was started. A burn of 1 spends a budget in exactly its 30 days." }
    }
}

fn tone(left: f64) -> &'static str {
    match left {
        left if left > 0.5 => "good",
        left if left > 0.0 => "doubt",
        _ => "bad",
    }
}

fn times(burn: &Value) -> String {
    burn.as_f64()
        .map_or("–".to_owned(), |times| format!("{times:.1}×"))
}

/// The ways to rails and providers.
pub fn ways(operations: &Value) -> Markup {
    let all = list(operations, "ways");
    html! {
        @if all.is_empty() {
            p.meta { "No rail is switched on. " code { "lombard up" } " starts a simulated one; " code { "rails.*" } " in the configuration connects real ones." }
        } @else {
            div.scroll tabindex="0" { table {
                thead { tr { th scope="col" { "Rail" } th scope="col" { "State" } th.right scope="col" { "Errors" } th scope="col" { "Last answer (UTC)" } } }
                tbody { @for way in all {
                    tr {
                        td.nowrap { (text(way, "rail")) @if !text(way, "provider").is_empty() { " · " (text(way, "provider")) } }
                        td { (breaker(text(way, "breaker"))) }
                        td.right.figure { @if way["errors_ppm"].is_number() { (percent(number(way, "errors_ppm"))) } @else { "–" } }
                        td { @if text(way, "worked_at").is_empty() { span.meta { "none yet" } } @else { (time(text(way, "worked_at"))) } }
                    }
                } }
            } }
            p.meta { "Errors are the share of the last minute's calls. More than 5 % open the breaker, and payments wait where they can still be cancelled." }
        }
    }
}

fn breaker(state: &str) -> Markup {
    match state {
        "closed" => pill("working", "good"),
        "trying" => pill("trying again", "doubt"),
        _ => pill("held back", "bad"),
    }
}

fn percent(ppm: u64) -> String {
    format!("{}.{} %", ppm / 10_000, ppm % 10_000 / 1_000)
}

/// What a payment costs, by component.
pub fn cost(cost: &Value) -> Markup {
    const SHOWN_MAX: usize = 6;
    let components = list(cost, "components");
    let dearest = components
        .first()
        .map_or(1, |one| number(one, "pico"))
        .max(1);
    let rest: u64 = { components.iter().skip(SHOWN_MAX) }
        .map(|one| number(one, "pico"))
        .sum();
    let measure = |name: &str, pico: u64, tone| Measure {
        name: plain(name),
        ppm: u64::try_from(u128::from(pico) * 1_000_000 / u128::from(dearest)).unwrap_or(1_000_000),
        figure: millionths(pico),
        tone,
    };
    let mut rows: Vec<Measure> = { components.iter().take(SHOWN_MAX) }
        .map(|one| measure(text(one, "name"), number(one, "pico"), "open"))
        .collect();
    if rest > 0 {
        rows.push(measure("everything else", rest, "back"));
    }
    html! {
        (measures("Cost of a payment by component", "Millionths", &rows))
        p.meta {
            "Millionths of a " (text(cost, "currency")) " for one payment more, at " (grouped(number(cost, "payments_a_month")))
            " a month on AWS; prices of " (text(cost, "prices_dated")) ". When nothing goes wrong it is "
            (millionths(number(cost, "straight_through_pico"))) ", of a target of " (millionths(number(cost, "target_pico"))) "."
        }
    }
}

/// `44_061_000` of 10⁻¹² is `44.06` millionths.
pub fn millionths(pico: u64) -> String {
    format!("{}.{:02}", pico / 1_000_000, pico % 1_000_000 / 10_000)
}

/// `44_061_000` of 10⁻¹² each is `0.0441` for a thousand.
pub fn of_thousand(pico: u64) -> String {
    let parts = pico.saturating_add(50_000) / 100_000;
    format!("{}.{:04}", parts / 10_000, parts % 10_000)
}

/// What risk did at payments.
pub fn risk(health: Option<&Value>) -> Markup {
    let Some(health) = health else {
        return html! {
            p.meta { "Nobody judges payments here. A policy of rules or a model does, once " code { "risk.policy" } " or " code { "risk.model" } " names one: then its decisions stand here." }
        };
    };
    let bar = |(action, tone): (&str, &'static str)| Bar {
        name: plain(action),
        count: usize::try_from(number(&health["decisions"], action)).unwrap_or(usize::MAX),
        tone,
    };
    let actions = [
        ("approve", "good"),
        ("challenge", "open"),
        ("review", "doubt"),
        ("decline", "bad"),
    ];
    let fallbacks = number(health, "fallback_too_slow") + number(health, "fallback_unavailable");
    html! {
        (bars("Payments by what risk decided", &actions.map(bar)))
        p.meta {
            "Since this server was started, " (fallbacks) " of them by the fallback. "
            a href="/console/risk" { "Rules, queue and scores" }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_in_words() {
        assert_eq!(millionths(44_061_000), "44.06");
        assert_eq!(of_thousand(44_061_000), "0.0441");
        assert_eq!(percent(123_456), "12.3 %");
        assert_eq!(times(&serde_json::json!(14.44)), "14.4×");
        assert_eq!(times(&Value::Null), "–");
        assert_eq!(
            [tone(0.9), tone(0.2), tone(0.0), tone(-3.0)],
            ["good", "doubt", "bad", "bad"]
        );
    }
}
