//! The port [`Keys`] on KMS: what wraps the data keys of subjects never leaves KMS.
//!
//! **Shape.** A data key is made by `GenerateDataKey`, moved in by `Encrypt`, opened by `Decrypt`, and
//! wrapped anew by `ReEncrypt`, always with tenant and subject as the encryption context: policies can
//! ask for it, CloudTrail tells it, and a wrapped key that was moved to somebody else's record does not
//! open. Unwrapped keys are remembered above the port ([`lombard_service::vault::subjects`]), bounded by
//! age, uses and number, and wiped.
//!
//! **What a key-encryption key is here.** A key of KMS has one ARN and, rotated, several materials. Where
//! KMS says which one it used, [`Wrapped::key`] is `arn#material`; otherwise, as of emulators, the ARN.
//! So either way of exchanging works, online and with progress (`POST /v1/vault/rotations`): a rotation on
//! demand, or another key in the configuration while the one before still may decrypt.
//!
//! **What is destroyed.** KMS has nothing to destroy of a single data key: erasing a person takes the
//! wrapped key out of its record. It stays in the table's backups until they end (35 days), as ADR 0050
//! says; [`Keys::destroy`] therefore has nothing to do here.
//!
//! **Bounds.** Each call has a time-out, is tried again by its class until the caller's deadline
//! ([`crate::deadline`]), and is metered.

mod call;

use std::{sync::Arc, time::Duration};

use aws_config::SdkConfig;
use aws_sdk_kms::{
    primitives::Blob,
    types::{DataKeySpec, KeyUsageType},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use futures_util::{FutureExt, future::BoxFuture};
use lombard_core::time::Timestamp;
use lombard_service::{
    ports::Host,
    vault::keys::{Context, DataKey, KEY_BYTES, KeyInfo, Keys, KeysError, Wrapped},
};
use parking_lot::Mutex;
use zeroize::Zeroizing;

use crate::{meter::Meter, residency::Residency};

use call::{Kms, fits, incomplete};

pub use call::UnfitKey;

/// How often it is looked whether a rotation is done, and the pause between looks. KMS says that it
/// takes some seconds.
const LOOKS: u32 = 20;
const PAUSE: Duration = Duration::from_millis(500);

/// See the module.
pub struct KmsKeys {
    kms: Kms,
    /// The name of the key, with its material, that wraps at the moment, as far as it was heard.
    newest: Mutex<Option<String>>,
}

impl KmsKeys {
    /// The key of an id, an alias (`alias/…`) or an ARN: symmetric, enabled, and of this region alone.
    ///
    /// # Errors
    /// See [`UnfitKey`].
    pub async fn open(
        config: &SdkConfig,
        key: &str,
        residency: &Residency,
        host: Arc<dyn Host>,
        meter: Arc<Meter>,
    ) -> Result<Self, UnfitKey> {
        let kms = Kms::new(config, key, host, meter);
        let found = kms.describe().await?;
        fits(key, &found, residency, &KeyUsageType::EncryptDecrypt)?;
        let newest = Mutex::new(Some(name_of(
            found.arn(),
            found.current_key_material_id(),
            key,
        )));
        Ok(Self { kms, newest })
    }

    fn heard(&self, arn: Option<&str>, material: Option<&str>) -> String {
        let name = name_of(arn, material, &self.kms.key);
        *self.newest.lock() = Some(name.clone());
        name
    }

    async fn make(&self, context: &Context) -> Result<(DataKey, Wrapped), KeysError> {
        let kms = &self.kms;
        let request = { kms.client.generate_data_key() }
            .key_id(&kms.key)
            .key_spec(DataKeySpec::Aes256)
            .set_encryption_context(Some(encryption(context)));
        let asked = || request.clone().send();
        let made = kms.call("GenerateDataKey", Some(context), asked).await?;
        let key = self.heard(made.key_id(), made.key_material_id());
        let wrapped = wrapped(key, made.ciphertext_blob.as_ref())?;
        Ok((data_key(made.plaintext)?, wrapped))
    }

    async fn encrypt(&self, context: &Context, key: &DataKey) -> Result<Wrapped, KeysError> {
        let kms = &self.kms;
        let request = { kms.client.encrypt() }
            .key_id(&kms.key)
            .plaintext(Blob::new(key.bytes().as_slice()))
            .set_encryption_context(Some(encryption(context)));
        let made = kms
            .call("Encrypt", Some(context), || request.clone().send())
            .await?;
        // Encrypt does not say with which material; the next wrapping anew does.
        wrapped(
            name_of(made.key_id(), None, &kms.key),
            made.ciphertext_blob.as_ref(),
        )
    }

    async fn decrypt(&self, context: &Context, wrapped: &Wrapped) -> Result<DataKey, KeysError> {
        let kms = &self.kms;
        let request = { kms.client.decrypt() }
            .key_id(arn_in(&wrapped.key))
            .ciphertext_blob(blob(wrapped)?)
            .set_encryption_context(Some(encryption(context)));
        let opened = kms
            .call("Decrypt", Some(context), || request.clone().send())
            .await?;
        data_key(opened.plaintext)
    }

    async fn reencrypt(
        &self,
        context: &Context,
        old: &Wrapped,
    ) -> Result<Option<Wrapped>, KeysError> {
        let newest = self.newest.lock().clone();
        let newest = match newest {
            Some(newest) => newest,
            None => {
                let found = self.kms.describe().await?;
                self.heard(found.arn(), found.current_key_material_id())
            }
        };
        if newest == old.key {
            return Ok(None);
        }
        let kms = &self.kms;
        let request = { kms.client.re_encrypt() }
            .ciphertext_blob(blob(old)?)
            .source_key_id(arn_in(&old.key))
            .set_source_encryption_context(Some(encryption(context)))
            .destination_key_id(&kms.key)
            .set_destination_encryption_context(Some(encryption(context)));
        let made = kms
            .call("ReEncrypt", Some(context), || request.clone().send())
            .await?;
        let key = self.heard(made.key_id(), made.destination_key_material_id());
        wrapped(key, made.ciphertext_blob.as_ref()).map(Some)
    }

    /// Rotates on demand, and waits until the new material wraps.
    async fn exchange(&self, now: Timestamp) -> Result<KeyInfo, KeysError> {
        let kms = &self.kms;
        let before = kms.describe().await?;
        let request = kms.client.rotate_key_on_demand().key_id(&kms.key);
        kms.call("RotateKeyOnDemand", None, || request.clone().send())
            .await?;
        for _ in 0..LOOKS {
            let found = kms.describe().await?;
            if found.current_key_material_id() != before.current_key_material_id() {
                let id = self.heard(found.arn(), found.current_key_material_id());
                let (created_at, newest) = (now, true);
                return Ok(KeyInfo {
                    id,
                    created_at,
                    newest,
                });
            }
            tokio::time::sleep(PAUSE).await;
        }
        *self.newest.lock() = None;
        Err(KeysError::Unavailable(Arc::new(StillRotating)))
    }
}

#[derive(Debug, thiserror::Error)]
#[error("KMS has taken the rotation and has not done it yet; ask again")]
struct StillRotating;

fn encryption(context: &Context) -> std::collections::HashMap<String, String> {
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    [
        pair("tenant", context.tenant.short()),
        pair("subject", &context.subject),
    ]
    .into()
}

fn name_of(arn: Option<&str>, material: Option<&str>, asked: &str) -> String {
    let arn = arn.unwrap_or(asked);
    material.map_or_else(|| arn.to_owned(), |material| format!("{arn}#{material}"))
}

fn arn_in(name: &str) -> &str {
    name.split_once('#').map_or(name, |(arn, _)| arn)
}

fn blob(wrapped: &Wrapped) -> Result<Blob, KeysError> {
    let bytes = STANDARD.decode(&wrapped.data);
    bytes.map(Blob::new).map_err(|_| KeysError::NotGenuine)
}

fn wrapped(key: String, ciphertext: Option<&Blob>) -> Result<Wrapped, KeysError> {
    let data = STANDARD.encode(ciphertext.ok_or_else(incomplete)?.as_ref());
    let slot = None;
    Ok(Wrapped { key, slot, data })
}

/// Takes the bytes over; what the answer had them in is wiped.
fn data_key(plain: Option<Blob>) -> Result<DataKey, KeysError> {
    let plain = Zeroizing::new(plain.ok_or_else(incomplete)?.into_inner());
    let bytes = <[u8; KEY_BYTES]>::try_from(plain.as_slice());
    let bytes = Zeroizing::new(bytes.map_err(|_| KeysError::NotGenuine)?);
    Ok(DataKey::new(bytes))
}

impl Keys for KmsKeys {
    fn generate<'a>(
        &'a self,
        context: &'a Context,
    ) -> BoxFuture<'a, Result<(DataKey, Wrapped), KeysError>> {
        self.make(context).boxed()
    }

    fn wrap<'a>(
        &'a self,
        context: &'a Context,
        key: &'a DataKey,
    ) -> BoxFuture<'a, Result<Wrapped, KeysError>> {
        self.encrypt(context, key).boxed()
    }

    fn unwrap<'a>(
        &'a self,
        context: &'a Context,
        wrapped: &'a Wrapped,
    ) -> BoxFuture<'a, Result<DataKey, KeysError>> {
        self.decrypt(context, wrapped).boxed()
    }

    fn rewrap<'a>(
        &'a self,
        context: &'a Context,
        wrapped: &'a Wrapped,
    ) -> BoxFuture<'a, Result<Option<Wrapped>, KeysError>> {
        self.reencrypt(context, wrapped).boxed()
    }

    fn destroy<'a>(
        &'a self,
        _: &'a Context,
        _: &'a Wrapped,
    ) -> BoxFuture<'a, Result<(), KeysError>> {
        async { Ok(()) }.boxed()
    }

    fn rotate(&self, now: Timestamp) -> BoxFuture<'_, Result<KeyInfo, KeysError>> {
        self.exchange(now).boxed()
    }

    fn describe(&self) -> BoxFuture<'_, Result<Vec<KeyInfo>, KeysError>> {
        async {
            let found = self.kms.describe().await?;
            let made = found.creation_date().and_then(|it| it.to_millis().ok());
            let made = made.and_then(|ms| u64::try_from(ms).ok()).unwrap_or(0);
            Ok(vec![KeyInfo {
                id: name_of(found.arn(), found.current_key_material_id(), &self.kms.key),
                created_at: Timestamp::from_unix_ms(made),
                newest: true,
            }])
        }
        .boxed()
    }
}
