//! Developers' own tools: `cargo xtask …`.

mod iso_schema;

use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(name = "xtask", about = "Developers' own tools")]
struct Cli {
    #[command(subcommand)]
    tool: Tool,
}

#[derive(Subcommand)]
enum Tool {
    /// Compile ISO 20022 schemas into the table that the validator embeds.
    IsoSchema(iso_schema::Args),
}

fn main() -> anyhow::Result<()> {
    match Cli::parse().tool {
        Tool::IsoSchema(args) => iso_schema::run(&args),
    }
}
