//! Writes what was learned: the model, its card, and the curve from which thresholds were chosen.

use std::{fs, path::Path};

use lombard_risk::{
    decision::{Costs, Thresholds, costs, millionths, plot},
    drift::Scores,
    model::{calibrate::brier, card::Card, scorer::File, train::Settings},
};
use serde_json::{Value, json};

use crate::exit::{Exit, Failure, OrExit, failure};

/// A model and how it came about.
pub struct Learned {
    /// The model.
    pub file: File,
    /// The first and the last day of what it learned from.
    pub span: (String, String),
    /// How many payments those were, and how many frauds.
    pub rows: (usize, usize),
    /// How old their labels were at least, in days.
    pub label_delay_days: u32,
    /// How it was grown.
    pub settings: Settings,
    /// What was measured on later payments, by name.
    pub metrics: Vec<(String, f64)>,
    /// The scores of those later payments, and whether each was fraud.
    pub scores: Vec<f64>,
    /// See [`Learned::scores`].
    pub labels: Vec<bool>,
}

/// Writes `out` and, beside it, its card (`.md`) and its curve (`.svg`). Answers what a script and
/// what a person is told.
pub fn publish(
    learned: Learned,
    out: &Path,
    name: Option<&str>,
    costs: &Costs,
) -> Result<(Value, String), Failure> {
    let (card_at, curve_at) = (out.with_extension("md"), out.with_extension("svg"));
    if card_at == out || curve_at == out {
        let what = "a model's file ends with neither .md nor .svg: its card and its curve do";
        return Err(failure(Exit::Usage, what));
    }
    let Learned {
        mut file,
        mut metrics,
        scores,
        labels,
        ..
    } = learned;
    let stem = out
        .file_stem()
        .map(|name| name.to_string_lossy().into_owned());
    file.version = name.map(str::to_owned).or(stem).unwrap_or_default();
    let scorer = file.scorer().or_exit(Exit::Internal, "the model")?;
    metrics.push(("Brier score".to_owned(), brier(&scores, &labels)));
    let counted: Vec<u32> = scores.iter().map(|score| millionths(*score)).collect();
    let (thresholds, curve) = (
        costs.within_capacity(&counted),
        costs::curve(&counted, &labels),
    );
    let card = Card {
        span: learned.span,
        rows: learned.rows,
        label_delay_days: learned.label_delay_days,
        settings: learned.settings,
        metrics,
        features: scorer.questions(),
        thresholds: in_words(costs, thresholds, &curve),
    };
    let drawn = curve_at.file_name().unwrap_or_default().to_string_lossy();
    let page = format!("{}\n![Curve]({drawn})\n", card.page(&file.version));
    file.card = Some(card);
    let mut reference = Scores::default();
    counted.iter().for_each(|score| reference.add(*score));
    file.reference = Some(reference);
    let text = serde_json::to_string(&file).or_exit(Exit::Internal, "JSON")?;
    write(out, &text)?;
    write(&card_at, &page)?;
    write(&curve_at, &plot::curve(&curve, thresholds))?;
    let (rows, frauds) = learned.rows;
    let told = json!({"model": file.version, "file": out, "card": card_at, "curve": curve_at, "rows": rows,
        "frauds": frauds, "trees": scorer.trees(), "thresholds": thresholds});
    Ok((told, page))
}

fn write(path: &Path, text: &str) -> Result<(), Failure> {
    fs::write(path, text).or_exit(Exit::NotWritable, path.display())
}

/// The thresholds in words, and the curve that they were chosen from.
fn in_words(costs: &Costs, chosen: Thresholds, curve: &[costs::Point]) -> Vec<String> {
    let percent = |millionths: u32| f64::from(millionths) / 1e4;
    let mut lines = vec![
        format!(
            "Costs, in minor units: a fraud {}, a review {}, a false decline {}, a challenge {}; {} reviews can be done of a million payments.",
            costs.fraud,
            costs.review,
            costs.false_decline,
            costs.challenge,
            costs.reviews_per_million
        ),
        format!(
            "Chosen for them: challenge from {:.2} %, review from {:.2} %, decline from {:.2} %.",
            percent(chosen.challenge),
            percent(chosen.review),
            percent(chosen.decline)
        ),
    ];
    lines.extend(curve.iter().map(|point| {
        format!(
            "From {:.4} %: {:.1} % of frauds, {:.1} % of hits are fraud, {:.0} hits of a million.",
            percent(point.threshold),
            point.recall * 100.0,
            point.precision * 100.0,
            point.per_million
        )
    }));
    lines
}

/// What things cost: the defaults, or what a file of JSON says.
pub fn costs(path: Option<&Path>) -> Result<Costs, Failure> {
    let Some(path) = path else {
        return Ok(Costs::default());
    };
    let text = fs::read_to_string(path).or_exit(Exit::Usage, path.display())?;
    serde_json::from_str(&text).or_exit(Exit::Usage, path.display())
}
