//! `lombard fraud`: train, measure, try and explain what decides about fraud.

mod backtest;
mod check;
mod data;
mod evaluate;
mod explain;
mod lists;
pub mod publish;
mod rates;
mod rules;
mod screen;
pub mod simulate;
mod train;

use clap::Subcommand;

use crate::{exit::Outcome, wait};

/// What to do about fraud.
#[derive(Debug, Subcommand)]
pub enum Fraud {
    /// Try a rule on the payments that are stored, before it decides about any.
    Backtest(backtest::Backtest),
    /// Say whether a policy would be taken, and where it is wrong.
    Check(check::Check),
    /// Train and score by a published protocol, and print how good it is.
    Evaluate(evaluate::Evaluate),
    /// Say why a payment was decided as it was, and decide again.
    Explain(explain::Explain),
    /// See who is on which list, put somebody on one, take him off.
    Lists(lists::Lists),
    /// Say how much of what was paid was fraud, and what may be exempt by that.
    Rates(rates::Rates),
    /// Propose rules, put those of others in force, and see what they do.
    Rules(rules::Rules),
    /// Look a name up on lists of sanctions.
    Screen(screen::Screen),
    /// Make a world of payments with scams and mules, from a seed.
    Simulate(simulate::Simulate),
    /// Make a model file from labelled transactions.
    Train(train::Train),
}

/// Does it.
pub fn run(what: &Fraud, as_json: bool) -> Outcome {
    match what {
        Fraud::Backtest(args) => wait(backtest::run(args, as_json)),
        Fraud::Check(args) => check::run(args, as_json),
        Fraud::Evaluate(args) => evaluate::run(args, as_json),
        Fraud::Explain(args) => wait(explain::run(args, as_json)),
        Fraud::Lists(args) => wait(lists::run(args, as_json)),
        Fraud::Rates(args) => wait(rates::run(args, as_json)),
        Fraud::Rules(args) => wait(rules::run(args, as_json)),
        Fraud::Screen(args) => screen::run(args, as_json),
        Fraud::Simulate(args) => simulate::run(args, as_json),
        Fraud::Train(args) => train::run(args, as_json),
    }
}
