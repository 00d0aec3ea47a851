//! Runs simulated worlds. `cargo xtask sim` is how it is called; its arguments are the same.

use std::process::ExitCode;

use clap::Parser;
use lombard_sim::world::tool;

fn main() -> ExitCode {
    tool::main(&tool::Args::parse())
}
