//! The publisher: signs heads, has them cosigned, and publishes the checkpoint.
//!
//! It works beside the sequencer and takes the newest head each time, so that a slow witness
//! holds up checkpoints and not the log. A head is signed after it was swapped and never before.
//!
//! When too few witnesses answer in time the checkpoint is published all the same, with the
//! signatures that it has: payments go on, and whoever demands the policy (`lombard verify
//! --policy`) is told that this checkpoint does not meet it. The next one may.

use std::{path::Path, sync::Arc, time::Duration};

use bytes::Bytes;
use lombard_core::{
    proof::{checkpoint, key::Keys, tree::Head},
    time::Timestamp,
};
use reqwest::{Client, redirect};
use tokio::sync::watch;
use tracing::{info, warn};

use super::{
    blobs::{Blobs, Folder},
    log::{CHECKPOINT, Log, Published},
    witnesses::Witnesses,
};
use crate::{ports::Host, rails::gateway::use_ring, worker::feed::rest};

/// How often a checkpoint is copied to other places, at the most.
const EXPORT_MS: u64 = 60_000;
/// How long a copy to a URL may take.
const EXPORT_TIMEOUT: Duration = Duration::from_secs(5);

/// See the module.
pub struct Publisher {
    host: Arc<dyn Host>,
    log: Arc<Log>,
    witnesses: Witnesses,
    /// None while nothing is exported.
    http: Option<Client>,
    exported: Option<Timestamp>,
}

impl Publisher {
    /// A publisher of `log`.
    ///
    /// # Errors
    /// When no HTTP client can be made on this system.
    pub fn new(host: Arc<dyn Host>, log: Arc<Log>) -> Result<Self, reqwest::Error> {
        let policy = log.settings.policy.as_ref();
        let witnesses = Witnesses::new(policy.map_or(&[], |policy| &policy.witnesses))?;
        let http = if log.settings.exports.is_empty() {
            None
        } else {
            use_ring();
            let client = Client::builder().timeout(EXPORT_TIMEOUT);
            Some(client.redirect(redirect::Policy::none()).build()?)
        };
        Ok(Self {
            host,
            log,
            witnesses,
            http,
            exported: None,
        })
    }

    /// Publishes until `stop` turns true, and then once more what is new. Its stop is to come when
    /// the sequencer has ended.
    pub async fn run(mut self, mut stop: watch::Receiver<bool>) {
        let mut heads = self.log.swapped.subscribe();
        heads.mark_changed();
        while !*stop.borrow() {
            tokio::select! {
                _ = stop.changed() => break,
                changed = heads.changed() => if changed.is_err() { break },
            }
            let head = *heads.borrow_and_update();
            let Some(head) = head else { continue };
            if let Err(error) = self.publish(&head).await {
                warn!(error, "the checkpoint is not published");
                heads.mark_changed();
                rest(&mut stop, 500).await;
            }
        }
        let newest = *heads.borrow_and_update();
        let shown = self.log.published().map(|published| published.head);
        if let Some(head) = newest.filter(|head| shown != Some(*head))
            && let Err(error) = self.publish(&head).await
        {
            warn!(
                error,
                "the last checkpoint is not published; the next start does it"
            );
        }
    }

    /// Signs and publishes one head.
    ///
    /// # Errors
    /// Why the checkpoint is not published; trying again may help.
    pub async fn publish(&mut self, head: &Head) -> Result<(), String> {
        let text = checkpoint::text(&self.log.origin, head);
        let signed = self.log.keys.sign(&text).await;
        let mut signatures = signed.map_err(|error| error.to_string())?;
        let by_log = checkpoint::assemble(&text, &signatures);
        signatures.extend(self.witnesses.cosign(&self.log, head, &by_log).await);
        let bytes = Bytes::from(checkpoint::assemble(&text, &signatures));
        let quorum = self.meets_policy(&bytes)?;
        let blobs = &self.log.blobs;
        let put = blobs.put(CHECKPOINT, bytes.clone()).await;
        put.map_err(|error| error.to_string())?;
        let published = Published {
            head: *head,
            bytes: bytes.clone(),
            quorum,
        };
        let now = self.host.now();
        self.log.publish(published, now);
        let due = |last: Timestamp| now.ms_since(last) >= EXPORT_MS;
        if self.exported.is_none_or(due) && !self.log.settings.exports.is_empty() {
            self.exported = Some(now);
            self.export(head, &bytes).await;
        }
        Ok(())
    }

    fn meets_policy(&self, bytes: &[u8]) -> Result<bool, String> {
        let Some(policy) = &self.log.settings.policy else {
            return Ok(true);
        };
        let keys = self.log.keys.public();
        let keys = Keys::new(keys.into_iter().chain(policy.witness_keys().cloned()));
        let opened = checkpoint::open(bytes, &keys).map_err(|error| error.to_string())?;
        let met = policy.is_met_by(&opened.signed_by);
        if !met {
            warn!(
                size = opened.head.size,
                "too few witnesses have cosigned the checkpoint"
            );
        }
        Ok(met)
    }

    /// Copies a checkpoint to where we could not change it afterwards. A place that cannot be
    /// reached is tried again with the next checkpoint.
    async fn export(&self, head: &Head, bytes: &Bytes) {
        for place in &self.log.settings.exports {
            let copied = if place.starts_with("http://") || place.starts_with("https://") {
                self.export_to_url(place, head, bytes).await
            } else {
                export_to_folder(Path::new(place), head, bytes).await
            };
            match copied {
                Ok(()) => info!(place, size = head.size, "checkpoint exported"),
                Err(error) => warn!(place, error, "the checkpoint cannot be exported"),
            }
        }
    }

    async fn export_to_url(&self, place: &str, head: &Head, bytes: &Bytes) -> Result<(), String> {
        let Some(http) = &self.http else {
            return Err("there is no HTTP client".to_owned());
        };
        let url = format!("{}/checkpoint.{}", place.trim_end_matches('/'), head.size);
        let put = http.put(url).body(bytes.clone()).send().await;
        let answer = put.map_err(|error| error.without_url().to_string())?;
        let refused = answer.error_for_status();
        refused
            .map(|_| ())
            .map_err(|error| error.without_url().to_string())
    }
}

async fn export_to_folder(place: &Path, head: &Head, bytes: &Bytes) -> Result<(), String> {
    let name = format!("checkpoint.{}", head.size);
    let folder = Folder::open(place).map_err(|error| error.to_string())?;
    let put = folder.put_durable(&name, bytes.clone()).await;
    put.map_err(|error| error.to_string())
}
