//! Everything that a runtime puts together, in one value that routes and workers share.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use lombard_core::{
    command::{Command, Reply},
    store::{Key, Record},
};

use crate::{
    config::Config,
    metrics::{
        METRICS,
        kinds::Took,
        label::{Decided, Deed},
    },
    ports::{Bank, ExecuteError, Host, ReadError, Store, Vault},
    rails::Rails,
    slo::Slo,
};

/// The ports of a running Lombard. Cheap to clone.
#[derive(Clone)]
pub struct App {
    /// Records.
    pub store: Arc<dyn Store>,
    /// Decisions.
    pub bank: Arc<dyn Bank>,
    /// Time and luck.
    pub host: Arc<dyn Host>,
    /// Personal data.
    pub vault: Arc<dyn Vault>,
    /// The way out to each rail.
    pub rails: Arc<Rails>,
    /// What the operator set.
    pub config: Arc<Config>,
}

impl App {
    /// Carries out a command.
    ///
    /// # Errors
    /// See [`ExecuteError`].
    pub async fn execute(&self, command: Command) -> Result<Reply, ExecuteError> {
        let (deed, begun) = (Deed::of(&command.act), Instant::now());
        let answer = self.bank.execute(command).await;
        note(deed, begun.elapsed(), &answer);
        answer
    }

    /// Reads one record.
    ///
    /// # Errors
    /// See [`ReadError`].
    pub async fn get(&self, key: &Key) -> Result<Option<Record>, ReadError> {
        Ok(self
            .store
            .get(std::slice::from_ref(key))
            .await?
            .pop()
            .flatten())
    }

    /// Reads one value.
    ///
    /// # Errors
    /// See [`ReadError`].
    pub async fn value<T: serde::de::DeserializeOwned>(
        &self,
        key: &Key,
    ) -> Result<Option<T>, ReadError> {
        let found = self.get(key).await?;
        Ok(found.map(|record| lombard_core::store::decode(&record.body.bytes)))
    }
}

/// Counts a command that was carried out, or was not.
fn note(deed: Deed, took: Duration, answer: &Result<Reply, ExecuteError>) {
    let decided = Decided::of(answer);
    METRICS.commands.of((deed, decided)).inc();
    METRICS.command_duration.of((deed,)).took(took);
    if deed == Deed::Pay && matches!(decided, Decided::Done | Decided::Rejected) {
        Slo::Accepted.note_within(took);
    }
}
