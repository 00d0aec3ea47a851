//! Files that arrived: the bucket tells a queue, the queue tells this function.
//!
//! An object's name says whose it is: `<tenant>/<source>/<anything>`. A file is reconciled as by
//! `POST /v1/reconciliation/statements`, as often as it is told of: what was taken in once is known.

use std::{io::Cursor, sync::Arc};

use bytes::Bytes;
use lombard_aws::{
    blobs::Bucket,
    dead::{Buried, Graveyard},
};
use lombard_core::tenant::TenantId;
use lombard_service::{
    app::App,
    exceptions::{self, Kind, Trouble},
    proof::Blobs,
    rails::Rails,
    reconcile::{Failure, Source, kept, reconcile},
};
use percent_encoding::percent_decode_str;
use serde::Deserialize;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tracing::{info, warn};

use crate::{
    fault::Fault,
    surroundings::{NoVault, Surroundings},
};

/// Who reconciles, as runs say it.
const WORKER: &str = "worker/reconcile";

/// See the module.
pub struct Reconcile {
    app: App,
    files: Bucket,
    graveyard: Graveyard,
}

/// A message of the queue.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Message {
    message_id: String,
    body: String,
}

/// What the bucket tells.
#[derive(Deserialize)]
struct Notice {
    /// Absent in the message with which S3 tries the queue.
    #[serde(rename = "Records", default)]
    records: Vec<Arrival>,
}

#[derive(Deserialize)]
struct Arrival {
    s3: S3,
}

#[derive(Deserialize)]
struct S3 {
    object: Object,
}

#[derive(Deserialize)]
struct Object {
    /// As in a form: spaces are pluses.
    key: String,
}

/// What became of a message that did not come to its end.
enum Unfinished {
    /// It may be told again.
    Later(String),
    /// It would come to the same.
    Never(String),
}

impl Reconcile {
    pub fn open(of: &Surroundings) -> Result<Self, Fault> {
        Ok(Self {
            app: of.app(Arc::new(NoVault), Rails::default()),
            files: of.bucket("LOMBARD_ARRIVALS", "")?,
            graveyard: of.graveyard()?,
        })
    }

    pub async fn play(&self, event: &Value) -> Result<Value, Fault> {
        let mut failures = Vec::new();
        for record in event["Records"].as_array().into_iter().flatten() {
            let message = Message::deserialize(record).map_err(|error| Fault::not_done(&error))?;
            let ended = match self.message(&message).await {
                Ok(()) => Ok(()),
                Err(Unfinished::Later(why)) => Err(why),
                Err(Unfinished::Never(why)) => self.give_up(&message, record, why).await,
            };
            if let Err(why) = ended {
                warn!(why, "a file is not reconciled; it is told of again");
                failures.push(json!({"itemIdentifier": message.message_id}));
            }
        }
        Ok(json!({"batchItemFailures": failures}))
    }

    async fn message(&self, message: &Message) -> Result<(), Unfinished> {
        let notice: Notice = serde_json::from_str(&message.body)
            .map_err(|error| Unfinished::Never(format!("not a notice of a bucket: {error}")))?;
        for arrival in notice.records {
            self.file(&arrival.s3.object.key).await?;
        }
        Ok(())
    }

    async fn file(&self, key: &str) -> Result<(), Unfinished> {
        let spaced = key.replace('+', " ");
        let name = percent_decode_str(&spaced).decode_utf8_lossy();
        let (tenant, source) = whose(&name)
            .ok_or_else(|| Unfinished::Never("its name is not <tenant>/<source>/…".to_owned()))?;
        let read = self.files.get(&name).await;
        let bytes = read.map_err(|error| Unfinished::Later(error.to_string()))?;
        let bytes: Bytes =
            bytes.ok_or_else(|| Unfinished::Never("there is no such file".to_owned()))?;
        let source = Source::of(&self.app.config, source.to_owned());
        let digest = hex::encode(Sha256::digest(&bytes));
        match reconcile(&self.app, tenant, &source, Cursor::new(bytes)).await {
            Ok(report) => {
                let kept = kept::keep(&self.app, tenant, WORKER, digest, &report).await;
                let run = kept.map_err(|error| Unfinished::Later(error.to_string()))?;
                info!(%tenant, source = source.name, %run, "a file is reconciled");
                Ok(())
            }
            Err(failure @ Failure::Unknown) => Err(Unfinished::Never(failure.to_string())),
            Err(failure) => Err(Unfinished::Later(failure.to_string())),
        }
    }

    /// Shows it to a person and keeps it where it can be redriven from.
    async fn give_up(&self, message: &Message, record: &Value, why: String) -> Result<(), String> {
        let text = "a file that arrived cannot be reconciled";
        let id = &message.message_id;
        let trouble = Trouble::new(exceptions::operator(), Kind::EffectFailed, id, text);
        let raised = exceptions::raise(&self.app, trouble.evidence("error", &why)).await;
        raised.map_err(|error| error.to_string())?;
        let (role, original) = ("reconcile".to_owned(), json!({"Records": [record]}));
        let buried = Buried {
            role,
            reason: why,
            original,
        };
        let sent = self.graveyard.bury(&buried).await;
        sent.map_err(|error| error.to_string())
    }
}

/// Whose file it is, and of which source, by its name.
fn whose(name: &str) -> Option<(TenantId, &str)> {
    let (tenant, rest) = name.split_once('/')?;
    let (source, _) = rest.split_once('/')?;
    Source::may_be_called(source).then_some(())?;
    Some((tenant.parse().ok()?, source))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_says_whose_it_is_or_is_refused() {
        let tenant: TenantId = "ten_demo0000".parse().expect("a tenant");
        for (name, wanted) in [
            ("ten_demo0000/bank/a day's file.sta", Some((tenant, "bank"))),
            ("ten_demo0000/bank/in/folders.xml", Some((tenant, "bank"))),
            ("ten_demo0000/Bank of Nowhere/x", None),
            ("ten_demo0000/bank", None),
            ("ten_demo0000//x", None),
            ("no tenant/bank/x", None),
            ("", None),
        ] {
            assert_eq!(whose(name), wanted, "{name}");
        }
    }
}
