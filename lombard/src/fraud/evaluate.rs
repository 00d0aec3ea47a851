//! `lombard fraud evaluate`: train and score by the protocol of the Fraud Detection Handbook.

use std::{path::PathBuf, time::Instant};

use clap::{Args, ValueEnum};
use lombard_risk::{
    features::Table,
    handbook::{self, Fold, Row},
    model::train::Settings,
};
use serde::Serialize;
use time::{Date, Month, macros::date};

use super::data;
use crate::{
    exit::{Exit, Failure, OrExit, Outcome, failure},
    say,
};

/// Arguments of `lombard fraud evaluate`.
#[derive(Debug, Args)]
#[command(after_help = "\
Example: lombard fraud evaluate transactions.parquet --train-start 2018-07-25,2018-08-01 --json")]
pub struct Evaluate {
    /// Card transactions: Parquet, CSV or CSV under zstd, with the handbook's columns.
    data: PathBuf,
    /// By which protocol.
    #[arg(long, value_enum, default_value_t = Protocol::Handbook)]
    protocol: Protocol,
    /// The first days of the weeks to train on, one fold each.
    #[arg(
        long,
        value_name = "DATE[,DATE…]",
        value_delimiter = ',',
        required = true
    )]
    train_start: Vec<String>,
    /// The day from which TX_TIME_SECONDS counts.
    #[arg(long, value_name = "DATE", default_value = "2018-04-01")]
    epoch: String,
}

/// A published protocol.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Protocol {
    /// Seven days to train on, seven until labels are known, seven to test on.
    Handbook,
}

/// Means over the folds.
#[derive(Debug, Default, Serialize)]
struct Report {
    auc_roc: f64,
    average_precision: f64,
    card_precision_100: f64,
    /// Of one fold: growing and calibrating, features not counted.
    train_seconds: f64,
    /// Payments scored a second by the model, from their features.
    score_per_second: f64,
    /// Payments folded a second, with features for the weeks that need them.
    replay_per_second: f64,
    folds: Vec<FoldReport>,
}

#[derive(Debug, Serialize)]
struct FoldReport {
    train_start: String,
    train: usize,
    train_frauds: usize,
    test: usize,
    test_frauds: usize,
    auc_roc: f64,
    average_precision: f64,
    card_precision_100: f64,
}

/// Evaluates.
pub fn run(args: &Evaluate, as_json: bool) -> Outcome {
    let Protocol::Handbook = args.protocol;
    let epoch = day(&args.epoch)?;
    let folds = args
        .train_start
        .iter()
        .map(|text| fold(text, epoch))
        .collect::<Result<Vec<_>, _>>()?;
    let rows = data::read(&args.data).or_exit(Exit::Usage, args.data.display())?;
    let started = Instant::now();
    let wanted = |day: u32| {
        folds
            .iter()
            .any(|(_, fold)| fold.trains(day) || fold.tests(day))
    };
    let table = handbook::replay(&rows, wanted, &handbook::places());
    let mut report = Report {
        replay_per_second: per_second(rows.len(), started),
        ..Report::default()
    };
    let bar = say::progress(Some(folds.len() as u64), "folds");
    for (start, fold) in &folds {
        evaluate(start, *fold, &rows, &table, &mut report)?;
        bar.inc(1);
    }
    bar.finish_and_clear();
    finish(&mut report);
    if as_json {
        say::json(&report);
    } else {
        say::line(&format!(
            "AUC ROC {:.4}, average precision {:.4}, card precision@100 {:.4}; trained in {:.1} s, {:.0} scored a second",
            report.auc_roc,
            report.average_precision,
            report.card_precision_100,
            report.train_seconds,
            report.score_per_second
        ));
    }
    Ok(Exit::Done)
}

fn evaluate(
    start: &str,
    fold: Fold,
    rows: &[Row],
    table: &Table,
    report: &mut Report,
) -> Result<(), Failure> {
    let (train, test) = fold.split(rows, table);
    if test.is_empty() {
        let what = format!("the data has no payments to test on two weeks after {start}");
        return Err(failure(Exit::Usage, what));
    }
    let started = Instant::now();
    let scorer = handbook::train(rows, table, &train, &Settings::default())
        .or_exit(Exit::Usage, format!("training from {start}"))?;
    report.train_seconds += started.elapsed().as_secs_f64();
    let started = Instant::now();
    let scores: Vec<f64> = test
        .iter()
        .map(|index| scorer.probability_of_row(table.row(*index)))
        .collect();
    report.score_per_second += per_second(test.len(), started);
    let measured = handbook::measure(rows, table, &test, &scores);
    let frauds = |indices: &[usize]| {
        let fraud = |index: &&usize| rows[table.rows[**index]].fraud;
        indices.iter().filter(fraud).count()
    };
    report.folds.push(FoldReport {
        train_start: start.to_owned(),
        train: train.len(),
        train_frauds: frauds(&train),
        test: test.len(),
        test_frauds: frauds(&test),
        auc_roc: measured.auc_roc,
        average_precision: measured.average_precision,
        card_precision_100: measured.card_precision_100,
    });
    Ok(())
}

#[allow(clippy::cast_precision_loss)] // Counts of folds and rows.
fn finish(report: &mut Report) {
    let count = report.folds.len() as f64;
    let mean = |of: fn(&FoldReport) -> f64| report.folds.iter().map(of).sum::<f64>() / count;
    report.auc_roc = mean(|fold| fold.auc_roc);
    report.average_precision = mean(|fold| fold.average_precision);
    report.card_precision_100 = mean(|fold| fold.card_precision_100);
    report.train_seconds /= count;
    report.score_per_second /= count;
}

#[allow(clippy::cast_precision_loss)] // A count of rows.
fn per_second(count: usize, started: Instant) -> f64 {
    count as f64 / started.elapsed().as_secs_f64().max(1e-9)
}

/// A date.
pub fn day(text: &str) -> Result<Date, Failure> {
    let read = || {
        let mut parts = text.splitn(3, '-');
        let year = parts.next()?.parse().ok()?;
        let month = Month::try_from(parts.next()?.parse::<u8>().ok()?).ok()?;
        Date::from_calendar_date(year, month, parts.next()?.parse().ok()?).ok()
    };
    let or_failure = || {
        failure(
            Exit::Usage,
            format!("`{text}` is not a date like {}", date!(2018 - 04 - 01)),
        )
    };
    read().ok_or_else(or_failure)
}

/// The fold whose training begins on a date.
pub fn fold(text: &str, epoch: Date) -> Result<(String, Fold), Failure> {
    let days = (day(text)? - epoch).whole_days();
    let start = u32::try_from(days);
    let start = start.or_exit(Exit::Usage, format!("{text} is before {epoch}"))?;
    Ok((text.to_owned(), Fold { start }))
}
