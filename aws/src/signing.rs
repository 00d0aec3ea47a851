//! Checkpoints signed by KMS: an Ed25519 key that never leaves it.
//!
//! `ED25519_SHA_512` over the raw text is Ed25519 as RFC 8032 has it, so the signature is the one that
//! a signed note wants (C2SP signed-note, type 1), and readers cannot tell where the key is.

use aws_config::SdkConfig;
use aws_sdk_kms::{
    Client,
    primitives::Blob,
    types::{MessageType, SigningAlgorithmSpec},
};
use futures_util::{FutureExt, future::BoxFuture};
use lombard_core::proof::key::{KeyKind, PublicKey, Signature};
use lombard_service::{ports::Cause, proof::keys::LogKeys};

use crate::call::{Caller, cause, plain};

/// Bytes of a key in DER before the 32 that are the key (RFC 8410, section 4).
const DER_PREFIX: [u8; 12] = [
    0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00,
];

/// See the module.
pub struct KmsLogKeys {
    client: Client,
    key: String,
    public: PublicKey,
    caller: Caller,
}

impl KmsLogKeys {
    /// The key of an ARN, for the log of a name.
    ///
    /// # Errors
    /// When KMS does not give its public part, or it is not an Ed25519 key.
    pub async fn open(
        config: &SdkConfig,
        key: &str,
        origin: &str,
        caller: Caller,
    ) -> Result<Self, Cause> {
        let client = Client::new(config);
        let request = client.get_public_key().key_id(key);
        let answer = caller
            .call(plain("GetPublicKey"), || request.clone().send())
            .await?;
        let der = answer.public_key.unwrap_or_else(|| Blob::new([]));
        let bytes = der.as_ref().strip_prefix(&DER_PREFIX);
        let bytes = bytes.and_then(|it| it.try_into().ok());
        let public = bytes
            .and_then(|bytes| PublicKey::of_bytes(origin, KeyKind::Log, &bytes).ok())
            .ok_or_else(|| cause(format!("{key} is not an Ed25519 key")))?;
        let key = key.to_owned();
        Ok(Self {
            client,
            key,
            public,
            caller,
        })
    }
}

impl LogKeys for KmsLogKeys {
    fn public(&self) -> Vec<PublicKey> {
        vec![self.public.clone()]
    }

    fn sign<'a>(&'a self, text: &'a [u8]) -> BoxFuture<'a, Result<Vec<Signature>, Cause>> {
        let request = self.client.sign().key_id(&self.key);
        let request = request
            .message(Blob::new(text))
            .message_type(MessageType::Raw)
            .signing_algorithm(SigningAlgorithmSpec::Ed25519Sha512);
        async move {
            let answer = self
                .caller
                .call(plain("Sign"), || request.clone().send())
                .await?;
            let bytes = answer.signature.unwrap_or_else(|| Blob::new([]));
            let signature = self.public.signature(text, bytes.into_inner());
            signature
                .map(|signature| vec![signature])
                .ok_or_else(|| cause("KMS gave a signature that does not hold"))
        }
        .boxed()
    }
}
