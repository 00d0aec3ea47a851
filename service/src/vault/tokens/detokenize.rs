//! What a token stands for, handed out: only on record, and counted.
//!
//! Each deed and the counter of the doer's hour are written in one commit, before the answer, so
//! the count is exact under any concurrency and nothing is handed out off the record. A refusal
//! is on record too. When a doer's hour exceeds the limit, a person is alerted once. What an order
//! uses and shows nobody is on record, and does not count.

use lombard_core::{
    audit::Audit,
    id::Id,
    store::{Body, Key, Snapshot, WriteSet},
    tenant::TenantId,
    time::Timestamp,
};
use serde::{Deserialize, Serialize};

use super::{Matter, OutOfScope, Subject, Token, TokenError, Tokens, Use};
use crate::{
    exceptions::{self, Trouble},
    metrics::{METRICS, label::Detokenised},
    ports::{CommitError, RANGE_MAX, Range},
};

/// How often a deed is written before its doer is told to come back.
const TRIES_MAX: u32 = 64;
const HOUR_MS: u64 = 60 * 60 * 1000;

/// Who wants to see it, and why.
#[derive(Clone, Debug)]
pub struct Asker {
    /// For whom.
    pub tenant: TenantId,
    /// Who: `key/…`, `worker/…`.
    pub who: String,
    /// Why, in a word or a sentence of his own.
    pub purpose: String,
    /// Under which trace.
    pub trace: Option<String>,
    /// Who sees it then.
    pub reader: Reader,
}

/// Who sees what a token stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reader {
    /// Whoever asks: it counts among the readings of his hour.
    Asker,
    /// The order that names the token, and nobody: however many orders there are, nothing is read
    /// back.
    Order,
}

/// Why it was not handed out.
#[derive(Debug, Clone, thiserror::Error)]
pub enum DetokenizeError {
    /// The token's scope forbids it.
    #[error(transparent)]
    OutOfScope(#[from] OutOfScope),
    /// It is not to be had.
    #[error(transparent)]
    Token(#[from] TokenError),
}

/// How often a doer read tokens back in an hour.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
struct Hour {
    count: u64,
}

impl Tokens {
    /// Hands out what a token stands for.
    ///
    /// # Errors
    /// See [`DetokenizeError`].
    pub async fn detokenize(
        &self,
        id: Id<Token>,
        asker: &Asker,
        wanted: &Use<'_>,
    ) -> Result<(Token, Matter), DetokenizeError> {
        let token = self.find(asker.tenant, id).await?;
        let now = self.vault.host.now();
        if let Err(why) = token.scope.allows(wanted, now) {
            METRICS.detokenisations.of((Detokenised::Refused,)).inc();
            self.put_on_record(&token, asker, why.code()).await?;
            return Err(why.into());
        }
        let matter = match self.matter(&token).await {
            Ok(matter) => matter,
            Err(error) => {
                METRICS.detokenisations.of((Detokenised::Unreadable,)).inc();
                self.put_on_record(&token, asker, "unreadable").await?;
                return Err(error.into());
            }
        };
        self.put_on_record(&token, asker, lombard_core::audit::DONE)
            .await?;
        METRICS.detokenisations.of((Detokenised::Done,)).inc();
        Ok((token, matter))
    }

    /// What a token stands for, for the subject himself: no scope that a merchant set stands in
    /// the way of that.
    ///
    /// # Errors
    /// See [`TokenError`].
    pub async fn read_for_subject(
        &self,
        token: &Token,
        asker: &Asker,
    ) -> Result<Matter, TokenError> {
        let matter = self.matter(token).await?;
        self.put_on_record(token, asker, lombard_core::audit::DONE)
            .await?;
        METRICS.detokenisations.of((Detokenised::Done,)).inc();
        Ok(matter)
    }

    /// The tokens of a subject.
    ///
    /// # Errors
    /// See [`TokenError`].
    pub async fn of_subject(&self, subject: &Subject) -> Result<Vec<Token>, TokenError> {
        let list = super::listed(subject.tenant, subject.id);
        let (mut tokens, mut after) = (Vec::new(), None);
        loop {
            let range = Range::listed(&list, RANGE_MAX).after(after);
            let page = self.vault.store.range(&range).await?;
            let Some(last) = page.last() else {
                return Ok(tokens);
            };
            after = Some(last.at.sort().to_owned());
            let read = page
                .iter()
                .map(|found| lombard_core::store::decode::<Token>(&found.record.body.bytes));
            tokens.extend(read);
        }
    }

    async fn put_on_record(
        &self,
        token: &Token,
        asker: &Asker,
        outcome: &str,
    ) -> Result<(), TokenError> {
        let records = &self.records;
        let now = records.host.now();
        let counter = counter(asker, now);
        for _ in 0..TRIES_MAX {
            let id = Id::new(now, records.host.random());
            let audit = Audit::new(id, asker.tenant, now, &asker.who, "token.detokenize")
                .on(token.id)
                .because(asker.purpose.clone())
                .outcome(outcome)
                .traced(asker.trace.clone());
            let mut hour = Hour::default();
            let mut writes = WriteSet::default();
            if asker.reader == Reader::Asker {
                let mut snapshot = Snapshot::default();
                let found = records.get(&counter).await?;
                snapshot.put(counter.clone(), found);
                hour = snapshot.value(&counter).unwrap_or_default();
                hour.count += 1;
                writes = snapshot.checks();
                writes.put(&counter, Body::of(&hour));
            }
            writes.create(audit.key(), audit.body());
            match records.store.commit(&writes).await {
                Ok(()) => return self.alert(asker, hour, now).await,
                // Written or not: once more on record does no harm, not at all would.
                Err(CommitError::Conflict(_) | CommitError::Unknown(_)) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(CommitError::Conflict(counter).into())
    }

    async fn alert(&self, asker: &Asker, hour: Hour, now: Timestamp) -> Result<(), TokenError> {
        let most = self.records.config.vault.detokenize_per_hour_max;
        if hour.count != most + 1 {
            return Ok(());
        }
        let kind = exceptions::Kind::DetokenizeAnomaly;
        let reason = "more tokens were read back within an hour than is usual";
        let trouble = Trouble::new(asker.tenant, kind, &asker.who, reason)
            .evidence("limit", most)
            .evidence(
                "since",
                Timestamp::from_unix_ms(now.unix_ms() / HOUR_MS * HOUR_MS),
            );
        exceptions::raise(&self.records, trouble).await?;
        Ok(())
    }
}

fn counter(asker: &Asker, now: Timestamp) -> Key {
    let hour = now.unix_ms() / HOUR_MS;
    let who = lombard_core::id::digest_text(&[&asker.who]);
    let partition = format!("{}/detokenized#{who}", asker.tenant.short());
    Key::new(&partition, &format!("{hour:012}"))
}
