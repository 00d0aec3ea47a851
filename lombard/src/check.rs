//! `lombard check`: is this account number well formed, and do its check digits hold?

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use lombard_core::bank::{self, Check, uk::weights::Weights};

use crate::{
    exit::{Exit, Failure, OrExit, Outcome},
    say,
};

/// What to check.
#[derive(Debug, Subcommand)]
pub enum What {
    /// An IBAN, as printed or as stored.
    #[command(after_help = "Example: lombard check iban 'GB82 WEST 1234 5698 7654 32' --json")]
    Iban {
        /// The IBAN.
        iban: String,
    },
    /// A BIC of eight or eleven characters.
    #[command(after_help = "Example: lombard check bic DEUTDEFF")]
    Bic {
        /// The BIC.
        bic: String,
    },
    /// A UK sort code and account number.
    #[command(
        after_help = "Example: lombard check uk-account 08-99-99 66374958 --weights valacdos.txt"
    )]
    UkAccount(UkAccount),
}

/// A UK account.
#[derive(Debug, Args)]
pub struct UkAccount {
    /// Six digits, with or without hyphens.
    sort_code: String,
    /// Six to ten digits.
    number: String,
    /// A weight table in Vocalink's form. Without one only the form is checked.
    #[arg(long, env = "LOMBARD_UK_WEIGHTS")]
    weights: Option<PathBuf>,
}

/// Checks and tells; the exit code is [`Exit::No`] when it is not valid.
pub fn run(what: &What, as_json: bool) -> Outcome {
    let check = match what {
        What::Iban { iban } => bank::check_iban(iban),
        What::Bic { bic } => bank::check_bic(bic),
        What::UkAccount(account) => account.check()?,
    };
    if as_json {
        say::json(&check);
    } else {
        say::line(&told(&check));
    }
    Ok(if check.valid { Exit::Done } else { Exit::No })
}

impl UkAccount {
    fn check(&self) -> Result<Check, Failure> {
        let weights = weights(self.weights.as_deref())?;
        Ok(bank::check_uk_account(
            &self.sort_code,
            &self.number,
            weights.as_ref(),
        ))
    }
}

/// The weight table in a file, if one is named.
pub fn weights(path: Option<&Path>) -> Result<Option<Weights>, Failure> {
    let Some(path) = path else { return Ok(None) };
    let text = std::fs::read_to_string(path).or_exit(Exit::Usage, path.display())?;
    let weights = Weights::parse(&text).or_exit(Exit::Usage, path.display())?;
    Ok(Some(weights))
}

fn told(check: &Check) -> String {
    let verdict = match (check.valid, check.checked) {
        (true, true) => "valid",
        (true, false) => "presumed valid, not checked",
        (false, _) => "not valid",
    };
    match &check.detail {
        Some(detail) => format!("{verdict}: {detail}"),
        None => verdict.to_owned(),
    }
}
