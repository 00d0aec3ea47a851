//! `lombard witness`: cosigns checkpoints of logs that only grow. To be run by somebody else than
//! the log.

use std::{fs, net::SocketAddr, path::PathBuf, sync::Arc};

use clap::Args;
use lombard_core::proof::key::Keys;
use lombard_service::{
    config::HttpConfig,
    host::SystemHost,
    http::serve,
    proof::{
        keys::read_secret_keys,
        witness::{Witness as Role, WitnessError, router},
    },
};
use tracing::info;

use crate::{
    config::Log,
    exit::{Exit, Failure, OrExit, Outcome},
    logs, say,
    up::{Signals, listen},
};

/// Arguments of `lombard witness`.
#[derive(Debug, Args)]
#[command(after_help = "\
A log asks http://ADDRESS/add-checkpoint (C2SP tlog-witness). Keep the state file as carefully as
the key: a witness that has lost it must be retired.

Example: lombard witness --listen 0.0.0.0:8100 --origin-keys logs.pub --key witness.key --state witness.state --new")]
pub struct Witness {
    /// Where it listens; port 0 takes a free one.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8100")]
    listen: SocketAddr,
    /// The public keys of the logs that it watches, one a line. A key's name is its log's origin.
    #[arg(long, value_name = "FILE")]
    origin_keys: PathBuf,
    /// The witness's secret key: `lombard log keygen NAME --out FILE --witness`.
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// What it has cosigned so far.
    #[arg(long, value_name = "FILE")]
    state: PathBuf,
    /// Begin with a new state file.
    #[arg(long)]
    new: bool,
}

/// Runs until it is told to stop.
pub fn run(args: &Witness, as_json: bool) -> Outcome {
    logs::start(&Log::default())?;
    let role = open(args)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .or_exit(Exit::Internal, "no runtime")?;
    runtime.block_on(watch(args, role, as_json))
}

fn open(args: &Witness) -> Result<Role, Failure> {
    let file = &args.origin_keys;
    let text = fs::read_to_string(file).or_exit(Exit::Usage, file.display())?;
    let logs = Keys::parse(&text).or_exit(Exit::Usage, file.display())?;
    let keys = read_secret_keys(&args.key).or_exit(Exit::Usage, args.key.display())?;
    let host = Arc::new(SystemHost::default());
    let role = Role::open(logs, keys, &args.state, args.new, host);
    role.map_err(|error| {
        let exit = match &error {
            WitnessError::Damaged => Exit::Damaged,
            WitnessError::File(_) | WitnessError::Keys => Exit::Usage,
        };
        let what = args.state.display().to_string();
        let error = anyhow::Error::from(error).context(what);
        Failure { exit, error }
    })
}

async fn watch(args: &Witness, role: Role, as_json: bool) -> Outcome {
    let mut signals = Signals::listen()?;
    let listener = listen(args.listen).await?;
    let address = listener
        .local_addr()
        .or_exit(Exit::Unreachable, "no address")?;
    let url = format!("http://{address}");
    if as_json {
        say::json(&serde_json::json!({"url": url, "pid": std::process::id()}));
    } else {
        say::line(&format!("The witness is ready at {url}"));
    }
    let stop = async move {
        let signal = signals.next().await;
        info!(signal, "stopping");
    };
    let config = HttpConfig::default();
    let served = serve(listener, router(Arc::new(role)), &config, stop).await;
    served.or_exit(Exit::Unreachable, "the address cannot be listened on")?;
    Ok(Exit::Done)
}
