//! `lombard fraud rates`: how much of what was paid was fraud, and what may be exempt by that?

use clap::Args;
use serde_json::Value;

use crate::{
    client::Server,
    exit::{Exit, Outcome},
    say,
};

/// Arguments of `lombard fraud rates`.
#[derive(Debug, Args)]
#[command(after_help = "\
The rates of the last 90 days by RTS Art. 19, and up to which amount Art. 18 lets payments of low risk be exempt.
Example: lombard fraud rates --json | jq '.data[] | select(.instrument == \"card\") | .ppm'")]
pub struct Rates {
    #[command(flatten)]
    server: Server,
}

/// Shows them.
pub async fn run(args: &Rates, as_json: bool) -> Outcome {
    let found = args.server.remote()?.get("/v1/risk/fraud_rates").await?;
    if as_json {
        say::json(&found);
    } else {
        for rate in found["data"].as_array().into_iter().flatten() {
            say::line(&line(rate));
        }
    }
    Ok(Exit::Done)
}

/// `uk transfer: 5000 of 1000000 GBP, 0.5000 %; exempt up to 100`.
fn line(rate: &Value) -> String {
    let text = |name: &str| rate[name].as_str().unwrap_or_default();
    let share = rate["ppm"].as_u64().map_or_else(
        || "nothing paid yet".to_owned(),
        |ppm| format!("{}.{:04} %", ppm / 10_000, ppm % 10_000),
    );
    let bands = rate["bands"].as_array();
    let open = bands
        .into_iter()
        .flatten()
        .filter(|it| it["exempts"] == true);
    let most = open.filter_map(|it| it["amount_max"].as_u64()).max();
    let exempt = match (most, bands.is_some_and(Vec::is_empty)) {
        (Some(most), _) => format!("exempt up to {most}"),
        (None, true) => "no bands are configured".to_owned(),
        (None, false) => "nothing is exempt".to_owned(),
    };
    format!(
        "{} {}: fraud {} of {} {} (minor units), {share}; {exempt}",
        text("regime"),
        text("instrument"),
        rate["fraud"],
        rate["total"],
        text("currency"),
    )
}
