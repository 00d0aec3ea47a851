//! The secrets by which the rails' gateways know us, from Secrets Manager.
//!
//! One secret, a JSON object by rail: `{"fps": {"current": "…", "previous": "…"}}`. What is sent is
//! signed by the current one; `deploy/functions/rotate.mjs` exchanges them.

use std::{collections::BTreeMap, sync::Arc};

use aws_config::SdkConfig;
use lombard_core::rail::Rail;
use lombard_service::ports::Cause;
use serde::Deserialize;

use crate::call::{Caller, cause, plain};

/// A rail's secret, as it is kept: rotated, or as it was first made.
#[derive(Deserialize)]
#[serde(untagged)]
enum Kept {
    Rotated { current: String },
    First(String),
}

/// The secret of each rail that signs now.
///
/// # Errors
/// When it cannot be read.
pub async fn of_rails(
    config: &SdkConfig,
    secret: &str,
    caller: &Caller,
) -> Result<BTreeMap<Rail, String>, Cause> {
    let client = aws_sdk_secretsmanager::Client::new(config);
    let request = client.get_secret_value().secret_id(secret);
    let answer = caller
        .call(plain("GetSecretValue"), || request.clone().send())
        .await?;
    let text = answer.secret_string.unwrap_or_default();
    let kept: BTreeMap<Rail, Kept> =
        serde_json::from_str(&text).map_err(|error| Arc::new(error) as Cause)?;
    if kept.is_empty() {
        return Err(cause("the secret names no rail"));
    }
    let current = |(rail, kept)| match kept {
        Kept::Rotated { current } | Kept::First(current) => (rail, current),
    };
    Ok(kept.into_iter().map(current).collect())
}
