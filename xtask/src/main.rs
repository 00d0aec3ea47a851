//! Developers' own tools: `cargo xtask …`. `cargo xtask ci` is all that CI runs.

mod ci;
mod crash;
mod iso_schema;
mod repo;
mod tidy;

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
    /// Run every check and test: format, clippy, tidy, tests, crashes.
    Ci(ci::Args),
    /// Kill the server at random moments under load, and look what is left.
    Crash(crash::Args),
    /// Compile ISO 20022 schemas into the table that the validator embeds.
    IsoSchema(iso_schema::Args),
    /// Check what compilers do not: bans, sizes, documents, dependencies, generated files.
    Tidy,
}

fn main() -> anyhow::Result<ExitCode> {
    match Cli::parse().tool {
        Tool::Ci(args) => ci::run(&args),
        Tool::Crash(args) => crash::run(&args),
        Tool::IsoSchema(args) => iso_schema::run(&args).map(|()| ExitCode::SUCCESS),
        Tool::Tidy => tidy::run(),
    }
}
