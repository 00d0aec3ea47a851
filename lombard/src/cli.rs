//! The commands and their arguments.

use clap::{CommandFactory, Parser, Subcommand};
use clap_complete::Shell;

use crate::{
    alert::Alert,
    backup::{Backup, Restore},
    bench::Bench,
    case::Case,
    check::What,
    cost::Cost,
    doctor::Doctor,
    drill::Drill,
    evidence::Evidence,
    exit::{Exit, Outcome},
    fraud::Fraud,
    get::Get,
    inspect::Inspect,
    log::Log,
    migrate::{Export, Import},
    pay::Pay,
    psp::Psp,
    reconcile::Reconcile,
    say,
    sim::Sim,
    slo::Slo,
    tenant::Tenants,
    up::Up,
    vault::Vault,
    verify::Verify,
    watch::Watch,
    witness::Witness,
};

/// Real-time payments infrastructure in one binary.
#[derive(Debug, Parser)]
#[command(name = "lombard", version, about, propagate_version = true)]
#[command(after_help = "\
Exit codes: 0 done, 1 the answer is no, 2 usage or unreadable input, 3 unreachable,
4 refused by the server, 5 data folder in use, 6 data folder not writable, 7 damaged,
8 the store's disk failed, 70 a bug.")]
pub struct Cli {
    /// Print JSON, one value a line.
    #[arg(long, global = true)]
    pub json: bool,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run the whole platform: API, store, workers, rail simulator, demo tenant.
    Up(Up),
    /// Run the vault by itself: tokens for cards, bank accounts and personal data.
    Vault(Vault),
    /// Measure how many durable payments a second are made.
    Bench(Bench),
    /// Show what a payment costs on AWS, by component.
    Cost(Cost),
    /// Send a file of payments and follow it.
    Pay(Pay),
    /// Look at an installation, and say what is wrong and what to do.
    Doctor(Doctor),
    /// Write what an assessor asks for first: requirements and their tests, access, keys, deeds, parts.
    Evidence(Evidence),
    /// Let something fail in a demo, to practise its runbook.
    Drill(Drill),
    /// Show something by its id.
    Get(Get),
    /// Follow a payment or a batch until its outcome is known.
    Watch(Watch),
    /// Work the queue of exceptions: what is done about each, shown before it is done.
    Case(Case),
    /// Test and silence the alerts of a running server.
    Alert(Alert),
    /// Copy a store, running or stopped.
    Backup(Backup),
    /// Make a store of a copy.
    Restore(Restore),
    /// Write an installation that is at rest, in a folder or on AWS, to an encrypted file.
    Export(Export),
    /// Make an installation of such a file, in a folder or on AWS.
    Import(Import),
    /// Make a tenant of a running server, or list them.
    Tenant {
        /// What to do.
        #[command(subcommand)]
        what: Tenants,
    },
    /// Verify a log of ledger transactions: signatures, tiles, leaves, books.
    Verify(Verify),
    /// Run a witness: cosign checkpoints of logs that only grow.
    Witness(Witness),
    /// Show what is left of each error budget.
    Slo(Slo),
    /// Look after the keys of a log or a witness.
    Log {
        /// What to do.
        #[command(subcommand)]
        what: Log,
    },
    /// Train, measure and explain what decides about fraud.
    Fraud {
        /// What to do.
        #[command(subcommand)]
        what: Fraud,
    },
    /// Run a stand-in for the outside world by itself.
    Sim {
        /// Which.
        #[command(subcommand)]
        what: Sim,
    },
    /// Check an account identifier.
    Check {
        /// Which.
        #[command(subcommand)]
        what: What,
    },
    /// What payment service providers say, and whether it is they who say it.
    Psp {
        /// Which.
        #[command(subcommand)]
        what: Psp,
    },
    /// Tell what a payment or statement file is, and what is wrong with it.
    Inspect(Inspect),
    /// Hold statements of banks and reports of PSPs against the payments.
    Reconcile(Reconcile),
    /// Print the completions of a shell.
    #[command(after_help = "Example: lombard completions bash > /etc/bash_completion.d/lombard")]
    Completions {
        /// For which shell.
        shell: Shell,
    },
}

/// Prints a shell's completions.
pub fn completions(shell: Shell) -> Outcome {
    clap_complete::generate(
        shell,
        &mut Cli::command(),
        "lombard",
        &mut std::io::stdout(),
    );
    Ok(Exit::Done)
}

/// Tells why arguments were not understood, or what was asked of them: `--help`, `--version`.
pub fn not_understood(error: &clap::Error) -> Exit {
    // Who does not listen is not told; see `say`.
    let _ = error.print();
    if !error.use_stderr() {
        return Exit::Done;
    }
    if std::env::args_os().any(|argument| argument == "--json") {
        // The first paragraph says what is wrong, those after it what would be right.
        let text = error.to_string();
        let what = text.split("\n\n").next().unwrap_or_default();
        let words: Vec<&str> = what
            .trim_start_matches("error: ")
            .split_whitespace()
            .collect();
        say::failure_json(Exit::Usage, &words.join(" "));
    }
    Exit::Usage
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_arguments_do_not_contradict_each_other() {
        Cli::command().debug_assert();
    }
}
