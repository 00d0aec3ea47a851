//! Everything that a runtime puts together, in one value that routes and workers share.

use std::sync::Arc;

use lombard_core::{
    command::{Command, Reply},
    store::{Key, Record},
};

use crate::{
    config::Config,
    ports::{Bank, ExecuteError, Host, ReadError, Store, Vault},
    rails::Rails,
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
        self.bank.execute(command).await
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
