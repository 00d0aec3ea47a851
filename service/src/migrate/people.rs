//! The vault's records on their way: a subject's data keys are unwrapped by the keys of the source,
//! wrapped under the key of the export, and wrapped anew by the keys of the target.
//!
//! What was destroyed at the source is not there to be moved. The list of what it was wrapped with is
//! left behind: the slots that it names are slots of the source, and at the target somebody else's.

use lombard_core::store::{Body, Key, decode};
use ring::rand::SystemRandom;
use zeroize::Zeroizing;

use super::{ExportKey, MigrateError};
use crate::vault::{
    envelope,
    keys::{Context, DataKey, KEY_BYTES, Keys, KeysError, Wrapped},
    subjects::Subject,
};

/// What a data key in an export says that it is wrapped by.
const BY_EXPORT: &str = "export";

fn is_subject(key: &Key) -> bool {
    key.sort() == "subject"
}

/// A record of the vault as it is compared: without what differs from one vault to the next.
#[must_use]
pub fn without_wrapping(key: &Key, body: Body) -> Body {
    if !is_subject(key) {
        return body;
    }
    let mut subject: Subject = decode(&body.bytes);
    for key in &mut subject.keys {
        key.wrapped = by_export(String::new());
    }
    forget_slots(&mut subject);
    subject.body()
}

fn forget_slots(subject: &mut Subject) {
    if let Some(erasure) = &mut subject.erasure {
        erasure.destroyed.clear();
    }
}

fn by_export(data: String) -> Wrapped {
    Wrapped {
        key: BY_EXPORT.to_owned(),
        slot: None,
        data,
    }
}

/// What a data key is bound to in an export.
fn bound(context: &Context, number: u32) -> Vec<u8> {
    let (tenant, subject) = (context.tenant.short(), &context.subject);
    format!("lombard export data key {tenant}/{subject}#{number}").into_bytes()
}

/// A record of the vault as it is exported.
///
/// # Errors
/// [`MigrateError::Keys`] when a data key cannot be unwrapped.
pub async fn outgoing(
    key: &Key,
    body: Body,
    keys: &dyn Keys,
    export: &ExportKey,
) -> Result<Body, MigrateError> {
    if !is_subject(key) {
        return Ok(body);
    }
    let mut subject: Subject = decode(&body.bytes);
    let context = subject.context();
    let random = SystemRandom::new();
    for one in &mut subject.keys {
        let data_key = keys.unwrap(&context, &one.wrapped).await?;
        let bound = bound(&context, one.number);
        let sealed = envelope::seal(export.bytes(), &bound, data_key.bytes(), &random);
        one.wrapped = by_export(sealed.map_err(|_| KeysError::NotGenuine)?);
    }
    forget_slots(&mut subject);
    Ok(subject.body())
}

/// A record of the vault as it is imported.
///
/// # Errors
/// [`MigrateError::Keys`] when a data key cannot be wrapped, or is not one of this export.
pub async fn incoming(
    key: &Key,
    body: Body,
    keys: &dyn Keys,
    export: &ExportKey,
) -> Result<Body, MigrateError> {
    if !is_subject(key) {
        return Ok(body);
    }
    let mut subject: Subject = decode(&body.bytes);
    let context = subject.context();
    for one in &mut subject.keys {
        let bound = bound(&context, one.number);
        let plain = envelope::open(export.bytes(), &bound, &one.wrapped.data);
        let plain = plain.map_err(|_| KeysError::NotGenuine)?;
        let bytes = <[u8; KEY_BYTES]>::try_from(plain.as_slice());
        let bytes = Zeroizing::new(bytes.map_err(|_| KeysError::NotGenuine)?);
        one.wrapped = keys.wrap(&context, &DataKey::new(bytes)).await?;
    }
    Ok(subject.body())
}
