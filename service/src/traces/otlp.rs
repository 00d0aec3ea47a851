//! Spans in the form of OTLP, over the types that the OpenTelemetry project generates.
//!
//! Every text passes the gate here, at the one place through which all of them leave.

use std::time::{Duration, Instant};

use lombard_core::time::Timestamp;
use opentelemetry_proto::tonic::{
    collector::trace::v1::ExportTraceServiceRequest,
    common::v1::{AnyValue, InstrumentationScope, KeyValue, any_value},
    resource::v1::Resource,
    trace::v1::{ResourceSpans, ScopeSpans, Span, Status, span, status},
};
use prost::Message;

use super::{
    Context,
    span::{Ended, Kind, Value},
};
use crate::gate::redact;

/// Between two of our clocks; more than that is a clock that was set.
const DRIFT_MAX: Duration = Duration::from_millis(5);

/// What Unix time it was at some instant. Kept while it holds, so that spans of one trace that
/// leave at different times stand in their order.
#[derive(Clone, Copy, Debug)]
pub(super) struct Anchor {
    at: Instant,
    unix: Duration,
}

impl Anchor {
    pub fn new(at: Instant, now: Timestamp) -> Self {
        let unix = Duration::from_millis(now.unix_ms());
        Self { at, unix }
    }

    /// The same, or another if the clock was set meanwhile.
    pub fn checked(self, at: Instant, now: Timestamp) -> Self {
        let fresh = Self::new(at, now);
        if self.unix_at(at).abs_diff(fresh.unix) > DRIFT_MAX {
            fresh
        } else {
            self
        }
    }

    fn unix_at(&self, instant: Instant) -> Duration {
        match self.at.checked_duration_since(instant) {
            Some(before) => self.unix.saturating_sub(before),
            None => self.unix + instant.duration_since(self.at),
        }
    }

    fn unix_ns(&self, instant: Instant) -> u64 {
        u64::try_from(self.unix_at(instant).as_nanos()).unwrap_or(u64::MAX)
    }
}

/// A request with these spans.
pub(super) fn request(spans: &[Ended], anchor: &Anchor, environment: &str) -> Vec<u8> {
    let text = |value: &str| Value::Text(value.to_owned());
    let resource = [
        ("service.name", text("lombard")),
        ("service.version", text(env!("CARGO_PKG_VERSION"))),
        ("deployment.environment.name", text(environment)),
    ];
    let scope = ScopeSpans {
        scope: Some(InstrumentationScope {
            name: env!("CARGO_PKG_NAME").to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            ..InstrumentationScope::default()
        }),
        spans: spans.iter().map(|ended| told(ended, anchor)).collect(),
        ..ScopeSpans::default()
    };
    let of_process = ResourceSpans {
        resource: Some(Resource {
            attributes: resource.iter().map(attribute).collect(),
            ..Resource::default()
        }),
        scope_spans: vec![scope],
        ..ResourceSpans::default()
    };
    let request = ExportTraceServiceRequest {
        resource_spans: vec![of_process],
    };
    request.encode_to_vec()
}

fn told(ended: &Ended, anchor: &Anchor) -> Span {
    let (trace_id, span_id) = named(ended.at);
    let link = |to: Context| {
        let (trace_id, span_id) = named(to);
        span::Link {
            trace_id,
            span_id,
            ..span::Link::default()
        }
    };
    let kind = match ended.kind {
        Kind::Internal => span::SpanKind::Internal,
        Kind::Server => span::SpanKind::Server,
        Kind::Client => span::SpanKind::Client,
        Kind::Consumer => span::SpanKind::Consumer,
    };
    Span {
        trace_id,
        span_id,
        parent_span_id: ended
            .parent
            .map_or_else(Vec::new, |id| id.to_be_bytes().into()),
        name: redact(&ended.name).into_owned(),
        kind: kind.into(),
        start_time_unix_nano: anchor.unix_ns(ended.begun),
        end_time_unix_nano: anchor.unix_ns(ended.begun + ended.took),
        attributes: ended.attributes.iter().map(attribute).collect(),
        links: ended.link.map(link).into_iter().collect(),
        status: ended.failed.as_ref().map(|code| Status {
            message: redact(code).into_owned(),
            code: status::StatusCode::Error.into(),
        }),
        ..Span::default()
    }
}

fn named(context: Context) -> (Vec<u8>, Vec<u8>) {
    let Context { trace, span } = context;
    (trace.to_be_bytes().into(), span.to_be_bytes().into())
}

fn attribute((key, value): &(&'static str, Value)) -> KeyValue {
    let value = match value {
        Value::Text(text) => any_value::Value::StringValue(redact(text).into_owned()),
        Value::Number(number) => any_value::Value::IntValue(*number),
    };
    KeyValue {
        key: (*key).to_owned(),
        value: Some(AnyValue { value: Some(value) }),
        ..KeyValue::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_leaves_is_in_the_form_and_has_nothing_personal() {
        let begun = Instant::now();
        let anchor = Anchor::new(begun, Timestamp::from_unix_ms(1_700_000_000_000));
        let at = Context { trace: 10, span: 7 };
        let mut ended = Ended::begin(at, "rail.call", Kind::Client);
        (ended.begun, ended.took) = (begun, Duration::from_micros(1500));
        ended.parent = Some(3);
        ended.failed = Some("to ada@example.org".into());
        ended.attributes = vec![
            ("said", Value::Text("4242 4242 4242 4242".to_owned())),
            ("http.response.status_code", Value::Number(502)),
        ];
        ended.link = Some(Context { trace: 9, span: 2 });
        let bytes = request(&[ended], &anchor, "test");
        let read = ExportTraceServiceRequest::decode(bytes.as_slice()).unwrap();
        let resource = &read.resource_spans[0];
        let span = &resource.scope_spans[0].spans[0];
        assert_eq!(span.trace_id, 10_u128.to_be_bytes());
        assert_eq!(span.span_id, 7_u64.to_be_bytes());
        assert_eq!(span.parent_span_id, 3_u64.to_be_bytes());
        assert_eq!(span.start_time_unix_nano, 1_700_000_000_000_000_000);
        let took = span.end_time_unix_nano - span.start_time_unix_nano;
        assert_eq!(took, 1_500_000);
        assert_eq!(span.links[0].trace_id, 9_u128.to_be_bytes());
        let status = span.status.as_ref().unwrap();
        assert_eq!((status.code, status.message.as_str()), (2, "to [redacted]"));
        let said = span.attributes[0].value.clone().unwrap().value.unwrap();
        assert_eq!(said, any_value::Value::StringValue("[redacted]".to_owned()));
    }

    #[test]
    fn the_anchor_holds_until_the_clock_is_set() {
        let begun = Instant::now();
        let at = |ms| Timestamp::from_unix_ms(ms);
        let anchor = Anchor::new(begun, at(10_000));
        let later = begun + Duration::from_secs(1);
        assert_eq!(
            anchor.checked(later, at(11_002)).unix_ns(begun),
            10_000_000_000
        );
        assert_eq!(
            anchor.checked(later, at(12_000)).unix_ns(begun),
            11_000_000_000
        );
    }
}
