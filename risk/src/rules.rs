//! Rules: what an analyst knows, in CEL, typed against the feature catalogue.
//!
//! **Shape.** [`language`] compiles a condition and says at which column it is wrong; [`lists`]
//! are sets of subjects that a condition may ask; [`rule`] is a condition with an action, its
//! versions, its modes and the two people that it takes; [`set`] asks all rules about a payment;
//! [`backtest`] tries one on history.
//!
//! **Invariants.** A condition ends: CEL has no loops, and ours has no macros. Amounts are whole
//! minor units and never meet a real number. A rule that cannot be evaluated is reported, never
//! taken for one that does not match.

pub mod backtest;
pub mod language;
pub mod lists;
pub mod rule;
pub mod set;

pub use language::{Condition, Facts, Wrong};
pub use lists::Lists;
pub use rule::{Action, Mode, Rule};
pub use set::{Fired, RuleSet};
