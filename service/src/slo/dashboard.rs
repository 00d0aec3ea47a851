//! The dashboard for Grafana: `deploy/observe/dashboard.json`, a panel for each objective and each
//! metric of the catalogue.

use serde_json::{Value, json};

use super::Slo;
use crate::metrics::{Row, catalogue, kinds::Unit, label::Label};

/// Panels that stand beside each other.
const ACROSS: usize = 3;
/// Grafana's grid is so wide.
const WIDTH: usize = 24;
const HEIGHT: usize = 7;

/// The rows: their titles, and how the names of their metrics begin.
const SECTIONS: [(&str, &[&str]); 10] = [
    ("Payments", &["lombard_payment", "lombard_command"]),
    ("Exceptions", &["lombard_exception", "lombard_alert"]),
    ("API", &["lombard_http", "lombard_requests"]),
    ("Risk", &["lombard_risk", "lombard_fraud"]),
    ("Rails", &["lombard_rail"]),
    ("Reconciliation", &["lombard_source"]),
    ("Webhooks", &["lombard_webhook"]),
    ("Feed and verifiable log", &["lombard_feed", "lombard_log"]),
    ("Store", &["lombard_store"]),
    (
        "Vault and process",
        &[
            "lombard_detokenisations",
            "lombard_redactions",
            "lombard_spans",
            "lombard_start",
            "process_",
        ],
    ),
];

/// The dashboard, as Grafana imports it.
#[must_use]
pub fn dashboard() -> Value {
    let mut grid = Grid::default();
    grid.section("Error budgets");
    for slo in Slo::ALL {
        let left = format!("lombard:slo_budget:left{{slo=\"{}\"}}", slo.value());
        grid.panel(
            "stat",
            slo.promise().what,
            "percentunit",
            &[(left, "left of 30 days".to_owned())],
        );
    }
    let burning = "lombard:slo_errors:ratio_rate1h".to_owned();
    grid.panel(
        "timeseries",
        "Share of errors over an hour",
        "percentunit",
        &[(burning, "{{slo}}".to_owned())],
    );
    let rows = catalogue();
    for (title, prefixes) in SECTIONS {
        grid.section(title);
        for row in rows
            .iter()
            .filter(|row| prefixes.iter().any(|prefix| row.name.starts_with(prefix)))
        {
            grid.metric(row);
        }
    }
    json!({
        "uid": "lombard",
        "title": "Lombard",
        "tags": ["lombard"],
        "timezone": "utc",
        "schemaVersion": 39,
        "refresh": "10s",
        "time": {"from": "now-3h", "to": "now"},
        "templating": {"list": [{
            "name": "datasource", "type": "datasource", "query": "prometheus", "label": "Prometheus",
        }]},
        "panels": grid.panels,
    })
}

#[derive(Default)]
struct Grid {
    panels: Vec<Value>,
    /// How many panels the section has so far, and where it begins.
    in_section: usize,
    top: usize,
}

impl Grid {
    fn section(&mut self, title: &str) {
        self.top += self.in_section.div_ceil(ACROSS) * HEIGHT;
        self.in_section = 0;
        self.panels.push(json!({
            "type": "row", "title": title, "collapsed": false, "id": self.panels.len() + 1,
            "gridPos": {"x": 0, "y": self.top, "w": WIDTH, "h": 1},
        }));
        self.top += 1;
    }

    fn metric(&mut self, row: &Row) {
        let labels: Vec<_> = row.labels.iter().map(|(name, _)| *name).collect();
        let by = labels.join(", ");
        let legend = labels
            .iter()
            .map(|name| format!("{{{{{name}}}}}"))
            .collect::<Vec<_>>()
            .join(" ");
        let name = &row.name;
        let queries = match row.kind {
            "counter" => vec![(format!("sum by ({by}) (rate({name}[$__rate_interval]))"), legend)],
            "histogram" => ["0.5", "0.99"].map(|share| {
                let by = if by.is_empty() { "le".to_owned() } else { format!("le, {by}") };
                let query = format!("histogram_quantile({share}, sum by ({by}) (rate({name}_bucket[$__rate_interval])))");
                (query, format!("p{} {legend}", share.trim_start_matches("0.")))
            }).to_vec(),
            _ => vec![(name.clone(), legend)],
        };
        let unit = match (row.unit, row.kind) {
            (Unit::Seconds, _) => "s",
            (Unit::Bytes, _) => "bytes",
            (Unit::None, "counter") => "ops",
            (Unit::None, _) => "short",
        };
        self.panel("timeseries", row.help, unit, &queries);
    }

    fn panel(&mut self, kind: &str, title: &str, unit: &str, queries: &[(String, String)]) {
        let width = WIDTH / ACROSS;
        let (column, line) = (self.in_section % ACROSS, self.in_section / ACROSS);
        self.in_section += 1;
        let source = json!({"type": "prometheus", "uid": "${datasource}"});
        let targets = queries.iter().zip("ABC".chars()).map(|((query, legend), name)| {
            json!({"refId": name.to_string(), "expr": query, "legendFormat": legend, "datasource": source})
        });
        let targets: Vec<_> = targets.collect();
        self.panels.push(json!({
            "type": kind, "title": title, "id": self.panels.len() + 1, "datasource": source,
            "gridPos": {"x": column * width, "y": self.top + line * HEIGHT, "w": width, "h": HEIGHT},
            "fieldConfig": {"defaults": {"unit": unit, "min": 0}, "overrides": []},
            "targets": targets,
        }));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_metric_has_a_panel() {
        let text = dashboard().to_string();
        for row in catalogue() {
            // Those of objectives are shown as budgets.
            let shown = row.name.starts_with("lombard_slo") || text.contains(&row.name);
            assert!(shown, "{} is in no section", row.name);
        }
    }
}
