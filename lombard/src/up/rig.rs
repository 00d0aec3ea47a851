//! Puts the parts together: application, rails, workers, simulator, demo tenant.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use axum::Router;
use lombard_core::{
    bank::uk::weights::Weights, psp::Providers, statement::Mapping, tenant::TenantId,
};
use lombard_service::{
    access::Role,
    alerts::{Alerts, consumer::AlertConsumer},
    app::App,
    batch::resume,
    config::Config,
    duty,
    hooks::{consumer::WebhookConsumer, dispatch::Hooks, forget, retry},
    http::{self, Api},
    identity::person,
    migrate,
    ports::Cause,
    proof::Log,
    rails,
    roster::{self, Roster},
    tenants::{self, DemoTenant, FirstKeys},
    traces::export,
    vault::{Subjects, Tokens, erasure, rotation},
    worker::{self, feed, soundness},
};
use rustix::process::{Resource, getrlimit, setrlimit};
use tokio::{net::TcpListener, sync::watch, task::JoinSet};
use tracing::warn;
use zeroize::Zeroizing;

use super::{metrics, proof, risk, simulator, sources, store::Parts};
use crate::{
    config::Settings,
    exit::{Exit, Failure, OrExit, failure},
};

/// The name of the console's first account.
pub const FIRST_NAME: &str = "admin";

/// A running platform, but for its API.
pub struct Rig {
    /// The ports.
    pub app: App,
    /// The demo tenant, if one is wanted.
    pub demo: Option<DemoTenant>,
    /// The keys that the first tenant begins with, if it was made now.
    pub first_keys: Option<FirstKeys>,
    /// The one-time password of the account `admin` of the console, if it was made now.
    pub password: Option<Zeroizing<String>>,
    /// Where the simulator is, if there is one.
    pub rail_url: Option<String>,
    /// Where metrics are told.
    pub metrics_url: String,
    /// How people are told of exceptions, if any way is configured.
    pub alerts: Option<Arc<Alerts>>,
    /// The vault, inside.
    pub tokens: Tokens,
    /// The UK modulus table, if there is one.
    weights: Option<Weights>,
    log: Arc<Log>,
    roster: Arc<Roster>,
    providers: Providers,
    stop: watch::Sender<bool>,
    workers: JoinSet<()>,
}

impl Rig {
    /// Starts everything that works behind the API.
    ///
    /// # Errors
    /// When a part cannot be started.
    pub async fn start(
        settings: &Settings,
        parts: &Parts,
        api: SocketAddr,
        weights: Option<Weights>,
    ) -> Result<Self, Failure> {
        let served = migrate::state::may_serve(parts.store.as_ref()).await;
        served.or_exit(Exit::No, "nothing is served")?;
        let (stop, stopped) = watch::channel(false);
        let mut workers = JoinSet::new();
        let mut config = settings.service.clone();
        let rail_url = if simulator::is_wanted(&settings.process, &config) {
            let listener = listen(settings.process.rail_listen).await?;
            let own = simulator::Simulator::beside(listener, api, parts, &settings.process)?;
            let url = own.add_to(&mut config);
            workers.spawn(own.run(stopped.clone()));
            Some(url)
        } else {
            None
        };
        let spool = config.batches.spool.clone();
        let spool = spool.unwrap_or_else(|| settings.process.data.join("spool"));
        std::fs::create_dir_all(&spool).or_exit(Exit::NotWritable, spool.display())?;
        config.batches.spool = Some(spool);
        if settings.process.demo {
            sources::give_to(tenants::demo_id(), &mut config);
        }
        let providers = providers(&config)?;
        check_mappings(&config)?;
        let app = application(config, parts)?;
        spawn_traces(&app, &stopped, &mut workers).or_exit(Exit::Internal, "traces")?;
        let tokens = start_vault(&app, parts, &stopped, &mut workers).await?;
        if let Some(cards) = app.rails.cards() {
            cards.open_with(tokens.clone());
        }
        let (mut demo, mut first_keys, mut password) = (None, None, None);
        if settings.process.demo {
            let made = tenants::demo(&app).await;
            let made = made.or_exit(Exit::Internal, "the demo tenant")?;
            // Whoever has the laptop has everything on it.
            password = first_person(&app, made.tenant, &Role::ALL).await?;
            demo = Some(made);
        } else {
            let made = tenants::begin(&app).await;
            let made = made.or_exit(Exit::Internal, "the first tenant")?;
            if let Some((tenant, keys)) = made {
                password = first_person(&app, tenant, &[Role::Admin]).await?;
                first_keys = Some(keys);
            }
        }
        risk::start(&app, &stopped, &mut workers).await?;
        sources::spawn(&app, &stopped, &mut workers)?;
        let mut own = worker::spawn_all(&app, &stopped);
        workers.spawn(async move { while own.join_next().await.is_some() {} });
        for (store, name) in [(&parts.store, "store"), (&parts.vault_store, "vault")] {
            let told = soundness::run(app.clone(), store.clone(), name, stopped.clone());
            workers.spawn(told);
        }
        workers.spawn(resume::run(app.clone(), weights.clone(), stopped.clone()));
        let log = proof::open(&app, &settings.process.data, parts).await?;
        proof::spawn(&app, &log, &stopped, &mut workers)?;
        spawn_webhooks(&app, &stopped, &mut workers).or_exit(Exit::Internal, "webhooks")?;
        let alerts = Alerts::new(&app).or_exit(Exit::Internal, "alerts")?;
        spawn_alerts(&app, alerts.as_ref(), &stopped, &mut workers);
        let roster = Arc::new(Roster::default());
        let following = roster::run(app.clone(), roster.clone(), stopped.clone());
        workers.spawn(duty::on("roster", following));
        let metrics_url =
            metrics::spawn(settings, parts, &app, &log, &stopped, &mut workers).await?;
        Ok(Self {
            app,
            demo,
            first_keys,
            password,
            rail_url,
            metrics_url,
            alerts,
            tokens,
            weights,
            log,
            roster,
            providers,
            stop,
            workers,
        })
    }

    /// The API, and the counter for the rails' messages.
    pub fn router(&self) -> Router {
        let api =
            Api::with_weights(self.app.clone(), self.weights.clone()).with_log(self.log.clone());
        let api = api.with_providers(self.providers.clone());
        let api = api.with_roster(self.roster.clone());
        http::router(api.with_tokens(self.tokens.clone()))
    }

    /// Ends the workers, each after the step that it is at.
    pub async fn stop(mut self, grace: Duration) {
        // Nobody listens any more when all have ended by themselves, which is as good.
        let _ = self.stop.send(true);
        let ended = async { while self.workers.join_next().await.is_some() {} };
        if tokio::time::timeout(grace, ended).await.is_err() {
            warn!("some workers did not end in time; the next start does their last steps again");
        }
    }
}

/// The account of whoever runs a tenant's console: its one-time password, if it was made now.
async fn first_person(
    app: &App,
    tenant: TenantId,
    roles: &[Role],
) -> Result<Option<Zeroizing<String>>, Failure> {
    let made = person::first(app, tenant, FIRST_NAME, Role::together(roles)).await;
    made.or_exit(Exit::Internal, "the console's first account")
}

/// Opens the vault over its own store: what was erased stays erased, and keys that are to be
/// exchanged or destroyed are.
///
/// # Errors
/// [`Exit::Internal`] when its store or its keys cannot be used.
pub async fn start_vault(
    app: &App,
    parts: &Parts,
    stopped: &watch::Receiver<bool>,
    workers: &mut JoinSet<()>,
) -> Result<Tokens, Failure> {
    let own = App {
        store: parts.vault_store.clone(),
        bank: parts.vault_bank.clone(),
        ..app.clone()
    };
    let (store, keys) = (own.store.clone(), parts.keys.clone());
    let subjects = Arc::new(Subjects::new(store, keys, own.host.clone()));
    let tokens = Tokens::new(own, app.clone(), subjects);
    let erased = erasure::replay(&tokens).await;
    erased.or_exit(Exit::Internal, "the list of erased subjects")?;
    let shared = Arc::new(tokens.clone());
    workers.spawn(erasure::run(Arc::clone(&shared), stopped.clone()));
    workers.spawn(rotation::run(shared, stopped.clone()));
    Ok(tokens)
}

/// The providers that are built in, and those whose files are configured.
fn providers(config: &Config) -> Result<Providers, Failure> {
    let mut providers = Providers::built_in();
    for (name, psp) in &config.psp {
        let place = format!("psp.{name}");
        if let Some(path) = &psp.map {
            let text = std::fs::read_to_string(path).or_exit(Exit::Usage, path)?;
            let map = { providers.add(&text) }.or_exit(Exit::Usage, path)?;
            if map.provider != *name {
                let why = format!("{place}.map: {path} is the file of {:?}", map.provider);
                return Err(failure(Exit::Usage, why));
            }
        }
        let known = providers.get(name);
        if known.is_none_or(|map| map.webhook.is_none()) {
            let why =
                format!("{place}: no provider of this name sends webhooks; name its file as `map`");
            return Err(failure(Exit::Usage, why));
        }
    }
    Ok(providers)
}

/// Holds the files of sources' mappings to their form before the first statement comes.
fn check_mappings(config: &Config) -> Result<(), Failure> {
    for source in config.reconciliation.sources.values() {
        if let Some(path) = &source.mapping {
            let text = std::fs::read_to_string(path).or_exit(Exit::Usage, path)?;
            Mapping::from_toml(&text).or_exit(Exit::Usage, path)?;
        }
    }
    Ok(())
}

fn application(config: Config, parts: &Parts) -> Result<App, Failure> {
    let (store, bank) = (parts.store.clone(), parts.bank.clone());
    let (vault, host) = (parts.vault.clone(), parts.host.clone());
    let rails = rails::connect(&config, &store, &vault, &host).or_exit(Exit::Internal, "rails")?;
    let risk = risk::desk(&config.risk)?;
    let (rails, config) = (Arc::new(rails), Arc::new(config));
    Ok(App {
        store,
        bank,
        host,
        vault,
        rails,
        risk,
        config,
    })
}

fn spawn_alerts(
    app: &App,
    alerts: Option<&Arc<Alerts>>,
    stopped: &watch::Receiver<bool>,
    workers: &mut JoinSet<()>,
) {
    let Some(alerts) = alerts else { return };
    let (consumer, desk) = AlertConsumer::new(app, alerts.clone(), stopped.clone());
    let consumer = Arc::new(consumer);
    workers.spawn(desk);
    for shard in 0..app.store.shards() {
        workers.spawn(feed::run(
            app.clone(),
            consumer.clone(),
            shard,
            stopped.clone(),
        ));
    }
}

fn spawn_traces(
    app: &App,
    stopped: &watch::Receiver<bool>,
    workers: &mut JoinSet<()>,
) -> Result<(), Cause> {
    let config = &app.config;
    let (host, stop) = (app.host.clone(), stopped.clone());
    let exporter = export::start(&config.traces, config.environment, host, stop)?;
    if let Some(exporter) = exporter {
        workers.spawn(exporter);
    }
    Ok(())
}

fn spawn_webhooks(
    app: &App,
    stopped: &watch::Receiver<bool>,
    workers: &mut JoinSet<()>,
) -> Result<(), Cause> {
    let hooks = Hooks::new(app.clone())?;
    for shard in 0..app.store.shards() {
        let consumer = Arc::new(WebhookConsumer(hooks.clone()));
        workers.spawn(feed::run(app.clone(), consumer, shard, stopped.clone()));
    }
    workers.spawn(forget::run(hooks.clone(), stopped.clone()));
    workers.spawn(retry::run(hooks, stopped.clone()));
    Ok(())
}

/// File handles beside those of connections: the store, the log's files, rails, webhooks, uploads.
const OTHER_HANDLES: u64 = 1_024;

/// Asks the system for as many file handles as the connections may need. Many systems give a
/// process a thousand unless it asks.
pub fn allow_connections(connections_max: usize) {
    let needed = connections_max as u64 + OTHER_HANDLES;
    let mut limit = getrlimit(Resource::Nofile);
    if limit.current.is_some_and(|now| now < needed) {
        limit.current = Some(limit.maximum.map_or(needed, |most| most.min(needed)));
        let allowed = limit.current;
        if setrlimit(Resource::Nofile, limit).is_err() || allowed < Some(needed) {
            warn!(
                needed,
                ?allowed,
                "too few file handles for `http.connections_max`; raise the limit (`ulimit -n`)"
            );
        }
    }
}

/// Listens on an address.
///
/// # Errors
/// [`Exit::Unreachable`] when it is taken or not ours.
pub async fn listen(address: SocketAddr) -> Result<TcpListener, Failure> {
    let what = format!("{address} cannot be listened on; choose another with --listen");
    TcpListener::bind(address)
        .await
        .or_exit(Exit::Unreachable, what)
}
