//! Makes the clients: one HTTP stack (rustls with ring), one place for credentials, no retries of
//! the SDK's own.
//!
//! The SDK retries without knowing what a second try would do, and without our callers' deadlines;
//! [`crate::dynamo`] knows both. Credentials come from where the SDK's chain finds them (a role, in
//! production); against an emulator they are made up, because there is nothing to protect.

use std::time::Duration;

use aws_config::{BehaviorVersion, Region, SdkConfig, retry::RetryConfig, timeout::TimeoutConfig};
use aws_credential_types::{Credentials, provider::SharedCredentialsProvider};
use aws_smithy_http_client::{
    Builder,
    tls::{Provider, rustls_provider::CryptoMode},
};

use crate::residency::{Elsewhere, Residency};

/// How long a connection may take.
const CONNECT: Duration = Duration::from_secs(1);
/// How long one try may take, from the first byte to the last.
const ATTEMPT: Duration = Duration::from_secs(3);

/// Where AWS is.
#[derive(Clone, Debug, Default)]
pub struct Place {
    /// The region; London when `None`.
    pub region: Option<String>,
    /// The URL of an emulator, for all services. AWS itself when `None`.
    pub endpoint: Option<String>,
    /// Where data may be.
    pub residency: Residency,
}

/// The configuration of every client.
///
/// # Errors
/// [`Elsewhere`] when the region is not one that data may be in.
pub async fn connect(place: &Place) -> Result<SdkConfig, Elsewhere> {
    let region = place.region.clone();
    let region = region.unwrap_or_else(|| crate::residency::REGION_DEFAULT.to_owned());
    place.residency.region("the client", &region)?;
    let http = Builder::new()
        .tls_provider(Provider::Rustls(CryptoMode::Ring))
        .build_https();
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(CONNECT)
        .operation_attempt_timeout(ATTEMPT)
        .build();
    let mut loader = aws_config::defaults(BehaviorVersion::v2026_01_12())
        .region(Region::new(region))
        .http_client(http)
        .retry_config(RetryConfig::disabled())
        .timeout_config(timeouts);
    if let Some(endpoint) = &place.endpoint {
        let nobody = Credentials::new("000000000000", "emulator", None, None, "emulator");
        loader = loader
            .endpoint_url(endpoint)
            .credentials_provider(SharedCredentialsProvider::new(nobody));
    }
    Ok(loader.load().await)
}
