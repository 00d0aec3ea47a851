//! `lombard slo`: what of each error budget is left.

use clap::Args;
use lombard_service::{
    metrics::label::Label,
    slo::{self, Budget, WINDOW_DAYS},
};
use serde::Deserialize;

use crate::{
    client::Server,
    exit::{Exit, Failure, OrExit, Outcome, failure},
    say,
};

/// Arguments of `lombard slo`.
#[derive(Debug, Args)]
#[command(after_help = "\
Without --prometheus: of the running instance, since it started. With it: of the last 30 days, over
all instances, as Prometheus has them. The exit code is 1 when a budget is used up.

Examples: lombard slo
          lombard slo --metrics http://127.0.0.1:9464
          lombard slo --prometheus http://127.0.0.1:9090")]
pub struct Slo {
    #[command(flatten)]
    server: Server,
    /// Where the instance tells its metrics. Without it: the one that runs on the data folder.
    #[arg(long, value_name = "URL", conflicts_with = "prometheus")]
    metrics: Option<String>,
    /// A Prometheus that scrapes it.
    #[arg(long, value_name = "URL")]
    prometheus: Option<String>,
}

/// Prints the budgets.
pub async fn run(args: &Slo, as_json: bool) -> Outcome {
    let (budgets, since) = match &args.prometheus {
        Some(url) => (of_prometheus(url).await?, "the last 30 days"),
        None => (of_instance(args).await?, "since the start"),
    };
    if as_json {
        budgets.iter().for_each(say::json);
    } else {
        for budget in &budgets {
            say::line(&told(budget, since));
        }
    }
    let spent = budgets.iter().any(|budget| budget.left <= 0.0);
    Ok(if spent { Exit::No } else { Exit::Done })
}

fn told(budget: &Budget, since: &str) -> String {
    let Budget {
        slo,
        promise,
        events,
        errors,
        left,
    } = budget;
    let left = left * 100.0;
    format!("{slo:<13} {left:>8.2} % left   {errors} of {events} {since}   {promise}")
}

async fn of_instance(args: &Slo) -> Result<Vec<Budget>, Failure> {
    let url = match &args.metrics {
        Some(url) => url.clone(),
        None => args.server.metrics_url()?,
    };
    get(&format!("{}/slo", url.trim_end_matches('/')), &[]).await
}

/// What Prometheus answers to an instant query, as far as it is needed.
#[derive(Deserialize)]
struct Answer {
    data: Data,
}

#[derive(Deserialize)]
struct Data {
    result: Vec<Sample>,
}

#[derive(Deserialize)]
struct Sample {
    /// The moment, and the number as text.
    value: (f64, String),
}

async fn of_prometheus(base: &str) -> Result<Vec<Budget>, Failure> {
    let mut budgets = Vec::new();
    for slo in slo::Slo::ALL {
        let events = increase(base, "events", *slo).await?;
        let errors = increase(base, "errors", *slo).await?;
        budgets.push(Budget::after(*slo, events, errors));
    }
    Ok(budgets)
}

/// How much a counter grew within the window; 0 when Prometheus knows nothing of it.
async fn increase(base: &str, what: &str, slo: slo::Slo) -> Result<u64, Failure> {
    let name = slo.value();
    let query =
        format!("sum(increase(lombard_slo_{what}_total{{slo=\"{name}\"}}[{WINDOW_DAYS}d]))");
    let url = format!("{}/api/v1/query", base.trim_end_matches('/'));
    let answer: Answer = get(&url, &[("query", &query)]).await?;
    let Some(sample) = answer.data.result.first() else {
        return Ok(0);
    };
    let number: f64 =
        { sample.value.1.parse() }.or_exit(Exit::Refused, "a number of Prometheus")?;
    // Increases are extrapolated; what is counted is whole.
    Ok(number.round() as u64)
}

async fn get<T: serde::de::DeserializeOwned>(
    url: &str,
    query: &[(&str, &str)],
) -> Result<T, Failure> {
    let http = crate::client::http()?;
    let mut url: reqwest::Url = url.parse().or_exit(Exit::Usage, url)?;
    url.query_pairs_mut().extend_pairs(query);
    let answer = http.get(url.clone()).send().await;
    let answer = answer.or_exit(Exit::Unreachable, format!("{url} does not answer"))?;
    if !answer.status().is_success() {
        let status = answer.status();
        return Err(failure(Exit::Refused, format!("{url} answers {status}")));
    }
    answer.json().await.or_exit(Exit::Refused, "its answer")
}
