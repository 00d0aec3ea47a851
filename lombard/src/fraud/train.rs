//! `lombard fraud train`: a model file from labelled card transactions.

use std::path::PathBuf;

use clap::Args;
use lombard_risk::{handbook, model::train::Settings};

use super::{
    data,
    evaluate::{day, fold},
    publish::{Learned, costs, publish},
};
use crate::{
    exit::{Exit, OrExit, Outcome, failure},
    say,
};

/// Arguments of `lombard fraud train`.
#[derive(Debug, Args)]
#[command(after_help = "\
The model learns from the seven days after --train-start and is measured on the week that begins
seven days after those, when the labels of the former are known. Beside FILE a model card (.md) and
the curve of its thresholds (.svg) are written.
Example: lombard fraud train transactions.parquet --train-start 2018-08-15 --out cards.json")]
pub struct Train {
    /// Card transactions: Parquet, CSV or CSV under zstd, with the handbook's columns.
    data: PathBuf,
    /// The first day of the week to learn from.
    #[arg(long, value_name = "DATE")]
    train_start: String,
    /// The day from which TX_TIME_SECONDS counts.
    #[arg(long, value_name = "DATE", default_value = "2018-04-01")]
    epoch: String,
    /// What frauds, reviews, challenges and false declines cost, as JSON; round figures otherwise.
    #[arg(long, value_name = "FILE")]
    costs: Option<PathBuf>,
    /// What the model is called; the file's name when absent.
    #[arg(long)]
    name: Option<String>,
    /// Where the model goes.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

/// Trains.
pub fn run(args: &Train, as_json: bool) -> Outcome {
    let costs = costs(args.costs.as_deref())?;
    let (start, fold) = fold(&args.train_start, day(&args.epoch)?)?;
    let rows = data::read(&args.data).or_exit(Exit::Usage, args.data.display())?;
    let wanted = |day| fold.trains(day) || fold.tests(day);
    let table = handbook::replay(&rows, wanted, &handbook::places());
    let (train, test) = fold.split(&rows, &table);
    if test.is_empty() {
        let what = format!("the data has no payments to measure on two weeks after {start}");
        return Err(failure(Exit::Usage, what));
    }
    let settings = Settings::default();
    let file = handbook::learn(&rows, &table, &train, &settings)
        .or_exit(Exit::Usage, format!("training from {start}"))?;
    let scorer = file.scorer().or_exit(Exit::Internal, "the model")?;
    let score = |row: &usize| scorer.probability_of_row(table.row(*row));
    let scores: Vec<f64> = test.iter().map(score).collect();
    let is_fraud = |row: &&usize| rows[table.rows[**row]].fraud;
    let measured = handbook::measure(&rows, &table, &test, &scores);
    let learned = Learned {
        file,
        span: (start, format!("{} days later", handbook::WEEK - 1)),
        rows: (train.len(), train.iter().filter(is_fraud).count()),
        label_delay_days: handbook::DELAY / handbook::DAY,
        settings,
        metrics: vec![
            ("AUC ROC".to_owned(), measured.auc_roc),
            ("average precision".to_owned(), measured.average_precision),
            ("card precision@100".to_owned(), measured.card_precision_100),
        ],
        labels: test.iter().map(|row| is_fraud(&row)).collect(),
        scores,
    };
    let (told, page) = publish(learned, &args.out, args.name.as_deref(), &costs)?;
    if as_json {
        say::json(&told);
    } else {
        say::line(&page);
    }
    Ok(Exit::Done)
}
