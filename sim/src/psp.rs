//! The simulator of payment service providers: as much of Stripe's and of Adyen's API as Lombard asks,
//! in their shapes, with their webhooks, and the ways in which they fail.
//!
//! What it does with a charge is chosen by magic amounts or by its control API ([`behaviour`]). It
//! keeps books of its own ([`books`]): whatever Lombard does, a key is carried out once, and the
//! counts show what was asked twice.
//!
//! | path | what |
//! |---|---|
//! | `/stripe/v1/…` | PaymentIntents and refunds |
//! | `/adyen/payments…` | payments, captures, cancels, refunds |
//! | `/control/psp/…` | what tests and demonstrations set and see |

mod adyen;
pub mod behaviour;
mod books;
mod control;
mod desk;
mod news;
mod payout;
mod stripe;

use std::{
    collections::{BTreeSet, VecDeque},
    future::Future,
    io,
    sync::Arc,
};

use axum::Router;
use lombard_service::{host::SystemHost, ports::Host};
use parking_lot::Mutex;
use tokio::net::TcpListener;

use behaviour::Behaviour;
use books::Books;

pub use books::Charge;

/// How the simulator is started.
#[derive(Clone)]
pub struct PspConfig {
    /// Where Lombard is; webhooks are posted to `{lombard_url}/v1/psp/{name}/webhooks`.
    pub lombard_url: String,
    /// The key that Stripe's webhooks are signed with.
    pub stripe_secret: String,
    /// The key that Adyen's webhooks are signed with, in hexadecimal.
    pub adyen_secret: String,
    /// The clock.
    pub host: Arc<dyn Host>,
}

impl Default for PspConfig {
    fn default() -> Self {
        Self {
            lombard_url: "http://127.0.0.1:8080".to_owned(),
            stripe_secret: "whsec_simulated".to_owned(),
            adyen_secret: "53494d554c41544544".to_owned(),
            host: Arc::new(SystemHost::default()),
        }
    }
}

/// Shared by every request.
struct Shared {
    config: PspConfig,
    books: Mutex<Books>,
    /// For the next requests, in order.
    next: Mutex<VecDeque<Behaviour>>,
    /// Magic amounts that were treated as they ask: the same comes again as any other.
    treated: Mutex<BTreeSet<u64>>,
    http: reqwest::Client,
}

/// What the simulator serves.
pub fn router(config: PspConfig) -> Router {
    let shared = Arc::new(Shared {
        config,
        books: Mutex::default(),
        next: Mutex::default(),
        treated: Mutex::default(),
        http: news::client(),
    });
    Router::new()
        .nest("/stripe", stripe::router(Arc::clone(&shared)))
        .nest("/adyen", adyen::router(Arc::clone(&shared)))
        .nest("/control/psp", control::router(shared))
}

/// Serves until `shutdown` is done.
///
/// # Errors
/// When the listener fails.
pub async fn serve(
    listener: TcpListener,
    config: PspConfig,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    axum::serve(listener, router(config))
        .with_graceful_shutdown(shutdown)
        .await
}
