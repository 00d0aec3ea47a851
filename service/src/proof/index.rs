//! From a transaction's id to its leaf, without a record for each: an id carries the time at which
//! it was made, and the log is nearly in the order of time. For each bundle of 256 leaves the
//! earliest and the latest such time is kept (16 bytes); a look-up reads the few bundles that can
//! hold the id, and what it finds is exact because it is the leaf itself.
//!
//! Costs nothing for a payment, 64 bytes of memory for a thousand leaves, and can be made again
//! from the bundles at any time.

use bytes::Bytes;
use lombard_core::proof::tile::WIDTH;

/// Bytes of a span in the file.
const SPAN_BYTES: usize = 16;

/// When the ids of a bundle were made: the first and the last, in Unix milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// The earliest.
    pub from_ms: u64,
    /// The latest.
    pub to_ms: u64,
}

impl Span {
    /// The span with one more moment in it.
    #[must_use]
    pub fn including(span: Option<Self>, ms: u64) -> Self {
        span.map_or(
            Self {
                from_ms: ms,
                to_ms: ms,
            },
            |span| Self {
                from_ms: span.from_ms.min(ms),
                to_ms: span.to_ms.max(ms),
            },
        )
    }

    const fn holds(&self, ms: u64) -> bool {
        self.from_ms <= ms && ms <= self.to_ms
    }
}

/// The spans of all bundles.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Spans(Vec<Span>);

impl Spans {
    /// Takes in the spans of a batch that began when the log had `size` leaves: the first may
    /// replace the span of the bundle that was not full.
    pub fn extend(&mut self, size: u64, spans: &[Span]) {
        self.0
            .truncate(usize::try_from(size / WIDTH).unwrap_or(usize::MAX));
        self.0.extend_from_slice(spans);
    }

    /// Puts other spans in the place of all but the first `kept`.
    pub fn go_on(&mut self, kept: u64, more: Self) {
        self.0.truncate(usize::try_from(kept).unwrap_or(usize::MAX));
        self.0.extend(more.0);
    }

    /// The span of the last bundle.
    #[must_use]
    pub fn last(&self) -> Option<Span> {
        self.0.last().copied()
    }

    /// The bundles that may hold an id of this time, the newest first: that is what is asked for.
    pub fn bundles(&self, made_ms: u64) -> impl Iterator<Item = u64> + '_ {
        let all = (0..self.0.len() as u64).rev();
        all.filter(move |bundle| self.0[*bundle as usize].holds(made_ms))
    }

    /// The files that change when [`Spans::extend`] is called with the same arguments.
    #[must_use]
    pub fn files_after(&self, size: u64, spans: &[Span]) -> Vec<(String, Bytes)> {
        let width = WIDTH as usize;
        let kept = usize::try_from(size / WIDTH)
            .unwrap_or(usize::MAX)
            .min(self.0.len());
        let first = kept / width;
        let all = [&self.0[first * width..kept], spans].concat();
        let files = all.chunks(width).zip(first..);
        files
            .map(|(spans, n)| {
                let mut bytes = Vec::with_capacity(spans.len() * SPAN_BYTES);
                for span in spans {
                    bytes.extend_from_slice(&span.from_ms.to_be_bytes());
                    bytes.extend_from_slice(&span.to_ms.to_be_bytes());
                }
                (name(n), bytes.into())
            })
            .collect()
    }

    /// Takes in a file's spans; `false` when it is not such a file.
    pub fn load(&mut self, bytes: &[u8]) -> bool {
        let number = |bytes: &[u8]| {
            bytes
                .iter()
                .fold(0u64, |number, byte| number << 8 | u64::from(*byte))
        };
        for span in bytes.chunks(SPAN_BYTES) {
            if span.len() < SPAN_BYTES {
                return false;
            }
            let (from_ms, to_ms) = (number(&span[..8]), number(&span[8..]));
            self.0.push(Span { from_ms, to_ms });
        }
        true
    }

    /// How many bundles.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// The name of the file with the spans of 256 bundles.
#[must_use]
pub fn name(n: usize) -> String {
    format!("index/{n:06}")
}
