//! One piece of work: when it began and ended, whether it failed, and what it was about.

use std::{
    borrow::Cow,
    fmt::Display,
    future::Future,
    time::{Duration, Instant},
};

use lombard_core::{id::Id, payment::Payment};

use super::{Context, Hop, TRACER, Tracer, current, hop::span_of, within};
use crate::http::trace::TraceContext;

/// On which side of a call a span is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Within this process.
    Internal,
    /// Answers a request.
    Server,
    /// Makes one.
    Client,
    /// Takes up what was committed before.
    Consumer,
}

/// What an attribute says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Value {
    Text(String),
    Number(i64),
}

/// A span that has ended.
#[derive(Clone, Debug)]
pub(super) struct Ended {
    pub at: Context,
    pub parent: Option<u64>,
    pub name: Cow<'static, str>,
    pub kind: Kind,
    pub begun: Instant,
    pub took: Duration,
    /// Why it failed: a code.
    pub failed: Option<Cow<'static, str>>,
    pub attributes: Vec<(&'static str, Value)>,
    pub link: Option<Context>,
    /// Whether the caller who began the trace wants it kept.
    pub asked: Option<bool>,
}

/// A piece of work under way; it ends when this is dropped. Empty while traces are off, and where
/// work belongs to no trace.
#[must_use]
pub struct Span(Option<Box<Ended>>);

impl Span {
    /// Of nothing.
    pub const fn none() -> Self {
        Self(None)
    }

    /// Answers a request; see [`TraceContext`].
    pub fn serve(method: &str, route: &str, trace: &TraceContext) -> Self {
        let Some(_) = TRACER.get() else {
            return Self(None);
        };
        let mut ended = Ended::begin(trace.context(), format!("{method} {route}"), Kind::Server);
        (ended.parent, ended.asked) = trace.parent().map_or((None, None), |(parent, sampled)| {
            (Some(parent), Some(sampled))
        });
        let mut span = Self(Some(Box::new(ended)));
        span.set("http.request.method", method);
        span.set("http.route", route);
        span
    }

    /// Part of what this task is at.
    pub fn part(name: impl Into<Cow<'static, str>>, kind: Kind) -> Self {
        match (TRACER.get(), current()) {
            (Some(tracer), Some(parent)) => Self::under(tracer, parent, name.into(), kind),
            _ => Self(None),
        }
    }

    /// The making of a payment, as part of what this task is at, or of the trace alone: see the
    /// module on hops.
    pub fn making(name: &'static str, payment: Id<Payment>, trace: Option<&str>) -> Self {
        let parent = current();
        let trace = parent.map_or_else(|| Hop::trace_of(trace), |parent| Some(parent.trace));
        let (Some(_), Some(trace)) = (TRACER.get(), trace) else {
            return Self(None);
        };
        let at = Context {
            trace,
            span: span_of(payment),
        };
        let mut ended = Ended::begin(at, name, Kind::Internal);
        ended.parent = parent.map(|parent| parent.span);
        let mut span = Self(Some(Box::new(ended)));
        span.set("lombard.payment", payment);
        span
    }

    /// Goes on after a commit.
    pub fn after(hop: Hop, name: &'static str, kind: Kind) -> Self {
        let (Some(tracer), Some(trace)) = (TRACER.get(), hop.trace) else {
            return Self(None);
        };
        let at = Context {
            trace,
            span: tracer.draw(),
        };
        let mut ended = Ended::begin(at, name, kind);
        (ended.parent, ended.link) = (hop.parent, hop.link);
        Self(Some(Box::new(ended)))
    }

    /// Notes what was done between two moments within another span.
    pub fn note(parent: Context, name: &'static str, begun: Instant, ended: Instant) {
        let Some(tracer) = TRACER.get() else { return };
        let mut span = Self::under(tracer, parent, name.into(), Kind::Internal);
        if let Some(mut noted) = span.0.take() {
            (noted.begun, noted.took) = (begun, ended.duration_since(begun));
            tracer.take(*noted);
        }
    }

    fn under(tracer: &Tracer, parent: Context, name: Cow<'static, str>, kind: Kind) -> Self {
        let at = Context {
            span: tracer.draw(),
            ..parent
        };
        let mut ended = Ended::begin(at, name, kind);
        ended.parent = Some(parent.span);
        Self(Some(Box::new(ended)))
    }

    /// What it is called by others.
    #[must_use]
    pub fn context(&self) -> Option<Context> {
        self.0.as_ref().map(|open| open.at)
    }

    /// Says what it is about: an id or a code, nothing personal.
    pub fn set(&mut self, key: &'static str, value: impl Display) {
        if let Some(open) = &mut self.0 {
            open.attributes.push((key, Value::Text(value.to_string())));
        }
    }

    /// The same of a number.
    pub fn count(&mut self, key: &'static str, value: impl TryInto<i64>) {
        if let Some(open) = &mut self.0 {
            let value = value.try_into().unwrap_or(i64::MAX);
            open.attributes.push((key, Value::Number(value)));
        }
    }

    /// Says that it failed, with a code.
    pub fn fail(&mut self, code: impl Into<Cow<'static, str>>) {
        if let Some(open) = &mut self.0 {
            open.failed = Some(code.into());
        }
    }

    /// Does `work` in it: spans opened there are its children.
    pub async fn run<F: Future>(&self, work: F) -> F::Output {
        within(self.context(), work).await
    }
}

impl Drop for Span {
    fn drop(&mut self) {
        if let (Some(mut ended), Some(tracer)) = (self.0.take(), TRACER.get()) {
            ended.took = ended.begun.elapsed();
            tracer.take(*ended);
        }
    }
}

impl Tracer {
    /// A new span's id.
    fn draw(&self) -> u64 {
        (self.host.random() as u64).max(1)
    }
}

impl Ended {
    pub(super) fn begin(at: Context, name: impl Into<Cow<'static, str>>, kind: Kind) -> Self {
        Self {
            at,
            parent: None,
            name: name.into(),
            kind,
            begun: Instant::now(),
            took: Duration::ZERO,
            failed: None,
            attributes: Vec::new(),
            link: None,
            asked: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    #[ignore = "a measurement: what the spans of one payment cost while traces are off"]
    #[expect(clippy::print_stderr, reason = "a measurement is read")]
    async fn what_a_payment_costs_while_traces_are_off() {
        const PAYMENTS: u32 = 200_000;
        const SPANS: u32 = 10;
        let begun = Instant::now();
        for _ in 0..PAYMENTS * SPANS {
            let mut span = Span::part("work", Kind::Internal);
            span.set("lombard.payment", PAYMENTS);
            span.run(std::future::ready(())).await;
        }
        eprintln!("{:?} for each payment", begun.elapsed() / PAYMENTS);
    }
}
