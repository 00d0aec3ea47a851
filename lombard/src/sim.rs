//! `lombard sim`: the stand-ins for the outside world, in a process of their own.

use std::net::SocketAddr;

use clap::{Args, Subcommand};
use lombard_sim::{
    psp::{self, PspConfig},
    rail::{self, SimConfig},
};
use serde::Serialize;
use tokio::net::TcpListener;

use crate::{
    config::Log,
    exit::{Exit, Failure, OrExit, Outcome},
    logs, say,
    up::{Signals, listen},
};

/// What to simulate.
#[derive(Debug, Subcommand)]
pub enum Sim {
    /// The rails: a gateway for Faster Payments and SEPA Instant, and the banks behind it.
    Rail(Rail),
    /// Payment service providers: as much of Stripe's and Adyen's API as Lombard asks, and their webhooks.
    Psp(Psp),
}

/// Arguments of `lombard sim rail`.
#[derive(Debug, Args)]
#[command(after_help = "\
The server is told of it with LOMBARD_RAILS_FPS_URL, …_SECRET and …_OWN_AGENT, and the same for
SEPA_INST (docs/configuration.md). What it does with which amount, and its control API: docs/rails.md.

Example: lombard sim rail --lombard-url http://127.0.0.1:8080 --secret s3cret")]
pub struct Rail {
    /// Where it listens; port 0 takes a free one.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8090")]
    listen: SocketAddr,
    /// Where Lombard is.
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:8080")]
    lombard_url: String,
    /// The secret that signs messages in both directions.
    #[arg(
        long,
        env = "LOMBARD_SIM_SECRET",
        hide_env_values = true,
        default_value = "rail-simulator-secret"
    )]
    secret: String,
    /// What everything drawn follows from: the same seed, the same answers.
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

/// Arguments of `lombard sim psp`.
#[derive(Debug, Args)]
#[command(after_help = "\
The server is told of it with LOMBARD_PSP_STRIPE_URL, …_API_KEY and …_SECRET, and the same for ADYEN
(docs/psp.md, where its magic amounts and its control API are).

Example: lombard sim psp --lombard-url http://127.0.0.1:8080")]
pub struct Psp {
    /// Where it listens; port 0 takes a free one.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8091")]
    listen: SocketAddr,
    /// Where Lombard is.
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:8080")]
    lombard_url: String,
    /// The key that Stripe's webhooks are signed with.
    #[arg(
        long,
        env = "LOMBARD_SIM_STRIPE_SECRET",
        hide_env_values = true,
        default_value = "whsec_simulated"
    )]
    stripe_secret: String,
    /// The key that Adyen's webhooks are signed with, in hexadecimal.
    #[arg(
        long,
        env = "LOMBARD_SIM_ADYEN_SECRET",
        hide_env_values = true,
        default_value = "53494d554c41544544"
    )]
    adyen_secret: String,
}

#[derive(Debug, Serialize)]
struct PspReady {
    stripe_url: String,
    adyen_url: String,
    control_url: String,
    pid: u32,
}

/// What every simulator begins with: its log, the signals that end it, and a place to listen.
async fn begin(at: SocketAddr) -> Result<(Signals, TcpListener, SocketAddr), Failure> {
    logs::start(&Log::of_environment())?;
    let signals = Signals::listen()?;
    let listener = listen(at).await?;
    let address = listener.local_addr();
    let address = address.or_exit(Exit::Unreachable, "no address")?;
    Ok((signals, listener, address))
}

async fn run_psp(args: &Psp, as_json: bool) -> Outcome {
    let (mut signals, listener, address) = begin(args.listen).await?;
    let config = PspConfig {
        lombard_url: args.lombard_url.clone(),
        stripe_secret: args.stripe_secret.clone(),
        adyen_secret: args.adyen_secret.clone(),
        ..PspConfig::default()
    };
    let ready = PspReady {
        stripe_url: format!("http://{address}/stripe"),
        adyen_url: format!("http://{address}/adyen"),
        control_url: format!("http://{address}/control/psp"),
        pid: std::process::id(),
    };
    if as_json {
        say::json(&ready);
    } else {
        say::line(&format!("Stripe is simulated at {}", ready.stripe_url));
        say::line(&format!("Adyen is simulated at  {}", ready.adyen_url));
        say::line(&format!("  control API    {}", ready.control_url));
        say::line("Stop with Ctrl-C.");
    }
    let stop = async move {
        signals.next().await;
    };
    let served = psp::serve(listener, config, stop).await;
    served.or_exit(Exit::Unreachable, "the address cannot be listened on")?;
    Ok(Exit::Done)
}

#[derive(Debug, Serialize)]
struct Ready {
    rail_url: String,
    control_url: String,
    pid: u32,
}

/// Simulates until it is told to stop.
pub async fn run(what: &Sim, as_json: bool) -> Outcome {
    let args = match what {
        Sim::Rail(args) => args,
        Sim::Psp(args) => return run_psp(args, as_json).await,
    };
    let (mut signals, listener, address) = begin(args.listen).await?;
    let config = SimConfig {
        lombard_url: args.lombard_url.clone(),
        secret: args.secret.clone(),
        seed: args.seed,
        ..SimConfig::default()
    };
    let ready = Ready {
        rail_url: format!("http://{address}"),
        control_url: format!("http://{address}/control"),
        pid: std::process::id(),
    };
    if as_json {
        say::json(&ready);
    } else {
        say::line(&format!("The rails are simulated at {}", ready.rail_url));
        say::line(&format!("  control API    {}", ready.control_url));
        say::line("Stop with Ctrl-C.");
    }
    let stop = async move {
        signals.next().await;
    };
    let served = rail::serve(listener, config, stop).await;
    served.or_exit(Exit::Unreachable, "the address cannot be listened on")?;
    Ok(Exit::Done)
}
