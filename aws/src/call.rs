//! A call to any of AWS's services: with a time-out, a retry class and a deadline, as the store's are, and
//! metered.

use std::sync::Arc;

use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use lombard_service::ports::{Cause, Host};

use crate::{
    dynamo::{failed, persist},
    meter::{Ended, Meter, Operation, Subject},
};

/// Who calls: by this clock, on this meter. Cheap to clone.
#[derive(Clone)]
pub struct Caller {
    host: Arc<dyn Host>,
    meter: Arc<Meter>,
}

/// What a call is, for the meter.
#[derive(Clone, Copy)]
pub(crate) struct What {
    /// The operation's name in the service's API.
    pub name: &'static str,
    /// How many things it names.
    pub items: usize,
    /// Bytes of what it brings.
    pub bytes: usize,
}

/// A call that brings nothing much.
pub(crate) const fn plain(name: &'static str) -> What {
    What {
        name,
        items: 1,
        bytes: 0,
    }
}

impl Caller {
    /// By a host's clock, on a meter.
    #[must_use]
    pub const fn new(host: Arc<dyn Host>, meter: Arc<Meter>) -> Self {
        Self { host, meter }
    }

    /// Calls until it succeeds, cannot succeed, or the caller's deadline has come. What is called must be
    /// such that a second call does no harm. Each try is counted.
    pub(crate) async fn call<T, E, F>(
        &self,
        what: What,
        mut once: impl FnMut() -> F + Send,
    ) -> Result<T, Cause>
    where
        T: Send,
        E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
        F: Future<Output = Result<T, SdkError<E>>> + Send,
    {
        let called = persist(self.host.as_ref(), || {
            let sent = once();
            async {
                let answer = sent.await.map_err(failed);
                let ended = answer.as_ref().err().map(|it| it.class.ended());
                self.count(what, ended.unwrap_or(Ended::Done));
                answer
            }
        });
        called.await.map_err(|gave_up| gave_up.failed.cause)
    }

    /// Counts one call.
    fn count(&self, what: What, ended: Ended) {
        let subject = Subject::default();
        let of = Operation::of(what.name, subject, ended, what.items, what.bytes);
        self.meter.count(of);
    }
}

/// A service took part of what it was given, or gave less than it promises.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Incomplete(pub String);

/// The same, as a cause.
pub(crate) fn cause(what: impl Into<String>) -> Cause {
    Arc::new(Incomplete(what.into()))
}
