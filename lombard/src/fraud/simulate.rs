//! `lombard fraud simulate`: a made-up world of payments between accounts, with scams and mules.

use std::{
    collections::BTreeMap,
    fs::File,
    io::{BufWriter, Write},
    path::PathBuf,
};

use clap::Args;
use lombard_risk::{
    features::{self, Kind, Pair, catalogue},
    metrics,
    model::train::{Settings, learn},
    simulate::{Pattern, Payment, World, generate},
};
use serde::Serialize;
use serde_json::json;

use super::publish::{Learned, costs, publish};
use crate::{
    exit::{Exit, Failure, OrExit, Outcome, failure},
    say,
};

/// Arguments of `lombard fraud simulate`.
#[derive(Debug, Args)]
#[command(after_help = "\
Figures measured on such a world say nothing about production.
Examples: lombard fraud simulate --seed 7 --evaluate --json
          lombard fraud simulate --out payments.csv --model accounts.json")]
pub struct Simulate {
    /// Decides everything.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How many customers.
    #[arg(long, default_value_t = 5_000)]
    customers: u32,
    /// How many days.
    #[arg(long, default_value_t = 120)]
    days: u32,
    /// Write the payments here, as CSV.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Train on 30 days that end five weeks before the last, and test on the last 28.
    #[arg(long)]
    evaluate: bool,
    /// Write the model that is trained so here.
    #[arg(long, value_name = "FILE")]
    model: Option<PathBuf>,
}

/// Days of training, of label delay and of testing.
const SPLIT: (u32, u32, u32) = (30, 7, 28);
const DAY: u32 = 86_400;
/// The share of payments that alerts are counted for: one of two hundred.
const ALERTS: usize = 200;

/// Makes the world.
pub fn run(args: &Simulate, as_json: bool) -> Outcome {
    let world = World {
        seed: args.seed,
        customers: args.customers,
        days: args.days,
        ..World::default()
    };
    let payments = generate(&world);
    if let Some(path) = &args.out {
        let file = File::create(path).or_exit(Exit::NotWritable, path.display())?;
        write(BufWriter::new(file), &payments).or_exit(Exit::NotWritable, path.display())?;
    }
    let frauds = payments.iter().filter(|payment| payment.fraud).count();
    let mut report = json!({"world": world, "payments": payments.len(), "frauds": frauds});
    if args.evaluate || args.model.is_some() {
        let (learned, measured) = study(&world, &payments, Settings::default())?;
        report["measured"] = json!(measured);
        if let Some(path) = &args.model {
            let (told, _) = publish(learned, path, None, &costs(None)?)?;
            report["model"] = told;
        }
    }
    if as_json {
        say::json(&report);
    } else {
        say::line(&format!("{report:#}"));
    }
    Ok(Exit::Done)
}

fn write(mut out: impl Write, payments: &[Payment]) -> std::io::Result<()> {
    writeln!(out, "id,at,amount,customer,payee,device,fraud,pattern")?;
    for it in payments {
        writeln!(
            out,
            "{},{},{},{},{},{},{},{}",
            it.id,
            it.at,
            it.amount,
            it.customer,
            it.payee,
            it.device,
            u8::from(it.fraud),
            it.pattern.name()
        )?;
    }
    out.flush()
}

/// Every feature that such payments have, but for those of the customer, who has one account.
fn features() -> (Vec<usize>, Vec<&'static str>) {
    let prefixes: Vec<String> = [Kind::Account, Kind::Payee, Kind::Device]
        .map(|kind| format!("{}_", kind.name()))
        .into_iter()
        .chain([Pair::AccountPayee, Pair::CustomerDevice].map(|pair| format!("{}_", pair.name())))
        .collect();
    let own = ["amount", "hour", "weekday", "round_amount", "new_payee"];
    let wanted =
        |name: &str| own.contains(&name) || prefixes.iter().any(|prefix| name.starts_with(prefix));
    let all = catalogue::all().iter().enumerate();
    all.filter(|(_, feature)| wanted(&feature.name))
        .map(|(place, feature)| (place, feature.name.as_str()))
        .unzip()
}

/// How good a model is on the last days of a world.
#[derive(Debug, Serialize)]
pub struct Measured {
    auc_roc: f64,
    average_precision: f64,
    test_payments: usize,
    test_frauds: usize,
    /// The share of frauds among the half per cent of payments with the highest scores.
    precision_of_alerts: f64,
    /// The share of each pattern's payments that is among those.
    caught_by_alerts: BTreeMap<&'static str, f64>,
}

/// Trains on 30 days of a world, and measures on its last 28.
///
/// # Errors
/// [`Exit::Usage`] when the world is too short or has too few frauds.
pub fn study(
    world: &World,
    payments: &[Payment],
    settings: Settings,
) -> Result<(Learned, Measured), Failure> {
    let (train_days, delay, test_days) = SPLIT;
    let needed = train_days + delay + test_days;
    let Some(start) = world.days.checked_sub(needed) else {
        let what = format!("to be evaluated a world needs {needed} days");
        return Err(failure(Exit::Usage, what));
    };
    let day = |index: usize| {
        let since = payments[index].at.ms_since(world.start) / 1000;
        u32::try_from(since).unwrap_or(u32::MAX) / DAY
    };
    let (places, names) = features();
    let history = payments
        .iter()
        .map(|payment| (payment.event(), payment.fraud));
    let table = features::replay(
        history,
        delay * DAY,
        |index, _| day(index) >= start,
        &places,
    );
    let between = |from: u32, to: u32| -> Vec<usize> {
        let rows = 0..table.rows.len();
        rows.filter(|row| (from..to).contains(&day(table.rows[*row])))
            .collect()
    };
    let train = between(start, start + train_days);
    let fraud = |index: usize| payments[index].fraud;
    let file = learn(("accounts", &names), &table, &train, fraud, &settings)
        .or_exit(Exit::Usage, "training")?;
    let scorer = file.scorer().or_exit(Exit::Internal, "the model")?;
    let test = between(start + train_days + delay, world.days);
    let score = |row: &usize| scorer.probability_of_row(table.row(*row));
    let scores: Vec<f64> = test.iter().map(score).collect();
    let tested: Vec<&Payment> = test.iter().map(|row| &payments[table.rows[*row]]).collect();
    let measured = measure(&tested, &scores);
    let frauds = train.iter().filter(|row| fraud(table.rows[**row])).count();
    let at = |day: u32| world.start.plus_ms(u64::from(day * DAY) * 1000).to_string();
    let learned = Learned {
        file,
        span: (at(start), at(start + train_days)),
        rows: (train.len(), frauds),
        label_delay_days: delay,
        settings,
        metrics: vec![
            ("AUC ROC".to_owned(), measured.auc_roc),
            ("average precision".to_owned(), measured.average_precision),
        ],
        labels: tested.iter().map(|payment| payment.fraud).collect(),
        scores,
    };
    Ok((learned, measured))
}

#[allow(clippy::cast_precision_loss)] // Counts of payments.
fn measure(tested: &[&Payment], scores: &[f64]) -> Measured {
    let labels: Vec<bool> = tested.iter().map(|payment| payment.fraud).collect();
    let mut order: Vec<usize> = (0..scores.len()).collect();
    order.sort_by(|one, other| scores[*other].total_cmp(&scores[*one]));
    let alerts = &order[..order.len() / ALERTS];
    let mut of_pattern: BTreeMap<Pattern, (usize, usize)> = BTreeMap::new();
    for payment in tested.iter().filter(|payment| payment.fraud) {
        of_pattern.entry(payment.pattern).or_default().0 += 1;
    }
    for alert in alerts.iter().filter(|alert| labels[**alert]) {
        of_pattern.entry(tested[*alert].pattern).or_default().1 += 1;
    }
    let share = |part: usize, all: usize| part as f64 / all.max(1) as f64;
    let hits = alerts.iter().filter(|alert| labels[**alert]).count();
    Measured {
        auc_roc: metrics::auc_roc(scores, &labels),
        average_precision: metrics::average_precision(scores, &labels),
        test_payments: labels.len(),
        test_frauds: labels.iter().filter(|fraud| **fraud).count(),
        precision_of_alerts: share(hits, alerts.len()),
        caught_by_alerts: of_pattern
            .into_iter()
            .map(|(pattern, (all, caught))| (pattern.name(), share(caught, all)))
            .collect(),
    }
}
