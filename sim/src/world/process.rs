//! A process of the service, started, dead, and started again on what the store kept.

use std::sync::Arc;

use lombard_core::{command::Render, payment::Sealed, rail::Rail, tenant::TenantId};
use lombard_service::{
    app::App,
    config::Config,
    http::wire::Wire,
    optimistic::Optimistic,
    ports::{Bank, Host, Store, Vault, VaultError},
    rails::Rails,
    worker,
};
use tokio::{sync::watch, time::Duration};

use super::{
    Shared, bank::OneWriter, clock::SimHost, life::Life, luck::Luck, rail::Port, store::View,
};

/// A vault with nothing in it: commands of the simulation carry no personal data.
struct NoVault;

impl Vault for NoVault {
    fn seal(&self, _: TenantId, subject: &str, _: &[u8]) -> Result<Sealed, VaultError> {
        Err(VaultError::NoKey(subject.to_owned()))
    }

    fn open(&self, _: TenantId, _: &str, _: &Sealed) -> Result<Vec<u8>, VaultError> {
        Err(VaultError::NotGenuine)
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
        let workers = worker::spawn_all(&app, &stopped);
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
        tokio::time::sleep(Duration::from_millis(luck.between(1, 3_000))).await;
    }
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
        vault: Arc::new(NoVault),
        rails: Arc::new(rails),
        config: Arc::new(Config::default()),
    }
}
