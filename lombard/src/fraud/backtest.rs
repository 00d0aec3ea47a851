//! `lombard fraud backtest`: what would a rule have done to the payments that are stored?

use std::{fs, path::Path};

use clap::Args;
use lombard_risk::rules::{Condition, backtest::Report};
use serde::{Deserialize, Serialize};

use crate::{
    client::Server,
    exit::{Exit, Failure, OrExit, Outcome, failure},
    say,
};

/// Payments that one request tries.
const AT_ONCE: u32 = 20_000;

/// Arguments of `lombard fraud backtest`.
#[derive(Debug, Args)]
#[command(after_help = "\
RULE is a condition, or a file with one. Each stored payment is asked with what was known when it was
made. Example: lombard fraud backtest 'new_payee && amount > 50000' --json")]
pub struct Backtest {
    /// The condition, or a file with it.
    rule: String,
    #[command(flatten)]
    server: Server,
}

/// One answer of the server.
#[derive(Deserialize)]
struct Part {
    report: Report,
    unjudged: u64,
    next_cursor: Option<String>,
}

#[derive(Serialize)]
struct Told {
    condition: String,
    #[serde(flatten)]
    report: Report,
    /// Payments that were not judged when they were made, and so cannot be tried.
    unjudged: u64,
}

/// Tries the rule, a part of history at a time.
pub async fn run(args: &Backtest, as_json: bool) -> Outcome {
    let condition = condition(&args.rule)?;
    let remote = args.server.remote()?;
    let bar = say::progress(None, "payments");
    let (mut report, mut unjudged) = (Report::default(), 0);
    let mut cursor = String::new();
    loop {
        let asked: String = form_urlencoded::Serializer::new(String::new())
            .append_pair("condition", &condition)
            .append_pair("limit", &AT_ONCE.to_string())
            .finish();
        let found = remote
            .get(&format!("/v1/risk/backtest?{asked}{cursor}"))
            .await?;
        let part: Part = serde_json::from_value(found).or_exit(Exit::Internal, "the answer")?;
        bar.inc(part.report.payments + part.unjudged);
        report.merge(part.report);
        unjudged += part.unjudged;
        match part.next_cursor {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    bar.finish_and_clear();
    let told = Told {
        condition,
        report,
        unjudged,
    };
    if as_json {
        say::json(&told);
    } else {
        tell(&told);
    }
    Ok(Exit::Done)
}

/// The condition, checked here, so that what is wrong is told before a server is asked.
fn condition(rule: &str) -> Result<String, Failure> {
    let path = Path::new(rule);
    let text = if path.is_file() {
        fs::read_to_string(path).or_exit(Exit::Usage, rule)?
    } else {
        rule.to_owned()
    };
    let text = text.trim().to_owned();
    match Condition::compile(&text) {
        Ok(_) => Ok(text),
        Err(wrong) => {
            let wrong: Vec<String> = wrong.iter().map(ToString::to_string).collect();
            Err(failure(Exit::Usage, wrong.join("; ")))
        }
    }
}

fn tell(told: &Told) {
    let Told {
        report, unjudged, ..
    } = told;
    let sums = |sums: &std::collections::BTreeMap<String, u64>| {
        let sums: Vec<String> = sums.iter().map(|(of, sum)| format!("{sum} {of}")).collect();
        sums.join(", ")
    };
    say::line(&format!(
        "{} of {} payments, {} in minor units",
        report.hits,
        report.payments,
        sums(&report.amount)
    ));
    say::line(&format!(
        "known frauds caught: {} of {}; genuine payments hit: {}; not known yet: {}",
        report.frauds_caught, report.frauds, report.false_positives, report.unknown
    ));
    if let Some(each) = report.false_positives_per_fraud {
        say::line(&format!(
            "genuine payments hit for each fraud caught: {each:.1}"
        ));
    }
    say::line(&format!("hits that no other rule had: {}", report.alone));
    for (rule, hits) in &report.overlap {
        say::line(&format!("hits that `{rule}` had too: {hits}"));
    }
    if report.failed + unjudged > 0 {
        say::line(&format!(
            "could not be tried: {}; was never judged: {unjudged}",
            report.failed
        ));
    }
}
