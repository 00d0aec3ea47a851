//! What the ledger says, through the API: to see whether what was accepted is what is stored, and
//! whether the books balance.

use std::{collections::BTreeMap, time::Duration};

use serde::Serialize;
use serde_json::Value;
use tokio::time::{Instant, sleep};

use crate::{
    client::Remote,
    exit::{Exit, Failure, failure},
};

/// How long the roll-up of house accounts may take to catch up.
const PATIENCE: Duration = Duration::from_secs(60);

/// The sums of all accounts of the tenant, in minor units; amounts of one minor unit make them
/// counts of payments.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Books {
    /// Left customers' accounts, or is promised to.
    pub customers_debits: u64,
    /// Posted debits of all accounts.
    pub debits: u64,
    /// Posted credits of all accounts.
    pub credits: u64,
}

impl Books {
    /// Reads every account of one currency.
    ///
    /// # Errors
    /// When the server does not answer, or not as documented.
    pub async fn read(remote: &Remote, currency: &str) -> Result<Self, Failure> {
        let mut books = Self::default();
        let mut cursor: Option<String> = None;
        loop {
            let after = cursor.map_or_else(String::new, |cursor| format!("&cursor={cursor}"));
            let page = remote
                .get(&format!("/v1/accounts?limit=100{after}"))
                .await?;
            let accounts = page["data"].as_array();
            let accounts =
                accounts.ok_or_else(|| failure(Exit::Internal, "a list without `data`"))?;
            for account in accounts
                .iter()
                .filter(|account| account["currency"] == currency)
            {
                let sum = |name: &str| account["balance"][name].as_u64().unwrap_or(0);
                books.debits += sum("debits_posted");
                books.credits += sum("credits_posted");
                if account["kind"] == "constrained" {
                    books.customers_debits += sum("debits_posted") + sum("debits_pending");
                }
            }
            cursor = page["next_cursor"].as_str().map(str::to_owned);
            if cursor.is_none() {
                return Ok(books);
            }
        }
    }

    /// Reads until debits and credits are equal, or patience ends.
    ///
    /// # Errors
    /// See [`Books::read`].
    pub async fn settle(remote: &Remote, currency: &str) -> Result<Self, Failure> {
        let until = Instant::now() + PATIENCE;
        loop {
            let books = Self::read(remote, currency).await?;
            if books.balanced() || Instant::now() > until {
                return Ok(books);
            }
            sleep(Duration::from_millis(250)).await;
        }
    }

    /// Whether every debit has its credit.
    #[must_use]
    pub const fn balanced(&self) -> bool {
        self.debits == self.credits
    }
}

/// Refused answers as a sentence, for errors.
#[must_use]
pub fn told(refused: &BTreeMap<u16, u64>) -> String {
    let each = refused
        .iter()
        .map(|(status, count)| format!("{count} times {status}"));
    each.collect::<Vec<_>>().join(", ")
}

/// The id of something that was just made.
///
/// # Errors
/// When the answer has none.
pub fn id_of(made: &Value) -> Result<String, Failure> {
    let id = made["id"].as_str().map(str::to_owned);
    id.ok_or_else(|| failure(Exit::Internal, "an answer without `id`"))
}
