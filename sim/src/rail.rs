//! The rail simulator: a gateway for Faster Payments and SEPA Instant, and the banks behind it.
//!
//! It speaks the protocol of `docs/rails.md`, keeps books of its own, and treats payments as it
//! is told: by magic amounts ([`behaviour`]) or by its control API ([`control`]). It validates
//! what it gets as strictly as we do. Same seed, same requests, same answers.
//!
//! | path | what |
//! |---|---|
//! | `POST /{rail}/messages` | messages from Lombard |
//! | `/control/…` | what tests and demonstrations set and see |

pub mod behaviour;
pub mod books;
mod control;
pub(crate) mod desk;
mod inquiries;
mod instructions;
mod state;
mod voice;

use std::{future::Future, io, sync::Arc};

use axum::{Router, serve::ListenerExt};
use lombard_service::{host::SystemHost, ports::Host};
use tokio::net::TcpListener;

pub use state::Outage;
use state::Shared;

use crate::psp::{self, PspConfig};

/// How the simulator is started.
#[derive(Clone)]
pub struct SimConfig {
    /// Where Lombard is; messages are posted to `{lombard_url}/rails/{rail}/messages`.
    pub lombard_url: String,
    /// The secret that signs messages in both directions.
    pub secret: String,
    /// The number that everything drawn follows from.
    pub seed: u64,
    /// The sort code as which the simulated bank sends Faster Payments.
    pub sort_code: String,
    /// The BIC as which the simulated bank sends SEPA payments.
    pub bic: String,
    /// The clock.
    pub host: Arc<dyn Host>,
    /// The clock of the Lombard in the same process, where the control API may put it ahead.
    pub clock: Option<Arc<SystemHost>>,
    /// The providers that are simulated beside, if any are.
    pub psp: Option<PspConfig>,
}

impl Default for SimConfig {
    fn default() -> Self {
        Self {
            lombard_url: "http://127.0.0.1:8080".to_owned(),
            secret: "rail-simulator-secret".to_owned(),
            seed: 1,
            sort_code: "040004".to_owned(),
            bic: "SIMBDEFFXXX".to_owned(),
            host: Arc::new(SystemHost::default()),
            clock: None,
            psp: None,
        }
    }
}

/// Serves until `shutdown` is done.
///
/// # Errors
/// When the listener fails.
pub async fn serve(
    listener: TcpListener,
    config: SimConfig,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    let beside = config.psp.clone().map_or_else(Router::new, psp::router);
    let shared = Arc::new(Shared::new(config));
    let router = desk::router(Arc::clone(&shared)).merge(control::router(shared));
    let router = router.merge(beside);
    let listener = listener.tap_io(|stream| {
        // Answers are small and awaited: nothing is gained by holding them back.
        let _ = stream.set_nodelay(true);
    });
    axum::serve(listener, router)
        .with_graceful_shutdown(shutdown)
        .await
}
