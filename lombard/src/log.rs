//! `lombard log`: keys of a log or a witness.

use std::path::PathBuf;

use clap::Subcommand;
use lombard_core::proof::key::KeyKind;
use lombard_service::{host::SystemHost, proof::keys};

use crate::{
    exit::{Exit, OrExit, Outcome},
    say,
};

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Log {
    /// Make a key.
    #[command(after_help = "\
The secret key goes to FILE, the public one to FILE.pub. With --add the key joins those in FILE:
a log signs with all of them, which is how a key is rotated (docs/proof.md).

Examples: lombard log keygen log.example.com/ledger --out tlog.key
          lombard log keygen witness.example.org --out witness.key --witness")]
    Keygen {
        /// The name: of a log its origin, of a witness its own.
        name: String,
        /// The file of the secret key.
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
        /// Make a witness's key.
        #[arg(long)]
        witness: bool,
        /// Add it to the keys in the file.
        #[arg(long)]
        add: bool,
    },
}

/// Does it.
pub fn run(what: &Log, as_json: bool) -> Outcome {
    let Log::Keygen {
        name,
        out,
        witness,
        add,
    } = what;
    let kind = if *witness {
        KeyKind::Witness
    } else {
        KeyKind::Log
    };
    let made = keys::make(&SystemHost::default(), name, kind, out, *add);
    let public = made.or_exit(Exit::NotWritable, "the key")?.to_string();
    if as_json {
        say::json(&serde_json::json!({"public_key": public, "file": out}));
    } else {
        say::line(&public);
    }
    Ok(Exit::Done)
}
