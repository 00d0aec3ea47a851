//! Grows trees.
//!
//! **Shape.** A bag of boosters that differ in their seed only, averaged into one forest: a week
//! of payments holds some six hundred frauds, and what one booster happens to make of them
//! differs more than what the features say. The forest is kept as an XGBoost model, so that other
//! tools can read it and a model of theirs can take its place.
//!
//! **Deterministic.** The same rows and settings give the same bytes, on any number of threads.

use hessboost::{
    config::{TrainingParams, TreeMethod},
    data::DMatrix,
    error::HessboostError,
    model::{BoostedModel, ModelFormat},
    objective::{Objective, RegLoss},
    training,
};
use serde::{Deserialize, Serialize};

use super::{
    calibrate::Calibration,
    forest::{Forest, Unusable},
    scorer::File,
    xgboost,
};
use crate::features::Table;

/// How to grow.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Settings {
    /// Trees of each booster.
    pub rounds: usize,
    /// Questions on the longest path of a tree.
    pub depth: usize,
    /// How much of its advice each tree's counts.
    pub eta: f64,
    /// Share of rows that each tree sees.
    pub rows: f64,
    /// Share of features that each tree sees.
    pub columns: f64,
    /// The least weight of a leaf: about four times the rows it needs when odds are even.
    pub leaf_weight: f64,
    /// Draws leaves towards zero.
    pub lambda: f64,
    /// Boosters that are averaged.
    pub bag: usize,
    /// The first booster's seed; each next one's is one more.
    pub seed: u64,
}

impl Default for Settings {
    /// Chosen on the weeks before the handbook's test weeks; `docs/fraud.md` says how.
    fn default() -> Self {
        Self {
            rounds: 120,
            depth: 4,
            eta: 0.05,
            rows: 0.7,
            columns: 0.4,
            leaf_weight: 2.0,
            lambda: 2.0,
            bag: 5,
            seed: 1,
        }
    }
}

/// Rows to learn from.
#[derive(Clone, Copy, Debug)]
pub struct Rows<'a> {
    /// Features, one row after another; `NaN` where there is nothing to say.
    pub values: &'a [f32],
    /// Features of a row.
    pub width: usize,
    /// Whether each was fraud.
    pub labels: &'a [bool],
}

/// What came of it.
#[derive(Clone, Debug)]
pub struct Trained {
    /// The forest, as XGBoost writes it.
    pub xgboost: serde_json::Value,
    /// The same, to score with.
    pub forest: Forest,
    /// From margins to probabilities.
    pub calibration: Calibration,
}

/// Why nothing came of it.
#[derive(Debug, thiserror::Error)]
pub enum TrainError {
    /// There is nothing to learn from.
    #[error(
        "there must be at least 10 frauds and 10 genuine payments to learn from; there are {frauds} and {genuine}"
    )]
    TooFew {
        /// Rows of fraud.
        frauds: usize,
        /// All others.
        genuine: usize,
    },
    /// The trees would not grow.
    #[error("training failed: {0}")]
    Failed(String),
    /// What grew cannot be read.
    #[error(transparent)]
    Unusable(#[from] Unusable),
}

impl From<HessboostError> for TrainError {
    fn from(error: HessboostError) -> Self {
        Self::Failed(error.to_string())
    }
}

const LEAST: usize = 10;
/// The share of rows, the first in time, that the booster for the calibration learns from.
const CALIBRATION_SHARE: f64 = 0.7;

/// Grows a forest, and calibrates it.
///
/// Rows should be in the order of time: the calibration is fitted to the last of them by a
/// booster that has seen only the first.
///
/// # Errors
/// See [`TrainError`].
pub fn train(rows: Rows<'_>, settings: &Settings) -> Result<Trained, TrainError> {
    let frauds = rows.labels.iter().filter(|fraud| **fraud).count();
    let genuine = rows.labels.len() - frauds;
    if frauds < LEAST || genuine < LEAST {
        return Err(TrainError::TooFew { frauds, genuine });
    }
    let boosters: Vec<BoostedModel> = (0..settings.bag.max(1) as u64)
        .map(|member| grow(rows, settings, settings.seed + member))
        .collect::<Result<_, _>>()?;
    let average = BoostedModel::average(&boosters)?;
    let text = average.encode(ModelFormat::XgboostJson)?;
    let text = String::from_utf8(text).map_err(|error| TrainError::Failed(error.to_string()))?;
    Ok(Trained {
        forest: xgboost::read(&text)?,
        xgboost: serde_json::from_str(&text).map_err(|error| Unusable(error.to_string()))?,
        calibration: calibrate(rows, settings)?,
    })
}

/// Learns from rows of a table, and gives the file of a model: its name and the names of
/// the table's features come first; `fraud` says what became of a payment of the history.
///
/// # Errors
/// See [`TrainError`].
pub fn learn(
    (name, features): (&str, &[&str]),
    table: &Table,
    indices: &[usize],
    fraud: impl Fn(usize) -> bool,
    settings: &Settings,
) -> Result<File, TrainError> {
    let values: Vec<f32> = indices
        .iter()
        .flat_map(|index| table.row(*index))
        .copied()
        .collect();
    let labels: Vec<bool> = indices
        .iter()
        .map(|index| fraud(table.rows[*index]))
        .collect();
    let rows = Rows {
        values: &values,
        width: table.width,
        labels: &labels,
    };
    let trained = train(rows, settings)?;
    let mut file = File::new(name, features, &trained);
    file.expected = trained.forest.expected(values.chunks_exact(table.width));
    Ok(file)
}

fn grow(rows: Rows<'_>, settings: &Settings, seed: u64) -> Result<BoostedModel, TrainError> {
    let labels: Vec<f32> = rows
        .labels
        .iter()
        .map(|fraud| f32::from(u8::from(*fraud)))
        .collect();
    let data = DMatrix::from_dense(rows.values, rows.labels.len(), rows.width)?;
    let data = data.with_labels(&labels)?;
    let params = TrainingParams::builder()
        .objective(Objective::BinaryLogistic(RegLoss::default()))
        .tree_method(TreeMethod::Hist)
        .seed(seed)
        .max_depth(settings.depth)
        .eta(settings.eta)
        .subsample(settings.rows)
        .colsample_bytree(settings.columns)
        .min_child_weight(settings.leaf_weight)
        .lambda(settings.lambda)
        .build()?;
    Ok(training::train(&params, &data, settings.rounds)?)
}

/// Fits the calibration on the last rows, which its booster has not seen.
fn calibrate(rows: Rows<'_>, settings: &Settings) -> Result<Calibration, TrainError> {
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss
    )]
    let cut = (rows.labels.len() as f64 * CALIBRATION_SHARE) as usize;
    let (first, last) = rows.labels.split_at(cut);
    let frauds = |labels: &[bool]| labels.iter().filter(|fraud| **fraud).count();
    if frauds(first) < LEAST || frauds(last) < LEAST {
        return Ok(Calibration::default());
    }
    let (early, late) = rows.values.split_at(cut * rows.width);
    let early = Rows {
        values: early,
        width: rows.width,
        labels: first,
    };
    let booster = grow(early, settings, settings.seed)?;
    let data = DMatrix::from_dense(late, last.len(), rows.width)?;
    let margins = booster.predict_margin(&data, hessboost::model::Iterations::Best)?;
    let margins: Vec<f64> = margins
        .as_slice()
        .iter()
        .map(|margin| f64::from(*margin))
        .collect();
    Ok(Calibration::fit(&margins, last))
}
