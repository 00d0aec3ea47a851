//! `lombard alert`: the alerts of the server that runs on the data folder, asked over its socket.

use std::{
    io::{BufRead, BufReader, Write},
    os::unix::net::UnixStream,
    path::PathBuf,
    sync::Arc,
};

use clap::{Args, Subcommand};
use lombard_service::{
    alerts::{
        Alerts, Told,
        notice::Notice,
        silence::{self, Silence},
    },
    app::App,
    exceptions::Kind,
};
use serde::{Deserialize, Serialize};

use crate::{
    backup::{self, CONTROL_SOCKET},
    exit::{Exit, Failure, OrExit, Outcome, failure},
    say,
    up::rig::Rig,
};

const MINUTE_MS: u64 = 60_000;

/// Arguments of `lombard alert`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples: lombard alert test
          lombard alert silence unresolved --minutes 120 --why 'the rail is down, incident 4711'
          lombard alert silence unresolved --minutes 0 --why 'it is back'")]
pub struct Alert {
    #[command(subcommand)]
    what: What,
    /// The data folder of the server.
    #[arg(
        long,
        env = "LOMBARD_DATA",
        global = true,
        value_name = "DIR",
        default_value = "lombard-data"
    )]
    data: PathBuf,
}

/// What to do.
#[derive(Debug, Subcommand)]
enum What {
    /// Send a test to every channel, and tell what each answered.
    Test,
    /// Tell nobody of a kind of exception for a while. It is on record.
    Silence {
        /// Which kind.
        #[arg(value_parser = kind)]
        kind: Kind,
        /// For how long, a day at the most; 0 ends it.
        #[arg(long, default_value_t = 60)]
        minutes: u64,
        /// Why.
        #[arg(long)]
        why: String,
    },
    /// Show the silences that have not ended.
    Silences,
}

/// What a server is asked about its alerts.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Asked {
    /// To test them.
    Test,
    /// To silence a kind for so many milliseconds, and why.
    Silence(Kind, u64, String),
    /// Which silences there are.
    Silences,
}

/// What it says.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Said {
    /// What became of telling each channel.
    Told(Vec<Told>),
    /// The silences.
    Silences(Vec<Silence>),
    /// No.
    Failed(String),
}

fn kind(text: &str) -> Result<Kind, String> {
    let known = Kind::ALL.into_iter().find(|kind| kind.name() == text);
    known.ok_or_else(|| format!("one of: {}", Kind::ALL.map(Kind::name).join(", ")))
}

/// Who answers, in the server.
#[derive(Clone)]
pub struct Desk {
    app: App,
    alerts: Option<Arc<Alerts>>,
}

impl Desk {
    /// The desk of a running platform.
    #[must_use]
    pub fn of(rig: &Rig) -> Self {
        Self {
            app: rig.app.clone(),
            alerts: rig.alerts.clone(),
        }
    }

    /// Does what was asked.
    pub async fn answer(&self, asked: Asked) -> Said {
        let said = match asked {
            Asked::Test => match &self.alerts {
                None => Err("no channel is configured (docs/alerts.md)".to_owned()),
                Some(alerts) => {
                    let notice = Notice::test(&self.app.config.alerts);
                    Ok(Said::Told(alerts.tell(&notice).await))
                }
            },
            Asked::Silence(kind, for_ms, why) => {
                let set = silence::set(&self.app, kind, for_ms, &why).await;
                set.map(|silence| Said::Silences(vec![silence]))
                    .map_err(|error| error.to_string())
            }
            Asked::Silences => silence::list(&self.app)
                .await
                .map(Said::Silences)
                .map_err(|error| error.to_string()),
        };
        said.unwrap_or_else(Said::Failed)
    }
}

/// Asks the server, and prints what it says.
pub fn run(args: &Alert, as_json: bool) -> Outcome {
    let asked = match &args.what {
        What::Test => Asked::Test,
        What::Silence { kind, minutes, why } => {
            Asked::Silence(*kind, minutes.saturating_mul(MINUTE_MS), why.clone())
        }
        What::Silences => Asked::Silences,
    };
    match ask(args, asked)? {
        Said::Failed(why) => Err(failure(Exit::Refused, why)),
        Said::Silences(silences) => {
            for silence in silences {
                if as_json {
                    say::json(&silence);
                } else {
                    let Silence { kind, until, why } = silence;
                    say::line(&format!("{} until {until}: {why}", kind.name()));
                }
            }
            Ok(Exit::Done)
        }
        Said::Told(told) => {
            for one in &told {
                if as_json {
                    say::json(one);
                } else {
                    let outcome = one.failure.as_deref().unwrap_or("took it");
                    say::line(&format!("{}: {outcome}", one.channel));
                }
            }
            let failed = told.iter().any(|one| one.failure.is_some());
            Ok(if failed { Exit::No } else { Exit::Done })
        }
    }
}

fn ask(args: &Alert, asked: Asked) -> Result<Said, Failure> {
    let socket = args.data.join(CONTROL_SOCKET);
    let what = format!("no server runs on {}", args.data.display());
    let mut server = UnixStream::connect(socket).or_exit(Exit::Unreachable, what)?;
    let gone = "the server broke off";
    let line = serde_json::to_string(&backup::Asked::Alerts(asked)).or_exit(Exit::Usage, gone)?;
    writeln!(server, "{line}").or_exit(Exit::Unreachable, gone)?;
    let mut said = String::new();
    { BufReader::new(server).read_line(&mut said) }.or_exit(Exit::Unreachable, gone)?;
    serde_json::from_str(&said).or_exit(Exit::Unreachable, gone)
}
