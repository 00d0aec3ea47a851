//! Traces: what was done for a request, step by step, told over OTLP to whoever collects it.
//!
//! **Shape.** Work that belongs to a trace opens a [`Span`]; when it is dropped it goes into a
//! bounded queue, and one task ([`export`]) decides which traces are kept and sends those. A span
//! finds its parent in the task that it is opened in ([`current`]). Where work goes on after the
//! commit, in another task or after a crash, there is no such task: [`Hop`] finds the way back
//! from what is stored, the trace ids of payment and event.
//!
//! **Across hops.** The span in which a payment was made has an id that follows from the
//! payment's, so that whatever is done for it later, in this process or the next, is its child
//! without having been told. News that came under another trace (a rail's message, an operator's
//! request) begins a span of that trace, with a link to the one that made the payment.
//!
//! **Costs nothing while it is off**: a [`Span`] is then one null pointer, and nothing is formatted,
//! drawn or read from the clock. **Never in the way**: a full queue drops spans, and counts them.
//!
//! **Nothing personal.** Attributes are ids, codes and numbers; every text of them goes through
//! [`gate`](crate::gate) before it leaves.

pub mod export;
mod hop;
mod keep;
mod otlp;
mod span;

use std::{
    future::Future,
    sync::{Arc, OnceLock},
};

use tokio::sync::mpsc;

pub use hop::Hop;
pub use span::{Kind, Span};

use crate::{
    metrics::{METRICS, label::SpanEnd},
    ports::Host,
};
use span::Ended;

/// Spans that wait for the exporter. At some ten a payment this is half a second of full load.
const QUEUE_MAX: usize = 65_536;

static TRACER: OnceLock<Tracer> = OnceLock::new();

tokio::task_local! {
    static CURRENT: Context;
}

/// Where spans go, once traces are on.
struct Tracer {
    host: Arc<dyn Host>,
    queue: mpsc::Sender<Ended>,
}

impl Tracer {
    fn take(&self, span: Ended) {
        if self.queue.try_send(span).is_err() {
            METRICS.spans.of((SpanEnd::Dropped,)).inc();
        }
    }
}

/// A span, named so that others can be its children or link to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Context {
    /// The trace.
    pub trace: u128,
    /// The span in it, never 0.
    pub span: u64,
}

impl Context {
    /// As `traceparent` has it. Which traces are kept is decided later, so each says that it is.
    #[must_use]
    pub fn header(self) -> String {
        format!("00-{:032x}-{:016x}-01", self.trace, self.span)
    }
}

/// The span that this task is in.
#[must_use]
pub fn current() -> Option<Context> {
    TRACER.get()?;
    CURRENT.try_with(|current| *current).ok()
}

/// Does `work` in a span, if there is one.
async fn within<F: Future>(context: Option<Context>, work: F) -> F::Output {
    match context {
        Some(context) => CURRENT.scope(context, work).await,
        None => work.await,
    }
}
