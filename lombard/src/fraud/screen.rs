//! `lombard fraud screen`: is a name near one under sanctions, and why?

use clap::Args;
use lombard_risk::screening::THRESHOLD;

use crate::{
    exit::{Exit, Outcome},
    say,
    up::watchlist,
};

/// Arguments of `lombard fraud screen`.
#[derive(Debug, Args)]
#[command(after_help = "\
The exit code is 1 when nothing is near. Example: lombard fraud screen 'Jane Doe' --lists sanctions/")]
pub struct Screen {
    /// The name.
    name: String,
    /// A folder with OFAC's sdn.csv and alt.csv, or lists of the United Kingdom.
    #[arg(long, value_name = "DIR", env = "LOMBARD_RISK_SANCTIONS")]
    lists: String,
    /// From how many per cent on a name is near.
    #[arg(long, default_value_t = THRESHOLD)]
    threshold: u8,
}

/// Screens and tells.
pub fn run(args: &Screen, as_json: bool) -> Outcome {
    let found = watchlist(&args.lists)?.screen(&args.name, args.threshold);
    if as_json {
        say::json(&found);
    } else {
        for near in &found {
            let words: Vec<String> = near
                .words
                .iter()
                .map(|(asked, listed, per_cent)| format!("{asked} ~ {listed} ({per_cent} %)"))
                .collect();
            say::line(&format!(
                "{} %  {} ({} {}, {}): {}",
                near.score,
                near.entry.name,
                near.entry.list,
                near.entry.id,
                near.entry.programme,
                words.join(", ")
            ));
        }
    }
    Ok(if found.is_empty() {
        Exit::No
    } else {
        Exit::Done
    })
}
