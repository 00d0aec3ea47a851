//! Key-encryption keys of a single machine: the sealed key file, and a file of secrets that can
//! be destroyed.
//!
//! A data key is wrapped under a key that follows from a sealing key, the context and the secret
//! of a slot: without any one of the three it stays closed.

use std::{io, path::Path, sync::Arc};

use futures_util::future::{BoxFuture, FutureExt, ready};
use lombard_core::time::Timestamp;
use ring::{
    hmac,
    rand::{SecureRandom, SystemRandom},
};
use zeroize::Zeroizing;

use super::{
    envelope,
    file::{KeyFile, Secret},
    keys::{Context, DataKey, KEY_BYTES, KeyInfo, Keys, KeysError, Wrapped},
    shred::ShredFile,
};

/// See the module.
pub struct FileKeys {
    keys: Arc<KeyFile>,
    shred: ShredFile,
    random: SystemRandom,
}

impl FileKeys {
    /// Over a key file that is open, with the shred file at `shred`.
    ///
    /// # Errors
    /// When the shred file cannot be opened.
    pub fn open(keys: Arc<KeyFile>, shred: &Path) -> io::Result<Self> {
        let shred = ShredFile::open(shred)?;
        let random = SystemRandom::new();
        Ok(Self {
            keys,
            shred,
            random,
        })
    }

    fn make(&self, context: &Context) -> Result<(DataKey, Wrapped), KeysError> {
        let mut bytes = Zeroizing::new([0; KEY_BYTES]);
        self.random
            .fill(bytes.as_mut_slice())
            .map_err(|_| unavailable(io::Error::other("no randomness")))?;
        let data_key = DataKey::new(bytes);
        let wrapped = self.wrap_anew(context, &data_key)?;
        Ok((data_key, wrapped))
    }

    fn wrap_anew(&self, context: &Context, key: &DataKey) -> Result<Wrapped, KeysError> {
        let slot = self.shred.take().map_err(unavailable)?;
        self.wrap_in(context, slot, key)
    }

    fn wrap_in(&self, context: &Context, slot: u64, key: &DataKey) -> Result<Wrapped, KeysError> {
        let secrets = self.keys.read();
        let newest = secrets.newest();
        let bound = bound(context, slot);
        let wrapping = self.wrapping_key(newest, &bound, slot)?;
        let data = envelope::seal(&wrapping, &bound, key.bytes(), &self.random)
            .map_err(|_| unavailable(io::Error::other("no randomness")))?;
        Ok(Wrapped {
            key: newest.id().to_owned(),
            slot: Some(slot),
            data,
        })
    }

    fn open_wrapped(&self, context: &Context, wrapped: &Wrapped) -> Result<DataKey, KeysError> {
        let slot = wrapped.slot.ok_or(KeysError::NotGenuine)?;
        let secrets = self.keys.read();
        let secret = secrets
            .find(&wrapped.key)
            .ok_or_else(|| KeysError::Gone(wrapped.key.clone()))?;
        let bound = bound(context, slot);
        let wrapping = self.wrapping_key(secret, &bound, slot)?;
        let plain = envelope::open(&wrapping, &bound, &wrapped.data);
        let plain = plain.map_err(|_| KeysError::NotGenuine)?;
        let bytes = <[u8; KEY_BYTES]>::try_from(plain.as_slice());
        let bytes = bytes.map_err(|_| KeysError::NotGenuine)?;
        Ok(DataKey::new(Zeroizing::new(bytes)))
    }

    /// The key that wraps: out of a sealing key and the slot's secret.
    fn wrapping_key(
        &self,
        secret: &Secret,
        bound: &[u8],
        slot: u64,
    ) -> Result<Zeroizing<Vec<u8>>, KeysError> {
        let shred = self.shred.read(slot).map_err(unavailable)?;
        let shred = shred.ok_or_else(|| KeysError::Gone(format!("slot {slot}")))?;
        let prf = hmac::Key::new(hmac::HMAC_SHA256, secret.bytes());
        let mut context = hmac::Context::with_key(&prf);
        context.update(shred.as_slice());
        context.update(bound);
        Ok(Zeroizing::new(context.sign().as_ref().to_vec()))
    }
}

fn unavailable(error: io::Error) -> KeysError {
    KeysError::Unavailable(Arc::new(error))
}

/// Context and slot as one text that no other gives: a tenant's part has a fixed length, and a
/// subject is an id.
fn bound(context: &Context, slot: u64) -> Vec<u8> {
    let (tenant, subject) = (context.tenant.short(), &context.subject);
    format!("lombard wrap {tenant}/{subject}#{slot}").into_bytes()
}

impl Keys for FileKeys {
    fn generate<'a>(
        &'a self,
        context: &'a Context,
    ) -> BoxFuture<'a, Result<(DataKey, Wrapped), KeysError>> {
        ready(self.make(context)).boxed()
    }

    fn wrap<'a>(
        &'a self,
        context: &'a Context,
        key: &'a DataKey,
    ) -> BoxFuture<'a, Result<Wrapped, KeysError>> {
        ready(self.wrap_anew(context, key)).boxed()
    }

    fn unwrap<'a>(
        &'a self,
        context: &'a Context,
        wrapped: &'a Wrapped,
    ) -> BoxFuture<'a, Result<DataKey, KeysError>> {
        ready(self.open_wrapped(context, wrapped)).boxed()
    }

    fn rewrap<'a>(
        &'a self,
        context: &'a Context,
        wrapped: &'a Wrapped,
    ) -> BoxFuture<'a, Result<Option<Wrapped>, KeysError>> {
        if self.keys.read().newest().id() == wrapped.key {
            return ready(Ok(None)).boxed();
        }
        let rewrapped = self.open_wrapped(context, wrapped).and_then(|key| {
            let slot = wrapped.slot.ok_or(KeysError::NotGenuine)?;
            self.wrap_in(context, slot, &key).map(Some)
        });
        ready(rewrapped).boxed()
    }

    fn destroy<'a>(
        &'a self,
        _: &'a Context,
        wrapped: &'a Wrapped,
    ) -> BoxFuture<'a, Result<(), KeysError>> {
        let destroyed = match wrapped.slot {
            Some(slot) => self.shred.destroy(slot).map_err(unavailable),
            None => Err(KeysError::NotGenuine),
        };
        ready(destroyed).boxed()
    }

    fn rotate(&self, now: Timestamp) -> BoxFuture<'_, Result<KeyInfo, KeysError>> {
        let made = self.keys.add_sealing_key(now).map_err(unavailable);
        let made = made.map(|id| KeyInfo {
            id,
            created_at: now,
            newest: true,
        });
        ready(made).boxed()
    }

    fn describe(&self) -> BoxFuture<'_, Result<Vec<KeyInfo>, KeysError>> {
        let secrets = self.keys.read();
        let newest = secrets.newest().id().to_owned();
        let infos = secrets.sealing.iter().map(|secret| KeyInfo {
            id: secret.id().to_owned(),
            created_at: secret.made_at(),
            newest: secret.id() == newest,
        });
        ready(Ok(infos.collect())).boxed()
    }
}
