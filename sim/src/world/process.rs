//! A process of the service, started, dead, and started again on what the store kept.

use std::sync::Arc;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use lombard_core::{command::Render, payment::Sealed, rail::Rail, tenant::TenantId};
use lombard_service::{
    app::App,
    config::Config,
    hooks::{consumer::WebhookConsumer, dispatch::Hooks, forget, retry},
    http::wire::Wire,
    optimistic::Optimistic,
    ports::{Bank, Host, Store, Vault, VaultError},
    proof::{Log, keys::FileKeys, log::Settings, publisher::Publisher, sequencer},
    rails::Rails,
    worker::{self, feed},
};
use tokio::{sync::watch, task::JoinSet, time::Duration};

use super::{
    Shared, bank::OneWriter, clock::SimHost, files, life::Life, log_key, luck::Luck, rail::Port,
    receiver::Way, store::View,
};

/// A vault that hides nothing, but opens only for whom it sealed.
pub struct OpenVault;

impl Vault for OpenVault {
    fn seal(&self, tenant: TenantId, subject: &str, plain: &[u8]) -> Result<Sealed, VaultError> {
        Ok(Sealed {
            key: format!("{tenant}/{subject}"),
            data: STANDARD.encode(plain),
        })
    }

    fn open(
        &self,
        tenant: TenantId,
        subject: &str,
        sealed: &Sealed,
    ) -> Result<Vec<u8>, VaultError> {
        if sealed.key != format!("{tenant}/{subject}") {
            return Err(VaultError::NotGenuine);
        }
        let plain = STANDARD.decode(&sealed.data);
        plain.map_err(|_| VaultError::NotGenuine)
    }

    fn blind(&self, domain: &str, text: &str) -> String {
        format!("{domain}/{text}")
    }
}

/// Keeps a host's process running until the world ends.
pub async fn keep(shared: Arc<Shared>, host: usize) {
    let luck = Luck::new(shared.seed, &format!("host {host}"));
    let skew = shared.weather(|now| now.skew_ms) as i64;
    let wrong = |luck: &Luck| luck.below(2 * skew as u64 + 1) as i64 - skew;
    let clock = Arc::new(SimHost::new(
        Arc::clone(&shared.clock),
        wrong(&luck),
        Luck::new(shared.seed, &format!("dice of host {host}")),
    ));
    for start in 0u64.. {
        let life = Arc::new(Life::default());
        let name = format!("host {host}.{start}");
        let app = app(&shared, &life, &clock, &name);
        let (_stop, stopped) = watch::channel(false);
        let mut workers = worker::spawn_all(&app, &stopped);
        if shared.weather_of_world().hooks {
            spawn_hooks(&shared, &life, &app, &name, &stopped, &mut workers);
        }
        // One host keeps the log, as an installation has it.
        if host == 0 && shared.weather_of_world().log {
            spawn_log(&shared, &life, &app, &name, &stopped, &mut workers);
        }
        shared.set_process(host, Some((app, Arc::clone(&life))));
        shared.history.note("world", || format!("!! {name} starts"));
        while !life.is_over() {
            tokio::select! {
                biased;
                () = life.over() => {}
                () = tokio::time::sleep(Duration::from_secs(1)) => {
                    if luck.happens(shared.weather(|now| now.jump)) {
                        jump(&shared, &luck, &clock, wrong(&luck));
                    }
                }
            }
        }
        shared.set_process(host, None);
        // Dropped wherever they wait, as a process that is killed drops them.
        drop(workers);
        // The machine goes with the process, or it does not.
        if host == 0 && luck.happens(500) {
            shared.files.lose_power(&luck);
        }
        tokio::time::sleep(Duration::from_millis(luck.between(1, 3_000))).await;
    }
}

/// Starts what tells tenants by webhook.
fn spawn_hooks(
    shared: &Arc<Shared>,
    life: &Arc<Life>,
    app: &App,
    name: &str,
    stopped: &watch::Receiver<bool>,
    workers: &mut JoinSet<()>,
) {
    let way = Way {
        shared: Arc::clone(shared),
        life: Arc::clone(life),
        luck: Luck::new(shared.seed, &format!("webhooks of {name}")),
    };
    let hooks = Hooks::by(app.clone(), Arc::new(way));
    for shard in 0..app.store.shards() {
        let consumer = Arc::new(WebhookConsumer(hooks.clone()));
        workers.spawn(feed::run(app.clone(), consumer, shard, stopped.clone()));
    }
    workers.spawn(forget::run(hooks.clone(), stopped.clone()));
    workers.spawn(retry::run(hooks, stopped.clone()));
}

/// Starts what makes the verifiable log grow.
fn spawn_log(
    shared: &Arc<Shared>,
    life: &Arc<Life>,
    app: &App,
    name: &str,
    stopped: &watch::Receiver<bool>,
    workers: &mut JoinSet<()>,
) {
    let files = files::View {
        shared: Arc::clone(shared),
        life: Arc::clone(life),
        luck: Luck::new(shared.seed, &format!("files of {name}")),
    };
    let keys = FileKeys::of(vec![log_key()]);
    let log = Log::new(Arc::new(files), Arc::new(keys), Settings::default());
    match Publisher::new(app.host.clone(), log.clone()) {
        Ok(publisher) => drop(workers.spawn(publisher.run(stopped.clone()))),
        Err(error) => shared.violate("the verifiable log", &error.to_string()),
    }
    workers.spawn(sequencer::run(app.clone(), log, stopped.clone()));
}

/// The clock of a host is set anew, or all of them jump, as after a sleep of the machine.
fn jump(shared: &Shared, luck: &Luck, clock: &SimHost, wrong: i64) {
    if luck.happens(500) {
        clock.set(wrong);
        shared
            .history
            .note("world", || format!("!! a clock is now wrong by {wrong} ms"));
    } else {
        let ms = luck.between(100, 120_000) as i64;
        shared.clock.jump(ms);
        shared
            .history
            .note("world", || format!("!! all clocks jump by {ms} ms"));
    }
}

fn app(shared: &Arc<Shared>, life: &Arc<Life>, clock: &Arc<SimHost>, name: &str) -> App {
    let store: Arc<dyn Store> = Arc::new(View {
        shared: Arc::clone(shared),
        life: Arc::clone(life),
        luck: Luck::new(shared.seed, &format!("store of {name}")),
        name: name.to_owned(),
    });
    let host: Arc<dyn Host> = Arc::clone(clock) as Arc<dyn Host>;
    let render: Arc<dyn Render> = Arc::new(Wire);
    let bank: Arc<dyn Bank> = if shared.weather(|now| now.one_writer) {
        Arc::new(OneWriter::new(
            Arc::clone(&store),
            Arc::clone(&host),
            render,
        ))
    } else {
        Arc::new(Optimistic::new(
            Arc::clone(&store),
            Arc::clone(&host),
            render,
        ))
    };
    let mut rails = Rails::default();
    for rail in [Rail::Fps, Rail::SepaInst] {
        let port = Port {
            shared: Arc::clone(shared),
            life: Arc::clone(life),
            luck: Luck::new(shared.seed, &format!("{rail} of {name}")),
            rail,
        };
        rails.add(rail, Arc::new(port));
    }
    App {
        store,
        bank,
        host,
        vault: Arc::new(OpenVault),
        rails: Arc::new(rails),
        risk: None,
        config: Arc::new(Config::default()),
    }
}
