//! Stores to test against.

use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering},
};

use aws_config::SdkConfig;
use lombard_aws::{
    connect::{Place, connect},
    dynamo::{Dynamo, table},
    feed::Relay,
    residency::Residency,
};
use lombard_service::{host::SystemHost, ports::Host};
use tokio::{net::TcpListener, sync::watch, task::JoinHandle};

/// An endpoint outside, to test against as well.
pub fn endpoint_outside() -> Option<String> {
    std::env::var("LOMBARD_AWS_ENDPOINT")
        .ok()
        .filter(|it| !it.is_empty())
}

/// An emulator of DynamoDB in this process, with nothing in it.
pub async fn emulator() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("it is bound");
    let database = dynoxide::Database::memory().expect("a database in memory");
    tokio::spawn(dynoxide::server::serve_on(listener, database));
    format!("http://{address}")
}

pub async fn configure(endpoint: &str) -> SdkConfig {
    let place = Place {
        region: Some("eu-west-2".to_owned()),
        endpoint: Some(endpoint.to_owned()),
        residency: Residency::default(),
    };
    connect(&place).await.expect("London is allowed")
}

pub fn host() -> Arc<dyn Host> {
    Arc::new(SystemHost::default())
}

/// A store on tables of its own, with its relay running.
pub struct Running {
    pub store: Dynamo,
    pub config: SdkConfig,
    pub stream: String,
    stop: watch::Sender<bool>,
    relay: JoinHandle<()>,
}

impl Running {
    pub async fn at(endpoint: &str) -> Self {
        static TABLES: AtomicU32 = AtomicU32::new(0);
        let n = TABLES.fetch_add(1, Ordering::Relaxed);
        let chance = host().random() as u32;
        Self::on(endpoint, &format!("lombard-{chance:08x}-{n}")).await
    }

    /// The same over a table that may be there.
    pub async fn on(endpoint: &str, name: &str) -> Self {
        let config = configure(endpoint).await;
        let store = Dynamo::new(&config, name, host());
        table::make(store.client(), name).await.expect("tables");
        let checked = table::check(store.client(), name, &Residency::default(), false).await;
        let stream = checked.expect("they are as the layout says");
        let relay = Relay::new(&config, &stream, &store, host());
        let (stop, stopped) = watch::channel(false);
        let relay = tokio::spawn(relay.run(stopped));
        Self {
            store,
            config,
            stream,
            stop,
            relay,
        }
    }

    /// Ends the relay, as a stop of the process would.
    pub async fn stop(self) {
        self.stop.send_replace(true);
        self.relay.await.expect("the relay ends in order");
    }
}
