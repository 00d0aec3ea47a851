//! `lombard doctor`: looks at an installation as a careful person would, and says what it finds and
//! what to do about it. It changes nothing.

mod files;
mod server;

use std::path::PathBuf;

use clap::Args;
use serde::Serialize;

use crate::{
    client,
    config::{self, Settings},
    exit::{Exit, Outcome},
    say,
};

/// Arguments of `lombard doctor`.
#[derive(Debug, Args)]
#[command(after_help = "\
Looks at the configuration, the data folder, its keys and disk, the clock, a backup, and, when it
runs, the server: readiness, lags, rails, webhook endpoints. The exit code is 1 when something is wrong.

Examples: lombard doctor --data /var/lib/lombard --config /etc/lombard.toml --backup /mnt/backup/lombard")]
pub struct Doctor {
    #[command(flatten)]
    server: client::Server,
    /// A TOML file of settings.
    #[arg(long, env = "LOMBARD_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
    /// The folder to which backups are made.
    #[arg(long, value_name = "DIR")]
    backup: Option<PathBuf>,
}

/// How something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Health {
    /// As it should be.
    Fine,
    /// It works, and somebody should look at it.
    Worry,
    /// It does not work, or will soon not.
    Wrong,
}

/// What was found of one thing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// How it is.
    health: Health,
    /// Of what.
    about: String,
    /// What was found, and what to do if it is not fine.
    says: String,
}

/// Everything that was found.
#[derive(Debug, Default)]
pub struct Findings(Vec<Finding>);

impl Findings {
    fn note(&mut self, health: Health, about: &str, says: impl Into<String>) {
        let (about, says) = (about.to_owned(), says.into());
        self.0.push(Finding {
            health,
            about,
            says,
        });
    }
}

/// Looks at everything, and tells.
pub async fn run(args: &Doctor, as_json: bool) -> Outcome {
    let mut found = Findings::default();
    match config::load(args.config.as_deref(), config::environment()) {
        Ok(settings) => {
            let routes = &settings.service.alerts;
            found.note(Health::Fine, "configuration", "it can be read");
            let told = routes.webhook_url.is_some()
                || routes.slack_url.is_some()
                || routes.pagerduty_key.is_some();
            if !told {
                let says = "nobody is told of exceptions; set a channel (docs/alerts.md)";
                found.note(Health::Worry, "alerts", says);
            }
            rails(&settings, &mut found).await;
        }
        Err(error) => found.note(
            Health::Wrong,
            "configuration",
            format!("{:#}", anyhow::Error::from(error)),
        ),
    }
    files::look(&args.server.data, args.backup.as_deref(), &mut found);
    server::look(&args.server, &mut found).await;
    for finding in &found.0 {
        if as_json {
            say::json(finding);
        } else {
            let mark = match finding.health {
                Health::Fine => "fine ",
                Health::Worry => "worry",
                Health::Wrong => "WRONG",
            };
            say::line(&format!("{mark}  {:<18} {}", finding.about, finding.says));
        }
    }
    let wrong = found
        .0
        .iter()
        .any(|finding| finding.health == Health::Wrong);
    Ok(if wrong { Exit::No } else { Exit::Done })
}

/// Whether each gateway can be reached; by TLS its certificate is verified on the way.
async fn rails(settings: &Settings, found: &mut Findings) {
    let Ok(http) = client::http() else { return };
    for (rail, gateway) in &settings.service.rails {
        let about = format!("rail {rail}");
        match http.head(&gateway.url).send().await {
            Ok(_) => found.note(Health::Fine, &about, "its gateway answers"),
            Err(error) => {
                let error = anyhow::Error::from(error);
                let says = format!(
                    "its gateway cannot be reached: {error:#}; docs/runbooks/alerts/rail-breaker-open.md"
                );
                found.note(Health::Wrong, &about, says);
            }
        }
    }
}
