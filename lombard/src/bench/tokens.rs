//! `lombard bench --tokens`: how many card numbers a second become tokens, and how long each takes.
//!
//! **What is measured.** The same closed loop as for payments, on `POST /v1/tokens`: an answer comes
//! after the number is sealed under its subject's own key and on disk. Afterwards one of the
//! numbers is given twice more: both tokens must have the fingerprint of one card, and nothing of
//! its number but what may be shown.

use std::sync::Arc;

use lombard_core::card::luhn;
use lombard_service::{host::SystemHost, ports::Host};
use serde::Serialize;
use serde_json::{Value, json};

use super::{
    Bench, Process, Target,
    figures::{Figures, median},
    one,
    setup::locate,
    template::{KEY, KeySpace, Place, Template, post},
};
use crate::{
    client::Remote,
    exit::{Exit, Failure, Outcome},
    say,
};

/// Numbers among which the requests choose.
const CARDS: u64 = 4_096;
/// Where the number stands in the template.
const NUMBER: &str = "<number-number->";

/// What is told.
#[derive(Debug, Serialize)]
struct Report {
    tokens_per_second: f64,
    p50_ms: f64,
    p99_ms: f64,
    p999_ms: f64,
    max_ms: f64,
    /// Tokens that were made, the warm-up's among them.
    made: u64,
    /// Other answers, and calls without one.
    failed: u64,
    /// Processor time of the server for each, in microseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    server_cpu_us: Option<f64>,
    connections: usize,
    seconds: u64,
    reps: usize,
    /// Whether an answer meant that the token was on disk.
    durable: bool,
    /// Whether one card has one fingerprint, and no answer its number.
    sound: bool,
}

/// Measures and tells. The exit code is [`Exit::No`] when a call failed or an answer was wrong.
pub async fn run(args: &Bench, as_json: bool) -> Outcome {
    let target = Target::find(args)?;
    let (host, address) = locate(&target.url).await?;
    let numbers: Arc<[String]> = (0..CARDS).map(number).collect();
    let request = post(&host, "/v1/tokens", &target.key, &card(NUMBER).to_string());
    let seed = KeySpace::fresh();
    let mut runs = Vec::new();
    let bar = say::progress(Some(args.reps as u64), "runs");
    for rep in 0..args.reps {
        let places = vec![
            (KEY, Place::Key(KeySpace(seed.0.wrapping_add(rep as u64)))),
            (NUMBER, Place::OneOf(numbers.clone())),
        ];
        let load = args.load(address, Template::new(&request, places));
        runs.push(one(load, target.process.as_ref().map(Process::id)).await?);
        bar.inc(1);
    }
    bar.finish_and_clear();
    let report = Report::of(
        args,
        &target,
        &runs,
        is_one_card(&target.remote, seed).await?,
    );
    if as_json {
        say::json(&report);
    } else {
        report.tell();
    }
    let good = report.sound && report.failed == 0;
    Ok(if good { Exit::Done } else { Exit::No })
}

/// The `n`th card number: sixteen digits of a range of Visa's.
fn number(n: u64) -> String {
    let digits = ('0'..='9').map(|last| format!("40000{n:010}{last}"));
    // One of the ten is the check digit.
    digits.filter(|it| luhn(it.as_bytes())).collect()
}

/// A card of a number that is good for some time.
fn card(number: &str) -> Value {
    let today = SystemHost::default().now().to_string();
    // A moment begins with its year.
    let year = today[..4].parse::<u32>().unwrap_or_default();
    json!({"card": {"number": number, "exp_month": 12, "exp_year": year + 2}})
}

/// Gives one card twice: other tokens, one fingerprint, and nowhere the number.
async fn is_one_card(remote: &Remote, seed: KeySpace) -> Result<bool, Failure> {
    let number = number(0);
    let body = card(&number);
    let mut made = Vec::new();
    for time in 0..2 {
        let key = format!("one-card-{:016x}-{time}", seed.0);
        made.push(remote.post("/v1/tokens", &key, &body).await?);
    }
    let is_text = |name: &str| made[0][name].as_str().is_some_and(|text| !text.is_empty());
    let hidden = |token: &Value| !token.to_string().contains(&number);
    Ok(is_text("id")
        && is_text("fingerprint")
        && made[0]["id"] != made[1]["id"]
        && made[0]["fingerprint"] == made[1]["fingerprint"]
        && made.iter().all(hidden))
}

impl Report {
    fn of(args: &Bench, target: &Target, runs: &[Figures], sound: bool) -> Self {
        let figures = median(runs);
        let refused = runs.iter().flat_map(|run| run.refused.values());
        Self {
            tokens_per_second: figures.payments_per_second,
            p50_ms: figures.p50_ms,
            p99_ms: figures.p99_ms,
            p999_ms: figures.p999_ms,
            max_ms: figures.max_ms,
            made: runs.iter().map(|run| run.accepted).sum(),
            failed: refused.sum::<u64>() + runs.iter().map(|run| run.unknown).sum::<u64>(),
            server_cpu_us: figures.server_cpu_us,
            connections: args.connections,
            seconds: args.seconds,
            reps: args.reps,
            durable: target.durable,
            sound,
        }
    }

    fn tell(&self) {
        say::line(&format!(
            "{:.0} tokens/s over {} connections; half took no longer than {} ms, 99 % no longer than {} ms",
            self.tokens_per_second, self.connections, self.p50_ms, self.p99_ms
        ));
        say::line(&format!(
            "{} made, {} failed; sound: {}",
            self.made, self.failed, self.sound
        ));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_numbers_are_cards() {
        assert_eq!(number(0), "4000000000000002");
        for n in 0..CARDS {
            assert_eq!(number(n).len(), NUMBER.len());
        }
    }
}
