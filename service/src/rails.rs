//! The way out to each rail, and the way in.
//!
//! A rail is a folder: [`fps`] and [`sepa_inst`] say how a payment is put into its words and what
//! its answers mean; everything else is shared. [`gateway`] carries a signed message out,
//! [`inbound`] takes one in. `docs/rails.md` is the protocol for whoever writes a gateway.

pub mod breaker;
pub mod dialect;
pub mod fps;
pub mod gateway;
pub mod inbound;
pub mod names;
pub mod port;
pub mod sepa_inst;
pub mod signature;
pub mod speak;

use std::{collections::BTreeMap, sync::Arc};

use futures_util::future::BoxFuture;
use lombard_core::{
    payment::Payment, rail::Rail, reason::Reason, tenant::TenantId, time::Timestamp,
};
use parking_lot::Mutex;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::{
    config::Config,
    ports::{Cause, Host, Store, Vault},
    psp::Cards,
};
use breaker::{Breaker, Health};

/// A payment rail, outbound. What adding one takes is in `docs/rails.md`.
pub trait RailPort: Send + Sync + 'static {
    /// Waits until the rail may be given an instruction: while it fails, payments stay where they
    /// can still be cancelled. Whoever comes back from here sends something, or says that it does not
    /// ([`RailPort::unused`]).
    fn ready(&self) -> BoxFuture<'_, ()> {
        Box::pin(std::future::ready(()))
    }

    /// Nothing is sent after [`RailPort::ready`]: another may.
    fn unused(&self) {}

    /// The ways that it has to the other side, and how each does.
    fn ways(&self) -> Vec<Way> {
        Vec::new()
    }

    /// Another way for a payment that never left by those it has tried, if there is one.
    fn another_way(&self, _payment: &Payment, _tried: &[String]) -> Option<String> {
        None
    }

    /// Sends the instruction of an outgoing payment (pacs.008), or of a return (pacs.004). The
    /// rail knows it by [`Payment::attempt_id`]: sending it again does not pay again.
    fn submit<'a>(
        &'a self,
        tenant: TenantId,
        payment: &'a Payment,
    ) -> BoxFuture<'a, Result<Answer, RailError>>;

    /// Asks what became of an instruction (pacs.028).
    fn enquire<'a>(
        &'a self,
        tenant: TenantId,
        payment: &'a Payment,
    ) -> BoxFuture<'a, Result<Answer, RailError>>;

    /// Asks for the money of a payment back (camt.056), once the rail is ready. The answer comes as a message.
    fn recall<'a>(
        &'a self,
        tenant: TenantId,
        payment: &'a Payment,
    ) -> BoxFuture<'a, Result<(), RailError>>;

    /// Refuses the other bank's recall of a payment (camt.029), once the rail is ready.
    fn refuse_recall<'a>(
        &'a self,
        tenant: TenantId,
        payment: &'a Payment,
    ) -> BoxFuture<'a, Result<(), RailError>>;
}

/// A way to the other side, and how it does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Way {
    /// The rail.
    pub rail: Rail,
    /// The provider that it leads to, where a rail has several.
    pub provider: Option<&'static str>,
    /// How it does.
    pub health: Health,
}

impl Way {
    /// The way behind a breaker.
    pub(crate) fn of(
        rail: Rail,
        provider: Option<&'static str>,
        breaker: &Mutex<Breaker>,
        now: Timestamp,
    ) -> Self {
        let health = breaker.lock().health(now);
        Self {
            rail,
            provider,
            health,
        }
    }
}

/// What a rail says of an instruction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// The final yes, with the rail's reference.
    Accepted(Option<String>),
    /// The final no, with the rail's code.
    Rejected(Reason, String),
    /// Of a charge: its bank promises the money, with the provider's reference.
    Authorised(Option<String>),
    /// Of a charge: it was neither captured nor let go of, with the provider's code. The promise stands.
    NotCompleted(Reason, String),
    /// Not decided yet; the answer will come, or can be asked for.
    Pending,
    /// The rail has never heard of it.
    Unknown,
}

/// Why a rail gave no answer.
#[derive(Debug, Clone, thiserror::Error)]
pub enum RailError {
    /// It never left. Nothing moved; send it again.
    #[error("the rail cannot be reached")]
    NotSent(#[source] Cause),
    /// It may have been taken. Money may have moved; enquire, never guess.
    #[error("the rail did not answer")]
    Unknown(#[source] Cause),
    /// This message was not taken, with the gateway's code of why; an earlier copy of it may have been.
    #[error("the gateway refuses the message: {0}")]
    Refused(String),
    /// We cannot even write the instruction; nothing was sent and nothing will be.
    #[error("the instruction cannot be written: {1}")]
    Unspeakable(Reason, String),
}

/// The rails that are switched on.
#[derive(Default)]
pub struct Rails {
    rails: BTreeMap<Rail, Arc<dyn RailPort>>,
    cards: Option<Arc<Cards>>,
    enquiries: BTreeMap<Rail, Arc<Semaphore>>,
}

/// Enquiries of one rail that may be under way at once: one that hangs is in no other's way.
const ENQUIRIES_AT_ONCE: usize = 32;

impl Rails {
    /// Switches a rail on.
    pub fn add(&mut self, rail: Rail, port: Arc<dyn RailPort>) {
        self.rails.insert(rail, port);
        let turns = Arc::new(Semaphore::new(ENQUIRIES_AT_ONCE));
        self.enquiries.insert(rail, turns);
    }

    /// Switches charges of cards on.
    pub fn add_cards(&mut self, cards: Arc<Cards>) {
        self.add(Rail::Card, Arc::clone(&cards) as Arc<dyn RailPort>);
        self.cards = Some(cards);
    }

    /// The providers of charges, if there are any.
    #[must_use]
    pub fn cards(&self) -> Option<&Arc<Cards>> {
        self.cards.as_ref()
    }

    /// The way out to a rail, if it is switched on.
    #[must_use]
    pub fn get(&self, rail: Rail) -> Option<&Arc<dyn RailPort>> {
        self.rails.get(&rail)
    }

    /// Waits for a turn to ask a rail what became of a payment; `None` if it is not switched on.
    pub async fn enquiry_turn(&self, rail: Rail) -> Option<OwnedSemaphorePermit> {
        let turns = Arc::clone(self.enquiries.get(&rail)?);
        turns.acquire_owned().await.ok()
    }

    /// All ways of all rails, in the order of rails.
    #[must_use]
    pub fn ways(&self) -> Vec<Way> {
        self.rails.values().flat_map(|port| port.ways()).collect()
    }

    /// Whether payments over it can be taken.
    #[must_use]
    pub fn is_on(&self, rail: Rail) -> bool {
        rail == Rail::Book || self.rails.contains_key(&rail)
    }
}

/// The way of speaking of each rail that there is. A new rail is a line here and a file.
#[must_use]
pub fn dialect_of(rail: Rail) -> Option<&'static dyn dialect::Dialect> {
    match rail {
        Rail::Book | Rail::Card => None,
        Rail::Fps => Some(&fps::Fps),
        Rail::SepaInst => Some(&sepa_inst::SepaInst),
    }
}

/// The rails of a configuration, each behind its gateway.
///
/// # Errors
/// When no HTTP client can be made on this system.
pub fn connect(
    config: &Config,
    store: &Arc<dyn Store>,
    vault: &Arc<dyn Vault>,
    host: &Arc<dyn Host>,
) -> Result<Rails, Cause> {
    let mut rails = Rails::default();
    for (rail, settings) in &config.rails {
        let Some(dialect) = dialect_of(*rail) else {
            continue;
        };
        let gateway = gateway::Gateway::new(*rail, settings, Arc::clone(host));
        let gateway = gateway.map_err(|error| Arc::new(error) as Cause)?;
        let ports = (Arc::clone(store), Arc::clone(vault), Arc::clone(host));
        let port = port::IsoRail::new(dialect, gateway, &settings.own_agent, ports);
        rails.add(*rail, Arc::new(port));
    }
    let cards = Cards::connect(config, Arc::clone(store), Arc::clone(host));
    if let Some(cards) = cards? {
        rails.add_cards(Arc::new(cards));
    }
    Ok(rails)
}
