//! The vault's sealing keys, shared by the functions: the key file of [`KeyFile`], encrypted by KMS and
//! kept as one item of the vault's table. Whoever is first makes it; it is put once and only read then.
//!
//! | attribute | type | what |
//! |---|---|---|
//! | `p` | S, partition key | [`ITEM`] |
//! | `b` | B | the file, encrypted under the vault's key with the context [`CONTEXT`] |

use std::{io::Write, os::unix::fs::OpenOptionsExt, path::Path, sync::Arc};

use aws_config::SdkConfig;
use aws_sdk_dynamodb::{operation::put_item::PutItemError, types::AttributeValue};
use aws_sdk_kms::primitives::Blob;
use lombard_service::{ports::Cause, vault::KeyFile};

use crate::call::{Caller, cause, plain};

/// The item's key, which no tenant's data has.
const ITEM: &str = "vault.keys";
/// The encryption context: the key's policy asks for a tenant, and this is nobody's data but ours.
const CONTEXT: (&str, &str) = ("tenant", "lombard");

/// Where the keys are.
pub struct Sealing<'a> {
    /// The clients' configuration.
    pub config: &'a SdkConfig,
    /// The vault's table.
    pub table: &'a str,
    /// The vault's key in KMS.
    pub key: &'a str,
    /// Who calls.
    pub caller: Caller,
}

impl Sealing<'_> {
    /// Opens the keys by way of `file`, which lies where only this function sees it. Makes them if
    /// there are none and `may_make`.
    ///
    /// # Errors
    /// When they are not there, or AWS does not give them.
    pub async fn open(&self, file: &Path, may_make: bool) -> Result<KeyFile, Cause> {
        let found = match self.find().await? {
            None if may_make => {
                self.make(file).await?;
                self.find().await?
            }
            found => found,
        };
        let text = found.ok_or_else(|| cause("the vault has no keys yet: call the API first"))?;
        // A container that is used again has the file of its last start.
        let _ = std::fs::remove_file(file);
        let mut options = std::fs::OpenOptions::new();
        let written = options.write(true).create_new(true).mode(0o600).open(file);
        let written = written.and_then(|mut it| it.write_all(text.as_ref()));
        written.map_err(|error| Arc::new(error) as Cause)?;
        KeyFile::open(file).map_err(|error| Arc::new(error) as Cause)
    }

    async fn find(&self) -> Result<Option<Blob>, Cause> {
        let client = aws_sdk_dynamodb::Client::new(self.config);
        let request = client.get_item().table_name(self.table);
        let request = request
            .key("p", AttributeValue::S(ITEM.to_owned()))
            .consistent_read(true);
        let answer = self
            .caller
            .call(plain("GetItem"), || request.clone().send())
            .await?;
        let Some(item) = answer.item else {
            return Ok(None);
        };
        let sealed = item.get("b").and_then(|it| it.as_b().ok());
        let sealed = sealed.ok_or_else(|| cause("the vault's item has no keys in it"))?;
        let kms = aws_sdk_kms::Client::new(self.config);
        let request = kms.decrypt().key_id(self.key);
        let request = request
            .ciphertext_blob(sealed.clone())
            .encryption_context(CONTEXT.0, CONTEXT.1);
        let answer = self
            .caller
            .call(plain("Decrypt"), || request.clone().send())
            .await?;
        Ok(answer.plaintext)
    }

    /// Makes fresh keys and keeps them, unless somebody else did meanwhile.
    async fn make(&self, file: &Path) -> Result<(), Cause> {
        let as_cause = |error: std::io::Error| Arc::new(error) as Cause;
        let _ = std::fs::remove_file(file);
        KeyFile::open(file).map_err(|error| Arc::new(error) as Cause)?;
        let text = std::fs::read(file).map_err(as_cause)?;
        std::fs::remove_file(file).map_err(as_cause)?;
        self.keep(text).await
    }

    /// Whether keys are kept already.
    ///
    /// # Errors
    /// When AWS does not say.
    pub async fn is_there(&self) -> Result<bool, Cause> {
        Ok(self.find().await?.is_some())
    }

    /// Keeps the text of a key file, unless one is kept already: that one stays.
    ///
    /// # Errors
    /// When it is not known to be kept.
    pub async fn keep(&self, text: Vec<u8>) -> Result<(), Cause> {
        let kms = aws_sdk_kms::Client::new(self.config);
        let request = kms.encrypt().key_id(self.key).plaintext(Blob::new(text));
        let request = request.encryption_context(CONTEXT.0, CONTEXT.1);
        let answer = self
            .caller
            .call(plain("Encrypt"), || request.clone().send())
            .await?;
        let sealed = answer.ciphertext_blob;
        let sealed = sealed.ok_or_else(|| cause("KMS gave no ciphertext"))?;
        let client = aws_sdk_dynamodb::Client::new(self.config);
        let request = client.put_item().table_name(self.table);
        let request = request
            .item("p", AttributeValue::S(ITEM.to_owned()))
            .item("b", AttributeValue::B(sealed))
            .condition_expression("attribute_not_exists(p)");
        let put = self.caller.call(plain("PutItem"), || {
            let sent = request.clone().send();
            async {
                match sent.await {
                    // Another was first, or our own lost answer: what is there is taken.
                    Err(error)
                        if error
                            .as_service_error()
                            .is_some_and(PutItemError::is_conditional_check_failed_exception) =>
                    {
                        Ok(())
                    }
                    other => other.map(drop),
                }
            }
        });
        put.await
    }
}
