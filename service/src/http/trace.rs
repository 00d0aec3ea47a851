//! W3C Trace Context: the trace that a request belongs to, taken from `traceparent` or begun.
//!
//! A malformed or repeated header is as if it were not there: a new trace begins. We read version
//! 00 strictly and later versions as far as the specification says they can be read. What we
//! answer is our own span in the trace, so the header that comes back differs from the one sent.
//! `tracestate` is not passed on: we add nothing to it, and it leaves with the caller's own span.

use std::fmt;

use axum::http::{HeaderMap, HeaderName};

use crate::traces::Context;

/// The header, in and out.
pub const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");

/// A place in a trace: the trace, and our span in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TraceContext {
    trace: u128,
    span: u64,
    /// The caller's span, and whether he keeps the trace.
    parent: Option<(u64, bool)>,
}

impl TraceContext {
    /// The context of a request. `luck` is fresh randomness, for what the request does not bring.
    #[must_use]
    pub fn of(headers: &HeaderMap, luck: u128) -> Self {
        let mut values = headers.get_all(TRACEPARENT).iter();
        let parent = match (values.next(), values.next()) {
            (Some(value), None) => parse(value.as_bytes()),
            _ => None,
        };
        // One draw serves both: the span is a mix of the trace's bits, and never zero.
        let span = ((luck >> 64) as u64 ^ (luck as u64).rotate_left(32)).max(1);
        match parent {
            Some((trace, parent, sampled)) => Self {
                trace,
                span,
                parent: Some((parent, sampled)),
            },
            None => Self {
                trace: luck.max(1),
                span,
                parent: None,
            },
        }
    }

    /// Our span in it.
    #[must_use]
    pub const fn context(&self) -> Context {
        Context {
            trace: self.trace,
            span: self.span,
        }
    }

    /// The caller's span, if he brought a trace, and whether he keeps it.
    #[must_use]
    pub const fn parent(&self) -> Option<(u64, bool)> {
        self.parent
    }

    /// The trace id, 32 hexadecimal digits.
    #[must_use]
    pub fn trace_id(&self) -> String {
        format!("{:032x}", self.trace)
    }

    /// Trace and span, which together name one request.
    #[must_use]
    pub fn request_id(&self) -> String {
        format!("{:032x}-{:016x}", self.trace, self.span)
    }

    /// Whether this request is among the one in `n` that are looked at closely.
    #[must_use]
    pub const fn draws(&self, n: u32) -> bool {
        self.span.is_multiple_of(n as u64)
    }

    /// The header's value: `00-trace-span-flags`.
    #[must_use]
    pub fn header(&self) -> [u8; 55] {
        let mut text = *b"00-00000000000000000000000000000000-0000000000000000-00";
        write_hex(&mut text[3..35], self.trace);
        write_hex(&mut text[36..52], u128::from(self.span));
        text[54] += u8::from(self.parent.is_none_or(|(_, sampled)| sampled));
        text
    }
}

impl fmt::Display for TraceContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&String::from_utf8_lossy(&self.header()))
    }
}

fn write_hex(place: &mut [u8], value: u128) {
    for (nibble, digit) in place.iter_mut().rev().enumerate() {
        *digit = b"0123456789abcdef"[(value >> (4 * nibble)) as usize & 15];
    }
}

/// The trace id, the caller's span and the sampled flag of a `traceparent`, if it is valid.
fn parse(value: &[u8]) -> Option<(u128, u64, bool)> {
    let value = value.trim_ascii();
    let (head, rest) = value.split_at_checked(55)?;
    let separated = [2, 35, 52].iter().all(|at| head[*at] == b'-');
    let version = hex(&head[..2])?;
    // A later version may say more after another hyphen; this one may not.
    let well_ended = match version {
        0 => rest.is_empty(),
        0xff => false,
        _ => rest.is_empty() || rest[0] == b'-',
    };
    let trace = hex(&head[3..35])?;
    let parent = hex(&head[36..52])? as u64;
    let flags = hex(&head[53..55])?;
    (separated && well_ended && trace != 0 && parent != 0).then_some((
        trace,
        parent,
        flags & 1 == 1,
    ))
}

/// Lower-case hexadecimal, as the specification requires.
fn hex(digits: &[u8]) -> Option<u128> {
    digits.iter().try_fold(0, |value: u128, digit| {
        let digit = match digit {
            b'0'..=b'9' => digit - b'0',
            b'a'..=b'f' => digit - b'a' + 10,
            _ => return None,
        };
        Some(value << 4 | u128::from(digit))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn of(value: &str) -> TraceContext {
        let mut headers = HeaderMap::new();
        headers.insert(TRACEPARENT, value.parse().unwrap());
        TraceContext::of(&headers, 7)
    }

    #[test]
    fn a_valid_parent_is_continued_with_a_span_of_our_own() {
        let parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
        let context = of(parent);
        assert_eq!(context.trace_id(), "0af7651916cd43dd8448eb211c80319c");
        assert!(
            context
                .to_string()
                .starts_with("00-0af7651916cd43dd8448eb211c80319c-")
        );
        assert_ne!(context.to_string(), parent);
        assert!(
            of(&parent.replace("-01", "-00"))
                .to_string()
                .ends_with("-00")
        );
        assert!(
            of(&format!("{parent}-more").replace("00-0af", "cc-0af"))
                .trace_id()
                .starts_with("0af7")
        );
    }

    #[test]
    fn an_invalid_parent_begins_a_new_trace() {
        for parent in [
            "",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-more",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-1",
            "00-00000000000000000000000000000000-b7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
            "00-0AF7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            "00_0af7651916cd43dd8448eb211c80319c_b7ad6b7169203331_01",
        ] {
            assert_eq!(of(parent).trace_id(), format!("{:032x}", 7), "{parent}");
        }
    }

    proptest! {
        #[test]
        fn any_header_is_survived_and_our_own_is_understood(bytes: Vec<u8>, luck: u128) {
            let _ = parse(&bytes);
            let context = TraceContext::of(&HeaderMap::new(), luck);
            prop_assert!(parse(&context.header()).is_some());
        }
    }
}
