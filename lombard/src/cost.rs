//! `lombard cost`: what a payment costs on AWS, by component, for a number of payments a month.
//!
//! The figures it reads are in the binary, as they are in `docs/cost`; files of one's own take
//! their place.

mod tell;

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use lombard_core::cost::{Choices, Measured, Weather, chart, choices, estimate, matrix};
use lombard_service::cost::{AROUND, Figures, MEASURED, PRICES, TURNS};
use serde::de::DeserializeOwned;

use crate::exit::{Exit, Failure, OrExit, Outcome};

/// What to price.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  lombard cost --volume 1000000
  lombard cost --volume 1000000 --weather storm --json
  lombard cost --matrix
  lombard cost --volume 50000000 --database provisioned --chart cost.svg")]
pub struct Cost {
    /// Payments a month.
    #[arg(long, default_value_t = 1_000_000, value_parser = clap::value_parser!(u64).range(1..=1_000_000_000_000))]
    volume: u64,
    /// How much goes wrong.
    #[arg(long, value_enum, default_value_t = Sky::Ordinary)]
    weather: Sky,
    /// What callers come in by.
    #[arg(long, value_enum, default_value_t = Way::Rest)]
    entry: Way,
    /// What the program runs on.
    #[arg(long, value_enum, default_value_t = Machine::Arm)]
    compute: Machine,
    /// How the tables are paid for.
    #[arg(long, value_enum, default_value_t = Tables::OnDemand)]
    database: Tables,
    /// What runs a payment's saga.
    #[arg(long, value_enum, default_value_t = Saga::Express)]
    orchestration: Saga,
    /// A price table of your own (see docs/cost/prices-eu-west-2.toml).
    #[arg(long)]
    prices: Option<PathBuf>,
    /// Measured operations of your own (see docs/cost/operations.json).
    #[arg(long)]
    operations: Option<PathBuf>,
    /// Show the choices side by side, at each order of volume.
    #[arg(long)]
    matrix: bool,
    /// Also draw a chart, to this SVG file.
    #[arg(long)]
    chart: Option<PathBuf>,
}

/// An argument for each of the model's choices: their names here are part of the command.
macro_rules! argument {
    ($name:ident for $of:path { $($variant:ident => $to:ident),+ }) => {
        #[derive(Clone, Copy, Debug, ValueEnum)]
        enum $name { $($variant),+ }

        impl From<$name> for $of {
            fn from(said: $name) -> Self {
                match said { $($name::$variant => Self::$to),+ }
            }
        }
    };
}

argument!(Sky for Weather { Calm => Calm, Ordinary => Ordinary, Storm => Storm });
argument!(Way for choices::Entry { Rest => Rest, Http => Http, Balancer => Balancer });
argument!(Machine for choices::Compute { Arm => Arm, X86 => X86, Tasks => Tasks });
argument!(Tables for choices::Database { OnDemand => OnDemand, Provisioned => Provisioned });
argument!(Saga for choices::Orchestration { None => None, Express => Express, Standard => Standard });

/// Prices and tells.
pub fn run(args: &Cost, as_json: bool) -> Outcome {
    let figures = Figures {
        prices: toml_of(args.prices.as_ref(), PRICES)?,
        measured: measured(args.operations.as_ref())?,
        around: toml_of(None, AROUND)?,
    };
    let Figures {
        prices,
        measured,
        around,
    } = &figures;
    if args.matrix || args.chart.is_some() {
        let rows = matrix::matrix(prices, measured, around).or_exit(Exit::Usage, "prices")?;
        if let Some(path) = &args.chart {
            std::fs::write(path, chart::bars(&rows[0])).or_exit(Exit::Usage, path.display())?;
        }
        if args.matrix {
            tell::matrix(&figures, &rows, as_json);
            return Ok(Exit::Done);
        }
    }
    let chosen = Choices {
        entry: args.entry.into(),
        compute: args.compute.into(),
        database: args.database.into(),
        orchestration: args.orchestration.into(),
    };
    let bill = |weather| {
        estimate(prices, measured, around, chosen, args.volume, weather)
            .or_exit(Exit::Usage, "prices")
    };
    let (asked, calm) = (bill(args.weather.into())?, bill(Weather::Calm)?);
    if as_json {
        tell::json(&figures, &asked, &calm);
    } else {
        tell::table(&figures, &asked, &calm);
    }
    Ok(Exit::Done)
}

fn text_of(path: Option<&PathBuf>, ours: &str) -> Result<String, Failure> {
    match path {
        None => Ok(ours.to_owned()),
        Some(path) => std::fs::read_to_string(path).or_exit(Exit::Usage, path.display()),
    }
}

fn toml_of<T: DeserializeOwned>(path: Option<&PathBuf>, ours: &str) -> Result<T, Failure> {
    let text = text_of(path, ours)?;
    toml::from_str(&text).or_exit(Exit::Usage, named(path))
}

fn measured(path: Option<&PathBuf>) -> Result<Measured, Failure> {
    let text = text_of(path, MEASURED)?;
    let measured: Measured = serde_json::from_str(&text).or_exit(Exit::Usage, named(path))?;
    let turns = serde_json::from_str(TURNS).or_exit(Exit::Internal, named(None))?;
    Ok(measured.with_turns(turns))
}

fn named(path: Option<&PathBuf>) -> String {
    path.map_or_else(
        || "our own figures".to_owned(),
        |path| path.display().to_string(),
    )
}
