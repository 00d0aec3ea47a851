//! The simulators beside the platform: for the rails that no gateway is configured for and, when
//! asked, for payment service providers without a key.

use std::{fmt::Write, net::SocketAddr, sync::Arc};

use lombard_core::rail::Rail;
use lombard_service::{
    config::{Config, RailConfig},
    ports::Host,
};
use lombard_sim::{
    psp::PspConfig,
    rail::{self, SimConfig},
};
use tokio::{net::TcpListener, sync::watch};
use tracing::error;

use super::store::Parts;
use crate::config::Process;
use crate::exit::{Exit, Failure, OrExit};

/// Our name on each rail, where the demo accounts are: see the demo tenant.
const OWN_AGENTS: [(Rail, &str); 2] = [(Rail::Fps, "000001"), (Rail::SepaInst, "COBADEFFXXX")];
/// Calls under way at once.
const CONCURRENCY: usize = 64;

/// The providers that are simulated.
const PROVIDERS: [&str; 2] = ["adyen", "stripe"];

/// Whether a rail has no gateway, or providers are to be simulated.
pub fn is_wanted(process: &Process, config: &Config) -> bool {
    let configured = |(rail, _): &(Rail, &str)| config.rails.contains_key(rail);
    process.psp_simulator || process.simulator && !OWN_AGENTS.iter().all(configured)
}

/// A simulator that is about to run.
pub struct Simulator {
    listener: TcpListener,
    address: SocketAddr,
    config: SimConfig,
    has_rails: bool,
}

impl Simulator {
    /// On this listener, for the API at `api`, with a secret of its own.
    ///
    /// # Errors
    /// When the listener has no address.
    pub fn beside(
        listener: TcpListener,
        api: SocketAddr,
        parts: &Parts,
        process: &Process,
    ) -> Result<Self, Failure> {
        let address = listener
            .local_addr()
            .or_exit(Exit::Unreachable, "no address")?;
        let config = SimConfig {
            lombard_url: format!("http://{api}"),
            secret: drawn(parts.host.as_ref()),
            host: Arc::clone(&parts.host),
            clock: parts.clock.clone(),
            psp: process.psp_simulator.then(|| PspConfig {
                lombard_url: format!("http://{api}"),
                stripe_secret: format!("whsec_{}", drawn(parts.host.as_ref())),
                adyen_secret: drawn(parts.host.as_ref()),
                host: Arc::clone(&parts.host),
            }),
            ..SimConfig::default()
        };
        Ok(Self {
            listener,
            address,
            config,
            has_rails: process.simulator,
        })
    }

    /// Makes it the gateway of the rails that have none, and gives its URL.
    pub fn add_to(&self, config: &mut Config) -> String {
        let url = format!("http://{}", self.address);
        for (rail, own_agent) in OWN_AGENTS.into_iter().filter(|_| self.has_rails) {
            config.rails.entry(rail).or_insert_with(|| RailConfig {
                url: url.clone(),
                secret: self.config.secret.clone(),
                concurrency: CONCURRENCY,
                own_agent: own_agent.to_owned(),
            });
        }
        if let Some(psp) = &self.config.psp {
            for name in PROVIDERS {
                let own = config.psp.entry(name.to_owned()).or_default();
                if own.api_key.is_some() {
                    continue;
                }
                own.api_key = Some("simulated".to_owned());
                own.url = Some(format!("{url}/{name}"));
                own.merchant_account = Some("Lombard".to_owned());
                let secret = match name {
                    "stripe" => &psp.stripe_secret,
                    _ => &psp.adyen_secret,
                };
                own.secret.clone_from(secret);
            }
        }
        url
    }

    /// Runs until `stop` turns true.
    pub async fn run(self, mut stop: watch::Receiver<bool>) {
        let stopped = async move {
            // A sender that is gone says the same.
            let _ = stop.wait_for(|stop| *stop).await;
        };
        if let Err(error) = rail::serve(self.listener, self.config, stopped).await {
            error!(%error, "the rail simulator ended");
        }
    }
}

/// 256 bits that nobody can foretell, in hexadecimal.
fn drawn(host: &dyn Host) -> String {
    let mut text = String::new();
    for _ in 0..2 {
        // Writing to a text does not fail.
        let _ = write!(text, "{:032x}", host.random());
    }
    text
}
