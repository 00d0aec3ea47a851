//! Developers' own tools: `cargo xtask …`. `cargo xtask ci` is all that CI runs.

mod api_fuzz;
mod bench_report;
mod browser;
mod ci;
mod crash;
mod emulators;
mod fuzz;
mod iso_schema;
mod lambda;
mod python;
mod repo;
mod sim;
mod tidy;
mod traces;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(name = "xtask", about = "Developers' own tools")]
struct Cli {
    #[command(subcommand)]
    tool: Tool,
}

#[derive(Subcommand)]
enum Tool {
    /// Let a schema-based fuzzer at a running server.
    ApiFuzz(api_fuzz::Args),
    /// Take the figures of docs/benchmarks.md, on a quiet machine.
    BenchReport(bench_report::Args),
    /// Look at every page of the console in a real browser, with axe.
    Browser,
    /// Run every check and test: format, clippy, tidy, tests, crashes.
    Ci(ci::Args),
    /// Kill the server at random moments under load, and look what is left.
    Crash(crash::Args),
    /// Run the fuzzing targets, each for a while.
    Fuzz(fuzz::Args),
    /// Compile ISO 20022 schemas into the table that the validator embeds.
    IsoSchema(iso_schema::Args),
    /// Package the program of the functions, where `deploy/` looks for it.
    Lambda(lambda::Args),
    /// Run simulated worlds: the whole system on one thread, from one seed each.
    Sim(sim::Args),
    /// Show a payment's trace to a collector, and look whether it is whole.
    Traces,
    /// Check what compilers do not: bans, sizes, documents, dependencies, generated files.
    Tidy,
}

fn main() -> anyhow::Result<ExitCode> {
    match Cli::parse().tool {
        Tool::BenchReport(args) => bench_report::run(&args).map(|()| ExitCode::SUCCESS),
        Tool::ApiFuzz(args) => api_fuzz::run(&args),
        Tool::Browser => browser::run(),
        Tool::Ci(args) => ci::run(&args),
        Tool::Crash(args) => crash::run(&args),
        Tool::Fuzz(args) => fuzz::run(&args),
        Tool::IsoSchema(args) => iso_schema::run(&args).map(|()| ExitCode::SUCCESS),
        Tool::Lambda(args) => lambda::run(&args).map(|()| ExitCode::SUCCESS),
        Tool::Sim(args) => sim::run(&args),
        Tool::Traces => traces::run(),
        Tool::Tidy => tidy::run(),
    }
}
