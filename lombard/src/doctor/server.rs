//! The running server: is it ready, how far behind is what, and do endpoints take webhooks.

use serde_json::Value;

use super::{Findings, Health};
use crate::client::{Remote, Server, http};

/// Gauges that should be small: the series, above what somebody should look, and where to read on.
const GAUGES: [(&str, &str, f64, &str); 6] = [
    (
        "log lag, s",
        "lombard_log_lag_seconds",
        30.0,
        "log-behind.md",
    ),
    (
        "rails fps, s",
        "lombard_feed_lag_seconds{consumer=\"rails-fps\"}",
        60.0,
        "feed-behind.md",
    ),
    (
        "rails sepa, s",
        "lombard_feed_lag_seconds{consumer=\"rails-sepa_inst\"}",
        60.0,
        "feed-behind.md",
    ),
    (
        "webhooks, s",
        "lombard_feed_lag_seconds{consumer=\"webhooks\"}",
        60.0,
        "feed-behind.md",
    ),
    (
        "in doubt",
        "lombard_payments_at_stage{stage=\"in_doubt\"}",
        10.0,
        "in-doubt.md",
    ),
    (
        "store refuses",
        "lombard_store_refuses{store=\"ledger\"}",
        0.0,
        "store-refuses.md",
    ),
];

/// Looks at it, if it runs.
pub async fn look(server: &Server, found: &mut Findings) {
    let remote = match server.remote() {
        Ok(remote) => remote,
        Err(failure) => {
            return found.note(Health::Worry, "server", format!("{:#}", failure.error));
        }
    };
    match remote.get("/readyz").await {
        Ok(_) => found.note(Health::Fine, "server", "it takes requests"),
        Err(failure) => {
            let says = format!("{:#}; docs/runbooks/alerts/store-refuses.md", failure.error);
            return found.note(Health::Wrong, "server", says);
        }
    }
    if let Ok(url) = server.metrics_url() {
        gauges(&url, found).await;
    }
    endpoints(&remote, found).await;
}

async fn gauges(url: &str, found: &mut Findings) {
    let Ok(http) = http() else { return };
    let answer = http.get(format!("{url}/metrics")).send().await;
    let text = match answer {
        Ok(answer) => answer.text().await.unwrap_or_default(),
        Err(error) => {
            let says = format!("{:#}", anyhow::Error::from(error));
            return found.note(Health::Worry, "metrics", says);
        }
    };
    for (about, series, most, runbook) in GAUGES {
        let value = text
            .lines()
            .find_map(|line| line.strip_prefix(series)?.trim().parse::<f64>().ok());
        match value {
            Some(value) if value > most => {
                let says = format!("{value}, above {most}; docs/runbooks/alerts/{runbook}");
                found.note(Health::Wrong, about, says);
            }
            Some(value) => found.note(Health::Fine, about, value.to_string()),
            None => found.note(Health::Worry, about, "it is not told"),
        }
    }
}

async fn endpoints(remote: &Remote, found: &mut Findings) {
    let Ok(page) = remote.get("/v1/webhook_endpoints?limit=100").await else {
        let says = "they cannot be listed with this key";
        return found.note(Health::Worry, "webhook endpoints", says);
    };
    let all = page["data"].as_array().map_or(&[][..], Vec::as_slice);
    let off = |endpoint: &&Value| endpoint["state"] == "disabled";
    let off: Vec<_> = all
        .iter()
        .filter(off)
        .filter_map(|it| it["id"].as_str())
        .collect();
    if off.is_empty() {
        let says = format!("{} of them, none switched off", all.len());
        return found.note(Health::Fine, "webhook endpoints", says);
    }
    let says = format!(
        "switched off: {}; docs/runbooks/exceptions/webhook_given_up.md",
        off.join(", ")
    );
    found.note(Health::Worry, "webhook endpoints", says);
}
