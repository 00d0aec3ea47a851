//! Logs, to standard error: pretty on a terminal, one JSON object a line otherwise.

use std::io::{self, IsTerminal};

use tracing_subscriber::{EnvFilter, fmt};

use crate::{
    config::{Log, LogFormat},
    exit::{Exit, Failure, OrExit},
};

/// Starts logging, for the rest of the process.
///
/// # Errors
/// When the filter cannot be understood.
pub fn start(log: &Log) -> Result<(), Failure> {
    let filter = EnvFilter::try_new(&log.filter);
    let filter = filter.or_exit(Exit::Usage, format!("log.filter `{}`", log.filter))?;
    let pretty = match log.format {
        LogFormat::Auto => io::stderr().is_terminal(),
        LogFormat::Pretty => true,
        LogFormat::Json => false,
    };
    let logs = fmt().with_env_filter(filter).with_writer(io::stderr);
    let started = if pretty {
        logs.with_target(false).try_init()
    } else {
        logs.json().flatten_event(true).try_init()
    };
    // Only a test starts twice, and the first does as well.
    drop(started);
    Ok(())
}
