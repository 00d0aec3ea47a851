//! A model as it is kept and used: a forest, the names of what it reads, and its calibration.

use serde::{Deserialize, Serialize};

use super::{
    calibrate::Calibration,
    card::Card,
    forest::{Forest, Unusable},
    lightgbm, xgboost,
};
use crate::{
    drift::Scores,
    features::{Vector, catalogue},
};

/// The format of a model file.
const FORMAT: &str = "lombard-risk-model/1";

/// The most characters of a model's version.
const VERSION_MAX: usize = 200;

/// A model file: JSON, self-contained.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct File {
    /// [`FORMAT`].
    pub format: String,
    /// What the tenant calls it, such as `2026-11-cards`.
    pub version: String,
    /// What the forest's columns are, by the catalogue's names.
    pub features: Vec<String>,
    /// From margins to probabilities.
    pub calibration: Calibration,
    /// The forest.
    pub forest: Source,
    /// The margin to be expected at each node, for reasons; empty when it is not known.
    #[serde(default)]
    pub expected: Vec<f32>,
    /// How the scores of the payments that it was measured on are spread, to know drift by.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<Scores>,
    /// What people should know of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub card: Option<Card>,
}

/// A forest as one of the formats writes it.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// XGBoost's JSON, as an object.
    Xgboost(serde_json::Value),
    /// LightGBM's text.
    Lightgbm(String),
}

/// Why a model cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ScorerError {
    /// It is not a model file.
    #[error("not a model file: {0}")]
    File(String),
    /// The forest cannot be read.
    #[error(transparent)]
    Forest(#[from] Unusable),
    /// It reads a feature that there is not.
    #[error("the model reads `{0}`, which is not in the catalogue")]
    Feature(String),
    /// The forest has other columns than names.
    #[error("the forest reads {columns} columns, but {names} are named")]
    Columns {
        /// Columns.
        columns: usize,
        /// Names.
        names: usize,
    },
}

/// A model in use.
#[derive(Clone, Debug)]
pub struct Scorer {
    version: String,
    places: Vec<usize>,
    forest: Forest,
    calibration: Calibration,
    expected: Vec<f32>,
    reference: Option<Scores>,
}

/// A feature and how much it moved the log odds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Contribution {
    /// The feature.
    pub feature: String,
    /// Its value, if there was one.
    pub value: Option<f64>,
    /// How much it added to the log odds.
    pub weight: f32,
}

impl File {
    /// A file of what training gave.
    #[must_use]
    pub fn new(version: &str, features: &[&str], trained: &super::train::Trained) -> Self {
        Self {
            format: FORMAT.to_owned(),
            version: version.to_owned(),
            features: features.iter().map(|name| (*name).to_owned()).collect(),
            calibration: trained.calibration,
            forest: Source::Xgboost(trained.xgboost.clone()),
            expected: Vec::new(),
            reference: None,
            card: None,
        }
    }

    /// Reads a file.
    ///
    /// # Errors
    /// [`ScorerError::File`].
    pub fn parse(text: &str) -> Result<Self, ScorerError> {
        let file: Self =
            serde_json::from_str(text).map_err(|e| ScorerError::File(e.to_string()))?;
        if file.format != FORMAT {
            return Err(ScorerError::File(format!(
                "its format is `{}`",
                file.format
            )));
        }
        if file.version.chars().count() > VERSION_MAX {
            let what = format!("its version has more than {VERSION_MAX} characters");
            return Err(ScorerError::File(what));
        }
        Ok(file)
    }

    /// The model, ready to score.
    ///
    /// # Errors
    /// See [`ScorerError`].
    pub fn scorer(&self) -> Result<Scorer, ScorerError> {
        let forest = match &self.forest {
            Source::Xgboost(json) => xgboost::read(&json.to_string())?,
            Source::Lightgbm(text) => lightgbm::read(text)?,
        };
        if forest.features() != self.features.len() {
            let (columns, names) = (forest.features(), self.features.len());
            return Err(ScorerError::Columns { columns, names });
        }
        let place = |name: &String| {
            catalogue::place(name).ok_or_else(|| ScorerError::Feature(name.clone()))
        };
        Ok(Scorer {
            version: self.version.clone(),
            places: self.features.iter().map(place).collect::<Result<_, _>>()?,
            expected: if self.expected.len() == forest.nodes() {
                self.expected.clone()
            } else {
                forest.expected(std::iter::empty())
            },
            forest,
            calibration: self.calibration,
            reference: self.reference,
        })
    }
}

impl Scorer {
    /// What the model is called.
    #[must_use]
    pub fn version(&self) -> &str {
        &self.version
    }

    /// How the scores of the payments that it was measured on are spread, where that is known.
    #[must_use]
    pub const fn reference(&self) -> Option<Scores> {
        self.reference
    }

    /// The row that the model reads of a vector.
    #[must_use]
    pub fn row(&self, vector: &Vector) -> Vec<f32> {
        self.places
            .iter()
            .map(|place| vector.for_model(*place))
            .collect()
    }

    /// The probability of fraud.
    #[must_use]
    pub fn probability(&self, vector: &Vector) -> f64 {
        self.probability_of_row(&self.row(vector))
    }

    /// The probability of fraud of a row in the model's own columns.
    #[must_use]
    pub fn probability_of_row(&self, row: &[f32]) -> f64 {
        self.calibration
            .probability(f64::from(self.forest.margin(row)))
    }

    /// What moved the log odds most, the strongest first.
    #[must_use]
    pub fn contributions(&self, vector: &Vector) -> Vec<Contribution> {
        let (parts, _) = self.forest.contributions(&self.expected, &self.row(vector));
        let mut found: Vec<Contribution> = parts
            .into_iter()
            .zip(&self.places)
            .filter(|(weight, _)| *weight != 0.0)
            .map(|(weight, place)| {
                let feature = catalogue::all()[*place].name.clone();
                let value = vector.get(&feature);
                Contribution {
                    feature,
                    value,
                    weight,
                }
            })
            .collect();
        found.sort_by(|one, other| other.weight.abs().total_cmp(&one.weight.abs()));
        found
    }

    /// How often the trees ask about each feature, as a share of all questions, the most asked
    /// first.
    #[must_use]
    #[allow(clippy::cast_precision_loss)] // Counts of nodes.
    pub fn questions(&self) -> Vec<(String, f64)> {
        let asked = self.forest.asked();
        let all = asked.iter().sum::<usize>().max(1) as f64;
        let share = |(place, count): (&usize, usize)| {
            (catalogue::all()[*place].name.clone(), count as f64 / all)
        };
        let mut shares: Vec<_> = self.places.iter().zip(asked).map(share).collect();
        shares.sort_by(|one, other| other.1.total_cmp(&one.1));
        shares
    }

    /// Trees in the forest.
    #[must_use]
    pub fn trees(&self) -> usize {
        self.forest.trees()
    }
}
