//! Alerts: a new exception that cannot wait is told to people within a minute.
//!
//! **Shape.** A consumer of the change feed ([`consumer`]) finds the exceptions, [`group`] gathers
//! those of one kind that come together, [`notice`] says what is told to each channel, and
//! [`Alerts`] tells it. The consumer's cursor passes an exception only when it was told, so that
//! a crash forgets none; what comes twice is told apart by its key.
//!
//! **Bounds.** The first of a kind is told at once, further ones together every
//! [`group::GATHER_MS`]. A channel that does not answer is tried [`TRIES_MAX`] times within half a
//! minute; then that becomes an exception of its own, which is opened once.
//!
//! **What is told.** Ids, counts, amounts and links; never what a message or a person said.

pub mod consumer;
pub mod group;
pub mod notice;
pub mod silence;

use std::{sync::Arc, time::Duration};

use reqwest::Client;
use serde::{Deserialize, Serialize};
use tracing::warn;

use crate::{
    app::App,
    metrics::{
        METRICS,
        label::{AlertEnd, Channel, Label},
    },
    ports::Cause,
    rails::gateway::use_ring,
};
use notice::Notice;

/// How often a channel is tried.
pub const TRIES_MAX: u32 = 5;
/// The pause after the first failure in milliseconds, doubled each time.
const PAUSE_MS: u64 = 500;
const TIMEOUT: Duration = Duration::from_secs(4);

/// The channels that are configured, and the way to them.
pub struct Alerts {
    app: App,
    http: Client,
}

/// What became of telling one channel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Told {
    /// Which channel.
    pub channel: String,
    /// Why it was not told, if it was not.
    pub failure: Option<String>,
}

/// A channel did not take an alert.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{0}")]
pub struct NotTold(String);

impl Alerts {
    /// The channels of the configuration; `None` when there is none.
    ///
    /// # Errors
    /// When no HTTP client can be made on this system.
    pub fn new(app: &App) -> Result<Option<Arc<Self>>, Cause> {
        let channels = Channel::ALL.iter();
        if !{ channels }.any(|channel| notice::address(&app.config.alerts, *channel).is_some()) {
            return Ok(None);
        }
        use_ring();
        let client = Client::builder().timeout(TIMEOUT).build();
        let http = client.map_err(|error| Arc::new(error) as Cause)?;
        let app = app.clone();
        Ok(Some(Arc::new(Self { app, http })))
    }

    /// Tells every channel, and gives what became of each.
    pub async fn tell(&self, notice: &Notice) -> Vec<Told> {
        let mut told = Vec::new();
        for channel in Channel::ALL {
            let Some(address) = notice::address(&self.app.config.alerts, *channel) else {
                continue;
            };
            let end = self.try_to_tell(*channel, address, notice).await;
            let counted = if end.is_ok() {
                AlertEnd::Told
            } else {
                AlertEnd::Failed
            };
            METRICS.alerts.of((*channel, counted)).inc();
            told.push(Told {
                channel: channel.value().to_owned(),
                failure: end.err().map(|error| error.to_string()),
            });
        }
        told
    }

    async fn try_to_tell(
        &self,
        channel: Channel,
        address: &str,
        notice: &Notice,
    ) -> Result<(), NotTold> {
        let body = notice.for_channel(channel, &self.app.config.alerts);
        let mut tries = 0;
        loop {
            let mut request = self.http.post(address).json(&body);
            let key = self.app.config.alerts.webhook_key.as_ref();
            if let (Channel::Webhook, Some(key)) = (channel, key) {
                request = request.bearer_auth(key);
            }
            let failure = match request.send().await {
                Ok(answer) if answer.status().is_success() => return Ok(()),
                Ok(answer) => NotTold(format!("it answered {}", answer.status())),
                // The address of a channel is a secret: whoever has it can write to it.
                Err(error) => NotTold(error.without_url().to_string()),
            };
            tries += 1;
            warn!(channel = channel.value(), %failure, tries, "an alert was not taken");
            if tries == TRIES_MAX {
                return Err(failure);
            }
            tokio::time::sleep(Duration::from_millis(PAUSE_MS << (tries - 1))).await;
        }
    }
}
