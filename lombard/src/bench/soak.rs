//! `lombard bench --soak`: load for a long time, watched from outside.
//!
//! Every so often the server's memory is read, and its own log is asked how long transactions wait to be
//! in it. At the end two questions are answered: does memory stay where it was, and does anything fall behind.
//! Both are about growth, so that a short soak says little: minutes are meant, or hours.

use std::time::Duration;

use serde::Serialize;
use tokio::time::{Instant, interval};

use super::{
    Bench, RailChoice, Target,
    books::Books,
    figures::{Figures, round},
    one, process,
    setup::{self},
    stored,
    template::KeySpace,
};
use crate::{
    client::Remote,
    exit::{Exit, Failure, Outcome, failure},
    say,
};

/// How often it is looked at, in the measured time.
const SAMPLES: u32 = 40;
/// Memory that grows by no more, from the second quarter of the time to the last, is flat: caches are full by
/// then, and what is left is the coming and going of memtables.
const GROWTH_MAX: f64 = 1.1;
/// A transaction that is in the log within this time has not waited, in milliseconds.
const LAG_MS_MAX: u64 = 1_000;

/// What is told.
#[derive(Debug, Serialize)]
struct Report {
    #[serde(flatten)]
    figures: Figures,
    connections: usize,
    hot: bool,
    durable: bool,
    soak: bool,
    rail: RailChoice,
    seconds: u64,
    samples: Vec<Sample>,
    #[serde(flatten)]
    verdict: Verdict,
    /// How long after the last payment all sums were right, in milliseconds.
    drained_ms: u64,
    accepted_is_stored: bool,
    balanced: bool,
}

/// How the server was at a moment.
#[derive(Clone, Copy, Debug, Serialize)]
struct Sample {
    /// Since the beginning, with the warm-up.
    second: f64,
    /// Memory in use; unknown of a server that is not our own.
    memory_bytes: Option<u64>,
    /// How long the oldest transaction had been waiting to be in the log.
    lag_ms: u64,
    /// How long the last batch took from its first commit to the checkpoint.
    inclusion_ms: u64,
}

/// What the samples say together.
#[derive(Debug, PartialEq, Serialize)]
struct Verdict {
    /// Memory in the last quarter of the time, as a multiple of that in the second.
    memory_growth: Option<f64>,
    memory_flat: Option<bool>,
    lag_ms_max: u64,
    inclusion_ms_max: u64,
    no_lag: bool,
}

impl Verdict {
    fn of(samples: &[Sample]) -> Self {
        let quarter = samples.len() / 4;
        let memory = |part: &[Sample]| {
            let mut all: Vec<u64> = part.iter().filter_map(|it| it.memory_bytes).collect();
            all.sort_unstable();
            all.get(all.len() / 2).map(|bytes| *bytes as f64)
        };
        let early = memory(&samples[quarter..2 * quarter]);
        let late = memory(&samples[samples.len() - quarter..]);
        let growth = early.zip(late).map(|(early, late)| late / early);
        let most = |of: fn(&Sample) -> u64| samples.iter().map(of).max().unwrap_or(0);
        let (lag_ms_max, inclusion_ms_max) = (most(|it| it.lag_ms), most(|it| it.inclusion_ms));
        Self {
            memory_growth: growth.map(|growth| round(growth, 3)),
            memory_flat: growth.map(|growth| growth <= GROWTH_MAX),
            lag_ms_max,
            inclusion_ms_max,
            no_lag: lag_ms_max.max(inclusion_ms_max) <= LAG_MS_MAX,
        }
    }
}

/// Soaks and tells. The exit code is [`Exit::No`] when memory grew, something fell behind, a payment is missing
/// or the books do not balance.
pub async fn run(args: &Bench, as_json: bool) -> Outcome {
    let target = Target::find(args)?;
    let prepared = setup::prepare(args, &target.remote, &target.url, &target.key).await?;
    let before = Books::read(&target.remote, prepared.currency).await?;
    let server = target.process.as_ref().map(process::Process::id);
    let load = prepared.load(args, KeySpace(prepared.seed));
    let (measured, samples) = tokio::join!(
        one(load, server),
        watch(&target.remote, server, args.warm_up() + args.measured()),
    );
    let (figures, samples) = (measured?, samples?);
    let ended = Instant::now();
    let after = Books::settle(&target.remote, prepared.currency).await?;
    let drained_ms = ended.elapsed().as_millis() as u64;
    let report = Report {
        accepted_is_stored: stored(std::slice::from_ref(&figures), before, after),
        balanced: after.balanced(),
        figures,
        connections: args.connections,
        hot: args.hot,
        durable: target.durable,
        soak: true,
        rail: args.rail,
        seconds: args.seconds,
        verdict: Verdict::of(&samples),
        samples,
        drained_ms,
    };
    if as_json {
        say::json(&report);
    } else {
        report.tell();
    }
    let verdict = &report.verdict;
    let steady = verdict.memory_flat != Some(false) && verdict.no_lag;
    let sound = report.accepted_is_stored && report.balanced;
    Ok(if steady && sound {
        Exit::Done
    } else {
        Exit::No
    })
}

/// Looks at the server again and again, for `time`.
async fn watch(
    remote: &Remote,
    server: Option<u32>,
    time: Duration,
) -> Result<Vec<Sample>, Failure> {
    let begun = Instant::now();
    let mut ticks = interval(time / SAMPLES);
    let mut samples = Vec::new();
    let bar = say::progress(Some(time.as_secs()), "seconds");
    while begun.elapsed() < time {
        ticks.tick().await;
        let log = remote.get("/v1/log").await;
        // Before the first transaction there is no checkpoint, and nothing waits for one.
        let log = match log {
            Err(_) if samples.is_empty() => continue,
            log => log?,
        };
        let number = |name: &str| {
            let number = log[name].as_u64();
            number.ok_or_else(|| failure(Exit::Internal, format!("`/v1/log` without `{name}`")))
        };
        samples.push(Sample {
            second: round(begun.elapsed().as_secs_f64(), 1),
            memory_bytes: server.and_then(process::memory_bytes),
            lag_ms: number("lag_ms")?,
            inclusion_ms: number("inclusion_ms")?,
        });
        bar.set_position(begun.elapsed().as_secs());
    }
    bar.finish_and_clear();
    Ok(samples)
}

impl Report {
    fn tell(&self) {
        let Figures {
            payments_per_second,
            p50_ms,
            p99_ms,
            ..
        } = &self.figures;
        let seconds = self.seconds;
        say::line(&format!(
            "{payments_per_second:.0} payments/s for {seconds} s, p50 {p50_ms} ms, p99 {p99_ms} ms"
        ));
        for sample in &self.samples {
            let memory = sample.memory_bytes.map_or_else(
                || "unknown".to_owned(),
                |bytes| format!("{} MB", bytes / 1_000_000),
            );
            let Sample {
                second,
                lag_ms,
                inclusion_ms,
                ..
            } = sample;
            say::line(&format!(
                "{second:>8} s: memory {memory}, lag {lag_ms} ms, inclusion {inclusion_ms} ms"
            ));
        }
        let yes = |holds: bool| if holds { "yes" } else { "NO" };
        let verdict = &self.verdict;
        say::line(&format!(
            "memory flat: {}; no lag: {}; accepted is stored: {}; books balance: {}, {} ms after the end",
            verdict.memory_flat.map_or("unknown", yes),
            yes(verdict.no_lag),
            yes(self.accepted_is_stored),
            yes(self.balanced),
            self.drained_ms,
        ));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn samples(memory: impl Fn(u64) -> Option<u64>, lag_ms: u64) -> Vec<Sample> {
        let sample = |n: u64| Sample {
            second: n as f64,
            memory_bytes: memory(n),
            lag_ms: if n == 20 { lag_ms } else { 100 },
            inclusion_ms: 400,
        };
        (0..40).map(sample).collect()
    }

    #[test]
    fn memory_that_grows_and_a_log_that_waits_are_told() {
        let warm = Verdict::of(&samples(|n| Some(100 + n.min(8) * 20), 300));
        assert_eq!((warm.memory_flat, warm.no_lag), (Some(true), true));
        let leak = Verdict::of(&samples(|n| Some(100 + n), 300));
        assert_eq!(
            (leak.memory_flat, leak.memory_growth),
            (Some(false), Some(1.174))
        );
        let behind = Verdict::of(&samples(|_| None, 1_001));
        assert_eq!((behind.memory_flat, behind.lag_ms_max), (None, 1_001));
        assert!(!behind.no_lag);
        assert_eq!(Verdict::of(&[]).memory_flat, None);
    }
}
