//! Logs, to standard error: pretty on a terminal, one JSON object a line otherwise. Each line
//! passes the gate for personal data, and so does what a panic says.

use std::io::{self, IsTerminal};

use lombard_service::gate::{Gated, redact};
use tracing::error;
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
    let logs = fmt()
        .with_env_filter(filter)
        .with_writer(|| Gated(io::stderr()));
    let started = if pretty {
        logs.with_target(false).try_init()
    } else {
        logs.json().flatten_event(true).try_init()
    };
    // Only a test starts twice, and the first does as well.
    drop(started);
    std::panic::set_hook(Box::new(tell_panic));
    Ok(())
}

/// A panic is logged as everything else is: what it says may repeat what it was about.
fn tell_panic(panic: &std::panic::PanicHookInfo<'_>) {
    let said = panic.payload_as_str().unwrap_or("no text");
    let place = panic.location().map(ToString::to_string);
    let place = place.unwrap_or_default();
    let trace = std::backtrace::Backtrace::capture();
    error!(place, said = %redact(said), %trace, "a bug: the program panicked");
}
