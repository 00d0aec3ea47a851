//! `lombard vault`: the vault by itself, on its own port, with its own store, keys and
//! credentials. Whoever runs payments beside it never sees a card number.

use std::{net::SocketAddr, path::PathBuf, sync::Arc, time::Duration};

use clap::Args;
use lombard_core::tenant::TenantId;
use lombard_service::{
    app::App,
    config::Config,
    http::{self, Api},
    rails::Rails,
    tenants::{self, FirstKeys},
};
use tokio::{sync::watch, task::JoinSet};
use tracing::info;

use crate::{
    config::Log,
    exit::{Exit, Failure, OrExit, Outcome},
    logs, say,
    up::{Opened, Signals, listen, proof, rig},
};

/// How long workers may take to end, after requests have.
const WORKERS_GRACE: Duration = Duration::from_secs(10);

/// Arguments of `lombard vault`.
#[derive(Debug, Args)]
#[command(after_help = "\
At the first start of a folder, or for a tenant that is new to it, keys of the roles `admin` and
`approver` are printed, once: the one proposes the other keys (POST /v1/proposals), the other, in
somebody else's hands, approves them.

Example: lombard vault --data /var/lib/lombard-vault --listen 127.0.0.1:8070 --tenant ten_demo0000")]
pub struct Vault {
    /// The folder of the vault's store and keys.
    #[arg(long, value_name = "DIR", default_value = "lombard-vault")]
    data: PathBuf,
    /// Where it listens; port 0 takes a free one.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8070")]
    listen: SocketAddr,
    /// A tenant that the vault is to keep data for.
    #[arg(long, value_name = "TENANT", default_value = "ten_demo0000")]
    tenant: String,
}

/// Runs until it is told to stop.
pub fn run(args: &Vault, as_json: bool) -> Outcome {
    logs::start(&Log::default())?;
    let tenant: TenantId = args.tenant.parse().or_exit(Exit::Usage, "--tenant")?;
    let opened = Opened::open(&args.data)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .or_exit(Exit::Internal, "no runtime")?;
    let ended = runtime.block_on(serve(args, tenant, &opened, as_json));
    runtime.shutdown_timeout(Duration::from_secs(1));
    opened.close();
    ended
}

async fn serve(args: &Vault, tenant: TenantId, opened: &Opened, as_json: bool) -> Outcome {
    let mut signals = Signals::listen()?;
    let listener = listen(args.listen).await?;
    let address = listener
        .local_addr()
        .or_exit(Exit::Unreachable, "no address")?;
    let parts = opened.parts();
    let app = App {
        store: parts.store.clone(),
        bank: parts.bank.clone(),
        host: parts.host.clone(),
        vault: parts.vault.clone(),
        rails: Arc::new(Rails::default()),
        risk: None,
        config: Arc::new(Config::default()),
    };
    let keys = first_keys(&app, tenant).await?;
    let (stop, stopped) = watch::channel(false);
    let mut workers = JoinSet::new();
    let tokens = rig::start_vault(&app, &parts, &stopped, &mut workers).await?;
    let log = proof::open(&app, &args.data, &parts).await?;
    proof::spawn(&app, &log, &stopped, &mut workers)?;
    let api = Api::new(app.clone()).with_tokens(tokens).with_log(log);
    let router = http::vault_router(api);
    tell(address, keys.as_ref(), as_json);
    let shutdown = async move {
        let signal = signals.next().await;
        info!(signal, "stopping");
    };
    let served = http::serve(listener, router, &app.config.http, shutdown).await;
    // Nobody listens any more when all have ended by themselves, which is as good.
    let _ = stop.send(true);
    let ended = async { while workers.join_next().await.is_some() {} };
    let _ = tokio::time::timeout(WORKERS_GRACE, ended).await;
    served.or_exit(Exit::Unreachable, "the address cannot be listened on")?;
    Ok(Exit::Done)
}

/// The keys that a tenant begins with, if it has none here; their texts are given once.
async fn first_keys(app: &App, tenant: TenantId) -> Result<Option<FirstKeys>, Failure> {
    let known = tenants::list_keys(app, tenant).await;
    let known = known.or_exit(Exit::Internal, "the vault's credentials")?;
    if !known.is_empty() {
        return Ok(None);
    }
    let made = tenants::first_keys(app, tenant).await;
    made.map(Some).or_exit(Exit::Internal, "the first keys")
}

fn tell(address: SocketAddr, keys: Option<&FirstKeys>, as_json: bool) {
    let url = format!("http://{address}");
    let admin = keys.map(|keys| keys.admin.expose());
    let approver = keys.map(|keys| keys.approver.expose());
    if as_json {
        let pid = std::process::id();
        return say::json(&serde_json::json!({
            "url": url, "api_key": admin, "approver_key": approver, "pid": pid,
        }));
    }
    say::line(&format!("The vault is ready at {url}"));
    if let (Some(admin), Some(approver)) = (admin, approver) {
        say::line(&format!("  admin key, shown once      {admin}"));
        say::line(&format!("  approver key, shown once   {approver}"));
    }
}
