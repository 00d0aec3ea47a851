//! Settings: a TOML file, environment variables over it, arguments over both. Nothing need be
//! set; what is set wrongly is told with the file and line, or the variable.

mod keys;
mod source;

#[cfg(test)]
mod tests;

use std::{
    fmt,
    net::SocketAddr,
    path::{Path, PathBuf},
};

use lombard_service::config::{Config, Environment, RailConfig};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use toml::Table;

use source::Source;

/// Variables that commands read by themselves.
const COMMANDS_OWN: &[&str] = &[
    "LOMBARD_AWS_BUCKET",
    "LOMBARD_AWS_ENDPOINT",
    "LOMBARD_AWS_KMS_KEY",
    "LOMBARD_AWS_LOG_ORIGIN",
    "LOMBARD_AWS_REGION",
    "LOMBARD_AWS_SIGNING_KEY",
    "LOMBARD_AWS_TABLE",
    "LOMBARD_CONFIG",
    "LOMBARD_URL",
    "LOMBARD_API_KEY",
    "LOMBARD_SIM_SECRET",
];

/// Everything that can be set.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Settings {
    /// What concerns this process.
    pub process: Process,
    /// What concerns the service.
    pub service: Config,
    /// Whether somebody decided about webhooks to private addresses.
    pub private_webhooks_set: bool,
}

impl Settings {
    /// Where money is moved for real there is nobody to try it out with.
    pub fn keep_to_environment(&mut self) {
        if self.service.environment == Environment::Live {
            self.process.simulator = false;
            self.process.psp_simulator = false;
            self.process.demo = false;
        }
    }

    /// Lets webhooks go to this machine when only this machine can ask for them, unless somebody
    /// decided otherwise. To be asked once the address is known for good.
    pub fn allow_own_webhooks(&mut self) {
        if !self.private_webhooks_set && self.process.listen.ip().is_loopback() {
            self.service.webhooks.allow_private = true;
        }
    }
}

/// How the process runs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Process {
    /// The folder of the store and of the vault's key file.
    pub data: PathBuf,
    /// Where the API listens.
    pub listen: SocketAddr,
    /// Where the rail simulator listens.
    pub rail_listen: SocketAddr,
    /// The weight table of the UK modulus check.
    pub uk_weights: Option<PathBuf>,
    /// Where metrics are told.
    pub metrics_listen: SocketAddr,
    /// Threads of the runtime; 0 for one per core.
    pub workers: usize,
    /// Whether the rail simulator is started.
    pub simulator: bool,
    /// Whether payment service providers are simulated beside it.
    pub psp_simulator: bool,
    /// Whether the demo tenant is made.
    pub demo: bool,
    /// Logs.
    pub log: Log,
}

/// What is logged, and how.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Log {
    /// In the syntax of `tracing-subscriber`'s `EnvFilter`.
    pub filter: String,
    /// In which form.
    pub format: LogFormat,
}

impl Log {
    /// What the environment says, for commands that read no other settings.
    pub fn of_environment() -> Self {
        load(None, environment()).map_or_else(|_| Self::default(), |settings| settings.process.log)
    }
}

/// The form of a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// Pretty on a terminal, JSON otherwise.
    Auto,
    /// One JSON object a line.
    Json,
    /// For people.
    Pretty,
}

impl Default for Process {
    fn default() -> Self {
        let here = |port| SocketAddr::from(([127, 0, 0, 1], port));
        Self {
            data: "lombard-data".into(),
            listen: here(8080),
            rail_listen: here(8090),
            uk_weights: None,
            metrics_listen: here(0),
            workers: 0,
            simulator: true,
            psp_simulator: false,
            demo: true,
            log: Log::default(),
        }
    }
}

impl Default for Log {
    fn default() -> Self {
        let (filter, format) = ("info".to_owned(), LogFormat::Auto);
        Self { filter, format }
    }
}

/// The keys of the file that are the process's; the others are the service's.
const PROCESS_KEYS: [&str; 10] = [
    "data",
    "listen",
    "rail_listen",
    "uk_weights",
    "metrics_listen",
    "workers",
    "simulator",
    "psp_simulator",
    "demo",
    "log",
];

/// Reads the file, if one is named, and the environment.
///
/// # Errors
/// [`ConfigError`] with the place of what is wrong.
pub fn load(
    file: Option<&Path>,
    variables: impl Iterator<Item = (String, String)>,
) -> Result<Settings, ConfigError> {
    let mut source = match file {
        None => Source::default(),
        Some(file) => {
            let name = file.display().to_string();
            let text = std::fs::read_to_string(file);
            let text = text.map_err(|why| ConfigError::Unreadable {
                file: name.clone(),
                why,
            })?;
            Source::read(&name, &text)?
        }
    };
    source.overlay(variables, COMMANDS_OWN)?;
    let (mut process, mut service) = (Table::new(), Table::new());
    for (key, value) in &source.table {
        let own = PROCESS_KEYS.contains(&key.as_str());
        let table = if own { &mut process } else { &mut service };
        table.insert(key.clone(), value.clone());
    }
    Ok(Settings {
        process: typed(process, &source)?,
        service: typed(service, &source)?,
        private_webhooks_set: source.place("webhooks.allow_private").is_some(),
    })
}

/// The variables of this process. Those that are not text are none of ours.
pub fn environment() -> impl Iterator<Item = (String, String)> {
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
}

fn typed<T: DeserializeOwned>(table: Table, source: &Source) -> Result<T, ConfigError> {
    serde_path_to_error::deserialize(table).map_err(|error| {
        let key = spelt(error.path().to_string(), source);
        let place = source.place(&key).unwrap_or(Place::Default);
        let why = error.into_inner().message().trim().to_owned();
        ConfigError::Wrong { place, key, why }
    })
}

/// A key with the name of its rail, which the deserializer does not tell: it knows rails as values.
fn spelt(key: String, source: &Source) -> String {
    let rails = source.table.get("rails").and_then(toml::Value::as_table);
    let wrong = rails.into_iter().flatten().find(|(_, rail)| {
        let rail: Result<RailConfig, _> = (*rail).clone().try_into();
        rail.is_err()
    });
    match wrong {
        Some((rail, _)) => key.replacen("rails.?", &format!("rails.{rail}"), 1),
        None => key,
    }
}

/// Where something was set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// In this file, on this line.
    Line(String, usize),
    /// In this environment variable.
    Variable(String),
    /// Nowhere.
    Default,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Line(file, line) => write!(f, "{file}:{line}"),
            Self::Variable(name) => write!(f, "environment variable {name}"),
            Self::Default => f.write_str("configuration"),
        }
    }
}

/// What is wrong with the settings.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("{file}: cannot be read")]
    Unreadable {
        /// Which.
        file: String,
        /// Why.
        #[source]
        why: std::io::Error,
    },
    /// The file is not TOML.
    #[error("{file}: {why}")]
    Syntax {
        /// Which.
        file: String,
        /// Where and what, over several lines.
        why: String,
    },
    /// There is no such setting.
    #[error("{place}: there is no setting `{key}`{}", suggestion(*.nearest))]
    Unknown {
        /// Where it stands.
        place: Place,
        /// What was meant to be set.
        key: String,
        /// What may have been meant.
        nearest: Option<&'static str>,
    },
    /// A value that cannot be.
    #[error("{place}: `{key}`: {why}")]
    Wrong {
        /// Where it stands.
        place: Place,
        /// Which setting.
        key: String,
        /// What was expected.
        why: String,
    },
}

fn suggestion(nearest: Option<&str>) -> String {
    nearest.map_or_else(String::new, |nearest| format!("; is `{nearest}` meant?"))
}
