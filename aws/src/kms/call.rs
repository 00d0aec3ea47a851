//! One key of KMS, and how it is asked: with a time-out, again where that can help, and counted.

use std::sync::Arc;

use aws_config::SdkConfig;
use aws_sdk_kms::{
    Client,
    error::{ProvideErrorMetadata, SdkError},
    types::{KeyMetadata, KeyState, KeyUsageType},
};
use lombard_service::{
    ports::Host,
    vault::keys::{Context, KeysError},
};
use parking_lot::Mutex;

use crate::{
    dynamo::{failed, persist},
    meter::{Ended, Meter, Operation, Subject},
    residency::{Elsewhere, Residency},
};

/// Why a key of KMS cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum UnfitKey {
    /// It is, or may come to be, where data may not be.
    #[error(transparent)]
    Elsewhere(#[from] Elsewhere),
    /// It is not for this.
    #[error("the key {0} is {1}")]
    Unfit(String, &'static str),
    /// It is not there, or KMS is not.
    #[error(transparent)]
    Keys(#[from] KeysError),
}

/// A key of KMS, and how it is asked.
pub struct Kms {
    pub client: Client,
    pub key: String,
    host: Arc<dyn Host>,
    meter: Arc<Meter>,
}

#[derive(Debug, thiserror::Error)]
#[error("an answer of KMS lacks what it must have")]
struct Incomplete;

impl Kms {
    pub fn new(config: &SdkConfig, key: &str, host: Arc<dyn Host>, meter: Arc<Meter>) -> Self {
        Self {
            client: Client::new(config),
            key: key.to_owned(),
            host,
            meter,
        }
    }

    pub async fn describe(&self) -> Result<KeyMetadata, KeysError> {
        let request = self.client.describe_key().key_id(&self.key);
        let found = self
            .call("DescribeKey", None, || request.clone().send())
            .await?;
        found.key_metadata.ok_or_else(incomplete)
    }

    /// Asks until there is an answer, as far as asking again can help.
    pub async fn call<T, E, F>(
        &self,
        name: &'static str,
        context: Option<&Context>,
        mut once: impl FnMut() -> F + Send,
    ) -> Result<T, KeysError>
    where
        T: Send,
        E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
        F: Future<Output = Result<T, SdkError<E>>> + Send,
    {
        let code = Mutex::new(None);
        let answer = persist(self.host.as_ref(), || {
            let asked = once();
            let code = &code;
            async move {
                let answer = asked.await.map_err(|error| {
                    *code.lock() = error.code().map(str::to_owned);
                    failed(error)
                });
                let ended = answer.as_ref().err().map(|error| error.class.ended());
                self.count(name, context, ended.unwrap_or(Ended::Done));
                answer
            }
        });
        let gave_up = match answer.await {
            Ok(answer) => return Ok(answer),
            Err(gave_up) => gave_up,
        };
        Err(match code.into_inner().as_deref() {
            Some("InvalidCiphertextException" | "IncorrectKeyException") => KeysError::NotGenuine,
            Some("NotFoundException") => KeysError::Gone(self.key.clone()),
            // Disabled, or to be deleted: that can be taken back, and is no erasure.
            _ => KeysError::Unavailable(gave_up.failed.cause),
        })
    }

    fn count(&self, name: &'static str, context: Option<&Context>, ended: Ended) {
        let subject = Subject {
            tenant: context.map(|it| it.tenant.short().to_owned()),
            payment: None,
        };
        self.meter.count(Operation::of(name, subject, ended, 1, 0));
    }
}

/// Whether a key is what it is to be used for, and stays in the region.
pub fn fits(
    key: &str,
    found: &KeyMetadata,
    residency: &Residency,
    usage: &KeyUsageType,
) -> Result<(), UnfitKey> {
    let unfit = |why| Err(UnfitKey::Unfit(key.to_owned(), why));
    if let Some(arn) = found.arn() {
        residency.arn(arn)?;
    }
    if found.multi_region() == Some(true) {
        return unfit("a key of several regions, and could be copied out of this one");
    }
    if found.key_usage() != Some(usage) {
        return unfit("of another usage");
    }
    if found.key_state() != Some(&KeyState::Enabled) {
        return unfit("not enabled");
    }
    Ok(())
}

pub fn incomplete() -> KeysError {
    KeysError::Unavailable(Arc::new(Incomplete))
}
