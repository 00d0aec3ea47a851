//! `lombard fraud`: train and measure what finds fraud.

mod data;
mod evaluate;
mod publish;
mod simulate;
mod train;

use clap::Subcommand;

use crate::exit::Outcome;

/// What to do about fraud.
#[derive(Debug, Subcommand)]
pub enum Fraud {
    /// Train and score by a published protocol, and print how good it is.
    Evaluate(evaluate::Evaluate),
    /// Make a model file from labelled transactions.
    Train(train::Train),
    /// Make a world of payments with scams and mules, from a seed.
    Simulate(simulate::Simulate),
}

/// Does it.
pub fn run(what: &Fraud, as_json: bool) -> Outcome {
    match what {
        Fraud::Evaluate(args) => evaluate::run(args, as_json),
        Fraud::Train(args) => train::run(args, as_json),
        Fraud::Simulate(args) => simulate::run(args, as_json),
    }
}
