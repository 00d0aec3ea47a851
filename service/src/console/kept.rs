//! What a browser keeps for us: sealed, so that nothing can be read or changed in it there, and
//! nothing is kept here of those who never come back.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use lombard_core::{
    payment::Sealed,
    store::{decode, encode},
    tenant::TenantId,
};
use serde::{Serialize, de::DeserializeOwned};

use crate::{app::App, ports::VaultError};

/// Of no tenant: nobody has said yet of which he is.
fn nobody() -> TenantId {
    TenantId::new(0)
}

/// A value as text for the browser, good for one purpose alone.
pub fn seal<T: Serialize>(app: &App, purpose: &str, value: &T) -> Result<String, VaultError> {
    let sealed = app.vault.seal(nobody(), purpose, &encode(value))?;
    Ok(URL_SAFE_NO_PAD.encode(encode(&sealed)))
}

/// The value of a text that we gave, for the same purpose.
pub fn open<T: DeserializeOwned>(app: &App, purpose: &str, text: &str) -> Option<T> {
    let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
    let sealed: Sealed = serde_json::from_slice(&bytes).ok()?;
    let plain = app.vault.open(nobody(), purpose, &sealed).ok()?;
    Some(decode(&plain))
}
