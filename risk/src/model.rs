//! Models: from a vector to the probability of fraud.
//!
//! **Shape.** [`forest`] is an evaluator of our own for gradient-boosted trees; [`xgboost`] and
//! [`lightgbm`] read the common formats into it; [`train`] grows trees; [`calibrate`] turns
//! margins into probabilities that mean what they say; [`scorer`] puts these together, with the
//! names of the features that a model reads; [`card`] tells people about it.
//!
//! **Invariants.** The same model and vector give the same score on every machine: sums run in
//! the order of the trees, in 32 bits, as XGBoost adds. A missing value goes where the node says.

pub mod calibrate;
pub mod card;
pub mod forest;
pub mod lightgbm;
pub mod scorer;
pub mod train;
pub mod xgboost;

pub use forest::Forest;
pub use scorer::{Scorer, ScorerError};
