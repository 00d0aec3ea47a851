//! Risk: what a payment looks like beside the past, how likely it is fraud, and what to do.
//!
//! Pure, like the core: no IO, no async, no clock, no randomness that was not handed in. Unlike
//! the core it computes with floats, for features and scores; money stays in whole minor units,
//! and rules compare it as such. `docs/adr/0030-risk-crate.md` says why it stands beside the core.
//!
//! The modules, in the order to read them: [`features`] folds payments into vectors; [`model`]
//! scores them; [`rules`] ask what analysts know; [`decision`] puts both together, as a [`policy`]
//! says. [`screening`] finds names on lists of sanctions, [`drift`] tells when a model has grown old.
//! [`handbook`] and [`simulate`] are worlds to measure on, [`metrics`] the measures.

pub mod decision;
pub mod drift;
pub mod features;
pub mod handbook;
pub mod metrics;
pub mod model;
pub mod moment;
pub mod policy;
pub mod rules;
pub mod screening;
pub mod simulate;
pub mod text;
