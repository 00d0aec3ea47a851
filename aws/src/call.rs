//! A call to any of AWS's services: with a time-out, a retry class and a deadline, as the store's are.

use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use lombard_service::ports::{Cause, Host};

use crate::dynamo::{failed, persist};

/// Calls until it succeeds, cannot succeed, or the caller's deadline has come. What is called must be
/// such that a second call does no harm.
pub(crate) async fn call<T, E, F>(
    host: &dyn Host,
    mut once: impl FnMut() -> F + Send,
) -> Result<T, Cause>
where
    T: Send,
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
    F: Future<Output = Result<T, SdkError<E>>> + Send,
{
    let called = persist(host, || {
        let sent = once();
        async { sent.await.map_err(failed) }
    });
    called.await.map_err(|gave_up| gave_up.failed.cause)
}

/// A service took part of what it was given, or gave less than it promises.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Incomplete(pub String);

/// The same, as a cause.
pub(crate) fn cause(what: impl Into<String>) -> Cause {
    std::sync::Arc::new(Incomplete(what.into()))
}
