//! The rules that Prometheus evaluates: `deploy/observe/rules.yml`, and the page `docs/slo.md`.

use std::fmt::Write;

use super::{
    Slo, WINDOW_DAYS,
    alerts::{Alert, BURNS, alerts},
};
use crate::metrics::label::Label;

const HEAD: &str =
    "# Written from `service/src/slo.rs` and `service/src/slo/alerts.rs`; do not edit.\n";
const PAGE_HEAD: &str = include_str!("page_head.txt");

/// Where runbooks are, for whoever is woken. An operator who keeps them elsewhere replaces it.
pub const RUNBOOKS: &str = "docs/runbooks/alerts/";

/// The rules, in YAML.
#[must_use]
pub fn rules() -> String {
    let mut text = HEAD.to_owned();
    text.push_str("groups:\n  - name: lombard-budgets\n    rules:\n");
    for window in windows() {
        let share = format!(
            "sum by (slo) (rate(lombard_slo_errors_total[{window}])) / sum by (slo) (rate(lombard_slo_events_total[{window}]))"
        );
        record(
            &mut text,
            &format!("lombard:slo_errors:ratio_rate{window}"),
            &share,
            None,
        );
    }
    for slo in Slo::ALL {
        let name = slo.value();
        let spent = |what| {
            format!(
                "sum by (slo) (increase(lombard_slo_{what}_total{{slo=\"{name}\"}}[{WINDOW_DAYS}d]))"
            )
        };
        let left = format!(
            "1 - ({} / {}) / {:.6}",
            spent("errors"),
            spent("events"),
            slo.budget()
        );
        record(&mut text, "lombard:slo_budget:left", &left, Some(name));
    }
    text.push_str("  - name: lombard-alerts\n    rules:\n");
    for one in alerts() {
        alert(&mut text, &one);
    }
    text
}

/// Every window of the burn rates, once.
fn windows() -> Vec<&'static str> {
    let mut windows: Vec<_> = BURNS.iter().flat_map(|burn| [burn.1, burn.0]).collect();
    let mut seen = std::collections::BTreeSet::new();
    windows.retain(|window| seen.insert(*window));
    windows
}

fn record(text: &mut String, name: &str, expression: &str, slo: Option<&str>) {
    // Writing to a text does not fail, here and below.
    let _ = writeln!(
        text,
        "      - record: {name}\n        expr: {}",
        quoted(expression)
    );
    if let Some(slo) = slo {
        let _ = writeln!(text, "        labels: {{slo: {slo}}}");
    }
}

fn alert(text: &mut String, alert: &Alert) {
    let (name, hold, severity) = (&alert.name, alert.hold, alert.severity.name());
    let _ = writeln!(
        text,
        "      - alert: {name}\n        expr: {}",
        quoted(&alert.when)
    );
    let _ = writeln!(
        text,
        "        for: {hold}\n        labels: {{severity: {severity}}}"
    );
    let runbook = format!("{RUNBOOKS}{}", alert.runbook);
    let _ = writeln!(
        text,
        "        annotations:\n          summary: {}\n          runbook_url: {}",
        quoted(&alert.means),
        quoted(&runbook)
    );
}

/// A text as YAML takes it: what is a string in JSON is one there.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// The page `docs/slo.md`.
#[must_use]
pub fn page() -> String {
    let mut page = PAGE_HEAD.to_owned();
    page.push_str("| objective | what is promised | what counts |\n|---|---|---|\n");
    for slo in Slo::ALL {
        let promise = slo.promise();
        let _ = writeln!(
            page,
            "| `{}` | {} | {} |",
            slo.value(),
            promise.what,
            promise.counts
        );
    }
    page.push_str("\n## Alerts\n\n| alert | severity | means | runbook |\n|---|---|---|---|\n");
    let mut last = String::new();
    for alert in alerts() {
        // A budget's four burn rates are one alert with one page.
        if alert.name == last {
            continue;
        }
        let means = alert.means.split(": the error").next().unwrap_or_default();
        let severity = if alert.name.starts_with("LombardBudget") {
            "page, ticket"
        } else {
            alert.severity.name()
        };
        let runbook = &alert.runbook;
        let _ = writeln!(
            page,
            "| `{}` | {severity} | {means} | [{runbook}](runbooks/alerts/{runbook}) |",
            alert.name
        );
        last = alert.name;
    }
    page
}
