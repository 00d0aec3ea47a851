//! `lombard up`: the whole platform in this process.
//!
//! **Start.** Settings, store, vault, addresses: whatever can be wrong is found before anything is
//! said to be ready, and has its own exit code. Then the simulator, the demo tenant, the workers
//! and the API, and one line that says where it is.
//!
//! **End.** SIGTERM or SIGINT: no new request is taken, those under way are answered, workers end
//! after the step they are at, the store writes what it took and is closed. A second signal ends
//! the process at once, which is safe too: it is what a crash is. When a write of the store fails
//! it ends in the same order, with an exit code that says so: the disk may have lost what it took,
//! so that only opening the store anew can tell what is there.

mod aws;
mod control;
mod metrics;
pub mod proof;
mod ready;
pub mod rig;
mod risk;
mod simulator;
mod sources;
mod stop;
mod store;

use std::{
    net::SocketAddr,
    path::PathBuf,
    sync::Arc,
    time::{Duration, Instant},
};

use clap::Args;
use lombard_core::bank::uk::weights::Weights;
use lombard_service::{http, metrics::METRICS};
use tracing::{error, info};

use crate::{
    check,
    config::{self, Settings},
    exit::{Exit, Failure, OrExit, Outcome, failure},
    logs,
};
pub use aws::{OnAws, with};
pub use proof::{LOG_FOLDER, LOG_KEY_FILE, policy};
pub use rig::listen;
pub use risk::watchlist;
pub use stop::Signals;
pub use store::{KEY_FILE, Opened, Parts, SHRED_FILE, VAULT_FOLDER};

/// How long workers may take to end, after requests have.
const WORKERS_GRACE: Duration = Duration::from_secs(10);

/// Arguments of `lombard up`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples: lombard up
          lombard up --data /var/lib/lombard --listen 0.0.0.0:8080 --config /etc/lombard.toml

Every setting, its variable and its default: docs/configuration.md.")]
pub struct Up {
    /// The folder of the store and the key file.
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Where the API listens; port 0 takes a free one.
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<SocketAddr>,
    /// Where the rail simulator listens.
    #[arg(long, value_name = "ADDRESS")]
    rail_listen: Option<SocketAddr>,
    /// The weight table of the UK modulus check, in Vocalink's form. Without one, account numbers
    /// are checked for their form alone.
    #[arg(long, value_name = "FILE")]
    uk_weights: Option<PathBuf>,
    /// A TOML file of settings.
    #[arg(long, env = "LOMBARD_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(flatten)]
    aws: aws::OnAws,
}

impl Up {
    /// Arguments over environment over file over defaults.
    fn settings(&self) -> Result<Settings, Failure> {
        let settings = config::load(self.config.as_deref(), config::environment());
        let mut settings = settings.or_exit(Exit::Usage, "settings")?;
        let process = &mut settings.process;
        if let Some(data) = &self.data {
            process.data.clone_from(data);
        }
        if let Some(weights) = &self.uk_weights {
            process.uk_weights = Some(weights.clone());
        }
        process.listen = self.listen.unwrap_or(process.listen);
        process.rail_listen = self.rail_listen.unwrap_or(process.rail_listen);
        settings.allow_own_webhooks();
        settings.keep_to_environment();
        Ok(settings)
    }
}

/// Runs the platform until it is told to stop.
pub fn run(args: &Up, as_json: bool) -> Outcome {
    let begun = Instant::now();
    let settings = args.settings()?;
    logs::start(&settings.process.log)?;
    rig::allow_connections(settings.service.http.connections_max);
    check_service(&settings)?;
    let weights = check::weights(settings.process.uk_weights.as_deref())?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(workers(&settings))
        .enable_all()
        .build()
        .or_exit(Exit::Internal, "no runtime")?;
    let told = Told { begun, as_json };
    if args.aws.is_wanted() {
        let ended = runtime.block_on(aws::serve(&args.aws, &settings, weights, told));
        runtime.shutdown_timeout(Duration::from_secs(1));
        return ended;
    }
    let opened = Opened::open(&settings.process.data)?;
    let parts = opened.parts();
    let ended = runtime.block_on(serve(&settings, &parts, Some(&opened), weights, told));
    // Whatever still holds the store lets go of it, then the store is closed.
    runtime.shutdown_timeout(Duration::from_secs(1));
    drop(parts);
    opened.close();
    ended
}

/// What settings name is there, and goes together: files of TLS, operations of the API.
fn check_service(settings: &Settings) -> Result<(), Failure> {
    let config = &settings.service;
    let tls = http::serve::tls::acceptor(&config.http.tls);
    let tls = tls.or_exit(Exit::Usage, "settings: http.tls")?;
    if tls.is_some() && simulator::is_wanted(&settings.process, config) {
        let what = "settings: the rail simulator speaks to this API without TLS; set `simulator = false` or leave `http.tls` out";
        return Err(failure(Exit::Usage, what.to_owned()));
    }
    let operations = config.approvals.operations.iter();
    let unknown = operations.filter(|it| !http::openapi::has_operation(it));
    match unknown.map(String::as_str).next() {
        None => Ok(()),
        Some(unknown) => {
            let what = format!("settings: approvals.operations: the API has no `{unknown}`");
            Err(failure(Exit::Usage, what))
        }
    }
}

fn workers(settings: &Settings) -> usize {
    match settings.process.workers {
        0 => std::thread::available_parallelism().map_or(2, usize::from),
        workers => workers,
    }
}

/// How the start is told of.
#[derive(Clone, Copy)]
struct Told {
    begun: Instant,
    as_json: bool,
}

/// Serves until it is told to stop, or its own engine fails.
async fn serve(
    settings: &Settings,
    parts: &store::Parts,
    opened: Option<&Opened>,
    weights: Option<Weights>,
    told: Told,
) -> Outcome {
    // Listened for from the start, so that a stop during the start is not lost.
    let mut signals = stop::Signals::listen()?;
    let listener = rig::listen(settings.process.listen).await?;
    let api = listener
        .local_addr()
        .or_exit(Exit::Unreachable, "no address")?;
    let rig = rig::Rig::start(settings, parts, api, weights).await?;
    let ready_after = METRICS.start_duration.of(());
    ready_after.set(told.begun.elapsed().as_secs_f64());
    let ready = ready::Ready::of(&rig, api, &settings.process.data);
    let left = ready.leave(&settings.process.data)?;
    let listen =
        |opened: &Opened| control::Control::listen(&settings.process.data, opened.engines(), &rig);
    let control = opened.and_then(listen);
    let config = Arc::clone(&rig.app.config);
    let router = rig.router();
    let (tell, ended) = tokio::sync::oneshot::channel::<()>();
    let server = tokio::spawn(async move {
        let shutdown = async {
            // A sender that is gone says the same.
            let _ = ended.await;
        };
        lombard_service::http::serve(listener, router, &config.http, shutdown).await
    });
    ready.tell(told.as_json);
    let failed = tokio::select! {
        signal = signals.next() => {
            info!(signal, "stopping");
            None
        }
        reason = failure_of(opened) => {
            error!(%reason, "the store has failed and takes no more; stopping");
            Some(reason)
        }
    };
    stop::end_at_once_on_another(signals);
    drop((left, control));
    drop(tell);
    let served = server.await.or_exit(Exit::Internal, "the server failed")?;
    rig.stop(WORKERS_GRACE).await;
    served.or_exit(Exit::Unreachable, "the address cannot be listened on")?;
    info!("stopped");
    match failed {
        None => Ok(Exit::Done),
        Some(reason) => Err(failure(
            Exit::StoreFailed,
            format!(
                "the store has failed: {reason}. What was answered is safe; what was answered with \
                 `outcome_unknown` may be done or not. Look at the disk, then start again"
            ),
        )),
    }
}

/// Ends when the engine in this process has failed for good, with the reason; never without one.
async fn failure_of(opened: Option<&Opened>) -> Arc<str> {
    match opened {
        Some(opened) => opened.engine.failure().await,
        None => std::future::pending().await,
    }
}
